"""What stands around the models' tables: views, triggers, virtual tables, extensions, names that move (D13-D15)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import BigInteger, CheckConstraint, Column, Computed, Float, Index, Integer, MetaData, String, Text

from trueup import Policy, Status

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

pytestmark = pytest.mark.usefixtures("both_forms")
OLD = t(key(), a(), n())
NEW = t(key(), a(server_default="x"), n())
"""Differs from OLD in a default, for which SQLite has no ALTER TABLE."""
ROWS = "INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2);"


def with_application(lab: Lab, script: str) -> None:
    """Run statements as an application that brings its own function ``app`` and its own collation ``APP``."""
    with closing(sqlite3.connect(lab.path)) as connection:
        connection.create_function("app", 1, lambda value: value, deterministic=True)
        connection.create_collation("APP", lambda left, right: (left > right) - (left < right))
        connection.executescript(script)
        connection.commit()


# -- what mentions something that goes ---------------------------------------------------------------------------------


def test_a_trigger_that_needs_a_dropped_column_is_not_left_broken(lab: Lab) -> None:
    """A column is not dropped under a trigger that reads it, since from then on every insert would fail."""
    lab.create(OLD)
    lab.sql(
        ROWS + "CREATE TABLE log (x); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.n); END;"
    )
    lab.migrate(t(key(), a()), policy=Policy.FULL)
    assert lab.refusal("INSERT INTO t (a) VALUES ('new')") == ""


def test_a_trigger_that_watches_a_dropped_column_is_not_left_broken(lab: Lab) -> None:
    """A column is not dropped under a trigger that fires on its updates and reads it."""
    trigger = "CREATE TRIGGER tr AFTER UPDATE OF a ON t WHEN old.n > 0 BEGIN SELECT 1; END;"
    lab.create(OLD)
    lab.sql(ROWS + trigger)
    lab.migrate(t(key(), a()), policy=Policy.FULL)
    assert lab.refusal("UPDATE t SET a = 'new'") == ""


def test_a_trigger_that_writes_to_a_dropped_table_is_not_left_broken(lab: Lab) -> None:
    """A table is not dropped while another table's trigger writes to it."""
    lab.create(t(key(), name="u", metadata=t(key(), a(), n())))
    lab.sql(ROWS + "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.id); END;")
    lab.migrate(OLD, policy=Policy.FULL, owned_tables=("u",))
    assert lab.refusal("INSERT INTO t (a) VALUES ('new')") == ""


@pytest.mark.parametrize("view", ["SELECT n FROM t", "SELECT * FROM t WHERE n > 0"])
def test_a_view_that_needs_a_dropped_column_is_not_left_broken(lab: Lab, view: str) -> None:
    """A column is not dropped under a view that reads it: the run says which view, and nothing changes."""
    lab.create(OLD)
    lab.sql(ROWS + f"CREATE VIEW v AS {view};")
    before = lab.dump()
    run = lab.migrate(t(key(), a()), policy=Policy.FULL)
    assert (lab.dump(), run.success) == (before, False)
    assert "v" in str(run.error or run.plan.blocked[0].reason).replace(";", " ").split()


def test_a_view_of_everything_survives_a_dropped_column(lab: Lab) -> None:
    """A view that reads all columns, whichever they are, is no obstacle to dropping one."""
    lab.create(OLD)
    lab.sql(ROWS + "CREATE VIEW v AS SELECT * FROM t;")
    assert lab.migrate(t(key(), a()), policy=Policy.FULL).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM v") == [(1, "one"), (2, "two")]


# -- models that map what is no table ----------------------------------------------------------------------------------


def test_models_may_map_a_view(lab: Lab) -> None:
    """A class that reads from a view of the database is no missing table, and the rest is migrated."""
    lab.create(OLD)
    lab.sql(ROWS + "CREATE VIEW report AS SELECT id, a FROM t;")
    models = t(key(), a(), name="report", metadata=t(key(), a(server_default="x"), n()))
    assert "add table report" not in lab.applied(models)
    assert lab.migrate(models).error is None
    assert lab.rows("SELECT * FROM report") == [(1, "one"), (2, "two")]


def test_models_may_map_a_virtual_table(lab: Lab) -> None:
    """A class that reads from a full-text index is no missing table."""
    lab.create(OLD)
    lab.sql(ROWS + "CREATE VIRTUAL TABLE search USING fts5(a); INSERT INTO search VALUES ('word');")
    models = t(Column("rowid", Integer, primary_key=True), a(Text), name="search", metadata=t(key(), a(), n()))
    assert "add table search" not in lab.applied(models)
    assert lab.migrate(models).error is None
    assert lab.rows("SELECT a FROM search") == [("word",)]


