"""What is asked before something is written or cannot be ended any more: is the database sound, is there room, time?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import Limits, Status, apply, plan
from trueup.errors import DatabaseDamaged, NotEnoughSpace, TimeLimitReached
from trueup.events import BackupProgress, Event, StatementStarted, StepStarted, Verified


def models(*more: Column[str], number: type[Integer | Text] = Integer) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text), Column("n", number), *more)
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(models())
    lab.sql(
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 5000)"
        " INSERT INTO people SELECT n, hex(randomblob(100)), n FROM c"
    )
    return lab


def damage(lab: Lab) -> None:
    """The 20th page, which has rows of the table, becomes noise."""
    content = bytearray(lab.path.read_bytes())
    content[19 * 4096 : 20 * 4096] = b"\xa5" * 4096
    lab.path.write_bytes(content)


@pytest.mark.parametrize("backup", [True, False])
def test_a_damaged_database_is_refused(filled: Lab, backup: bool) -> None:
    """With and without a backup nothing is written to a damaged database, and the error says what is damaged."""
    target = filled.target(models(Column("city", Text)), backup=backup)
    found = plan(target)
    damage(filled)
    before = filled.path.read_bytes()
    run = apply(found, target)
    assert (run.status, type(run.error)) == (Status.DAMAGED, DatabaseDamaged)
    assert "table people: database disk image is malformed" in str(run.error)
    assert filled.path.read_bytes() == before
    assert run.backup is None


def test_a_damaged_database_names_its_good_backups(filled: Lab) -> None:
    """Whoever meets a damaged database at night is told which backup to restore."""
    first = filled.migrate(models(Column("city", Text)))
    assert first.backup is not None
    target = filled.target(models(Column("city", Text), Column("zip", Text)))
    found = plan(target)
    damage(filled)
    assert f"Restore a good backup ({first.backup.id})" in str(apply(found, target).error)


def test_no_room_for_the_rebuild_is_seen_before(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the rebuild, its journal and the backup are counted together when they share a file system."""
    usage = shutil.disk_usage(filled.path.parent)
    target = filled.target(models(number=Text))
    found = plan(target)
    size = filled.path.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=int(size * 1.5)))
    run = apply(found, target)
    assert isinstance(run.error, NotEnoughSpace)
    assert "The run needs about" in str(run.error)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=size * 4))
    assert apply(found, target).status is Status.MIGRATED


def test_the_check_of_the_copy_ends_in_time(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cancelled while the finished copy is checked ends as cancelled, not as a bad backup."""
    target = filled.target(models(Column("city", Text)))
    limits = Limits()

    def cancel_at_the_last_page(event: Event) -> None:
        if isinstance(event, BackupProgress) and event.done == event.total:
            monkeypatch.setattr(limits, "check", lambda: None)  # what looks between statements does not see it
            limits.cancel()

    run = apply(plan(target), target, limits=limits, report=cancel_at_the_last_page)
    monkeypatch.undo()
    assert not run.success
    assert not list(Path(target.backup_directory(target.dialect())).glob("*.db"))


def test_a_table_is_not_dropped_when_too_little_time_is_left(filled: Lab, only_rebuilds: None) -> None:
    """A DROP TABLE cannot be interrupted: with less time left than it takes, the run is rolled back before it."""
    target = filled.target(models(number=Text))
    found = plan(target)
    (drop,) = [item for step in found.steps for item in step.statements if item.sql.startswith("DROP TABLE")]
    assert drop.estimate > 0
    clock = [0.0]
    limits, sent = Limits(60, monotonic=lambda: clock[0]), []

    def almost_over_before_the_drop(event: Event) -> None:
        if isinstance(event, StatementStarted):
            sent.append(event.sql)
            if event.sql.startswith("PRAGMA legacy_alter_table = ON"):
                clock[0] = 60 - drop.estimate / 2

    run = apply(found, target, limits=limits, report=almost_over_before_the_drop)
    assert (run.status, type(run.error)) == (Status.TIMED_OUT, TimeLimitReached)
    assert not any(sql.startswith("DROP TABLE") for sql in sent)
    assert filled.value("SELECT typeof(n) FROM people LIMIT 1") == "integer"


def test_a_roll_back_has_its_time(filled: Lab, only_rebuilds: None) -> None:
    """After a DROP TABLE, what it takes to bring the table back is kept of the limit, until the commit."""
    target = filled.target(models(number=Text))
    clock = [0.0]
    limits, left = Limits(60, monotonic=lambda: clock[0]), []

    def slow_drop(event: Event) -> None:
        if isinstance(event, StatementStarted):
            left.append(limits.remaining)
            clock[0] += 10.0 if event.sql.startswith("DROP TABLE") else 0.0

    run = apply(plan(target), target, limits=limits, report=slow_drop)
    assert run.success, run.error
    assert (left[0], left[-1], limits.remaining) == (60.0, 45.0, 50.0)


def test_no_commit_is_begun_when_too_little_time_is_left(filled: Lab, only_rebuilds: None) -> None:
    """Nor in a COMMIT: what was written is rolled back while that is still possible."""
    target = filled.target(models(number=Text))
    clock = [0.0]

    def almost_over_at_the_end(event: Event) -> None:
        match event:
            case StepStarted():
                clock[0] = 1.0
            case StatementStarted(sql=sql) if sql.startswith("PRAGMA legacy_alter_table = OFF"):
                clock[0] = 50.0  # the step took 49 seconds
            case Verified():
                clock[0] = 58.0

    run = apply(plan(target), target, limits=Limits(60, monotonic=lambda: clock[0]), report=almost_over_at_the_end)
    assert run.status is Status.TIMED_OUT
    assert filled.value("SELECT typeof(n) FROM people LIMIT 1") == "integer"
