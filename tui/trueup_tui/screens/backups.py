"""The backups of this database: which there are, what they hold, what is different since, and whether they are good."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from trueup import Backup
from trueup_tui import jobs
from trueup_tui.backup_tasks import Check, comparing, deleting, exporting, making, verifying
from trueup_tui.backup_words import COLUMNS, cells_of, contents_of, doing_of, nothing_listed, overview_of
from trueup_tui.commands import bindings_of
from trueup_tui.messages import BackupsCounted, BackupsFailed, BackupsListed
from trueup_tui.paths import new_file
from trueup_tui.questions import before_deleting, before_losing, before_restoring
from trueup_tui.screens.confirm import AskScreen, ConfirmScreen
from trueup_tui.screens.place import Place
from trueup_tui.tasks import Task
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.widgets.row_table import RowTable


class BackupsScreen(Place):
    """The second place."""

    place = "backups"
    BINDINGS = bindings_of("backups")

    def compose_body(self) -> ComposeResult:
        yield Static("", id="summary", markup=False)
        yield Static("", id="doing", markup=False)
        with Container(id="backups"):
            yield RowTable(id="list", cursor_type="row", zebra_stripes=False)
            yield TextPane(id="contents")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self._answered: Task | None = None
        self._shown: object = None
        self.query_one(RowTable).name_columns("Backups", COLUMNS)
        self.query_one("#contents").border_title = "Contents"
        super().on_mount()
        self.watch(self.app, "beat", self._draw_doing)

    def on_screen_resume(self) -> None:
        self._list()

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        unread = session.backups is None and session.backups_error is None
        if (unread or self.place in session.outdated) and not session.running:
            self._list()
        some = bool(session.backups) and session.backups_error is None
        self.show_body("#backups", some, "#list")
        self.tell("#summary", overview_of(session))
        self._draw_doing()
        if some:
            self._fill()
        else:
            self.query_one(Notice).tell(*nothing_listed(session), error=session.backups_error is not None)
        self._ask_again()

    def _draw_doing(self) -> None:
        self.tell("#doing", doing_of(self.session))

    def _fill(self) -> None:
        self.query_one(RowTable).fill(cells_of(backup, self.session) for backup in self.session.backups or ())
        self._show_contents()

    def on_data_table_row_highlighted(self) -> None:
        self._show_contents()

    def _show_contents(self) -> None:
        """From the top when there is something else to read; it is drawn again at every move of what goes on."""
        backup = self._backup
        if backup is not None:
            shown = (backup.id, self.session.compared)
            self.query_one("#contents", TextPane).show(contents_of(backup, self.session), from_top=shown != self._shown)
            self._shown = shown

    @property
    def _backup(self) -> Backup | None:
        """The one that the cursor is on."""
        backups, row = self.session.backups or (), self.query_one(RowTable).cursor_row
        return backups[row] if 0 <= row < len(backups) else None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_make(self) -> None:
        self._begin(making(self.session.core))

    def action_verify(self, how: str) -> None:
        self._with_backup("verify", lambda backup: self._begin(verifying(self.session.core, backup, Check[how])))

    def action_compare(self) -> None:
        self._with_backup("compare", lambda backup: self._begin(comparing(self.session.core, backup)))

    def action_export(self) -> None:
        self._with_backup("export", self._ask_where)

    def _ask_where(self, backup: Backup) -> None:
        def begin(answer: str | None) -> None:
            if answer is not None:
                self._begin(exporting(self.session.core, backup, new_file(backup.plain_path.name, answer)))

        asked = f"Where is the copy of {backup.id} to be?"
        hint = "A new file, or a directory. It is verified there, and needs no other file to be opened."
        check = _check_place(backup.plain_path.name)
        self.app.push_screen(AskScreen(asked, hint, "", check), begin)

    def action_delete(self) -> None:
        self._with_backup("delete", lambda backup: self._ask_to_delete(backup, reason=""))

    def _ask_to_delete(self, backup: Backup, *, reason: str) -> None:
        question = before_losing(backup, reason) if reason else before_deleting(backup)
        task = deleting(self.session.core, backup, accept_loss=bool(reason))
        self.app.push_screen(ConfirmScreen(question), lambda yes: self._begin(task) if yes else None)

    def _ask_again(self) -> None:
        """What the core refused to delete, a person may insist on; asked once, and only where it is seen."""
        task = self.session.task
        if task is None or task is self._answered or self.app.screen is not self:
            return
        if task.needed_by and task.backup is not None:
            self._answered = task
            self._ask_to_delete(task.backup, reason=task.needed_by)

    def action_restore(self) -> None:
        self._with_backup("restore", self._ask_to_restore)

    def _ask_to_restore(self, backup: Backup) -> None:
        if backup.problem:
            self.refuse(f"It cannot be restored: {backup.problem}.")
            return
        question = before_restoring(backup, save=self.session.backup)
        self.app.push_screen(ConfirmScreen(question), lambda yes: self.owner.runner.restore(backup) if yes else None)

    def action_cancel(self) -> None:
        if self.session.restoring:
            self.owner.runner.cancel()
        else:
            self.stop_task()

    def action_reload(self) -> None:
        self._list()

    def _with_backup(self, verb: str, act: Callable[[Backup], None]) -> None:
        """Do it with the backup under the cursor, or say why not."""
        backup = self._backup
        if backup is None:
            self.refuse(f"There is no backup to {verb}.")
        elif self.session.running:
            self.refuse(self.session.busy)
        else:
            act(backup)

    def _begin(self, task: Task) -> None:
        self.owner.runner.begin(task)

    # -- what the threads answer ---------------------------------------------------------------------------------------

    def _list(self) -> None:
        session = self.session
        if not session.listing:
            session.listing = True
            session.outdated -= {self.place}
            jobs.list_backups(session.core, session.settings, self.post_message)

    def on_backups_listed(self, message: BackupsListed) -> None:
        session = self.session
        session.backups, session.backups_directory = message.backups, message.directory
        session.backups_error = None
        self.owner.changed()

    def on_backups_counted(self, message: BackupsCounted) -> None:
        self.session.statistics, self.session.listing = message.statistics, False
        self.owner.changed()

    def on_backups_failed(self, message: BackupsFailed) -> None:
        self.session.backups_error, self.session.listing = message.error, False
        self.owner.changed()


def _check_place(name: str) -> Callable[[str], str]:
    """Says where the copy will be; what is there already is never overwritten."""

    def check(text: str) -> str:
        return f"It will be {new_file(name, text)}."

    return check
