"""An application that goes on reading and writing: its data stays right, and trueup waits only so long."""

from __future__ import annotations

import random
import re
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Index, MetaData

from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, Say
from trueup import (
    Limits,
    Policy,
    apply,
    baseline,
    list_backups,
    make_backup,
    migrate,
    plan,
    restore,
    start_restore,
    undo,
)
from trueup.errors import Cancelled, DatabaseBusy
from trueup.events import Checked

BACKUPS = times(25, nightly=1000)
RUNS = times(4, nightly=200)
"""In each journal mode."""
PATIENT: dict[str, Any] = {"time_limit": None, "lock_timeout": 60.0}
BOTH_MODES = pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=30)


def write(say: Say, path: Path, seed: int, stop: Path) -> None:
    """Move money until the file ``stop`` is there; says how many transfers were committed.

    Only what SQLite answers to those who come at a bad moment is borne: that the database is locked.
    """
    chance, done = random.Random(seed), 0
    with closing(connect(path)) as connection:
        say("ready")
        while not stop.exists():
            try:
                bank.transfer(connection, chance)
                done += 1
                time.sleep(0.001)
            except sqlite3.OperationalError as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if "locked" not in str(error):
                    say(str(error))
                    return
    say(done)


def read(say: Say, path: Path, stop: Path) -> None:
    """Look until the file ``stop`` is there; says what was wrong, and in the end how often all was right."""
    right = 0
    with closing(connect(path)) as connection:
        say("ready")
        while not stop.exists():
            try:
                wrong = look(connection)
            except sqlite3.OperationalError as error:
                wrong = "" if "locked" in str(error) else str(error)
            right += not wrong
            if wrong:
                say(wrong)
            time.sleep(0.001)
    say(right)


def look(connection: sqlite3.Connection) -> str:
    """What is not as it should be in one moment of the database."""
    connection.execute("BEGIN")
    try:
        (sum_,) = connection.execute("SELECT sum(balance) FROM accounts").fetchone()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(accounts)")]
        if sum_ != bank.ACCOUNTS * bank.START:
            return f"there is {sum_} money"
        if columns not in (["id", "owner", "balance"], ["id", "owner", "balance", "currency"]):
            return f"the columns are {columns}"
        if "currency" in columns and connection.execute("SELECT 1 FROM accounts WHERE currency IS NULL").fetchone():
            return "a column is there, and its values are not"
        return ""
    finally:
        connection.execute("ROLLBACK")


@contextmanager
def application(lab: Lab, *, writers: int = 2, readers: int = 1) -> Iterator[None]:
    """Processes of the application at work while the context is open; none of them may have seen anything wrong."""
    stop = lab.path.with_name("stop")
    children = [Child(write, lab.path, seed, stop) for seed in range(writers)]
    children += [Child(read, lab.path, stop) for _ in range(readers)]
    assert [child.hear() for child in children] == ["ready"] * len(children)
    try:
        yield
    finally:
        stop.touch()
        said = [child.hear_all() for child in children]
        stop.unlink()
    assert [len(words) for words in said] == [1] * len(children), said
    assert all(isinstance(words[0], int) for words in said), said


@BOTH_MODES
def test_backups_under_a_writer(lab: Lab, journal_mode: str) -> None:
    """Every backup that is made while money moves holds one moment: no money is missing, and the copy is sound."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=200)
    kinds = [indexed(), bank.OLD]
    with application(lab, readers=0):
        for number in range(BACKUPS):
            run = lab.migrate(kinds[number % 2], policy=Policy.FULL, accept_older_models=True, **PATIENT)
            assert run.error is None
            assert run.backup is not None
            assert Lab(run.backup.path).healthy()
            assert bank.missing_money(run.backup.path) == []
    assert bank.missing_money(lab.path) == []


def indexed() -> MetaData:
    """The bank with one index more, so that there is something quick to do again and again."""
    metadata = MetaData()
    for table in bank.OLD.tables.values():
        table.to_metadata(metadata)
    Index("ix_owner", metadata.tables["accounts"].c.owner)
    return metadata


@BOTH_MODES
def test_runs_and_undos_under_readers_and_writers(lab: Lab, journal_mode: str) -> None:
    """A rebuild, an edit, a new column and a dropped one: the application sees the old schema or the new, and money."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=1000)
    target = bank.target(lab, **PATIENT)
    with application(lab):
        for _ in range(RUNS):
            assert migrate(target).error is None
            assert undo(target, accept_loss=True).error is None
    assert bank.missing_money(lab.path) == []
    assert lab.healthy()


