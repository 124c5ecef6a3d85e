"""Several servers start at once on one database: exactly one migrates, the others find it in step."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from tests.command import people, start, write_models
from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, Say, tell_events
from tests.reliability.sites import UNDERTAKINGS, Site, check_nothing_left, prepare
from trueup import (
    Limits,
    Settings,
    Status,
    Target,
    apply,
    delete_backup,
    events,
    find_backup,
    list_backups,
    make_backup,
    migrate,
    plan,
    restore,
)
from trueup.errors import SchemaMoved
from trueup.reporting import Report

ROUNDS = times(10, nightly=200)
"""In each journal mode."""
MIXED_ROUNDS = times(3, nightly=200)
WHOLE = {"in_sync", "migrated", "restored", "undone", "failed", "misconfigured", "locked"}
"""Ends of a run, a restore or an undo among others. An undo may fail: when its turn comes, nothing is left to undo."""
THREAD_ROUNDS = times(4, nightly=100)
PATIENT: dict[str, Any] = {"time_limit": None, "lock_timeout": 60.0}


def models(*more: str) -> MetaData:
    metadata = MetaData()
    Table(
        "people",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(20)),
        *(Column(name, Integer) for name in more),
    )
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(models())
    lab.sql("""
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000)
        INSERT INTO people (name) SELECT 'name ' || x FROM n
    """)
    return lab


def drift(lab: Lab) -> None:
    """Somebody takes the column away again, behind trueup's back."""
    if "age" in lab.stored("people"):
        lab.sql("ALTER TABLE people DROP COLUMN age")


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_processes(filled: Lab, journal_mode: str) -> None:
    """Of sixteen processes exactly one applies and makes a backup, in every round; the others return in step."""
    filled.rows(f"PRAGMA journal_mode = {journal_mode}")
    target = filled.target(models("age"), **PATIENT)
    for number in range(1, ROUNDS + 1):
        drift(filled)
        children = [Child(tell_events, partial(migrate, target)) for _ in range(16)]
        ends = [child.hear_all()[-1] for child in children]
        assert sorted(ends) == [("in_sync", "")] * 15 + [("migrated", "")]
        assert filled.value("SELECT count(*) FROM migration_history WHERE step = 0") == number
        assert len(list_backups(target)) == number
    assert filled.healthy()


def as_restored(site: Site) -> str:
    """The content that every restore of the site's backup brings back."""
    site.reset()
    assert UNDERTAKINGS["restore"].work(site.lab)().error is None
    return bank.content(site.lab)


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_runs_restores_and_undos(tmp_path: Path, journal_mode: str) -> None:
    """All of them at once: each is done as a whole or says why not, and the database is the new one, the one that an
    undo makes, or the one that a restore brings back, whoever came last."""
    site = prepare(tmp_path, UNDERTAKINGS["undo"], journal_mode)
    restored = as_restored(site)
    for _ in range(MIXED_ROUNDS):
        site.reset()
        work = [undertaking.work(site.lab) for undertaking in UNDERTAKINGS.values()]
        ends = [child.hear_all()[-1] for child in [Child(tell_events, each) for each in work * 2]]
        assert {status for status, _ in ends} <= WHOLE, ends
        assert any(not error for _, error in ends), ends
        assert not any("that trueup does not know" in error for _, error in ends), ends
        assert bank.content(site.lab) in (site.begin, site.end, restored)
        assert site.lab.healthy()
        assert migrate(bank.target(site.lab)).error is None
        assert bank.content(site.lab) == site.new
        check_nothing_left(site.lab)


def test_threads(filled: Lab) -> None:
    """The same holds for threads of one process."""
    target = filled.target(models("age"), **PATIENT)
    for _ in range(THREAD_ROUNDS):
        drift(filled)
        with ThreadPoolExecutor(16) as pool:
            runs = [future.result() for future in [pool.submit(migrate, target) for _ in range(16)]]
        assert [run.error for run in runs if run.error] == []
        assert sorted(run.status for run in runs) == [Status.IN_SYNC] * 15 + [Status.MIGRATED]


def test_the_command_line(filled: Lab, tmp_path: Path) -> None:
    """And for servers, each with an interpreter of its own."""
    spec = write_models(tmp_path / "new.py", people('Column("age", Integer)'))
    arguments = ("--auto", "--json", "--url", filled.url, "--models", spec, "--lock-timeout", "60", "--time-limit", "0")
    processes = [start(*arguments, cwd=tmp_path) for _ in range(4)]
    answers = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    assert [code for *_, code in answers] == [0] * 4, [err for _, err, _ in answers]
    assert sorted(json.loads(out)["status"] for out, *_ in answers) == ["in_sync"] * 3 + ["migrated"]


