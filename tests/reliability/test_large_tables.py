"""Large tables: in batches, in bounded memory, and heard of all the time, whatever SQLite is busy with."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, text

from tests.conftest import Lab, Row
from trueup import Backfill, Form, Limits, Plan, Policy, Run, Status, apply, events, plan, start, undo
from trueup import limits as limits_module
from trueup.errors import DatabaseBusy
from trueup.event_log import EventLog
from trueup.events import Event, StatementStarted, StepProgress, Working
from trueup.stages import execute

ROWS = 70_000
COUNTING = "(SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n{}) SELECT x FROM n))"
SLOW = COUNTING.format(" LIMIT 4000000")
ENDLESS = COUNTING.format("")
FIRST, LAST = -(2**63), 2**63 - 1


def people(*more: Column[object], age: type = Integer, key: bool = True, **options: object) -> MetaData:
    metadata = MetaData()
    columns = [Column("id", Integer, primary_key=key), Column("name", Text), Column("age", age), *more]
    Table("people", metadata, *columns, **options)
    return metadata


def fill(lab: Lab, rows: int = ROWS, step: int = 1) -> None:
    lab.sql(f"""
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + {step} FROM n LIMIT {rows})
        INSERT INTO people (id, name, age) SELECT x, 'name ' || x, x % 90 FROM n
    """)


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(people())
    fill(lab)
    return lab


def run_it(lab: Lab, found: Plan, models: object, **settings: object) -> tuple[Run, list[Event]]:
    """The run and its events, all of which came in this thread."""
    seen: list[Event] = []
    threads: set[int] = set()

    def report(event: Event) -> None:
        seen.append(event)
        threads.add(threading.get_ident())

    run = apply(found, lab.target(models, **settings), report=report)
    assert threads == {threading.get_ident()}
    return run, seen


def progress(seen: Sequence[Event]) -> list[StepProgress]:
    return [event for event in seen if isinstance(event, StepProgress)]


# -- signs of life -----------------------------------------------------------------------------------------------------


def test_a_long_statement_is_heard_of(lab: Lab) -> None:
    """While one statement runs that SQLite says nothing of, signs of life come, in the thread that called."""
    lab.create(people())
    lab.sql("INSERT INTO people VALUES (1, 'Ada', 36)")
    models = people(Column("city", Integer, nullable=False))
    found = plan(lab.target(models), decisions=[Backfill(table="people", column="city", sql=SLOW)])
    run, seen = run_it(lab, found, models)
    assert run.success, run.error
    assert len(progress(seen)) >= 2
    assert {event.total for event in progress(seen)} == {0}


def test_what_cannot_be_interrupted_is_heard_of(lab: Lab) -> None:
    """Not only statements: here SQLite waits for a lock, and calls nobody back."""
    lab.create(people())
    heard: list[float] = []
    limits = Limits()
    with closing(sqlite3.connect(lab.path)) as other, limits.listening(lambda: heard.append(limits.elapsed)):
        other.execute("BEGIN IMMEDIATE")
        connection = lab.target(people()).dialect().connect(write=True, timeout=0.0)
        try:
            with connection.limited(limits), pytest.raises(DatabaseBusy):
                connection.begin(timeout=1.0)
        finally:
            connection.close()
    assert len(heard) >= 2


def test_every_part_of_a_run_is_heard_of(filled: Lab, both_forms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before the steps and after them signs of life say what goes on; here they come more often than usual."""
    monkeypatch.setattr(limits_module, "_BETWEEN_BEATS", 0.0)
    models = people(age=Text)
    run, seen = run_it(filled, plan(filled.target(models)), models)
    assert run.success, run.error
    phases = {event.phase for event in seen if isinstance(event, Working)}
    assert {"writing down the way back", "making the backup", "verifying the result", "committing"} <= phases
    silent = {event.sql for event in seen if isinstance(event, StatementStarted)}
    for before, after in pairwise(seen):
        if isinstance(before, StatementStarted) and isinstance(after, StepProgress):
            silent.discard(before.sql)
    assert not [sql for sql in silent if sql.startswith(("INSERT", "DROP TABLE", "SELECT (SELECT count(*)"))]


def test_many_short_statements_are_heard_of(filled: Lab) -> None:
    """None of them lasts until a sign of life is due, but all of them together do."""
    clock = [0.0]
    heard: list[float] = []
    limits = Limits(monotonic=lambda: clock[0])
    connection = filled.target(people()).dialect().connect(write=False, timeout=0.0)
    try:
        with connection.limited(limits), limits.listening(lambda: heard.append(limits.elapsed)):
            for tenth in range(100):
                clock[0] = tenth / 100
                connection.count("people")
    finally:
        connection.close()
    assert len(heard) == 9


