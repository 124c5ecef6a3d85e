"""A rebuild of ten million rows: how fast, how silent, in how much memory, and how exactly a time limit ends it.

``python bench/large.py [rows] [rows for the time limits]``. The files lie in the directory for temporary files, which
needs room for about 500 bytes a row. Seconds are wall clock; the longest silence is told with what went on.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from apply import copied, fill, orders
from sqlalchemy import UniqueConstraint

from trueup import Limits, Plan, Policy, Run, Settings, Target, apply, plan
from trueup.events import BackupProgress, Event, Finished, StatementStarted, StepProgress, Verified, Verifying, Working
from trueup.work import Work

ROWS = 10_000_000
ROWS_FOR_LIMITS = 5_000_000
REBUILT = orders(None, UniqueConstraint("id", "customer", name="uq_orders"))
_MB = 1 if sys.platform == "darwin" else 1024


def target_of(path: Path) -> Target:
    settings = Settings(policy=Policy.FULL, time_limit=None, lock_timeout=10)
    return Target(url=f"sqlite:///{path}", models=REBUILT, settings=settings)


def peak() -> float:
    """Megabytes that this process needed at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MB / 1e6


@dataclass(slots=True)
class Silence:
    """A report that finds the longest time without an event."""

    seconds: float = 0.0
    during: str = ""
    events: int = 0
    _last: float = 0.0
    _doing: str = field(default="")

    def __call__(self, event: Event) -> None:
        self.events += 1
        if event.elapsed - self._last > self.seconds:
            self.seconds, self.during = event.elapsed - self._last, self._doing
        self._last = event.elapsed
        match event:
            case StatementStarted(sql=sql):
                self._doing = " ".join(sql.split())[:60]
            case Working(phase=phase):
                self._doing = phase
            case StepProgress():
                pass
            case _:
                self._doing = type(event).__name__


def print_rebuild(source: Path, rows: int, mode: str) -> None:
    with copied(source) as path:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        before, silence = peak(), Silence()
        run = apply(plan(target_of(path)), target_of(path), report=silence)
        assert run.success, run.error
    print(f"\n{rows:,} rows, journal mode {mode}: {run.seconds:.1f} s, {rows / run.seconds:,.0f} rows/s, all of it")
    print(f"    steps {sum(run.step_seconds):.1f} s, {rows / sum(run.step_seconds):,.0f} rows/s")
    print(f"    {silence.events} events, longest silence {silence.seconds:.2f} s ({silence.during})   aim 0.25 s")
    print(f"    memory: {before:.0f} MB before, at most {peak():.0f} MB")


# -- time limits -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a time limit is set, and how many seconds later it ends."""

    name: str
    comes: Callable[[Event], bool]
    left: Callable[[Plan, Run], float]
    """From the plan, and from the run without a limit."""


def begins(words: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StatementStarted) and event.sql.startswith(words)


def dropping(found: Plan, _run: Run) -> float:
    (drop,) = [item for step in found.steps for item in step.statements if item.work is Work.DROP]
    return drop.estimate / 2


MOMENTS = (
    Moment(
        name="in the backup",
        comes=lambda event: isinstance(event, BackupProgress) and event.done * 2 > event.total,
        left=lambda *_: 0.0,
    ),
    Moment(
        name="in the copy",
        comes=lambda event: isinstance(event, StepProgress) and event.rows * 2 > event.total > 0,
        left=lambda *_: 0.0,
    ),
    Moment(name="in a proof", comes=begins("SELECT (SELECT count(*) FROM"), left=lambda *_: 0.2),
    Moment(name="half a DROP TABLE", comes=begins("PRAGMA legacy_alter_table = ON"), left=dropping),
    Moment(name="already in DROP TABLE", comes=begins("DROP TABLE"), left=lambda *_: 0.1),
    Moment(name="in CREATE INDEX", comes=begins("CREATE INDEX"), left=lambda *_: 0.5),
    Moment(name="in the check", comes=lambda event: isinstance(event, Verifying), left=lambda *_: 0.2),
    Moment(
        name="half a COMMIT",
        comes=lambda event: isinstance(event, Verified),
        left=lambda _found, run: 0.05 * sum(run.step_seconds),
    ),
    Moment(
        name="already in COMMIT",
        comes=lambda event: isinstance(event, Working) and event.phase == "committing",
        left=lambda *_: 0.0,
    ),
)


def print_limit(source: Path, moment: Moment, whole: Run) -> None:
    with copied(source) as path:
        found, limits = plan(target_of(path)), Limits()
        ended = [0.0]

        def report(event: Event) -> None:
            if limits.seconds is None and moment.comes(event):
                limits.seconds = event.elapsed + moment.left(found, whole)
            if isinstance(event, Finished):
                ended[0] = event.elapsed

        run = apply(found, target_of(path), report=report, limits=limits)
    if limits.seconds is None:
        print(f"    {moment.name:24} it did not come to that")
    else:
        print(f"    {moment.name:24}{ended[0] - limits.seconds:+8.2f} s   {run.status}")


def print_limits(source: Path, rows: int) -> None:
    with copied(source) as path:
        whole = apply(plan(target_of(path)), target_of(path))
    print(f"\n{rows:,} rows: when a run ended, by the end of its time limit   aim +1 s")
    for moment in MOMENTS:
        print_limit(source, moment, whole)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    fewer = int(sys.argv[2]) if len(sys.argv) > 2 else min(rows, ROWS_FOR_LIMITS)
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source.db"
        fill(source, rows)
        print(f"{rows:,} rows, {source.stat().st_size / 1e6:.0f} MB")
        for mode in ("DELETE", "WAL"):
            print_rebuild(source, rows, mode)
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source.db"
        fill(source, fewer)
        print_limits(source, fewer)


if __name__ == "__main__":
    main()
