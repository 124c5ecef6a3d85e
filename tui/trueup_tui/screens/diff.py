"""The differences: what differs, what it does to the data, and the choices that only a person can make."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, Tree

from trueup_tui import answers
from trueup_tui.answers import Refused
from trueup_tui.choices import Choices
from trueup_tui.commands import bindings_of
from trueup_tui.facts import facts_of, left_alone_facts, table_facts
from trueup_tui.offers import Offer, fill_of, leave_of, offers_of
from trueup_tui.rows import Row
from trueup_tui.screens.decide import DecideScreen
from trueup_tui.screens.place import Place
from trueup_tui.widgets.change_tree import LEFT_ALONE, ChangeTree, Item
from trueup_tui.widgets.filter import Filter
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.widgets.rename_panel import RenamePanel
from trueup_tui.wording import count, plain
from trueup_tui.words import no_plan, verdict_line


class DiffScreen(Place):
    """The first place: the tree of changes on the left, the facts about one of them on the right."""

    place = "diff"
    lists = ("list", "rename", "filter")
    BINDINGS = bindings_of("diff")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="verdict", markup=False)
        with Horizontal(id="diff"):
            with Vertical(id="changes"):
                yield ChangeTree(id="tree")
                yield Static("", id="no-match", markup=False)
                yield Filter(id="filter")
            with Vertical(id="facts-side"):
                yield TextPane(id="facts")
                yield RenamePanel()
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._drawn: object = None
        for hidden in ("#filter", "#rename", "#no-match"):
            self.query_one(hidden).display = False
        super().on_mount()

    @property
    def row(self) -> Row | None:
        """The change that the cursor is on."""
        item = self.query_one(ChangeTree).item
        return item if isinstance(item, Row) else None

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        self.query_one("#verdict", Static).update(verdict_line(session))
        reviewing = session.plan is not None and session.error is None
        something = reviewing and bool(session.rows or session.plan.unsupported)  # type: ignore[union-attr]
        self.show_body("#diff", something, "#tree")
        notice = self.query_one(Notice)
        if something:
            self._fill()
        else:
            title, body = no_plan(session)
            notice.tell(title, body, error=session.error is not None)

    def _fill(self) -> None:
        field = self.query_one(Filter)
        matching = tuple(row for row in self.session.rows if row.matches(field.value))
        if not matching and not field.has_focus and field.value:
            field.action_clear()  # what it was looking for is done
            matching = self.session.rows
        if self._drawn != (self.session.rows, field.value):
            self._drawn = (self.session.rows, field.value)
            self._fill_tree(matching, field.value)

    def _fill_tree(self, rows: Sequence[Row], text: str) -> None:
        plan, tree = self.session.plan, self.query_one(ChangeTree)
        alone = () if text or plan is None else (*plan.unmanaged, *plan.unsupported, *plan.spellings)
        tree.fill(rows, alone)
        tree.display = bool(rows) or not text
        empty = self.query_one("#no-match", Static)
        empty.display = not tree.display
        empty.update(plain(f"No change has {text!r} in it. esc shows all."))
        if empty.display:
            self.query_one("#facts", TextPane).show(Content(""))
        taken = sum(row.taken for row in self.session.rows)
        self.query_one("#changes").border_title = f"Changes {taken}/{len(self.session.rows)}"

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Item]) -> None:
        self._show_facts(event.node.data)

    def _show_facts(self, item: Item | None) -> None:
        plan = self.session.plan
        if plan is None or item is None:
            return
        pane = self.query_one("#facts", TextPane)
        if isinstance(item, Row):
            pane.show(facts_of(item, plan))
        elif item == LEFT_ALONE:
            pane.show(left_alone_facts(plan))
        else:
            pane.show(table_facts(item, [row for row in self.session.rows if row.table == item], plan))

    # -- choosing ------------------------------------------------------------------------------------------------------

    def _chosen(self) -> Row | None:
        """The row to choose about; says why when there is none."""
        if self.session.running:
            self.refuse(f"{self.session.busy} Choose again when it has ended.")
        elif self.row is None:
            self.refuse("Move to a change first.")
        else:
            return self.row
        return None

    def _choose(self, choices: Choices | Refused) -> None:
        if isinstance(choices, Refused):
            self.refuse(choices.reason)
        else:
            self.owner.choose(choices)

    def action_take_or_skip(self) -> None:
        row = self._chosen()
        if row is not None:
            self._choose(answers.toggle(row, self.session.choices))

    def action_rename(self) -> None:
        row = self._chosen()
        if row is None:
            return
        if row.possible:
            self.query_one(RenamePanel).ask(row)
        else:
            self.refuse("Nothing here looks like a rename. n goes to the next open question.")

    def on_rename_panel_answered(self, event: RenamePanel.Answered) -> None:
        self.query_one(ChangeTree).focus()
        answer = {"rename": answers.rename, "keep": answers.keep, "drop": answers.drop}.get(event.answer)
        if answer is not None:
            self._choose(answer(event.candidate, self.session.choices))

    def action_fill(self) -> None:
        row = self._chosen()
        plan = self.session.plan
        if row is not None and plan is not None:
            self._decide(row, fill_of(row, plan))

    def action_keep(self) -> None:
        row = self._chosen()
        if row is not None:
            self._decide(row, leave_of(row))

    def action_decide(self) -> None:
        row = self._chosen()
        plan = self.session.plan
        if row is None or plan is None:
            return
        if row.candidates:
            self.refuse("It may be a rename: answer that first, with r.")
        else:
            none = Refused("Nothing can be decided here: the models say that it is so.")
            self._decide(row, *(offers_of(row, plan) or (none,)))

    def _decide(self, row: Row, *offers: Offer | Refused) -> None:
        given = tuple(item for item in offers if isinstance(item, Offer))
        if given:
            self.app.push_screen(DecideScreen(self.session, row, given))
        for item in offers:
            if isinstance(item, Refused):
                self.refuse(item.reason)

    def action_undo(self) -> None:
        if self.session.choices.before is None:
            self.refuse("There is no choice to take back.")
        elif self._chosen_when_idle():
            self.owner.choose(self.session.choices.undone())

    def action_write(self) -> None:
        if not self.session.choices.unwritten:
            self.refuse("There is no answer to write.")
        elif self._chosen_when_idle():
            self.owner.write()

    def _chosen_when_idle(self) -> bool:
        if self.session.running:
            self.refuse(self.session.busy)
        return not self.session.running

    # -- moving --------------------------------------------------------------------------------------------------------

    def action_next_open(self) -> None:
        self._jump(forward=True)

    def action_previous_open(self) -> None:
        self._jump(forward=False)

    def _jump(self, *, forward: bool) -> None:
        if not self.query_one(ChangeTree).jump(forward):
            self.refuse("No question is open.")

    def action_filter(self) -> None:
        if not self.session.rows:
            self.refuse("There is nothing to filter.")
            return
        field = self.query_one(Filter)
        field.display = True
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter":
            self._fill()

    def on_filter_left(self, event: Filter.Left) -> None:
        event.filter.display = bool(event.filter.value)
        tree = self.query_one(ChangeTree)
        (tree if tree.display else event.filter).focus()

    def action_reload(self) -> None:
        self.owner.read_again()

    def action_run(self) -> None:
        if self.session.progress is None:
            self.refuse("Nothing ran yet. p shows what would run.")
        else:
            self.owner.runner.show_run()

    def action_preview(self) -> None:
        reason = self._why_no_preview()
        if reason:
            self.refuse(reason)
        else:
            self.owner.preview()

    def _why_no_preview(self) -> str:
        session = self.session
        if session.running and not session.rehearsing:
            return session.busy
        if session.plan is None or session.error is not None:
            return "There is no reading yet that could be planned."
        if session.open:
            waiting = count(len(session.open), "question is", "questions are")
            return f"{waiting} open: n goes there. Answer, or skip with ␣."
        return ""
