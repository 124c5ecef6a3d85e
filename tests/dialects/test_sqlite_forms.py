"""The form that each change of a table takes, and that the cheap ones lose nothing."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from tests.conftest import Lab
from trueup import Form, Plan, Policy, Status, apply
from trueup.dialects.sqlite.abilities import abilities, try_abilities
from trueup.errors import VerificationFailed

OLD = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(50), n INTEGER);"
ROWS = "INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'two', 2), (5, 'five', 5);"
NOT_NULL = Form.IN_PLACE if abilities().alters_not_null else Form.SCHEMA_EDIT
ADDED_CHECK = Form.IN_PLACE if abilities().adds_checks else Form.SCHEMA_EDIT
DROPPED_CHECK = Form.IN_PLACE if abilities().drops_checks else Form.SCHEMA_EDIT


def models(*items: Any, a: Any = None, n: Any = None, key: Any = None, **kw: Any) -> MetaData:
    """Table t, with other columns where given, and with more of anything."""
    metadata = MetaData()
    columns = (
        Column("id", Integer, primary_key=True) if key is None else key,
        Column("a", String(50)) if a is None else a,
        Column("n", Integer) if n is None else n,
    )
    Table("t", metadata, *columns, *items, **kw)
    return metadata


def forms(lab: Lab, wanted: MetaData, **kw: Any) -> list[Form]:
    """Of every step, in order."""
    return [step.form for step in lab.plan(wanted, policy=Policy.FULL, **kw).steps]


def migrated(lab: Lab, wanted: MetaData, **kw: Any) -> Plan:
    """The plan of a run that brought the database in step, with every check of SQLite's."""
    run = lab.migrate(wanted, policy=Policy.FULL, **kw)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert run.plan is not None
    assert lab.healthy()
    assert lab.plan(wanted).in_step
    return run.plan


# -- the cheapest form -------------------------------------------------------------------------------------------------


def with_default() -> Column[str]:
    return Column("a", String(50), server_default="x")


FORMS: dict[str, tuple[MetaData, list[Form]]] = {
    "a column": (models(Column("x", Text)), [Form.IN_PLACE]),
    "NOT NULL": (models(n=Column("n", Integer, nullable=False)), [NOT_NULL]),
    "a CHECK": (models(CheckConstraint("n > 0", name="k")), [Form.SCHEMA_EDIT]),
    "a CHECK without a name": (models(CheckConstraint("n > 0")), [Form.SCHEMA_EDIT]),
    "a default": (models(a=with_default()), [Form.SCHEMA_EDIT]),
    "a default and NOT NULL": (models(a=with_default(), n=Column("n", Integer, nullable=False)), [Form.SCHEMA_EDIT]),
    "a default and a column": (models(Column("x", Text), a=with_default()), [Form.IN_PLACE, Form.SCHEMA_EDIT]),
    "a default and an index": (models(Index("i", "n"), a=with_default()), [Form.SCHEMA_EDIT, Form.IN_PLACE]),
    "a default and a column less": (
        models(n=Column("m", Integer), a=with_default()),
        [Form.IN_PLACE, Form.IN_PLACE, Form.SCHEMA_EDIT],
    ),
    "a column with an expression as its default": (
        models(Column("x", DateTime, server_default=func.current_timestamp(), nullable=False)),
        [Form.SCHEMA_EDIT],
    ),
    "a NOT NULL column with a value from the models": (
        models(Column("x", Integer, default=7, nullable=False)),
        [Form.SCHEMA_EDIT],
    ),
    "UNIQUE": (models(UniqueConstraint("n")), [Form.REBUILD]),
    "a default and UNIQUE": (models(UniqueConstraint("n"), a=with_default()), [Form.REBUILD]),
    "another affinity": (models(n=Column("n", Float)), [Form.SCHEMA_EDIT, Form.IN_PLACE]),
}


@pytest.mark.parametrize(("wanted", "expected"), FORMS.values(), ids=FORMS)
def test_the_cheapest_form(lab: Lab, wanted: MetaData, expected: list[Form]) -> None:
    """Each change is made in the cheapest form that can make it, and several together in as few steps as possible."""
    lab.sql(OLD + ROWS)
    kept = ", ".join(column.name for column in wanted.tables["t"].columns if column.name in ("id", "a", "n"))
    before = lab.rows(f"SELECT {kept} FROM t")
    assert [step.form for step in migrated(lab, wanted).steps] == expected
    assert lab.rows(f"SELECT {kept} FROM t") == before


