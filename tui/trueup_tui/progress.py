"""What is known of a run: its events, folded one by one into a value that the screens show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from trueup import Backup, Event, Plan, Receipt, Run, Step, TrueupError, events

_VERIFY_SHARE = 0.1
"""Of the estimate of all steps: what the check at the end is taken to need."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list of steps."""

    mark: str
    table: str
    sentence: str
    estimate: float
    seconds: float | None = None
    began: float | None = None
    left: float | None = None
    """Seconds, where the step itself has told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run, as far as it has come."""

    plan: Plan
    with_backup: bool
    phase: str = "starting"
    elapsed: float = 0.0
    """At the last event."""
    backup: Backup | None = None
    backup_began: float | None = None
    backup_ended: float | None = None
    pages: tuple[int, int] = (0, 0)
    current: int = 0
    """The number of the step that runs, from 1; 0 before the first."""
    began: float = 0.0
    finished: tuple[float, ...] = ()
    """Seconds of the steps that are done."""
    sql: str = ""
    rows: tuple[int, int] = (0, 0)
    """Rows that the statement has behind it, and rows in all; nothing is known of them where these are 0."""
    step_left: float | None = None
    """Seconds that the step said it still takes."""
    verify_began: float | None = None
    verify_ended: float | None = None
    receipt: Receipt | None = None
    error: TrueupError | None = None
    run: Run | None = None
    cancelling: bool = False
    log: tuple[tuple[float, str], ...] = field(default=())

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.plan.steps

    @property
    def doing(self) -> str:
        """What is done, in one word."""
        return "undoing" if self.plan.undoes else "applying"

    @property
    def over(self) -> bool:
        return self.run is not None

    @property
    def total(self) -> float:
        """Seconds, estimated."""
        return (self.plan.backup_estimate if self.with_backup else 0.0) + self.plan.estimate + self._verify_estimate

    @property
    def _verify_estimate(self) -> float:
        return max(0.05, self.plan.estimate * _VERIFY_SHARE)

    def done(self, elapsed: float) -> float:
        """The share that is done, from 0 to 1, weighted with the estimates; never full before the end, and nothing
        after a roll-back."""
        if self.run is not None:
            return 1.0 if self.error is None else 0.0
        finished = sum(_share(line, elapsed) for line in self.lines)
        return min(0.99, finished / self.total) if self.total else 0.0

    def left(self, elapsed: float) -> float:
        """Seconds, by what the step that runs says of itself, and by the estimates of all others."""
        return 0.0 if self.over else sum(_left(line, elapsed) for line in self.lines)

    @property
    def measured(self) -> bool:
        """Whether what is left is known from the run itself."""
        return self.step_left is not None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The backup, the steps and the check at the end, with their marks."""
        return tuple(self._lines())

    def cancelled(self) -> Progress:
        """It was asked to stop; it has not yet."""
        return _say(replace(self, cancelling=True), "cancel: asked to stop and roll back")

    def _lines(self) -> Iterator[Line]:
        if self.with_backup:
            yield self._line("backup", self._backup_words(), self.plan.backup_estimate, *self._times_of_backup())
        for number, step in enumerate(self.steps, 1):
            ended = self.finished[number - 1] if number <= len(self.finished) else None
            began = self.began if number == self.current and ended is None else None
            line = self._line(step.table, _shorter(step), step.estimate, began, ended)
            yield line if began is None else replace(line, left=self.step_left)
        took = None if self.verify_ended is None else self.verify_ended - (self.verify_began or 0.0)
        yield self._line("check", "read the schema again and compare", self._verify_estimate, self.verify_began, took)

    def _line(self, table: str, sentence: str, estimate: float, began: float | None, took: float | None) -> Line:
        if took is not None:
            undone = self.error is not None and table != "backup"
            mark = "·" if undone else "✓"
        elif began is None:
            mark = "○"
        else:
            mark = "✗" if self.error is not None else "▶"
        return Line(mark, table, sentence, estimate, took, began)

    def _times_of_backup(self) -> tuple[float | None, float | None]:
        if self.backup_began is None or self.backup_ended is None:
            return self.backup_began, None
        return self.backup_began, self.backup_ended - self.backup_began

    def _backup_words(self) -> str:
        if self.backup is not None:
            return f"{self.backup.path.name}, verified"
        done, total = self.pages
        return f"copying, {done} of {total} pages" if total and self.backup_began is not None else "a verified copy"


def makes_backup(plan: Plan, *, wanted: bool) -> bool:
    """A database without a table has nothing that could be lost."""
    return wanted and bool(plan.live.tables)


def begin(plan: Plan, *, with_backup: bool) -> Progress:
    return Progress(plan=plan, with_backup=makes_backup(plan, wanted=with_backup))


def after(progress: Progress, event: Event) -> Progress:
    """The progress with one more event."""
    now = replace(progress, elapsed=event.elapsed)
    match event:
        case events.Started():
            return now
        case events.Waiting(holder=holder):
            return _say(replace(now, phase="waiting for another migrator"), f"waiting for another migrator: {holder}")
        case events.Locked():
            began, phase = (event.elapsed, "making the backup") if now.with_backup else (None, "checking the database")
            return _say(replace(now, phase=phase, backup_began=began), "locked: nobody else can write until the end")
        case events.Checked():
            return _say(replace(now, phase="preparing"), "checked: the database is sound")
        case events.BackupProgress(done=done, total=total):
            return replace(now, phase="making the backup", pages=(done, total))
        case events.BackedUp(backup=backup):
            kept = replace(now, backup=backup, backup_ended=event.elapsed)
            return _say(kept, f"backup written, read back and checked: {backup.path}")
        case _:
            return _after_steps(now, event)


def _after_steps(now: Progress, event: Event) -> Progress:
    match event:
        case events.StepStarted(number=number, step=step):
            going = replace(now, phase="running", current=number, began=event.elapsed, step_left=None, sql="")
            return _say(going, f"step {number} of {len(now.steps)}: {step.sentence}")
        case events.StatementStarted(sql=sql):
            return replace(now, sql=sql, rows=(0, 0))
        case events.StepProgress(rows=rows, total=total, left=left):
            return replace(now, rows=(rows, total), step_left=left)
        case events.StepFinished(seconds=seconds):
            return replace(now, finished=(*now.finished, seconds), rows=(0, 0), step_left=None)
        case events.Verifying():
            return _say(replace(now, phase="verifying", sql="", verify_began=event.elapsed), "reading the schema again")
        case events.Verified(receipt=receipt):
            proved = replace(now, receipt=receipt, verify_ended=event.elapsed, phase="committing")
            left = receipt.remaining_differences
            return _say(
                proved, f"verified: {left} differences left, {receipt.untouched_objects} other objects as before"
            )
        case events.RolledBack(error=error):
            return _say(replace(now, error=error, phase="rolled back"), "rolled back: the database is as it was")
        case events.Finished(run=run):
            ended = replace(now, run=run, error=run.error, backup=run.backup or now.backup, phase="finished")
            return _say(ended, "committed" if run.success else "ended without a change")
        case _:
            return now


def _say(progress: Progress, words: str) -> Progress:
    return replace(progress, log=(*progress.log, (progress.elapsed, words)))


def _share(line: Line, elapsed: float) -> float:
    """Seconds of the estimate that this line has behind it."""
    if line.mark == "✓":
        return line.estimate
    if line.began is None:
        return 0.0
    took = max(0.0, elapsed - line.began)
    if line.left is None:
        return min(line.estimate * 0.95, took)
    return line.estimate * (took / (took + line.left) if took else 0.0)


def _left(line: Line, elapsed: float) -> float:
    if line.mark == "▶" and line.left is not None:
        return line.left
    return line.estimate - _share(line, elapsed)


def _shorter(step: Step) -> str:
    """The sentence without the table's name, which stands before it."""
    return step.sentence.replace(f" {step.table}.", " ", 1)
