"""The two ways in which a run is told to stop: its time is over, or a person cancelled it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trueup.errors import Cancelled, TimeLimitReached, TrueupError

_BETWEEN_BEATS = 0.1
"""Seconds. A quarter of a second is promised, and a busy machine may be late."""
_FOR_QUESTIONS = 0.4
"""The share of what is left that may be spent before the work itself begins."""
_GLANCE = 1.0
"""Seconds for the first rows of one table, where there is no time for all."""


class Limits:
    """How long a run may go on. Asked between statements, and by the database while one runs.

    Args:
        seconds: the time limit for the whole run, from lock to commit; ``None`` for none.
        monotonic: the clock, in seconds.
    """

    def __init__(self, seconds: float | None = None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._cancelled = threading.Event()
        self._listener: Callable[[], None] | None = None
        self._beaten = self._began
        self._reserved = 0.0
        self.seconds = seconds
        self.phase = "starting"
        """What is going on, for the sentence that says where the time ended."""

    @property
    def elapsed(self) -> float:
        return self._monotonic() - self._began

    @property
    def remaining(self) -> float | None:
        """Seconds left, never negative; ``None`` without a limit."""
        return None if self.seconds is None else max(0.0, self.seconds - self._reserved - self.elapsed)

    @property
    def over(self) -> bool:
        return self._cancelled.is_set() or self.remaining == 0.0

    def cancel(self) -> None:
        """Ask the run to stop; may be called from any thread."""
        self._cancelled.set()

    def extend(self, seconds: float) -> None:
        """Allow this many seconds more; may be called from any thread."""
        if self.seconds is not None:
            self.seconds += seconds

    def reserve(self, seconds: float) -> None:
        """Keep so many seconds more of the limit for what follows its end: a roll-back takes time as well."""
        self._reserved += seconds

    def release(self) -> None:
        """Nothing has to be kept any more."""
        self._reserved = 0.0

    @property
    def heard(self) -> bool:
        """Whether somebody wants to know, all the time, that the work goes on."""
        return self._listener is not None

    @contextmanager
    def listening(self, listener: Callable[[], None]) -> Iterator[None]:
        """While the context is open, and no inner one is, ``listener`` is called at every :meth:`beat` that is due."""
        outer, self._listener = self._listener, listener
        try:
            yield
        finally:
            self._listener = outer

    def beat(self) -> None:
        """The work goes on. To be called often, and only in the thread of the run: the listener is called in it."""
        now = self._monotonic()
        if self._listener is not None and now - self._beaten >= _BETWEEN_BEATS:
            self._beaten = now
            self._listener()

    def within(self, seconds: float) -> float:
        """``seconds``, or what is left when that is less."""
        return seconds if self.remaining is None else min(seconds, self.remaining)

    def budget(self, seconds: float | None) -> Budget:
        """``seconds``, ``None`` for no bound, for things that must leave most of what is left to others."""
        if self.remaining is None:
            return Budget(seconds)
        most = self.remaining * _FOR_QUESTIONS
        return Budget(most if seconds is None else min(seconds, most), glance=min(_GLANCE, most / 10))

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """An interrupted statement raises the driver's error; what it means is that these limits ended the work.

        Raises:
            Cancelled, TimeLimitReached: as :meth:`check` does, in place of that error.
        """
        try:
            yield
        except TrueupError:
            raise
        except Exception:
            self.check()
            raise

    def check(self, ahead: float = 0.0) -> None:
        """Raise when the run must stop.

        Args:
            ahead: seconds that the next thing will take, where nothing can end it once it has begun.

        Raises:
            Cancelled: a person asked for it.
            TimeLimitReached: the time is over.
        """
        if self._cancelled.is_set():
            raise Cancelled(phase=self.phase)
        if self.remaining is not None and self.remaining <= ahead:
            raise TimeLimitReached(limit=self.seconds, phase=self.phase)


class Budget:
    """Time that several things share, one after another.

    Args:
        seconds: for all of them together; ``None`` for as long as they need.
        glance: seconds for what is done in place of each of them, once the time is spent.
    """

    def __init__(self, seconds: float | None, glance: float = _GLANCE) -> None:
        self._left = seconds
        self.glance = glance

    @contextmanager
    def spend(self) -> Iterator[Limits]:
        """What is left, as limits; how long the context stays open is taken from it."""
        limits = Limits(self._left)
        try:
            yield limits
        finally:
            self._left = limits.remaining