@pytest.mark.parametrize(("name", "form"), [("CONSTRAINT k ", DROPPED_CHECK), ("", Form.SCHEMA_EDIT)])
def test_a_check_that_goes(lab: Lab, name: str, form: Form) -> None:
    """A CHECK with a name goes in place where ALTER TABLE has the words for it; one without goes by an edit."""
    lab.sql(OLD.replace("n INTEGER", f"n INTEGER, {name}CHECK (n < 10)") + ROWS)
    assert [step.form for step in migrated(lab, models()).steps] == [form]


def test_a_check_that_is_null_for_some_rows(lab: Lab) -> None:
    """A row for which a CHECK is NULL satisfies it, whatever the form."""
    lab.sql(OLD + ROWS + "INSERT INTO t (id) VALUES (6)")
    migrated(lab, models(CheckConstraint("n > 0", name="k")))
    assert "CHECK" in lab.refusal("INSERT INTO t (n) VALUES (-1)")


def test_the_text_is_that_of_the_models(lab: Lab, make_lab: Any, only_edits: None) -> None:
    """After an edit the stored definition is, to the letter, what create_all would have stored."""
    wanted = models(CheckConstraint("n > 0", name="k"), a=with_default(), n=Column("n", Integer, nullable=False))
    lab.sql(OLD + ROWS)
    migrated(lab, wanted)
    fresh = make_lab("fresh")
    fresh.create(wanted)
    assert lab.stored("t") == fresh.stored("t")


def test_columns_in_another_order(lab: Lab) -> None:
    """A table whose columns lie in another order than the models list them can be edited all the same."""
    lab.sql("CREATE TABLE t (n INTEGER, x TEXT UNIQUE, a VARCHAR(50) UNIQUE, id INTEGER NOT NULL PRIMARY KEY);" + ROWS)
    wanted = models(Column("x", Text, unique=True), a=Column("a", String(60), unique=True))
    assert [step.form for step in migrated(lab, wanted).steps] == [Form.SCHEMA_EDIT]
    assert lab.rows("SELECT * FROM t WHERE a = 'two'") == [(2, None, "two", 2)]


def test_a_name_in_another_case(lab: Lab) -> None:
    """The table keeps the very name that it has."""
    lab.sql(OLD.replace("TABLE t", 'TABLE "T"') + ROWS)
    assert [step.form for step in migrated(lab, models(a=with_default())).steps] == [Form.SCHEMA_EDIT]
    assert lab.names() == ["T", "migration_history"]


def test_many_columns_go_at_once(lab: Lab) -> None:
    """Three columns go in place; where more go, one rebuild writes the rows once instead."""
    extra = ", ".join(f"x{number} TEXT" for number in range(4))
    lab.sql(OLD.replace("n INTEGER", f"n INTEGER, {extra}") + ROWS)
    assert forms(lab, models()) == [Form.REBUILD]
    assert forms(lab, models(Column("x3", Text))) == [Form.IN_PLACE] * 3


def test_a_column_goes_with_its_index(lab: Lab) -> None:
    """An index that goes itself does not keep DROP COLUMN from being used."""
    lab.sql(OLD.replace("n INTEGER", "n INTEGER, x TEXT") + "CREATE INDEX i ON t (x);" + ROWS)
    assert [step.form for step in migrated(lab, models()).steps] == [Form.IN_PLACE] * 2


def test_the_reasons(lab: Lab) -> None:
    """A reviewer is told why a step has its form and no cheaper one."""
    lab.sql(OLD + ROWS)
    edit = lab.plan(models(a=with_default())).steps[0].why
    assert edit == (
        "SQLite has no ALTER TABLE for the default of a column,"
        " but the rows are stored the same way under the new definition"
    )
    rebuild = lab.plan(models(UniqueConstraint("n"))).steps[0].why
    assert rebuild == (
        "SQLite has no ALTER TABLE to add a UNIQUE constraint, and the rows would be stored in another way:"
        " the indexes of its keys and UNIQUE constraints"
    )


# -- a library that cannot ---------------------------------------------------------------------------------------------


