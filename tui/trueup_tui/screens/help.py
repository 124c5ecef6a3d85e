"""The keys of one place, from the table of commands."""

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


class HelpScreen(ModalScreen[None]):
    """Shown over a place; any of its keys closes it."""

    BINDINGS = bindings_of("help")

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self._places = places

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", can_focus=False):
            yield TextPane(id="help")
            yield Static(Content.assemble(("esc", "bold $key"), " closes"))
        yield TooSmall()

    def on_mount(self) -> None:
        pane = self.query_one(TextPane)
        pane.show(Content("\n").join(self._lines()))
        pane.focus()

    def _lines(self) -> Iterator[Content]:
        for place in self._places:
            yield Content.styled(PLACES[place], "bold")
            for command in commands_of(place):
                yield Content.assemble("  ", (f"{command.shown:<16}", "bold $key"), command.words)
            yield Content("")
        if "diff" in self._places:
            yield Content.assemble(("Signs", "bold"), "\n", _SIGNS)

    def action_close(self) -> None:
        self.dismiss(None)
