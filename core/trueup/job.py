"""A run in a thread of its own, for a program that must stay responsive meanwhile.

The thread belongs to the job, not to a screen or a request: whoever shows the run can go away and come back, read the
events so far and follow the rest. The thread is not a daemon, so a program that ends waits for the roll-back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from trueup.events import Event, Finished, Passing
from trueup.limits import Limits
from trueup.reporting import Report
from trueup.run import Run


class Job:
    """One run in the background.

    Args:
        work: does the run: called with a function to report events to and the limits to keep to. What it returns it
            also tells in its last event.
        limits: when the run must stop.
    """

    def __init__(self, work: Callable[[Report, Limits], object], limits: Limits) -> None:
        self.limits = limits
        self._work = work
        self._lock = threading.RLock()  # a listener that is told of the past may ask for it as well
        self._events: list[Event] = []
        self._listeners: list[Report] = []
        self._thread = threading.Thread(target=self._main, name="trueup-run")

    def start(self) -> None:
        """Begin, in a thread of its own.

        Raises:
            RuntimeError: it was started before.
        """
        self._thread.start()

    def follow(self, listener: Report) -> Callable[[], None]:
        """Call ``listener`` with every event so far, then with every new one (from the job's thread).

        Args:
            listener: whatever it raises fails the run.

        Returns:
            A function that ends this.
        """
        with self._lock:
            for event in self._events:
                listener(event)
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave

    @property
    def events(self) -> tuple[Event, ...]:
        """Those so far, but of several :class:`~trueup.events.Passing` ones in a row only the newest."""
        with self._lock:
            return tuple(self._events)

    @property
    def run(self) -> Run | None:
        """The outcome, once there is one."""
        return next((event.run for event in reversed(self.events) if isinstance(event, Finished)), None)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        """Ask the run to stop and roll back; what came of it is in the last event."""
        self.limits.cancel()

    def extend(self, seconds: float) -> None:
        """Allow the run so many seconds more than its time limit."""
        self.limits.extend(seconds)

    def wait(self, timeout: float | None = None) -> Run | None:
        """Wait for the end of the run.

        Args:
            timeout: seconds; ``None`` for as long as it takes.

        Returns:
            The outcome; nothing when it goes on after that time, or when the work was no run.
        """
        self._thread.join(timeout)
        return self.run

    def _main(self) -> None:
        self._work(self._report, self.limits)

    def _report(self, event: Event) -> None:
        with self._lock:
            if self._events and isinstance(event, Passing) and type(self._events[-1]) is type(event):
                self._events.pop()  # a run of hours must not fill the memory
            self._events.append(event)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(event)
