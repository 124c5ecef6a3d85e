"""Where the values and rows come from that an undo brings back: the backup that was taken for the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from trueup import catalogue, packing
from trueup.choosing import Taken
from trueup.dialect import Dialect
from trueup.errors import BackupNotUsable, ValuesGone
from trueup.limits import Limits
from trueup.past import PastRun
from trueup.plans import Source
from trueup.run import Backup
from trueup.stages import recheck
from trueup.stages.invert import older_names, renames_of
from trueup.target import Target
from trueup.zstd import Unreadable

_UNDONE_FROM_BACKUP = frozenset(("DropTable", "DropColumn", "DeleteRows", "CastValues", "AlterColumn"))


class _NoBackup(Exception):
    """The message says why."""


def find_source(taken: Taken, target: Target, now: datetime, limits: Limits) -> Source | None:
    """The run's backup, where it has anything that must come back.

    Raises:
        ValuesGone: it is needed, and there is none that is good.
        Cancelled, TimeLimitReached: the limits ended the check of it.
    """
    lost = tuple(_dropped(taken))
    if not lost and not _retyped(taken):
        return None
    dialect = target.dialect()
    try:
        return _verified(taken, target, dialect, now, limits)
    except _NoBackup as problem:
        if not lost:
            return None
        raise ValuesGone(run=taken.run.id, problem=problem, lost=", ".join(lost)) from problem


def bring(source: Source, limits: Limits) -> None:
    """See to it that the backup is there for a plan that may be old: a run since then may have packed it again.

    Raises:
        BackupNotUsable: it is not what it was, or this Python cannot unpack it.
        NotEnoughSpace, UnpackingFailed, Cancelled, TimeLimitReached: it is not unpacked.
    """
    if source.path.exists():
        return
    try:
        _put_back(catalogue.read_backup(source.path), limits)
    except _NoBackup as error:
        raise BackupNotUsable(backup=source.id, problem=str(error)) from error


def needs_backup(run: PastRun) -> bool:
    """Whether an undo of the run, as far as it still holds, brings back values that only its backup has."""
    made = (item for step in run.steps if not step.undone_by for item in step.made or ())
    return run.completed and not run.undone_by and any(item.kind in _UNDONE_FROM_BACKUP for item in made)


def _verified(taken: Taken, target: Target, dialect: Dialect, now: datetime, limits: Limits) -> Source:
    identifier = taken.run.backup_id
    if not identifier:
        raise _NoBackup("none was made for it")
    known = catalogue.list_backups(target.backup_directory(dialect), dialect)
    found = next((backup for backup in known if backup.id == identifier), None)
    if found is None:
        raise _NoBackup(f"the backup {identifier} is gone from {target.backup_directory(dialect)}")
    limits.phase = "checking the backup"
    _put_back(found, limits)
    checked = recheck.verify_backup(found, dialect, now, limits)
    if checked.problem:
        raise _NoBackup(f"the backup {identifier} is not good: {checked.problem}")
    copy = dialect.open_copy(checked.path)
    try:
        schema = copy.schema(leave_out=(target.settings.history_table,))
    finally:
        copy.close()
    if schema.fingerprint != taken.run.schema_before:
        raise _NoBackup(f"the backup {identifier} is not of the database as it was before the run")
    made = [item for step in taken.run.steps for item in step.made or ()]
    return Source(id=identifier, path=checked.path, schema=schema, renames=renames_of(made))


def _put_back(backup: Backup, limits: Limits) -> None:
    """It stays unpacked for some time, since a person may look at the plan before it is carried out."""
    try:
        packing.put_back(backup, limits)
    except Unreadable as error:
        raise _NoBackup(f"the backup {backup.id} is not good: {error}") from error


def _dropped(taken: Taken) -> Iterator[str]:
    """Names of the tables and columns whose rows and values only a backup has."""
    for item in older_names(taken.made):
        table = taken.before.table(item.table)
        if item.kind == "DropTable":
            yield f"the rows of table {item.table}"
        elif item.kind == "DeleteRows":
            yield f"the rows that were deleted from {item.table}"
        elif item.kind == "CastValues":
            yield f"the values that {item.table}.{item.names[0]} had"
        elif item.kind == "DropColumn" and table is not None:
            column = table.column(item.names[0])
            if column is not None and column.computed is None:
                yield f"the values of {item.table}.{column.name}"


def _retyped(taken: Taken) -> bool:
    return any(item.kind == "AlterColumn" for item in taken.made)
