"""Whole SQLite schemas: what belongs to them, what does not, and what cannot be read (D14, D15)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.types import UserDefinedType

from trueup import Policy, Status
from trueup.dialects.sqlite.reader import read_schema
from trueup.schema import Schema

if TYPE_CHECKING:
    from ..conftest import Lab

UNREADABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) REFERENCES p ON INSERT CASCADE)"
"""SQLite takes ``ON INSERT`` although its manual does not have it."""


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def read(connection: sqlite3.Connection, script: str) -> Schema:
    connection.executescript(script)
    return read_schema(connection)


def models(length: int = 50, *, other: bool = False) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", String(length)))
    if other:
        Table("u", metadata, Column("id", Integer, primary_key=True))
    return metadata


def test_an_empty_database(connection: sqlite3.Connection) -> None:
    """A database without anything is a schema without anything."""
    assert read_schema(connection) == Schema()


def test_sqlites_own_tables_are_no_tables(connection: sqlite3.Connection) -> None:
    """``sqlite_sequence`` and ``sqlite_stat1`` are bookkeeping, told apart from tables."""
    found = read(connection, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE); ANALYZE;")
    assert ([table.name for table in found.tables], found.internal) == (["t"], ("sqlite_sequence", "sqlite_stat1"))


def test_temporary_objects_are_not_part_of_the_schema(connection: sqlite3.Connection) -> None:
    """What only this connection sees is not in the file, even when it hides a table of the same name."""
    found = read(connection, "CREATE TABLE t (a); CREATE TEMP TABLE t (x, y); CREATE TEMP VIEW v AS SELECT 1;")
    assert [[column.name for column in table.columns] for table in found.tables] == [["a"]]
    assert found.objects == ()


def test_attached_databases_are_not_part_of_the_schema(connection: sqlite3.Connection) -> None:
    """Only the main database is read."""
    found = read(
        connection, "ATTACH ':memory:' AS o; CREATE TABLE t (a); CREATE TABLE o.t (x, y); CREATE TABLE o.u (x);"
    )
    assert [(table.name, len(table.columns)) for table in found.tables] == [("t", 1)]


def test_automatic_indexes_are_no_indexes(connection: sqlite3.Connection) -> None:
    """Indexes that SQLite makes for keys belong to these; only those that somebody created are listed."""
    found = read(connection, "CREATE TABLE t (a PRIMARY KEY, b UNIQUE); CREATE INDEX ix ON t (b);").tables[0]
    assert [index.name for index in found.indexes] == ["ix"]


@pytest.mark.parametrize("module", ["fts5(a)", "fts4(a)", "rtree(id, x0, x1)"])
def test_virtual_tables_and_their_shadows_are_foreign(connection: sqlite3.Connection, module: str) -> None:
    """A virtual table is an object of its own kind, and the tables in which it keeps its data are nobody's."""
    found = read(connection, f"CREATE VIRTUAL TABLE v USING {module}; CREATE TABLE v_mine (a);")
    assert [table.name for table in found.tables] == ["v_mine"]
    assert [(item.kind, item.name) for item in found.objects] == [("virtual", "v")]
    assert "v" in found.foreign
    assert len(found.foreign) > 3


def test_views_and_triggers_are_kept_byte_for_byte(connection: sqlite3.Connection) -> None:
    """The text of views and triggers is as it was written."""
    view = "CREATE VIEW v AS SELECT  a -- why\n FROM t"
    trigger = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT ';' ; END"
    found = read(connection, f"CREATE TABLE t (a); {view}\n; {trigger};")
    assert [(item.kind, item.name, item.table, item.sql.strip()) for item in found.objects] == [
        ("view", "v", "v", view),
        ("trigger", "tr", "t", trigger),
    ]


def test_references_without_columns_mean_the_parents_key(connection: sqlite3.Connection) -> None:
    """A reference that names no columns refers to the primary key, in whatever case the parent is written."""
    found = read(
        connection, "CREATE TABLE p (x, y, PRIMARY KEY (y, x)); CREATE TABLE c (a, b, FOREIGN KEY (a, b) REFERENCES P);"
    )
    assert found.tables[1].foreign_keys[0].referred_columns == ("y", "x")


@pytest.mark.parametrize(
    ("ddl", "nullable"),
    [
        ("id INTEGER PRIMARY KEY", False),
        ("id INTEGER, PRIMARY KEY (id)", False),
        ("id integer PRIMARY KEY ASC", False),
        ("id INT PRIMARY KEY", True),
        ("id INTEGER PRIMARY KEY DESC", True),
        ("id TEXT PRIMARY KEY", True),
        ("id TEXT PRIMARY KEY NOT NULL", False),
    ],
)
def test_a_key_is_not_null_only_where_sqlite_says_so(connection: sqlite3.Connection, ddl: str, nullable: bool) -> None:
    """A rowid is never NULL; any other primary key may be, unless NOT NULL is written."""
    found = read(connection, f"CREATE TABLE t ({ddl});")
    assert found.tables[0].columns[0].nullable is nullable


@pytest.mark.parametrize("options", ["WITHOUT ROWID", "STRICT"])
def test_a_key_is_not_null_in_modern_tables(connection: sqlite3.Connection, options: str) -> None:
    """In STRICT and WITHOUT ROWID tables a primary key is NOT NULL."""
    found = read(connection, f"CREATE TABLE t (id TEXT PRIMARY KEY) {options};")
    assert not found.tables[0].columns[0].nullable


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE u (a)",
        "CREATE INDEX ix ON t (a)",
        "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE t ADD COLUMN b",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
        "DROP TABLE t",
    ],
)
def test_the_fingerprint_moves_with_the_schema(connection: sqlite3.Connection, statement: str) -> None:
    """Every change of the schema changes the fingerprint."""
    before = read(connection, "CREATE TABLE t (a);").fingerprint
    assert read(connection, statement).fingerprint != before


