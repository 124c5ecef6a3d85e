"""The changes as a tree, grouped by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from trueup_tui.commands import bindings_of
from trueup_tui.rows import Row
from trueup_tui.wording import cell

Item = Row | str
"""A change, or the name of the table over its changes."""

LEFT_ALONE = "\0left alone"
"""The last group, whose name no table can have."""

_PART = {"+": "change--add", "-": "change--drop", "~": "change--alter", "»": "change--alter"}


# Textual's own keys of a tree would take the space bar and Enter from the screen.
class ChangeTree(Tree[Item], inherit_bindings=False):
    """One line for each row, with its mark, sign and words; the tag stands at the right edge."""

    BINDINGS = bindings_of("list")
    COMPONENT_CLASSES = {"change--add", "change--drop", "change--alter", "change--open", "change--quiet"}

    def __init__(self, **options: Any) -> None:
        super().__init__("", **options)
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.auto_expand = False

    def fill(self, rows: Sequence[Row], alone: Sequence[str] = ()) -> None:
        """Show these rows; the cursor and what is folded stay where they were."""
        folded = {node.data for node in self.root.children if not node.is_expanded}
        here, line = self._key(self.item), self.cursor_line
        self.clear()
        for table in dict.fromkeys(row.table for row in rows):
            group = self.root.add(cell(table), data=table, expand=table not in folded)
            for row in rows:
                if row.table == table:
                    group.add_leaf(cell(row.title), data=row)
        if alone:
            self.root.add(cell("left alone"), data=LEFT_ALONE, allow_expand=False)
        self.root.expand()
        self._restore(here, line)

    @property
    def item(self) -> Item | None:
        """What the cursor is on."""
        return self.cursor_node.data if self.cursor_node is not None else None

    def jump(self, forward: bool) -> bool:
        """Move to the next or previous open question, around the end; False when there is none."""
        nodes = [node for node in self._lines_down() if isinstance(node.data, Row) and node.data.open]
        if not nodes:
            return False
        order = list(self._lines_down())
        here = order.index(self.cursor_node) if self.cursor_node in order else -1
        places = [order.index(node) for node in nodes]
        if forward:
            place = next((place for place in places if place > here), places[0])
        else:
            place = next((place for place in reversed(places) if place < here), places[-1])
        self._go_to(order[place])
        return True

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_top(self) -> None:
        self.cursor_line = 0
        self.scroll_to_line(0, animate=False)

    def action_bottom(self) -> None:
        self.cursor_line = self.last_line
        self.scroll_to_line(self.last_line, animate=False)

    def action_fold(self) -> None:
        group = self._group()
        if group is not None:
            group.collapse()
            self.move_cursor(group)

    def action_unfold(self) -> None:
        group = self._group()
        if group is not None:
            group.expand()

    # -- drawing -------------------------------------------------------------------------------------------------------

    def render_label(self, node: TreeNode[Item], base_style: Style, style: Style) -> Text:  # noqa: ARG002
        if not isinstance(node.data, Row):
            return self._table_label(node, style)
        row = node.data
        # No colour of its own on the cursor's line: in some themes it could not be read there.
        plain_line = node is self.cursor_node
        open_style = self._style("change--open", plain_line) if row.open else self._quiet(row, plain_line)
        text = Text.assemble(
            (f"{row.mark} ", open_style),
            (f"{row.sign} ", self._style(_PART[row.sign], plain_line)),
            cell(row.title, self._quiet(row, plain_line)),  # type: ignore[arg-type]
        )
        return self._fitted(text, "DATA" if row.loses else "", self._style("change--drop", plain_line), style)

    def _table_label(self, node: TreeNode[Item], style: Style) -> Text:
        icon = "  " if not node.allow_expand else "▼ " if node.is_expanded else "▶ "
        name = "left alone" if node.data == LEFT_ALONE else node.data or ""
        folded = f" ({len(node.children)})" if node.allow_expand and not node.is_expanded else ""
        return self._fitted(Text.assemble(icon, cell(name, "bold"), folded), "", Style(), style)

    def _fitted(self, text: Text, tag: str, tag_style: Style, style: Style) -> Text:
        """As wide as the pane: a long name ends in an ellipsis, so that the tag is always seen."""
        indent = 2 if text.plain[:1] in "✓·?" else 0
        room = max(4, self.scrollable_content_region.width - indent - (cell_len(tag) + 1 if tag else 0))
        text.truncate(room, overflow="ellipsis", pad=True)
        text.append_text(Text(f" {tag}", tag_style) if tag else Text())
        text.stylize_before(style)
        return text

    def _style(self, part: str, plain_line: bool) -> Style:
        return Style() if plain_line else self.get_component_rich_style(part, partial=True)

    def _quiet(self, row: Row, plain_line: bool) -> Style:
        return Style() if row.taken or row.open else self._style("change--quiet", plain_line)

    # -- the cursor ----------------------------------------------------------------------------------------------------

    def _lines_down(self) -> Iterator[TreeNode[Item]]:
        for group in self.root.children:
            yield group
            yield from group.children

    def _group(self) -> TreeNode[Item] | None:
        node = self.cursor_node
        if node is None or isinstance(node.data, str):
            return node
        return node.parent

    def _key(self, item: Item | None) -> frozenset[str]:
        """The objects that a line is about; a rename is about both names."""
        return item.objects if isinstance(item, Row) else frozenset({item or ""})

    def _restore(self, key: frozenset[str], line: int) -> None:
        """Back to the same object, whatever the answer made of it; else to the same line, at first the first change."""
        nodes = [node for node in self._lines_down() if self._key(node.data) & key]
        if nodes:
            self._go_to(nodes[0])
        elif self.root.children:
            self._settle(min(max(line, 1), self.last_line))

    def _go_to(self, node: TreeNode[Item]) -> None:
        if node.parent is not None:
            node.parent.expand()
        if self.last_line >= 0:  # asking for it has the lines counted, without which a node has none
            self._settle(node.line)

    def _settle(self, line: int) -> None:
        self.cursor_line = line
        self.scroll_to_line(line, animate=False)
        node = self.cursor_node
        if node is not None:
            self.post_message(self.NodeHighlighted(node))
