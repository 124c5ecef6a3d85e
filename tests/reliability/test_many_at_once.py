"""Several servers start at once on one database: exactly one migrates, the others find it in step."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from tests.command import people, start, write_models
from tests.conftest import Lab
from trueup import Run, Settings, Status, Target, apply, events, migrate, plan
from trueup.errors import SchemaMoved


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


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_ten_processes(filled: Lab, tmp_path: Path, journal_mode: str) -> None:
    """Of ten processes exactly one applies, all succeed, and there is one run in the history."""
    filled.rows(f"PRAGMA journal_mode = {journal_mode}")
    spec = write_models(tmp_path / "new.py", people('Column("age", Integer)'))
    arguments = ("--auto", "--json", "--url", filled.url, "--models", spec, "--lock-timeout", "60", "--time-limit", "0")
    processes = [start(*arguments, cwd=tmp_path) for _ in range(10)]
    answers = [(*process.communicate(timeout=120), process.returncode) for process in processes]
    assert [code for *_, code in answers] == [0] * 10, [err for _, err, _ in answers]
    assert sum('"status": "migrated"' in out for out, *_ in answers) == 1
    assert filled.value("SELECT count(*) FROM migration_history WHERE step = 0") == 1
    assert len(list((tmp_path / ".trueup" / "backups").glob("*.db"))) == 1
    assert filled.healthy()


def test_ten_threads(filled: Lab) -> None:
    """The same holds for threads of one process."""
    target = filled.target(models("age"), lock_timeout=60.0, time_limit=None)
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(migrate(target))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.error for run in runs if run.error] == []
    assert sorted(run.status for run in runs) == [Status.IN_SYNC] * 9 + [Status.MIGRATED]


def test_a_plan_of_yesterday_is_refused(filled: Lab) -> None:
    """A plan is not applied to a database that moved since it was made."""
    target = filled.target(models("age"))
    old = plan(target)
    filled.sql("CREATE INDEX theirs ON people (name)")
    run = apply(old, target)
    assert (run.status, type(run.error)) == (Status.FAILED, SchemaMoved)
    assert "age" not in filled.stored("people")
    assert migrate(target).success


def test_a_writer_and_a_reader_of_the_application_go_on(filled: Lab) -> None:
    """A live writer and reader in WAL mode see the old schema or the new one, and no row of theirs is lost."""
    filled.rows("PRAGMA journal_mode = WAL")
    stop, written, trouble = threading.Event(), [0], list[str]()

    def write() -> None:
        with closing(sqlite3.connect(filled.path, isolation_level=None, timeout=30)) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO people (name) VALUES ('live')")
                written[0] += 1
                time.sleep(0.001)

    def read() -> None:
        with closing(sqlite3.connect(filled.path, timeout=30)) as connection:
            while not stop.is_set():
                names = [row[1] for row in connection.execute("PRAGMA table_info(people)")]
                if names not in (["id", "name"], ["id", "name", "age"]):
                    trouble.append(str(names))

    threads = [threading.Thread(target=work) for work in (write, read)]
    for thread in threads:
        thread.start()
    try:
        metadata = models("age")
        metadata.tables["people"].c.name.type = String(50)
        run = migrate(filled.target(metadata, lock_timeout=20.0))
        time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert (run.status, run.error, trouble) == (Status.MIGRATED, None, [])
    assert filled.value("SELECT count(*) FROM people WHERE name = 'live'") == written[0]
    assert filled.healthy()


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


def test_a_target_does_not_show_its_password() -> None:
    """The URL of a target is not in what Python prints of it."""
    target = Target(url="sqlite://user:secret@/x.db", models=None, settings=Settings())
    assert "secret" not in repr(target)
