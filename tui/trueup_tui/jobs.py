"""The calls to core, each in a thread of its own, which ends in a message and never waits for the app."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

import trueup
from trueup import (
    Backup,
    BackupComparison,
    BackupStatistics,
    Cleanup,
    Decision,
    Event,
    Health,
    Job,
    Limits,
    PastRun,
    Plan,
    Run,
    Settings,
    Target,
)
from trueup_tui.choices import Choices
from trueup_tui.clock import Clock
from trueup_tui.messages import (
    BackupsCounted,
    BackupsFailed,
    BackupsListed,
    ChoicesWritten,
    Examined,
    HistoryFailed,
    HistoryRead,
    ReadingDone,
    ReadingFailed,
    RunEvent,
    TaskEnded,
    UndoPlanned,
)
from trueup_tui.tasks import Task

Post = Callable[[Message], Any]
"""Takes a message from any thread."""


def _backup_directory(target: Target) -> Path:
    return target.backup_directory(target.dialect())


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The calls that the app makes, and no others; a test gives its own."""

    target: Callable[[Settings], Target] = Target.from_settings
    plan: Callable[..., Plan] = trueup.plan
    forget_models: Callable[[Target], None] = trueup.forget_models
    start: Callable[..., Job] = trueup.start
    start_restore: Callable[..., Job] = trueup.start_restore
    start_rehearsal: Callable[..., Job] = trueup.start_rehearsal
    list_backups: Callable[[Target], tuple[Backup, ...]] = trueup.list_backups
    backup_directory: Callable[[Target], Path] = _backup_directory
    backup_statistics: Callable[[Target], BackupStatistics] = trueup.backup_statistics
    make_backup: Callable[..., Backup] = trueup.make_backup
    verify_backup: Callable[..., Backup] = trueup.verify_backup
    compare_backup: Callable[..., BackupComparison] = trueup.compare_backup
    export_backup: Callable[..., Path] = trueup.export_backup
    delete_backup: Callable[..., None] = trueup.delete_backup
    job: Callable[[Callable[[Callable[[Event], None], Limits], object], Limits], Job] = Job
    health: Callable[..., Health] = trueup.get_system_health
    plan_cleanup: Callable[..., Cleanup] = trueup.plan_cleanup
    clean_history: Callable[..., Cleanup] = trueup.clean_history
    baseline: Callable[..., Run] = trueup.baseline
    past_runs: Callable[[Target], tuple[PastRun, ...]] = trueup.past_runs
    plan_undo: Callable[[Target, str], Plan] = trueup.plan_undo
    read_decisions: Callable[[Path | None], tuple[Decision, ...]] = trueup.read_decisions
    write_decision: Callable[[Path, Decision], None] = trueup.write_decision
    remove_decision: Callable[[Path, Decision], None] = trueup.remove_decision


def read(core: Core, settings: Settings, choices: Choices, clock: Clock, post: Post, *, anew: bool) -> None:
    """Load the models, read the database and compare, with what was decided so far.

    Args:
        core: makes the calls.
        settings: name both sides.
        choices: what was decided and not written yet.
        clock: measures.
        post: takes the message that it ends in.
        anew: the models' files are read again too, since somebody may have edited them.
    """

    def work() -> None:
        began = clock.monotonic()
        target = core.target(settings)
        if anew:
            core.forget_models(target)
        decisions = choices.over(core.read_decisions(settings.decisions))
        plan = core.plan(target, decisions=decisions, leave_out=choices.left_out)
        _post(post, ReadingDone(target, plan, clock.monotonic() - began))

    _in_thread("reading", work, lambda error: _post(post, ReadingFailed(error)))


def write(core: Core, path: Path, choices: Choices, then: str, post: Post) -> None:
    """Keep in the file what was decided, and what was taken back."""

    def work() -> None:
        for decision in choices.taken_back:
            core.remove_decision(path, decision)
        for decision in choices.decisions:
            core.write_decision(path, decision)
        _post(post, ChoicesWritten(None, then))

    _in_thread("decisions", work, lambda error: _post(post, ChoicesWritten(error, then)))


def follow(job: Job, post: Post) -> None:
    """Hand every event of the run to the app, those that were missed as well."""
    job.follow(lambda event: _post(post, RunEvent(event)))


def list_backups(core: Core, settings: Settings, post: Post) -> None:
    def work() -> None:
        target = core.target(settings)
        _post(post, BackupsListed(core.list_backups(target), core.backup_directory(target)))
        _post(post, BackupsCounted(core.backup_statistics(target)))

    _in_thread("backups", work, lambda error: _post(post, BackupsFailed(error)))


def job_of(core: Core, task: Task, target: Target, limits: Limits, post: Post) -> Job:
    """The task as a job that can be followed and cancelled; it ends in a message."""

    def work(tell: Callable[[Event], None], limits: Limits) -> None:
        try:
            ending = task.work(target, tell, limits)
        except Exception as error:
            _post(post, TaskEnded(error=error))
        else:
            _post(post, TaskEnded(ending))

    return core.job(work, limits)


def list_runs(core: Core, settings: Settings, post: Post) -> None:
    def work() -> None:
        _post(post, HistoryRead(core.past_runs(core.target(settings))[::-1]))

    _in_thread("history", work, lambda error: _post(post, HistoryFailed(error)))


def examine(core: Core, settings: Settings, limits: Limits, post: Post) -> None:
    """Find what is wrong, until the limits say that it is enough."""

    def work() -> None:
        _post(post, Examined(core.health(core.target(settings), limits=limits)))

    _in_thread("health", work, lambda error: _post(post, Examined(error=error)))


def plan_undo(core: Core, settings: Settings, run_id: str, post: Post) -> None:
    """Find what would take back the run; its backup is read and checked for it."""

    def work() -> None:
        _post(post, UndoPlanned(run_id, plan=core.plan_undo(core.target(settings), run_id)))

    _in_thread("undo", work, lambda error: _post(post, UndoPlanned(run_id, error=error)))


def _in_thread(name: str, work: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
    def main() -> None:
        try:
            work()
        except (Exception, SystemExit) as error:  # the models are somebody's program: they may do anything
            failed(error)

    # A daemon, so that a database that does not answer cannot keep the terminal; it only ever reads or writes a file.
    threading.Thread(target=main, name=f"trueup-{name}", daemon=True).start()


def _post(post: Post, message: Message) -> None:
    with suppress(RuntimeError):  # the app has ended meanwhile, and its loop with it
        post(message)
