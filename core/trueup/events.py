"""What happens during a run, pushed to ``report`` as it happens. Listeners choose their own form for it.

Every event carries ``elapsed``, the seconds since the run began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from trueup.errors import TrueupError
from trueup.plans import Plan, Step
from trueup.run import Backup, Receipt, Rehearsal, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    elapsed: float
    """Seconds since the run began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing(_Event):
    """Of several in a row only the newest says anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Working(Passing):
    """A sign of life: told at least every quarter of a second where nothing more can be said."""

    phase: str
    """What goes on, such as ``"verifying the result"``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(_Event):
    run_id: str
    plan: Plan
    time_limit: float | None
    """Seconds from lock to commit; ``None`` for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreStarted(_Event):
    run_id: str
    backup: Backup
    time_limit: float | None
    """Seconds; ``None`` for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(_Event):
    """Somebody else is at work on the database."""

    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(_Event):
    """No other migrator can start, and no other process can write, until the run ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashFound(_Event):
    """An earlier run was killed; the database is as that run found it, or as it left it, never in between."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(_Event):
    """The database's own integrity check found nothing. With a backup it is the copy that is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupProgress(Passing):
    done: int
    """Pages."""
    total: int
    """Pages in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp(_Event):
    backup: Backup


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(_Event):
    number: int
    """From 1."""
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementStarted(_Event):
    number: int
    """Of the step, from 1."""
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress(Passing):
    """Told at least every quarter of a second while a statement runs."""

    number: int
    """Of the step, from 1."""
    rows: int
    """Rows that the statement has behind it."""
    total: int
    """Rows in all; 0 for a statement of which only its end can be seen."""
    left: float
    """Seconds until the step ends, by what its statements were estimated to take and what they took so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(_Event):
    number: int
    """From 1."""
    step: Step
    seconds: float
    """How long it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreProgress(Passing):
    done: int
    """Pages."""
    total: int
    """Pages in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying(_Event):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(_Event):
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack(_Event):
    error: TrueupError


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalStarted(_Event):
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress(Passing):
    """The copy that a plan is rehearsed on."""

    done: int
    """Pages."""
    total: int
    """Pages in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed(_Event):
    """Always the last event of a rehearsal."""

    rehearsal: Rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(_Event):
    """Always the last event of a run."""

    run: Run


Event: TypeAlias = (
    Started
    | RehearsalStarted
    | CopyProgress
    | Rehearsed
    | RestoreStarted
    | Waiting
    | Working
    | Locked
    | CrashFound
    | Checked
    | BackupProgress
    | BackedUp
    | StepStarted
    | StatementStarted
    | StepProgress
    | StepFinished
    | RestoreProgress
    | Verifying
    | Verified
    | RolledBack
    | Finished
)