def test_a_plan_of_yesterday_is_refused(filled: Lab) -> None:
    """A plan is not applied to a database that moved since it was made."""
    target = filled.target(models("age"))
    old = plan(target)
    filled.sql("CREATE INDEX theirs ON people (name)")
    run = apply(old, target)
    assert (run.status, type(run.error)) == (Status.FAILED, SchemaMoved)
    assert "age" not in filled.stored("people")
    assert migrate(target).success


def test_whoever_waits_is_told_who_holds_the_lock(filled: Lab) -> None:
    """The waiting run reports the holder's process, and gives up after the lock timeout with exit code 5."""
    holding, release = threading.Event(), threading.Event()
    seen: list[events.Event] = []

    def hold(event: events.Event) -> None:
        if isinstance(event, events.Locked):
            holding.set()
            release.wait(20)

    target = filled.target(models("age"), lock_timeout=0.2)
    holder = threading.Thread(target=lambda: migrate(target, report=hold))
    holder.start()
    holding.wait(20)
    run = migrate(target, report=seen.append)
    release.set()
    holder.join()
    waiting = [event for event in seen if isinstance(event, events.Waiting)]
    assert waiting
    assert waiting[0].holder.startswith("process ")
    assert run.exit_code == 5


def restore_latest(target: Target, report: Report) -> None:
    restore(find_backup(target, "latest"), target, report=report)


def delete_latest(target: Target, report: Report) -> None:
    delete_backup(find_backup(target, "latest"), target, accept_loss=True, report=report)


@contextmanager
def held(lab: Lab) -> Iterator[Target]:
    """A database with a process that migrates it, until the context ends."""
    holder = Child(stand_still, lab.target(models("age")))
    holder.hear()
    try:
        yield lab.target(models("age"), **PATIENT)
    finally:
        holder.kill()


@pytest.mark.parametrize("work", [migrate, restore_latest, make_backup, delete_latest])
def test_whoever_waits_is_heard_of(filled: Lab, work: Callable[..., object]) -> None:
    """Once is told who is waited for, and then all the time that the waiting goes on."""
    make_backup(filled.target(()))
    heard: list[events.Event] = []

    def listen(event: events.Event) -> None:
        heard.append(event)
        if len(heard) > 5:
            raise KeyboardInterrupt

    with held(filled) as target, pytest.raises(KeyboardInterrupt):
        work(target, report=listen)
    waiting = [type(event) for event in heard].index(events.Waiting)
    assert [type(event) for event in heard[waiting + 1 :]] == [events.Working] * (5 - waiting)
    assert {event.phase for event in heard if isinstance(event, events.Working)} == {"waiting for another migrator"}


def test_who_waits_can_be_cancelled(filled: Lab) -> None:
    """At once, and not when the lock timeout is over."""
    limits = Limits()

    def cancel(event: events.Event) -> None:
        if isinstance(event, events.Working):
            limits.cancel()

    with held(filled) as target:
        assert migrate(target, report=cancel, limits=limits).status is Status.CANCELLED


def test_the_lock_of_a_holder_that_is_killed_is_free(filled: Lab) -> None:
    """Who waits for a holder is told its process, goes on at once when that is killed, and tells of it."""
    target = filled.target(models("age"), **PATIENT)
    holder = Child(stand_still, target)
    process = holder.hear()
    holder_named: list[str] = []

    def look(event: events.Event) -> None:
        if isinstance(event, events.Waiting):
            holder_named.append(event.holder)
            holder.kill()

    run = migrate(target, report=look)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert [f"process {process} on " in name and " since " in name for name in holder_named] == [True]
    assert f"an earlier run (process {process} on " in run.warnings[0]


def stand_still(say: Say, target: Target) -> None:
    """Begin a run, say who does, and never end it."""

    def hold(event: events.Event) -> None:
        if isinstance(event, events.StepStarted):
            say(os.getpid())
            time.sleep(3600)

    migrate(target, report=hold)


def test_a_target_does_not_show_its_password() -> None:
    """The URL of a target is not in what Python prints of it."""
    target = Target(url="sqlite://user:secret@/x.db", models=None, settings=Settings())
    assert "secret" not in repr(target)