def test_abilities_are_found_by_trying() -> None:
    """A connection whose schema table is protected is known as one, whatever its version."""

    def protected() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE TABLE made_early (x)")
        denied = (sqlite3.SQLITE_PRAGMA, "writable_schema")
        connection.set_authorizer(lambda action, name, *_: int((action, name) == denied))
        return connection

    assert abilities().edits_schema
    assert not try_abilities(protected).edits_schema
    assert abilities().alters_not_null == (sqlite3.sqlite_version_info >= (3, 53))
    assert abilities().drops_checks == (sqlite3.sqlite_version_info >= (3, 53))


def test_where_the_schema_is_protected(lab: Lab, only_rebuilds: None) -> None:
    """What would be an edit is planned as a rebuild from the start, and says why."""
    lab.sql(OLD + ROWS)
    steps = migrated(lab, models(a=with_default())).steps
    assert [step.form for step in steps] == [Form.REBUILD]
    assert "this SQLite protects the definitions that it stores" in steps[0].why


# -- values that a row only shows --------------------------------------------------------------------------------------

ADDED_LATER = OLD.replace(", n INTEGER", "") + "INSERT INTO t (id, a) VALUES (1, 'one'), (2, 'two');"
DEFAULTS = {
    "changed": ("DEFAULT 5", "6", 5),
    "removed": ("DEFAULT 5", None, 5),
    "added": ("", "6", None),
    "changed from a string": ("DEFAULT '5'", "6", 5),
    "changed from a negative number": ("DEFAULT -5", "6", -5),
    "changed to an expression": ("DEFAULT 5", func.abs(-6), 5),
}


