"""The backups of this database: which there are, what they hold, and whether they still can be read."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from trueup import Backup
from trueup_tui import jobs
from trueup_tui.backup_words import COLUMNS, cells_of, contents_of, nothing_listed
from trueup_tui.commands import bindings_of
from trueup_tui.messages import BackupsFailed, BackupsListed, BackupVerified, VerifyFailed
from trueup_tui.questions import before_restoring
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.place import Place
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.widgets.row_table import RowTable
from trueup_tui.wording import what_went_wrong


class BackupsScreen(Place):
    """The second place."""

    place = "backups"
    BINDINGS = bindings_of("backups")

    def compose_body(self) -> ComposeResult:
        with Container(id="backups"):
            yield RowTable(id="list", cursor_type="row", zebra_stripes=False)
            yield TextPane(id="contents")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        self.query_one(RowTable).name_columns("Backups", COLUMNS)
        self.query_one("#contents").border_title = "Contents"
        super().on_mount()

    def on_screen_resume(self) -> None:
        self._list()

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        if session.backups is None and session.backups_error is None and not session.restoring:
            self._list()
        some = bool(session.backups) and session.backups_error is None
        self.show_body("#backups", some, "#list")
        notice = self.query_one(Notice)
        if some:
            self._fill()
        else:
            notice.tell(*nothing_listed(session), error=session.backups_error is not None)

    def _fill(self) -> None:
        self.query_one(RowTable).fill(cells_of(backup, self.session) for backup in self.session.backups or ())
        self._show_contents()

    def on_data_table_row_highlighted(self) -> None:
        self._show_contents()

    def _show_contents(self) -> None:
        backup = self._backup
        if backup is not None:
            self.query_one("#contents", TextPane).show(contents_of(backup, self.session))

    @property
    def _backup(self) -> Backup | None:
        """The one that the cursor is on."""
        backups, row = self.session.backups or (), self.query_one(RowTable).cursor_row
        return backups[row] if 0 <= row < len(backups) else None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_verify(self) -> None:
        backup = self._backup
        if backup is None:
            self.refuse("There is no backup to verify.")
        elif backup.id in self.session.verifying:
            self.refuse("It is being verified.")
        else:
            self.session.verifying |= {backup.id}
            jobs.verify(self.session.core, self.session.settings, backup, self.post_message)
            self.owner.changed()

    def action_restore(self) -> None:
        backup, session = self._backup, self.session
        if backup is None:
            self.refuse("There is no backup to restore.")
        elif backup.problem:
            self.refuse(f"It cannot be restored: {backup.problem}.")
        elif session.running:
            self.refuse(session.busy)
        else:
            question = before_restoring(backup, save=session.backup)
            self.app.push_screen(ConfirmScreen(question), lambda yes: self.owner.restore(backup) if yes else None)

    def action_cancel(self) -> None:
        if self.session.restoring:
            self.owner.cancel()
        else:
            self.refuse("No restore is on.")

    def action_reload(self) -> None:
        self._list()

    # -- what the threads answer ---------------------------------------------------------------------------------------

    def _list(self) -> None:
        session = self.session
        if not session.listing:
            session.listing = True
            jobs.list_backups(session.core, session.settings, self.post_message)

    def on_backups_listed(self, message: BackupsListed) -> None:
        session = self.session
        session.backups, session.backups_directory = message.backups, message.directory
        session.backups_error, session.listing = None, False
        self.owner.changed()

    def on_backups_failed(self, message: BackupsFailed) -> None:
        self.session.backups_error, self.session.listing = message.error, False
        self.owner.changed()

    def on_backup_verified(self, message: BackupVerified) -> None:
        session = self.session
        session.verifying -= {message.backup.id}
        same = [message.backup if item.id == message.backup.id else item for item in session.backups or ()]
        session.backups = tuple(same)
        self.owner.changed()

    def on_verify_failed(self, message: VerifyFailed) -> None:
        self.session.verifying -= {message.id}
        self.owner.refuse(what_went_wrong(message.error))
        self.owner.changed()
