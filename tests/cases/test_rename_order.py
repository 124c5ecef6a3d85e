"""Renames of every kind end in step, with every value under its new name."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.sql import text

from trueup import Backfill, Drop, Keep, Policy, Rename, Status, Verdict, apply, find_backup, restore
from trueup.changes import RenameColumn, RenameTable

if TYPE_CHECKING:
    from pathlib import Path

    from trueup import Plan

    from ..conftest import Lab


def table(name: str, *parts: Any, metadata: MetaData | None = None) -> MetaData:
    """Models with a table that has an ``id`` and these parts, besides what the metadata holds already."""
    metadata = metadata if metadata is not None else MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True), *parts)
    return metadata


def column(name: str, to: str, of: str = "t") -> Rename:
    return Rename(table=of, column=name, to=to)


def moved(lab: Lab, models: MetaData, *decisions: Any, policy: Policy = Policy.FULL, **settings: Any) -> Plan:
    """Carry the plan out; it ends in step, and a second look with the same decisions finds nothing."""
    found = lab.plan(models, decisions=decisions, policy=policy, **settings)
    assert [item.reason for item in found.blocked] == []
    run = apply(found, lab.target(models, **settings))
    assert (run.status, run.error) == (Status.MIGRATED, None)
    again = lab.plan(models, decisions=decisions, policy=policy, **settings)
    assert ([item.change.sentence for item in again.assessments], again.steps) == ([], ())
    assert lab.healthy()
    return found


# -- names that are handed on ------------------------------------------------------------------------------------------


def test_two_columns_swap_their_names(lab: Lab) -> None:
    """Through a free name for a moment, in one step; the same decisions do not swap them back in the next run."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a INTEGER, b TEXT, UNIQUE (a))")
    lab.sql("INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')")
    models = table("t", Column("a", Text), Column("b", Integer, unique=True))
    found = moved(lab, models, column("a", "b"), column("b", "a"))
    assert [step.sentence for step in found.steps] == ["rename column t.a to b; rename column t.b to a"]
    assert lab.rows("SELECT id, a, b FROM t ORDER BY id") == [(1, "x", 10), (2, "y", 20)]


def test_two_columns_that_are_alike_are_not_swapped(lab: Lab) -> None:
    """Where nothing shows whether it was done already, a new database would be swapped wrongly: it is told instead."""
    models = table("t", Column("a", Text), Column("b", Text))
    lab.create(models)
    lab.sql("INSERT INTO t VALUES (1, 'a', 'b')")
    found = lab.plan(models, decisions=[column("a", "b"), column("b", "a")])
    assert (found.steps, found.in_step) == ((), True)
    assert "whether the names of t.a and t.b were exchanged already, so nothing is done" in found.warnings[0]


def test_two_tables_swap_their_names(lab: Lab) -> None:
    """Rows, indexes and the foreign keys of others go with the tables."""
    lab.sql(
        "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX ix_x ON a (x);"
        "CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, y TEXT);"
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, a_id INTEGER REFERENCES a (id));"
        "INSERT INTO a VALUES (7, 'ax'); INSERT INTO b VALUES (1, 'by'); INSERT INTO c VALUES (1, 7)"
    )
    models = table("a", Column("y", Text))
    table("b", Column("x", Text, index=False), Index("ix_x", "x"), metadata=models)
    table("c", Column("a_id", ForeignKey("b.id")), metadata=models)
    moved(lab, models, Rename(table="a", to="b"), Rename(table="b", to="a"))
    assert (lab.rows("SELECT * FROM a"), lab.rows("SELECT * FROM b")) == ([(1, "by")], [(7, "ax")])
    assert lab.value("SELECT x FROM c JOIN b ON b.id = a_id") == "ax"


def test_three_columns_go_round(lab: Lab) -> None:
    """A circle of any length."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a INTEGER, b TEXT, c DATE)")
    lab.sql("INSERT INTO t VALUES (1, 10, 'x', '2020-01-01')")
    models = table("t", Column("b", Integer), Column("c", Text), Column("a", Date))
    moved(lab, models, column("a", "b"), column("b", "c"), column("c", "a"))
    assert lab.rows("SELECT b, c, a FROM t") == [(10, "x", "2020-01-01")]


def test_a_chain_of_columns(lab: Lab) -> None:
    """``a`` becomes ``b`` while ``b`` becomes ``c``, in whatever order they were decided."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT, b TEXT)")
    lab.sql("INSERT INTO t VALUES (1, 'was a', 'was b')")
    models = table("t", Column("b", Text), Column("c", Text))
    moved(lab, models, column("a", "b"), column("b", "c"))
    assert lab.rows("SELECT b, c FROM t") == [("was a", "was b")]


