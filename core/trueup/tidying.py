"""What a run does about earlier backups: remove what has served its time, and what killed runs left half-written; pack
those that nobody will want in a hurry."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from trueup import catalogue, packing, zstd
from trueup.aside import aside
from trueup.dialect import Dialect
from trueup.errors import Cancelled, TimeLimitReached
from trueup.limits import Limits
from trueup.run import Backup
from trueup.stages import recheck
from trueup.stages.retention import expired, packable, storage_warning
from trueup.target import Target
from trueup.throwaway import remove_abandoned

_PATIENCE = 3600.0
"""Seconds that a backup stays unpacked for an undo."""


@dataclass(frozen=True, slots=True)
class Tidied:
    removed: tuple[Backup, ...]
    warning: str
    """Where what stays takes much room; empty otherwise."""


def tidy_backups(target: Target, dialect: Dialect, needed: Collection[str], now: datetime) -> Tidied:
    """Remove the backups that the settings do not keep, and what killed processes left. Only for who holds the
    migrator lock. Those of a database that is gone, as it may be for its last backup to be needed, are not touched.

    Args:
        target: names the directory and the retention.
        dialect: of the database.
        needed: ids of runs that can still be undone.
        now: the time.
    """
    directory, keep = target.backup_directory(dialect), target.settings.retention
    catalogue.remove_leftovers(directory, dialect)
    remove_abandoned([directory, dialect.home.parent])  # a rehearsal before the first backup lies beside the database
    found = catalogue.list_backups(directory, dialect)
    gone = expired([backup for backup in found if catalogue.is_own(backup, dialect)], keep, needed, now)
    for backup in gone:
        catalogue.delete_backup(backup)
    return Tidied(tuple(gone), storage_warning([backup for backup in found if backup not in gone], keep))


def pack_backups(
    target: Target, dialect: Dialect, needed: Collection[str], now: datetime, limits: Limits
) -> Iterator[str]:
    """Pack older backups, where the settings want it. Only for who holds the migrator lock, and no transaction.

    What there is no time for is packed after the next run.

    Args:
        target: names the directory and the compression.
        dialect: of the database.
        needed: ids of runs that can still be undone.
        now: the time.
        limits: when to stop.

    Yields:
        Sentences about what could not be done.

    Raises:
        BackupsUnreadable: what is in the directory cannot be told.
    """
    if target.settings.backup_compression == "none":
        return
    if not zstd.installed():
        yield f"older backups were not packed: {zstd.MISSING}"
        return
    limits.phase = "packing older backups"
    for backup in packable(catalogue.list_backups(target.backup_directory(dialect), dialect), needed):
        if _wanted_now(backup):
            continue
        try:
            problem = _pack(backup, dialect, now, limits)
        except (Cancelled, TimeLimitReached):
            return
        if problem:
            yield f"the backup {backup.id} was not packed: {problem}"


def _pack(backup: Backup, dialect: Dialect, now: datetime, limits: Limits) -> str:
    """Returns why it could not be."""
    try:
        limits.check()
        aside(partial(packing.pack, backup, dialect, limits), limits, limits.cancel)
    except zstd.Unreadable as error:  # so it is the backup that is not what it was
        return recheck.verify_backup(backup, dialect, now, limits).problem or str(error)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _wanted_now(backup: Backup) -> bool:
    """Whether it was unpacked for an undo that somebody is still looking at."""
    return bool(backup.packed_size) and time.time() - backup.path.stat().st_ctime < _PATIENCE
