"""What is told of backups on the command line, in text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from trueup.as_json import backup_json
from trueup.as_text import change_line
from trueup.run import Backup, BackupComparison, BackupStatistics
from trueup.text import counted, visible


def list_object(backups: Sequence[Backup], warning: str) -> dict[str, Any]:
    """The catalogue.

    Args:
        backups: in the order in which they are told.
        warning: about all of them.
    """
    return {
        "size": sum(backup.disk_size for backup in backups),
        "warning": warning or None,
        "backups": [_described(backup) for backup in backups],
    }


def list_lines(backups: Sequence[Backup], warning: str) -> Iterator[str]:
    """One line for each backup."""
    if not backups:
        yield "There are no backups."
    width = max((len(backup.id) for backup in backups), default=0)
    for backup in backups:
        state = backup.problem or (f"good on {_minute(backup.verified_at)}" if backup.verified_at else "unchecked")
        rows, packed = sum(backup.row_counts.values()), ", packed" if backup.packed else ""
        yield visible(f"{backup.id:<{width}}  {backup.disk_size / 1e6:9.1f} MB  {rows:>11} rows  {state}{packed}")
    if warning:
        yield f"note: {warning}"


def statistics_object(found: BackupStatistics) -> dict[str, Any]:
    """How many there are, and so on."""
    return {
        "count": found.count,
        "good": found.good,
        "size": found.size,
        "oldest": found.oldest.isoformat() if found.oldest else None,
        "newest": found.newest.isoformat() if found.newest else None,
        "outcomes": found.outcomes,
        "warning": found.warning or None,
    }


def statistics_lines(found: BackupStatistics) -> Iterator[str]:
    """The same in a few lines."""
    if found.oldest is None or found.newest is None:
        yield "There are no backups."
        return
    yield f"{counted(found.count, 'backup')}, {found.good} of them good, {found.size / 1e6:.1f} MB"
    yield f"from {_minute(found.oldest)} to {_minute(found.newest)} UTC"
    yield from (visible(f"  {_outcome(state, count)}") for state, count in found.outcomes.items())
    if found.warning:
        yield f"note: {found.warning}"


def comparison_object(found: BackupComparison) -> dict[str, Any]:
    """What changed since a backup."""
    return {
        "backup": backup_json(found.backup),
        "same": found.same,
        "changes": [
            {
                "kind": change.kind,
                "id": change.id,
                "table": change.table,
                "name": change.label or None,
                "sentence": change.sentence,
            }
            for change in found.changes
        ],
        "rows": [{"table": row.table, "then": row.then, "now": row.now} for row in found.rows],
    }


def comparison_lines(found: BackupComparison) -> Iterator[str]:
    """A line for each difference."""
    when = f"{found.backup.created_at:%Y-%m-%d %H:%M:%S} UTC"
    if found.same:
        yield visible(f"The schema and the number of rows are those of {found.backup.id} ({when}).")
        return
    yield visible(f"Since {found.backup.id} ({when}):")
    yield from (change_line(change) for change in found.changes)
    yield from (visible(f"    {row.table} has {counted(row.now)}, and had {row.then}") for row in found.rows)


def _described(backup: Backup) -> dict[str, Any]:
    return backup_json(backup) | {
        "created_at": backup.created_at.isoformat(),
        "rows": sum(backup.row_counts.values()),
        "tables": len(backup.row_counts),
        "run_id": backup.run_id,
        "checksum": backup.checksum or None,
        "cloned": backup.cloned and not backup.packed_size,
        "compression": "zstd" if backup.packed else "none",
        "disk_size": backup.disk_size,
        "verified_at": backup.verified_at.isoformat() if backup.verified_at else None,
        "problem": backup.problem or None,
    }


def _outcome(state: str, count: int) -> str:
    """Of the backups those that were taken for no run, or for one that nobody knows, have no state to tell."""
    if state.endswith(" run"):
        return f"{counted(count, 'backup')} of {state}"
    return f"{counted(count, 'run')} {state.replace('_', ' ')}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
