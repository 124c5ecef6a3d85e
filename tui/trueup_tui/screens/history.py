"""The runs that were, newest first: what each did, how it ended, and the way to take it back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from trueup import PastRun
from trueup_tui import jobs
from trueup_tui.commands import bindings_of
from trueup_tui.history_words import COLUMNS, cells_of, details_of, nothing_recorded, statistics_of
from trueup_tui.messages import HistoryFailed, HistoryRead
from trueup_tui.screens.place import Place
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.widgets.row_table import RowTable


class HistoryScreen(Place):
    """The third place."""

    place = "history"
    BINDINGS = bindings_of("history")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="statistics", markup=False)
        with Container(id="history"):
            yield RowTable(id="list", cursor_type="row", zebra_stripes=False)
            yield TextPane(id="details")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._listed: tuple[PastRun, ...] | None = None
        self._shown: PastRun | None = None
        self.query_one(RowTable).name_columns("Runs", COLUMNS)
        self.query_one("#details").border_title = "Run"
        super().on_mount()

    def on_screen_resume(self) -> None:
        self._list()

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        if session.history is None and session.history_error is None and not session.running:
            self._list()
        some = bool(session.history) and session.history_error is None
        self.show_body("#history", some, "#list")
        self.query_one("#statistics", Static).update(statistics_of(session))
        if some:
            self._fill()
        else:
            self.query_one(Notice).tell(*nothing_recorded(session), error=session.history_error is not None)

    def _fill(self) -> None:
        """Only what was read anew: a run that is on has the session drawn again many times a second."""
        if self.session.history is not self._listed:
            self._listed = self.session.history
            self.query_one(RowTable).fill(cells_of(run) for run in self._listed or ())
            self._show_details()

    def on_data_table_row_highlighted(self) -> None:
        self._show_details()

    def _show_details(self) -> None:
        run = self._run
        if run is not None and run is not self._shown:
            self._shown = run
            self.query_one("#details", TextPane).show(details_of(run, self.session))

    @property
    def _run(self) -> PastRun | None:
        """The one that the cursor is on."""
        runs, row = self.session.history or (), self.query_one(RowTable).cursor_row
        return runs[row] if 0 <= row < len(runs) else None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        run = self._run
        if run is None:
            self.refuse("There is no run to undo.")
        elif self.session.running:
            self.refuse(self.session.busy)
        else:
            self.owner.runner.plan_undo(run)

    def action_run(self) -> None:
        if self.session.progress is None:
            self.refuse("Nothing ran in this visit.")
        else:
            self.owner.runner.show_run()

    def action_reload(self) -> None:
        self._list()

    # -- what the thread answers ---------------------------------------------------------------------------------------

    def _list(self) -> None:
        session = self.session
        if not session.recalling:
            session.recalling = True
            jobs.list_runs(session.core, session.settings, self.post_message)

    def on_history_read(self, message: HistoryRead) -> None:
        session = self.session
        session.history, session.history_error, session.recalling = message.runs, None, False
        self.owner.changed()

    def on_history_failed(self, message: HistoryFailed) -> None:
        self.session.history_error, self.session.recalling = message.error, False
        self.owner.changed()
