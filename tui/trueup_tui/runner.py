"""What goes on in the background, one thing at a time: a run, a restore, a rehearsal, or a task."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup import Backup, Event, Job, Limits, PastRun, Plan, errors
from trueup_tui import jobs
from trueup_tui.messages import TaskEnded, UndoPlanned
from trueup_tui.progress import after, begin
from trueup_tui.rehearsal import Rehearsing
from trueup_tui.rehearsal import after as after_rehearsal_event
from trueup_tui.restore import Restore
from trueup_tui.restore import after as after_restore_event
from trueup_tui.screens.place import Place
from trueup_tui.session import Session
from trueup_tui.tasks import Task
from trueup_tui.tasks import after as after_task_event
from trueup_tui.undo import Undo

if TYPE_CHECKING:
    from trueup_tui.app import TrueupApp

_MANY_STEPS = 50
_STEPS_DRAWN_PER_SECOND = 500


class Runner:
    """Begins it, folds its events into the session, and sees to what follows from its end.

    Args:
        owner: the app, whose screens show it.
        session: what is known of it.
    """

    def __init__(self, owner: TrueupApp, session: Session) -> None:
        self._owner = owner
        self._session = session
        self._plan: Plan | None = None
        self._drawing_soon = False
        self._leaving = False

    # -- beginning -----------------------------------------------------------------------------------------------------

    def apply(self, plan: Plan) -> None:
        """Carry out exactly this plan; the answers that it rests on are kept first."""
        self._plan = plan
        if self._session.choices.unwritten:
            self._owner.write(then="apply")
        else:
            self.start()

    def start(self) -> None:
        """Carry out the plan that waits."""
        session, plan = self._session, self._plan
        if plan is None or session.running:
            return
        self._plan = None
        session.progress = begin(plan, with_backup=session.backup)
        session.job = session.core.start(plan, session.run_target(), limits=Limits(session.time_limit))
        self.show_run()
        self._follow(session.job)

    def undo(self, plan: Plan) -> None:
        """Take a run back by exactly this plan."""
        self._plan = plan
        self.start()

    def restore(self, backup: Backup) -> None:
        """Put a backup in place of the database; the backups' place shows how it goes."""
        session = self._session
        if session.running:
            return
        session.restore, session.task = Restore(backup=backup), None
        session.job = session.core.start_restore(backup, session.run_target(), limits=Limits(session.time_limit))
        self._follow(session.job)

    def rehearse(self, plan: Plan) -> None:
        """Carry the plan out on a copy; the preview shows how it goes."""
        session = self._session
        if session.running:
            return
        session.rehearsal = Rehearsing(plan=plan)
        session.job = session.core.start_rehearsal(plan, session.run_target(), limits=Limits())
        self._follow(session.job)

    def begin(self, task: Task) -> None:
        """Do the task; its place shows how it goes."""
        session = self._session
        if session.running:
            self._owner.refuse(session.busy)
            return
        session.restore, session.task = None, task
        limits = Limits(session.time_limit if task.has_time_limit else None)
        session.job = jobs.job_of(session.core, task, session.run_target(), limits, self._owner.post_message)
        self._follow(session.job)
        session.job.start()

    def _follow(self, job: Job) -> None:
        """An examination reads every page, and a commit would have to wait for it: it ends."""
        self._session.stop_examining()
        self._owner.changed()
        jobs.follow(job, self._owner.post_message)

    def plan_undo(self, run: PastRun) -> None:
        """Show what would take the run back; nothing is done yet."""
        from trueup_tui.screens.undo import UndoScreen

        session = self._session
        session.undo = Undo(run=run)
        jobs.plan_undo(session.core, session.settings, run.id, self._owner.post_message)
        if not isinstance(self._owner.screen, UndoScreen):
            self._owner.push_screen(UndoScreen(session))
        self._owner.changed()

    def take_undo(self, message: UndoPlanned) -> None:
        """An answer for a run that nobody asks about any more is not shown."""
        undo = self._session.undo
        if undo is not None and undo.run.id == message.run_id:
            self._session.undo = replace(undo, plan=message.plan, error=message.error)
            self._owner.changed()

    # -- while it goes on ----------------------------------------------------------------------------------------------

    def show_run(self) -> None:
        """Go to the run, from anywhere in its place."""
        from trueup_tui.screens.apply import ApplyScreen

        if isinstance(self._owner.screen, Place) and self._owner.screen.gives_way:
            self._owner.pop_screen()
        self._owner.push_screen(ApplyScreen(self._session))

    def cancel(self) -> None:
        """Ask it to stop; its last event says what came of it."""
        session = self._session
        if session.job is None or not session.running:
            return
        session.job.cancel()
        if session.restore is not None and session.restoring:
            session.restore = replace(session.restore, cancelling=True)
        elif session.rehearsal is not None and session.rehearsing:
            session.rehearsal = replace(session.rehearsal, cancelling=True)
        elif session.task is not None and session.at_a_task:
            session.task = replace(session.task, cancelling=not session.task.ends_alone)
        elif session.progress is not None:
            session.progress = session.progress.cancelled()
        self._owner.changed()

    def leave(self) -> None:
        """End the app, when nothing goes on any more."""
        if self._session.running:
            self._leaving = True
            self.cancel()
        else:
            self._owner.exit(self._session.exit_code)

    def take(self, event: Event) -> None:
        """One more event of what goes on."""
        session = self._session
        if session.restore is not None and session.restoring:
            self._take_restore(session.restore, event)
        elif session.rehearsal is not None and session.rehearsing:
            self._take_rehearsal(session.rehearsal, event)
        elif session.task is not None and session.at_a_task:
            session.task = after_task_event(session.task, event)
            self._owner.changed()
        elif session.progress is not None and session.applying:
            session.progress = after(session.progress, event)
            if session.progress.over:
                self._end_of_run()
            self._changed_soon()

    def _take_rehearsal(self, rehearsal: Rehearsing, event: Event) -> None:
        session = self._session
        session.rehearsal = after_rehearsal_event(rehearsal, event)
        outcome = session.rehearsal.outcome
        if outcome is not None and self._leaves():
            return
        if outcome is not None and outcome.success and session.plan is rehearsal.plan:
            session.plan = outcome.plan
        self._owner.changed()

    def _take_restore(self, restore: Restore, event: Event) -> None:
        session = self._session
        session.restore = after_restore_event(restore, event)
        if not session.restoring:
            if self._leaves():
                return
            session.backups = session.history = None
            session.outdated |= {"health"}
            self._owner.read()
        self._owner.changed()

    def _changed_soon(self) -> None:
        """Draw once for all events that wait already: a run of many small steps sends more than can be drawn.

        To draw costs as much as there are steps, and the run needs the processor too: the more, the less often.
        """
        progress = self._session.progress
        if self._drawing_soon or progress is None:
            return
        self._drawing_soon = True
        if len(progress.steps) < _MANY_STEPS or progress.over:
            self._owner.call_later(self._draw_now)
        else:
            self._owner.set_timer(len(progress.steps) / _STEPS_DRAWN_PER_SECOND, self._draw_now)

    def _draw_now(self) -> None:
        self._drawing_soon = False
        self._owner.changed()

    # -- its end -------------------------------------------------------------------------------------------------------

    def take_end(self, message: TaskEnded) -> None:
        """What came of a task; the lists that it changed are read again."""
        session = self._session
        if session.task is None:
            return
        elapsed = session.job.limits.elapsed if session.job is not None else 0.0
        session.task = replace(session.task, ending=message.ending, error=message.error, seconds=elapsed)
        if self._leaves():
            return
        if message.ending is not None and message.ending.compared is not None:
            session.compared = message.ending.compared
        if not session.task.only_reads:
            session.outdated |= {session.task.place, "health"}
        if session.task.rereads and message.ending is not None:
            self._owner.read()
        self._owner.changed()

    def _end_of_run(self) -> None:
        if self._leaves():
            return
        progress = self._session.progress
        self._session.history = None
        self._session.outdated |= {"health"}
        if progress is not None and isinstance(progress.error, errors.SchemaMoved):
            self._moved()
        self._owner.read()

    def _leaves(self) -> bool:
        """Whether somebody waited for this end, to leave."""
        if self._leaving:
            self._owner.exit(self._session.exit_code)
        return self._leaving

    def _moved(self) -> None:
        """Nothing was applied: what was reviewed is no longer what is there."""
        from trueup_tui.screens.apply import ApplyScreen

        self._session.notice = "The database changed since you looked"
        self._owner.refuse("The database changed since you looked, so nothing was applied. Look again.")
        if isinstance(self._owner.screen, ApplyScreen):
            self._owner.pop_screen()
