"""What a rebuild by Alembic's batch mode damages on SQLite, and that it is not damaged here.

Every test makes a table with the endangered thing, lets trueup change that table in its cheapest form and by a rebuild,
and looks at the thing. Where it is
instructive, the same input goes through Alembic first (:func:`batch`), to show that the danger is not imagined.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Text, event

from trueup import Form, Plan, Policy, Status, apply
from trueup.dialects.sqlite import abilities as of_sqlite

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

pytestmark = pytest.mark.usefixtures("both_forms")
MakeLab = Callable[[str], "Lab"]


def batch(lab: Lab, change: Callable[[BatchOperations], None], *, table: str = "t", foreign_keys: bool = False) -> None:
    """Rebuild the table by Alembic, on an engine as the application would set it up."""
    engine = sa.create_engine(lab.url)
    if foreign_keys:
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys = ON"))
    try:
        with warnings.catch_warnings(), engine.connect() as connection:
            warnings.simplefilter("ignore")
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table(table, recreate="always") as operation:
                change(operation)
            connection.commit()
    finally:
        engine.dispose()


def add_extra(operation: BatchOperations) -> None:
    """A change that has nothing to do with what it damages."""
    operation.add_column(Column("extra", Integer))


def changed(lab: Lab, models: MetaData, **kw: Any) -> None:
    """Migrate, and be sure that table t was rebuilt where this SQLite can do nothing else."""
    run = lab.migrate(models, **kw)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert run.plan is not None
    if not of_sqlite.abilities().edits_schema:
        assert [step.form for step in run.plan.steps if step.table.lower() == "t"] == [Form.REBUILD]


def both(make_lab: MakeLab, script: str) -> tuple[Lab, Lab]:
    """The same database twice: one for Alembic, one for trueup."""
    labs = make_lab("alembic"), make_lab("trueup")
    for lab in labs:
        lab.sql(script)
    return labs


OLD = "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER);"
ROWS = "INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (5, NULL, NULL);"
NEW = t(key(), a(server_default="x"), n())
"""Differs from OLD in a default, for which SQLite has no ALTER TABLE."""


# -- rows of other tables ----------------------------------------------------------------------------------------------


def family(action: str) -> str:
    child = f"CREATE TABLE child (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t (id) {action});"
    return OLD + ROWS + child + "INSERT INTO child VALUES (1, 1), (2, 1), (3, 2), (4, NULL);"


@pytest.mark.parametrize("action", ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT"])
def test_children_survive_the_rebuild_of_their_parent(make_lab: MakeLab, action: str) -> None:
    """A rebuild of the parent neither deletes nor detaches children, though the application enforces foreign keys."""
    alembic, trueup = both(make_lab, family(action))
    before = trueup.rows("SELECT * FROM child")
    batch(alembic, add_extra, foreign_keys=True)
    assert alembic.rows("SELECT * FROM child") != before
    changed(trueup, NEW)
    assert trueup.rows("SELECT * FROM child") == before


@pytest.mark.parametrize("action", ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"])
def test_children_do_not_stop_the_rebuild_of_their_parent(make_lab: MakeLab, action: str) -> None:
    """A reference without an action is no reason for a rebuild to fail, and still points to the parent afterwards."""
    alembic, trueup = both(make_lab, family(action))
    with pytest.raises(sa.exc.IntegrityError):
        batch(alembic, add_extra, foreign_keys=True)
    changed(trueup, NEW)
    assert trueup.healthy()
    assert "FOREIGN KEY" in trueup.refusal("INSERT INTO child VALUES (9, 4711); COMMIT")


def test_the_statement_of_a_child_is_not_rewritten(lab: Lab) -> None:
    """The child's own definition is stored byte for byte as before, and so names the parent, not a temporary table."""
    lab.sql(family("ON DELETE CASCADE"))
    before = lab.stored("child")
    changed(lab, NEW)
    assert lab.stored("child") == before


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_failure_leaves_nothing_behind_and_a_retry_works(make_lab: MakeLab) -> None:
    """After a run that failed the database is as it was, and the next run succeeds."""
    alembic, trueup = both(make_lab, family(""))
    for _ in range(2):
        with pytest.raises(sa.exc.SQLAlchemyError):
            batch(alembic, add_extra, foreign_keys=True)
    assert "_alembic_tmp_t" in alembic.names()
    before = trueup.dump()
    stricter = t(key(), a(nullable=False), n())
    assert trueup.migrate(stricter).status is Status.NEEDS_DECISION
    assert trueup.dump() == before
    trueup.sql("UPDATE t SET a = '' WHERE a IS NULL")
    assert trueup.migrate(stricter).status is Status.MIGRATED
    assert "_trueup_new_t" not in trueup.names()


