"""What would take a run back: what comes back, what is lost, and the SQL that is sent. Nothing is done from here
without a word that is typed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from trueup import Plan
from trueup_tui.commands import bindings_of
from trueup_tui.progress import makes_backup
from trueup_tui.questions import before_undoing
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.place import Place
from trueup_tui.screens.preview import totals
from trueup_tui.session import Session
from trueup_tui.undo import Undo, lines_of
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.wording import about, limit, moment, plain, sql, what_went_wrong, without_secret


class UndoScreen(Place):
    """Shows the plan that takes back a run; what is shown is what is done."""

    place = "undo"
    lists = ("text",)
    gives_way = True
    BINDINGS = bindings_of("undo")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="totals", markup=False)
        with Container(id="undo"):
            yield TextPane(id="back")
            yield TextPane(id="script")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._drawn: Plan | None = None
        self.query_one("#back").border_title = "What is taken back"
        self.query_one("#script").border_title = "SQL, as it is sent"
        super().on_mount()

    def redraw(self) -> None:
        undo = self.session.undo
        if undo is None:
            return
        plan = undo.plan
        something = plan is not None and bool(plan.assessments)
        self.show_body("#undo", something, "#back")
        self.query_one("#totals", Static).update(_headline(undo, backup=self.session.backup))
        if plan is None or not something:
            title, body = _instead(undo, self.session)
            self.query_one(Notice).tell(title, body, error=undo.error is not None)
        elif plan is not self._drawn:
            self._drawn = plan
            self.query_one("#back", TextPane).show(Content("\n").join(_back(plan, self.session)))
            self.query_one("#script", TextPane).show(sql(plan.script) if plan.steps else Content("Nothing is sent."))

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        self.dismiss(None)

    def action_reload(self) -> None:
        undo = self.session.undo
        if undo is not None and not undo.planning:
            self.owner.runner.plan_undo(undo.run)
        else:
            self.refuse("Planning already.")

    def action_apply(self) -> None:
        undo = self.session.undo
        plan = undo.plan if undo is not None else None
        reason = self._why_not(plan)
        if reason or plan is None or undo is None:
            self.refuse(reason)
            return
        question = before_undoing(plan, undo.run, backup=self.session.backup)
        self.app.push_screen(ConfirmScreen(question), lambda yes: self.owner.runner.undo(plan) if yes else None)

    def _why_not(self, plan: Plan | None) -> str:
        if self.session.running:
            return self.session.busy
        if plan is None:
            return "There is no plan that could be carried out."
        if plan.blocked:
            return "Something stands in the way; the text says what to do about it."
        return "" if plan.steps else "Nothing is left of that run."


# -- words -------------------------------------------------------------------------------------------------------------


def _headline(undo: Undo, *, backup: bool) -> Content:
    """The line over the panes."""
    if undo.plan is not None and undo.plan.steps:
        return totals(undo.plan, backup=backup)
    return plain(f" Run {undo.run.id} of {moment(undo.run.started_at)}")


def _instead(undo: Undo, session: Session) -> tuple[str, Content]:
    """What stands in place of a plan."""
    if undo.error is not None:
        sentence = without_secret(what_went_wrong(undo.error), session.settings.url)
        return f"Run {undo.run.id} cannot be taken back now", plain(sentence)
    if undo.plan is None:
        return "Planning", Content("Looking what would take the run back, and whether its backup is good …")
    return f"Nothing is left of run {undo.run.id}.", Content("Nothing that it did is there any more.")


def _back(plan: Plan, session: Session) -> Iterator[Content]:
    if plan.undoes is not None:
        yield plain(f"To take back {plan.undoes.words}:", "bold")
    yield from lines_of(plan)
    if not plan.steps:
        return
    yield Content("")
    if makes_backup(plan, wanted=session.backup):
        yield plain(f"First a backup, read back and checked, {about(plan.backup_estimate)}.")
    else:
        yield Content.styled("No backup is made.", "$diff-drop")
    yield Content(f"One transaction, {limit(session.time_limit)}; any failure rolls everything back.")
