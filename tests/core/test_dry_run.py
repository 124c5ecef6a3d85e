"""To look is not to touch: no plan, check or dry run writes a byte, in no mode, whoever else is at work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.command import people, trueup, write_models
from tests.conftest import Lab
from tests.tree import Tree
from trueup import Policy

LOOKS = [
    ["--check"],
    ["--check", "--json"],
    ["--auto", "--policy", "check"],
    ["--auto", "--dry-run"],
    ["--auto", "--dry-run", "--json", "--policy", "full"],
]


@pytest.fixture(params=["DELETE", "WAL"])
def filled(request: pytest.FixtureRequest, make_lab: Callable[[str], Lab], tmp_path: Path) -> Lab:
    """A database with some rows in a directory of its own."""
    (tmp_path / "place").mkdir()
    lab = make_lab("place/app")
    lab.sql(
        f"PRAGMA journal_mode = {request.param};"
        "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20), age TEXT);"
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000)"
        " INSERT INTO people (name, age) SELECT 'name ' || x, x FROM n"
    )
    return lab


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT count(*) FROM people").fetchone()
print("there", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@pytest.fixture(params=["", "BEGIN", "BEGIN IMMEDIATE"], ids=["alone", "with a reader", "with a writer"])
def company(request: pytest.FixtureRequest, filled: Lab) -> Iterator[None]:
    """Another process that has the database open, in the middle of a transaction."""
    if not request.param:
        yield
        return
    command = [sys.executable, "-c", OTHER, str(filled.path), request.param]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        yield
        process.communicate()


@pytest.fixture
def models(tmp_path: Path) -> str:
    (tmp_path / "models").mkdir()
    return write_models(tmp_path / "models" / "m.py", people('Column("age", Integer), Column("city", Text)'))


def rebuilt() -> MetaData:
    """Models that take every kind of look at the data: a new type, a new column, an index."""
    metadata = MetaData()
    Table(
        "people",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", Text, index=True),
        Column("age", Integer),
        Column("city", Text),
    )
    return metadata


def look(lab: Lab, models: str, arguments: list[str], *, as_user: bool = False) -> int:
    directory = Path(models.partition(":")[0]).parent
    return trueup("--url", lab.url, "--models", models, *arguments, cwd=directory, as_user=as_user).code


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("policy", list(Policy))
def test_a_plan_writes_nothing(filled: Lab, policy: Policy) -> None:
    """Names, sizes, content and times of all files are the same before and after, under every policy."""
    before = Tree.of(filled.path.parent)
    assert filled.plan(rebuilt(), policy=policy).assessments
    assert Tree.of(filled.path.parent) == before


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_no_look_at_the_command_line_writes(filled: Lab, models: str, arguments: list[str]) -> None:
    """The same for every way to look at the command line, from another process."""
    before = Tree.of(filled.path.parent)
    assert look(filled, models, arguments) in (0, 1)
    assert Tree.of(filled.path.parent) == before


@pytest.mark.parametrize("arguments", LOOKS[1:], ids=" ".join)
def test_what_may_not_be_written_can_be_looked_at(filled: Lab, models: str, arguments: list[str]) -> None:
    """A read-only file in a read-only directory is compared as any other."""
    before = Tree.of(filled.path.parent)
    filled.path.chmod(0o444)
    filled.path.parent.chmod(0o555)
    try:
        assert look(filled, models, arguments, as_user=True) in (0, 1)
        assert Tree.of(filled.path.parent) == before
    finally:
        filled.path.parent.chmod(0o755)


def test_a_sample_leaves_nothing(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a sample of a large table is timed, which is written to a temporary table."""
    monkeypatch.setattr("trueup.forecasting._WORTH_A_SAMPLE", 0.0)
    before = Tree.of(filled.path.parent)
    assert filled.plan(rebuilt(), policy=Policy.FULL).steps
    assert Tree.of(filled.path.parent) == before


def test_a_missing_database_stays_missing(make_lab: Callable[[str], Lab], tmp_path: Path, models: str) -> None:
    """A look at a database that is not there makes neither file nor directory."""
    (tmp_path / "place").mkdir()
    lab = make_lab("place/app")
    for arguments in LOOKS:
        assert look(lab, models, arguments) in (0, 1)
    assert not Tree.of(tmp_path / "place")
