"""A database that another start-up migrator kept: trueup takes its place, and its records are not lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.conftest import Lab
from tests.people import models
from trueup import (
    Standing,
    Status,
    baseline,
    execute_startup_migration,
    find_backup,
    past_runs,
    plan_undo,
    restore,
    undo,
)
from trueup.errors import NotUndoable
from trueup.locating import position

THEIRS = """\
CREATE TABLE migration_history (
    id INTEGER NOT NULL PRIMARY KEY, version VARCHAR(50) NOT NULL, name VARCHAR(255) NOT NULL, description TEXT,
    applied_at DATETIME NOT NULL, checksum VARCHAR(64) NOT NULL, status VARCHAR(20) NOT NULL, rollback_sql TEXT,
    execution_time_ms INTEGER, error_message TEXT, migration_type VARCHAR(20), batch_id VARCHAR(64), metadata_json TEXT
);
CREATE INDEX ix_migration_history_status ON migration_history (status);
INSERT INTO migration_history VALUES
    (1, '1.0.0', 'auto_migration_ADD_COLUMN_people', 'Add a column', '2025-11-03 14:12:40.123456', 'c0ffee',
     'completed', 'ALTER TABLE people DROP COLUMN a', 42, NULL, 'automatic', 'b7', '{"x": 1}'),
    (2, '1.0.0', 'auto_migration_CREATE_TABLE_pets', NULL, '2025-11-04 08:00:00', 'decade', 'failed',
     NULL, NULL, 'no such table', 'manual', NULL, NULL),
    (3, '1.0.0', 'auto_migration_CREATE_TABLE_toys', NULL, 'some day', 'facade', 'running',
     NULL, NULL, NULL, NULL, NULL, NULL);
"""


@pytest.fixture
def kept(lab: Lab) -> Lab:
    """In step with models that have one column, and with the other migrator's three records."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    lab.sql(THEIRS)
    return lab


def told(lab: Lab) -> list[tuple[str, str, str]]:
    return [(run.id, run.kind, run.state) for run in past_runs(lab.target(()))]


BEFORE = [("before-1", "auto", "completed"), ("before-2", "manual", "failed"), ("before-3", "auto", "interrupted")]


def test_a_server_starts(kept: Lab) -> None:
    """In step or not; nothing is written while there is nothing to do."""
    before = kept.dump()
    assert execute_startup_migration(kept.url, models=models("a")).success
    assert kept.dump() == before
    result = execute_startup_migration(kept.url, models=models("a", "b"))
    assert (result.success, result.operations_executed) == (True, 1)
    assert "3 records of another migrator in migration_history are kept in trueup's own history" in result.warnings


def test_its_records_are_told_before_they_are_taken_over(kept: Lab) -> None:
    """Looking changes nothing."""
    before = kept.dump()
    assert told(kept) == BEFORE
    assert position(kept.target(models("a"))).standing is Standing.UNKNOWN
    assert kept.dump() == before


def test_what_it_says_is_kept(kept: Lab) -> None:
    """Name, note, time in UTC, milliseconds, checksum, error, and the SQL that it would have rolled back with."""
    seen = past_runs(kept.target(()))
    assert kept.migrate(models("a", "b")).success
    assert past_runs(kept.target(()))[:3] == seen
    first, second, third = seen
    assert (first.name, first.checksum, first.seconds) == ("auto_migration_ADD_COLUMN_people", "c0ffee", 0.042)
    assert (first.note, first.undo_sql) == ('Add a column\nbatch b7\n{"x": 1}', "ALTER TABLE people DROP COLUMN a")
    assert first.started_at == datetime(2025, 11, 3, 14, 12, 40, 123456).astimezone(UTC)
    assert (second.error, second.note) == ("no such table", "")
    assert third.started_at == datetime(1970, 1, 1, tzinfo=UTC), "what is no time cannot be told"


def test_from_then_on_it_is_trueup_s(kept: Lab) -> None:
    """The run is recorded after them, can be undone, and is not told of twice; theirs cannot be undone."""
    run = kept.migrate(models("a", "b"))
    assert told(kept) == [*BEFORE, (run.id, "auto", "completed")]
    assert kept.names("index") == []
    assert position(kept.target(models("a", "b"))).standing is Standing.UNMOVED
    for identifier in ("before-1", "before-2"):
        with pytest.raises(NotUndoable):
            plan_undo(kept.target(()), identifier)
    undone = undo(kept.target(()))
    assert (undone.status, undone.warnings[:-1]) == (Status.UNDONE, ())


def test_a_backup_from_before(kept: Lab) -> None:
    """A restore brings the content back, and each record stays there once."""
    run = kept.migrate(models("a", "b"))
    assert run.backup is not None
    restored = restore(find_backup(kept.target(()), run.backup.id), kept.target(()))
    assert restored.status is Status.RESTORED
    assert told(kept) == [*BEFORE, (run.id, "auto", "undone"), (restored.id, "restore", "completed")]


def test_a_baseline_takes_them_over(kept: Lab) -> None:
    """It says so."""
    run = baseline(kept.target(models("a")))
    assert any("3 records of another migrator" in warning for warning in run.warnings)
    assert told(kept) == [*BEFORE, (run.id, "baseline", "completed")]
