"""The up-to-date start: what a run noted is enough to know that nothing moved, and only then."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table

from tests.conftest import Lab
from trueup import Policy, Status


def models(*more: Column[int] | Index) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)), *more)
    return metadata


@pytest.fixture
def stamped(lab: Lab) -> Lab:
    """A database that a run brought in step."""
    assert lab.migrate(models()).status is Status.MIGRATED
    return lab


def compares(lab: Lab, metadata: MetaData) -> bool:
    """Whether a start compares the schemas: it has a plan only then."""
    run = lab.migrate(metadata)
    assert run.success
    return run.plan is not None


def test_nothing_moved(stamped: Lab) -> None:
    """After a run that left nothing to do, the next start compares no schemas."""
    assert not compares(stamped, models())


def test_rows_are_no_matter(stamped: Lab) -> None:
    """What the application writes does not make a start compare."""
    stamped.sql("INSERT INTO people (name) VALUES ('Ada')")
    assert not compares(stamped, models())


def test_somebody_changed_the_database(stamped: Lab) -> None:
    """A database that was changed by hand is compared again, and repaired."""
    stamped.sql("ALTER TABLE people DROP COLUMN name")
    assert compares(stamped, models())
    assert "name" in stamped.stored("people")


def test_the_models_moved_on(stamped: Lab) -> None:
    """Models with one thing more are compared, applied and then known."""
    newer = models(Index("ix_people_name", "name"))
    assert compares(stamped, newer)
    assert not compares(stamped, newer)
    assert stamped.names("index") == ["ix_people_name"]


def test_what_is_kept_is_told_every_time(stamped: Lab) -> None:
    """While a retired column is there, every start compares and warns of it."""
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", Integer))
    assert compares(stamped, metadata)
    run = stamped.migrate(metadata)
    assert run.warnings == ("drop column people.name: it left the models; it is kept with its data",)


def test_a_database_that_trueup_never_changed(lab: Lab) -> None:
    """A database that the application made itself is compared, found in step, and not written to."""
    lab.create(models())
    before = lab.dump()
    run = lab.migrate(models(), policy=Policy.FULL)
    assert (run.status, run.plan is not None) == (Status.IN_SYNC, True)
    assert lab.dump() == before
