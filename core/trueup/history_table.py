"""trueup's own table in the database: its columns, whichever version made it, and its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trueup.errors import HistoryNameTaken
from trueup.takeover import COLUMNS, is_known, translated

if TYPE_CHECKING:
    from trueup.dialect import Connection

_COLUMNS = (
    "run_id TEXT NOT NULL",
    "step INTEGER NOT NULL",
    "kind TEXT NOT NULL",
    "name TEXT NOT NULL",
    "status TEXT NOT NULL",
    "started_at TEXT NOT NULL",
    "finished_at TEXT NOT NULL",
    "execution_time_ms INTEGER NOT NULL",
    "checksum TEXT NOT NULL",
    "sql TEXT NOT NULL",
    "policy TEXT",
    "schema_before TEXT",
    "managed_tables TEXT",
    "backup_id TEXT",
    "receipt TEXT",
    "performed_by TEXT",
    "trueup_version TEXT",
)
_LATER = (
    "schema_after TEXT",
    "measured TEXT",
    "models TEXT",
    "versions TEXT",
    "differences_left INTEGER",
    "changes TEXT",
    "undoes TEXT",
    "objects_before BLOB",
    "error TEXT",
    "form TEXT",
    "note TEXT",
    "undo_sql TEXT",
)
"""Columns that a table of an earlier version lacks; the next run adds them."""
RESTORED = "restored the backup "
"""What stands before the backup's id in the name of a restore."""
RENAMES = "rename %"
"""Sentences of steps from which it is known that a rename was made."""
NAMES = tuple(column.split()[0] for column in _COLUMNS)
REQUIRED = tuple(column.split()[0] for column in _COLUMNS if column.endswith("NOT NULL"))
ALL_NAMES = (*NAMES, *(column.split()[0] for column in _LATER))


def own_columns(connection: Connection, name: str) -> tuple[str, ...]:
    """The columns of the history; none when there is none, or only that of another migrator to be taken over.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    columns = connection.columns(name)
    if is_known(columns):
        return ()
    if columns and not set(NAMES) <= {column.lower() for column in columns}:
        raise HistoryNameTaken(name=name)
    return columns


def make_table(connection: Connection, name: str) -> None:
    """As it is now; one that an earlier version made gets what it lacks, one of another migrator is taken over.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    own_columns(connection, name)
    earlier = read_earlier(connection, name)
    if is_known(connection.columns(name)):
        connection.execute(f'DROP TABLE "{name}"')
    body = ",\n\t".join((*_COLUMNS, *_LATER, "PRIMARY KEY (run_id, step)"))
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{name}" (\n\t{body}\n)')
    present = connection.columns(name)
    for column in _LATER:
        if column.split()[0] not in present:
            connection.execute(f'ALTER TABLE "{name}" ADD COLUMN {column}')
    for record in earlier:
        insert(connection, name, record)


def read_earlier(connection: Connection, name: str) -> list[dict[str, Any]]:
    """The records of another migrator's table that is to be taken over, oldest first."""
    if not is_known(connection.columns(name)):
        return []
    rows = connection.rows(f'SELECT {", ".join(COLUMNS)} FROM "{name}" ORDER BY id')
    return [translated(dict(zip(COLUMNS, row, strict=True))) for row in rows]


def insert(connection: Connection, name: str, row: Mapping[str, Any]) -> None:
    """Write one row.

    Args:
        connection: in a transaction.
        name: of the history.
        row: values by column.
    """
    marks = ", ".join("?" * len(row))
    connection.execute(f'INSERT INTO "{name}" ({", ".join(row)}) VALUES ({marks})', tuple(row.values()))


def remove_runs(connection: Connection, name: str, ids: Sequence[str]) -> None:
    """Take out all rows of these runs."""
    for run_id in ids:
        connection.execute(f'DELETE FROM "{name}" WHERE run_id = ?', (run_id,))


def last_managed(connection: Connection, name: str) -> frozenset[tuple[str, str]]:
    """Kind and name of what the newest record says is the models'."""
    rows = connection.rows(f'SELECT managed_tables FROM "{name}" WHERE step = 0 ORDER BY rowid DESC LIMIT 1')
    items = json.loads(rows[0][0] or "[]") if rows else []
    return frozenset(("table", item.lower()) if isinstance(item, str) else tuple(item) for item in items)
