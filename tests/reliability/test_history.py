"""What the history knows: runs of older versions, runs that go on, and which plan each of them was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial

import pytest

from tests.command import trueup
from tests.conftest import Lab
from tests.people import models
from tests.reliability.children import Child, die_at
from trueup import (
    Limits,
    Policy,
    Standing,
    Statistics,
    Status,
    apply,
    baseline,
    events,
    find_backup,
    migrate,
    past_runs,
    plan,
    plan_cleanup,
    plan_undo,
    restore,
    undo,
)
from trueup.errors import HistoryUnreadable, NotUndoable
from trueup.locating import position
from trueup.past_text import past_run_lines
from trueup.standing import BASELINE

# -- which plan it was -------------------------------------------------------------------------------------------------


def test_one_plan_has_one_checksum(filled: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Made again, or for the same schema in another place, it is the same; another plan has another one. The history
    has it of the run and of each step."""
    other = make_lab("other")
    shutil.copy(filled.path, other.path)
    found = plan(filled.target(models("a", "b")))
    assert found.checksum == plan(filled.target(models("a", "b"))).checksum
    assert found.checksum == plan(other.target(models("a", "b"))).checksum
    assert found.checksum != plan(filled.target(models("a", "c"))).checksum
    assert apply(found, filled.target(models("a", "b"))).success
    rows = filled.rows("SELECT checksum FROM migration_history WHERE run_id = ?", [past_runs(filled.target(()))[-1].id])
    assert rows == [(found.checksum,)] * 2


# -- what others did between runs --------------------------------------------------------------------------------------


def drifts(lab: Lab) -> list[bool]:
    return [bool(run.drifted_since) for run in past_runs(lab.target(()))]


def test_between_which_runs_others_changed_the_schema(filled: Lab) -> None:
    """The first run after that names the run before it; the text of the history says so."""
    filled.sql("CREATE TABLE theirs (x)")
    filled.migrate(models("a", "b"))
    filled.migrate(models("a", "b", "c"))
    first, second, third = past_runs(filled.target(()))
    assert (first.drifted_since, second.drifted_since, third.drifted_since) == ("", first.id, "")
    lines = list(past_run_lines((third, second, first)))
    assert [line.strip() for line in lines if "somebody else" in line] == [
        f"somebody else had changed the schema since {first.id}"
    ]


def test_what_trueup_did_is_no_drift(filled: Lab) -> None:
    """Runs, undos, restores, baselines, runs that were rolled back or killed: each finds what the one before left."""
    run = filled.migrate(models("a", "b"))
    undo(filled.target(()))
    assert baseline(filled.target(models("a"))).success
    found = plan(filled.target(models("a", "b")))
    stop = Limits()

    def cancel(event: events.Event) -> None:
        if isinstance(event, events.StepFinished):
            stop.cancel()

    assert apply(found, filled.target(models("a", "b")), report=cancel, limits=stop).status is Status.CANCELLED
    assert Child(die_at, partial(migrate, filled.target(models("a", "c"))), "StepStarted").end() < 0
    filled.migrate(models("a", "c"))
    assert run.backup is not None
    restore(find_backup(filled.target(()), run.backup.id), filled.target(()))
    filled.migrate(models("a", "d"))
    assert [(item.kind, item.status) for item in past_runs(filled.target(()))] == [
        ("auto", "completed"),
        ("auto", "completed"),
        ("undo", "completed"),
        (BASELINE, "completed"),
        ("manual", "rolled_back"),
        ("auto", "interrupted"),
        ("auto", "completed"),
        ("restore", "completed"),
        ("auto", "completed"),
    ]
    assert not any(drifts(filled))


# -- runs that are not recorded yet ------------------------------------------------------------------------------------