@BOTH_MODES
def test_restores_under_readers_and_writers(lab: Lab, journal_mode: str) -> None:
    """A restore is done as a whole or not at all, and what is written after it is not lost."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=1000)
    target = bank.target(lab, **PATIENT)
    backup = migrate(target).backup
    assert backup is not None
    with application(lab):
        runs = [restore(backup, target) for _ in range(RUNS)]
        again = migrate(target)
    assert all(run.success or isinstance(run.error, DatabaseBusy) for run in runs), [run.error for run in runs]
    assert any(run.success for run in runs)
    assert again.error is None
    assert bank.missing_money(lab.path) == []
    assert lab.healthy()


@BOTH_MODES
def test_a_process_that_holds_the_database(lab: Lab, journal_mode: str) -> None:
    """The wait for a transaction that does not end is bounded; the sentence says whose, and nothing was changed."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=200)
    before = lab.dump()
    holder = Child(hold, lab.path)
    assert holder.hear() == "holding"
    run = migrate(bank.target(lab, lock_timeout=0.3))
    holder.kill()
    assert (type(run.error), run.exit_code) == (DatabaseBusy, 5)
    named = re.escape(f": {holder.pid} (") + r".+\)" if sys.platform == "linux" else ""
    assert re.search(rf"did not let go within the lock timeout of 0.3 s{named}\. Nothing was changed", str(run.error))
    assert lab.dump() == before
    assert list_backups(bank.target(lab)) == ()
    assert migrate(bank.target(lab)).success


def cancel_while(phase: str, limits: Limits) -> threading.Thread:
    """Cancel as soon as the work is in that phase."""

    def watch() -> None:
        while limits.phase != phase:
            time.sleep(0.01)
        limits.cancel()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@BOTH_MODES
@pytest.mark.parametrize("what", ["run", "restore", "backup", "baseline"])
def test_who_waits_for_a_writer_can_be_cancelled(lab: Lab, journal_mode: str, what: str) -> None:
    """However long it would wait: it ends, says in what, and nothing was changed."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=200)
    target = bank.target(lab, time_limit=None, lock_timeout=3600.0)
    saved = make_backup(target)
    before, limits = lab.dump(), Limits()
    holder = Child(hold, lab.path)
    assert holder.hear() == "holding"
    cancel_while("waiting for other writers", limits)
    if what == "backup":
        with pytest.raises(Cancelled, match="while waiting for other writers"):
            make_backup(target, limits=limits)
    else:
        run = {
            "run": lambda: apply(plan(target), target, limits=limits),
            "restore": lambda: restore(saved, target, limits=limits),
            "baseline": lambda: baseline(target, limits=limits),
        }[what]()
        assert isinstance(run.error, Cancelled)
        assert "while waiting for other writers" in str(run.error)
    holder.kill()
    assert lab.dump() == before
    assert [backup.id for backup in list_backups(target)] == [saved.id]


@BOTH_MODES
def test_a_restore_that_waits_for_a_writer(lab: Lab, journal_mode: str) -> None:
    """The writer can commit meanwhile, and the restore goes on when it has."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=200)
    backup = migrate(bank.target(lab)).backup
    assert backup is not None
    with closing(connect(lab.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE accounts SET owner = owner || '!'")
        job = start_restore(backup, bank.target(lab, **PATIENT))
        while not any(isinstance(event, Checked) for event in job.events):
            time.sleep(0.01)
        time.sleep(0.3)  # it waits by now; when it does not yet, this proves less and fails no more
        other.execute("COMMIT")
    run = job.wait(60)
    assert run is not None
    assert run.error is None
    assert lab.value("SELECT owner FROM accounts") == "owner 1"


def hold(say: Say, path: Path) -> None:
    """Write something, and never commit."""
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE accounts SET balance = 0")
        say("holding")
        time.sleep(3600)
