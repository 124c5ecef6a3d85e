"""What can be done with backups besides restoring them: list, count, make, verify, export and delete them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from trueup import catalogue
from trueup._version import __version__
from trueup.clock import Now, utc_now
from trueup.comparing import try_restoring
from trueup.dialect import Connection
from trueup.errors import (
    BackupNotDeleted,
    BackupNotUsable,
    BackupStillNeeded,
    DatabaseUnreadable,
    ExportFailed,
    TrueupError,
)
from trueup.events import BackedUp, BackupProgress, CrashFound, Waiting, Working
from trueup.flow import past_runs
from trueup.killed import settle
from trueup.limits import Limits
from trueup.reporting import Report, ignore
from trueup.run import Backup, BackupStatistics
from trueup.sourcing import needs_backup
from trueup.space import refuse_too_little
from trueup.stages import backups, recheck, recording
from trueup.stages.retention import storage_warning
from trueup.target import Target

_NO_RUN, _UNKNOWN = "no run", "unknown run"


class _NotRecordedYet(Exception):
    """An earlier run was killed, and the database cannot be told so now."""


def list_backups(target: Target) -> tuple[Backup, ...]:
    """The backups of the target's database, newest first; what is wrong with one is its ``problem``.

    Raises:
        BackupsUnreadable: what is in the directory cannot be told.
    """
    dialect = target.dialect()
    return catalogue.list_backups(target.backup_directory(dialect), dialect)


def find_backup(target: Target, identifier: str) -> Backup:
    """The backup of that id; the newest good one for ``"latest"``.

    Raises:
        NoSuchBackup: there is none.
        BackupsUnreadable: what is in the directory cannot be told.
    """
    dialect = target.dialect()
    return catalogue.find_backup(target.backup_directory(dialect), dialect, identifier)


def backup_statistics(target: Target) -> BackupStatistics:
    """How many backups there are, of when, how large, and what became of the runs that they were taken for.

    A database that cannot be read tells nothing of its runs; the rest is known all the same.

    Raises:
        BackupsUnreadable: what is in the directory cannot be told.
    """
    found = list_backups(target)
    outcomes = _outcomes(target)
    return BackupStatistics(
        count=len(found),
        good=sum(not backup.problem for backup in found),
        size=sum(backup.disk_size for backup in found),
        oldest=found[-1].created_at if found else None,
        newest=found[0].created_at if found else None,
        outcomes=dict(Counter(_outcome(backup, outcomes) for backup in found).most_common()),
        warning=storage_note(found, target),
    )


def storage_note(found: Sequence[Backup], target: Target) -> str:
    """A sentence when these backups take more room than the settings think right; empty otherwise."""
    return storage_warning(found, target.settings.retention)


def verify_backup(
    backup: Backup,
    target: Target,
    *,
    thorough: bool = False,
    trial: bool = False,
    limits: Limits | None = None,
    now: Now = utc_now,
) -> Backup:
    """Read a backup again and check it; the answer is also kept beside it.

    Args:
        backup: from :func:`list_backups` or :func:`find_backup`.
        target: the database.
        thorough: hold every index against its table as well, which takes many times as long.
        trial: restore it into a scratch file as well, and compare what comes of it with the backup.
        limits: when to stop; never when not given.
        now: the clock.

    Returns:
        The backup, with ``problem`` empty when it is good.

    Raises:
        NotEnoughSpace, TrialImpossible: the trial could not be made. The backup itself was checked.
        NotEnoughSpace, UnpackingFailed: it is packed, and there is no place to unpack it to.
        Cancelled, TimeLimitReached: the limits say so.
    """
    limits = limits or Limits()
    limits.phase = "checking the backup"
    checked = recheck.verify_backup(backup, target.dialect(), now(), limits, thorough=thorough)
    if not trial or checked.problem:
        return checked
    limits.phase = "restoring the backup for trial"
    tried = replace(checked, problem=try_restoring(checked, target, limits))
    catalogue.note_check(tried)
    return tried


def export_backup(backup: Backup, target: Target, path: Path, *, limits: Limits | None = None) -> Path:
    """Copy a backup to another place, verified there; what is there already is never overwritten.

    Args:
        backup: from :func:`list_backups` or :func:`find_backup`; it is verified first.
        target: the database.
        path: the new file, or a directory for it.
        limits: when to stop; never when not given.

    Returns:
        The new file: a database that needs no other files, for the owner only.

    Raises:
        BackupNotUsable: the backup is not good.
        ExportFailed: the file exists, cannot be written, or is not what it should be; or it would not stay that.
        NotEnoughSpace, UnpackingFailed: it is packed, and there is no place to unpack it to, to verify it.
        Cancelled, TimeLimitReached: the limits say so; there is no new file then.
    """
    limits = limits or Limits()
    checked = verify_backup(backup, target, limits=limits)
    if checked.problem:
        raise BackupNotUsable(backup=backup.id, problem=checked.problem)
    place = path / backup.plain_path.name if path.is_dir() else path
    for remains in target.dialect().remains(place):
        reason = f"{remains.name} of an earlier database is there, and would be played over it"
        raise ExportFailed(backup=backup.id, path=place, reason=reason)
    limits.phase = "exporting the backup"
    try:
        backups.export(checked, place, limits)
    except OSError as error:
        reason = "it exists already" if isinstance(error, FileExistsError) else error.strerror or str(error)
        raise ExportFailed(backup=backup.id, path=place, reason=reason) from error
    return place


def make_backup(target: Target, *, report: Report = ignore, limits: Limits | None = None, now: Now = utc_now) -> Backup:
    """Back the database up now, for no run. What the settings say about how long backups stay holds for it as well.

    Args:
        target: the database; its models are not read.
        report: is told every move, in the calling thread.
        limits: when to stop; the settings' time limit when not given.
        now: the clock.

    Raises:
        BackupFailed, NotEnoughSpace: it could not be written, or is not good.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy, ReadOnlyDatabase: the database cannot be read and locked.
        AnotherMigrator: a run is at work.
        Cancelled, TimeLimitReached: the limits say so.
    """
    settings, dialect = target.settings, target.dialect()
    limits = limits or Limits(settings.time_limit)
    if not dialect.size():
        raise DatabaseUnreadable(database=dialect.database, reason="there is no database")
    with _alone("backup", target, report, limits, now):
        connection = dialect.connect(write=True, timeout=settings.lock_timeout)
        try:
            with connection.limited(limits), limits.explaining():
                limits.phase = "waiting for other writers"
                connection.begin(limits.within(settings.lock_timeout))
                made = _make(connection, target, report, limits, now)
        finally:
            connection.close()
    report(BackedUp(elapsed=limits.elapsed, backup=made))
    return made


def delete_backup(
    backup: Backup, target: Target, *, accept_loss: bool = False, report: Report = ignore, now: Now = utc_now
) -> None:
    """Remove a backup, its file and its description.

    Args:
        backup: from :func:`list_backups` or :func:`find_backup`.
        target: the database.
        accept_loss: also the last good one, and one that an undo would bring values back from.
        report: is told of a run that has to be waited for, and of one that was killed.
        now: the clock.

    Raises:
        BackupStillNeeded: it is one of these, and nobody accepted that.
        NoSuchBackup: somebody deleted it already.
        BackupsUnreadable: what is in the directory cannot be told.
        AnotherMigrator: a run that may need it is at work.
        ReadOnlyDatabase: the lock file beside the database cannot be written.
        BackupNotDeleted: the directory does not allow it.
    """
    with _alone("delete", target, report, Limits(), now):
        found = find_backup(target, backup.id)
        reason = "" if accept_loss else _still_needed(found, target)
        if reason:
            raise BackupStillNeeded(backup=backup.id, reason=reason)
        try:
            catalogue.delete_backup(found)
        except OSError as error:
            raise BackupNotDeleted(backup=backup.id, reason=error.strerror or str(error)) from error


def _make(connection: Connection, target: Target, report: Report, limits: Limits, now: Now) -> Backup:
    dialect = target.dialect()
    directory = target.backup_directory(dialect)
    refuse_too_little("The backup", [(directory, dialect.size())])
    limits.phase = "making the backup"
    order = backups.Order(
        connection=connection,
        dialect=dialect,
        directory=directory,
        now=now(),
        run_id=None,
        version=__version__,
        limits=limits,
        progress=lambda done, total: report(BackupProgress(elapsed=limits.elapsed, done=done, total=total)),
    )
    return backups.make_backup(order, thorough=target.settings.backup_full_check)


@contextmanager
def _alone(kind: str, target: Target, report: Report, limits: Limits, now: Now) -> Iterator[None]:
    """Hold the migrator lock for what is no run. An earlier run that was killed is told, and recorded before, where it
    can be; otherwise its note stays for the next one, as it does when something is raised."""
    dialect = target.dialect()
    for sentence in settle(target, now()):
        report(CrashFound(elapsed=limits.elapsed, sentence=sentence))
    limits.phase = "waiting for another migrator"
    intent = recording.intent(os.urandom(6).hex(), kind, now())
    timeout = limits.within(target.settings.lock_timeout)

    def waiting(holder: str) -> None:
        report(Waiting(elapsed=limits.elapsed, holder=holder))

    def beat() -> None:
        report(Working(elapsed=limits.elapsed, phase=limits.phase))

    with (
        suppress(_NotRecordedYet),
        limits.listening(beat),
        dialect.lock(intent, timeout, waiting, limits) as killed,
    ):
        yield
        if killed is not None:
            raise _NotRecordedYet


def _outcomes(target: Target) -> Mapping[str, str]:
    try:
        return {run.id: run.state for run in past_runs(target)}
    except TrueupError:
        return {}


def _outcome(backup: Backup, outcomes: Mapping[str, str]) -> str:
    """A failed run is not always in the history, but its backup knows."""
    if backup.run_id is None:
        return _NO_RUN
    return outcomes.get(backup.run_id) or ("rolled_back" if backup.run_failed else _UNKNOWN)


def _still_needed(backup: Backup, target: Target) -> str:
    """Why a backup should stay; empty when it may go."""
    good = [item.id for item in list_backups(target) if item.origin == backup.origin and not item.problem]
    if good == [backup.id]:
        return "it is the only good one"
    if backup.run_id is None or backup.problem:
        return ""
    try:
        runs = [run for run in past_runs(target) if run.changed]
    except TrueupError as error:
        return f"whether an undo needs it cannot be told: {error}"
    if runs and runs[-1].id == backup.run_id:
        return f"it was taken for the last run, {backup.run_id}, and takes it back"
    needed = any(needs_backup(run) for run in runs if run.id == backup.run_id)
    return f"only with it trueup undo {backup.run_id} brings back the values that the run dropped" if needed else ""
