"""What ``sqlite_schema`` holds, and the short text that stands for it: https://www.sqlite.org/schematab.html"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable

StoredRow = tuple[str, str, str, str | None]
"""Kind, name, the table's name, and the SQL that made it."""


def read_objects(connection: sqlite3.Connection, leave_out: Collection[str] = ()) -> list[StoredRow]:
    """Everything in the main database, in the order in which it was made.

    Args:
        connection: may be in a transaction.
        leave_out: names of tables that are passed over, with their indexes.
    """
    own = {name.lower() for name in leave_out}
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid")
    return [row for row in rows if row[2].lower() not in own]


def fingerprint(objects: Iterable[StoredRow]) -> str:
    """The hash of all that somebody made; SQLite's own tables and automatic indexes follow from it."""
    digest = hashlib.sha256()
    for row in objects:
        if not is_internal(row[1]):
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def is_internal(name: str) -> bool:
    """https://www.sqlite.org/fileformat2.html#internal_schema_objects"""
    return name.lower().startswith("sqlite_")
