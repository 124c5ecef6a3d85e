"""Other processes at work on the same database, begun in a few milliseconds and killed at a chosen moment.

They are forked from one warm process that has imported all they need, so a test can afford hundreds of them.
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from trueup import Run, TrueupError
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

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

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
    tell_end(say, lambda: work(report=lambda event: say((type(event).__name__, event.elapsed))))


def tell_end(say: Say, work: Callable[[], Run]) -> None:
    """Say the status that it ended with, and the error."""
    try:
        run = work()
    except TrueupError as error:
        say((error.status, str(error)))
    else:
        say((str(run.status), str(run.error or "")))


def die_at(say: Say, work: Work, name: str) -> None:
    """Do something that has events, and be killed at the first one of this name."""

    def report(event: Event) -> None:
        if type(event).__name__ == name:
            os.kill(os.getpid(), signal.SIGKILL)

    work(report=report)


def run_out_of_room(say: Say, work: Work, size: int) -> None:
    """Do something while no file can grow beyond so many bytes, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails, as on a disk, and not the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    tell_events(say, work)


def fill_up_at(say: Say, work: Work, number: int) -> None:
    """Do something that has events; from the event of this number on (the first is 0) nothing more can be written."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    seen = itertools.count()

    def report(_event: Event) -> None:
        if next(seen) == number:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    tell_end(say, partial(work, report=report))