# -- full-text indexes and other virtual tables ------------------------------------------------------------------------


def test_a_full_text_index_kept_by_triggers_survives_a_rebuild(lab: Lab) -> None:
    """The index still matches the rows, and still follows them."""
    lab.create(OLD)
    lab.sql(
        """CREATE VIRTUAL TABLE f USING fts5(a, content='t', content_rowid='id');
        CREATE TRIGGER t_ai AFTER INSERT ON t BEGIN INSERT INTO f (rowid, a) VALUES (new.id, new.a); END;
        CREATE TRIGGER t_ad AFTER DELETE ON t
            BEGIN INSERT INTO f (f, rowid, a) VALUES ('delete', old.id, old.a); END;"""
        + ROWS
    )
    assert lab.migrate(NEW).status is Status.MIGRATED
    lab.sql("INSERT INTO t (a) VALUES ('three'); DELETE FROM t WHERE a = 'one';")
    lab.sql("INSERT INTO f (f) VALUES ('integrity-check')")
    assert lab.rows("SELECT rowid FROM f WHERE f MATCH 'one OR two OR three' ORDER BY rowid") == [(2,), (3,)]


VIRTUAL = {
    "fts5": "CREATE VIRTUAL TABLE v USING fts5(a)",
    "fts4": "CREATE VIRTUAL TABLE v USING fts4(a)",
    "rtree": "CREATE VIRTUAL TABLE v USING rtree(id, x0, x1)",
}


@pytest.mark.parametrize("ddl", VIRTUAL.values(), ids=VIRTUAL)
def test_shadow_tables_are_never_dropped(lab: Lab, ddl: str) -> None:
    """A virtual table and what it keeps its data in are nobody's leftovers, even when all tables are the models'."""
    lab.create(OLD)
    lab.sql(ddl)
    before = lab.names()
    assert lab.found(OLD, policy=Policy.FULL, owned_tables=("*",)) == []
    assert lab.migrate(NEW, policy=Policy.FULL, owned_tables=("*",)).status is Status.MIGRATED
    assert lab.names() == sorted([*before, "migration_history"])


def test_a_virtual_table_of_a_missing_extension_stops_nothing(lab: Lab) -> None:
    """A virtual table whose module only the application loads is left alone while other tables are migrated."""
    lab.create(OLD)
    lab.sql(
        """PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql)
        VALUES ('table', 'vectors', 'vectors', 0, 'CREATE VIRTUAL TABLE vectors USING missing(e float[4])');"""
    )
    run = lab.migrate(NEW)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert "vectors" in lab.names()


# -- what only the application can evaluate ----------------------------------------------------------------------------


APPLICATION = {
    "a view with a function": "CREATE VIEW other AS SELECT app(a) FROM t",
    "a CHECK with a function": "CREATE TABLE other (a TEXT CHECK (app(a) <> ''))",
    "an index with a function": "CREATE TABLE other (a TEXT); CREATE INDEX ix_other ON other (app(a))",
    "a column with a collation": "CREATE TABLE other (a TEXT COLLATE APP)",
    "an index with a collation": "CREATE TABLE other (a TEXT COLLATE APP); CREATE INDEX ix_other ON other (a)",
    "a generated column": "CREATE TABLE other (a TEXT, b TEXT AS (app(a)))",
    "a trigger with a function": "CREATE TABLE other (x); CREATE TRIGGER tr DELETE ON other BEGIN SELECT app(1); END",
}


@pytest.mark.parametrize("ddl", APPLICATION.values(), ids=APPLICATION)
def test_what_only_the_application_knows_elsewhere_stops_nothing(lab: Lab, ddl: str) -> None:
    """Functions and collations that only the application's connections have, in other tables, are no obstacle."""
    lab.create(OLD)
    with_application(lab, ROWS + ddl)
    before = lab.rows("SELECT name, sql FROM sqlite_schema WHERE name LIKE '%other%' OR name = 'tr'")
    run = lab.migrate(NEW)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert lab.rows("SELECT name, sql FROM sqlite_schema WHERE name LIKE '%other%' OR name = 'tr'") == before


