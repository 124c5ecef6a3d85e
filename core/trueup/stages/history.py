"""What the history tells: of the runs that were, of the models, and of how fast this machine is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trueup.history_table import ALL_NAMES, NAMES, RENAMES, RESTORED, last_managed, own_columns, read_earlier
from trueup.run import Measured
from trueup.standing import BASELINE, Mark
from trueup.work import Load, Work

if TYPE_CHECKING:
    from trueup.dialect import Connection

_MARKED = ("schema_after", "models", "versions", "differences_left")
"""Later columns that tell what moved since a run."""
_REPLACED = ("completed", "failed")
"""Statuses of a restore that put the backup in place of the database, though that may not be proved."""
_NEWEST = 200
"""Rows of the history that the pace of the machine is learned from."""


def read_managed(connection: Connection, name: str) -> frozenset[tuple[str, str]]:
    """What the models declared at the last run: of these objects trueup knows that they once were the models'.

    Args:
        connection: the database.
        name: of the history.

    Returns:
        Kind (``"table"``, ``"view"``, ``"trigger"``) and name, in lower case.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    return last_managed(connection, name) if own_columns(connection, name) else frozenset()


def read_marks(connection: Connection, name: str) -> list[Mark]:
    """What every run that changed the database noted, newest first; none while an earlier version wrote them."""
    if not {*NAMES, *_MARKED} <= set(connection.columns(name)):
        return []
    rows = connection.rows(
        f"SELECT run_id, kind, finished_at, {', '.join(_MARKED)}"
        f" FROM \"{name}\" WHERE step = 0 AND status = 'completed' ORDER BY rowid DESC"
    )
    return [
        Mark(
            run_id=run_id,
            kind=kind,
            finished_at=str(finished_at),
            schema=schema,
            models=models or "",
            versions=versions or "",
            differences_left=left or 0,
        )
        for run_id, kind, finished_at, schema, models, versions, left in rows
    ]


def read_measured(connection: Connection, name: str) -> tuple[Measured, ...]:
    """How long things took in the last runs, newest first."""
    if "measured" not in connection.columns(name):
        return ()
    found = connection.rows(
        f'SELECT measured FROM "{name}" WHERE measured IS NOT NULL ORDER BY rowid DESC LIMIT {_NEWEST}'
    )
    return tuple(item for (text,) in found for item in _parse_measured(text))


def read_renames(connection: Connection, name: str) -> frozenset[str]:
    """Sentences of the renames that runs made in this database, without those that a restore took back."""
    if not set(NAMES) <= set(connection.columns(name)):
        return frozenset()
    made: frozenset[str] = frozenset()
    at_backup: dict[str, frozenset[str]] = {}
    query = (
        f'SELECT kind, status, step, name, backup_id FROM "{name}"'
        f" WHERE step = 0 OR name LIKE '{RENAMES}' AND status = 'completed' ORDER BY rowid"
    )
    for kind, status, step, said, backup in connection.rows(query):
        if backup:
            at_backup[backup] = made
        if kind == "restore" and status in _REPLACED:
            made = at_backup.get(said.removeprefix(RESTORED), frozenset())
        elif step:
            made |= frozenset(said.split("; "))
    return made


def read_completed(connection: Connection, name: str) -> tuple[str, ...]:
    """Ids of the runs that did what they were to do, oldest first."""
    if not set(NAMES) <= set(connection.columns(name)):
        return ()
    rows = connection.rows(f"SELECT run_id FROM \"{name}\" WHERE step = 0 AND status = 'completed' ORDER BY rowid")
    return tuple(run_id for (run_id,) in rows)


def read_last_change(connection: Connection, name: str) -> tuple[str, ...]:
    """The id of the run that changed the database last; none where no run did."""
    if not set(NAMES) <= set(connection.columns(name)):
        return ()
    rows = connection.rows(
        f"SELECT run_id FROM \"{name}\" WHERE step = 0 AND status = 'completed' AND kind <> '{BASELINE}'"
        " ORDER BY rowid DESC LIMIT 1"
    )
    return tuple(run_id for (run_id,) in rows)


def tell_takeover(connection: Connection, name: str) -> tuple[str, ...]:
    """That the next record makes trueup's own table of another migrator's; nothing where there is none."""
    count = len(read_earlier(connection, name))
    return (f"{count} records of another migrator in {name} are kept in trueup's own history",) if count else ()


def read_records(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Every row of the history, oldest first; none when there is no history.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    columns = [column for column in own_columns(connection, name) if column in ALL_NAMES]
    if not columns:
        return [dict.fromkeys(ALL_NAMES) | record for record in read_earlier(connection, name)]
    return [
        dict(zip(columns, row, strict=True))
        for row in connection.rows(f'SELECT {", ".join(columns)} FROM "{name}" ORDER BY rowid')
    ]


def _parse_measured(text: str) -> Iterator[Measured]:
    for item in json.loads(text):
        if item["work"] in list(Work):  # another version may know other kinds, and more of each
            known = {name: item[name] for name in ("rows", "bytes", "cost") if name in item}
            yield Measured(load=Load(work=Work(item["work"]), **known), seconds=item["seconds"])
