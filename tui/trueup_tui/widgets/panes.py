"""Panes that hold text: facts, SQL, or a sentence in place of everything else."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from trueup_tui.commands import bindings_of


class TextPane(VerticalScroll, inherit_bindings=False):
    """A text that can be longer than the screen."""

    BINDINGS = bindings_of("text")

    def compose(self) -> ComposeResult:
        yield Static("", markup=False, classes="text")

    def show(self, content: Content, *, from_top: bool = True) -> None:
        """Replace the text."""
        self.query_one(".text", Static).update(content)
        if from_top:
            self.scroll_home(animate=False)

    @property
    def shown(self) -> Content:
        """The text as it is."""
        content = self.query_one(".text", Static).visual
        assert isinstance(content, Content)
        return content


class Notice(TextPane):
    """A state instead of a content: reading, nothing there, or an error with the way out."""

    def tell(self, title: str, body: Content, *, error: bool = False) -> None:
        self.set_class(error, "-error")
        style = "bold $diff-drop" if error else "bold"
        self.show(Content.assemble((title, style), "\n\n", body))
