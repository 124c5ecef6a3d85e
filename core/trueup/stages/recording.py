"""Writing into the history: one row for each run and one for each of its steps.

The rows of a successful run are written in the run's own transaction, so the history never tells of a change that is
not there, and no change is there without its row.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from trueup.dialect import Connection
from trueup.history_rows import Ended, managed_text, milliseconds, shared, step_row
from trueup.history_table import RENAMES, REQUIRED, RESTORED, insert, last_managed, make_table
from trueup.past import made_by, pack_schema, write_made
from trueup.plans import Plan
from trueup.run import Backup, Intent, Measured, Receipt
from trueup.schema import Schema
from trueup.text import counted


def intent(run_id: str, kind: str, now: datetime) -> Intent:
    """What this process is about to do."""
    return Intent(
        run_id=run_id,
        kind=kind,
        process=os.getpid(),
        host=socket.gethostname(),
        since=f"{now:%Y-%m-%d %H:%M:%S}",
    )


def record_run(
    connection: Connection,
    name: str,
    ended: Ended,
    *,
    plan: Plan,
    schema_after: str,
    step_seconds: Sequence[float],
    measured: Sequence[Measured],
    backup: Backup | None,
    receipt: Receipt,
    undo_sql: str,
    step_undo_sql: Sequence[str],
) -> None:
    """Write a successful run, inside its own transaction, making the table when it is missing.

    Args:
        undo_sql: what takes the structure back; empty when there is nothing.
        step_undo_sql: the same for each step.
    """
    make_table(connection, name)
    run_row = ended.row("completed") | {
        "name": _name(plan),
        "checksum": plan.checksum,
        "sql": plan.script,
        "undo_sql": undo_sql or None,
        "policy": str(plan.policy),
        "schema_before": plan.live.fingerprint,
        "schema_after": schema_after,
        "models": plan.models_fingerprint,
        "versions": plan.versions,
        "differences_left": plan.differences_left,
        "managed_tables": managed_text(_managed(connection, name, plan)),
        "backup_id": backup.id if backup else None,
        "receipt": json.dumps(asdict(receipt)),
        "measured": _measured_text(measured),
        "undoes": json.dumps({plan.undoes.run_id: plan.undoes.steps}) if plan.undoes else None,
        "objects_before": pack_schema(plan.live),
    }
    insert(connection, name, run_row)
    for number, (step, seconds, back) in enumerate(zip(plan.steps, step_seconds, step_undo_sql, strict=True), 1):
        made = {
            "execution_time_ms": milliseconds(seconds),
            "undo_sql": back or None,
            "measured": _measured_text([Measured(load=step.load, seconds=seconds)] if step.load else []),
            "changes": write_made(made_by(step, plan)),
        }
        insert(connection, name, shared(run_row) | step_row(number, step, plan) | made)


def record_baseline(
    connection: Connection,
    name: str,
    ended: Ended,
    *,
    plan: Plan,
    title: str,
    note: str,
) -> None:
    """Write how the database is, and how it stands to the models, making the table when it is missing."""
    make_table(connection, name)
    present = (_keys(plan.wanted) | last_managed(connection, name)) & _keys(plan.live)
    row = ended.row("completed") | {
        "name": title,
        "checksum": plan.checksum,
        "sql": "",
        "schema_before": plan.live.fingerprint,
        "schema_after": plan.live.fingerprint,
        "models": plan.models_fingerprint,
        "versions": plan.versions,
        "differences_left": plan.differences_left,
        "managed_tables": managed_text(present),
        "note": note or None,
    }
    insert(connection, name, row)


def record_restore(
    connection: Connection,
    name: str,
    ended: Ended,
    *,
    restored: Backup,
    saved: Backup | None,
    taken_back: Sequence[str],
    schema_after: str,
) -> None:
    """Write that the database is that of a backup from now on, and which runs that takes back."""
    row = ended.row("completed") | {
        "name": f"{RESTORED}{restored.id}",
        "checksum": restored.checksum,
        "sql": "",
        "schema_after": schema_after,
        "managed_tables": managed_text(last_managed(connection, name)),
        "backup_id": saved.id if saved else None,
        "undoes": json.dumps(dict.fromkeys(taken_back, ())),
    }
    insert(connection, name, row)


def carry_over(copy: Connection, name: str, records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write those of the records that a copy of the database, which is older, does not have.

    What damage left of a record is none: one without a value that every record has, or one of two that are the same.

    Returns:
        The ids of the runs that they are about.
    """
    make_table(copy, name)
    known = set(copy.rows(f'SELECT run_id, step FROM "{name}"'))
    whole = [record for record in records if all(record[column] is not None for column in REQUIRED)]
    later = {key: record for record in whole if (key := (record["run_id"], record["step"])) not in known}
    for record in later.values():
        insert(copy, name, record)
    return tuple(dict.fromkeys(run_id for run_id, _ in later))


def shorten_runs(connection: Connection, name: str, ids: Sequence[str]) -> None:
    """Leave of these runs one line each, and of their steps only which renames were made."""
    make_table(connection, name)
    emptied = "sql = '', undo_sql = NULL, receipt = NULL, changes = NULL, objects_before = NULL"
    for run_id in ids:
        connection.execute(
            f"DELETE FROM \"{name}\" WHERE run_id = ? AND step > 0 AND name NOT LIKE '{RENAMES}'", (run_id,)
        )
        connection.execute(f'UPDATE "{name}" SET {emptied} WHERE run_id = ?', (run_id,))


def _managed(connection: Connection, name: str, plan: Plan) -> frozenset[tuple[str, str]]:
    """What the models declare now, and what they once declared and is still there."""
    return _keys(plan.wanted) | (last_managed(connection, name) & _keys(plan.expected))


def _keys(schema: Schema) -> frozenset[tuple[str, str]]:
    """Everything that the models can own: of virtual tables nobody but their maker knows how to fill them."""
    tables = (("table", table.name.lower()) for table in schema.tables)
    return frozenset((*tables, *(item.key for item in schema.objects if item.kind != "virtual")))


def _measured_text(measured: Iterable[Measured]) -> str | None:
    items = [asdict(item.load) | {"seconds": item.seconds} for item in measured]
    return json.dumps(items) if items else None


def _name(plan: Plan) -> str:
    """Of the run, for people."""
    return f"{counted(len(plan.steps), 'step')} on {counted(len({step.table for step in plan.steps}), 'table')}"
