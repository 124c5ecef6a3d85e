"""trueup's own table in the database: one row for each run and one for each of its steps.

The rows of a successful run are written in the run's own transaction, so the history never tells of a change that is
not there, and no change is there without its row.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from trueup.dialect import Connection
from trueup.errors import HistoryNameTaken
from trueup.past import KILLED, made_by, pack_schema, performer_of, write_made
from trueup.plan import Load, Plan, Work
from trueup.run import Backup, Intent, Measured, Receipt
from trueup.schema import Schema
from trueup.standing import BASELINE, Mark

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
_MARKED = ("schema_after", "models", "versions", "differences_left")
"""Later columns that tell what moved since a run."""
_RESTORED = "restored the backup "
_RENAMES = "rename %"
"""Sentences of steps from which it is known that a rename was made."""
_NAMES = tuple(column.split()[0] for column in _COLUMNS)
_ALL_NAMES = (*_NAMES, *(column.split()[0] for column in _LATER))
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
    return _last_managed(connection, name) if _own_columns(connection, name) else frozenset()


def read_marks(connection: Connection, name: str) -> list[Mark]:
    """What every run that changed the database noted, newest first; none while an earlier version wrote them."""
    if not {*_NAMES, *_MARKED} <= set(connection.columns(name)):
        return []
    rows = connection.rows(
        f"SELECT run_id, kind, finished_at, {', '.join(_MARKED)}"
        f" FROM \"{name}\" WHERE step = 0 AND status = 'completed' ORDER BY rowid DESC"
    )
    return [
        Mark(
            run_id=run_id,
            kind=kind,
            finished_at=finished_at,
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
    if not set(_NAMES) <= set(connection.columns(name)):
        return frozenset()
    made: frozenset[str] = frozenset()
    at_backup: dict[str, frozenset[str]] = {}
    query = (
        f"SELECT kind, step, name, backup_id FROM \"{name}\" WHERE step = 0 OR name LIKE '{_RENAMES}' ORDER BY rowid"
    )
    for kind, step, said, backup in connection.rows(query):
        if backup:
            at_backup[backup] = made
        if kind == "restore":
            made = at_backup.get(said.removeprefix(_RESTORED), frozenset())
        elif step:
            made |= frozenset(said.split("; "))
    return made


def record_run(
    connection: Connection,
    name: str,
    *,
    run_id: str,
    kind: str,
    plan: Plan,
    schema_after: str,
    started_at: datetime,
    finished_at: datetime,
    step_seconds: Sequence[float],
    measured: Sequence[Measured],
    backup: Backup | None,
    receipt: Receipt,
    undo_sql: str,
    version: str,
) -> None:
    """Write a successful run, inside its own transaction, making the table when it is missing."""
    _make_table(connection, name)
    run_row = _ended(run_id, kind, "completed", started_at, finished_at) | {
        "name": f"{len(plan.steps)} steps on {len({step.table for step in plan.steps})} tables",
        "checksum": plan.checksum,
        "sql": plan.script,
        "undo_sql": undo_sql or None,
        "policy": str(plan.policy),
        "schema_before": plan.live.fingerprint,
        "schema_after": schema_after,
        "models": plan.models_fingerprint,
        "versions": plan.versions,
        "differences_left": plan.differences_left,
        "managed_tables": _managed_text(_managed(connection, name, plan)),
        "backup_id": backup.id if backup else None,
        "receipt": json.dumps(asdict(receipt)),
        "trueup_version": version,
        "measured": _measured_text(measured),
        "undoes": json.dumps({plan.undoes.run_id: plan.undoes.steps}) if plan.undoes else None,
        "objects_before": pack_schema(plan.live),
    }
    shared = {key: run_row[key] for key in ("run_id", "kind", "status", "started_at", "finished_at")}
    for row in (run_row, *(shared | step for step in _steps(plan, step_seconds))):
        _insert(connection, name, row)


def read_completed(connection: Connection, name: str) -> tuple[str, ...]:
    """Ids of the runs that did what they were to do, oldest first."""
    if not set(_NAMES) <= set(connection.columns(name)):
        return ()
    rows = connection.rows(f"SELECT run_id FROM \"{name}\" WHERE step = 0 AND status = 'completed' ORDER BY rowid")
    return tuple(run_id for (run_id,) in rows)


def read_last_change(connection: Connection, name: str) -> tuple[str, ...]:
    """The id of the run that changed the database last; none where no run did."""
    if not set(_NAMES) <= set(connection.columns(name)):
        return ()
    rows = connection.rows(
        f"SELECT run_id FROM \"{name}\" WHERE step = 0 AND status = 'completed' AND kind <> '{BASELINE}'"
        " ORDER BY rowid DESC LIMIT 1"
    )
    return tuple(run_id for (run_id,) in rows)


def record_baseline(
    connection: Connection,
    name: str,
    *,
    run_id: str,
    plan: Plan,
    title: str,
    note: str,
    started_at: datetime,
    finished_at: datetime,
    version: str,
) -> None:
    """Write how the database is, and how it stands to the models, making the table when it is missing."""
    _make_table(connection, name)
    present = (_keys(plan.wanted) | _last_managed(connection, name)) & _keys(plan.live)
    row = _ended(run_id, BASELINE, "completed", started_at, finished_at) | {
        "name": title,
        "checksum": plan.checksum,
        "sql": "",
        "schema_before": plan.live.fingerprint,
        "schema_after": plan.live.fingerprint,
        "models": plan.models_fingerprint,
        "versions": plan.versions,
        "differences_left": plan.differences_left,
        "managed_tables": _managed_text(present),
        "trueup_version": version,
        "note": note or None,
    }
    _insert(connection, name, row)


def record_interrupted(connection: Connection, name: str, killed: Intent, found_at: datetime) -> None:
    """Write that a run was killed before its commit, making the table when it is missing."""
    _make_table(connection, name)
    row = {
        "run_id": killed.run_id,
        "step": 0,
        "kind": killed.kind,
        "name": KILLED,
        "status": "interrupted",
        "started_at": killed.since,
        "finished_at": found_at.isoformat(),
        "execution_time_ms": 0,
        "checksum": "",
        "sql": "",
        "schema_after": None,
        "managed_tables": _managed_text(_last_managed(connection, name)),
        "performed_by": performer_of(killed),
    }
    _insert(connection, name, row)


def record_failed(
    connection: Connection,
    name: str,
    *,
    run_id: str,
    kind: str,
    plan: Plan,
    error: str,
    started_at: datetime,
    finished_at: datetime,
    backup: Backup | None,
    version: str,
) -> None:
    """Write that a run was rolled back, in a transaction of its own, where there is a history.

    A server that fails in the same way at every start leaves one row, that of its last attempt.
    """
    if not set(_NAMES) <= set(connection.columns(name)):
        return
    _make_table(connection, name)
    connection.execute(
        f"DELETE FROM \"{name}\" WHERE status = 'rolled_back' AND checksum = ? AND error = ?"
        f' AND rowid = (SELECT max(rowid) FROM "{name}")',
        (plan.checksum, error),
    )
    row = _ended(run_id, kind, "rolled_back", started_at, finished_at) | {
        "name": f"{len(plan.steps)} steps, rolled back",
        "checksum": plan.checksum,
        "sql": plan.script,
        "policy": str(plan.policy),
        "schema_before": plan.live.fingerprint,
        "schema_after": plan.live.fingerprint,
        "managed_tables": _managed_text(_last_managed(connection, name)),
        "backup_id": backup.id if backup else None,
        "trueup_version": version,
        "error": error,
    }
    _insert(connection, name, row)


def remove_runs(connection: Connection, name: str, ids: Sequence[str]) -> None:
    """Take out all rows of these runs."""
    for run_id in ids:
        connection.execute(f'DELETE FROM "{name}" WHERE run_id = ?', (run_id,))


def shorten_runs(connection: Connection, name: str, ids: Sequence[str]) -> None:
    """Leave of these runs one line each, and of their steps only which renames were made."""
    _make_table(connection, name)
    emptied = "sql = '', undo_sql = NULL, receipt = NULL, changes = NULL, objects_before = NULL"
    for run_id in ids:
        connection.execute(
            f"DELETE FROM \"{name}\" WHERE run_id = ? AND step > 0 AND name NOT LIKE '{_RENAMES}'", (run_id,)
        )
        connection.execute(f'UPDATE "{name}" SET {emptied} WHERE run_id = ?', (run_id,))


def intent(run_id: str, kind: str, now: datetime) -> Intent:
    """What this process is about to do."""
    return Intent(
        run_id=run_id,
        kind=kind,
        process=os.getpid(),
        host=socket.gethostname(),
        since=f"{now:%Y-%m-%d %H:%M:%S}",
    )


def read_records(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Every row of the history, oldest first; none when there is no history.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    columns = [column for column in _own_columns(connection, name) if column in _ALL_NAMES]
    if not columns:
        return []
    return [
        dict(zip(columns, row, strict=True))
        for row in connection.rows(f'SELECT {", ".join(columns)} FROM "{name}" ORDER BY rowid')
    ]


def carry_over(copy: Connection, name: str, records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write those of the records that a copy of the database, which is older, does not have.

    Returns:
        The ids of the runs that they are about.
    """
    _make_table(copy, name)
    known = set(copy.rows(f'SELECT run_id, step FROM "{name}"'))
    later = [record for record in records if (record["run_id"], record["step"]) not in known]
    for record in later:
        _insert(copy, name, record)
    return tuple(dict.fromkeys(record["run_id"] for record in later))


