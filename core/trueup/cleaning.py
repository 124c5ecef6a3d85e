"""Take old records out of the history, and leave in it whatever an undo or the next comparison builds on.

A line for each run that changed something stays for ever: from it a server knows that its models are older, which
tables are the models', and which renames were made. It is small; what takes room are the steps with their SQL, the
schema as it was before, and the proof.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trueup import catalogue
from trueup.choosing import newest_to_undo
from trueup.clock import Now, utc_now
from trueup.history_table import remove_runs
from trueup.past import PastRun, read_runs
from trueup.stages import history, recording
from trueup.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleanup:
    """What is taken out of a history."""

    before: datetime
    """Only what ended before counts as old."""
    removed: tuple[PastRun, ...]
    """Runs that changed nothing; nothing of them stays."""
    shortened: tuple[PastRun, ...]
    """Runs that cannot be undone afterwards: their line stays, without steps, SQL, proof and schema."""
    kept: tuple[PastRun, ...]
    """Old ones that stay whole, since an undo may need them."""

    @property
    def steps(self) -> int:
        """How many steps go; of one that renamed something its sentence stays."""
        return sum(len(run.steps) for run in self.shortened)

    @property
    def nothing(self) -> bool:
        return not self.removed and not self.shortened


def plan_cleanup(target: Target, *, days: float | None = None, now: Now = utc_now) -> Cleanup:
    """What :func:`clean_history` would take out. Writes nothing.

    Args:
        target: the database.
        days: records that are older may go; the settings' ``history_days`` when not given.
        now: the clock.

    Raises:
        ConfigurationError: the URL, or the name of the history, cannot be used.
        BackupsUnreadable: which runs can still be undone cannot be told.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
    """
    dialect, settings = target.dialect(), target.settings
    connection = dialect.connect(write=False, timeout=settings.lock_timeout)
    try:
        records = history.read_records(connection, settings.history_table)
    finally:
        connection.close()
    return _choose(read_runs(records), target, days, now())


def clean_history(target: Target, *, days: float | None = None, now: Now = utc_now) -> Cleanup:
    """Take out of the history what is old and nothing builds on, in one transaction.

    Args:
        target: the database.
        days: records that are older may go; the settings' ``history_days`` when not given.
        now: the clock.

    Returns:
        What was taken out.

    Raises:
        ConfigurationError, BackupsUnreadable: as :func:`plan_cleanup`.
        ReadOnlyDatabase, DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: nothing was taken out.
    """
    found = plan_cleanup(target, days=days, now=now)
    if found.nothing:
        return found
    name, timeout = target.settings.history_table, target.settings.lock_timeout
    connection = target.dialect().connect(write=True, timeout=timeout)
    try:
        connection.begin(timeout)
        found = _choose(read_runs(history.read_records(connection, name)), target, days, now())
        remove_runs(connection, name, [run.id for run in found.removed])
        recording.shorten_runs(connection, name, [run.id for run in found.shortened])
        connection.commit(timeout)
    finally:
        connection.close()
    return found


def _choose(runs: Sequence[PastRun], target: Target, days: float | None, now: datetime) -> Cleanup:
    before = now - timedelta(days=target.settings.history_days if days is None else days)
    old = [run for run in runs[:-1] if run.started_at + timedelta(seconds=run.seconds) < before]
    needed = {run.id for run in _needed(runs, _backups(target))}
    whole = [run for run in old if run.completed and run.detailed]
    return Cleanup(
        before=before,
        removed=tuple(run for run in old if not run.completed),
        shortened=tuple(run for run in whole if run.id not in needed),
        kept=tuple(run for run in whole if run.id in needed),
    )


def _backups(target: Target) -> frozenset[str]:
    """Ids of those that are there."""
    dialect = target.dialect()
    found = catalogue.list_backups(target.backup_directory(dialect), dialect)
    return frozenset(backup.id for backup in found if not backup.problem)


def _needed(runs: Sequence[PastRun], backups: Collection[str]) -> Iterator[PastRun]:
    """What an undo asks of the history: the run itself, what it undid in turn, and every run since, which may have
    changed the same. So it is everything from the oldest run on that can still be undone with its values."""
    places = {run.id: place for place, run in enumerate(runs)}
    newest = newest_to_undo(runs)
    first = min(
        (places[run.id] for run in runs if run is newest or _can_bring_back(run, backups)),
        default=len(runs),
    )
    while first < len(runs):
        earliest = min((places.get(id_, first) for run in runs[first:] for id_ in run.undoes), default=first)
        if earliest >= first:
            break
        first = earliest
    yield from runs[first:]


def _can_bring_back(run: PastRun, backups: Collection[str]) -> bool:
    return bool(run.steps) and run.changed and not run.undone_by and run.backup_id in backups
