"""What takes its time besides runs: to make, check, compare, export and delete backups, and to tidy the history.

A task says what is to be done and what came of it; it knows neither widgets nor threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from textual.content import Content

from trueup import Backup, BackupComparison, Event, Limits, Target, errors, events
from trueup_tui.wording import (
    clock,
    count,
    joined,
    number,
    plain,
    seconds,
    sentence,
    size,
    what_went_wrong,
    without_secret,
)

if TYPE_CHECKING:
    from trueup_tui.jobs import Core

Tell: TypeAlias = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What came of a task that did what it was to do."""

    sentence: str
    good: bool = True
    """What was looked for is as it should be."""
    compared: BackupComparison | None = None


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
    has_time_limit: bool = False
    """Writers wait for it, so the time limit of runs holds for it as well."""
    pages: tuple[int, int] = (0, 0)
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
    return replace(task, pages=(event.done, event.total)) if isinstance(event, events.BackupProgress) else task


def lines_of(task: Task, limits: Limits | None, url: str | None) -> Iterator[Content]:
    """How far it is, or what came of it.

    Args:
        task: the task.
        limits: its own, which know the time and the phase.
        url: of the database, whose password is not shown.
    """
    if task.error is not None:
        yield plain(f"✗ {without_secret(_refusal(task), url)}", "$diff-drop")
    elif task.ending is not None:
        mark, style = ("✓", "$diff-add") if task.ending.good else ("✗", "$diff-drop")
        yield Content.assemble(plain(f"{mark} {task.ending.sentence}", style), (f"  {seconds(task.seconds)}", "dim"))
    else:
        phase = "cancelling" if task.cancelling else limits.phase if limits else task.doing
        yield progress_of(phase, task.pages, limits, stops=not task.ends_alone and not task.cancelling)


def _refusal(task: Task) -> str:
    assert task.error is not None
    return f"It was not deleted: {task.needed_by}." if task.needed_by else what_went_wrong(task.error)


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


# -- backups -----------------------------------------------------------------------------------------------------------


class Check(Enum):
    """How a backup is verified."""

    QUICK = "Its checksum, the rows of every table and the database's own check are as they were"
    FULL = "Its checksum, rows and database are as they were, and every index holds what its table does"
    TRIAL = "It was restored into a scratch file, and what came of it is what the backup holds"


def making(core: Core) -> Task:
    """A backup of the database as it is now."""

    def work(target: Target, tell: Tell, limits: Limits) -> Ending:
        made = core.make_backup(target, report=tell, limits=limits)
        return Ending(sentence=f"Made {made.id}: {size(made.size)}, read back and checked.")

    return Task(doing="making a backup", place="backups", work=work, has_time_limit=True)


def verifying(core: Core, backup: Backup, check: Check) -> Task:
    """Is the backup still what it was when it was made?"""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        checked = core.verify_backup(
            backup, target, thorough=check is Check.FULL, trial=check is Check.TRIAL, limits=limits
        )
        if checked.problem:
            return Ending(sentence=f"{backup.id} cannot be used: {sentence(checked.problem)}", good=False)
        return Ending(sentence=f"{backup.id} is good. {check.value}.")

    return Task(doing="checking a backup", place="backups", work=work, backup=backup)


def comparing(core: Core, backup: Backup) -> Task:
    """What changed in the database since?"""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        found = core.compare_backup(backup, target, limits=limits)
        return Ending(sentence=_summary(found), compared=found)

    return Task(doing="comparing a backup", place="backups", work=work, backup=backup)


def _summary(found: BackupComparison) -> str:
    if found.same:
        return f"Nothing changed since {found.backup.id}."
    changes, tables = count(len(found.changes), "change"), count(len(found.rows), "table")
    parts = [changes if found.changes else "", f"other row counts in {tables}" if found.rows else ""]
    return f"Since {found.backup.id}: {', '.join(part for part in parts if part)}."


def exporting(core: Core, backup: Backup, path: Path) -> Task:
    """A verified copy in another place."""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        made = core.export_backup(backup, target, path, limits=limits)
        return Ending(sentence=f"Exported {backup.id} to {made}, verified.")

    return Task(doing="exporting a backup", place="backups", work=work, backup=backup)


def deleting(core: Core, backup: Backup, *, accept_loss: bool) -> Task:
    """The file and its description, for good."""

    def work(target: Target, _tell: Tell, _limits: Limits) -> Ending:
        core.delete_backup(backup, target, accept_loss=accept_loss)
        return Ending(sentence=f"Deleted {backup.id}.")

    return Task(doing="deleting a backup", place="backups", work=work, backup=backup, ends_alone=True)