def record_restore(
    connection: Connection,
    name: str,
    *,
    run_id: str,
    restored: Backup,
    saved: Backup | None,
    taken_back: Sequence[str],
    schema_after: str,
    started_at: datetime,
    finished_at: datetime,
    version: str,
) -> None:
    """Write that the database is that of a backup from now on, and which runs that takes back."""
    row = _ended(run_id, "restore", "completed", started_at, finished_at) | {
        "name": f"{_RESTORED}{restored.id}",
        "checksum": restored.checksum,
        "sql": "",
        "schema_after": schema_after,
        "managed_tables": _managed_text(_last_managed(connection, name)),
        "backup_id": saved.id if saved else None,
        "trueup_version": version,
        "undoes": json.dumps(dict.fromkeys(taken_back, ())),
    }
    _insert(connection, name, row)


def _ended(run_id: str, kind: str, status: str, started_at: datetime, finished_at: datetime) -> dict[str, Any]:
    """What every row of a run by this process says."""
    return {
        "run_id": run_id,
        "step": 0,
        "kind": kind,
        "status": status,
        "started_at": started_at.isoformat(),
        "finished_at": finished_at.isoformat(),
        "execution_time_ms": _milliseconds((finished_at - started_at).total_seconds()),
        "performed_by": _performer(),
    }