def test_a_failure_in_the_middle_takes_back_the_steps_before_it(lab: Lab, tmp_path: Path) -> None:
    """When a later step fails, the tables that earlier steps changed are as they were, too, and a retry works."""
    lab.sql(OLD + ROWS + "CREATE TABLE u (id INTEGER PRIMARY KEY, w TEXT); INSERT INTO u VALUES (1, 'no json');")
    decisions = tmp_path / "trueup.toml"
    defaults = "(SELECT count(dflt_value) FROM pragma_table_info('t'))"  # none while planning, one after the first step
    decisions.write_text(f'[[decisions]]\nfill = "u.j"\nsql = "CASE {defaults} WHEN 0 THEN 1 ELSE json(w) END"\n')
    models = t(key(), a(server_default="x"), n())
    t(key(), Column("w", Text), Column("j", Text, nullable=False), name="u", metadata=models)
    before = lab.dump()
    run = lab.migrate(models, decisions=decisions)
    assert (run.status, [step.table for step in run.plan.steps]) == (Status.FAILED, ["t", "u"])
    assert lab.dump() == before
    lab.sql("UPDATE u SET w = '{ }'")
    assert lab.migrate(models, decisions=decisions).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM u") == [(1, "{ }", "{}")]


# -- what else stands on the table -------------------------------------------------------------------------------------


LOG = "CREATE TABLE log (what TEXT);"
TRIGGER = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('(' || new.a || ')'); END"


def test_triggers_on_the_table_survive(make_lab: MakeLab) -> None:
    """A trigger on the rebuilt table is there afterwards, byte for byte, and fires."""
    alembic, trueup = both(make_lab, OLD + ROWS + LOG + TRIGGER)
    batch(alembic, add_extra)
    assert alembic.names("trigger") == []
    changed(trueup, NEW)
    assert trueup.stored("tr") == TRIGGER
    trueup.sql("INSERT INTO t (a) VALUES ('new')")
    assert trueup.rows("SELECT * FROM log") == [("(new)",)]


def test_triggers_do_not_fire_while_the_rows_are_copied(lab: Lab) -> None:
    """The rebuild's own inserts and drops are not the application's, and trigger nothing."""
    delete = "CREATE TRIGGER gone AFTER DELETE ON t BEGIN INSERT INTO log VALUES ('deleted'); END;"
    lab.sql(OLD + ROWS + LOG + TRIGGER + ";" + delete)
    changed(lab, NEW)
    assert lab.rows("SELECT * FROM log") == []


def test_triggers_of_other_tables_survive(make_lab: MakeLab) -> None:
    """A trigger of another table that writes to the rebuilt one stops nothing, and still works."""
    other = "CREATE TRIGGER tr AFTER INSERT ON log BEGIN INSERT INTO t (a) VALUES (new.what); END"
    alembic, trueup = both(make_lab, OLD + ROWS + LOG + other)
    with pytest.raises(sa.exc.OperationalError, match="error in trigger tr"):
        batch(alembic, add_extra)
    changed(trueup, NEW)
    assert trueup.stored("tr") == other
    trueup.sql("INSERT INTO log VALUES ('from log')")
    assert trueup.value("SELECT count(*) FROM t WHERE a = 'from log'") == 1