def test_a_chain_of_tables(lab: Lab) -> None:
    """The same for tables."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); INSERT INTO a VALUES (1, 'was a');")
    lab.sql("CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, x TEXT); INSERT INTO b VALUES (1, 'was b');")
    models = table("b", Column("x", Text))
    table("c", Column("x", Text), metadata=models)
    moved(lab, models, Rename(table="a", to="b"), Rename(table="b", to="c"))
    assert (lab.value("SELECT x FROM b"), lab.value("SELECT x FROM c")) == ("was a", "was b")


def test_the_old_name_goes_to_something_new(lab: Lab) -> None:
    """A table and a column are renamed, and the models give their old names to others, which start empty."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, name TEXT); INSERT INTO a VALUES (1, 'Ada');")
    models = table("b", Column("full_name", Text), Column("name", Text))
    table("a", Column("x", Integer), metadata=models)
    moved(lab, models, Rename(table="a", to="b"), column("name", "full_name", of="b"))
    assert lab.rows("SELECT full_name, name FROM b") == [("Ada", None)]
    assert lab.rows("SELECT * FROM a") == []


def test_a_rename_that_was_made_is_not_made_again(lab: Lab) -> None:
    """The name that was given up belongs to something new since; the old decision does not take it away."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT)")
    lab.sql("INSERT INTO t VALUES (1, 'first')")
    moved(lab, table("t", Column("a", Text), Column("b", Text)), column("a", "b"))
    lab.sql("UPDATE t SET a = 'new'")
    moved(lab, table("t", Column("a", Text)), column("a", "b"), Drop(table="t", column="b"))
    moved(lab, table("t", Column("a", Text), Column("b", Text)), column("a", "b"))
    assert lab.rows("SELECT a, b FROM t") == [("new", None)]


def test_a_rename_that_a_restore_took_back_is_made_again(lab: Lab) -> None:
    """The history of a restored database tells of runs that came after its backup; what they did is not there."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'a')")
    models = table("t", Column("a", Text), Column("b", Text))
    moved(lab, models, column("a", "b"))
    restore(find_backup(lab.target(models), "latest"), lab.target(models))
    assert lab.rows("SELECT a FROM t") == [("a",)]
    moved(lab, models, column("a", "b"))
    assert lab.rows("SELECT a, b FROM t") == [(None, "a")]


# -- a name that is taken ----------------------------------------------------------------------------------------------


