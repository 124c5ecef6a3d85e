"""What all places have in common: the line on top, the bar of keys, and that they follow the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from trueup_tui.session import Session
from trueup_tui.widgets.bars import KeyBar, StatusLine, TooSmall
from trueup_tui.wording import plain

if TYPE_CHECKING:
    from trueup_tui.app import TrueupApp


class Place(Screen[None]):
    """A screen that shows the session and is drawn again whenever it changes."""

    place = ""
    """Its name in the table of commands."""
    lists: tuple[str, ...] = ("list", "text")
    """The other parts of that table that hold here."""

    gives_way = False
    """A run that is begun here is shown in place of it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._body_shown: bool | None = None

    @property
    def owner(self) -> TrueupApp:
        """The app, by its own type."""
        app: Any = self.app
        return app  # type: ignore[no-any-return]

    def compose(self) -> ComposeResult:
        yield StatusLine(self.session)
        yield from self.compose_body()
        yield KeyBar(self.place)
        yield TooSmall()

    def compose_body(self) -> ComposeResult:
        """What stands between the two lines."""
        yield from ()

    def on_mount(self) -> None:
        self.watch(self.app, "revision", self.redraw)

    def redraw(self) -> None:
        """Show the session as it is now."""

    def show_body(self, body: str, shown: bool, focus: str) -> None:
        """Show the body of the screen, or the notice in its place; the keys go to whichever appears.

        By a class and not by ``display``, so that a screen that is too small can still hide both.
        """
        if self._body_shown == shown:
            return
        self._body_shown = shown
        self.query_one(body).set_class(not shown, "-off")
        self.query_one("#notice").set_class(shown, "-off")
        # Only what is drawn can have the focus.
        self.call_after_refresh(self.query_one(focus if shown else "#notice").focus)

    def tell(self, where: str, words: Content) -> None:
        """Show a line, which takes no room when there is nothing to say."""
        line = self.query_one(where, Static)
        line.update(words)
        line.set_class(not words, "-off")

    def stop_task(self) -> None:
        """Stop what this place shows, or say why not."""
        task = self.session.task
        if task is None or not self.session.at_a_task or task.place != self.place:
            self.refuse("Nothing goes on here that could be cancelled.")
        elif task.ends_alone:
            self.refuse("It cannot be stopped, and ends in a moment.")
        else:
            self.owner.runner.cancel()

    def refuse(self, reason: str) -> None:
        """Say why a key does nothing now."""
        self.notify(plain(reason).plain, markup=False, severity="warning")

    def say(self, words: str) -> None:
        self.notify(plain(words).plain, markup=False)

    def press_soon(self, command: str) -> None:
        """Do what the command of that id does, when the dialog that it was chosen in is gone."""
        self.call_after_refresh(self.action_press, command)

    async def action_press(self, command: str) -> None:
        """Do what the command of that id does; the bar's clicks come here."""
        from trueup_tui.commands import COMMANDS

        action = next(item.action for item in COMMANDS if item.id == command)
        await self.run_action(f"app.{action}" if command.startswith("app.") else action)
