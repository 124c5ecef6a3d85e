"""What is known of a restore: its events, folded one by one into a value that the backups' place shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from textual.content import Content

from trueup import Backup, Event, Limits, Run, events
from trueup_tui.tasks import progress_of
from trueup_tui.wording import moment, plain, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """A restore, as far as it has come."""

    backup: Backup
    phase: str = "checking the backup"
    pages: tuple[int, int] = (0, 0)
    run: Run | None = None
    cancelling: bool = False

    @property
    def over(self) -> bool:
        return self.run is not None


def after(restore: Restore, event: Event) -> Restore:
    """The restore with one more event."""
    match event:
        case events.Waiting(holder=holder):
            return replace(restore, phase=f"waiting for another migrator: {holder}")
        case events.Checked():
            return replace(restore, phase="waiting for other writers")
        case events.BackupProgress(done=done, total=total):
            return replace(restore, phase="saving the present database", pages=(done, total))
        case events.RestoreProgress(done=done, total=total):
            return replace(restore, phase="replacing the database", pages=(done, total))
        case events.Verifying():
            return replace(restore, phase="reading it again", pages=(0, 0))
        case events.Finished(run=run):
            return replace(restore, run=run)
        case _:
            return restore


def lines_of(restore: Restore, limits: Limits | None) -> Iterator[Content]:
    """How far it is, by its own limits, or what came of it."""
    run = restore.run
    if run is None:
        phase = "cancelling" if restore.cancelling else restore.phase
        yield progress_of(phase, restore.pages, limits, stops=not restore.cancelling)
        return
    if run.error is not None:
        yield plain(f"✗ {run.error}", "$diff-drop")
        return
    yield plain(f"✓ restored as of {moment(restore.backup.created_at)}, in {seconds(run.seconds)}", "$diff-add")
    if run.backup is not None:
        yield plain(f"What was there before is in the backup {run.backup.id}.")
    yield from (plain(warning) for warning in run.warnings)
