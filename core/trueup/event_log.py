"""The events of a run as the lines of a log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from trueup.text import visible

if TYPE_CHECKING:
    from trueup.events import Event, Passing

_BETWEEN = 5.0
"""Seconds between two lines about how far something is."""

log = logging.getLogger("trueup")


class EventLog:
    """A report for one run: every move at --verbose, and what a log of a server should always have."""

    def __init__(self) -> None:
        self._next = _BETWEEN

    def __call__(self, event: Event) -> None:
        from trueup import events  # a server that is in step hears of none

        if isinstance(event, events.Passing):
            if event.elapsed >= self._next:
                self._next = event.elapsed + _BETWEEN
                log.info("%s", _progress(event))
            return
        match event:
            case events.Waiting(holder=holder):
                log.info("Waiting for another migrator: %s", holder)
            case events.BackedUp(backup=backup):
                log.info("Backup written and checked: %s", backup.path)
            case events.StepStarted(number=number, step=step):
                log.info("Step %d: %s", number, step.sentence)
            case events.StatementStarted(sql=sql):
                log.debug("%s", sql)
            case events.RolledBack(error=error) if error.__cause__ is not None:
                log.debug("Rolled back", exc_info=error.__cause__)
            case events.Verified():
                log.info("Verified")
            case _:
                log.debug("%s", type(event).__name__)


def _progress(event: Passing) -> str:
    from trueup import events

    after = f"after {event.elapsed:.0f} s"
    match event:
        case events.StepProgress(number=number, rows=rows, total=total, left=left):
            share = f"{rows} of {total} rows, " if total else ""
            return f"Step {number}: {share}{after}, about {left:.0f} s left"
        case events.Working(phase=phase):
            return visible(f"Still {phase}, {after}")
        case events.BackupProgress(done=done, total=total) | events.CopyProgress(done=done, total=total):
            return f"Copied {done} of {total} pages, {after}"
        case events.RestoreProgress(done=done, total=total):
            return f"Restored {done} of {total} pages, {after}"
    return f"{type(event).__name__}, {after}"
