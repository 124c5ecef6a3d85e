"""A plan is carried out on a copy of the database, which is gone afterwards; the database itself is only read."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from tests.tree import Tree
from trueup import (
    Drop,
    Event,
    Limits,
    Policy,
    Rehearsal,
    Status,
    apply,
    errors,
    events,
    plan,
    rehearse,
    start_rehearsal,
)

JOURNALS = ["DELETE", "WAL"]


def models(*more: Column[Any] | CheckConstraint, kind: type[Text | Integer] = Integer) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", kind), *more)
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    assert lab.migrate(models()).success
    lab.sql("INSERT INTO people (age) VALUES (1), (2), (3)")
    return lab


def rehearsed(lab: Lab, wanted: MetaData, **settings: Any) -> Rehearsal:
    target = lab.target(wanted, **settings)
    return rehearse(plan(target), target)


@pytest.mark.parametrize("journal", JOURNALS)
def test_nothing_of_the_database_changes(filled: Lab, journal: str) -> None:
    """Rows, history, files and directory are what they were, and the answer is that of a real run."""
    filled.sql(f"PRAGMA journal_mode = {journal}")
    before, dump = Tree.of(filled.path.parent), filled.dump()
    outcome = rehearsed(filled, models(kind=Text))
    assert (outcome.success, outcome.exit_code, outcome.error) == (True, 0, None)
    assert outcome.run.status is Status.MIGRATED
    assert Tree.of(filled.path.parent) == before
    assert filled.dump() == dump


def test_what_was_measured_takes_the_place_of_the_estimates(filled: Lab) -> None:
    """The rehearsed plan is the plan, with the seconds that each step took."""
    target = filled.target(models(Column("city", Text), kind=Text))
    found = plan(target)
    outcome = rehearse(found, target)
    assert [step.estimate for step in outcome.plan.steps] == list(outcome.run.step_seconds)
    assert outcome.plan.checksum == found.checksum
    assert outcome.copying > 0


def test_the_rehearsed_plan_can_be_applied(filled: Lab) -> None:
    """What was rehearsed is what runs then."""
    target = filled.target(models(Column("city", Text)))
    outcome = rehearse(plan(target), target)
    assert apply(outcome.plan, target).success
    assert "city" in filled.stored("people")


def test_a_database_that_is_not_there_yet(lab: Lab) -> None:
    """A first launch is rehearsed too, and makes no file."""
    assert rehearsed(lab, models()).success
    assert not list(lab.path.parent.iterdir())


def test_nothing_to_do(filled: Lab) -> None:
    """In step there is nothing to rehearse, so nothing is copied."""
    outcome = rehearsed(filled, models())
    assert (outcome.run.status, outcome.exit_code, outcome.copying) == (Status.IN_SYNC, 0, 0.0)


def test_an_open_question(filled: Lab) -> None:
    """What a person must decide stops a rehearsal as it stops a run."""
    outcome = rehearsed(filled, models(Column("city", Text, nullable=False)))
    assert (outcome.run.status, outcome.exit_code, outcome.copying) == (Status.NEEDS_DECISION, 1, 0.0)


def test_what_would_remain_is_told(filled: Lab) -> None:
    """A column that is kept under the policy is found again by the second plan, and is no failure."""
    filled.sql("ALTER TABLE people ADD COLUMN city TEXT")
    outcome = rehearsed(filled, models(Column("mail", Text)))
    assert outcome.success
    assert [(item.change.id, item.verdict.value) for item in outcome.remaining] == [
        ("drop column people.city", "retire")
    ]


def test_decisions_and_what_was_left_out_hold_for_the_copy(filled: Lab) -> None:
    """The second plan knows what people decided about the first."""
    filled.sql("ALTER TABLE people ADD COLUMN city TEXT; UPDATE people SET city = 'Paris'")
    target = filled.target(models(Column("mail", Text), Column("phone", Text)))
    found = plan(target, decisions=[Drop(table="people", column="city")], leave_out=["add column people.phone"])
    outcome = rehearse(found, target)
    assert outcome.error is None
    assert [item.change.id for item in outcome.remaining] == ["add column people.phone"]


def test_a_run_that_would_fail_fails_on_the_copy(filled: Lab) -> None:
    """Rows that came after the plan make the rehearsal fail with the sentence of a run; the database is as it was."""
    target = filled.target(models(CheckConstraint("age < 10", name="young")))
    found = plan(target)
    filled.sql("INSERT INTO people (age) VALUES (70)")
    before = Tree.of(filled.path.parent)
    outcome = rehearse(found, target)
    assert (outcome.success, outcome.exit_code, outcome.run.status) == (False, 3, Status.FAILED)
    assert outcome.error is not None
    assert Tree.of(filled.path.parent) == before


def test_a_schema_that_moved_is_told(filled: Lab) -> None:
    """A plan for another schema is not rehearsed on this one."""
    target = filled.target(models(Column("city", Text)))
    found = plan(target)
    filled.sql("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    assert isinstance(rehearse(found, target).error, errors.SchemaMoved)


def test_too_long_for_the_time_limit(filled: Lab) -> None:
    """What takes longer on the copy than a run may is told with the exit code of the time limit."""
    outcome = rehearsed(filled, models(Column("city", Text)), time_limit=0.0001)
    assert (outcome.success, outcome.exit_code) == (False, 4)
    assert outcome.run.success
    assert "exceeds maximum allowed (0.0001s)" in str(outcome.error)


@pytest.mark.parametrize("moment", [events.CopyProgress, events.StepStarted, events.Verifying])
def test_a_cancelled_rehearsal_leaves_nothing(filled: Lab, moment: type[Event]) -> None:
    """Cancelled while copying, in a step, or while verifying: the copy is gone."""
    before = Tree.of(filled.path.parent)
    limits = Limits()
    target = filled.target(models(Column("city", Text)))
    outcome = rehearse(
        plan(target), target, limits=limits, report=lambda event: limits.cancel() if isinstance(event, moment) else None
    )
    assert outcome.run.status is Status.CANCELLED
    assert Tree.of(filled.path.parent) == before


def test_an_interrupt_in_the_middle_leaves_nothing(filled: Lab) -> None:
    """Ctrl-C in a program of one's own goes through, and the copy is gone."""
    before = Tree.of(filled.path.parent)
    target = filled.target(models(Column("city", Text)))

    def interrupt(event: Event) -> None:
        if isinstance(event, events.StepStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rehearse(plan(target), target, report=interrupt)
    assert Tree.of(filled.path.parent) == before


def test_no_room_for_the_copy(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for the copy and for what a rebuild needs nothing is copied."""
    usage = shutil.disk_usage(filled.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    outcome = rehearsed(filled, models(kind=Text))
    assert (outcome.exit_code, outcome.copying) == (3, 0.0)
    assert "The rehearsal needs about" in str(outcome.error)


def test_the_copy_lies_where_backups_go(filled: Lab, make_lab: Callable[[str], Lab], tmp_path: Path) -> None:
    """A large database is copied to the place that its owner chose for such copies, or the nearest that is there."""
    target = filled.target(models(Column("city", Text)), backup_dir=tmp_path / "elsewhere" / "deep")
    (tmp_path / "elsewhere").mkdir()
    seen: list[Path] = []

    def look(event: Event) -> None:
        if isinstance(event, events.StepStarted):
            seen.extend((tmp_path / "elsewhere").glob(".trueup-rehearsal-*/app.db"))

    assert rehearse(plan(target), target, report=look).success
    assert len(seen) == 1
    assert not list((tmp_path / "elsewhere").iterdir())


def test_backups_stay_as_they_are(filled: Lab, tmp_path: Path) -> None:
    """A rehearsal makes no backup and removes none, though a run would."""
    backups = tmp_path / "backups"
    for wanted in (models(kind=Text), models(Column("city", Text), kind=Text)):
        assert filled.migrate(wanted, backup_dir=backups).success
    before = Tree.of(backups)
    assert len(before) == 4
    assert rehearsed(filled, models(Column("city", Text)), backup_dir=backups, backup_count=1).success
    assert Tree.of(backups) == before


def test_the_copy_journals_as_the_database_does(filled: Lab) -> None:
    """What a database in WAL mode takes is measured in WAL mode."""
    filled.sql("PRAGMA journal_mode = WAL")
    target = filled.target(models(Column("city", Text)))
    modes: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, events.Checked):
            (copy,) = filled.path.parent.glob(".trueup-rehearsal-*/app.db")
            with closing(sqlite3.connect(copy)) as connection:
                modes.extend(mode for (mode,) in connection.execute("PRAGMA journal_mode"))

    assert rehearse(plan(target), target, report=look).success
    assert modes == ["wal"]


def test_in_a_thread_of_its_own(filled: Lab) -> None:
    """A job tells its rehearsal in the last event."""
    target = filled.target(models(Column("city", Text)))
    job = start_rehearsal(plan(target), target)
    job.wait(timeout=30)
    last = job.events[-1]
    assert isinstance(last, events.Rehearsed)
    assert last.rehearsal.success
    assert isinstance(job.events[0], events.RehearsalStarted)


def test_under_every_policy_the_second_plan_is_empty(filled: Lab) -> None:
    """What is dropped under full is not proposed again."""
    filled.sql("ALTER TABLE people ADD COLUMN city TEXT")
    outcome = rehearsed(filled, models(), policy=Policy.FULL)
    assert (outcome.success, outcome.remaining) == (True, ())