def test_ctrl_c_in_a_long_statement(lab: Lab) -> None:
    """Whatever is raised in the calling thread stops the statement, rolls back, and is not swallowed."""
    lab.create(people())
    lab.sql("INSERT INTO people VALUES (1, 'Ada', 36)")
    before = lab.dump()
    target = lab.target(people(Column("city", Integer, nullable=False)), probe_limit=0.1)
    found = plan(target, decisions=[Backfill(table="people", column="city", sql=ENDLESS)])

    def press(event: Event) -> None:
        if isinstance(event, StepProgress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(found, target, report=press)
    assert lab.dump() == before
    assert not [thread for thread in threading.enumerate() if thread.name == "trueup-aside"]


def _slow_default(called_in: set[int]) -> Callable[[], str]:
    def default() -> str:
        called_in.add(threading.get_ident())
        time.sleep(0.001)
        return "x"

    return default


def test_defaults_of_the_application_run_in_its_thread(lab: Lab) -> None:
    """A default that is Python code may count on its thread; that run is heard of as well."""
    lab.create(people())
    fill(lab, rows=1000)
    called_in: set[int] = set()
    models = people(Column("city", Text, nullable=False, default=_slow_default(called_in)))
    run, seen = run_it(lab, plan(lab.target(models)), models)
    assert run.success, run.error
    assert called_in == {threading.get_ident()}
    assert len(progress(seen)) >= 2


def test_ctrl_c_in_a_default_of_the_application(lab: Lab) -> None:
    """SQLite knows only that it was asked to stop; the caller gets what was raised."""
    lab.create(people())
    fill(lab, rows=5000)
    before = lab.dump()
    target = lab.target(people(Column("city", Text, nullable=False, default=_slow_default(set()))))

    def press(event: Event) -> None:
        if isinstance(event, StepProgress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(plan(target), target, report=press)
    assert lab.dump() == before


# -- batches -----------------------------------------------------------------------------------------------------------


def as_it_lies(lab: Lab) -> list[Row]:
    return lab.rows("SELECT rowid, * FROM people")


def in_one_and_in_batches(
    lab: Lab, models: MetaData, monkeypatch: pytest.MonkeyPatch, **settings: object
) -> list[StepProgress]:
    """Apply twice to the same database: the rows are the same, at the same places. The progress is of batches."""
    before = lab.path.read_bytes()
    found = plan(lab.target(models, **settings))
    with monkeypatch.context() as patch:
        patch.setattr(execute, "_FEW_ROWS", 10**9)
        run, _ = run_it(lab, found, models, **settings)
    assert run.success, run.error
    whole = as_it_lies(lab)
    lab.path.write_bytes(before)
    run, seen = run_it(lab, found, models, **settings)
    assert run.success, run.error
    assert as_it_lies(lab) == whole
    assert lab.healthy()
    return [event for event in progress(seen) if event.total]


@pytest.mark.parametrize("step", [1, 7, 100_000_000_000])
def test_a_copy_in_batches(lab: Lab, only_rebuilds: None, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """The rows are those of one statement, wherever their keys lie; how many are done is told up to the last one."""
    lab.create(people())
    fill(lab, step=step)
    lab.sql(f"INSERT INTO people VALUES ({FIRST}, 'first', 1), ({LAST}, 'last', 2)")
    told = in_one_and_in_batches(lab, people(age=Text), monkeypatch)
    rows = [event.rows for event in told]
    assert rows == sorted(rows)
    assert len(set(rows)) >= 3
    assert (rows[-1], told[-1].total) == (ROWS + 2, ROWS + 2)
    assert {event.number for event in told} == {1}


@pytest.mark.parametrize("step", [1, 7, 100_000_000_000])
def test_values_stored_anew_in_batches(lab: Lab, only_edits: None, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Another type gives each row the value that one statement would, and both passes over the rows are told."""
    lab.create(people())
    fill(lab, step=step)
    lab.sql(f"INSERT INTO people VALUES ({FIRST}, 'first', 1), ({LAST}, 'last', 2)")
    told = in_one_and_in_batches(lab, people(age=Text), monkeypatch)
    assert {event.number for event in told} == {1, 2}
    assert (told[-1].rows, told[-1].total) == (ROWS + 2, ROWS + 2)


def test_hidden_rowids_in_batches(lab: Lab, both_forms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table without a key of its own keeps the numbers that SQLite gave its rows."""
    lab.create(people(key=False))
    fill(lab)
    lab.sql("DELETE FROM people WHERE rowid % 3 = 0; UPDATE people SET rowid = -rowid WHERE rowid % 5 = 0")
    assert in_one_and_in_batches(lab, people(age=Text, key=False), monkeypatch)


def test_a_fill_in_batches(lab: Lab, only_edits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that get a value where they are get it in batches too."""
    lab.create(people())
    fill(lab, step=3)
    lab.sql("UPDATE people SET age = NULL WHERE id % 4 = 0")
    models = people(Column("city", Text, nullable=False, default="Rome"))
    assert plan(lab.target(models)).steps[0].form is Form.SCHEMA_EDIT
    assert in_one_and_in_batches(lab, models, monkeypatch)


@pytest.mark.parametrize("key", [True, False])
def test_rows_of_a_dropped_table_come_back_in_batches(lab: Lab, key: bool) -> None:
    """An undo gives every row the number that it had."""
    lab.create(people(key=key))
    lab.sql("CREATE TABLE other (id INTEGER NOT NULL PRIMARY KEY)")
    fill(lab)
    lab.sql("DELETE FROM people WHERE rowid % 3 = 0")
    before = as_it_lies(lab)
    other = MetaData()
    Table("other", other, Column("id", Integer, primary_key=True))
    assert lab.migrate(other, policy=Policy.FULL, owned_tables=("people",)).success
    assert "people" not in lab.names()
    seen: list[Event] = []
    run = undo(lab.target(other), report=seen.append)
    assert run.success, run.error
    assert as_it_lies(lab) == before
    assert [event.rows for event in progress(seen) if event.total]


def test_without_rowid_at_once(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table WITHOUT ROWID is copied by one statement, which is heard of, and tells no rows."""
    lab.create(people(sqlite_with_rowid=False))
    fill(lab)
    models = people(age=Text, sqlite_with_rowid=False)
    found = plan(lab.target(models))
    assert found.steps[0].batches_by == ""
    run, seen = run_it(lab, found, models)
    assert run.success, run.error
    assert not any(event.total for event in progress(seen))
    assert lab.value("SELECT count(*) FROM people WHERE typeof(age) = 'text'") == ROWS


@pytest.mark.parametrize(
    ("value", "batches_by"),
    [
        ("name || ' of ' || id", "rowid"),
        ("'select'", "rowid"),
        ("abs(random())", "rowid"),
        ("(SELECT max(age) FROM people)", ""),
        ("CURRENT_TIMESTAMP", ""),
        ("datetime('now')", ""),
    ],
)
def test_what_needs_more_than_its_row_is_computed_at_once(
    filled: Lab, only_rebuilds: None, value: str, batches_by: str
) -> None:
    """A value that other rows or the time decide over would differ from batch to batch."""
    models = people(Column("city", Text, nullable=False), age=Text)
    found = plan(filled.target(models), decisions=[Backfill(table="people", column="city", sql=value)])
    assert [step.batches_by for step in found.steps] == [batches_by]


def test_one_time_for_all_rows(filled: Lab) -> None:
    """A new column whose default is the time gets the same in all rows."""
    models = people(Column("at", Text, server_default=text("(strftime('%f', 'now'))")), age=Text)
    run, _ = run_it(filled, plan(filled.target(models)), models)
    assert run.success, run.error
    assert filled.value("SELECT count(DISTINCT at) FROM people") == 1


def test_the_plan_shows_one_statement(filled: Lab) -> None:
    """Who reviews a plan reads one statement and that it is done in batches; sent as it stands, it does the same."""
    models = people(age=Text)
    found = plan(filled.target(models))
    assert "-- many rows are written in batches, by rowid\n" in found.script
    assert found.script.count("INSERT INTO") == 1
    assert "BETWEEN" not in found.script
    filled.sql(found.script, foreign_keys=False)
    assert not plan(filled.target(models)).differs


def test_a_batch_that_fails(filled: Lab) -> None:
    """A row far behind the first batch that breaks a rule takes back all of them, and the reason is told."""
    target = filled.target(people(Column("city", Text, unique=True)))
    found = plan(target)
    before = filled.dump()
    clash = found.steps[0].statements[1]
    assert clash.parts is not None
    spoiled = clash.sql.replace(' SELECT "id"', f' SELECT CASE WHEN "id" > {ROWS - 5} THEN 1 ELSE "id" END')
    assert spoiled != clash.sql
    statements = tuple(replace(item, sql=spoiled) if item is clash else item for item in found.steps[0].statements)
    run = apply(replace(found, steps=(replace(found.steps[0], statements=statements),)), target)
    assert run.status is Status.FAILED
    assert "UNIQUE constraint failed" in str(run.error)
    assert filled.dump() == before


def test_cancelled_between_batches(filled: Lab) -> None:
    """A run that is cancelled while rows are copied ends at once, and the rows are where they were."""
    before = filled.dump()
    target = filled.target(people(age=Text))
    limits = Limits()

    def cancel(event: Event) -> None:
        if isinstance(event, StepProgress) and event.rows:
            limits.cancel()

    run = apply(plan(target), target, report=cancel, limits=limits)
    assert run.status is Status.CANCELLED
    assert filled.dump() == before


# -- bounded memory ----------------------------------------------------------------------------------------------------

_PEAK = """
import resource, sys
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text
from trueup import Policy, Settings, Target, migrate
metadata = MetaData()
Table("owners", metadata, Column("id", Integer, primary_key=True))
Table("notes", metadata, Column("id", Integer, primary_key=True), Column("owner", ForeignKey("owners.id")),
      Column("note", Text), Column("number", Text), Index("ix_note", "note"))
run = migrate(Target(url=sys.argv[1], models=metadata, settings=Settings(policy=Policy.FULL, time_limit=None)))
assert run.success, run.error
assert run.receipt.foreign_key_violations_after == int(sys.argv[2]), run.receipt
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_IN_BETWEEN = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
"""A process begins with the peak of the one that started it, so that must be a small one."""


def peak_of_a_rebuild(lab: Lab, rows: int) -> int:
    """Bytes that the process needed at most; every row points to nothing, which is counted as well."""
    lab.sql(
        f"""
        CREATE TABLE owners (id INTEGER NOT NULL PRIMARY KEY);
        CREATE TABLE notes (id INTEGER NOT NULL PRIMARY KEY, owner INTEGER REFERENCES owners (id), note TEXT,
            number INTEGER);
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {rows})
        INSERT INTO notes SELECT x, x, hex(randomblob(50)), x FROM n
    """,
        foreign_keys=False,
    )
    command = [sys.executable, "-c", _IN_BETWEEN, sys.executable, "-c", _PEAK, lab.url, str(rows)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)


def test_memory_does_not_grow_with_the_rows(make_lab: Callable[[str], Lab]) -> None:
    """Six times as many rows, 130 MB with their copy and indexes, are rebuilt in the same memory."""
    few, many = peak_of_a_rebuild(make_lab("few"), 50_000), peak_of_a_rebuild(make_lab("many"), 300_000)
    assert many - few < 12_000_000


def test_a_job_keeps_only_the_newest_sign_of_life(filled: Lab) -> None:
    """Whoever begins to follow a run of hours gets every move, but of what passes only the newest."""
    target = filled.target(people(age=Text))
    heard: list[Event] = []
    job = start(plan(target), target)
    job.follow(heard.append)
    run = job.wait()
    assert run is not None
    assert run.success, run.error
    kinds = [type(event) for event in job.events]
    assert StatementStarted in kinds
    assert StepProgress in kinds
    pairs = pairwise(kinds)
    assert not [kind for kind, after in pairs if kind is after and issubclass(kind, events.Passing)]


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_tells_how_far_a_run_is(caplog: pytest.LogCaptureFixture) -> None:
    """A line every few seconds, with rows, time and what is left."""
    told = EventLog()
    with caplog.at_level(logging.INFO, logger="trueup"):
        for tenth in range(1, 200):
            told(StepProgress(elapsed=tenth / 10, number=2, rows=tenth * 1000, total=400_000, left=20 - tenth / 10))
        told(StepProgress(elapsed=30.0, number=3, rows=0, total=0, left=4.4))
        told(Working(elapsed=36.0, phase="verifying the result"))
        told(events.BackupProgress(elapsed=50.0, done=10, total=90))
    assert caplog.messages == [
        "Step 2: 50000 of 400000 rows, after 5 s, about 15 s left",
        "Step 2: 100000 of 400000 rows, after 10 s, about 10 s left",
        "Step 2: 150000 of 400000 rows, after 15 s, about 5 s left",
        "Step 3: after 30 s, about 4 s left",
        "Still verifying the result, after 36 s",
        "Copied 10 of 90 pages, after 50 s",
    ]
