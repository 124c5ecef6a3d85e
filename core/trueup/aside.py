"""Do something that takes long in another thread, so that this one can tell meanwhile that it goes on.

A database calls nobody back while it drops a table, commits, or brings a file to the disk. The thread of the run waits
for it in short slices; so events come from that thread alone, and a signal of the process is handled at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from trueup.limits import Limits

T = TypeVar("T")

_SLICE = 0.05
"""Seconds between two looks at the limits."""


def aside(work: Callable[[], T], limits: Limits, stop: Callable[[], object] | None = None) -> T:
    """Do the work in another thread, or in this one where nobody listens to the limits, or there can be no other.

    Args:
        work: must not call code of the application, which may count on its thread.
        limits: are beaten while it goes on.
        stop: called from this thread when the limits are over, and when something is raised here, such as the
            KeyboardInterrupt of Ctrl-C; the work is waited for in any case. ``None`` for work that must not be ended.

    Returns:
        What the work returns.

    Raises:
        BaseException: what the work, or the listener, raised.
    """
    if not limits.heard:
        return work()
    results: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def main() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=main, name="trueup-aside")
    try:
        thread.start()
    except RuntimeError:  # a process that may have no more threads must still be able to let go of the database
        return work()
    try:
        limits.beat()  # of many works that are all short, too
        while not done.wait(_SLICE):
            if stop is not None and limits.over:
                stop()
            limits.beat()
    except BaseException:
        _end(thread, stop)
        raise
    if errors:
        raise errors.pop()
    return results.pop()


def _end(thread: threading.Thread, stop: Callable[[], object] | None) -> None:
    """Stop it again and again, since what has not begun cannot be stopped. A second Ctrl-C ends no waiting."""
    while thread.is_alive():
        with suppress(KeyboardInterrupt):
            if stop is not None:
                stop()
            thread.join(_SLICE)