@pytest.mark.parametrize("ddl", APPLICATION.values(), ids=APPLICATION)
def test_what_only_the_application_knows_does_not_stop_a_drop_in_place(lab: Lab, ddl: str) -> None:
    """The same where SQLite itself looks through the whole schema, as it does to drop a column."""
    lab.create(OLD)
    with_application(lab, ROWS + ddl)
    run = lab.migrate(t(key(), a()), policy=Policy.FULL)
    assert (run.status, run.error) == (Status.MIGRATED, None)


# -- names -------------------------------------------------------------------------------------------------------------


def test_an_index_name_may_move_to_a_new_table(lab: Lab) -> None:
    """A name that an old table gives up is free before a new table takes it."""
    lab.create(t(key(), a(), Index("ix", "a"), name="x"))
    models = t(key(), a(), Index("ix", "a"), name="y", metadata=t(key(), a(), name="x"))
    assert lab.migrate(models, policy=Policy.FULL).status is Status.MIGRATED
    assert lab.found(models) == []


def test_an_index_name_of_a_dropped_table_may_move_to_a_new_one(lab: Lab) -> None:
    """A name that goes with its table is free before a new table takes it."""
    lab.create(t(key(), a(), n(), Index("ix", "a"), name="x"))
    models = t(key(), Column("other", Float), Index("ix", "other"), name="y")
    assert lab.migrate(models, policy=Policy.FULL, owned_tables=("*",)).status is Status.MIGRATED
    assert lab.found(models) == []


def test_an_index_name_that_is_kept_elsewhere_is_not_a_crash(lab: Lab) -> None:
    """Where the old index is only retired, its name is taken: the plan says so instead of failing on it."""
    lab.create(t(key(), a(), Index("ix", "a"), name="x"))
    models = t(key(), a(), Index("ix", "a"), name="y", metadata=t(key(), a(), name="x"))
    assert lab.migrate(models, policy=Policy.SAFE).error is None


def test_names_in_other_case_keep_everything(lab: Lab) -> None:
    """A table whose names are written in capitals is rebuilt with its index, its trigger, its rows and its children."""
    lab.sql(
        """CREATE TABLE T (ID INTEGER PRIMARY KEY, A VARCHAR(50), N INTEGER); CREATE INDEX IX ON T (A);
        CREATE TABLE c (id INTEGER PRIMARY KEY, t_id REFERENCES T (ID) ON DELETE CASCADE);
        CREATE TRIGGER TR AFTER INSERT ON T BEGIN UPDATE c SET id = id; END;"""
        + ROWS
        + "INSERT INTO c VALUES (1, 1)"
    )
    models = t(key(), a(server_default="x"), n(), Index("ix", "a"))
    assert lab.migrate(models).status is Status.MIGRATED
    assert lab.found(models) == []
    assert (lab.rows("SELECT * FROM t"), lab.rows("SELECT * FROM c")) == ([(1, "one", 1), (2, "two", 2)], [(1, 1)])
    assert lab.names("trigger") == ["TR"]
    assert lab.healthy()


def test_a_check_may_name_its_table(lab: Lab) -> None:
    """A CHECK that writes its column with the table's name survives a rebuild, and is in force."""
    check = CheckConstraint("t.n > 0")
    lab.create(t(key(), a(), n(), check))
    lab.sql(ROWS)
    assert lab.migrate(t(key(), a(server_default="x"), n(), CheckConstraint("t.n > 0"))).status is Status.MIGRATED
    assert "CHECK" in lab.refusal("INSERT INTO t (id, n) VALUES (50, 0)")


def test_a_name_with_a_line_end_stays_in_its_comment(lab: Lab) -> None:
    """Whoever copies the script runs the steps and nothing that a name smuggles in."""
    plan = lab.plan(t(key(), a(), name="x\nDROP TABLE y; --"))
    assert r"-- 1. add table x\nDROP TABLE y; --: 2 columns" in plan.script.splitlines()
    assert lab.migrate(t(key(), a(), name="x\nDROP TABLE y; --")).status is Status.MIGRATED


def test_a_check_on_a_new_quoted_column_is_not_violated(lab: Lab) -> None:
    """A quoted name that SQLite does not know yet is not taken for a string that breaks the rule."""
    lab.create(OLD)
    lab.sql(ROWS)
    check = CheckConstraint('"order" IS NULL OR "order" > 0')
    run = lab.migrate(t(key(), a(), n(), Column("order", Integer), check))
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert "CHECK" in lab.refusal('INSERT INTO t (id, "order") VALUES (50, 0)')


