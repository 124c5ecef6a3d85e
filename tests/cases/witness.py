"""What is in a database, seen with nothing but Python's ``sqlite3``: trueup is not asked about its own work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..conftest import Row, quote
from .descriptions import Described, value_columns
from .generators import Content, Value

if TYPE_CHECKING:
    from ..conftest import Lab

OTHERS = {
    "view": "CREATE VIEW v AS SELECT * FROM {0};",
    "view of all": "CREATE VIEW named AS SELECT {1}, count(*) FROM {0} GROUP BY {1};",
    "trigger": "CREATE TRIGGER tr AFTER INSERT ON {0} BEGIN INSERT INTO log VALUES (new.id); END;",
    "trigger elsewhere": "CREATE TRIGGER tr2 AFTER DELETE ON log BEGIN UPDATE {0} SET {1} = {1} WHERE id = old.x; END;",
    "instead": "CREATE VIEW w AS SELECT id FROM {0};"
    " CREATE TRIGGER tr3 INSTEAD OF DELETE ON w BEGIN DELETE FROM {0} WHERE id = old.id; END;",
    "child": "CREATE TABLE child (x REFERENCES {0} ON DELETE CASCADE); INSERT INTO child VALUES (1), (7), (NULL);",
    "search": "CREATE VIRTUAL TABLE search USING fts5(body); INSERT INTO search VALUES ('some words');",
}
"""For each of the generators' words what other people have put beside the first table and its last column."""


def build(lab: Lab, described: Described, content: Content) -> None:
    """The database as the application and other people left it: a row that it refuses is not there."""
    lab.create(described.metadata())
    with closing(sqlite3.connect(lab.path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for table, row in rows_of(described, content):
            insert(connection, table, row)
        connection.execute("CREATE TABLE log (x)")
        first = described.tables[0]
        last = value_columns(first)[-1][0]
        script = "".join(OTHERS[item] for item in content.around).format(quote(first.name), quote(last))
        connection.execute("COMMIT")
        connection.executescript(script)


def rows_of(described: Described, content: Content) -> Iterator[tuple[str, dict[str, Value]]]:
    """Each row with its table, as values by column."""
    for table in described.tables:
        names = [name for name, _ in value_columns(table)]
        for row in content.rows.get(table.name, ()):
            yield table.name, dict(zip(names, row, strict=True))


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Value]) -> bool:
    """Whether the database took the row."""
    names, marks = ", ".join(map(quote, row)), ", ".join("?" * len(row))
    try:
        connection.execute(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", tuple(row.values()))
    except sqlite3.Error:
        return False
    return True


# -- what is there -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What a table holds."""

    types: dict[str, str]
    """Declared types of the columns that hold values of their own, by their names in lower case."""
    required: frozenset[str]
    """Those that are NOT NULL."""
    rowids: str
    """``hidden``, ``id`` where a column is the rowid, or nothing."""
    rows: dict[Any, dict[str, Value]]
    """By rowid, or just numbered where there is none."""
    strict: bool


def look(path: Path) -> dict[str, Held]:
    """Every ordinary table's rows, by the table's name in lower case."""
    listed = "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    with closing(sqlite3.connect(path)) as connection:
        return {
            name.lower(): _held(connection, name, bool(without_rowid), bool(strict))
            for name, without_rowid, strict in connection.execute(listed).fetchall()
            if not name.startswith("sqlite_") and name != "migration_history"
        }


def _held(connection: sqlite3.Connection, table: str, without_rowid: bool, strict: bool) -> Held:
    listed = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)'
    described = connection.execute(listed, (table,)).fetchall()
    taken = {row[0].lower() for row in described}
    hidden = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    columns = [row for row in described if row[4] == 0]
    names = [row[0].lower() for row in columns]
    terms = ", ".join([hidden if hidden and not without_rowid else "0", *(quote(row[0]) for row in columns)])
    found = connection.execute(f"SELECT {terms} FROM {quote(table)}").fetchall()
    keys = [row for row in columns if row[3]]
    is_rowid = len(keys) == 1 and keys[0][1].upper() == "INTEGER"
    rowids = "" if without_rowid or not hidden else "id" if is_rowid else "hidden"
    return Held(
        types={row[0].lower(): row[1] for row in columns},
        required=frozenset(row[0].lower() for row in columns if row[2]),
        rowids=rowids,
        rows={row[0] if rowids else number: dict(zip(names, row[1:], strict=True)) for number, row in enumerate(found)},
        strict=strict,
    )


def others(lab: Lab, declared: Collection[str], gone: Collection[str] = ()) -> list[Row]:
    """Everything stored that no models declare, with its rows.

    Args:
        lab: the database.
        declared: names of the tables that are, or were, the models'.
        gone: those of them that are dropped, which takes their own triggers along.
    """
    stored = lab.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2")
    kept = [
        row
        for row in stored
        if row[2] not in ("migration_history", "sqlite_sequence")
        and (row[0] in ("view", "trigger") or row[2] not in declared)
        and not (row[0] == "trigger" and row[2] in gone)
    ]
    rows = [
        (row[1], *found) for row in kept if row[0] == "table" for found in lab.rows(f"SELECT * FROM {quote(row[1])}")
    ]
    return kept + rows


