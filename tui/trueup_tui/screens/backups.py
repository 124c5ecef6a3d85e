"""The backups of this database: which there are, what they hold, and whether they still can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.widgets import DataTable

from trueup import Backup
from trueup_tui.commands import bindings_of
from trueup_tui.screens.place import Place
from trueup_tui.session import Session
from trueup_tui.widgets.panes import Notice, TextPane
from trueup_tui.wording import ago, cell, moment, number, plain, size, what_went_wrong, without_secret

_COLUMNS = ("when", "verified", "made by", "size", "tables", "rows")


class BackupTable(DataTable[object], inherit_bindings=False):
    """The list; only the keys that move are its own."""

    BINDINGS = bindings_of("list")

    def action_top(self) -> None:
        self.move_cursor(row=0)

    def action_bottom(self) -> None:
        self.move_cursor(row=self.row_count - 1)

    def action_fold(self) -> None:
        self.scroll_left(animate=False)

    def action_unfold(self) -> None:
        self.scroll_right(animate=False)


class BackupsScreen(Place):
    """The second place."""

    place = "backups"
    BINDINGS = bindings_of("backups")

    def compose_body(self) -> ComposeResult:
        with Container(id="backups"):
            yield BackupTable(id="list", cursor_type="row", zebra_stripes=False)
            yield TextPane(id="contents")
        yield Notice(id="notice")

    def on_mount(self) -> None:
        table = self.query_one(BackupTable)
        for column in _COLUMNS:
            table.add_column(column, key=column)
        table.border_title = "Backups"
        self.query_one("#contents").border_title = "Contents"
        super().on_mount()
        table.focus()

    def on_screen_resume(self) -> None:
        self.owner.list_backups()

    # -- showing -------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        session = self.session
        some = bool(session.backups) and session.backups_error is None
        self.show("#backups", some)
        self.show("#notice", not some)
        notice = self.query_one(Notice)
        if some:
            self._fill()
        else:
            notice.tell(*_nothing(session), error=session.backups_error is not None)

    def _fill(self) -> None:
        table = self.query_one(BackupTable)
        here = table.cursor_row
        table.clear()
        for backup in self.session.backups or ():
            table.add_row(*_cells(backup, self.session), key=backup.id)
        table.move_cursor(row=min(max(here, 0), table.row_count - 1))
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
        backups, row = self.session.backups or (), self.query_one(BackupTable).cursor_row
        return backups[row] if 0 <= row < len(backups) else None

    # -- keys ----------------------------------------------------------------------------------------------------------

    def action_verify(self) -> None:
        backup = self._backup
        if backup is None:
            self.refuse("There is no backup to verify.")
        elif backup.id in self.session.verifying:
            self.refuse("It is being verified.")
        else:
            self.owner.verify(backup)

    def action_reload(self) -> None:
        self.owner.list_backups()


# -- words -------------------------------------------------------------------------------------------------------------


def _nothing(session: Session) -> tuple[str, Content]:
    if session.backups_error is not None:
        sentence = without_secret(what_went_wrong(session.backups_error), session.settings.url)
        return "The backups could not be listed", Content.assemble(
            plain(sentence), "\n\n", ("R", "bold $key"), " tries again"
        )
    if session.backups is None:
        return "Backups", Content("Reading the list …")
    where = f"They go to {session.backups_directory}." if session.backups_directory else ""
    return "No backups yet.", Content.assemble(
        "Every run makes one first, reads it back and checks it.\n", plain(where), "\nNothing removes them but you."
    )


def _cells(backup: Backup, session: Session) -> Iterator[object]:
    yield cell(moment(backup.created_at))
    yield cell(_verified(backup, session))
    yield cell(_maker(backup))
    yield cell(size(backup.size))
    yield cell(str(len(backup.row_counts)))
    yield cell(number(sum(backup.row_counts.values())))


def _maker(backup: Backup) -> str:
    return f"run {backup.run_id[:6]}" if backup.run_id else "hand"


def _verified(backup: Backup, session: Session) -> str:
    if backup.id in session.verifying:
        return "▶ reading it"
    if backup.problem:
        return "✗ broken"
    return f"✓ {ago(backup.verified_at, session.clock.now())}" if backup.verified_at else "never"


def contents_of(backup: Backup, session: Session) -> Content:
    """Everything that is known of a backup."""
    return Content("\n").join(_contents(backup, session.clock.now()))


def _contents(backup: Backup, now: datetime) -> Iterator[Content]:
    yield plain(backup.id, "bold")
    if backup.problem:
        yield plain(f"✗ It cannot be used: {backup.problem}", "$diff-drop")
    elif backup.verified_at is not None:
        yield plain(f"✓ read back and checked {ago(backup.verified_at, now)}", "$diff-add")
    else:
        yield Content("Never verified. v reads it again.")
    yield Content("")
    facts = {
        "file": backup.path,
        "of": backup.database,
        "run": backup.run_id or "none; made by hand",
        "checksum": backup.checksum,
        "schema": backup.schema_fingerprint,
        "made with": f"trueup {backup.trueup_version}, database {backup.database_version}",
    }
    for name, value in facts.items():
        if str(value):
            yield Content.assemble((f"{name:<10}", "dim"), plain(value))
    if backup.row_counts:
        yield Content("")
        yield Content.styled("rows       table", "dim")
    for table, rows in sorted(backup.row_counts.items()):
        yield Content.assemble(f"{number(rows):>9}  ", plain(table))
