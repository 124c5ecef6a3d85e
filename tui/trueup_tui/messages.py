"""What the threads tell the app. A message says what happened; what follows from it is the app's business."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from trueup import Backup, BackupStatistics, Event, Health, PastRun, Plan, Target
from trueup_tui.tasks import Ending


@dataclass
class ReadingDone(Message):
    """Both sides were compared."""

    target: Target
    plan: Plan
    seconds: float


@dataclass
class ReadingFailed(Message):
    error: BaseException


@dataclass
class RunEvent(Message):
    """Core reports a move of the run."""

    event: Event


@dataclass
class BackupsListed(Message):
    backups: tuple[Backup, ...]
    directory: Path


@dataclass
class BackupsCounted(Message):
    """Comes after the list, since it asks the database what became of the runs, and that may have to wait."""

    statistics: BackupStatistics


@dataclass
class BackupsFailed(Message):
    error: BaseException


@dataclass
class TaskEnded(Message):
    """What came of a task, or why nothing did."""

    ending: Ending | None = None
    error: BaseException | None = None


@dataclass
class HistoryRead(Message):
    runs: tuple[PastRun, ...]
    """Newest first."""


@dataclass
class HistoryFailed(Message):
    error: BaseException


@dataclass
class Examined(Message):
    """How well the database is, or why nobody can tell."""

    health: Health | None = None
    error: BaseException | None = None


@dataclass
class UndoPlanned(Message):
    """What would take back the run, or why nothing can."""

    run_id: str
    plan: Plan | None = None
    error: BaseException | None = None


@dataclass
class ChoicesWritten(Message):
    """The answers are in the decisions file, or could not be written there."""

    error: BaseException | None
    then: str = ""
    """What was waiting for it: ``"apply"`` or nothing."""
