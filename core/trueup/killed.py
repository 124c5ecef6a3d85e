"""An earlier run that was killed: what became of it is told once, recorded, and what it left behind is taken away."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from trueup import catalogue
from trueup.dialect import Dialect
from trueup.errors import AnotherMigrator, BackupsUnreadable, ReadOnlyDatabase
from trueup.limits import Limits
from trueup.past import PastRun, unrecorded
from trueup.run import Intent
from trueup.stages import failing, history
from trueup.target import Target
from trueup.tidying import tidy_backups

_PATIENCE = 1.0
"""Seconds that a start which has nothing to do waits for a writer, to record the killed run."""


def clean_up(killed: Intent, completed: Collection[str], target: Target, dialect: Dialect) -> str:
    """Take away what it left half-written. Only for who holds the migrator lock.

    This is done before anything new is written, so that a server that is killed at every start cannot fill the disk.

    Args:
        killed: what it had noted.
        completed: ids of the runs that changed the database.
        target: the database.
        dialect: of the database.

    Returns:
        The sentence that tells of it.
    """
    done = killed.run_id in completed
    directory = target.backup_directory(dialect)
    with suppress(BackupsUnreadable):  # a run that needs the directory says so itself
        for backup in catalogue.list_backups(directory, dialect):
            if backup.run_id == killed.run_id and not done and not backup.problem:
                catalogue.mark_failed(backup)
        catalogue.remove_leftovers(directory, dialect)
    when = "after its commit, so all of it is done" if done else "before its commit, so nothing of it was done"
    return f"an earlier run ({killed}) was killed {when}"


def settle(target: Target, now: datetime) -> tuple[str, ...]:
    """For a start that takes no lock because it has nothing to do.

    Returns:
        What there is to tell; nothing when no run was killed, or when one is at work now.
    """
    dialect = target.dialect()
    left = dialect.noted()
    if left is None:
        return ()
    try:
        with dialect.lock(left, 0.0, lambda _holder: None, Limits()) as killed:
            return _settle(killed, target, dialect, now) if killed else ()
    except (AnotherMigrator, ReadOnlyDatabase):
        return ()
    except Exception as error:  # the database is in step, which is what the caller wants to know
        return (f"an earlier run ({left}) was killed, which is not recorded yet: {error}",)


def find_unfinished(dialect: Dialect) -> PastRun | None:
    """The run that goes on, or that was killed and of which nobody told yet.

    A run notes itself after it took the lock, and takes the note away before it lets go. So it is that of a killed one
    when it was there before nobody had the lock, and still is.
    """
    before, running = dialect.noted(), dialect.locked()
    noted = dialect.noted()
    if noted is None or noted != before or running is None:
        return None
    return unrecorded(noted, running=running)


def _settle(killed: Intent, target: Target, dialect: Dialect, now: datetime) -> tuple[str, ...]:
    name = target.settings.history_table
    connection = dialect.connect(write=True, timeout=_PATIENCE)
    try:
        completed = history.read_completed(connection, name)
        told = clean_up(killed, completed, target, dialect)
        tidy_backups(target, dialect, history.read_last_change(connection, name), now)
        if completed and killed.run_id not in completed:
            connection.begin(_PATIENCE)
            failing.record_interrupted(connection, name, killed, now)
            connection.commit(_PATIENCE)
        return (told,)
    finally:
        connection.close()