@pytest.mark.parametrize("statement", ["INSERT INTO t VALUES (1, 1)", "ANALYZE", "VACUUM", "PRAGMA user_version = 5"])
def test_the_fingerprint_does_not_move_with_the_data(connection: sqlite3.Connection, statement: str) -> None:
    """Rows, statistics and a tidied file do not change the fingerprint."""
    before = read(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b);").fingerprint
    assert read(connection, statement).fingerprint == before


def test_a_table_with_a_thousand_columns(connection: sqlite3.Connection) -> None:
    """A large table is read like a small one."""
    columns = ", ".join(f"c{number} INTEGER DEFAULT ({number}) CHECK (c{number} <> ',')" for number in range(1000))
    found = read(connection, f"CREATE TABLE t ({columns})")
    assert (len(found.tables[0].columns), found.tables[0].unsupported) == (1000, None)


# -- what cannot be read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ddl", [UNREADABLE, "CREATE TABLE t (a TEXT GENERATED ALWAYS)", "CREATE TABLE t (a, b TEXT GENERATED ALWAYS, c)"]
)
def test_what_cannot_be_read_is_unsupported(connection: sqlite3.Connection, ddl: str) -> None:
    """SQLite accepts more than its manual describes; such a table says so instead of being half understood."""
    found = read(connection, f"CREATE TABLE p (id INTEGER PRIMARY KEY); {ddl};")
    assert found.table("p").unsupported is None
    assert "not understood" in (found.table("t").unsupported or "")


def test_an_unsupported_table_is_shown_and_left_alone(lab: Lab) -> None:
    """A table that cannot be read is no difference but a warning, and stays byte for byte as it is."""
    lab.sql(f"CREATE TABLE p (id INTEGER PRIMARY KEY); {UNREADABLE}; INSERT INTO t VALUES (1, NULL);")
    plan = lab.plan(models(60), policy=Policy.FULL)
    assert (plan.assessments, plan.in_step) == ((), False)
    assert "table t is left alone" in plan.unsupported[0]
    before = lab.dump()
    run = lab.migrate(models(60), policy=Policy.FULL)
    assert (run.status, lab.dump()) == (Status.NEEDS_DECISION, before)


def test_what_is_stored_as_the_models_have_it_need_not_be_understood(lab: Lab) -> None:
    """The same text is in step, whatever it means."""

    class Odd(UserDefinedType[str]):
        def get_col_spec(self) -> str:
            return "TEXT GENERATED ALWAYS"

    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("odd", Odd))
    lab.create(metadata)
    assert lab.plan(metadata).live.tables[0].unsupported
    assert lab.plan(metadata).in_step


def test_a_comparison_in_step_reads_no_text(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where everything is stored as the models have it, no definition is parsed, foreign keys or not."""
    metadata = MetaData()
    Table("p", metadata, Column("id", Integer, primary_key=True))
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("p_id", ForeignKey("p.id"), index=True))
    lab.create(metadata)

    def refuse(self: object, folded: str) -> None:
        raise AssertionError(f"{folded} was read")

    monkeypatch.setattr("trueup.dialects.sqlite.reader._Catalog.read", refuse)
    assert lab.plan(metadata).in_step


def test_a_text_is_read_when_somebody_asks(connection: sqlite3.Connection) -> None:
    """A schema is told without reading what its tables say; asked later, a table still says what was there."""
    found = read(connection, "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE t (x REFERENCES p, UNIQUE (x));").tables
    connection.executescript("DROP TABLE t; DROP TABLE p")
    assert [table.statements for table in found] == [(table.sql,) for table in found]
    assert found[1].foreign_keys[0].referred_columns == ("id",)
    assert replace(found[1], name="other").uniques == found[1].uniques
    with pytest.raises(AttributeError):
        found[1].nothing_of_that_name  # type: ignore[attr-defined]  # noqa: B018


def test_an_unsupported_table_does_not_stop_the_others(lab: Lab) -> None:
    """The rest of the models is migrated beside a table that cannot be read."""
    lab.sql(f"CREATE TABLE p (id INTEGER PRIMARY KEY); {UNREADABLE};")
    run = lab.migrate(models(60, other=True), policy=Policy.FULL)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert (lab.stored("t"), "u" in lab.names()) == (UNREADABLE, True)


def test_an_unsupported_table_is_never_dropped(lab: Lab) -> None:
    """Not even where all tables are said to be the models'."""
    lab.sql(f"CREATE TABLE p (id INTEGER PRIMARY KEY); {UNREADABLE.replace(' t ', ' odd ')};")
    lab.create(models())
    lab.migrate(models(), policy=Policy.FULL, owned_tables=("*",))
    assert "odd" in lab.names()


def test_an_index_that_cannot_be_read_makes_its_table_unsupported(connection: sqlite3.Connection) -> None:
    """A table is left alone when only one of its indexes cannot be read."""
    script = """CREATE TABLE t (a); CREATE INDEX ix ON t (a); PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX ix ON t' WHERE name = 'ix';"""
    assert "one of its indexes is not understood" in (read(connection, script).tables[0].unsupported or "")
