"""Copies that killed rehearsals and trial restores leave: the next run removes them, once it is proved."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.people import models
from tests.reliability.children import Child, Say
from trueup import (
    Limits,
    Rehearsal,
    Target,
    events,
    find_backup,
    get_system_health,
    make_backup,
    migrate,
    plan,
    rehearse,
    verify_backup,
)
from trueup import limits as limits_module
from trueup.throwaway import Kind, remove_abandoned, throwaway


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    return lab


def stand_still(say: Say, target: Target) -> None:
    """Rehearse, say so in the middle of it, and never end."""

    def hold(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            say("in the middle")
            time.sleep(3600)

    rehearse(plan(target), target, report=hold)


def copies(place: Path) -> list[Path]:
    """The directories of rehearsals and trials, and the files that tell whose they are."""
    return sorted(path for kind in Kind for path in place.glob(f".trueup-{kind}-*"))


def killed(lab: Lab) -> None:
    """A rehearsal that is killed in the middle."""
    child = Child(stand_still, lab.target(models("a")))
    child.hear()
    child.kill()


def half_written(lab: Lab) -> bool:
    return any(finding.rule == "half-written" for finding in get_system_health(lab.target(())).findings)


def test_the_next_run_removes_what_a_killed_one_left(filled: Lab) -> None:
    """Health tells of it; the run takes it away, beside the database as well as beside the backups."""
    killed(filled)
    assert make_backup(filled.target(()))
    killed(filled)
    places = [filled.path.parent, filled.path.parent / ".trueup" / "backups"]
    assert [len(copies(place)) for place in places] == [2, 2]
    assert half_written(filled)
    assert filled.migrate(models("a")).success
    assert [copies(place) for place in places] == [[], []]
    assert not half_written(filled)


def test_the_next_rehearsal_removes_it_too(filled: Lab) -> None:
    """Before it makes a copy of its own, since both of them may have no room."""
    killed(filled)
    (before, _) = copies(filled.path.parent)
    seen: list[list[Path]] = []
    found = filled.plan(models("a"))
    report = partial(_look, filled.path.parent, seen)
    assert rehearse(found, filled.target(models("a")), report=report).success
    assert seen
    assert not any(before in paths for paths in seen)
    assert copies(filled.path.parent) == []


def _look(place: Path, seen: list[list[Path]], event: events.Event) -> None:
    if isinstance(event, events.StepStarted):
        seen.append(copies(place))


def test_one_of_a_process_that_lives_stays(filled: Lab) -> None:
    """A run beside it takes nothing from it, whichever process it is of, and health finds nothing wrong with it."""
    child = Child(stand_still, filled.target(models("a")))
    child.hear()
    there = copies(filled.path.parent)
    assert filled.migrate(models("b")).success
    assert copies(filled.path.parent) == there != []
    assert not half_written(filled)
    child.kill()
    assert filled.migrate(models("b", "c")).success
    assert copies(filled.path.parent) == []


def test_one_of_this_very_process_stays(filled: Lab) -> None:
    """A server may rehearse in one thread and migrate in another."""
    target = filled.target(models("a"))
    done: list[bool] = []

    def migrate_meanwhile(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            done.append(migrate(target).success)

    outcome: Rehearsal = rehearse(plan(target), target, report=migrate_meanwhile)
    assert (outcome.success, done) == (True, [True])


def test_a_trial_restore_is_kept_from_it_as_well(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its copy stays while it goes on, and is gone afterwards."""
    monkeypatch.setattr(limits_module, "_BETWEEN_BEATS", 0.0)
    place = make_backup(filled.target(())).path.parent
    limits, stayed = Limits(), list[list[Path]]()

    def remove() -> None:
        there = copies(place)
        remove_abandoned([place])
        assert copies(place) == there
        stayed.append(there)

    with limits.listening(remove):
        checked = verify_backup(find_backup(filled.target(()), "latest"), filled.target(()), trial=True, limits=limits)
    assert checked.problem == ""
    assert max(map(len, stayed)) == 2
    assert copies(place) == []


def test_what_proves_nothing_stays(tmp_path: Path) -> None:
    """A directory without a lock file, one that only has a like name, and what this user may not remove."""
    unproved, alike = tmp_path / ".trueup-trial-x", tmp_path / ".trueup-notes-x"
    for path in (unproved, alike):
        path.mkdir()
    alike.with_name(f"{alike.name}.lock").touch()
    with throwaway(Kind.TRIAL, tmp_path) as mine:
        assert mine.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in tmp_path.iterdir()) == [alike.name, f"{alike.name}.lock", unproved.name]
