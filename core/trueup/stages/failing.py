"""Writing into the history what changed nothing: runs and restores that were rolled back, and runs that were killed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from trueup.dialect import Connection
from trueup.history_rows import Ended, managed_text, milliseconds, shared, step_row
from trueup.history_table import NAMES, insert, last_managed, make_table, remove_runs
from trueup.past import KILLED, performer_of
from trueup.plans import Plan
from trueup.run import Backup, Intent
from trueup.text import counted


def record_interrupted(connection: Connection, name: str, killed: Intent, found_at: datetime) -> None:
    """Write that a run was killed before its commit, making the table when it is missing.

    Once is enough: who recorded it may have ended, after its commit, before it took the note of it away.
    """
    make_table(connection, name)
    if connection.rows(f'SELECT 1 FROM "{name}" WHERE run_id = ? AND step = 0', (killed.run_id,)):
        return
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
        "managed_tables": managed_text(last_managed(connection, name)),
        "performed_by": performer_of(killed),
    }
    insert(connection, name, row)


def record_failed(
    connection: Connection,
    name: str,
    ended: Ended,
    *,
    plan: Plan,
    error: str,
    step_seconds: Sequence[float],
    failed_after: float | None,
    backup: Backup | None,
) -> None:
    """Write that a run was rolled back, in a transaction of its own, where there is a history.

    A server that fails in the same way at every start leaves one record, that of its last attempt; one that fails in
    ever other ways, a line for each of the earlier attempts.

    Args:
        step_seconds: of the steps that were done, before all of them were rolled back.
        failed_after: how long the step after these went on until it failed, in seconds; none where none had begun.
    """
    if not set(NAMES) <= set(connection.columns(name)):
        return
    make_table(connection, name)
    _shorten_earlier_attempts(connection, name, plan.checksum, error)
    row = ended.row("rolled_back") | {
        "name": f"{counted(len(plan.steps), 'step')}, rolled back",
        "checksum": plan.checksum,
        "sql": plan.script,
        "policy": str(plan.policy),
        "schema_before": plan.live.fingerprint,
        "schema_after": plan.live.fingerprint,
        "managed_tables": managed_text(last_managed(connection, name)),
        "backup_id": backup.id if backup else None,
        "error": error,
    }
    insert(connection, name, row)
    outcomes = _outcomes(plan, step_seconds, failed_after)
    for number, (step, outcome) in enumerate(zip(plan.steps, outcomes, strict=True), 1):
        why = {"error": error} if outcome["status"] == "failed" else {}
        insert(connection, name, shared(row) | step_row(number, step, plan) | outcome | why)


def _outcomes(plan: Plan, step_seconds: Sequence[float], failed_after: float | None) -> list[dict[str, Any]]:
    """For each step how far it came, and how long that took."""
    ran = [("rolled_back", seconds) for seconds in step_seconds]
    ran += [("failed", failed_after)] if failed_after is not None else []
    ran += [("pending", 0.0)] * (len(plan.steps) - len(ran))
    return [{"status": status, "execution_time_ms": milliseconds(seconds)} for status, seconds in ran]


def record_failed_restore(
    connection: Connection,
    name: str,
    ended: Ended,
    *,
    restored: Backup,
    saved: Backup | None,
    error: str,
) -> None:
    """Write that a restore failed, in a transaction of its own, where there is a history.

    Where only the proof failed, the restore's own record is there already, and is corrected.
    """
    if not set(NAMES) <= set(connection.columns(name)):
        return
    make_table(connection, name)
    correction = f"UPDATE \"{name}\" SET status = 'failed', error = ? WHERE run_id = ?"
    if connection.execute(correction, (error, ended.run_id)):
        return
    _forget_the_same(connection, name, restored.checksum, error)
    row = ended.row("rolled_back") | {
        "name": f"restore of the backup {restored.id}, rolled back",
        "checksum": restored.checksum,
        "sql": "",
        "managed_tables": managed_text(last_managed(connection, name)),
        "backup_id": saved.id if saved else None,
        "error": error,
    }
    insert(connection, name, row)


def _shorten_earlier_attempts(connection: Connection, name: str, checksum: str, error: str) -> None:
    """Of those of the same plan, a line; nothing of the last one when it failed in the same way."""
    _forget_the_same(connection, name, checksum, error)
    connection.execute(f"DELETE FROM \"{name}\" WHERE step > 0 AND checksum = ? AND status <> 'completed'", (checksum,))
    connection.execute(f"UPDATE \"{name}\" SET sql = '' WHERE checksum = ? AND status = 'rolled_back'", (checksum,))


def _forget_the_same(connection: Connection, name: str, checksum: str, error: str) -> None:
    """The newest record, where it tells the same of the same."""
    newest = connection.rows(
        f'SELECT run_id, status, checksum, error FROM "{name}" WHERE step = 0 ORDER BY rowid DESC LIMIT 1'
    )
    remove_runs(connection, name, [run_id for run_id, *told in newest if told == ["rolled_back", checksum, error]])