def both(lab: Lab) -> MetaData:
    """A database that has the old and the new name of a column, as after a run without the rename."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT NOT NULL, b TEXT)")
    lab.sql("CREATE INDEX ix_b ON t (b); CREATE VIEW v AS SELECT a FROM t")
    lab.sql("INSERT INTO t VALUES (1, 'from a', NULL), (2, 'from a', 'from b')")
    return table("t", Column("b", Text, nullable=False), Index("ix_b", "b"))


@pytest.mark.parametrize("policy", [Policy.ADDITIVE, Policy.SAFE, Policy.FULL])
def test_the_new_name_is_taken(lab: Lab, policy: Policy) -> None:
    """Nothing is done before somebody said what becomes of the one that has it."""
    models, before = both(lab), lab.dump()
    found = lab.plan(models, decisions=[column("a", "b")], policy=policy)
    blocked = next(item for item in found.blocked if item.change.id == "drop column t.a")
    assert blocked.reason == "it was decided to rename it to b, but the database has t.b as well"
    assert blocked.remedy == 'decide: drop = "t.b" so that a takes its name, or drop = "t.a", or keep = "t.a"'
    assert apply(found, lab.target(models)).status is Status.NEEDS_DECISION
    assert lab.dump() == before


def test_onto_the_name_of_a_column_that_is_dropped(lab: Lab) -> None:
    """The old ``b`` is set aside and dropped; the index goes to the one that has its name now."""
    models = both(lab)
    found = moved(lab, models, column("a", "b"), Drop(table="t", column="b"))
    assert "drop column t._trueup_old_b" in [item.change.id for item in found.assessments]
    assert lab.rows("SELECT id, b FROM t") == [(1, "from a"), (2, "from a")]
    assert lab.rows("SELECT * FROM v") == [("from a",), ("from a",)]


def test_onto_the_name_of_a_table_that_is_dropped(lab: Lab) -> None:
    """The foreign keys of others hold afterwards, to rows of the table that has the name now."""
    lab.sql(
        "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX ix_a ON a (x);"
        "CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX ix_b ON b (x);"
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, b_id INTEGER, FOREIGN KEY(b_id) REFERENCES b (id));"
        "INSERT INTO a VALUES (1, 'a'), (2, 'a'); INSERT INTO b VALUES (1, 'b'); INSERT INTO c VALUES (1, 1)"
    )
    models = table("b", Column("x", Text), Index("ix_b", "x"))
    table("c", Column("b_id", ForeignKey("b.id")), metadata=models)
    moved(lab, models, Rename(table="a", to="b"), Drop(table="b"))
    assert lab.rows("SELECT x FROM b") == [("a",), ("a",)]
    assert lab.names() == ["b", "c", "migration_history"]


def test_rows_that_would_point_to_nothing(lab: Lab) -> None:
    """Where the other table lacks rows that a foreign key needs, nothing is done."""
    lab.sql(
        "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY); CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY);"
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, b_id INTEGER, FOREIGN KEY(b_id) REFERENCES b (id));"
        "INSERT INTO b VALUES (1); INSERT INTO c VALUES (1, 1)"
    )
    models = table("b")
    table("c", Column("b_id", ForeignKey("b.id")), metadata=models)
    found = lab.plan(models, decisions=[Rename(table="a", to="b"), Drop(table="b")])
    assert [item.reason for item in found.blocked] == [
        "1 row in c points through (b_id) to nothing in b",
        "1 row in c would point through (b_id) to nothing",
    ]


def test_keep_next_to_the_new_name(lab: Lab) -> None:
    """``keep`` says that the old one is no predecessor: both stay."""
    models = both(lab)
    lab.sql("UPDATE t SET b = 'b'")
    found = lab.plan(models, decisions=[Keep(table="t", column="a")], policy=Policy.FULL)
    assert apply(found, lab.target(models)).status is Status.MIGRATED
    assert lab.rows("SELECT a, b FROM t") == [("from a", "b"), ("from a", "b")]


def test_a_view_has_the_new_name(lab: Lab) -> None:
    """SQLite keeps tables, views and indexes in one drawer: what is in the way is named."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY); INSERT INTO a VALUES (1)")
    lab.sql(
        "CREATE VIEW b AS SELECT id FROM a; CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY); CREATE INDEX d ON c (id)"
    )
    for new, thing in (("b", "the view b"), ("d", "an index of c")):
        found = lab.plan(table(new), decisions=[Rename(table="a", to=new)]).blocked
        blocked = next(item for item in found if item.change.id == "drop table a")
        assert blocked.reason == f"it was decided to rename it to {new}, but {thing} has that name"
        assert blocked.remedy == f'drop or rename {thing} first, or decide: drop = "a", or keep = "a"'


def test_a_view_in_the_way_of_a_new_table(lab: Lab) -> None:
    """A view that has all columns is what the models read from; another one stands in the way, and that is told."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE VIEW b AS SELECT id, x FROM a")
    assert lab.plan(table("b", Column("x", Text))).in_step
    found = lab.plan(table("b", Column("x", Text), Column("y", Text)))
    assert found.unsupported == ("table b is not made: in the database a view has its name, without y",)
    assert not found.in_step
    lab.sql("DROP TABLE a")
    assert "without id, x" in lab.plan(table("b", Column("x", Text))).unsupported[0]


def test_a_table_takes_the_name_of_a_view_that_was_dropped(lab: Lab) -> None:
    """Once the view is gone, nothing is in the way."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY); CREATE VIEW b AS SELECT id FROM a; DROP VIEW b")
    lab.sql("INSERT INTO a VALUES (1)")
    moved(lab, table("b"), Rename(table="a", to="b"))
    assert lab.rows("SELECT id FROM b") == [(1,)]


def test_a_collation_or_function_of_the_application(lab: Lab) -> None:
    """SQLite looks at every index to rename a column; what only the application knows does not stop it."""
    with closing(sqlite3.connect(lab.path)) as connection:
        connection.create_collation("theirs", lambda one, other: (one > other) - (one < other))
        connection.create_function("own", 1, str, deterministic=True)
        connection.execute("CREATE TABLE other (x TEXT COLLATE theirs)")
        connection.execute("CREATE INDEX ix ON other (x)")
        connection.execute("CREATE INDEX ix_own ON other (own(x))")
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'a')")
    models = table("u", Column("b", Text))
    answers = (Rename(table="t", to="u"), column("a", "b", of="u"))
    assert apply(lab.plan(models, decisions=answers), lab.target(models)).error is None
    assert lab.rows("SELECT b FROM u") == [("a",)]


# -- a rename together with other changes ------------------------------------------------------------------------------


