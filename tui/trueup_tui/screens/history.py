"""The runs that were, newest first: what each did, how it ended, and the way to take it back."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from trueup import Cleanup, PastRun
from trueup_tui import jobs
from trueup_tui.commands import bindings_of
from trueup_tui.days import before, days_of
from trueup_tui.history_tasks import baselining, cleaning, looking
from trueup_tui.history_words import (
    COLUMNS,
    all_together,
    cells_of,
    details_of,
    doing_of,
    nothing_recorded,
    statistics_of,
)
from trueup_tui.messages import HistoryFailed, HistoryRead
from trueup_tui.questions import before_baseline, before_cleaning
from trueup_tui.screens.confirm import AskScreen, ConfirmScreen
from trueup_tui.screens.help import PageScreen
from trueup_tui.screens.place import Place
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.widgets.row_table import RowTable
from trueup_tui.wording import moment


class HistoryScreen(Place):
    """The third place."""

    place = "history"
    BINDINGS = bindings_of("history")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="statistics", markup=False)
        yield Static("", id="doing", markup=False)
        with Container(id="history"):
            yield RowTable(id="list", cursor_type="row", zebra_stripes=False)
            yield TextPane(id="details")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._listed: tuple[PastRun, ...] | None = None
        self._shown: PastRun | None = None
        self._answered: Cleanup | None = None
        self._days = 0.0
        self.query_one(RowTable).name_columns("Runs", COLUMNS)
        self.query_one("#details").border_title = "Run"
        super().on_mount()
        self.watch(self.app, "beat", self._draw_doing)

    def on_screen_resume(self) -> None:
        self._list()

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        unread = session.history is None and session.history_error is None
        if (unread or self.place in session.outdated) and not session.running:
            self._list()
        some = bool(session.history) and session.history_error is None
        self.show_body("#history", some, "#list")
        self.tell("#statistics", statistics_of(session))
        self._draw_doing()
        if some:
            self._fill()
        else:
            self.query_one(Notice).tell(*nothing_recorded(session), error=session.history_error is not None)
        self._ask_to_clean()

    def _draw_doing(self) -> None:
        self.tell("#doing", doing_of(self.session))

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

    def action_statistics(self) -> None:
        if self.session.history:
            self.app.push_screen(PageScreen(all_together(self.session)))
        else:
            self.refuse("There is no run to count.")

    def action_clean(self) -> None:
        session = self.session
        if session.running:
            self.refuse(session.busy)
            return
        asked = "What is older than how many days may go from the history?"
        hint = "Nothing is taken out yet; what an undo may need stays in any case."
        first = f"{session.settings.history_days:g}"
        self.app.push_screen(AskScreen(asked, hint, first, self._check_days), self._look)

    def _check_days(self, text: str) -> str:
        return f"What ended before {moment(before(self.session.clock.now(), days_of(text)))} counts as old."

    def _look(self, answer: str | None) -> None:
        if answer is not None:
            self._days = days_of(answer)
            self.owner.runner.begin(looking(self.session.core, self._days))

    def _ask_to_clean(self) -> None:
        """When it is known what would go; asked once, and only where it is seen."""
        task = self.session.task
        cleanup = task.ending.cleanup if task is not None and task.ending is not None else None
        if cleanup is None or cleanup is self._answered or self.app.screen is not self:
            return
        self._answered = cleanup
        task = cleaning(self.session.core, self._days)
        self.app.push_screen(
            ConfirmScreen(before_cleaning(cleanup)), lambda yes: self.owner.runner.begin(task) if yes else None
        )

    def action_baseline(self) -> None:
        if self.session.running:
            self.refuse(self.session.busy)
            return
        hint = "A title for the line in the history."
        self.app.push_screen(AskScreen("How is this starting point to be called?", hint, "", _title), self._ask_note)

    def _ask_note(self, name: str | None) -> None:
        if name is not None:
            hint = "For whoever reads the history later, however long."
            ask = AskScreen("Is there something to note about it?", hint, "", _note)
            self.app.push_screen(ask, lambda note: self._ask_to_record(name.strip(), note))

    def _ask_to_record(self, name: str, note: str | None) -> None:
        if note is None:
            return
        task = baselining(self.session.core, name, note.strip())
        question = before_baseline(self.session.plan, name, note.strip())
        self.app.push_screen(ConfirmScreen(question), lambda yes: self.owner.runner.begin(task) if yes else None)

    def action_cancel(self) -> None:
        self.stop_task()

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
            session.outdated -= {self.place}
            jobs.list_runs(session.core, session.settings, self.post_message)

    def on_history_read(self, message: HistoryRead) -> None:
        session = self.session
        session.history, session.history_error, session.recalling = message.runs, None, False
        self.owner.changed()

    def on_history_failed(self, message: HistoryFailed) -> None:
        self.session.history_error, self.session.recalling = message.error, False
        self.owner.changed()


def _title(text: str) -> str:
    return "It gets this title." if text.strip() else "Empty: the number of tables is its title."


def _note(text: str) -> str:
    return "It gets this note." if text.strip() else "Empty: no note."
