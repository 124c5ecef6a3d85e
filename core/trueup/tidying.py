"""What a run does about earlier backups: remove what has served its time, and what killed runs left half-written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from trueup import catalogue
from trueup.dialect import Dialect
from trueup.run import Backup
from trueup.stages.retention import expired, storage_warning
from trueup.target import Target


@dataclass(frozen=True, slots=True)
class Tidied:
    removed: tuple[Backup, ...]
    warning: str
    """Where what stays takes much room; empty otherwise."""


def tidy_backups(target: Target, dialect: Dialect, needed: Collection[str], now: datetime) -> Tidied:
    """Remove the backups that the settings do not keep. Only for who holds the migrator lock.

    Args:
        target: names the directory and the retention.
        dialect: of the database.
        needed: ids of runs that can still be undone.
        now: the time.
    """
    directory, keep = target.backup_directory(dialect), target.settings.retention
    catalogue.remove_leftovers(directory, dialect)
    found = catalogue.list_backups(directory, dialect)
    gone = expired(found, keep, needed, now)
    for backup in gone:
        catalogue.delete_backup(backup)
    return Tidied(tuple(gone), storage_warning([backup for backup in found if backup not in gone], keep))