def test_rename_retype_and_fill_at_once(lab: Lab) -> None:
    """The table moves under another name, its column is renamed, gets another type and NOT NULL, and NULLs a value."""
    lab.sql(
        "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, n VARCHAR(10), gone TEXT);"
        "INSERT INTO a VALUES (1, '10', 'x'), (2, NULL, 'y')"
    )
    models = table("b", Column("amount", Integer, nullable=False), Column("new", Float, server_default="1.5"))
    answers = (Rename(table="a", to="b"), column("n", "amount", of="b"), Backfill(table="b", column="amount", value=0))
    moved(lab, models, *answers)
    assert lab.rows("SELECT id, amount, new FROM b ORDER BY id") == [(1, 10, 1.5), (2, 0, 1.5)]


def test_everything_that_mentions_the_column_follows(lab: Lab) -> None:
    """Generated columns, partial and expression indexes, CHECKs, views, triggers and foreign keys of others."""
    lab.sql(
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, n INTEGER,"
        " twice INTEGER GENERATED ALWAYS AS (n * 2) VIRTUAL, CHECK (n > 0), UNIQUE (n));"
        "CREATE INDEX ix_part ON t (id) WHERE n > 5; CREATE INDEX ix_expr ON t (abs(n));"
        "CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, t_n INTEGER, FOREIGN KEY(t_n) REFERENCES t (n));"
        "CREATE TABLE log (x); CREATE VIEW v AS SELECT n FROM t;"
        "CREATE TRIGGER tr AFTER UPDATE OF n ON t BEGIN INSERT INTO log VALUES (new.n); END;"
        "INSERT INTO t (id, n) VALUES (1, 10); INSERT INTO c VALUES (1, 10)"
    )
    models = table(
        "t",
        Column("m", Integer, unique=True),
        Column("twice", Integer, Computed("m * 2", persisted=False)),
        CheckConstraint("m > 0"),
        Index("ix_part", "id", sqlite_where=text("m > 5")),
        Index("ix_expr", text("abs(m)")),
    )
    table("c", Column("t_n", ForeignKey("t.m")), metadata=models)
    moved(lab, models, column("n", "m"))
    lab.sql("UPDATE c SET t_n = NULL; UPDATE t SET m = 11")
    assert lab.rows("SELECT m, twice FROM t") == [(11, 22)]
    assert (lab.rows("SELECT * FROM v"), lab.rows("SELECT * FROM log")) == ([(11,)], [(11,)])
    assert "CHECK" in lab.refusal("UPDATE t SET m = -1")


def test_only_the_case_changes(lab: Lab) -> None:
    """``Name`` and ``name`` are one name to SQL; who wants the other spelling stored decides it, and gets it."""
    lab.sql("CREATE TABLE T (id INTEGER NOT NULL PRIMARY KEY, Name TEXT); INSERT INTO T VALUES (1, 'Ada')")
    models = table("t", Column("name", Text))
    assert lab.found(models) == []
    moved(lab, models, Rename(table="T", to="t"), column("Name", "name"))
    assert "CREATE TABLE" in lab.stored("t")
    assert "name TEXT" in lab.stored("t").replace('"', "")


def test_names_of_indexes_that_swap(lab: Lab) -> None:
    """Index names are global in SQLite: two tables exchange theirs, one of them by a rebuild."""
    lab.sql(
        "CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX one ON a (x);"
        "CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX two ON b (x);"
        "INSERT INTO a VALUES (1, 'a'); INSERT INTO b VALUES (1, 'b')"
    )
    models = table("a", Column("x", Text), Index("two", "x"), CheckConstraint("id > 0"))
    table("b", Column("x", Text), Index("one", "x"), metadata=models)
    moved(lab, models, policy=Policy.SAFE)
    assert lab.rows("SELECT tbl_name FROM sqlite_schema WHERE name IN ('one', 'two') ORDER BY name") == [("b",), ("a",)]


def test_names_of_constraints_that_swap(lab: Lab) -> None:
    """Unique constraints of a table exchange their names."""
    lab.create(table("t", Column("a", Text), Column("b", Text), *uniques("a", "b")))
    lab.sql("INSERT INTO t VALUES (1, 'a', 'b')")
    moved(lab, table("t", Column("a", Text), Column("b", Text), *uniques("b", "a")))
    assert lab.rows("SELECT * FROM t") == [(1, "a", "b")]


def uniques(one: str, two: str) -> list[UniqueConstraint]:
    return [UniqueConstraint(one, name="one"), UniqueConstraint(two, name="two")]


