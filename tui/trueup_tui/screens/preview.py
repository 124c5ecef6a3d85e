"""What would run, to the letter: the steps, their price, and the SQL that is sent."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from trueup import Form, Plan, Severity, Verdict
from trueup_tui.commands import bindings_of
from trueup_tui.progress import makes_backup
from trueup_tui.questions import before_applying
from trueup_tui.rehearsal import lines_of
from trueup_tui.screens.confirm import AskScreen, ConfirmScreen
from trueup_tui.screens.place import Place
from trueup_tui.session import Session
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.wording import about, count, joined, limit, plain, sentence, sql
from trueup_tui.words import no_plan


class PreviewScreen(Place):
    """Shows a plan made just now; what is shown is what is applied."""

    place = "preview"
    lists = ("text",)
    gives_way = True
    BINDINGS = bindings_of("preview")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="totals", markup=False)
        with Container(id="preview"):
            yield TextPane(id="steps")
            yield TextPane(id="script")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._drawn: Plan | None = None
        self.query_one("#steps").border_title = "Steps"
        self.query_one("#script").border_title = "SQL, as it is sent"
        super().on_mount()

    @property
    def _ready(self) -> Plan | None:
        """The plan, unless it is being made anew."""
        session = self.session
        return None if session.reading or session.error is not None else session.plan

    def redraw(self) -> None:
        plan = self._ready
        something = plan is not None and bool(plan.steps)
        self.show_body("#preview", something, "#script")
        notice = self.query_one(Notice)
        self.query_one("#totals", Static).update(_headline(plan, backup=self.session.backup))
        if plan is None:
            self._tell(notice)
        elif not plan.steps:
            notice.tell("Nothing is taken.", Content("Take a change with ␣ on the differences; esc goes back."))
        else:
            self._show(plan)

    def _tell(self, notice: Notice) -> None:
        if self.session.error is not None:
            title, body = no_plan(self.session)
            notice.tell(title, body, error=True)
        else:
            notice.tell("Planning", Content("Reading both sides again, so that the plan fits what is there now …"))

    def _show(self, plan: Plan) -> None:
        self.query_one("#steps", TextPane).show(Content("\n").join(_steps(plan, self.session)), from_top=False)
        if plan is not self._drawn:
            self._drawn = plan
            self.query_one("#script", TextPane).show(sql(plan.script))

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        self.dismiss(None)

    def action_reload(self) -> None:
        self.owner.read_again()

    def action_backup(self) -> None:
        self.session.backup = not self.session.backup
        self.owner.changed()

    def action_limit(self) -> None:
        now = self.session.time_limit
        ask = AskScreen(
            "How long may the run take?",
            "Seconds from lock to commit; 0 for no limit. When they are over, everything is rolled back.",
            f"{now or 0:g}",
            lambda text: limit(_seconds(text)),
        )
        self.app.push_screen(ask, self._limited)

    def _limited(self, text: str | None) -> None:
        if text is not None:
            self.session.time_limit = _seconds(text)
            self.owner.changed()

    def action_rehearse(self) -> None:
        plan = self._ready
        reason = self._why_not(plan)
        if reason or plan is None:
            self.refuse(reason)
        else:
            self.owner.runner.rehearse(plan)

    def action_apply(self) -> None:
        plan = self._ready
        reason = self._why_not(plan)
        if reason or plan is None:
            self.refuse(reason)
            return
        question = before_applying(plan, self.session.rows, backup=self.session.backup)
        self.app.push_screen(ConfirmScreen(question), lambda yes: self._confirmed(plan, yes=bool(yes)))

    def _confirmed(self, plan: Plan, *, yes: bool) -> None:
        if yes:
            self.owner.runner.apply(plan)

    def _why_not(self, plan: Plan | None) -> str:
        if self.session.running:
            return self.session.busy
        if plan is None:
            return "There is no plan yet."
        if plan.blocked:
            return f"{count(len(self.session.open), 'question is', 'questions are')} open; esc goes back to answer."
        return "" if plan.steps else "Nothing is taken, so there is nothing to apply."


# -- words -------------------------------------------------------------------------------------------------------------


def _headline(plan: Plan | None, *, backup: bool) -> Content:
    """The line over the steps."""
    if plan is None:
        return Content(" Planning …")
    return totals(plan, backup=backup) if plan.steps else Content(" No steps")


def totals(plan: Plan, *, backup: bool) -> Content:
    """What the whole plan costs, and which one it is."""
    parts: list[Content | str] = [Content.styled(count(len(plan.steps), "step"), "bold"), about(plan.estimate)]
    if plan.live.tables:
        copy = f"backup first, {about(plan.backup_estimate)}"
        parts.append(copy if backup else Content.styled("no backup", "$diff-drop"))
    if plan.loses_data:
        parts.append(Content.styled("deletes data", "bold $diff-drop"))
    parts.append(f"plan {plan.checksum}")
    return Content.assemble(" ", joined(parts))


def _steps(plan: Plan, session: Session) -> Iterator[Content]:
    if session.rehearsal is not None and session.rehearsal.is_about(plan):
        yield from lines_of(session.rehearsal)
    yield from _losses(plan)
    if makes_backup(plan, wanted=session.backup):
        yield plain(f"   backup, read back and checked  {about(plan.backup_estimate)}")
    elif plan.live.tables:
        yield Content.styled("   no backup: b makes one first", "$diff-drop")
    for number, step in enumerate(plan.steps, 1):
        yield plain(f"{number:2} {step.sentence}")
        why = f" · {step.why}" if step.form is not Form.IN_PLACE else ""
        yield plain(f"   {step.form}, {about(step.estimate)}{why}", "dim")
    yield Content("   read the schema again and compare, then commit")
    yield Content("")
    yield Content(f"One transaction, {limit(session.time_limit)}.")
    yield Content("Any failure rolls everything back.")


def _losses(plan: Plan) -> Iterator[Content]:
    for item in plan.with_verdict(Verdict.APPLY):
        for hazard in item.hazards:
            if hazard.severity is Severity.LOSES:
                yield Content.assemble(("DATA ", "bold $diff-drop"), plain(sentence(hazard.sentence)))


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("That is not a number of seconds.") from None
    if not 0 <= value < 1e7:
        raise ValueError("It must be 0 or more, and less than four months.")
    return value or None
