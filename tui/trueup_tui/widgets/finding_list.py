"""A list whose lines may be several: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from textual.widgets import OptionList

from trueup_tui.commands import bindings_of


class FindingList(OptionList, inherit_bindings=False):
    """Only the keys that move are its own."""

    BINDINGS = bindings_of("list")

    def fill(self, findings: Iterable[Table]) -> None:
        """Show these in place of the others; the cursor stays where it is."""
        here = self.highlighted or 0
        self.clear_options()
        self.add_options(list(findings))
        if self.option_count:
            self.highlighted = min(here, self.option_count - 1)

    def action_top(self) -> None:
        self.action_first()

    def action_bottom(self) -> None:
        self.action_last()

    def action_fold(self) -> None:
        self.scroll_left(animate=False)

    def action_unfold(self) -> None:
        self.scroll_right(animate=False)
