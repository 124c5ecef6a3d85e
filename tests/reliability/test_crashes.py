"""Whatever ends a run, the database is the old one or the new one, whole; see also test_kills.py."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text, UniqueConstraint

from tests.conftest import Lab
from trueup import Job, Limits, Status, apply, events, migrate, plan, start
from trueup.errors import BackupFailed, Cancelled, StatementFailed, VerificationFailed
from trueup.modes import signals_cancel

ROWS = 30_000


def old_models() -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text), Column("age", Integer))
    return metadata


def edited_models() -> MetaData:
    """An edit of the stored definition, or ALTER TABLE where SQLite is new enough."""
    metadata = MetaData()
    Table(
        "people",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", Text, nullable=False),
        Column("age", Integer, server_default="0"),
        CheckConstraint("age >= 0", name="ck_age"),
    )
    return metadata


def new_models() -> MetaData:
    """A rebuild of the table."""
    metadata = edited_models()
    metadata.tables["people"].append_constraint(UniqueConstraint("name", name="uq_name"))
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(old_models())
    lab.sql(f"""
        CREATE INDEX theirs ON people (name);
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {ROWS})
        INSERT INTO people (name, age) SELECT 'name ' || x, x % 90 FROM n
    """)
    return lab


HALF_WRITTEN = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 10")
connection.execute("BEGIN")
connection.execute("UPDATE people SET name = name || ' half', age = age + 1")
os._exit(1)
"""


