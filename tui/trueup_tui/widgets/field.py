"""A field to type in, whose cursor stands still."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input


class Field(Input):
    """A blinking cursor would send something to the terminal twice a second, and says no more than a steady one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cursor_blink = False
