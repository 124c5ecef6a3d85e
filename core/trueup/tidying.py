"""What a run does about earlier backups: remove what has served its time, and what killed runs left half-written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from trueup import catalogue
from trueup.dialect import Dialect
from trueup.run import Backup
from trueup.stages.retention import expired
from trueup.target import Target


def tidy_backups(target: Target, dialect: Dialect, needed: Collection[str], now: datetime) -> tuple[Backup, ...]:
    """Remove the backups that the settings do not keep. Only for who holds the migrator lock.

    Args:
        target: names the directory and the retention.
        dialect: of the database.
        needed: ids of runs that can still be undone.
        now: the time.

    Returns:
        What was removed.
    """
    directory = target.backup_directory(dialect)
    catalogue.remove_leftovers(directory, dialect)
    gone = expired(catalogue.list_backups(directory, dialect), target.settings.retention, needed, now)
    for backup in gone:
        catalogue.delete_backup(backup)
    return tuple(gone)
