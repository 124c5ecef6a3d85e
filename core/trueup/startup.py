"""One call that brings a database in step before a server serves.

A server in step starts many times a day: what only a run has need of is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.clock import Now, utc_now
from trueup.declaring import declare
from trueup.errors import SchemaMoved, TrueupError, explained
from trueup.limits import Limits
from trueup.locating import position
from trueup.policy import Policy
from trueup.reporting import Report, ignore
from trueup.run import Backup, Run, Status
from trueup.settings import Settings, load_settings
from trueup.standing import Position, Standing
from trueup.target import Target

if TYPE_CHECKING:
    from trueup.plans import Plan

_ATTEMPTS = 5
"""How often a plan is made anew because somebody else changed the database meanwhile."""
STARTUP_TIME_LIMIT = 15.0
"""Seconds that a starting server may be kept waiting when its settings do not say."""
_LOOKED_ONLY = (Status.IN_SYNC, Status.NEEDS_DECISION)
"""Ends of a start that had no need of the lock."""


def migrate(target: Target, *, report: Report = ignore, limits: Limits | None = None, now: Now = utc_now) -> Run:
    """Plan and apply without a person: what several servers may do at once on the same database.

    One of them applies; the others wait for it, look again, and find the database in step.

    Args:
        target: the database and the models.
        report: is told every move.
        limits: when to stop, waiting included; the settings' time limit when not given.
        now: the clock.

    Returns:
        The outcome; a failure is one too.
    """
    limits = limits or Limits(target.settings.time_limit)
    started_at = now()
    try:
        target = replace(target, models=declare(target, target.dialect()))
        for _ in range(_ATTEMPTS):
            run = _attempt(target, report, limits, now)
            if not isinstance(run.error, SchemaMoved):
                break
        return _tell_killed(run, target, now) if run.status in _LOOKED_ONLY else run
    except Exception as error:  # whatever it is, the server that called must go on with a result
        return _failed(explained(error), started_at=started_at, limits=limits)


def _attempt(target: Target, report: Report, limits: Limits, now: Now) -> Run:
    started_at, found = now(), position(target)
    if found.settled:
        return Run(id="", status=Status.IN_SYNC, started_at=started_at, seconds=limits.elapsed, position=found)
    if _is_ahead(found, target):
        return _left_alone(target, started_at, limits)
    from trueup.flow import apply, plan

    return apply(plan(target, limits=limits), target, report=report, limits=limits, kind="auto", now=now)


def _tell_killed(run: Run, target: Target, now: Now) -> Run:
    if target.dialect().noted() is None:
        return run
    from trueup.killed import settle

    told = settle(target, now())
    return replace(run, warnings=(*told, *run.warnings)) if told else run


def left_alone(target: Target, *, now: Now = utc_now) -> Run | None:
    """The outcome of :func:`migrate` where the database is ahead of the models; nothing where it would be migrated."""
    return _left_alone(target, now(), Limits()) if _is_ahead(position(target), target) else None


def _is_ahead(found: Position, target: Target) -> bool:
    return found.standing is Standing.MODELS_OLDER and not target.settings.accept_older_models


def _left_alone(target: Target, started_at: datetime, limits: Limits) -> Run:
    """A server that was rolled back must start, and must not take back what newer ones did."""
    from trueup.flow import plan

    ahead = plan(target, policy=Policy.CHECK, limits=limits)
    return Run(
        id="",
        status=Status.MODELS_OLDER,
        started_at=started_at,
        seconds=limits.elapsed,
        position=ahead.position,
        plan=ahead,
        warnings=(ahead.position.sentence, *_refused_inserts(ahead)),
    )


def _refused_inserts(plan: Plan) -> Iterator[str]:
    """What models that do not know a column cannot write."""
    from trueup.changes import DropColumn

    for change in (item.change for item in plan.assessments):
        if isinstance(change, DropColumn) and change.old.required:
            yield f"inserts into {change.table} will fail: {change.label} is NOT NULL without a default"


def _failed(error: TrueupError, *, started_at: datetime, limits: Limits) -> Run:
    return Run(id="", status=Status(error.status), started_at=started_at, seconds=limits.elapsed, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupInfo:
    """The backup of a run, in the words of :class:`MigrationResult`."""

    backup_id: str
    path: Path
    size: int
    """Bytes."""
    checksum: str
    """``algorithm:hex`` of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationResult:
    """What :func:`execute_startup_migration` answers."""

    success: bool
    """Everything that was to be done was done."""
    migration_needed: bool = False
    """There were differences, and it was for this run to remove them."""
    operations_executed: int = 0
    """Steps that ran; 0 when they were rolled back."""
    execution_time_ms: int = 0
    """From start to end, waiting included."""
    backup_created: bool = False
    backup_info: BackupInfo | None = None
    error_message: str | None = None
    """What failed, or what a person must decide; nothing where it succeeded."""
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: Run) -> MigrationResult:
        return cls(
            success=run.success,
            migration_needed=run.migration_needed,
            operations_executed=run.operations_executed,
            execution_time_ms=round(run.seconds * 1000),
            backup_created=run.backup is not None,
            backup_info=_info(run.backup) if run.backup else None,
            error_message=str(run.error) if run.error else None if run.success else _undecided(run.plan),
            warnings=run.warnings,
        )


def execute_startup_migration(
    database_url: str | None = None,
    backup_directory: str | Path | None = None,
    models: object = None,
) -> MigrationResult:
    """Bring the database in step with the models, or say why not. Never raises.

    Args:
        database_url: any SQLAlchemy URL; from the environment or the configuration file when not given.
        backup_directory: where backups go; ``.trueup/backups`` beside the database when not given.
        models: ``"package.module:Base"``, a file, or an object such as ``Base`` or its ``metadata``; from the
            environment or the configuration file when not given.

    Returns:
        What was done. ``success`` is False when something failed or needs a person; the database is then as it was.
    """
    try:
        arguments = {"url": database_url, "backup_dir": backup_directory and Path(backup_directory).absolute()}
        settings = load_settings(arguments, defaults=Settings(time_limit=STARTUP_TIME_LIMIT))
        target = Target.from_settings(settings, models)
    except Exception as error:  # also of an argument that is of no use; the server must go on with a result
        return MigrationResult(success=False, error_message=str(explained(error)))
    return MigrationResult.of(migrate(target))


def _info(backup: Backup) -> BackupInfo:
    return BackupInfo(backup_id=backup.id, path=backup.path, size=backup.size, checksum=backup.checksum)


def _undecided(plan: Plan | None) -> str | None:
    blocked = plan.blocked if plan else ()
    return f"{blocked[0].change.sentence}: {blocked[0].reason}; {blocked[0].remedy}" if blocked else None
