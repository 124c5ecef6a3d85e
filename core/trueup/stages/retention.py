"""Which backups have served their time?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from trueup.run import Backup
from trueup.settings import Retention
from trueup.text import counted


def expired(backups: Sequence[Backup], keep: Retention, needed: Collection[str], now: datetime) -> list[Backup]:
    """The backups that may go.

    Never among them are the newest good one, those of the runs in ``needed``, and one whose description cannot be read,
    since nobody knows what it is. Of the backups of failed runs only the newest one stays: the database is as it was
    when each of them was taken, and a server that fails and starts again in a loop must not fill the disk.

    Args:
        backups: newest first.
        keep: how many, how long, how much.
        needed: ids of runs that can still be undone.
        now: the time.
    """
    newest_good = next((backup for backup in backups if not backup.problem), None)
    newest_failed = next((backup for backup in backups if backup.run_failed), None)
    kept, size, gone = 0, 0, list[Backup]()
    for backup in backups:
        size += backup.disk_size
        safe = backup is newest_good or backup.run_id in needed or not backup.checksum
        fits = kept < keep.count and (keep.size is None or size <= keep.size)
        recent = now - backup.created_at <= timedelta(days=keep.days)
        if safe or (fits and recent and (not backup.run_failed or backup is newest_failed)):
            kept += 1
        else:
            gone.append(backup)
            size -= backup.disk_size
    return gone


def packable(backups: Sequence[Backup], needed: Collection[str]) -> list[Backup]:
    """The good ones, but not the newest of them nor those of the runs in ``needed``, which may be wanted at any moment.

    Args:
        backups: newest first.
        needed: ids of runs that can still be undone.
    """
    good = [backup for backup in backups if not backup.problem]
    return [backup for backup in good[1:] if backup.run_id not in needed and not backup.packed]


def storage_warning(backups: Sequence[Backup], keep: Retention) -> str:
    """A sentence when the backups take much room; empty otherwise."""
    size = sum(backup.disk_size for backup in backups)
    if keep.large is None or size < keep.large:
        return ""
    return f"Large backup storage usage - consider cleanup ({counted(len(backups), 'backup')}, {size / 1e6:.0f} MB)"
