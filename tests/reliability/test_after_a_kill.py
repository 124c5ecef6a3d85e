"""What the next start tells, records and takes away after a run that was killed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer

from tests.command import people, trueup, write_models
from tests.conftest import Lab
from tests.people import models
from tests.reliability.children import Child, Work, die_at
from trueup import Run, Status, apply, events, find_backup, list_backups, migrate, past_runs, plan, restore


def kill(lab: Lab, at: str, work: Callable[..., Run] = migrate, *names: str) -> None:
    """Somebody begins, and is killed at the first event of this name."""
    killed: Work = partial(work, lab.target(models(*(names or ("a", "b")))))
    assert Child(die_at, killed, at).end() < 0


def kinds(lab: Lab) -> list[tuple[str, str]]:
    return [(run.kind, run.status) for run in past_runs(lab.target(models()))]


def files(lab: Lab) -> list[str]:
    return sorted(path.name for path in (lab.path.parent / ".trueup" / "backups").iterdir())


def test_a_start_that_has_nothing_to_do_tells_of_it(filled: Lab) -> None:
    """The models went back, so the database is in step: the killed run is told and recorded all the same, once."""
    kill(filled, "StepStarted")
    run = filled.migrate(models("a"))
    assert (run.status, run.plan) == (Status.IN_SYNC, None)
    (told,) = run.warnings
    assert "was killed before its commit, so nothing of it was done" in told
    assert kinds(filled) == [("auto", "completed"), ("auto", "interrupted")]
    assert filled.migrate(models("a")).warnings == ()


def test_the_command_line_tells_of_it(filled: Lab, tmp_path: Path) -> None:
    """So does the log of a server that starts."""
    filled.migrate(models("name", "a"), policy="full")
    spec = write_models(tmp_path / "m.py", people('Column("a", Text)'))
    assert trueup("--auto", "--url", filled.url, "--models", spec, cwd=tmp_path).code == 0
    kill(filled, "StepStarted", migrate, "a", "b")
    answer = trueup("--auto", "--url", filled.url, "--models", spec, cwd=tmp_path)
    assert answer.code == 0
    assert "note: an earlier run (process " in answer.out


def test_a_start_that_waits_for_a_person_tells_of_it(lab: Lab) -> None:
    """And writes no history into a database that trueup never changed."""
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1)")
    kill(lab, "StepStarted")
    metadata = models()
    metadata.tables["people"].append_column(Column("must", Integer, nullable=False))
    run = lab.migrate(metadata)
    assert run.status is Status.NEEDS_DECISION
    assert "was killed before its commit" in run.warnings[0]
    assert lab.names() == ["people"]


def test_who_is_still_at_work_was_not_killed(filled: Lab) -> None:
    """A server that starts in step while another one migrates takes its note for what it is."""
    told = []

    def look(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            told.append(filled.migrate(models("a")).warnings)

    assert migrate(filled.target(models("a", "b")), report=look).success
    assert told == [()]


def test_a_start_that_cannot_record_it_succeeds(filled: Lab) -> None:
    """Somebody writes at this moment: the server starts all the same, and the next start records it."""
    kill(filled, "StepStarted")
    with closing(sqlite3.connect(filled.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run = filled.migrate(models("a"))
        assert run.success
        assert "was killed, which is not recorded yet: Another process holds" in run.warnings[0]
    assert "was killed before its commit" in filled.migrate(models("a")).warnings[0]
    assert kinds(filled) == [("auto", "completed"), ("auto", "interrupted")]


def test_a_restore_tells_of_it(filled: Lab) -> None:
    """Whoever puts a backup back after a crash reads of the crash, and so does the history."""
    kill(filled, "StepStarted")
    run = restore(find_backup(filled.target(models()), "latest"), filled.target(models()))
    assert run.error is None
    assert "was killed before its commit" in run.warnings[0]
    assert kinds(filled) == [("auto", "completed"), ("auto", "interrupted"), ("restore", "completed")]


def test_a_killed_restore_is_told(filled: Lab) -> None:
    """By the next start, which then does its own work."""
    backup = find_backup(filled.target(models()), "latest")
    killed = partial(restore, backup, filled.target(models()))
    assert Child(die_at, killed, "BackedUp").end() < 0
    run = filled.migrate(models("a", "b"))
    assert run.success
    assert "was killed before its commit" in run.warnings[0]
    assert kinds(filled) == [("auto", "completed"), ("restore", "interrupted"), ("auto", "completed")]


def test_a_run_that_fails_leaves_the_telling_to_the_next(filled: Lab) -> None:
    """What it had recorded of the killed run was rolled back with it."""
    kill(filled, "StepStarted")
    target = filled.target(models("a", "b"))

    def fail(event: events.Event) -> None:
        if isinstance(event, events.Verified):
            raise RuntimeError("a listener that fails")

    assert apply(plan(target), target, report=fail).error is not None
    run = migrate(target)
    assert run.success
    assert "was killed before its commit" in run.warnings[0]
    assert ("auto", "interrupted") in kinds(filled)


@pytest.mark.parametrize(("at", "more"), [("BackupProgress", 1), ("StepStarted", 4)])
def test_a_server_that_is_killed_at_every_start_does_not_fill_the_disk(filled: Lab, at: str, more: int) -> None:
    """What was left half-written goes before anything new is written, and of the backups of killed runs one stays."""
    before = len(files(filled))
    for _ in range(4):
        kill(filled, at)
        assert len(files(filled)) <= before + more
    assert filled.migrate(models("a", "b")).success
    listed = list_backups(filled.target(models()))
    assert [backup.problem for backup in listed] == [""] * len(listed)
    assert len(files(filled)) == 2 * len(listed) <= before + more + 2