def test_a_computed_column_may_come_before_what_it_computes_from(lab: Lab) -> None:
    """Two new columns of which the first needs the second are added in an order that works."""
    lab.create(OLD)
    lab.sql(ROWS)
    models = t(key(), a(), n(), Column("double", Integer, Computed("base * 2")), Column("base", Integer))
    assert lab.migrate(models).status is Status.MIGRATED
    assert lab.found(models) == []


def test_counters_of_other_tables_are_left_alone(lab: Lab) -> None:
    """Looking whether a trigger still works writes nothing, not even a row in ``sqlite_sequence``."""
    lab.create(OLD)
    lab.sql(
        """CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT, a);
        CREATE TRIGGER tr AFTER INSERT ON other BEGIN SELECT 1; END;"""
    )
    assert lab.migrate(NEW).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM sqlite_sequence") == []


_GROWING = """
import sys
from sqlalchemy import Column, Computed, Integer, MetaData, String, Table
import trueup
metadata = MetaData()
computed = [Column(f"c{number}", String, Computed("a || '!'")) for number in range(40)]
Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", String(50)), Column("n", Integer), *computed)
print(trueup.migrate(trueup.Target(url=sys.argv[1], models=metadata)).status)
"""


def test_a_table_with_a_trigger_may_grow(lab: Lab) -> None:
    """Looking at a trigger before and after its table grew does not end the process.

    SQLite 3.40 crashes when it compiles a cached EXPLAIN anew that needs more registers than before, so this runs in
    a process of its own.
    """
    lab.create(OLD)
    lab.sql(
        ROWS + "CREATE TABLE log (x); CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.n); END;"
    )
    done = subprocess.run([sys.executable, "-c", _GROWING, lab.url], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "migrated", "")


# -- types -------------------------------------------------------------------------------------------------------------


INEXACT = {
    "a fraction as text": (Float, String, "1.0 / 3"),
    "a large integer as a float": (BigInteger, Float, "9007199254740993"),
    "a number with zeros in front": (String, Integer, "'007'"),
}


@pytest.mark.parametrize(("old", "new", "value"), INEXACT.values(), ids=INEXACT)
def test_full_does_what_its_plan_says_about_types(lab: Lab, old: type, new: type, value: str) -> None:
    """A change that alters values, which the plan warned of and the policy ``full`` applies, is carried out."""

    def models(type_: type) -> MetaData:
        return t(key(), Column("v", type_))

    lab.create(models(old))
    lab.sql(f"INSERT INTO t VALUES (1, {value})")
    assert lab.migrate(models(new)).status is not Status.MIGRATED
    run = lab.migrate(models(new), policy=Policy.FULL)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert any("would change the values of 1 row" in warning for warning in run.warnings)


def test_a_key_that_cannot_be_a_rowid_is_blocked_beforehand(lab: Lab) -> None:
    """Text in a key that is to become INTEGER PRIMARY KEY is found while planning, not by a failing copy."""
    lab.sql("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(50)); INSERT INTO t VALUES ('x', 'a')")
    assert lab.migrate(t(key(), a()), policy=Policy.FULL).status is Status.NEEDS_DECISION


OTHERS = {
    "alembic_version": "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "django_migrations": "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT)",
    "somebody's": "CREATE TABLE plugin_data (x)",
    "strange": 'CREATE TABLE "a ""b"" (c)" (x, "y z")',
}


@pytest.mark.parametrize("ddl", OTHERS.values(), ids=OTHERS)
def test_other_peoples_tables_are_never_dropped(lab: Lab, ddl: str) -> None:
    """A table that the models never declared is left alone by every policy, run after run."""
    lab.create(OLD)
    lab.sql(ddl)
    assert lab.migrate(NEW, policy=Policy.FULL).status is Status.MIGRATED
    assert lab.migrate(OLD, policy=Policy.FULL).status is Status.MIGRATED
    assert lab.stored(next(name for name in lab.names() if name not in ("t", "migration_history"))) == ddl


def test_the_history_is_never_dropped(lab: Lab) -> None:
    """trueup's own table is not part of the schema, whatever belongs to the models and whatever its name."""
    lab.create(OLD)
    everything = {"owned_tables": ("*",), "history_table": "my_history"}
    lab.migrate(NEW, policy=Policy.FULL, **everything)
    assert lab.found(NEW, policy=Policy.FULL, **everything) == []
    assert lab.migrate(OLD, policy=Policy.FULL, **everything).status is Status.MIGRATED
    assert lab.names() == ["my_history", "t"]
