"""How long a run will take: from real sizes, and from what this machine showed before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text

from tests.conftest import Lab
from trueup import Complexity, Limits, Plan, Policy, Status, apply
from trueup.run import Measured
from trueup.stages.estimate import learn
from trueup.work import Load, Work

NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {})"


def models(*, kind: type[Text | Integer] = Integer, indexed: bool = False) -> MetaData:
    metadata = MetaData()
    table = Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", kind))
    if indexed:
        Index("ix_people_age", table.c.age)
    return metadata


def fill(lab: Lab, rows: int) -> None:
    lab.sql(f"{NUMBERS.format(rows)} INSERT INTO people (age) SELECT x % 90 FROM n")


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """A table of 50 000 rows that trueup made."""
    assert lab.migrate(models()).success
    fill(lab, 50_000)
    return lab


def tables(count: int) -> MetaData:
    metadata = MetaData()
    for number in range(count):
        Table(f"t{number}", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)))
    return metadata


def measured(*seconds: float) -> list[Measured]:
    """Copies that would take a second elsewhere, newest first."""
    return [Measured(load=Load(work=Work.COPY, cost=1.0), seconds=item) for item in seconds]


# -- from sizes --------------------------------------------------------------------------------------------------------


def test_rows_count(lab: Lab) -> None:
    """Ten times the rows are about ten times the estimate; an empty table costs nothing but its statements."""
    lab.create(models())
    estimates = []
    for rows in (0, 10_000, 90_000):
        fill(lab, rows)
        estimates.append(lab.plan(models(kind=Text)).estimate)
    assert estimates[0] < 0.02
    assert 5 < (estimates[2] - estimates[0]) / (estimates[1] - estimates[0]) < 20


def test_a_step_tells_how_many_rows_it_goes_through(filled: Lab) -> None:
    """An index goes through all rows; a column that SQLite adds without a look at them through none."""
    metadata = models(indexed=True)
    metadata.tables["people"].append_column(Column("city", Text))
    assert [(step.changes[0].kind, step.rows) for step in filled.plan(metadata).steps] == [
        ("AddColumn", 0),
        ("CreateIndex", 50_000),
    ]


def test_four_hundred_new_tables_are_not_refused(lab: Lab) -> None:
    """An empty database takes any number of tables within the time that a starting server has."""
    assert lab.migrate(tables(400), time_limit=15.0).status is Status.MIGRATED


@pytest.mark.parametrize(
    ("script", "least", "most"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t SELECT x, x FROM n", 1000, 1000),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t SELECT x * 7000000000000, x FROM n", 500, 9000),
        ("CREATE TABLE t (id TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t SELECT 'n' || x, x FROM n", 500, 9000),
        ("CREATE TABLE t (rowid TEXT, v); INSERT INTO t SELECT 'n' || x, x FROM n", 500, 9000),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", 0, 0),
        ("CREATE TABLE u (v)", 0, 0),
    ],
    ids=["dense", "sparse", "without rowid", "rowid hidden", "empty", "missing"],
)
def test_without_time_to_count_rows_are_guessed(lab: Lab, script: str, least: int, most: int) -> None:
    """The span of the rowids tells, but never more rows than the file has room for."""
    lab.sql(script.replace("INSERT", f"{NUMBERS.format(1000)} INSERT"))
    connection = lab.target(models()).dialect().connect(write=False, timeout=1.0)
    try:
        assert least <= connection.extent("t", Limits(0.0)).rows <= most
    finally:
        connection.close()


# -- from what was measured --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "pace"),
    [
        ([], 1.0),
        ([3.0], 3.0),
        ([2.0, 2.0, 90.0, 2.0], 2.0),
        ([4.0, 4.0, 4.0, 1.0, 1.0, 1.0, 1.0], 4.0),
        ([0.01], 1.0),
        ([500.0], 20.0),
        ([0.03], 0.05),
    ],
    ids=["nothing known", "one", "one disturbed", "recent ones weigh more", "noise", "too slow", "too fast"],
)
def test_a_pace_is_the_middle_of_what_was_measured(seconds: Sequence[float], pace: float) -> None:
    """One disturbed run does not matter, newer ones matter more, and no pace is beyond belief."""
    assert learn(measured(*seconds)).of(Work.COPY) == pace


def test_an_unknown_kind_of_work_goes_at_the_pace_of_the_others() -> None:
    """A machine that copies slowly is expected to build indexes slowly."""
    assert learn(measured(3.0)).of(Work.INDEX) == 3.0


def test_a_run_leaves_what_it_measured(filled: Lab, only_rebuilds: None) -> None:
    """The history keeps rows, kind of work and seconds of each step, and those of the backup and the checks."""
    assert filled.migrate(models(kind=Text)).success
    rows = filled.rows("SELECT step, measured FROM migration_history WHERE measured IS NOT NULL ORDER BY rowid DESC")
    kept = {step: json.loads(text) for step, text in rows[:2]}
    assert [item["work"] for item in kept[0]] == ["backup", "check"]
    assert [(item["work"], item["rows"]) for item in kept[1]] == [("copy", 50_000)]
    assert all(item["seconds"] > 0 for items in kept.values() for item in items)


def test_the_next_estimate_learns_from_it(filled: Lab) -> None:
    """Where everything took ten times as long, the next estimate is ten times as long."""
    assert filled.migrate(models(kind=Text)).success
    estimates = []
    for pace in (1, 10):
        for rowid, text in filled.rows("SELECT rowid, measured FROM migration_history WHERE measured IS NOT NULL"):
            told = json.dumps([item | {"seconds": item["cost"] * pace} for item in json.loads(text)])
            filled.sql(f"UPDATE migration_history SET measured = '{told}' WHERE rowid = {rowid}")
        estimates.append(filled.plan(models()).estimate)
    assert 8 < estimates[1] / estimates[0] < 11


def test_a_history_of_an_earlier_version_is_kept(filled: Lab, only_rebuilds: None) -> None:
    """A history table without the measurements is used, and gets them with the next run."""
    filled.sql("ALTER TABLE migration_history DROP COLUMN measured")
    assert filled.migrate(models(kind=Text)).success
    assert filled.value("SELECT count(*) FROM migration_history WHERE measured IS NOT NULL") == 2
    assert filled.value("SELECT count(*) FROM migration_history WHERE step = 0") == 2


# -- what follows from it ----------------------------------------------------------------------------------------------


def slow(plan: Plan, seconds: float) -> Plan:
    return replace(plan, steps=tuple(replace(step, estimate=seconds) for step in plan.steps), check_estimate=0.0)


def test_too_long_is_refused_before_anything_is_locked(filled: Lab, only_rebuilds: None) -> None:
    """The estimate and the limit are told, and nothing was changed."""
    found = slow(filled.plan(models(kind=Text)), 35.0)
    before = filled.dump()
    run = apply(found, filled.target(models(kind=Text), backup=False, time_limit=15.0))
    assert (run.status, run.success) == (Status.TIMED_OUT, False)
    assert str(run.error).startswith("Estimated execution time (35s) exceeds maximum allowed (15s)")
    assert filled.dump() == before


def test_the_backup_counts(filled: Lab) -> None:
    """What is too long with its backup may be short enough without."""
    found = replace(slow(filled.plan(models(kind=Text)), 0.1), backup_estimate=20.0)
    target = filled.target(models(kind=Text), time_limit=15.0)
    assert apply(found, target).status is Status.TIMED_OUT
    assert apply(found, replace(target, settings=replace(target.settings, backup=False))).success


def test_an_empty_database_needs_no_backup(lab: Lab) -> None:
    """The total of a first launch has no backup in it."""
    found = replace(lab.plan(tables(3)), backup_estimate=20.0)
    assert found.total_estimate(backup=True) < 1.0


@pytest.mark.parametrize(
    ("count", "complexity"), [(1, Complexity.SIMPLE), (11, Complexity.MODERATE), (51, Complexity.COMPLEX)]
)
def test_many_steps_are_complex(lab: Lab, count: int, complexity: Complexity) -> None:
    """Up to 10 steps are simple, more than 50 complex."""
    assert lab.plan(tables(count)).complexity is complexity


def test_a_rebuild_is_no_simple_plan(filled: Lab) -> None:
    """A table that is written anew is worth a second look; an index on few rows is not."""
    assert filled.plan(models(kind=Text)).complexity is Complexity.MODERATE
    assert filled.plan(models(indexed=True)).complexity is Complexity.SIMPLE
    assert filled.plan(models(), policy=Policy.CHECK).complexity is Complexity.SIMPLE
