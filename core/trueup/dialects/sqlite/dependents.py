"""Which views and triggers do not work? Found by letting SQLite compile what would use them, for no row at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from trueup.dialects.sqlite.tokens import quote

Query = Callable[[str], list[tuple[Any, ...]]]


def broken_objects(query: Query) -> frozenset[str]:
    """Names of the views that cannot be read, and of all triggers of a table that cannot be written to.

    Needs a connection that may write, with a transaction open; leaves nothing behind.
    """
    query("SAVEPOINT trueup_dependents")
    try:
        return _find_broken(query)
    finally:
        # an INSERT of no row still notes the table in sqlite_sequence
        query("ROLLBACK TO trueup_dependents")
        query("RELEASE trueup_dependents")


def _find_broken(query: Query) -> frozenset[str]:
    found = query("SELECT type, name, tbl_name FROM sqlite_schema WHERE type IN ('view', 'trigger')")
    broken = {name for kind, name, _ in found if kind == "view" and not _compiles(query, _read(name))}
    for table in sorted({table for kind, _, table in found if kind == "trigger"}):
        if not all(_compiles(query, statement) for statement in _writes(query, table)):
            broken |= {name for kind, name, watched in found if kind == "trigger" and watched == table}
    return frozenset(broken)


def _read(view: str) -> str:
    return f"SELECT * FROM {quote(view)} WHERE 0"


def _writes(query: Query, table: str) -> Iterator[str]:
    """One statement for each event that a trigger can wait for.

    Not EXPLAIN: where it stands in the driver's cache and no longer compiles, SQLite 3.40 ends the process.
    """
    columns = [quote(name) for (name,) in query(f"SELECT name FROM pragma_table_info({quote(table)})")]
    listed = ", ".join(columns)
    yield f"INSERT INTO {quote(table)} ({listed}) SELECT {listed} FROM {quote(table)} WHERE 0"
    yield f"UPDATE {quote(table)} SET {', '.join(f'{column} = {column}' for column in columns)} WHERE 0"
    yield f"DELETE FROM {quote(table)} WHERE 0"


def _compiles(query: Query, statement: str) -> bool:
    try:
        query(statement)
    except sqlite3.OperationalError:
        return False
    return True
