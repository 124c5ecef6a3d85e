"""What takes its time with backups: to make, check, compare, export and delete them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from trueup import Backup, BackupComparison, Limits, Target
from trueup_tui.jobs import Core
from trueup_tui.tasks import Ending, Task, Tell
from trueup_tui.wording import count, sentence, size


class Check(Enum):
    """How a backup is verified."""

    QUICK = "Its checksum, the rows of every table and the database's own check are as they were"
    FULL = "Its checksum, rows and database are as they were, and every index holds what its table does"
    TRIAL = "It was restored into a scratch file, and what came of it is what the backup holds"


def making(core: Core) -> Task:
    """A backup of the database as it is now."""

    def work(target: Target, tell: Tell, limits: Limits) -> Ending:
        made = core.make_backup(target, report=tell, limits=limits)
        return Ending(sentence=f"Made {made.id}: {size(made.size)}, read back and checked.")

    return Task(doing="making a backup", place="backups", work=work, has_time_limit=True)


def verifying(core: Core, backup: Backup, check: Check) -> Task:
    """Is the backup still what it was when it was made?"""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        checked = core.verify_backup(
            backup, target, thorough=check is Check.FULL, trial=check is Check.TRIAL, limits=limits
        )
        if checked.problem:
            return Ending(sentence=f"{backup.id} cannot be used: {sentence(checked.problem)}", good=False)
        return Ending(sentence=f"{backup.id} is good. {check.value}.")

    return Task(doing="checking a backup", place="backups", work=work, backup=backup)


def comparing(core: Core, backup: Backup) -> Task:
    """What changed in the database since?"""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        found = core.compare_backup(backup, target, limits=limits)
        return Ending(sentence=_summary(found), compared=found)

    return Task(doing="comparing a backup", place="backups", work=work, backup=backup, only_reads=True)


def _summary(found: BackupComparison) -> str:
    if found.same:
        return f"Nothing changed since {found.backup.id}."
    changes, tables = count(len(found.changes), "change"), count(len(found.rows), "table")
    parts = [changes if found.changes else "", f"other row counts in {tables}" if found.rows else ""]
    return f"Since {found.backup.id}: {', '.join(part for part in parts if part)}."


def exporting(core: Core, backup: Backup, path: Path) -> Task:
    """A verified copy in another place."""

    def work(target: Target, _tell: Tell, limits: Limits) -> Ending:
        made = core.export_backup(backup, target, path, limits=limits)
        return Ending(sentence=f"Exported {backup.id} to {made}, verified.")

    return Task(doing="exporting a backup", place="backups", work=work, backup=backup)


def deleting(core: Core, backup: Backup, *, accept_loss: bool) -> Task:
    """The file and its description, for good."""

    def work(target: Target, tell: Tell, _limits: Limits) -> Ending:
        core.delete_backup(backup, target, accept_loss=accept_loss, report=tell)
        return Ending(sentence=f"Deleted {backup.id}.")

    return Task(doing="deleting a backup", place="backups", work=work, backup=backup, ends_alone=True)
