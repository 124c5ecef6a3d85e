"""Which views and triggers do not work? Found by letting SQLite compile what would use them, for no row at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trueup.dialects.sqlite.quoting import quote, string

Query = Callable[[str], list[tuple[Any, ...]]]


def broken_objects(query: Query) -> dict[str, str]:
    """The views that cannot be read, and all triggers of a table that cannot be written to, each with SQLite's reason.

    Needs a connection that may write, with a transaction open; leaves nothing behind. What fails over a function that
    only the application has may well work there, and is not among them.
    """
    query("SAVEPOINT trueup_dependents")
    try:
        return _find_broken(query)
    finally:
        # an INSERT of no row still notes the table in sqlite_sequence
        query("ROLLBACK TO trueup_dependents")
        query("RELEASE trueup_dependents")


def _find_broken(query: Query) -> dict[str, str]:
    found = query("SELECT type, name, tbl_name FROM sqlite_schema WHERE type IN ('view', 'trigger')")
    broken = {name: _complaint(query, [_read(name)]) for kind, name, _ in found if kind == "view"}
    complaints = {table: _complaint(query, _writes(query, table)) for kind, _, table in found if kind == "trigger"}
    broken |= {name: complaints[table] for kind, name, table in found if kind == "trigger"}
    return {name: complaint for name, complaint in broken.items() if complaint}


def _read(view: str) -> str:
    return f"SELECT * FROM {quote(view)} WHERE 0"


def _writes(query: Query, table: str) -> Iterator[str]:
    """One statement for each event that a trigger can wait for, after one that reads.

    Not EXPLAIN: where it stands in the driver's cache and no longer compiles, SQLite 3.40 ends the process.
    """
    yield _read(table)
    try:
        columns = [quote(name) for (name,) in query(f"SELECT name FROM pragma_table_info({string(table)})")]
    except sqlite3.OperationalError:
        return  # it is a view that cannot be read either
    listed = ", ".join(columns)
    yield f"INSERT INTO {quote(table)} ({listed}) SELECT {listed} FROM {quote(table)} WHERE 0"
    yield f"UPDATE {quote(table)} SET {', '.join(f'{column} = {column}' for column in columns)} WHERE 0"
    yield f"DELETE FROM {quote(table)} WHERE 0"


def _complaint(query: Query, statements: Iterable[str]) -> str:
    """What SQLite says to the first of them that does not compile; nothing when all do."""
    for statement in statements:
        try:
            query(statement)
        except sqlite3.OperationalError as error:
            if not only_the_application_knows(error):
                return str(error)
    return ""


def only_the_application_knows(error: sqlite3.Error) -> bool:
    """Whether the statement needs a function, a collation or an extension that is not here."""
    return any(
        what in str(error) for what in ("no such function", "unknown function", "no such collation", "no such module")
    )
