"""Everything that can go wrong, in one place.

The docstring of each class is its message: a sentence that says what happened, what is safe and what to do next.
``{name}`` fields are filled from the keyword arguments the error is raised with. Each class carries the exit code of
the command line, so a failure has one meaning in a shell, in JSON and in a library call.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class TrueupError(Exception):
    """trueup could not go on."""

    exit_code: ClassVar[int] = 3
    status: ClassVar[str] = "failed"

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(_sentence(type(self), facts))

    def __reduce__(self) -> tuple[Any, ...]:
        """For a pool of processes: :class:`Exception` would be made anew from its sentence, not from the facts."""
        return _again, (type(self), self.facts)


def _again(kind: type[TrueupError], facts: dict[str, Any]) -> TrueupError:
    return kind(**facts)


def _sentence(kind: type[TrueupError], facts: dict[str, Any]) -> str:
    """``python -OO`` keeps no docstrings; the facts tell most of it then."""
    if kind.__doc__ is None:
        return f"{kind.__name__}: {', '.join(f'{name} {value}' for name, value in facts.items())}"
    return " ".join(inspect.cleandoc(kind.__doc__).split()).format(**facts)


# -- 2: wrong use or configuration -------------------------------------------------------------------------------------


class ConfigurationError(TrueupError):
    """{problem}"""

    exit_code = 2
    status = "misconfigured"


class NoTarget(ConfigurationError):
    """No {what} given. Looked at: {looked}. Nothing was opened. Pass {option}, or write it into trueup.toml."""


class UnsupportedDatabase(ConfigurationError):
    """trueup cannot migrate {backend} databases yet; SQLite files are supported. Nothing was opened."""


class ModelsError(ConfigurationError):
    """The models {spec} cannot be used: {problem}. The database was not opened."""


class ModelsRejected(ConfigurationError):
    """SQLite does not accept the tables that the models {spec} declare: {problem}. The database was not changed."""


class NoSuchBackup(ConfigurationError):
    """There is no backup {backup} in {directory}. Nothing was changed. There are: {known}."""


class NoSuchRun(ConfigurationError):
    """There is no {what} in the history of {database}. Nothing was changed. {known}"""


class DecisionsError(ConfigurationError):
    """{path}: {problem}. Nothing was changed; correct the [[decisions]] entry and run again."""


class PlanFileError(ConfigurationError):
    """{path} cannot be used as a plan file: {problem}. Nothing was changed; make a new one with --plan-out."""


class HistoryNameTaken(ConfigurationError):
    """The table {name} exists and is not trueup's history. Nothing was changed. Choose another name for trueup's own
    table with history_table = "..." in trueup.toml or TRUEUP_HISTORY_TABLE."""


# -- 1: a person must decide -------------------------------------------------------------------------------------------


class BackupStillNeeded(TrueupError):
    """The backup {backup} was not deleted: {reason}. Accept that with --yes."""

    exit_code = 1
    status = "needs_decision"


# -- 3: failed, database unchanged -------------------------------------------------------------------------------------


class StatementFailed(TrueupError):
    """{sentence} failed: {reason}. Everything was rolled back; the database is as it was."""


class VerificationFailed(TrueupError):
    """The result was not what the plan promised: {problem}. Everything was rolled back; the database is as it was."""


class PlanNotProved(TrueupError):
    """The plan was tried on an empty copy of the schema and did not lead where it should: {problem}. Nothing was
    changed. This is a mistake in trueup; please report it with the definition of that table."""


class RenameRefused(TrueupError):
    """The rename that was decided cannot be done: {reason}. Nothing was changed. Mend or drop the object that stands in
    the way, or take back the decision."""


class SchemaMoved(TrueupError):
    """The database changed after the plan was made, so the plan was not applied. Nothing was changed; make a new plan
    and review it."""


class PlanMoved(SchemaMoved):
    """The plan in {path} does not fit any more: {moved}. Nothing was changed; make a new plan file and review it."""


class NothingToTake(TrueupError):
    """{database} has no tables, so there is nothing to take for a starting point. Nothing was changed; trueup --auto
    makes the models' tables."""


class ReadOnlyDatabase(TrueupError):
    """{database} is read-only for this user, so it cannot be migrated. Nothing was changed. Give the process write
    permission on the file and its directory."""


class LockFileRefused(ReadOnlyDatabase):
    """The lock file {path} cannot be used: {reason}. Nothing was changed. Give this user the permission to write to it;
    while no migrator is at work, it may also be deleted."""


class DiskFailed(TrueupError):
    """{database} could not be written: {reason}. Everything was rolled back; the database is as it was. Make room on
    its file system, or see to the disk, and run again."""


class BackupNeeded(TrueupError):
    """{rows} rows are to be deleted, as was decided, and no backup is to be made. Nothing was changed. Allow the
    backup, or take the decision back."""


class BackupFailed(TrueupError):
    """No verified backup could be made in {directory}: {reason}. The migration was not started; the database is as it
    was. Make room there, or give this user the permission to write to it, or name another directory with
    --backup-dir."""


