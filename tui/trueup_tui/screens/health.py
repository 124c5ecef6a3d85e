"""How well the database is: what is wrong, what to do about it, and the way to where it can be done."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from trueup import Health, Limits
from trueup_tui import jobs
from trueup_tui.commands import bindings_of
from trueup_tui.health_words import LEADS, areas_of, doing_of, headline_of, nothing_examined, option_of
from trueup_tui.messages import Examined
from trueup_tui.screens.place import Place
from trueup_tui.widgets.finding_list import FindingList
from trueup_tui.widgets.panes import Notice, TextPane


class HealthScreen(Place):
    """The fourth place. The whole database is read for it, so that is done once, and then when somebody asks."""

    place = "health"
    BINDINGS = bindings_of("health")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="summary", markup=False)
        yield Static("", id="doing", markup=False)
        with Container(id="health"):
            yield FindingList(id="findings", markup=False)
            yield TextPane(id="areas")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._shown: Health | None = None
        self.query_one("#findings").border_title = "Findings"
        self.query_one("#areas").border_title = "Examined"
        super().on_mount()
        self.watch(self.app, "beat", self._draw_lines)

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        if session.health is None and session.health_error is None and not session.running:
            self._examine_once()
        health = session.health
        something = health is not None and session.health_error is None
        self.show_body("#health", something, "#findings" if health is not None and health.findings else "#areas")
        self._draw_lines()
        if health is None or not something:
            self.query_one(Notice).tell(*nothing_examined(session), error=session.health_error is not None)
        elif health is not self._shown:
            self._fill(health)

    def _draw_lines(self) -> None:
        self.tell("#summary", headline_of(self.session))
        self.tell("#doing", doing_of(self.session))

    def _fill(self, health: Health) -> None:
        self._shown = health
        findings = self.query_one(FindingList)
        findings.set_class(not health.findings, "-off")
        findings.fill(option_of(finding) for finding in health.findings)
        areas = self.query_one("#areas", TextPane)
        areas.set_class(not health.findings, "-alone")
        areas.show(areas_of(health))

    # -- keys ----------------------------------------------------------------------------------------------------------

    def on_option_list_option_selected(self) -> None:
        """A click on a finding."""
        self.action_open()

    def action_open(self) -> None:
        health, place = self.session.health, self.query_one(FindingList).highlighted
        if health is None or place is None or not 0 <= place < len(health.findings):
            self.refuse("There is no finding to go on from.")
            return
        lead = LEADS.get(health.findings[place].rule)
        if lead is None:
            self.refuse("No place of the app helps with this; do what the finding says.")
        else:
            self.owner.action_place(lead.place)

    def action_reload(self) -> None:
        if self.session.running:
            self.refuse(self.session.busy)
        elif self.session.examining is not None:
            self.refuse("It is being examined.")
        else:
            self._examine()

    def action_cancel(self) -> None:
        if self.session.examining is None:
            self.refuse("Nothing is being examined.")
        else:
            self.session.stop_examining()
            self.owner.changed()

    # -- what the thread answers ---------------------------------------------------------------------------------------

    def _examine_once(self) -> None:
        """Not again when somebody stopped it."""
        if self.session.examining is None and not self.session.stopped:
            self._examine()

    def _examine(self) -> None:
        session = self.session
        session.stopped = False
        session.outdated -= {self.place}
        session.examining = Limits(session.settings.time_limit, monotonic=session.clock.monotonic)
        jobs.examine(session.core, session.settings, session.examining, self.post_message)
        self.owner.changed()

    def on_examined(self, message: Examined) -> None:
        """What was seen until somebody stopped it is too little to judge by."""
        session = self.session
        session.examining = None
        if session.stopped:
            self.say("Stopped. R examines the database again.")
        else:
            session.health, session.health_error = message.health, message.error
        self.owner.changed()
