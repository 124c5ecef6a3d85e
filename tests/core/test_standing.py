"""How things stand: what moved since the last run is known before anything is compared, and a server that was rolled
back takes nothing back."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table

from tests.command import people, trueup, write_models
from tests.conftest import Lab
from trueup import Policy, Position, Standing, Status, execute_startup_migration, find_backup, restore


def models(*more: Column[int] | Column[str] | Index) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)), *more)
    return metadata


def newer() -> MetaData:
    return models(Column("mail", String(99), server_default="", nullable=False), Column("age", Integer, nullable=False))


def position(lab: Lab, metadata: MetaData) -> Position:
    return lab.plan(metadata, policy=Policy.CHECK).position


def standing(lab: Lab, metadata: MetaData) -> Standing:
    return position(lab, metadata).standing


@pytest.fixture
def first(lab: Lab) -> Lab:
    """A database that a run made from the first models."""
    assert lab.migrate(models()).status is Status.MIGRATED
    return lab


@pytest.fixture
def ahead(first: Lab) -> Lab:
    """The database after another run, for the newer models."""
    assert first.migrate(newer()).status is Status.MIGRATED
    return first


def last_run(lab: Lab) -> str:
    return str(lab.value("SELECT run_id FROM migration_history WHERE step = 0 ORDER BY rowid DESC LIMIT 1"))


# -- the standings -----------------------------------------------------------------------------------------------------


def test_no_run_is_recorded(lab: Lab) -> None:
    """Of a database that trueup never changed nothing is known, in step or not."""
    lab.create(models())
    assert position(lab, models()) == Position(standing=Standing.UNKNOWN)
    assert position(lab, newer()).sentence == ""


def test_nothing_moved(first: Lab) -> None:
    """After a run nothing moved, and the sentence names that run."""
    found = position(first, models())
    assert (found.standing, found.settled) == (Standing.UNMOVED, True)
    assert f"the last run {last_run(first)} of 20" in found.sentence


@pytest.mark.parametrize(
    ("statement", "metadata", "expected"),
    [
        ("INSERT INTO people (name) VALUES ('Ada')", models(), Standing.UNMOVED),
        ("CREATE TABLE theirs (x)", models(), Standing.DRIFTED),
        ("ALTER TABLE people DROP COLUMN name", models(), Standing.DRIFTED),
        ("SELECT 1", newer(), Standing.MODELS_NEWER),
        ("ALTER TABLE people DROP COLUMN name", newer(), Standing.BOTH_MOVED),
    ],
)
def test_what_moved(first: Lab, statement: str, metadata: MetaData, expected: Standing) -> None:
    """Rows do not count; what somebody else did to the database and what became of the models are told apart."""
    first.sql(statement)
    assert standing(first, metadata) is expected
    assert last_run(first) in position(first, metadata).sentence


def test_what_stays_different_is_unmoved_and_not_settled(first: Lab) -> None:
    """A retired column is compared and told every time, although nothing moved."""
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", Integer))
    first.migrate(metadata)
    found = position(first, metadata)
    assert (found.standing, found.settled) == (Standing.UNMOVED, False)


@pytest.mark.parametrize("column", ["versions", "differences_left"])
def test_another_version_compares_for_itself(first: Lab, column: str) -> None:
    """What another version found in step, or what was left different, is compared again."""
    first.sql(f"UPDATE migration_history SET {column} = '7' WHERE step = 0")
    assert standing(first, models()) is Standing.UNMOVED
    assert first.migrate(models()).plan is not None


def test_models_of_an_earlier_run_are_older(ahead: Lab) -> None:
    """Older models are told from newer ones, with the run that left them behind, however often the database moved."""
    moved_on = last_run(ahead)
    ahead.migrate(models(Index("ix", "name")))
    assert position(ahead, models()).standing is Standing.MODELS_OLDER
    assert moved_on in position(ahead, models()).sentence
    assert standing(ahead, newer()) is Standing.MODELS_OLDER


def test_a_restore_takes_back_what_was_known(ahead: Lab) -> None:
    """After a restore the models of that time are unmoved, and those of the run that was taken back are newer."""
    target = ahead.target(models())
    assert restore(find_backup(target, "latest"), target).status is Status.RESTORED
    assert standing(ahead, models()) is Standing.UNMOVED
    assert standing(ahead, newer()) is Standing.MODELS_NEWER
    assert ahead.migrate(models()).plan is None


# -- a server that was rolled back -------------------------------------------------------------------------------------


def test_a_server_that_was_rolled_back_starts(ahead: Lab) -> None:
    """With older models nothing is changed or locked, and it is no failure; what they cannot write is told."""
    lock = ahead.path.with_name(f"{ahead.path.name}.trueup-lock")
    lock.unlink()
    before = ahead.dump()
    result = execute_startup_migration(ahead.url, models=models())
    assert (result.success, result.migration_needed, result.error_message) == (True, False, None)
    assert last_run(ahead) in result.warnings[0]
    assert result.warnings[1:] == ("inserts into people will fail: age is NOT NULL without a default",)
    assert (ahead.dump(), lock.exists()) == (before, False)


def test_the_newer_server_goes_on(ahead: Lab) -> None:
    """What an older server saw in between does not matter to the newer one."""
    ahead.migrate(models())
    assert ahead.migrate(newer()).plan is None


def test_a_person_can_insist(ahead: Lab) -> None:
    """Models that were reverted on purpose are migrated to when a setting says so; then nothing moved."""
    run = ahead.migrate(models(), accept_older_models=True, policy=Policy.FULL)
    assert run.status is Status.MIGRATED
    assert "age" not in ahead.stored("people")
    assert standing(ahead, models()) is Standing.UNMOVED


def test_older_models_at_the_command_line(lab: Lab, tmp_path: Path) -> None:
    """--auto succeeds and names the run, --check says that something differs, JSON has the standing; a flag insists."""
    old = write_models(tmp_path / "old.py", people())
    new = write_models(tmp_path / "new.py", people('Column("age", Integer)'))
    common = ("--url", lab.url, "--models")
    assert trueup("--auto", *common, old, cwd=tmp_path).code == 0
    assert trueup("--auto", *common, new, cwd=tmp_path).code == 0
    answer = trueup("--auto", *common, old, cwd=tmp_path)
    assert (answer.code, last_run(lab) in answer.out) == (0, True)
    told = trueup("--auto", "--json", *common, old, cwd=tmp_path).json
    assert (told["status"], told["success"], told["migration_needed"]) == ("models_older", True, False)
    assert (told["standing"], told["since_run"]) == ("models older", last_run(lab))
    checked = trueup("--check", *common, old, cwd=tmp_path)
    assert (checked.code, last_run(lab) in checked.out) == (1, True)
    assert "age" in lab.stored("people")
    assert trueup("--auto", "--accept-older-models", "--policy", "full", *common, old, cwd=tmp_path).code == 0
    assert "age" not in lab.stored("people")


# -- the history -------------------------------------------------------------------------------------------------------


def test_a_history_of_an_earlier_version(first: Lab) -> None:
    """A history without the marks is read, and gets them with the next run; its rows stay."""
    first.sql(
        "ALTER TABLE migration_history DROP COLUMN models; ALTER TABLE migration_history DROP COLUMN versions;"
        "ALTER TABLE migration_history DROP COLUMN differences_left;"
        "ALTER TABLE migration_history ADD COLUMN stamp TEXT; UPDATE migration_history SET stamp = 'abc'"
    )
    before = first.rows("SELECT run_id, step, name, sql, stamp FROM migration_history ORDER BY rowid")
    assert standing(first, models()) is Standing.UNKNOWN
    run = first.migrate(newer())
    assert (run.status, run.error) == (Status.MIGRATED, None)
    after = first.rows("SELECT run_id, step, name, sql, stamp FROM migration_history ORDER BY rowid")
    assert after[: len(before)] == before
    assert standing(first, newer()) is Standing.UNMOVED
