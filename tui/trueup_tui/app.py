"""The app: owns the session, starts the threads, and tells the screens when something changed."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import App, ScreenStackError
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen

from trueup import visible
from trueup_tui import jobs
from trueup_tui.choices import Choices
from trueup_tui.commands import bindings_of
from trueup_tui.messages import (
    ChoicesWritten,
    ReadingDone,
    ReadingFailed,
    RunEvent,
    TaskEnded,
    UndoPlanned,
)
from trueup_tui.questions import before_cancelling, before_leaving
from trueup_tui.runner import Runner
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.decide import DecideScreen
from trueup_tui.screens.diff import DiffScreen
from trueup_tui.screens.place import Place
from trueup_tui.session import Session
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
        self.runner = Runner(self, session)
        self.add_mode("drift", lambda: DiffScreen(session))
        self.add_mode("backups", self._backups_screen)
        self.add_mode("history", self._history_screen)
        self.add_mode("health", self._health_screen)

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

    def _health_screen(self) -> Screen[Any]:
        from trueup_tui.screens.health import HealthScreen

        return HealthScreen(self.session)

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

    def _end_of_reading(self, accept: Callable[[], None]) -> None:
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
            self.runner.start()
            return
        self.notify(visible(f"Written to {self.session.settings.decisions}."), markup=False)
        self.read()

    def on_undo_planned(self, message: UndoPlanned) -> None:
        self.runner.take_undo(message)

    def on_run_event(self, message: RunEvent) -> None:
        self.runner.take(message.event)

    def on_task_ended(self, message: TaskEnded) -> None:
        self.runner.take_end(message)

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

    def action_palette(self) -> None:
        from trueup_tui.screens.palette import PaletteScreen

        place = self.screen
        if isinstance(place, Place):
            self.push_screen(PaletteScreen(place.place), lambda chosen: place.press_soon(chosen) if chosen else None)

    async def action_quit(self) -> None:
        if isinstance(self.screen, ModalScreen):
            return
        question = before_leaving(self.session)
        if question is None:
            self.exit(self.session.exit_code)
            return
        self.push_screen(ConfirmScreen(question), lambda yes: self.runner.leave() if yes else None)

    async def action_interrupt(self) -> None:
        """Ctrl-C never kills a run; the first press asks."""
        if not self.session.running:
            await self.action_quit()
        elif not isinstance(self.screen, ModalScreen):
            self.push_screen(
                ConfirmScreen(before_cancelling(self.session)), lambda yes: self.runner.cancel() if yes else None
            )

    # -- the end that nobody planned -----------------------------------------------------------------------------------

    def _fatal_error(self) -> None:
        """Textual prints the values of all variables here, the password in a URL among them; the calls are enough."""
        self.bell()
        lines = without_secret(traceback.format_exc(), self.session.settings.url)
        self._exit_renderables.append(Text(visible(lines, lines=True)))
        self._close_messages_no_wait()
