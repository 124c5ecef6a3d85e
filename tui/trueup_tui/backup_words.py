"""A backup in words: its line in the list, and all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from trueup import Backup, BackupComparison, BackupStatistics
from trueup_tui.restore import lines_of as restore_lines
from trueup_tui.session import Session
from trueup_tui.tasks import lines_of as task_lines
from trueup_tui.wording import SIGNS, ago, cell, count, facts_of, failure, joined, moment, number, plain, signed, size

COLUMNS = ("when", "verified", "made by", "size", "tables", "rows")


def nothing_listed(session: Session) -> tuple[str, Content]:
    """What stands in place of the list: the error, or why it is empty."""
    if session.backups_error is not None:
        return "The backups could not be listed", failure(session.backups_error, session.settings.url)
    if session.backups is None:
        return "Backups", Content("Reading the list …")
    where = f"They go to {session.backups_directory}." if session.backups_directory else ""
    return "No backups yet.", Content.assemble(
        "Every run makes one first, reads it back and checks it.\n",
        plain(where),
        "\nThey are kept as long as the settings say; the last good one always stays.\n\n",
        ("b", "bold $key"),
        " makes one now",
    )


def overview_of(session: Session) -> Content:
    """``3 backups · 2 good · 144.6 MB · oldest 2 months ago · newest 9 s ago``, and what is to be said of them."""
    found = session.statistics
    if found is None or not session.backups:
        return Content("")
    lines = [Content.assemble(" ", joined([*_counted(found, session.clock.now())]))]
    if found.warning:
        lines.append(plain(f" {found.warning}", "$diff-open"))
    return Content("\n").join(lines)


def _counted(found: BackupStatistics, now: datetime) -> Iterator[Content | str]:
    yield Content.styled(count(found.count, "backup"), "bold")
    yield f"{number(found.good)} good"
    yield size(found.size)
    if found.oldest is not None and found.newest is not None and found.count > 1:
        yield f"oldest {ago(found.oldest, now)}"
        yield f"newest {ago(found.newest, now)}"


def doing_of(session: Session) -> Content:
    """What goes on with the backups, or came of the last thing."""
    limits = session.job.limits if session.job is not None else None
    lines: list[Content] = []
    if session.restore is not None:
        lines = [*restore_lines(session.restore, limits)]
    elif session.task is not None and session.task.place == "backups":
        lines = [*task_lines(session.task, limits, session.settings.url)]
    return Content("\n").join(lines)


def cells_of(backup: Backup, session: Session) -> Iterator[object]:
    """One line of the list."""
    yield cell(moment(backup.created_at))
    yield cell(_verified(backup, session))
    yield cell(_maker(backup))
    yield cell(size(backup.disk_size))
    yield cell(str(len(backup.row_counts)))
    yield cell(number(sum(backup.row_counts.values())))


def _maker(backup: Backup) -> str:
    return f"run {backup.run_id[:6]}" if backup.run_id else "hand"


def _verified(backup: Backup, session: Session) -> str:
    if _at_work(session) == backup.id:
        return "▶ at work"
    if backup.problem:
        return "✗ broken"
    return f"✓ {ago(backup.verified_at, session.clock.now())}" if backup.verified_at else "never"


def _at_work(session: Session) -> str:
    """The id of the backup that something goes on with."""
    if session.restore is not None and session.restoring:
        return session.restore.backup.id
    task = session.task if session.at_a_task else None
    return task.backup.id if task is not None and task.backup is not None else ""


def contents_of(backup: Backup, session: Session) -> Content:
    """Everything that is known of a backup."""
    return Content("\n").join(_contents(backup, session))


def _contents(backup: Backup, session: Session) -> Iterator[Content]:
    now = session.clock.now()
    yield plain(backup.id, "bold")
    if backup.problem:
        yield plain(f"✗ It cannot be used: {backup.problem}", "$diff-drop")
    elif backup.verified_at is not None:
        yield plain(f"✓ read back and checked {ago(backup.verified_at, now)}", "$diff-add")
    else:
        yield Content("Never verified. v reads it again.")
    yield Content("")
    if session.compared is not None and session.compared.backup.id == backup.id:
        yield from _compared(session.compared)
        yield Content("")
    facts = {
        "file": backup.path,
        "of": backup.database,
        "run": backup.run_id or "none; made by hand",
        "size": _size(backup),
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


def _size(backup: Backup) -> str:
    """What is worth knowing of it beside the list."""
    packed = f", packed into {size(backup.disk_size)}" if backup.packed else ""
    cloned = ", sharing its blocks on the disk with the database" if backup.cloned else ""
    return f"{size(backup.size)}{packed}{cloned}"


def _compared(found: BackupComparison) -> Iterator[Content]:
    """What is different in the database now."""
    if found.same:
        yield Content.styled("Since then neither the schema nor the number of rows changed.", "bold $diff-add")
        return
    yield Content.styled("Since then the database changed:", "bold")
    for change in found.changes:
        sign, style = SIGNS[change.verb]
        yield Content.assemble((f"{sign} ", style), plain(change.sentence))
    for row in found.rows:
        told = f"{row.table}: {count(row.now, 'row')} now, {number(row.then)} then ({signed(row.now - row.then)})"
        yield Content.assemble(("~ ", "$diff-alter"), plain(told))