# -- what became of it -------------------------------------------------------------------------------------------------

Same = Callable[[Value, Value], bool]


def lost(before: Held, after: Held, same: Callable[[str], Same]) -> list[str]:
    """Rows that are not there any more, or that hold something else in a column that both have.

    Args:
        before: the table then.
        after: the table now.
        same: for a column, whether one value stands for the other.
    """
    shared = [name for name in before.types if name in after.types]
    rules = [(name, same(name)) for name in shared]
    numbered = before.rowids and (after.rowids == "hidden" or before.rowids == after.rowids == "id")
    free = dict(after.rows)
    missing = []
    for key, row in before.rows.items():
        candidates: Sequence[Any] = ([key] if key in free else []) if numbered else list(free)
        match = next((it for it in candidates if all(rule(row[name], free[it][name]) for name, rule in rules)), None)
        if match is None:
            missing.append(f"{key}: {row} of {list(free.values())}")
        else:
            del free[match]
    return missing + [f"{key}: {row} is new" for key, row in free.items()]


def as_stored(after: Held, before: Held) -> Callable[[str], Same]:
    """A value may become what SQLite itself makes of it under a new type, and a NULL what the column must have."""

    def rule(column: str) -> Same:
        retyped = before.types[column] != after.types[column] or before.strict != after.strict
        filled = column in after.required

        def same(old: Value, new: Value) -> bool:
            if repr(old) == repr(new) or (old is None and filled):
                return True
            return retyped and repr(_converted(old, after.types[column], after.strict)) == repr(new)

        return same

    return rule


def lossless(after: Held, before: Held) -> Callable[[str], Same]:
    """A value may be written in another way, but must say the same; a NULL may become what the column must have."""

    def rule(column: str) -> Same:
        filled = column in after.required

        def same(old: Value, new: Value) -> bool:
            return repr(old) == repr(new) or (old is None and filled) or _says_the_same(old, new)

        return same

    return rule


def _converted(value: Value, type_: str, strict: bool) -> Value:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE x (v {type_}) {'STRICT' if strict else ''}")
        connection.execute("INSERT INTO x VALUES (?)", (value,))
        result: Value = connection.execute("SELECT v FROM x").fetchone()[0]
        return result


def _says_the_same(old: Value, new: Value) -> bool:
    """Numbers that are equal, or a number and the text that SQLite writes for it."""
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new
    if {type(old), type(new)} <= {int, float, str}:
        with closing(sqlite3.connect(":memory:")) as connection:
            return bool(connection.execute("SELECT CAST(? AS TEXT) = CAST(? AS TEXT)", (old, new)).fetchone()[0])
    return False


# -- how it behaves ----------------------------------------------------------------------------------------------------


def behaviour(lab: Lab, described: Described, contents: Sequence[tuple[Described, Content]]) -> list[Any]:
    """What a copy of the database, emptied, says to each row, and what it holds in the end.

    Two databases with the same models say the same. Objects of other people are taken out of the copy before.
    """
    copy = lab.path.with_suffix(".copy")
    copy.write_bytes(lab.path.read_bytes())
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            _empty(connection, described)
            return _answers(connection, described, contents)
    finally:
        copy.unlink()


def _empty(connection: sqlite3.Connection, described: Described) -> None:
    declared = {table.name.lower() for table in described.tables}
    found = connection.execute("SELECT type, name FROM sqlite_schema WHERE type IN ('view', 'trigger', 'table')")
    for kind, name in sorted(found.fetchall(), reverse=True):  # views and triggers first
        if kind == "table" and (name.lower() in declared or name == "sqlite_sequence"):
            connection.execute(f"DELETE FROM {quote(name)}")
        elif kind == "table":
            if not name.startswith(("search_", "sqlite_")):
                connection.execute(f"DROP TABLE {quote(name)}")
        else:
            connection.execute(f"DROP {kind} IF EXISTS {quote(name)}")


def _answers(
    connection: sqlite3.Connection, described: Described, contents: Sequence[tuple[Described, Content]]
) -> list[Any]:
    connection.execute("PRAGMA foreign_keys = ON")
    said: list[Any] = []
    for source, content in contents:
        for name, row in rows_of(source, content):
            table = described.table(name)
            if table is not None:
                known = {column for column, _ in value_columns(table)}
                said.append(insert(connection, name, {column: row[column] for column in row if column in known}))
    for table in described.tables:
        columns = 'SELECT name FROM pragma_table_xinfo(?) WHERE dflt_value IS NOT "CURRENT_TIMESTAMP" ORDER BY name'
        names = [quote(name) for (name,) in connection.execute(columns, (table.name,))]
        said.append(sorted(map(repr, connection.execute(f"SELECT {', '.join(names)} FROM {quote(table.name)}"))))
    return said
