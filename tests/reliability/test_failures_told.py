"""A run that was rolled back leaves the database as it was, and a row in the history that tells of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import (
    Limits,
    PastRun,
    Policy,
    Rename,
    Run,
    Statistics,
    Status,
    apply,
    clean_history,
    cli,
    events,
    find_backup,
    migrate,
    past_runs,
    plan,
    plan_undo,
    restore,
    undo,
)
from trueup.errors import NotUndoable
from trueup.locating import position


def models(*columns: Column[str]) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text), *columns)
    return metadata


OLD = models()
NEW = models(Column("city", Text))
STRICTER = MetaData()
Table("people", STRICTER, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))


@pytest.fixture
def migrated(lab: Lab) -> Lab:
    """A database with one run in its history."""
    lab.create(OLD)
    lab.sql("INSERT INTO people (name) VALUES ('Ada')")
    assert lab.migrate(NEW).success
    return lab


def fail(lab: Lab) -> str:
    """A row that appears between plan and run breaks a new rule; returns the error."""
    lab.sql("DELETE FROM people WHERE name IS NULL")
    target = lab.target(STRICTER)
    found = plan(target)
    lab.sql("INSERT INTO people (name) VALUES (NULL)")
    run = apply(found, target)
    assert run.status is Status.FAILED
    return str(run.error)


def test_a_failed_run_is_in_the_history(migrated: Lab) -> None:
    """With its time, its SQL, the backup that was made and the very sentence that was shown."""
    schema = migrated.stored("people")
    error = fail(migrated)
    good, failed = past_runs(migrated.target(STRICTER))
    assert (good.status, failed.status, failed.error) == ("completed", "rolled_back", error)
    assert failed.backup_id
    assert migrated.value("SELECT sql FROM migration_history WHERE status = 'rolled_back'")
    assert migrated.stored("people") == schema


def test_a_server_that_fails_at_every_start_leaves_one_row(migrated: Lab) -> None:
    """Its last attempt; so a loop of restarts does not fill the history."""
    for _ in range(3):
        fail(migrated)
    assert [run.status for run in past_runs(migrated.target(STRICTER))] == ["completed", "rolled_back"]


def test_without_a_history_nothing_is_written(lab: Lab) -> None:
    """A database that trueup never changed has no table of trueup's after a run that failed."""
    lab.create(OLD)
    fail(lab)
    assert lab.names() == ["people"]


def test_what_was_rolled_back_cannot_be_undone(migrated: Lab) -> None:
    """An undo without a name means the last run that changed something; the failed one is refused by name."""
    fail(migrated)
    good, failed = past_runs(migrated.target(STRICTER))
    assert plan_undo(migrated.target(STRICTER)).undoes.run_id == good.id
    with pytest.raises(NotUndoable, match="rolled back and changed nothing"):
        plan_undo(migrated.target(STRICTER), failed.id)


def test_a_failure_moves_nothing(migrated: Lab) -> None:
    """A server with the models of the last good run still finds the database in step without comparing."""
    fail(migrated)
    assert position(migrated.target(NEW)).settled
    assert migrate(migrated.target(NEW)).plan is None


# -- its steps ---------------------------------------------------------------------------------------------------------


def three(*, more: bool = True) -> MetaData:
    """Models of three tables, each of which takes a step, and the third one two."""
    metadata = MetaData()
    for table in ("first", "people", "third"):
        new = [Column("new", Text, index=table == "third")] if more and table != "people" else []
        Table(table, metadata, Column("id", Integer, primary_key=True), *new)
    metadata.tables["people"].append_column(Column("name", Text, nullable=not more))
    return metadata


@pytest.fixture
def three_tables(lab: Lab) -> Lab:
    """A database with one run in its history, and a row that stands in the way of the next."""
    lab.migrate(three(more=False))
    return lab


def fail_in_the_middle(lab: Lab) -> Run:
    """The step in the middle breaks on a row that was written after the plan was made."""
    lab.sql("DELETE FROM people")
    target = lab.target(three())
    found = plan(target, policy=Policy.FULL)
    lab.sql("INSERT INTO people (name) VALUES (NULL)")
    run = apply(found, target)
    assert run.status is Status.FAILED
    return run


def last(lab: Lab) -> PastRun:
    return past_runs(lab.target(()))[-1]