class BackupNotGood(TrueupError):
    """The backup {backup} cannot be restored: {problem}. Nothing was changed. Choose another one; these passed their
    last check: {good}."""


class NotReplaceable(TrueupError):
    """The backup cannot take the place of {database} as it is: {problem}. Nothing was changed. Move the file of the
    database away while nothing has it open, and restore again."""


class UnpackingFailed(TrueupError):
    """The backup {backup} is packed, and could not be unpacked in {directory}: {reason}. Nothing was changed. Make room
    there, or give this user the permission to write to it."""


class BackupsUnreadable(TrueupError):
    """The directory of backups {directory} cannot be read: {reason}. Nothing was changed. Give this user the permission
    to read it, or name another directory with --backup-dir."""


class TrialImpossible(TrueupError):
    """The backup {backup} passed its check, but could not be restored for trial in {directory}: {reason}. Nothing was
    changed."""


class BackupNotUsable(TrueupError):
    """The backup {backup} cannot be used: {problem}. Nothing was changed. "trueup backups verify" says which are
    good."""


class BackupNotDeleted(TrueupError):
    """The backup {backup} could not be deleted: {reason}. Make its directory writable for this user."""


class ExportFailed(TrueupError):
    """The backup {backup} was not exported to {path}: {reason}. Nothing was overwritten; name another file."""


class RestoreNotProved(TrueupError):
    """The database was replaced by the backup {backup}, but what was read afterwards is not what the backup holds:
    {problem}. The content from before is in the backup {saved}; restore that one."""


class HistoryUnreadable(TrueupError):
    """The history has a record of the run {run} that cannot be read: {problem}. Nothing was changed. Something damaged
    it; take that record out of the table, or restore a backup."""


class AlreadyUndone(TrueupError):
    """{what} was taken back already, by the run {by}. Nothing was changed. To have its changes again, undo that one:
    trueup undo {by}"""


class NotUndoable(TrueupError):
    """The run {run} cannot be undone: {problem}. Nothing was changed. {remedy}"""


class ValuesGone(TrueupError):
    """What the run {run} dropped is in no backup any more: {problem}. Without it {lost} would not come back. Nothing
    was changed. All else can be undone with: trueup undo {run} --structure-only"""


class NotEnoughSpace(TrueupError):
    """{what} needs about {needed} MB in {directory}, and {free} MB are free. Nothing was changed. Make room, or name
    another directory with --backup-dir."""


class RehearsalFailed(TrueupError):
    """The plan could not be rehearsed in {directory}: {reason}. The database is as it was. Name another directory with
    --backup-dir."""


class NotSettled(TrueupError):
    """On a copy of the database the plan did not lead where it should: {problem}. The database is as it was. This is a
    mistake in trueup; please report it with the definition of that table."""


class Unexpected(TrueupError):
    """Something went wrong that trueup does not know: {reason}. Everything was rolled back; the database is as it was.
    Please report this with the output of --verbose."""


class Cancelled(TrueupError):
    """Cancelled while {phase}. Everything was rolled back; the database is as it was."""

    status = "cancelled"


# -- 4: time limit, database unchanged ---------------------------------------------------------------------------------


class TimeLimitReached(TrueupError):
    """The time limit of {limit:g} s ended while {phase}. Everything was rolled back; the database is as it was. Allow
    more with --time-limit."""

    exit_code = 4
    status = "timed_out"


class EstimateTooLong(TrueupError):
    """Estimated execution time ({estimate:.0f}s) exceeds maximum allowed ({limit:g}s). Nothing was changed. Allow more
    with --time-limit."""

    exit_code = 4
    status = "timed_out"


# -- 5: somebody else holds the database -------------------------------------------------------------------------------


class AnotherMigrator(TrueupError):
    """Another migrator ({holder}) has been working on {database} for longer than the lock timeout of {timeout:g} s.
    Nothing was changed; run again when it has finished."""

    exit_code = 5
    status = "locked"


class DatabaseBusy(TrueupError):
    """Another process holds {database} and did not let go within the lock timeout of {timeout:g} s{who}. Nothing was
    changed; run again when that process has finished."""

    exit_code = 5
    status = "locked"


# -- 6: unreadable or damaged ------------------------------------------------------------------------------------------


class DatabaseUnreadable(TrueupError):
    """{database} cannot be opened: {reason}. Nothing was changed. Check the path and the permissions of the file and
    its directory."""

    exit_code = 6
    status = "unreadable"


class DatabaseDamaged(TrueupError):
    """{database} is damaged: {reason}. It was not touched. Restore a good backup ({good}), or salvage it with the
    sqlite3 shell's .recover."""

    exit_code = 6
    status = "damaged"

    def __init__(self, *, database: str, reason: str, good: str = "trueup backups lists them") -> None:
        super().__init__(database=database, reason=reason, good=good)


def explained(error: Exception) -> TrueupError:
    """The error itself, or :class:`Unexpected` about one that trueup does not know."""
    if isinstance(error, TrueupError):
        return error
    unexpected = Unexpected(reason=f"{type(error).__name__}: {error}")
    unexpected.__cause__ = error
    return unexpected
