"""A backup that the file system makes by sharing blocks is as whole as a copy; where that cannot be, it is a copy."""

from __future__ import annotations

import os
import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, Say
from tests.reliability.places import Place, cloning_place
from tests.reliability.sites import check_nothing_left
from tests.reliability.test_live_application import application, connect
from trueup import Limits, list_backups, make_backup, migrate, restore, verify_backup
from trueup.dialects.sqlite import clone
from trueup.errors import DatabaseDamaged, TimeLimitReached
from trueup.events import Event

BACKUPS = times(10, nightly=500)
KILLS = times(12, nightly=500)
BOTH_MODES = pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
A_REAL_COPY = ("cp", "--reflink=auto") if sys.platform != "darwin" else ("cp",)
"""By the same way as a clone, on every file system."""


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with cloning_place(tmp_path_factory.mktemp("place")) as place:
        yield place


@pytest.fixture
def place(module_place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A new directory there, with databases of every size worth while."""
    monkeypatch.setattr(clone, "WORTHWHILE", 0)
    directory = module_place.path / request.node.name.replace("/", "-")
    directory.mkdir()
    return Place(directory, module_place.clones)


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a clone would do is done by a tool that copies where the file system cannot."""
    monkeypatch.setattr(clone, "WORTHWHILE", 0)
    monkeypatch.setattr(clone, "COMMAND", A_REAL_COPY)


def script(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """In place of the tool, Python code with the two files as ``source`` and ``path``."""
    begin = "import pathlib, sys, time; source, path = map(pathlib.Path, sys.argv[1:])\n"
    monkeypatch.setattr(clone, "WORTHWHILE", 0)
    monkeypatch.setattr(clone, "COMMAND", (sys.executable, "-c", begin + code))


def make(lab: Lab, **kw: Any) -> Any:
    return make_backup(lab.target((), lock_timeout=60.0), **kw)


def files(lab: Lab) -> set[str]:
    return {path.name for path in (lab.path.parent / ".trueup" / "backups").glob("*")}


# -- on a file system that clones, if there is one ---------------------------------------------------------------------


@BOTH_MODES
def test_under_writers_and_a_reader(place: Place, journal_mode: str) -> None:
    """While money moves, every backup holds one moment and is sound; it is a clone where the file system can."""
    lab = Lab(place.path / "app.db")
    bank.found_bank(lab, journal_mode=journal_mode, transfers=2000)
    with application(lab):
        for _ in range(BACKUPS):
            backup = make(lab, limits=Limits())
            assert backup.cloned == place.clones
            assert Lab(backup.path).healthy()
            assert bank.missing_money(backup.path) == []
    assert bank.missing_money(lab.path) == []
    check_nothing_left(lab)


@BOTH_MODES
def test_a_clone_is_one_file_for_the_owner(place: Place, journal_mode: str) -> None:
    """Whether cloned or copied: nothing lies beside it, nobody else may read it, it is good, and it can be restored."""
    lab = Lab(place.path / "app.db")
    bank.found_bank(lab, journal_mode=journal_mode)
    before = bank.content(lab)
    run = migrate(bank.target(lab))
    assert run.backup is not None
    assert run.backup.cloned == place.clones
    assert files(lab) == {run.backup.path.name, f"{run.backup.id}.json"}
    assert run.backup.path.stat().st_mode & 0o777 == 0o600
    assert Lab(run.backup.path).value("PRAGMA journal_mode") == "delete"
    assert verify_backup(run.backup, bank.target(lab), thorough=True).problem == ""
    restored = restore(run.backup, bank.target(lab))
    assert restored.error is None
    assert restored.backup is not None
    assert restored.backup.cloned == place.clones
    assert bank.content(lab) == before


def test_between_two_file_systems(place: Place, tmp_path: Path) -> None:
    """Where the backups lie on another file system than the database, no blocks can be shared, and it is a copy."""
    lab = Lab(place.path / "app.db")
    bank.found_bank(lab, transfers=10)
    backup = make_backup(lab.target((), backup_dir=tmp_path / "backups"))
    assert backup.cloned == (place.clones and tmp_path.stat().st_dev == place.path.stat().st_dev)
    assert bank.missing_money(backup.path) == []


# -- on any file system ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("copying")
@BOTH_MODES
def test_an_old_reader(lab: Lab, journal_mode: str) -> None:
    """What a reader of an older state keeps in the -wal is in the clone all the same; the reader is not disturbed."""
    bank.found_bank(lab, journal_mode=journal_mode, transfers=100)
    with closing(connect(lab.path)) as reader:
        if journal_mode == "WAL":
            reader.execute("BEGIN")
        before = reader.execute("SELECT count(*) FROM transfers").fetchall()
        lab.sql("INSERT INTO transfers (giver, taker, amount) VALUES (1, 1, 5), (2, 2, 7)")
        backup = make(lab)
        assert reader.in_transaction == (journal_mode == "WAL")
        assert not reader.in_transaction or reader.execute("SELECT count(*) FROM transfers").fetchall() == before
    assert (backup.cloned, backup.row_counts["transfers"]) == (True, 102)
    assert Lab(backup.path).dump() == lab.dump()
    assert files(lab) == {backup.path.name, f"{backup.id}.json"}


def test_a_checkpoint_in_the_middle(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody brings pages from the -wal into the file while it is half copied: the clone is whole."""
    bank.found_bank(lab, journal_mode="WAL", transfers=500)
    half, go_on = lab.path.with_name("half"), lab.path.with_name("go on")
    script(
        monkeypatch,
        f"""
data = source.read_bytes()
if not source.name.endswith("-wal"):
    pathlib.Path({str(half)!r}).touch()
    while not pathlib.Path({str(go_on)!r}).exists():
        time.sleep(0.01)
    data = data[:len(data) // 2] + source.read_bytes()[len(data) // 2:]
path.write_bytes(data)
""",
    )
    reader = sqlite3.connect(lab.path, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM transfers").fetchall()
    lab.sql("UPDATE transfers SET amount = amount + 1, note = note || 'x'")

    def checkpoint() -> None:
        while not half.exists():
            time.sleep(0.01)
        reader.execute("COMMIT")
        busy, counted, moved = reader.execute("PRAGMA wal_checkpoint").fetchone()
        assert (busy, counted) == (0, moved)
        go_on.touch()

    thread = threading.Thread(target=checkpoint)
    thread.start()
    backup = make(lab)
    thread.join()
    reader.close()
    assert backup.cloned
    assert Lab(backup.path).dump() == lab.dump()


@pytest.mark.usefixtures("copying")
def test_a_commit_that_was_cut_off(lab: Lab) -> None:
    """A process was killed between its write to the -wal and its end: what nobody sees is in no backup either."""
    bank.found_bank(lab, journal_mode="WAL", transfers=10)
    with closing(connect(lab.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM transfers").fetchone()  # so that the -wal counts
        lab.sql("UPDATE accounts SET owner = owner || '.'")
        index = lab.path.with_name("app.db-shm")
        before = index.read_bytes()[:136]
        lab.sql("INSERT INTO transfers (giver, taker, amount) VALUES (1, 1, 5)")
        with index.open("r+b") as file:
            file.write(before)  # the header of the index, as it was when the process died
        assert lab.value("SELECT count(*) FROM transfers") == 10
        backup = make(lab)
    assert (backup.cloned, backup.row_counts["transfers"]) == (True, 10)


WAYS = {
    "no such tool": ("no-such-tool-anywhere",),
    "it says no": ("false",),
    "it stops half-way": (sys.executable, "-c", "import sys; open(sys.argv[2], 'wb').write(b'half'); sys.exit(1)"),
    "it writes nonsense": (sys.executable, "-c", "import sys; open(sys.argv[2], 'wb').write(b'nonsense' * 1000)"),
    "it removes the file": (sys.executable, "-c", "import os, sys; os.unlink(sys.argv[2]); sys.exit(1)"),
}


@BOTH_MODES
@pytest.mark.parametrize("command", WAYS.values(), ids=WAYS)
def test_where_it_cannot_be(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], journal_mode: str
) -> None:
    """Whatever keeps the tool from making a clone, the backup is a copy, and nothing of the attempt stays."""
    monkeypatch.setattr(clone, "WORTHWHILE", 0)
    monkeypatch.setattr(clone, "COMMAND", command)
    bank.found_bank(lab, journal_mode=journal_mode, transfers=100)
    backup = make(lab)
    assert (backup.cloned, backup.path.stat().st_mode & 0o777) == (False, 0o600)
    assert bank.missing_money(backup.path) == []
    check_nothing_left(lab)


@BOTH_MODES
def test_a_tool_that_makes_the_file_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch, journal_mode: str) -> None:
    """The backup is for the owner only, also where the tool gives a copy the permissions of the database."""
    script(monkeypatch, "import shutil; path.unlink(); shutil.copyfile(source, path); path.chmod(0o644)")
    monkeypatch.setattr(clone, "BY_NAME", True)
    bank.found_bank(lab, journal_mode=journal_mode, transfers=100)
    backup = make(lab)
    assert (backup.cloned, backup.path.stat().st_mode & 0o777) == (True, 0o600)
    assert bank.missing_money(backup.path) == []
    check_nothing_left(lab)


def test_a_small_database(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a small database no process is begun, since it would take longer than the copy."""
    script(monkeypatch, f"pathlib.Path({str(lab.path.with_name('called'))!r}).touch()")
    monkeypatch.setattr(clone, "WORTHWHILE", 10_000_000)
    bank.found_bank(lab)
    assert not make(lab).cloned
    assert not lab.path.with_name("called").exists()


def test_the_time_limit_ends_the_tool(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that hangs is ended with the time, and until then events tell that the run goes on."""
    noted = lab.path.with_name("pid")
    script(monkeypatch, f"import os; pathlib.Path({str(noted)!r}).write_text(str(os.getpid())); time.sleep(600)")
    bank.found_bank(lab)
    before, seen = lab.dump(), list[Event]()
    run = migrate(bank.target(lab, time_limit=2.0), report=seen.append)
    assert isinstance(run.error, TimeLimitReached)
    assert "making the backup" in str(run.error)
    assert sum(type(event).__name__ == "Working" for event in seen) > 3
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
    assert lab.dump() == before
    assert files(lab) == set()


@pytest.mark.usefixtures("copying")
@BOTH_MODES
def test_a_damaged_database(lab: Lab, journal_mode: str) -> None:
    """A clone is as damaged as the database, which is told as ever, and no file stays."""
    bank.found_bank(lab, journal_mode=journal_mode)
    lab.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    size = lab.path.stat().st_size
    with lab.path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\x55" * 4096)
    with pytest.raises(DatabaseDamaged):
        make(lab)
    assert files(lab) == set()


def back_up_once(say: Say, lab: Lab, command: tuple[str, ...]) -> None:
    clone.WORTHWHILE, clone.COMMAND = 0, command
    say("ready")
    make(lab)


@pytest.mark.skipif(clone.BY_NAME, reason="the tool of this system makes the file anew, in one system call")
def test_a_tool_that_outlives_its_killed_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tool writes after the next backup took the half-made one away comes to no directory."""
    began, go_on, done = (lab.path.with_name(name) for name in ("began", "go on", "done"))
    script(
        monkeypatch,
        f"""
pathlib.Path({str(began)!r}).touch()
while not pathlib.Path({str(go_on)!r}).exists():
    time.sleep(0.01)
path.write_bytes(source.read_bytes())
pathlib.Path({str(done)!r}).touch()
""",
    )
    bank.found_bank(lab)
    child = Child(back_up_once, lab, clone.COMMAND)
    wait_for(began)
    child.kill()
    monkeypatch.undo()
    make(lab)
    go_on.touch()
    wait_for(done)
    check_nothing_left(lab)


def wait_for(path: Path) -> None:
    """Until another process has made it."""
    end = time.monotonic() + 60.0
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.01)


def back_up(say: Say, lab: Lab) -> None:
    """Make backups, by the way of a clone, until somebody kills us."""
    clone.WORTHWHILE, clone.COMMAND = 0, A_REAL_COPY
    say("ready")
    while True:
        make(lab)


@BOTH_MODES
def test_killed_at_any_moment(lab: Lab, journal_mode: str) -> None:
    """What is listed after kill -9 is good, and the next backup takes away what was left, a -wal of a clone too."""
    bank.found_bank(lab, journal_mode=journal_mode)
    chance = random.Random(journal_mode)
    with closing(connect(lab.path)) as reader:
        reader.execute("SELECT count(*) FROM transfers").fetchone()
        for _ in range(KILLS):
            child = Child(back_up, lab)
            assert child.hear() == "ready"
            time.sleep(chance.uniform(0, 0.2))
            child.kill()
            assert {backup.problem for backup in list_backups(lab.target(()))} <= {""}
            make(lab)
            for backup in list_backups(lab.target(()))[1:]:
                for path in backup.path, backup.path.with_suffix(".json"):
                    path.unlink()
    assert bank.missing_money(lab.path) == []
    check_nothing_left(lab)
