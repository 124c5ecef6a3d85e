"""The app: owns the session, starts the threads, and tells the screens when something changed."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import App, ScreenStackError
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen

from trueup import Backup, Event, Limits, PastRun, Plan, errors, visible
from trueup_tui import jobs
from trueup_tui.choices import Choices
from trueup_tui.commands import bindings_of
from trueup_tui.messages import (
    ChoicesWritten,
    ReadingDone,
    ReadingFailed,
    RunEvent,
    UndoPlanned,
)
from trueup_tui.progress import after, begin
from trueup_tui.questions import before_cancelling, before_leaving
from trueup_tui.rehearsal import Rehearsing
from trueup_tui.rehearsal import after as after_rehearsal_event
from trueup_tui.restore import Restore
from trueup_tui.restore import after as after_restore_event
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.decide import DecideScreen
from trueup_tui.screens.diff import DiffScreen
from trueup_tui.screens.place import Place
from trueup_tui.session import Session
from trueup_tui.undo import Undo
from trueup_tui.wording import what_went_wrong, without_secret

_COLOURS = {
    "diff-add": "text-success",
    "diff-drop": "text-error",
    "diff-alter": "text-accent",
    "diff-open": "text-warning",
    "key": "text-primary",
}
_BEAT = 0.5
"""Seconds between two looks at the clock."""


_MANY_STEPS = 50
_STEPS_DRAWN_PER_SECOND = 500


class TrueupApp(App[int], inherit_bindings=False):
    """Shows one session.

    Args:
        session: what is shown; a test gives one with a core and a clock of its own.
    """

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "trueup"
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "drift"
    BINDINGS = bindings_of("app")
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-low"), (30, "-high")]

    revision: reactive[int] = reactive(0)
    """Counts the changes of the session; the screens watch it."""
    beat: reactive[int] = reactive(0)
    """Counts the looks at the clock, for what shows the time."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.animation_level = "none"
        self._again = False
        self._leaving = False
        self._drawing_soon = False
        self._plan_to_apply: Plan | None = None
        self.add_mode("drift", lambda: DiffScreen(session))
        self.add_mode("backups", self._backups_screen)
        self.add_mode("history", self._history_screen)

    def get_css_variables(self) -> dict[str, str]:
        """The app's own colours beside the theme's, from those that every theme has."""
        theme = super().get_css_variables()
        return theme | {name: theme[colour] for name, colour in _COLOURS.items()}

    def on_mount(self) -> None:
        self.session.reading = True
        # Loading SQLAlchemy and the models takes longer than drawing: first the picture, then the work.
        self.call_after_refresh(self.read)
        self.set_interval(_BEAT, self._tick)

    def clear_selection(self) -> None:
        """From Python 3.12 on tasks start eagerly, so an Input may be mounted before its screen is on the stack."""
        with suppress(ScreenStackError):
            super().clear_selection()

    def changed(self) -> None:
        """Have every screen drawn again."""
        self.revision += 1

    def _tick(self) -> None:
        self.beat += 1

    def _backups_screen(self) -> Screen[Any]:
        from trueup_tui.screens.backups import BackupsScreen

        return BackupsScreen(self.session)

    def _history_screen(self) -> Screen[Any]:
        from trueup_tui.screens.history import HistoryScreen

        return HistoryScreen(self.session)

    # -- reading -------------------------------------------------------------------------------------------------------

    def read(self, *, anew: bool = False) -> None:
        """Compare both sides in a thread; what is asked for meanwhile waits until that has ended."""
        session = self.session
        if self._again or (session.readings and session.reading):
            self._again = True
            return
        session.readings += 1
        session.reading = True
        jobs.read(session.core, session.settings, session.choices, session.clock, self.post_message, anew=anew)
        self.changed()

    def read_again(self) -> None:
        """The same because a person asked for it."""
        if self.session.running:
            self.refuse("A run is on; both sides are read when it has ended.")
        elif self.session.reading:
            self.refuse("Reading already.")
        else:
            self.session.notice = ""
            self.read(anew=True)

    def choose(self, choices: Choices) -> None:
        """Go on with these choices: the plan is made anew."""
        self.session.choices = choices
        self.session.notice = self.session.refused = ""
        self.read()

    def on_reading_done(self, message: ReadingDone) -> None:
        self._end_of_reading(lambda: self.session.take(message.target, message.plan, message.seconds))

    def on_reading_failed(self, message: ReadingFailed) -> None:
        self._end_of_reading(lambda: self._fail(message.error))

    def _fail(self, error: BaseException) -> None:
        """A choice that cannot be followed is taken back; the dialog that it came from says why, or a sentence does."""
        if not self.session.refuse_choice(error):
            self.session.fail(error)
        elif not isinstance(self.screen, DecideScreen):
            self.refuse(self.session.refused)

    def _end_of_reading(self, accept: Any) -> None:
        self.session.reading = False
        if self._again:
            self._again = False
            self.read()
            return
        accept()
        self.changed()

    # -- running -------------------------------------------------------------------------------------------------------

    def preview(self) -> None:
        from trueup_tui.screens.preview import PreviewScreen

        if not self.session.rehearsing:
            self.read()
        self.push_screen(PreviewScreen(self.session))

    def apply(self, plan: Plan) -> None:
        """Carry out exactly this plan; the answers that it rests on are kept first."""
        self._plan_to_apply = plan
        if self.session.choices.unwritten:
            self.write(then="apply")
        else:
            self._start()

    def write(self, *, then: str = "") -> None:
        """Put the answers into the decisions file, in a thread."""
        path = self.session.settings.decisions
        if path is None:
            self.refuse("The settings name no file for decisions.")
        else:
            jobs.write(self.session.core, path, self.session.choices, then, self.post_message)

    def on_choices_written(self, message: ChoicesWritten) -> None:
        if message.error is not None:
            self.refuse(f"The decisions file could not be written: {what_went_wrong(message.error)}")
            return
        self.session.written()
        if message.then == "apply":
            self._start()
            return
        self.notify(visible(f"Written to {self.session.settings.decisions}."), markup=False)
        self.read()

    def _start(self) -> None:
        session, plan = self.session, self._plan_to_apply
        if plan is None or session.running:
            return
        self._plan_to_apply = None
        session.progress = begin(plan, with_backup=session.backup)
        session.job = session.core.start(plan, session.run_target(), limits=Limits(session.time_limit))
        self._to_run_screen()
        self.changed()
        jobs.follow(session.job, self.post_message)

    def show_run(self) -> None:
        """Go to the run, from anywhere in its place."""
        self._to_run_screen()

    def _to_run_screen(self) -> None:
        from trueup_tui.screens.apply import ApplyScreen

        if isinstance(self.screen, Place) and self.screen.gives_way:
            self.pop_screen()
        self.push_screen(ApplyScreen(self.session))

    def cancel(self) -> None:
        """Ask the run to stop; its last event says what came of it."""
        session = self.session
        if session.job is None or not session.running:
            return
        session.job.cancel()
        if session.restore is not None and session.restoring:
            session.restore = replace(session.restore, cancelling=True)
        elif session.rehearsal is not None and session.rehearsing:
            session.rehearsal = replace(session.rehearsal, cancelling=True)
        elif session.progress is not None:
            session.progress = session.progress.cancelled()
        self.changed()

    def restore(self, backup: Backup) -> None:
        """Put a backup in place of the database; the backups' place shows how it goes."""
        session = self.session
        if session.running:
            return
        session.restore = Restore(backup=backup)
        session.job = session.core.start_restore(backup, session.run_target(), limits=Limits(session.time_limit))
        self.changed()
        jobs.follow(session.job, self.post_message)

    def plan_undo(self, run: PastRun) -> None:
        """Show what would take the run back; nothing is done yet."""
        from trueup_tui.screens.undo import UndoScreen

        session = self.session
        session.undo = Undo(run=run)
        jobs.plan_undo(session.core, session.settings, run.id, self.post_message)
        if not isinstance(self.screen, UndoScreen):
            self.push_screen(UndoScreen(session))
        self.changed()

    def on_undo_planned(self, message: UndoPlanned) -> None:
        undo = self.session.undo
        if undo is not None and undo.run.id == message.run_id:
            self.session.undo = replace(undo, plan=message.plan, error=message.error)
            self.changed()

    def undo(self, plan: Plan) -> None:
        """Take a run back by exactly this plan."""
        self._plan_to_apply = plan
        self._start()

    def rehearse(self, plan: Plan) -> None:
        """Carry the plan out on a copy; the preview shows how it goes."""
        session = self.session
        if session.running:
            return
        session.rehearsal = Rehearsing(plan=plan)
        session.job = session.core.start_rehearsal(plan, session.run_target(), limits=Limits())
        self.changed()
        jobs.follow(session.job, self.post_message)

    def _on_rehearsal_event(self, rehearsal: Rehearsing, event: Event) -> None:
        session = self.session
        session.rehearsal = after_rehearsal_event(rehearsal, event)
        outcome = session.rehearsal.outcome
        if outcome is not None and self._leaving:
            self.exit(session.exit_code)
            return
        if outcome is not None and outcome.success and session.plan is rehearsal.plan:
            session.plan = outcome.plan
        self.changed()

    def _on_restore_event(self, restore: Restore, event: Event) -> None:
        self.session.restore = after_restore_event(restore, event)
        if not self.session.restoring:
            if self._leaving:
                self.exit(self.session.exit_code)
                return
            self.session.backups = self.session.history = None
            self.read()
        self.changed()

    def on_run_event(self, message: RunEvent) -> None:
        session = self.session
        if session.restore is not None and session.restoring:
            self._on_restore_event(session.restore, message.event)
            return
        if session.rehearsal is not None and session.rehearsing:
            self._on_rehearsal_event(session.rehearsal, message.event)
            return
        if session.progress is None:
            return
        session.progress = after(session.progress, message.event)
        if session.progress.over:
            self._end_of_run()
        self._changed_soon()

    def _changed_soon(self) -> None:
        """Draw once for all events that wait already: a run of many small steps sends more than can be drawn.

        To draw costs as much as there are steps, and the run needs the processor too: the more, the less often.
        """
        progress = self.session.progress
        if self._drawing_soon or progress is None:
            return
        self._drawing_soon = True
        if len(progress.steps) < _MANY_STEPS or progress.over:
            self.call_later(self._draw_now)
        else:
            self.set_timer(len(progress.steps) / _STEPS_DRAWN_PER_SECOND, self._draw_now)

    def _draw_now(self) -> None:
        self._drawing_soon = False
        self.changed()

    def _end_of_run(self) -> None:
        progress = self.session.progress
        if self._leaving:
            self.exit(self.session.exit_code)
            return
        self.session.history = None
        if progress is not None and isinstance(progress.error, errors.SchemaMoved):
            self._moved()
        self.read()

    def _moved(self) -> None:
        """Nothing was applied: what was reviewed is no longer what is there."""
        from trueup_tui.screens.apply import ApplyScreen

        self.session.notice = "The database changed since you looked"
        self.refuse("The database changed since you looked, so nothing was applied. Look again.")
        if isinstance(self.screen, ApplyScreen):
            self.pop_screen()

    # -- keys that hold everywhere -------------------------------------------------------------------------------------

    def refuse(self, reason: str) -> None:
        """Say why something is not done."""
        text = without_secret(reason, self.session.settings.url)
        self.notify(visible(text), markup=False, severity="warning")

    def action_place(self, place: str) -> None:
        self.switch_mode(place)

    def action_help(self) -> None:
        from trueup_tui.screens.help import HelpScreen

        if isinstance(self.screen, Place):
            self.push_screen(HelpScreen((self.screen.place, *self.screen.lists, "app")))

    async def action_quit(self) -> None:
        if isinstance(self.screen, ModalScreen):
            return
        question = before_leaving(self.session)
        if question is None:
            self.exit(self.session.exit_code)
            return
        self.push_screen(ConfirmScreen(question), lambda yes: self._leave() if yes else None)

    def _leave(self) -> None:
        if self.session.running:
            self._leaving = True
            self.cancel()
        else:
            self.exit(self.session.exit_code)

    async def action_interrupt(self) -> None:
        """Ctrl-C never kills a run; the first press asks."""
        if not self.session.running:
            await self.action_quit()
        elif not isinstance(self.screen, ModalScreen):
            self.push_screen(ConfirmScreen(before_cancelling()), lambda yes: self.cancel() if yes else None)

    # -- the end that nobody planned -----------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Textual prints the values of all variables here, the password in a URL among them; the calls are enough."""
        self.bell()
        lines = without_secret(traceback.format_exc(), self.session.settings.url)
        self._exit_renderables.append(Text(visible(lines, lines=True)))
        self._close_messages_no_wait()
