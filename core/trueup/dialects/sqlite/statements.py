"""Run what may take long on one SQLite connection, so that it can be ended, and is heard of, while it runs.

SQLite calls a progress handler (https://www.sqlite.org/c3ref/progress_handler.html) while it works through rows, but
not in DROP TABLE, COMMIT, ROLLBACK, a checkpoint, or most of ``quick_check``. So a statement runs aside where somebody
listens, apart from one that calls Python code of the application: that runs in the thread that it was made for, and
there the handler itself does what is to be done.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from trueup.aside import aside

if TYPE_CHECKING:
    from trueup.limits import Limits

T = TypeVar("T")

_INSTRUCTIONS_BETWEEN_CHECKS = 1000
_SLICE = 0.1
"""Seconds between two looks whether the waiting is to end."""
_PRIMARY = 0xFF
"""The part of an error code that says what kind it is: https://www.sqlite.org/rescode.html"""


class Statements:
    """What runs on one connection.

    Args:
        raw: the driver's connection, which any thread may use.
    """

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self._limits: list[Limits] = []
        self._functions: list[str] = []
        self._here = False
        """What runs calls code of the application, in its own thread."""
        self._problem: BaseException | None = None
        """What was raised in the handler, which SQLite only takes for a wish to stop, or in such code."""

    @contextmanager
    def limited(self, limits: Limits) -> Iterator[None]:
        """A handler, not a timer thread: it also lets Ctrl-C through while a long statement runs here."""
        self._limits.append(limits)
        self._raw.set_progress_handler(self._is_over, _INSTRUCTIONS_BETWEEN_CHECKS)
        try:
            yield
        finally:
            self._limits.pop()
            if not self._limits:
                self._raw.set_progress_handler(None, 0)

    def define(self, name: str, call: Callable[[], Any]) -> None:
        """Make a function known that statements may call by its name.

        Of what it raises the driver says nothing: https://docs.python.org/3/library/sqlite3.html#sqlite3.enable_callback_tracebacks
        """

        def guarded() -> Any:
            try:
                return call()
            except BaseException as problem:
                self._problem = problem
                raise

        self._raw.create_function(name, 0, guarded)
        self._functions.append(name)

    def run(self, work: Callable[[], T], sql: str = "") -> T:
        """Do the work, and return what it returns.

        Args:
            work: uses the connection.
            sql: the statement that it runs, where that may call a function of :meth:`define`.
        """
        heard = next((limits for limits in self._limits if limits.heard), None)
        if heard is None:
            return work()
        if any(name in sql for name in self._functions):
            heard.beat()
            return self._run_here(work)
        return aside(work, heard, stop=self._raw.interrupt)

    def run_patiently(self, work: Callable[[], T], timeout: float) -> T:
        """Like :meth:`run`, again and again until nobody else holds the database.

        SQLite's own wait (https://www.sqlite.org/c3ref/busy_timeout.html) hears of nothing while it lasts, so it is cut
        into short slices.

        Args:
            work: what another connection may stand in the way of.
            timeout: seconds after which the driver's error is raised.

        Raises:
            Cancelled, TimeLimitReached: the limits ended the waiting.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            self._raw.execute(f"PRAGMA busy_timeout = {int(min(left, _SLICE) * 1000)}")
            try:
                return self.run(work)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY or left <= _SLICE:
                    raise
            for limits in self._limits:
                limits.check()

    def _run_here(self, work: Callable[[], T]) -> T:
        self._here, self._problem = True, None
        try:
            return work()
        except sqlite3.Error as error:
            if self._problem is not None:
                raise self._problem from error
            raise
        finally:
            self._here = False

    def _is_over(self) -> bool:
        try:
            if self._here:
                for limits in self._limits:
                    limits.beat()
        except BaseException as problem:
            self._problem = problem
            return True
        return any(limits.over for limits in self._limits)
