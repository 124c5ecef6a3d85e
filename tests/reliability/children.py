"""Other processes at work on the same database, begun in a few milliseconds and killed at a chosen moment.

They are forked from one warm process that has imported all they need, so a test can afford hundreds of them.
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from trueup import Run
from trueup.events import Event

Say = Callable[[Any], None]
Work = Callable[..., Run]
"""Takes a listener for events as ``report``."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.reliability.bank", "filelock"])
_LONGEST = 120.0
"""Seconds after which a child that still runs is an error, however slow the machine."""


class Child:
    """A process that does one thing.

    Args:
        work: what it does: called with a function that says things to whoever began it, and the arguments.
        arguments: anything that can be pickled.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self._said, theirs = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_main, args=(theirs, work, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self) -> Any:
        """The next thing that it says; ``None`` when it has ended without another word."""
        assert self._said.poll(_LONGEST), "the child is silent"
        try:
            return self._said.recv()
        except EOFError:
            return None

    def hear_all(self) -> list[Any]:
        """What it says until its end."""
        return list(iter(self.hear, None))

    def kill(self) -> None:
        """By SIGKILL, which nobody can catch."""
        self._process.kill()
        self.end()

    def end(self) -> int:
        """Wait for its end; returns its exit code."""
        self._process.join(_LONGEST)
        code = self._process.exitcode
        assert code is not None, "the child does not end"
        return code


def _main(pipe: Connection, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    work(pipe.send, *arguments)


def tell_events(say: Say, work: Work) -> None:
    """Do something that has events; say the name of each and when it was, in seconds, and in the end how it went."""

    def report(event: Event) -> None:
        say((type(event).__name__, event.elapsed))

    run = work(report=report)
    say((str(run.status), str(run.error or "")))


def die_at(say: Say, work: Work, name: str) -> None:
    """Do something that has events, and be killed at the first one of this name."""

    def report(event: Event) -> None:
        if type(event).__name__ == name:
            os.kill(os.getpid(), signal.SIGKILL)

    work(report=report)