@pytest.mark.parametrize(("before", "after", "value"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_that_rows_only_show(lab: Lab, before: str, after: Any, value: int | None) -> None:
    """Rows from before ADD COLUMN hold nothing for the column; when its default changes, what they show stays."""
    lab.sql(ADDED_LATER + f"ALTER TABLE t ADD COLUMN n INTEGER {before}; INSERT INTO t VALUES (3, 'three', 3);")
    plan = migrated(lab, models(n=Column("n", Integer, server_default=after)))
    assert [step.form for step in plan.steps] == [Form.SCHEMA_EDIT]
    assert lab.rows("SELECT id, n FROM t") == [(1, value), (2, value), (3, 3)]


def test_a_default_before_another_one_that_rows_only_show(lab: Lab) -> None:
    """The same for the earlier of two columns that were added later."""
    lab.sql(ADDED_LATER + "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 5; ALTER TABLE t ADD COLUMN x TEXT DEFAULT 'x';")
    lab.sql("UPDATE t SET x = 'whole' WHERE id = 1")
    migrated(lab, models(Column("x", Text, server_default="x"), n=Column("n", Integer, server_default="6")))
    assert lab.rows("SELECT id, n, x FROM t") == [(1, 5, "whole"), (2, 5, "x")]


def test_no_update_where_no_row_can_end_early(lab: Lab) -> None:
    """A later column that must have a value shows that every row is whole."""
    lab.sql(OLD.replace("n INTEGER", "n INTEGER NOT NULL") + ROWS)
    plan = migrated(lab, models(a=with_default(), n=Column("n", Integer, nullable=False)))
    assert 'UPDATE "t"' not in plan.script


def test_no_update_under_a_trigger(lab: Lab) -> None:
    """Where the UPDATE would set off somebody's trigger, the table is rebuilt, and the trigger stays quiet."""
    lab.sql(
        OLD + ROWS + "CREATE TABLE log (x); CREATE TRIGGER tr AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (1); END"
    )
    plan = migrated(lab, models(n=Column("n", Integer, server_default="6")))
    assert ([step.form for step in plan.steps], "set off triggers" in plan.steps[0].why) == ([Form.REBUILD], True)
    assert lab.rows("SELECT * FROM log") == []


# -- values that rows get ----------------------------------------------------------------------------------------------


def test_missing_values_are_filled_without_a_rebuild(lab: Lab, tmp_path: Path) -> None:
    """Rows without a value get the decided one, all others keep theirs, and the new column gets its own."""
    lab.sql(OLD + ROWS + "INSERT INTO t (id) VALUES (6), (7)")
    decisions = tmp_path / "trueup.toml"
    decisions.write_text('[[decisions]]\nfill = "t.n"\nsql = "id * 10"\n[[decisions]]\nfill = "t.x"\nsql = "n"\n')
    wanted = models(Column("x", Integer, nullable=False), n=Column("n", Integer, nullable=False))
    lab.sql("UPDATE t SET n = 8 WHERE id = 7")
    plan = migrated(lab, models(n=Column("n", Integer, nullable=False)), decisions=decisions)
    assert [step.form for step in plan.steps] == [Form.SCHEMA_EDIT]
    assert lab.rows("SELECT id, n FROM t") == [(1, 1), (2, 2), (5, 5), (6, 60), (7, 8)]
    assert [step.form for step in migrated(lab, wanted, decisions=decisions).steps] == [Form.SCHEMA_EDIT]
    assert lab.rows("SELECT id, x FROM t") == [(1, 1), (2, 2), (5, 5), (6, 60), (7, 8)]


def test_values_that_a_rule_on_its_way_out_refuses(lab: Lab, tmp_path: Path) -> None:
    """Where an UPDATE would have to satisfy a CHECK that goes, the table is rebuilt under the new rules."""
    lab.sql(OLD.replace("n INTEGER", "n INTEGER, CHECK (n < 10)") + ROWS + "INSERT INTO t (id) VALUES (6)")
    decisions = tmp_path / "trueup.toml"
    decisions.write_text('[[decisions]]\nfill = "t.n"\nvalue = 70\n')
    plan = migrated(lab, models(n=Column("n", Integer, nullable=False)), decisions=decisions)
    assert [step.form for step in plan.steps] == [Form.REBUILD]
    assert lab.value("SELECT n FROM t WHERE id = 6") == 70


# -- proofs ------------------------------------------------------------------------------------------------------------

PARENT = "CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY); INSERT INTO p VALUES (1), (2), (5);"


def with_parent() -> MetaData:
    metadata = models(n=Column("n", Integer, ForeignKey("p.id")))
    Table("p", metadata, Column("id", Integer, primary_key=True))
    return metadata


def strict() -> MetaData:
    return models(a=Column("a", Text), sqlite_strict=True)


PROOFS: dict[str, tuple[str, MetaData, str, str]] = {
    "NOT NULL": (OLD, models(a=Column("a", String(50), nullable=False)), "(9, NULL, 9)", "no row of t has NULL in a"),
    "CHECK": (OLD, models(CheckConstraint("n < 9", name="k")), "(9, '', 9)", "every row of t satisfies CHECK (n < 9)"),
    "FOREIGN KEY": (OLD + PARENT, with_parent(), "(9, '', 9)", "every n of t is in p"),
    "STRICT": (
        OLD.replace("VARCHAR(50)", "TEXT"),
        strict(),
        "(9, x'00', 9)",
        "every value of t is of the type that STRICT demands",
    ),
}


@pytest.mark.parametrize(("script", "wanted", "row", "sentence"), PROOFS.values(), ids=PROOFS)
def test_a_rule_is_proved_again(
    lab: Lab, only_edits: None, script: str, wanted: MetaData, row: str, sentence: str
) -> None:
    """A row that appears between plan and run and breaks a new rule rolls everything back, with the reason."""
    lab.sql(script + ROWS)
    plan = lab.plan(wanted)
    assert [step.form for step in plan.steps] == [Form.SCHEMA_EDIT]
    lab.sql(f"INSERT INTO t (id, a, n) VALUES {row}", foreign_keys=False)
    before = lab.dump()
    run = apply(plan, lab.target(wanted))
    assert isinstance(run.error, VerificationFailed)
    assert sentence in str(run.error)
    assert lab.dump() == before
    lab.sql("DELETE FROM t WHERE id = 9")
    assert sentence in migrated(lab, wanted).steps[0].statements[0].proves


# -- other connections -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_open_connections_see_the_new_schema(lab: Lab, only_edits: None, journal_mode: str) -> None:
    """Connections that were open all the time, with statements prepared, live by the new rules after the run."""
    lab.sql(f"PRAGMA journal_mode = {journal_mode};" + OLD + ROWS)
    with closing(sqlite3.connect(lab.path)) as reader, closing(sqlite3.connect(lab.path)) as writer:
        read, write = "SELECT a FROM t WHERE id = 20", "INSERT INTO t (id, n) VALUES (?, ?)"
        assert reader.execute(read).fetchall() == []
        writer.execute(write, (10, -1))
        writer.rollback()
        migrated(lab, models(CheckConstraint("n > 0", name="k"), a=with_default()))
        with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed: k"):
            writer.execute(write, (11, -1))
        writer.execute(write, (20, 1))
        writer.commit()
        assert reader.execute(read).fetchall() == [("x",)]
        assert [row[1] for row in reader.execute("PRAGMA table_info(t)")] == ["id", "a", "n"]


def test_a_writer_that_never_stops(lab: Lab, only_edits: None) -> None:
    """A thread that writes all the time loses no row, and obeys the new rule from the commit on."""
    lab.sql("PRAGMA journal_mode = WAL;" + OLD)
    stop, refused, written = threading.Event(), threading.Event(), []

    def write() -> None:
        with closing(sqlite3.connect(lab.path, timeout=30)) as connection:
            for number in range(1, 1_000_000):
                try:
                    connection.execute("INSERT INTO t (id, n) VALUES (?, ?)", (number, number))
                    connection.execute("INSERT INTO t (id, n) VALUES (?, -1)", (-number,))
                    connection.rollback()
                except sqlite3.IntegrityError:
                    connection.rollback()
                    refused.set()
                connection.execute("INSERT INTO t (id, n) VALUES (?, ?)", (number, number))
                connection.commit()
                written.append(number)
                if stop.is_set():
                    return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert lab.migrate(models(CheckConstraint("n > 0", name="k"))).success
        assert refused.wait(30)
    finally:
        stop.set()
        thread.join()
    assert [number for (number,) in lab.rows("SELECT n FROM t")] == written
    assert lab.healthy()


def test_the_same_connection_lives_by_what_it_wrote(lab: Lab) -> None:
    """What a later step does, such as an index on a column that the edit completed, sees the edited definition."""
    lab.sql(OLD + ROWS)
    wanted = models(Column("x", Integer, default=7, nullable=False), Index("i", "x"), a=with_default())
    migrated(lab, wanted)
    assert lab.refusal("INSERT INTO t (id) VALUES (50)") == "NOT NULL constraint failed: t.x"


def test_somebodys_view_with_the_name_of_the_marker(lab: Lab) -> None:
    """A view that has the very name of the one that comes and goes with an edit is left alone."""
    lab.sql(OLD + ROWS + "CREATE VIEW _trueup_edited AS SELECT 7 AS theirs")
    migrated(lab, models(a=with_default()))
    assert lab.rows("SELECT theirs FROM _trueup_edited") == [(7,)]


def test_looking_cannot_edit(lab: Lab) -> None:
    """The connection that plans cannot open the schema table for writing, nor set anything that stays."""
    from trueup.errors import DatabaseUnreadable

    lab.sql(OLD)
    connection = lab.target(models()).dialect().connect(write=False, timeout=1.0)
    try:
        for statement in ("PRAGMA writable_schema = ON", "PRAGMA schema_version = 7", "PRAGMA user_version = 7"):
            with pytest.raises((sqlite3.DatabaseError, DatabaseUnreadable), match="not authorized"):
                connection.rows(statement)
        assert connection.rows("PRAGMA schema_version") == [(1,)]
    finally:
        connection.close()


def wide(*items: Any, kind: Any = Text) -> MetaData:
    """More columns than SQLite lets conditions follow one another."""
    columns = [Column(f"c{number}", kind) for number in range(1100)]
    return models(*columns, *items)


@pytest.mark.parametrize(
    ("wanted", "form"),
    [
        (wide(UniqueConstraint("id", "c1")), Form.REBUILD),
        (wide(kind=Integer), Form.SCHEMA_EDIT),
    ],
    ids=["copied", "stored anew"],
)
def test_a_table_with_very_many_columns(lab: Lab, wanted: MetaData, form: Form) -> None:
    """What is proved of each column is proved of a thousand and more: a table may have 2000."""
    lab.create(wide())
    lab.sql("INSERT INTO t (id, a, c0, c1099) VALUES (1, 'one', '1', '2'), (2, NULL, NULL, '3')")
    found = migrated(lab, wanted)
    assert found.steps[0].form is form
    assert [tuple(map(str, row)) for row in lab.rows("SELECT id, a, c0, c1099 FROM t")] == [
        ("1", "one", "1", "2"),
        ("2", "None", "None", "3"),
    ]
