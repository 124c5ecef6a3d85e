"""The time limit, wherever it ends: what runs is interrupted, and everything is as it was."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Callable

import pytest

from tests.conftest import Lab
from tests.reliability import bank, times
from trueup import Limits, Plan, Status, apply, migrate, past_runs, plan, plan_undo, restore, undo
from trueup.errors import Cancelled, DatabaseBusy, TimeLimitReached
from trueup.events import Event, StatementStarted, Working

ROWS = times(100_000, nightly=5_000_000)
SHARES = times((0.1, 0.3, 0.5), nightly=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
"""Of the time that it takes undisturbed."""
_LATE = 1.0
"""Seconds after the limit in which it must have ended."""


class Clock:
    """Stands still until a certain event is reported; then the time is over."""

    def __init__(self, ends_at: Callable[[Event], bool]) -> None:
        self.now = 0.0
        self.limits = Limits(60.0, monotonic=lambda: self.now)
        self.after: list[Event] = []
        self._ends_at = ends_at

    def report(self, event: Event) -> None:
        if self.now:
            self.after.append(event)
        elif self._ends_at(event):
            self.now = 61.0


def statements(found: Plan) -> int:
    return sum(len(step.statements) for step in found.steps)


def nth_statement(number: int) -> Callable[[Event], bool]:
    seen = itertools.count()
    return lambda event: isinstance(event, StatementStarted) and next(seen) == number


def test_in_every_statement(lab: Lab) -> None:
    """No other statement is begun, and nothing has changed."""
    bank.found_bank(lab, transfers=500)
    target = bank.target(lab)
    found, before = plan(target), lab.dump()
    for number in range(statements(found)):
        clock = Clock(nth_statement(number))
        run = apply(found, target, limits=clock.limits, report=clock.report)
        assert (run.status, type(run.error)) == (Status.TIMED_OUT, TimeLimitReached)
        assert "The time limit of 60 s ended while " in str(run.error)
        assert not any(isinstance(event, StatementStarted) for event in clock.after)
        assert lab.dump() == before


@pytest.mark.parametrize(
    ("event", "phase"),
    [
        ("Started", "waiting for another migrator"),
        ("Locked", "making the backup"),
        ("BackupProgress", "making the backup"),
        ("Verifying", "verifying the result"),
        ("Verified", "verifying the result"),
    ],
)
def test_in_every_phase_of_a_run(lab: Lab, event: str, phase: str) -> None:
    """The error says in which it was."""
    bank.found_bank(lab, transfers=500)
    before, clock = lab.dump(), Clock(lambda told: type(told).__name__ == event)
    run = migrate(bank.target(lab), limits=clock.limits, report=clock.report)
    assert (run.status, run.exit_code) == (Status.TIMED_OUT, 4)
    assert f"ended while {phase}" in str(run.error)
    assert lab.dump() == before


@pytest.mark.parametrize(
    ("event", "phase"),
    [("RestoreStarted", "checking the backup"), ("Locked", "saving the present database")],
)
def test_in_every_phase_of_a_restore(lab: Lab, event: str, phase: str) -> None:
    """There as well; the history tells of it."""
    bank.found_bank(lab, transfers=500)
    backup = migrate(bank.target(lab)).backup
    assert backup is not None
    before, clock = bank.content(lab), Clock(lambda told: type(told).__name__ == event)
    run = restore(backup, bank.target(lab), limits=clock.limits, report=clock.report)
    assert run.status is Status.TIMED_OUT
    assert f"ended while {phase}" in str(run.error)
    assert bank.content(lab) == before
    assert past_runs(bank.target(lab))[-1].error == str(run.error)


@pytest.mark.parametrize(
    ("structure_only", "phase"), [(False, "checking the backup"), (True, "comparing and looking at the data")]
)
def test_in_every_phase_of_planning_an_undo(lab: Lab, structure_only: bool, phase: str) -> None:
    """To read the backup and to look at the rows takes time as well, which is limited and can be cancelled."""
    bank.found_bank(lab, transfers=500)
    migrate(bank.target(lab))
    before, cancelled = lab.dump(), Limits()
    cancelled.cancel()
    for limits, error in ((Limits(0.0), TimeLimitReached), (cancelled, Cancelled)):
        with pytest.raises(error, match=phase):
            plan_undo(bank.target(lab), structure_only=structure_only, limits=limits)
        with pytest.raises(error, match=phase):
            undo(bank.target(lab), structure_only=structure_only, limits=limits)
    assert lab.dump() == before


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_a_large_table_is_let_go_at_once(make_lab: Callable[[str], Lab], journal_mode: str) -> None:
    """Within a second of this processor's time, roll-back included, the run has ended, wherever the limit found it."""
    lab, other = make_lab("limited"), make_lab("undisturbed")
    for each in (lab, other):
        bank.found_bank(each, journal_mode=journal_mode, transfers=ROWS, note=20)
    whole = migrate(bank.target(other), limits=Limits(monotonic=time.process_time)).seconds
    found = plan(bank.target(lab))
    for share in SHARES:
        limits = Limits(whole * share, monotonic=time.process_time)
        run = apply(found, bank.target(lab), limits=limits)
        assert run.status is Status.TIMED_OUT
        assert run.seconds < whole * share + _LATE
    assert lab.rows("SELECT count(note) FROM transfers") == [(ROWS,)]
    assert bank.missing_money(lab.path) == []


class Reader:
    """Reads the database and does not let go. Outside WAL mode a writer cannot commit while it is there."""

    def __init__(self, lab: Lab) -> None:
        self._connection = sqlite3.connect(lab.path, isolation_level=None)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def test_a_reader_stands_in_the_way_of_the_commit(lab: Lab) -> None:
    """Whoever waits for it can be cancelled, hears what is waited for, and leaves everything as it was."""
    bank.found_bank(lab, transfers=5)
    limits, before = Limits(), lab.dump()

    def cancel(event: Event) -> None:
        if isinstance(event, Working) and event.phase == "waiting for readers to let it commit":
            limits.cancel()

    with Reader(lab):
        run = migrate(bank.target(lab, lock_timeout=120.0), limits=limits, report=cancel)
    assert (run.status, type(run.error)) == (Status.CANCELLED, Cancelled)
    assert "Cancelled while waiting for readers to let it commit." in str(run.error)
    assert lab.dump() == before


def test_a_reader_is_waited_for_as_long_as_the_lock_timeout_allows(lab: Lab) -> None:
    """And the sentence names that time."""
    bank.found_bank(lab, transfers=5)
    before = lab.dump()
    with Reader(lab):
        run = migrate(bank.target(lab, lock_timeout=0.2))
    assert (run.status, type(run.error)) == (Status.LOCKED, DatabaseBusy)
    assert "within the lock timeout of 0.2 s" in str(run.error)
    assert lab.dump() == before
