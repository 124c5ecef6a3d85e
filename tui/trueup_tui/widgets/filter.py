"""The field that narrows the list of changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.message import Message

from trueup_tui.commands import bindings_of
from trueup_tui.widgets.field import Field


class Filter(Field):
    """Keeps its text when left with Enter, loses it with Escape."""

    BINDINGS = bindings_of("filter")

    @dataclass
    class Left(Message):
        """The person is done here."""

        filter: Filter

    def __init__(self, **options: Any) -> None:
        super().__init__(placeholder="only changes with …", compact=True, **options)

    def action_done(self) -> None:
        self.post_message(self.Left(self))

    def action_clear(self) -> None:
        self.value = ""
        self.post_message(self.Left(self))