def statuses(run: PastRun) -> list[str]:
    return [step.status for step in run.steps]


def test_each_step_says_how_far_it_came(three_tables: Lab) -> None:
    """What was done before is rolled back, one failed, and what would have come next was never begun."""
    run = fail_in_the_middle(three_tables)
    told = last(three_tables)
    assert run.plan is not None
    assert (told.status, told.error) == ("rolled_back", str(run.error))
    assert [(step.sentence, step.sql) for step in told.steps] == [(step.sentence, step.sql) for step in run.plan.steps]
    assert statuses(told) == ["rolled_back", "rolled_back", "failed", "pending"]
    assert [step.error for step in told.steps] == ["", "", told.error, ""]
    assert [step.seconds for step in told.steps[:2]] == [round(took, 3) for took in run.step_seconds]
    assert told.steps[3].seconds == 0


def stop_at(lab: Lab, event: type[events.Event]) -> PastRun:
    """Somebody cancels the run as soon as this happens."""
    limits, found = Limits(), lab.plan(three(), policy=Policy.FULL)

    def cancel(happened: events.Event) -> None:
        if isinstance(happened, event):
            limits.cancel()

    assert apply(found, lab.target(three()), report=cancel, limits=limits).status is Status.CANCELLED
    return last(lab)


def test_a_step_that_was_stopped(three_tables: Lab) -> None:
    """A cancelled run failed in the step that it was in; those after it are pending."""
    told = stop_at(three_tables, events.StepStarted)
    assert statuses(told) == ["failed", "pending", "pending", "pending"]
    assert told.steps[0].error == told.error != ""


def test_a_run_that_fails_after_its_steps(three_tables: Lab) -> None:
    """All of them were done and rolled back; none of them failed."""
    assert statuses(stop_at(three_tables, events.Verifying)) == ["rolled_back"] * 4


def test_a_loop_of_failures_keeps_the_steps_once(three_tables: Lab) -> None:
    """The last attempt has them. Of one that failed in another way, and of no other, a line stays, without SQL."""
    stop_at(three_tables, events.StepStarted)
    for _ in range(3):
        fail_in_the_middle(three_tables)
    _, cancelled, failed = past_runs(three_tables.target(()))
    assert (len(cancelled.steps), len(failed.steps)) == (0, 4)
    written = "SELECT sql <> '' FROM migration_history WHERE step = 0 AND status = 'rolled_back' ORDER BY rowid"
    assert three_tables.rows(written) == [(0,), (1,)]


def test_another_plan_that_failed_keeps_its_steps(three_tables: Lab) -> None:
    """Only attempts at the same plan replace one another."""
    fail_in_the_middle(three_tables)
    three_tables.sql("DELETE FROM people; CREATE TABLE theirs (id INTEGER)")
    fail_in_the_middle(three_tables)
    assert [len(run.steps) for run in past_runs(three_tables.target(()))] == [3, 4, 4]


def test_no_step_of_it_counts_as_made(three_tables: Lab) -> None:
    """Nothing can be undone of it, nothing takes it back, and no estimate learns from it."""
    measured = "SELECT count(*) FROM migration_history WHERE measured IS NOT NULL OR changes IS NOT NULL"
    before = three_tables.value(measured)
    fail_in_the_middle(three_tables)
    good, failed = past_runs(three_tables.target(()))
    assert [(step.made, step.undo_sql) for step in failed.steps] == [(None, "")] * 4
    assert three_tables.value(measured) == before
    assert plan_undo(three_tables.target(())).undoes.run_id == good.id
    found = Statistics.of((good, failed))
    assert (found.all.runs, found.all.completed, found.recent_failures) == (2, 1, (failed,))