def test_a_crash_of_the_application_before(filled: Lab, tmp_path: Path) -> None:
    """A transaction that the application's crash left half-written is rolled back by the first look at the database."""
    content = filled.content("people", ["id", "name", "age"])
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(filled.path)], check=False)
    assert (tmp_path / "app.db-journal").stat().st_size > 0
    assert filled.plan(new_models()).steps
    assert filled.content("people", ["id", "name", "age"]) == content
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(filled.path)], check=False)
    assert migrate(filled.target(new_models())).success
    assert filled.content("people", ["id", "name", "age"]) == content


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
def test_a_look_leaves_nothing_behind(filled: Lab, tmp_path: Path, journal_mode: str) -> None:
    """To plan writes no byte of the database and leaves no file beside it."""
    filled.rows(f"PRAGMA journal_mode = {journal_mode}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    metadata = new_models()
    metadata.tables["people"].c.name.type = Integer()
    assert filled.plan(metadata).assessments[0].hazards
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_cancelled_run(filled: Lab) -> None:
    """Cancelling from another thread ends the run within a moment, rolled back, and the job says so."""
    before = filled.dump()
    target = filled.target(new_models())
    found = plan(target)
    job = Job(lambda report, limits: apply(found, target, report=report, limits=limits), Limits())
    job.follow(lambda event: job.cancel() if isinstance(event, events.StatementStarted) else None)
    job.start()
    run = job.wait()
    assert run is not None
    assert (run.status, type(run.error)) == (Status.CANCELLED, Cancelled)
    assert filled.dump() == before


def test_a_listener_may_ask_the_job(filled: Lab) -> None:
    """Whoever is told of the events so far may ask for all of them meanwhile, and for the outcome."""
    target = filled.target(new_models())
    job = start(plan(target), target)
    run, past, told = job.wait(), job.events, list[object]()
    asking = threading.Thread(target=lambda: job.follow(lambda _: told.append((job.run, job.events))), daemon=True)
    asking.start()
    asking.join(60)  # it would wait for itself
    assert told == [(run, past)] * len(past)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_cancel(filled: Lab, tmp_path: Path, kind: signal.Signals) -> None:
    """Ctrl-C, a service manager's SIGTERM and the end of the terminal end --auto with 3 and an unchanged database."""
    endless = "SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)"
    settings = f'probe_limit = 0.1\n\n[[decisions]]\nfill = "people.city"\nsql = "({endless})"\n'
    (tmp_path / "trueup.toml").write_text(settings)
    (tmp_path / "m.py").write_text(
        "from sqlalchemy import *\nmetadata = MetaData()\n"
        'Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text),'
        ' Column("age", Integer), Column("city", Text, nullable=False), Index("theirs", "name"))'
    )
    before = filled.dump()
    command = [sys.executable, "-m", "trueup", "--auto", "--url", filled.url, "--models", "m.py:metadata"]
    process = subprocess.Popen([*command, "--time-limit", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Step 1"):
            break
    time.sleep(0.2)  # the statement runs by now; when it does not yet, this proves less and fails no more
    process.send_signal(kind)
    rest = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), "Cancelled while" in rest) == (3, True)
    assert filled.dump() == before


def test_what_is_ignored_stays_ignored() -> None:
    """Under nohup a run outlives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    limits = Limits()
    try:
        with signals_cancel(limits):
            signal.raise_signal(signal.SIGHUP)
            assert not limits.over
            signal.raise_signal(signal.SIGTERM)
            assert limits.over
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_statement_that_fails(filled: Lab) -> None:
    """A row that appears between plan and apply and breaks a new rule rolls everything back, with the reason."""
    target = filled.target(new_models())
    found = plan(target)
    filled.sql("INSERT INTO people (name, age) VALUES (NULL, 1)")
    before = filled.dump()
    run = apply(found, target)
    assert isinstance(run.error, StatementFailed)
    assert "NOT NULL constraint failed" in str(run.error)
    assert filled.dump() == before
    blocked = plan(target).blocked
    assert [item.hazards[0].rule for item in blocked] == ["no-value"]


def test_a_result_that_is_not_the_promised_one(filled: Lab) -> None:
    """When the database is not what the plan foresaw after the last step, the run rolls back before the commit."""
    from dataclasses import replace

    target = filled.target(new_models())
    found = plan(target)
    step = found.steps[0]
    fewer = tuple(item for item in step.statements if "CREATE INDEX theirs" not in item.sql)
    assert len(fewer) == len(step.statements) - 1
    before = filled.dump()
    run = apply(replace(found, steps=(replace(step, statements=fewer),)), target)
    assert isinstance(run.error, VerificationFailed)
    assert filled.dump() == before


def test_a_proof_that_does_not_hold(filled: Lab) -> None:
    """A copy that loses a value is found by the step's own proof, before the old table is dropped."""
    from dataclasses import replace

    target = filled.target(new_models())
    found = plan(target)
    step = found.steps[0]
    spoiled = tuple(
        replace(item, sql=item.sql.replace('SELECT "id", "name", "age"', 'SELECT "id", upper("name"), "age"'))
        for item in step.statements
    )
    before = filled.dump()
    run = apply(replace(found, steps=(replace(step, statements=spoiled),)), target)
    assert isinstance(run.error, VerificationFailed)
    assert "every value of people that stays is as it was" in str(run.error)
    assert filled.dump() == before


def test_a_table_with_the_name_of_the_copy(filled: Lab) -> None:
    """Somebody's table that has the very name of a rebuild's copy is left alone, and the rebuild takes another name."""
    filled.sql("CREATE TABLE _trueup_new_people (theirs); INSERT INTO _trueup_new_people VALUES (1)")
    assert migrate(filled.target(new_models())).success
    assert filled.rows("SELECT * FROM _trueup_new_people") == [(1,)]


def test_no_backup_no_run(filled: Lab, tmp_path: Path) -> None:
    """When backups cannot be written, nothing is migrated."""
    (tmp_path / "file").touch()
    before = filled.dump()
    run = migrate(filled.target(new_models(), backup_dir=tmp_path / "file"))
    assert isinstance(run.error, BackupFailed)
    assert filled.dump() == before


def test_more_time_while_it_runs(filled: Lab) -> None:
    """The time limit of a running job can be extended."""
    target = filled.target(new_models())
    limits = Limits(30.0)
    job = start(plan(target), target, limits=limits)
    job.extend(60.0)
    run = job.wait(60)
    assert run is not None
    assert run.success
    assert limits.seconds == 90.0
