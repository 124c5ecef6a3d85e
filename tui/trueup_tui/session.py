"""All that the screens show, in one value owned by the app. It knows neither widgets nor threads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from trueup import (
    Backup,
    BackupComparison,
    BackupStatistics,
    Health,
    Job,
    Limits,
    PastRun,
    Plan,
    Settings,
    Target,
    errors,
)
from trueup_tui.choices import Choices
from trueup_tui.clock import Clock
from trueup_tui.commands import way_to
from trueup_tui.jobs import Core
from trueup_tui.progress import Progress
from trueup_tui.rehearsal import Rehearsing
from trueup_tui.restore import Restore
from trueup_tui.rows import Row, rows_of
from trueup_tui.tasks import Task
from trueup_tui.undo import Undo
from trueup_tui.wording import exit_code

_OF_A_CHOICE = (errors.DecisionsError, errors.PlanNotProved, errors.RenameRefused)
"""What is wrong with an answer, not with the database."""


@dataclass
class Session:
    """The state of one visit."""

    settings: Settings
    core: Core = field(default_factory=Core)
    clock: Clock = field(default_factory=Clock)
    choices: Choices = field(default_factory=Choices)

    target: Target | None = None
    plan: Plan | None = None
    """The last reading."""
    rows: tuple[Row, ...] = ()
    read_at: datetime | None = None
    read_seconds: float = 0.0
    error: BaseException | None = None
    """Why the last reading failed."""
    readings: int = 0
    """How many were begun; one at a time."""
    reading: bool = False
    followed: Choices = field(default_factory=Choices)
    """The choices that the last reading followed."""
    refused: str = ""
    """Why a choice that was made since then cannot be followed, as a sentence."""
    notice: str = ""
    """A sentence about the reading that must be seen, until the next one."""

    backup: bool = True
    time_limit: float | None = None
    job: Job | None = None
    progress: Progress | None = None

    backups: tuple[Backup, ...] | None = None
    backups_directory: Path | None = None
    backups_error: BaseException | None = None
    listing: bool = False
    statistics: BackupStatistics | None = None
    compared: BackupComparison | None = None
    """The last backup that was held against the database."""
    task: Task | None = None
    """The last one, or the one that is on."""
    outdated: frozenset[str] = frozenset()
    """Places whose list changed after it was read."""
    rehearsal: Rehearsing | None = None
    """The last one, or the one that is on."""
    restore: Restore | None = None
    """The last one, or the one that is on."""

    history: tuple[PastRun, ...] | None = None
    """Newest first."""
    history_error: BaseException | None = None
    recalling: bool = False
    """The history is being read."""
    health: Health | None = None
    health_error: BaseException | None = None
    examining: Limits | None = None
    """Those of the examination that goes on."""
    stopped: bool = False
    """Somebody ended the last examination."""
    undo: Undo | None = None
    """The last one that was asked for; when it runs, it is a run like any other."""

    def __post_init__(self) -> None:
        self.backup = self.settings.backup
        self.time_limit = self.settings.time_limit

    @property
    def running(self) -> bool:
        """A run, a restore, a rehearsal or a task is on; its last event has not arrived."""
        return self.applying or self.restoring or self.rehearsing or self.at_a_task

    @property
    def applying(self) -> bool:
        return self.progress is not None and not self.progress.over

    @property
    def restoring(self) -> bool:
        return self.restore is not None and not self.restore.over

    @property
    def rehearsing(self) -> bool:
        return self.rehearsal is not None and not self.rehearsal.over

    @property
    def at_a_task(self) -> bool:
        return self.task is not None and not self.task.over

    @property
    def busy(self) -> str:
        """Why nothing else can be begun now, as a sentence; empty when it can."""
        if self.restoring:
            return "A restore is on; 2 shows it."
        if self.rehearsing:
            return "A rehearsal is on; the preview shows it."
        if self.task is not None and self.at_a_task:
            return f"trueup is {self.task.doing}; {way_to(self.task.place).shown} shows it."
        return "A run is on; a shows it." if self.applying else ""

    @property
    def open(self) -> tuple[Row, ...]:
        """What a person must decide before anything runs."""
        return tuple(row for row in self.rows if row.open)

    @property
    def exit_code(self) -> int:
        """0 in step, 1 differences remain, otherwise the error's own."""
        if self.error is not None:
            return exit_code(self.error)
        run = self.progress.run if self.progress else None
        if run is not None and (self.reading or self.plan is run.plan):
            return run.exit_code
        return 0 if self.plan is not None and self.plan.in_step else 1

    def stop_examining(self) -> None:
        if self.examining is not None:
            self.examining.cancel()
            self.stopped = True

    def run_target(self) -> Target:
        """The target with what was switched for this run; also of a database that cannot be read."""
        target = self.target or self.core.target(self.settings)
        return replace(target, settings=replace(target.settings, backup=self.backup, time_limit=self.time_limit))

    def take(self, target: Target, plan: Plan, seconds: float) -> None:
        """Accept a reading."""
        self.target, self.plan, self.rows = target, plan, rows_of(plan)
        self.read_at, self.read_seconds = self.clock.now(), seconds
        self.error, self.reading, self.followed = None, False, self.choices

    def refuse_choice(self, error: BaseException) -> bool:
        """Take a choice back that cannot be followed; False when the error has another cause."""
        if self.plan is None or self.choices is self.followed or not isinstance(error, _OF_A_CHOICE):
            return False
        problem = error.facts.get("problem") or error.facts.get("reason")
        self.choices, self.refused, self.reading = self.followed, f"{problem}. Nothing was written.", False
        return True

    def written(self) -> None:
        """The file has the answers now."""
        self.choices = self.followed = self.choices.written()

    def fail(self, error: BaseException) -> None:
        self.error, self.reading = error, False
