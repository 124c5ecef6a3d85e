"""A run that was rolled back leaves the database as it was, and a row in the history that tells of it."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import Status, apply, migrate, past_runs, plan, plan_undo
from trueup.errors import NotUndoable
from trueup.flow import position


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
