"""A backup in words: its line in the list, and all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from trueup import Backup
from trueup_tui.restore import lines_of
from trueup_tui.session import Session
from trueup_tui.wording import ago, cell, facts_of, moment, number, plain, size, what_went_wrong, without_secret

COLUMNS = ("when", "verified", "made by", "size", "tables", "rows")


def nothing_listed(session: Session) -> tuple[str, Content]:
    """What stands in place of the list: the error, or why it is empty."""
    if session.backups_error is not None:
        sentence = without_secret(what_went_wrong(session.backups_error), session.settings.url)
        return "The backups could not be listed", Content.assemble(
            plain(sentence), "\n\n", ("R", "bold $key"), " tries again"
        )
    if session.backups is None:
        return "Backups", Content("Reading the list …")
    where = f"They go to {session.backups_directory}." if session.backups_directory else ""
    return "No backups yet.", Content.assemble(
        "Every run makes one first, reads it back and checks it.\n",
        plain(where),
        "\nThey are kept as long as the settings say; the last good one always stays.",
    )


def cells_of(backup: Backup, session: Session) -> Iterator[object]:
    """One line of the list."""
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
    restore = [*lines_of(session.restore), Content("")] if session.restore is not None else []
    return Content("\n").join([*restore, *_contents(backup, session.clock.now())])


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
    yield from facts_of(facts)
    if backup.row_counts:
        yield Content("")
        yield Content.styled("rows       table", "dim")
    for table, rows in sorted(backup.row_counts.items()):
        yield Content.assemble(f"{number(rows):>9}  ", plain(table))