def test_a_table_takes_the_name_of_an_index_that_left(lab: Lab) -> None:
    """An index that left the models gives its name up, whatever the policy keeps."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); CREATE INDEX b ON a (x)")
    models = table("a", Column("x", Text))
    table("b", metadata=models)
    moved(lab, models, policy=Policy.SAFE)
    assert lab.names() == ["a", "b", "migration_history"]


def test_foreign_keys_in_a_circle(lab: Lab) -> None:
    """New and altered tables that point to one another, and to themselves."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY); INSERT INTO a VALUES (1)")
    models = table("a", Column("b_id", ForeignKey("b.id")), Column("a_id", ForeignKey("a.id")))
    table("b", Column("c_id", ForeignKey("c.id")), metadata=models)
    table("c", Column("a_id", ForeignKey("a.id")), Column("x", String(5)), metadata=models)
    moved(lab, models, policy=Policy.ADDITIVE)


def test_an_index_of_a_foreign_table_has_the_name(lab: Lab) -> None:
    """An index of a table that the models do not know is left alone; that it stands in the way is told."""
    lab.sql("CREATE TABLE other (x TEXT); CREATE INDEX b ON other (x); CREATE INDEX ix ON other (x)")
    models = table("b")
    table("c", Column("x", Text), Index("ix", "x"), metadata=models)
    assert [item.reason for item in lab.plan(models).blocked] == [
        "an index of table other has the name b",
        "an index of table other has the name ix",
    ]


def test_a_column_of_a_key_that_cannot_change_is_not_dropped(lab: Lab) -> None:
    """While duplicates block the new primary key, the old key's column stays as well: the plan can still be shown."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (id))")
    lab.sql("INSERT INTO t VALUES (1, 'same'), (2, 'same')")
    models = MetaData()
    Table("t", models, Column("name", Text, primary_key=True))
    found = lab.plan(models, policy=Policy.FULL)
    assert {item.change.id for item in found.blocked} == {"change primary key t", "drop column t.id"}
    assert "it needs: change primary key t" in {
        item.reason.partition(":  ")[0].split(": (")[0] for item in found.blocked
    }


# -- what no rename can carry ------------------------------------------------------------------------------------------


def test_a_column_becomes_a_table(lab: Lab) -> None:
    """Values do not move between tables: the column stays under ``safe``, and ``full`` says how many would go."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, address TEXT); INSERT INTO t VALUES (1, 'x')")
    models = table("t")
    table("address", Column("t_id", ForeignKey("t.id")), Column("address", Text), metadata=models)
    kept = lab.plan(models, policy=Policy.SAFE)
    assert [(item.change.id, item.verdict) for item in kept.assessments] == [
        ("drop column t.address", Verdict.RETIRE),
        ("add table address", Verdict.APPLY),
    ]
    assert "deletes the values of 1 row in t.address" in " ".join(lab.plan(models, policy=Policy.FULL).warnings)


# -- policies ----------------------------------------------------------------------------------------------------------


def test_a_decided_rename_under_each_policy(lab: Lab) -> None:
    """It was decided, so ``additive`` makes it too; ``check`` shows it as one difference and does nothing."""
    lab.sql("CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, x TEXT); INSERT INTO a VALUES (1, 'x')")
    models, answers = table("b", Column("y", Text)), (Rename(table="a", to="b"), column("x", "y", of="b"))
    checked = lab.plan(models, decisions=answers, policy=Policy.CHECK)
    assert [type(item.change) for item in checked.assessments] == [RenameTable, RenameColumn]
    assert checked.steps == ()
    moved(lab, models, *answers, policy=Policy.ADDITIVE)
    assert lab.rows("SELECT y FROM b") == [("x",)]


def test_the_command_line_shows_a_decided_rename_as_one_line(lab: Lab, tmp_path: Path) -> None:
    """``--check`` prints it as one difference, and ``--auto`` makes it."""
    lab.sql("CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'x')")
    (tmp_path / "models.py").write_text(
        "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n"
        "class Base(DeclarativeBase): pass\n"
        "class T(Base):\n"
        "    __tablename__ = 't'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    y: Mapped[str | None]\n"
    )
    (tmp_path / "trueup.toml").write_text('[[decisions]]\nrename = "t.x"\nto = "y"\n')
    command = [sys.executable, "-m", "trueup", "--url", lab.url, "--models", "models.py:Base"]
    checked = subprocess.run([*command, "--check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert [line.strip() for line in checked.stdout.splitlines() if "rename" in line] == ["» rename column t.x to y"]
    assert subprocess.run([*command, "--auto"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert lab.rows("SELECT y FROM t") == [("x",)]