def test_a_run_that_goes_on_is_in_the_history(filled: Lab) -> None:
    """While it is at work it is told last, with who it is; afterwards it is told as it ended."""
    seen = []
    target = filled.target(models("a", "b"))

    def look(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            seen.append(past_runs(target)[-1])

    run = migrate(target, report=look)
    (running,) = seen
    assert (running.id, running.kind, running.state, running.running) == (run.id, "auto", "running", True)
    assert "(process " in running.performed_by
    last = past_runs(target)[-1]
    assert (last.id, last.state) == (run.id, "completed")


def test_a_run_that_goes_on_cannot_be_undone(filled: Lab) -> None:
    """Nor one that was rolled back or killed; the sentence says which it is."""
    refusals = []
    target = filled.target(models("a", "b"))

    def look(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            with pytest.raises(NotUndoable, match="it goes on") as refusal:
                plan_undo(target, past_runs(target)[-1].id)
            refusals.append(refusal.value)

    assert migrate(target, report=look).success
    assert refusals


def test_a_killed_run_is_in_the_history_at_once(filled: Lab) -> None:
    """Before any start recorded it, and once only; looking at it leaves its note for the next start."""
    assert Child(die_at, partial(migrate, filled.target(models("a", "b"))), "StepStarted").end() < 0
    for _ in range(2):
        assert [run.state for run in past_runs(filled.target(()))] == ["completed", "interrupted"]
    killed = past_runs(filled.target(()))[-1]
    with pytest.raises(NotUndoable, match="it was killed before its commit"):
        plan_undo(filled.target(()), killed.id)
    assert any("was killed" in warning for warning in filled.migrate(models("a", "b")).warnings)
    told = past_runs(filled.target(()))
    assert [run.state for run in told] == ["completed", "interrupted", "completed"]
    assert (told[1].id, told[1].started_at, told[1].performed_by) == (
        killed.id,
        killed.started_at,
        killed.performed_by,
    )
    found = Statistics.of(told)
    assert (found.all.runs, found.all.completed) == (3, 2)


def test_who_may_not_look_says_nothing(filled: Lab) -> None:
    """To a user who may read the database but not try the lock, a run that goes on is not told as a killed one."""
    lock = filled.path.with_name("app.db.trueup-lock")
    noted = {"run_id": "feedbeef", "kind": "auto", "process": 99, "host": "h", "since": "2026-01-03 14:12:40"}
    lock.write_text(json.dumps(noted))
    for mode, told in ((0o444, False), (0o644, True)):
        lock.chmod(mode)
        answer = trueup("history", "--url", filled.url, cwd=filled.path.parent, as_user=True)
        assert (answer.code, "feedbeef" in answer.out) == (0, told)


# -- histories of older versions ---------------------------------------------------------------------------------------

FIRST = """\
CREATE TABLE migration_history (
	run_id TEXT NOT NULL,
	step INTEGER NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	started_at TEXT NOT NULL,
	finished_at TEXT NOT NULL,
	execution_time_ms INTEGER NOT NULL,
	checksum TEXT NOT NULL,
	sql TEXT NOT NULL,
	policy TEXT,
	schema_before TEXT,
	managed_tables TEXT,
	backup_id TEXT,
	receipt TEXT,
	performed_by TEXT,
	trueup_version TEXT,
	PRIMARY KEY (run_id, step)
);
INSERT INTO migration_history VALUES
	('0123456789ab', 0, 'auto', '1 steps on 1 tables', 'completed', '2026-01-03T14:12:40+00:00',
	'2026-01-03T14:12:41+00:00', 1000, 'c0ffee', 'BEGIN IMMEDIATE;', 'safe', 'abc', '["people", "gone"]', NULL, NULL,
	'ada@web1 (process 1)', '0.1.0'),
	('0123456789ab', 1, 'auto', 'add column people.a: TEXT', 'completed', '2026-01-03T14:12:40+00:00',
	'2026-01-03T14:12:41+00:00', 900, 'c0ffee', 'ALTER TABLE people ADD COLUMN a TEXT', NULL, NULL, NULL, NULL, NULL,
	NULL, NULL);
"""
"""As the very first version made it."""


@pytest.fixture
def old(lab: Lab) -> Lab:
    """A database that the first version migrated."""
    lab.create(models("a"))
    lab.sql("CREATE TABLE gone (id INTEGER PRIMARY KEY)")
    lab.sql(FIRST)
    return lab


def test_the_first_layout_is_read(old: Lab) -> None:
    """The run is told with its step, nothing is invented, and nothing of the table is changed by looking."""
    before = old.dump()
    (run,) = past_runs(old.target(()))
    assert (run.id, run.state, run.seconds, run.schema_after) == ("0123456789ab", "completed", 1.0, "")
    assert [(step.sentence, step.made) for step in run.steps] == [("add column people.a: TEXT", None)]
    assert position(old.target(models("a"))).standing is Standing.UNKNOWN
    with pytest.raises(NotUndoable, match="an older version"):
        plan_undo(old.target(()))
    assert old.dump() == before


def test_the_first_layout_knows_what_was_the_models(old: Lab) -> None:
    """A table that it knew as the models' has left them, and is no stranger's."""
    assert old.found(models("a"), policy=Policy.FULL) == [("DropTable", "drop table gone")]


def test_what_moved_is_known_from_a_table_that_lacks_newer_columns(filled: Lab) -> None:
    """A server with a newer trueup still knows that the models of one that was rolled back are older."""
    filled.migrate(models("a", "b"))
    for column in ("objects_before", "error", "form", "note"):
        filled.sql(f"ALTER TABLE migration_history DROP COLUMN {column}")
    assert position(filled.target(models("a"))).standing is Standing.MODELS_OLDER
    assert position(filled.target(models("a", "b"))).standing is Standing.UNMOVED


def test_the_first_layout_is_brought_up_to_date_by_the_next_run(old: Lab) -> None:
    """Its rows stay as they were, the new run can be undone, and a restore carries both on."""
    before = old.rows("SELECT run_id, step, name, started_at, checksum, sql FROM migration_history")
    run = old.migrate(models("a", "b"))
    assert run.success
    assert run.backup is not None
    assert old.rows("SELECT run_id, step, name, started_at, checksum, sql FROM migration_history")[:2] == before
    assert undo(old.target(())).status is Status.UNDONE
    assert restore(find_backup(old.target(()), run.backup.id), old.target(())).status is Status.RESTORED
    told = [(item.kind, item.state) for item in past_runs(old.target(()))]
    assert told == [("auto", "completed"), ("auto", "undone"), ("undo", "undone"), ("restore", "completed")]
    assert old.migrate(models("a", "b")).success


# -- histories of newer versions, and damaged ones ---------------------------------------------------------------------


def test_what_a_newer_version_notes_does_no_harm(filled: Lab) -> None:
    """A server that went back reads the proof, the changes and the times of a trueup that notes more of each."""
    filled.migrate(models("a", "b"))
    filled.sql(
        "UPDATE migration_history SET"
        " receipt = json_set(receipt, '$.newer', 1), changes = json_set(changes, '$[0].newer', 1),"
        " measured = json_set(measured, '$[0].newer', 1)"
    )
    assert past_runs(filled.target(()))[-1].receipt is not None
    assert filled.migrate(models("a", "b", "c")).success
    assert undo(filled.target(()), accept_loss=True).status is Status.UNDONE
    assert undo(filled.target(()), accept_loss=True).status is Status.UNDONE


@pytest.mark.parametrize(
    "damage",
    [
        *("started_at = 'x'", "execution_time_ms = 'long'", "execution_time_ms = 9e999", "name = x'00ff'"),
        *("receipt = '{'", "receipt = '[]'", "changes = '[1]'", "undoes = '7'", "note = x'00'", "step = x'01'"),
    ],
)
def test_a_damaged_record_is_told(filled: Lab, damage: str) -> None:
    """Whoever wants to know of the runs hears which record cannot be read; a server starts, and a restore works."""
    (run,) = past_runs(filled.target(()))
    assert filled.migrate(models("a", "b")).success
    steps = "step" if damage.startswith(("changes", "step")) else "NOT step"
    filled.sql(f"UPDATE migration_history SET {damage} WHERE run_id = '{run.id}' AND {steps}")
    for ask in (past_runs, plan_undo, plan_cleanup):
        with pytest.raises(HistoryUnreadable, match=f"a record of the run {run.id} that cannot be read"):
            ask(filled.target(()))
    assert filled.migrate(models("a", "b", "c")).success
    assert restore(find_backup(filled.target(()), "latest"), filled.target(())).status is Status.RESTORED


def test_a_damaged_schema_in_the_history(filled: Lab) -> None:
    """A run is not undone when nobody can tell how the database was before it."""
    filled.sql("UPDATE migration_history SET objects_before = x'00ff' WHERE NOT step")
    with pytest.raises(NotUndoable, match="the schema before it cannot be read"):
        plan_undo(filled.target(()))