def test_views_survive(make_lab: MakeLab) -> None:
    """A view of the rebuilt table, and one of that view, stop nothing and can be read afterwards."""
    views = "CREATE VIEW v AS SELECT a, n FROM t WHERE n > 1; CREATE VIEW w AS SELECT a FROM v;"
    alembic, trueup = both(make_lab, OLD + ROWS + views)
    with pytest.raises(sa.exc.OperationalError, match="error in view v"):
        batch(alembic, add_extra)
    changed(trueup, NEW)
    assert trueup.rows("SELECT * FROM w") == [("two",)]


def test_instead_of_triggers_of_views_survive(lab: Lab) -> None:
    """A view that can be written to through its trigger still can."""
    view = "CREATE VIEW v AS SELECT a FROM t;"
    trigger = "CREATE TRIGGER tr INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END;"
    lab.sql(OLD + ROWS + view + trigger)
    changed(lab, NEW)
    lab.sql("INSERT INTO v VALUES ('through the view')")
    assert lab.value("SELECT count(*) FROM t WHERE a = 'through the view'") == 1


INDEXES = {
    "an expression": "CREATE INDEX ix ON t (lower(a), n)",
    "DESC": "CREATE INDEX ix ON t (a DESC, n)",
    "COLLATE": "CREATE INDEX ix ON t (a COLLATE NOCASE DESC, id)",
    "WHERE with a colon": "CREATE INDEX ix ON t (a) WHERE a <> ':x' AND n > 0",
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_indexes_that_the_models_do_not_have_survive(make_lab: MakeLab, index: str) -> None:
    """An index of any kind that somebody made by hand is there after a rebuild, byte for byte."""
    alembic, trueup = both(make_lab, OLD + ROWS + index)
    batch(alembic, add_extra)
    assert alembic.rows("SELECT sql FROM sqlite_schema WHERE name = 'ix'") != [(index,)]
    changed(trueup, NEW)
    assert trueup.stored("ix") == index


def test_statistics_survive(make_lab: MakeLab) -> None:
    """What ANALYZE found out is not forgotten."""
    alembic, trueup = both(make_lab, OLD + ROWS + "CREATE INDEX ix ON t (a); ANALYZE;")
    before = trueup.rows("SELECT * FROM sqlite_stat1")
    batch(alembic, add_extra)
    assert alembic.rows("SELECT * FROM sqlite_stat1") != before
    changed(trueup, t(key(), a(server_default="x", index=False), n(), sa.Index("ix", "a")))
    assert trueup.rows("SELECT * FROM sqlite_stat1") == before


# -- what the table's own definition says ------------------------------------------------------------------------------


def test_a_collation_survives(make_lab: MakeLab) -> None:
    """A column still compares as it did."""
    alembic, trueup = both(make_lab, OLD.replace("(50)", "(50) COLLATE NOCASE") + ROWS)
    batch(alembic, add_extra)
    assert alembic.rows("SELECT id FROM t WHERE a = 'ONE'") == []
    changed(trueup, t(key(), a(sa.String(50, collation="NOCASE"), server_default="x"), n()))
    assert trueup.rows("SELECT id FROM t WHERE a = 'ONE'") == [(1,)]


def test_the_autoincrement_counter_survives(make_lab: MakeLab) -> None:
    """No id is given a second time, even when the row that had it is gone."""
    script = OLD.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT") + ROWS
    alembic, trueup = both(make_lab, script + "INSERT INTO t (id) VALUES (100); DELETE FROM t WHERE id = 100;")
    batch(alembic, add_extra)
    changed(trueup, t(key(), a(server_default="x"), n(), sqlite_autoincrement=True))
    for lab, expected in ((alembic, 6), (trueup, 101)):
        lab.sql("INSERT INTO t (a) VALUES ('new')")
        assert lab.value("SELECT max(id) FROM t") == expected


def test_the_autoincrement_counter_of_an_empty_table_survives(lab: Lab) -> None:
    """A table whose rows are all gone still knows which ids it gave."""
    lab.sql(OLD.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT") + ROWS + "DELETE FROM t;")
    changed(lab, t(key(), a(server_default="x"), n(), sqlite_autoincrement=True))
    lab.sql("INSERT INTO t (a) VALUES ('new')")
    assert lab.value("SELECT id FROM t") == 6


def test_conflict_clauses_survive(make_lab: MakeLab) -> None:
    """A constraint that replaces, ignores or fills in still does."""
    script = OLD.replace("n INTEGER", "n INTEGER UNIQUE ON CONFLICT REPLACE") + ROWS
    alembic, trueup = both(make_lab, script)
    batch(alembic, add_extra)
    assert "UNIQUE" in alembic.refusal("INSERT INTO t (id, n) VALUES (50, 1)")
    changed(trueup, t(key(), a(server_default="x"), n(unique=True, sqlite_on_conflict_unique="REPLACE")))
    trueup.sql("INSERT INTO t (id, n) VALUES (50, 1)")
    assert trueup.rows("SELECT id FROM t WHERE n = 1") == [(50,)]


def test_options_of_inline_references_survive(make_lab: MakeLab) -> None:
    """A reference written beside its column keeps its actions, MATCH and DEFERRABLE, also one to the table itself."""
    options = "ON DELETE CASCADE ON UPDATE SET NULL MATCH FULL DEFERRABLE INITIALLY DEFERRED"
    script = OLD.replace("n INTEGER", f"n INTEGER REFERENCES [t] (id) {options}")
    alembic, trueup = both(make_lab, script)
    batch(alembic, add_extra)
    assert "DEFERRABLE" not in alembic.stored("t")
    kw = {"ondelete": "CASCADE", "onupdate": "SET NULL", "match": "FULL", "deferrable": True, "initially": "DEFERRED"}
    changed(trueup, t(key(), a(server_default="x"), n(Integer, ForeignKey("t.id", **kw))))
    assert all(word in trueup.stored("t") for word in ("CASCADE", "SET NULL", "MATCH FULL", "INITIALLY DEFERRED"))


def test_unnamed_checks_survive(make_lab: MakeLab) -> None:
    """A CHECK without a name still refuses what it refused."""
    alembic, trueup = both(make_lab, OLD.replace("n INTEGER", "n INTEGER CHECK (n < 10)") + ROWS)
    batch(alembic, add_extra)
    assert alembic.refusal("INSERT INTO t (id, n) VALUES (50, 10)") == ""
    changed(trueup, t(key(), a(server_default="x"), n(), sa.CheckConstraint("n < 10")))
    assert "CHECK" in trueup.refusal("INSERT INTO t (id, n) VALUES (50, 10)")


def test_unknown_types_survive(make_lab: MakeLab) -> None:
    """A type name that SQLAlchemy does not know stays, and with it how values are stored."""
    script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a MEDIUMBLOB, p POINT, m MONEY, old TEXT NOT NULL);"
    trueup = make_lab("trueup")
    trueup.sql(script + "INSERT INTO t VALUES (1, x'00ff', '1', '2.50', 'o');")
    # the models know nothing of these columns: they are kept, and the table is rebuilt to relax ``old``
    changed(trueup, t(key(), name="t"))
    types = {name: facts[0] for name, facts in trueup.structure()["t"]["columns"].items()}
    assert types == {"id": "INTEGER", "a": "MEDIUMBLOB", "p": "POINT", "m": "MONEY", "old": "TEXT"}
    assert trueup.rows("SELECT a, p, m, old FROM t") == [(b"\x00\xff", 1, 2.5, "o")]


def test_rowids_survive(make_lab: MakeLab) -> None:
    """Rows of a table without an INTEGER PRIMARY KEY keep their rowids, so full-text search finds the right ones."""
    script = """
        CREATE TABLE t (id VARCHAR(9) NOT NULL, a VARCHAR(50), PRIMARY KEY (id));
        INSERT INTO t (rowid, id, a) VALUES (10, 'x', 'hello'), (500, 'y', 'world');
        CREATE VIRTUAL TABLE f USING fts5(a, content='t');
        INSERT INTO f (f) VALUES ('rebuild');
    """
    alembic, trueup = both(make_lab, script)
    query = "SELECT t.id FROM f JOIN t ON t.rowid = f.rowid WHERE f MATCH 'world'"
    batch(alembic, add_extra)
    assert alembic.rows(query) == []
    changed(trueup, t(Column("id", sa.String(9), primary_key=True), a(server_default="x")))
    assert trueup.rows(query) == [("y",)]
    trueup.sql("INSERT INTO f (f) VALUES ('integrity-check')")


@pytest.mark.parametrize("declared", ["INT PRIMARY KEY", "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY DESC"])
def test_a_key_that_is_no_rowid_does_not_become_one(make_lab: MakeLab, declared: str) -> None:
    """Only INTEGER PRIMARY KEY is the rowid; the look-alikes hold NULLs and text, and go on to do so."""
    script = f"CREATE TABLE t (id {declared}, a TEXT, gone TEXT NOT NULL);"
    alembic, trueup = both(make_lab, script + "INSERT INTO t VALUES (NULL, 'null', ''), ('x', 'text', '');")
    if "BIG" not in declared:
        with pytest.raises(sa.exc.IntegrityError):
            batch(alembic, add_extra)
    models = t(Column("id", sa.BigInteger, primary_key=True), Column("a", Text))
    before = trueup.rows("SELECT rowid, id, a FROM t")
    plan = trueup.plan(models, policy=Policy.SAFE, leave_out=_about_the_key(trueup, models))
    assert _apply(trueup, models, plan) is Status.MIGRATED
    assert trueup.rows("SELECT rowid, id, a FROM t") == before
    assert trueup.refusal("INSERT INTO t (id) VALUES (NULL); INSERT INTO t (id) VALUES (NULL)") == ""


def _about_the_key(lab: Lab, models: MetaData) -> list[str]:
    """Everything but the column that left the models, so that the key stays what it is."""
    return [item.change.id for item in lab.plan(models).assessments if item.change.kind != "DropColumn"]


def _apply(lab: Lab, models: MetaData, plan: Plan) -> Status:
    return apply(plan, lab.target(models)).status


def test_generated_columns_survive(make_lab: MakeLab) -> None:
    """Columns generated in either spelling stay generated, and stop nothing."""
    script = (
        """CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER,
        v INTEGER GENERATED ALWAYS AS (n * 2) VIRTUAL, s INTEGER AS(n * 3)STORED);"""
        + ROWS
    )
    alembic, trueup = both(make_lab, script)
    with pytest.raises(sa.exc.OperationalError):
        batch(alembic, add_extra)
    computed = [Column("v", Integer, sa.Computed("n * 2")), Column("s", Integer, sa.Computed("n * 3", persisted=True))]
    changed(trueup, t(key(), a(server_default="x"), n(), *computed))
    trueup.sql("UPDATE t SET n = 7 WHERE id = 1")
    assert trueup.rows("SELECT v, s FROM t WHERE id < 3") == [(14, 21), (4, 6)]


def test_generated_columns_that_the_models_do_not_have_survive(lab: Lab) -> None:
    """A generated column that only the database has is kept as what it is while its table is rebuilt."""
    extra = "g TEXT AS (a || ':' || ')') STORED, h INT GENERATED ALWAYS AS(n+1)"
    lab.sql(OLD.replace("n INTEGER", f"n INTEGER, {extra}") + ROWS)
    changed(lab, NEW)
    lab.sql("UPDATE t SET a = 'A', n = 9 WHERE id = 1")
    assert lab.rows("SELECT g, h FROM t WHERE id = 1") == [("A:)", 10)]


def test_columns_without_a_type_survive(make_lab: MakeLab) -> None:
    """A column without a type stays without one: its values keep the storage classes that they have."""
    script = "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER, x, y DEFAULT 5);"
    alembic, trueup = both(make_lab, script + "INSERT INTO t (id, x) VALUES (1, '1'), (2, 2), (3, 2.5), (4, x'ff');")
    with pytest.raises(Exception, match="NullType"):
        batch(alembic, add_extra)
    before = trueup.content("t", ["id", "x", "y"])
    changed(trueup, NEW)
    assert trueup.content("t", ["id", "x", "y"]) == before


def test_a_column_in_a_named_check_can_be_dropped(make_lab: MakeLab) -> None:
    """A column goes together with the CHECK that is about it."""
    script = OLD.replace("n INTEGER", "n INTEGER, CONSTRAINT ck CHECK (n < 10)") + ROWS
    alembic, trueup = both(make_lab, script)
    with pytest.raises(sa.exc.OperationalError):
        batch(alembic, lambda operation: operation.drop_column("n"))
    changed(trueup, t(key(), a()), policy=Policy.FULL)
    assert trueup.rows("SELECT * FROM t") == [(1, "one"), (2, "two"), (5, None)]
    assert trueup.found(t(key(), a())) == []


# -- values ------------------------------------------------------------------------------------------------------------


def test_a_changed_type_does_not_destroy_values(make_lab: MakeLab) -> None:
    """Dates that were stored as text are the same text under a date type."""
    script = OLD + "INSERT INTO t (id, a) VALUES (1, '2020-01-02 03:04:05'), (2, '2024-01-31');"
    alembic, trueup = both(make_lab, script)
    batch(alembic, lambda operation: operation.alter_column("a", type_=sa.DateTime()))
    assert alembic.rows("SELECT a FROM t") == [(2020,), (2024,)]
    changed(trueup, t(key(), a(sa.DateTime), n()))
    assert trueup.rows("SELECT a FROM t") == [("2020-01-02 03:04:05",), ("2024-01-31",)]


def test_a_type_that_would_change_values_is_not_applied_by_itself(lab: Lab) -> None:
    """Where another type would store other values, a server does not do it; the rows are counted."""
    lab.sql(OLD + "INSERT INTO t (id, a) VALUES (1, '007'), (2, '12abc'), (3, '1e2'), (4, 'x');")
    models = t(key(), a(Integer), n())
    run = lab.migrate(models)
    hazards = [hazard for item in run.plan.assessments for hazard in item.hazards]
    assert [(hazard.rule, hazard.rows) for hazard in hazards] == [("altered-values", 2), ("unfit-values", 2)]
    assert lab.rows("SELECT a FROM t") == [("007",), ("12abc",), ("1e2",), ("x",)]


def test_colons_in_defaults_and_checks_survive(make_lab: MakeLab) -> None:
    """Text with colons is not taken for parameters."""
    rules = """a VARCHAR(50) DEFAULT '{"a":1}' CONSTRAINT ck CHECK (a <> ':abc')"""
    alembic, trueup = both(make_lab, OLD.replace("a VARCHAR(50)", rules) + ROWS)
    batch(alembic, add_extra)
    assert "NULL" in alembic.stored("t").split("DEFAULT")[1]
    default = sa.CheckConstraint(r"a <> '\:abc'", name="ck")
    changed(trueup, t(key(), a(server_default='{"a":1}'), n(server_default="5"), default))
    trueup.sql("INSERT INTO t (id) VALUES (50)")
    assert trueup.rows("SELECT a, n FROM t WHERE id = 50") == [('{"a":1}', 5)]
    assert "CHECK" in trueup.refusal("INSERT INTO t (id, a) VALUES (51, ':abc')")


def test_a_descending_key_survives(lab: Lab) -> None:
    """The order within a composite key stays when something else in the table changes."""
    lab.sql("CREATE TABLE t (x INTEGER NOT NULL, y INTEGER NOT NULL, gone TEXT NOT NULL, PRIMARY KEY (x DESC, y));")
    lab.sql("INSERT INTO t VALUES (1, 1, ''), (1, 2, ''), (2, 1, '')")
    models = t(Column("x", Integer, primary_key=True), Column("y", Integer, primary_key=True))
    plan = lab.plan(models, policy=Policy.SAFE, leave_out=_about_the_key(lab, models))
    assert _apply(lab, models, plan) is Status.MIGRATED
    assert "x DESC" in lab.stored("t")
