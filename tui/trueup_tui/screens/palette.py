"""Everything that can be done in a place, to be found by its words and done without knowing the key."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from trueup_tui.commands import Command, bindings_of, commands_of
from trueup_tui.screens.confirm import PatientScreen
from trueup_tui.widgets.bars import TooSmall
from trueup_tui.widgets.field import Field

_KEY = 5
"""Cells for the key before the sentence."""
_HERE_ALREADY = ("app.palette", "app.interrupt")


def found(place: str, text: str) -> tuple[Command, ...]:
    """The commands of the place and those that hold everywhere, where every word of the text is in what they do."""
    words = text.casefold().split()
    here = [*commands_of(place), *(item for item in commands_of("app") if item.id not in _HERE_ALREADY)]
    return tuple(item for item in here if all(word in f"{item.label} {item.words}".casefold() for word in words))


class PaletteScreen(PatientScreen[str | None]):
    """Answers with the id of a command, and does nothing else.

    Args:
        place: where it was opened.
    """

    BINDINGS = bindings_of("palette")

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place
        self._cursor = 0

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled("What is to be done?", "bold"), classes="title")
            yield Field(id="wanted", compact=True, placeholder="some of its words")
            with VerticalScroll(id="found", can_focus=False):
                yield Static("", markup=False)
            yield Static(
                Content.assemble(
                    ("↑↓", "bold $key"),
                    " move · ",
                    ("↵", "bold $key"),
                    " does it · ",
                    ("esc", "bold $key"),
                    " goes back",
                ),
                id="keys",
            )
        yield TooSmall()

    def on_mount(self) -> None:
        self._show()
        self.query_one(Input).focus()

    @property
    def commands(self) -> tuple[Command, ...]:
        return found(self._place, self.query_one(Input).value)

    def on_input_changed(self) -> None:
        self._cursor = 0
        self._show()

    def _show(self) -> None:
        pane = self.query_one("#found", VerticalScroll)
        pane.query_one(Static).update(Content("\n").join(self._lines()))
        # Only after it is drawn anew the pane knows how high it is.
        self.call_after_refresh(lambda: pane.scroll_to(y=self._cursor - pane.content_size.height // 2, animate=False))

    def _lines(self) -> Iterator[Content]:
        for line, command in enumerate(self.commands):
            here = line == self._cursor
            key = (f"{command.shown.split()[0]:<{_KEY}} ", "bold $key")
            yield Content.assemble("› " if here else "  ", key, (command.words, "bold" if here else ""))
        if not self.commands:
            yield Content("Nothing that can be done here has these words in it.")

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self._cursor = (self._cursor + by) % max(1, len(self.commands))
        self._show()

    def on_input_submitted(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        if self.armed and self.commands:
            self.dismiss(self.commands[self._cursor].id)

    def action_back(self) -> None:
        if self.armed:
            self.dismiss(None)
