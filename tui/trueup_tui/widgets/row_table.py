"""A list with columns, for the places that have one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widgets import DataTable

from trueup_tui.commands import bindings_of


class RowTable(DataTable[object], inherit_bindings=False):
    """Only the keys that move are its own."""

    BINDINGS = bindings_of("list")

    def name_columns(self, title: str, columns: Sequence[str]) -> None:
        self.border_title = title
        for column in columns:
            self.add_column(column, key=column)

    def fill(self, rows: Iterable[Iterable[object]]) -> None:
        """Show these rows in place of the others; the cursor stays where it is."""
        here = self.cursor_row
        self.clear()
        for row in rows:
            self.add_row(*row)
        self.move_cursor(row=min(max(here, 0), self.row_count - 1))

    def action_top(self) -> None:
        self.move_cursor(row=0)

    def action_bottom(self) -> None:
        self.move_cursor(row=self.row_count - 1)

    def action_fold(self) -> None:
        self.scroll_left(animate=False)

    def action_unfold(self) -> None:
        self.scroll_right(animate=False)