def _own_columns(connection: Connection, name: str) -> tuple[str, ...]:
    """The columns of the history; none when there is none."""
    columns = connection.columns(name)
    if columns and not set(_NAMES) <= {column.lower() for column in columns}:
        raise HistoryNameTaken(name=name)
    return columns


def _insert(connection: Connection, name: str, row: Mapping[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    connection.execute(f'INSERT INTO "{name}" ({", ".join(row)}) VALUES ({marks})', tuple(row.values()))


def _make_table(connection: Connection, name: str) -> None:
    """As it is now; one that an earlier version made gets what it lacks.

    Raises:
        HistoryNameTaken: the table of that name is somebody else's.
    """
    _own_columns(connection, name)
    body = ",\n\t".join((*_COLUMNS, *_LATER, "PRIMARY KEY (run_id, step)"))
    connection.execute(f'CREATE TABLE IF NOT EXISTS "{name}" (\n\t{body}\n)')
    present = connection.columns(name)
    for column in _LATER:
        if column.split()[0] not in present:
            connection.execute(f'ALTER TABLE "{name}" ADD COLUMN {column}')


def _steps(plan: Plan, seconds: Sequence[float]) -> Iterator[dict[str, Any]]:
    for number, (step, duration) in enumerate(zip(plan.steps, seconds, strict=True), 1):
        yield {
            "step": number,
            "name": step.sentence,
            "execution_time_ms": _milliseconds(duration),
            "checksum": plan.checksum,
            "sql": step.sql,
            "form": str(step.form),
            "measured": _measured_text([Measured(load=step.load, seconds=duration)] if step.load else []),
            "changes": write_made(made_by(step, plan)),
        }


def _managed(connection: Connection, name: str, plan: Plan) -> frozenset[tuple[str, str]]:
    """What the models declare now, and what they once declared and is still there."""
    return _keys(plan.wanted) | (_last_managed(connection, name) & _keys(plan.expected))


def _keys(schema: Schema) -> frozenset[tuple[str, str]]:
    """Everything that the models can own: of virtual tables nobody but their maker knows how to fill them."""
    tables = (("table", table.name.lower()) for table in schema.tables)
    return frozenset((*tables, *(item.key for item in schema.objects if item.kind != "virtual")))


def _last_managed(connection: Connection, name: str) -> frozenset[tuple[str, str]]:
    rows = connection.rows(f'SELECT managed_tables FROM "{name}" WHERE step = 0 ORDER BY rowid DESC LIMIT 1')
    items = json.loads(rows[0][0] or "[]") if rows else []
    return frozenset(("table", item.lower()) if isinstance(item, str) else tuple(item) for item in items)


def _managed_text(keys: Iterable[tuple[str, str]]) -> str:
    """Of a table its name, of all else the kind and the name."""
    return json.dumps([name if kind == "table" else (kind, name) for kind, name in sorted(keys)])


def _measured_text(measured: Iterable[Measured]) -> str | None:
    items = [asdict(item.load) | {"seconds": item.seconds} for item in measured]
    return json.dumps(items) if items else None


def _parse_measured(text: str) -> Iterator[Measured]:
    for item in json.loads(text):
        seconds, work = item.pop("seconds"), item.pop("work")
        if work in list(Work):  # another version may know other kinds
            yield Measured(load=Load(work=Work(work), **item), seconds=seconds)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _performer() -> str:
    return f"{_user()}@{socket.gethostname()} (process {os.getpid()})"


def _user() -> str:
    import getpass  # only who writes pays for this import

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
