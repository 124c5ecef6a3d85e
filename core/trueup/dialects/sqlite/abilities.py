"""What the SQLite library of this process can do to a table in place: found by trying it, on a database in memory.

Version numbers do not tell it. A build may protect its schema table (``SQLITE_DBCONFIG_DEFENSIVE``, as some systems'
own libraries do), and which constraints ``ALTER TABLE`` knows has grown from release to release.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

_TRIED_ON = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    "CREATE TABLE tried (a, b INTEGER NOT NULL, CONSTRAINT c CHECK (b > 0),"
    " CONSTRAINT f FOREIGN KEY (b) REFERENCES parent (id))",
)
_KEEPS_NULLS = "SELECT NOT sqlite_compileoption_used('ENABLE_NULL_TRIM')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """Each is a form that is cheaper than a rebuild. https://www.sqlite.org/lang_altertable.html"""

    drops_columns: bool
    alters_not_null: bool
    adds_checks: bool
    """SQLite 3.53.4 has the words for it, but refuses rows for which the CHECK is NULL, which satisfies a CHECK."""
    drops_checks: bool
    drops_foreign_keys: bool
    edits_schema: bool
    """The text in ``sqlite_schema`` can be written: https://www.sqlite.org/pragma.html#pragma_writable_schema

    Not with a build that leaves trailing NULLs out of every row it writes: a default that is given to such a column
    later would change these rows. https://www.sqlite.org/compile.html#enable_null_trim
    """


@lru_cache(maxsize=1)
def abilities() -> Abilities:
    """Those of a connection as this library opens it."""
    return try_abilities(lambda: sqlite3.connect(":memory:"))


def try_abilities(connect: Callable[[], sqlite3.Connection]) -> Abilities:
    """Try each on a database of its own.

    Args:
        connect: opens an empty database in memory.
    """

    def works(*statements: str) -> bool:
        with closing(connect()) as raw:
            try:
                for statement in (*_TRIED_ON, *statements):
                    raw.execute(statement)
            except sqlite3.Error:
                return False
        return True

    def keeps_nulls() -> bool:
        with closing(connect()) as raw:
            return bool(raw.execute(_KEEPS_NULLS).fetchone()[0])

    return Abilities(
        # the versions before corrupt data with it: https://www.sqlite.org/changes.html#version_3_35_5
        drops_columns=sqlite3.sqlite_version_info >= (3, 35, 5),
        alters_not_null=works(
            "ALTER TABLE tried ALTER COLUMN a SET NOT NULL", "ALTER TABLE tried ALTER COLUMN b DROP NOT NULL"
        ),
        adds_checks=works(
            "INSERT INTO tried (a, b) VALUES (NULL, 1)", "ALTER TABLE tried ADD CONSTRAINT d CHECK (a > 0)"
        ),
        drops_checks=works("ALTER TABLE tried DROP CONSTRAINT c"),
        drops_foreign_keys=works("ALTER TABLE tried DROP CONSTRAINT f"),
        edits_schema=works("PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = sql WHERE name = 'tried'")
        and keeps_nulls(),
    )
