"""Whom a run tells every move that it makes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from trueup.events import Event

Report: TypeAlias = "Callable[[Event], None]"


_LOG = logging.getLogger("trueup")


class Listener:
    """Who listens to a run that changes the database: one that fails ends it, as long as it can be ended.

    Args:
        report: is told every move.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self.too_late = False
        """What is committed is not less done because somebody did not want to hear of it."""

    def __call__(self, event: Event) -> None:
        try:
            self._report(event)
        except Exception as error:
            if not self.too_late:
                raise
            _LOG.warning("The run goes on, though who listens to it failed: %r", error)


def ignore(_event: Event) -> None:
    """The report of whoever does not listen."""
