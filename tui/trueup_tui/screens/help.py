"""A text over a place, and the keys of that place from the table of commands."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from trueup_tui.commands import PLACES, bindings_of, commands_of
from trueup_tui.widgets.bars import TooSmall
from trueup_tui.widgets.panes import TextPane

_SIGNS = """\
✓ will run   · skipped   ? waits for you
+ add   - drop   ~ change   » rename
DATA: values would be deleted"""


class PageScreen(ModalScreen[None]):
    """A text over a place; any of its keys closes it."""

    BINDINGS = bindings_of("help")

    def __init__(self, text: Content) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False):
            yield TextPane(id="page")
            yield Static(Content.assemble(("esc", "bold $key"), " closes"))
        yield TooSmall()

    def on_mount(self) -> None:
        pane = self.query_one(TextPane)
        pane.show(self._text)
        pane.focus()

    def action_close(self) -> None:
        self.dismiss(None)


class HelpScreen(PageScreen):
    """The keys of these places."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__(Content("\n").join(_lines(places)))


def _lines(places: tuple[str, ...]) -> Iterator[Content]:
    for place in places:
        yield Content.styled(PLACES[place], "bold")
        for command in commands_of(place):
            yield Content.assemble("  ", (f"{command.shown:<16}", "bold $key"), command.words)
        yield Content("")
    if "diff" in places:
        yield Content.assemble(("Signs", "bold"), "\n", _SIGNS)