def test_a_rename_that_was_rolled_back_was_not_made(three_tables: Lab) -> None:
    """The models have something new under the old name, so only the history tells whether it was: the next run makes
    it, values and all."""
    three_tables.sql("INSERT INTO first VALUES (7)")
    models = MetaData()
    Table("first", models, Column("number", Integer, primary_key=True), Column("id", Text))
    Table("people", models, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
    decided = [Rename(table="first", column="id", to="number")]
    found = three_tables.plan(models, policy=Policy.FULL, decisions=decided)
    three_tables.sql("INSERT INTO people (name) VALUES (NULL)")
    assert apply(found, three_tables.target(models)).status is Status.FAILED
    renaming = last(three_tables).steps[0]
    assert (renaming.sentence, renaming.status) == ("rename column first.id to number", "rolled_back")
    three_tables.sql("DELETE FROM people")
    again = three_tables.plan(models, policy=Policy.FULL, decisions=decided)
    assert again.checksum == found.checksum
    assert apply(again, three_tables.target(models)).success
    assert three_tables.rows("SELECT * FROM first") == [(7, None)]


def test_the_next_run_goes_its_way(three_tables: Lab) -> None:
    """It is done, and undone, as if nothing had been before it; a restore of what was there before takes back the good
    run, and not the failed one."""
    fail_in_the_middle(three_tables)
    three_tables.sql("DELETE FROM people")
    assert three_tables.migrate(three(), policy=Policy.FULL).success
    assert undo(three_tables.target(())).success
    first, failed, good, undoing = past_runs(three_tables.target(()))
    assert [run.state for run in (first, failed, good, undoing)] == [
        "completed",
        "rolled_back",
        "undone",
        "completed",
    ]
    fail_in_the_middle(three_tables)
    assert restore(find_backup(three_tables.target(()), good.backup_id), three_tables.target(())).error is None
    assert [run.state for run in past_runs(three_tables.target(()))] == [
        "completed",
        "rolled_back",
        "undone",
        "undone",
        "rolled_back",
        "completed",
    ]


def test_a_cleanup_takes_all_of_it(three_tables: Lab) -> None:
    """Steps as well; the good run keeps its own."""
    fail_in_the_middle(three_tables)
    three_tables.sql("DELETE FROM people")
    assert three_tables.migrate(three(), policy=Policy.FULL).success
    clean_history(three_tables.target(()), days=0)
    assert set(three_tables.rows("SELECT status FROM migration_history")) == {("completed",)}


def test_it_is_told_in_text_and_in_json(three_tables: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The error first, then each step with how far it came."""
    fail_in_the_middle(three_tables)
    told = last(three_tables)
    cli.main(["history", "--url", three_tables.url])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    place = lines.index(told.error)
    assert lines[place + 1 : place + 5] == [
        f"{step.number}. {step.sentence} ({step.status.replace('_', ' ')})" for step in told.steps
    ]
    cli.main(["history", "show", told.id, "--json", "--url", three_tables.url])
    steps = json.loads(capsys.readouterr().out)["run"]["steps"]
    assert [(step["status"], step["error"]) for step in steps] == [
        (step.status, step.error or None) for step in told.steps
    ]


class Deaf(Exception):
    """What a listener raises."""


def fail_at(*kinds: type[events.Event]) -> Callable[[events.Event], None]:
    def report(event: events.Event) -> None:
        if isinstance(event, kinds):
            raise Deaf

    return report


def has_age(lab: Lab) -> bool:
    return bool(lab.value("SELECT count(*) FROM pragma_table_info('people') WHERE name = 'age'"))


def test_a_listener_that_fails_ends_the_run(migrated: Lab) -> None:
    """As long as everything can be taken back, its failure is the run's."""
    run = migrate(migrated.target(models(Column("age", Integer))), report=fail_at(events.Verified))
    assert (run.status, "Deaf" in str(run.error), has_age(migrated)) == (Status.FAILED, True, False)


def test_a_listener_that_fails_too_late(migrated: Lab) -> None:
    """What is committed is told as done, though nobody wanted to hear of it; so is a restore."""
    run = migrate(migrated.target(models(Column("age", Integer))), report=fail_at(events.Finished))
    assert (run.status, has_age(migrated)) == (Status.MIGRATED, True)
    assert run.backup is not None
    restored = restore(run.backup, migrated.target(()), report=fail_at(events.Verifying, events.Finished))
    assert (restored.status, has_age(migrated)) == (Status.RESTORED, False)


def test_a_process_that_may_have_no_more_threads(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails, and lets go of the database: the application can write, and the next start migrates."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def report(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            monkeypatch.setattr(threading.Thread, "start", refuse)
        if isinstance(event, events.Verified):
            raise Deaf

    target = migrated.target(models(Column("age", Integer)), lock_timeout=0.1)
    assert migrate(target, report=report).status == Status.FAILED
    migrated.sql("INSERT INTO people (name) VALUES ('Grace')")
    monkeypatch.undo()
    assert migrate(target).status == Status.MIGRATED
