"""What takes its time and is no run, as a value: what is done, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from textual.content import Content

from trueup import Backup, BackupComparison, Cleanup, Event, Limits, Target, errors, events
from trueup_tui.wording import clock, joined, number, plain, seconds, sentence, what_went_wrong, without_secret

Tell: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of a task that did what it was to do."""

    sentence: str
    good: bool = True
    """What was looked for is as it should be."""
    compared: BackupComparison | None = None
    cleanup: Cleanup | None = None
    """What may go from the history, if a person wants it."""


Work: TypeAlias = Callable[[Target, Tell, Limits], Ending]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One of them, as far as it has come."""

    doing: str
    """As in ``trueup is making a backup``."""
    place: str
    """The place that shows it."""
    work: Work
    backup: Backup | None = None
    """The one that it is about."""
    ends_alone: bool = False
    """It takes a moment, and cannot be stopped."""
    only_reads: bool = False
    """Nothing is another one afterwards."""
    rereads: bool = False
    """Afterwards the database stands to the models in another way."""
    has_time_limit: bool = False
    """Writers wait for it, so the time limit of runs holds for it as well."""
    pages: tuple[int, int] = (0, 0)
    holder: str = ""
    """Who is at work on the database, while that is waited for."""
    notes: tuple[str, ...] = ()
    """What else was found on the way, as sentences."""
    seconds: float = 0.0
    """How long it took."""
    ending: Ending | None = None
    error: BaseException | None = None
    cancelling: bool = False

    @property
    def over(self) -> bool:
        return self.ending is not None or self.error is not None

    @property
    def needed_by(self) -> str:
        """Why a backup was not deleted, where a person may accept that; else empty."""
        return str(self.error.facts["reason"]) if isinstance(self.error, errors.BackupStillNeeded) else ""


def after(task: Task, event: Event) -> Task:
    """The task with one more event."""
    match event:
        case events.Waiting(holder=holder):
            return replace(task, holder=holder)
        case events.CrashFound(sentence=note):
            return replace(task, notes=(*task.notes, note))
        case events.BackupProgress(done=done, total=total):
            return replace(task, pages=(done, total))
        case _:
            return task


def lines_of(task: Task, limits: Limits | None, url: str | None) -> Iterator[Content]:
    """How far it is, or what came of it.

    Args:
        task: the task.
        limits: its own, which know the time and the phase.
        url: of the database, whose password is not shown.
    """
    if task.error is not None:
        yield plain(f"✗ {without_secret(_refusal(task, task.error), url)}", "$diff-drop")
    elif task.ending is not None:
        mark, style = ("✓", "$diff-add") if task.ending.good else ("✗", "$diff-drop")
        yield Content.assemble(plain(f"{mark} {task.ending.sentence}", style), (f"  {seconds(task.seconds)}", "dim"))
    else:
        stops = not task.ends_alone and not task.cancelling
        yield progress_of(_phase(task, limits), task.pages, limits, stops=stops)
    yield from (plain(sentence(note), "$diff-open") for note in task.notes)


def _phase(task: Task, limits: Limits | None) -> str:
    if task.cancelling:
        return "cancelling"
    phase = limits.phase if limits is not None and not task.ends_alone else task.doing
    waits = bool(task.holder) and (task.ends_alone or phase.startswith("waiting for another"))
    return f"waiting for another migrator: {task.holder}" if waits else phase


def _refusal(task: Task, error: BaseException) -> str:
    return f"It was not deleted: {task.needed_by}." if task.needed_by else what_went_wrong(error)


def progress_of(phase: str, pages: tuple[int, int], limits: Limits | None, *, stops: bool) -> Content:
    """``▶ making the backup · 5 800 of 11 770 pages · 0:03 · c cancels``.

    Args:
        phase: what goes on.
        pages: done and in all, where they are counted.
        limits: know the time.
        stops: a person can end it.
    """
    done, total = pages
    parts = [plain(f"▶ {phase}", "bold")]
    if total:
        parts.append(Content(f"{number(done)} of {number(total)} pages"))
    if limits is not None:
        parts.append(Content(clock(limits.elapsed)))
    if stops:
        parts.append(Content.assemble(("c", "bold $key"), " cancels"))
    return joined(parts)
