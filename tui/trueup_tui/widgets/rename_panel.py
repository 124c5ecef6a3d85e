"""The question whether two names are one object, asked beside its facts."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from trueup import RenameCandidate
from trueup_tui.commands import bindings_of, commands_of
from trueup_tui.rows import Row
from trueup_tui.wording import plain

_LISTED = 3
"""Other candidates that are named; the rest is only counted, or the keys would leave a small terminal."""


class RenamePanel(Static, can_focus=True):
    """Asks about one candidate and names the others; the answer goes up as a message."""

    BINDINGS = bindings_of("rename")

    @dataclass
    class Answered(Message):
        """``answer`` is ``"rename"``, ``"keep"``, ``"drop"``, or nothing when it was put off."""

        answer: str
        candidate: RenameCandidate

    def __init__(self) -> None:
        super().__init__("", markup=False, id="rename")
        self._candidates: tuple[RenameCandidate, ...] = ()

    @property
    def candidate(self) -> RenameCandidate:
        return self._candidates[0]

    def ask(self, row: Row) -> None:
        """Show the question about this row."""
        self._candidates = row.possible
        self._draw()
        self.display = True
        self.focus()

    def action_answer(self, answer: str) -> None:
        self.display = False
        self.post_message(self.Answered(answer, self.candidate))

    def action_close(self) -> None:
        self.action_answer("")

    def action_other(self) -> None:
        """The candidates take turns."""
        if len(self._candidates) == 1:
            self.notify("No other name is a candidate.", markup=False, severity="warning")
        self._candidates = (*self._candidates[1:], self._candidates[0])
        self._draw()

    def _draw(self) -> None:
        candidate, *others = self._candidates
        question = plain(f"Is {candidate.object} now called {candidate.to}?", "bold")
        evidence = [plain(f"  · {text}") for text in candidate.evidence]
        evidence += [plain(f"or {item.object} » {item.to}, {item.score:.0%} alike", "dim") for item in others[:_LISTED]]
        evidence += [Content.styled(f"and {len(others) - _LISTED} more", "dim")] if others[_LISTED:] else []
        keys = [
            Content.assemble("  ", (command.shown, "bold $key"), f"  {command.label}")
            for command in commands_of("rename")
            if command.id != "rename.other" or len(self._candidates) > 1
        ]
        self.update(Content("\n").join([question, *evidence, *keys]))
