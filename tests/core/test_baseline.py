"""An existing database taken as it is for the starting point: what is recorded, what is told, what later runs know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from tests.command import people, write_models
from tests.conftest import Lab
from tests.people import models
from trueup import (
    Policy,
    Standing,
    Status,
    baseline,
    cli,
    find_backup,
    list_backups,
    migrate,
    past_runs,
    plan,
    plan_undo,
    restore,
    undo,
)
from trueup.errors import DatabaseBusy, DatabaseDamaged, HistoryNameTaken, NothingToTake, NotUndoable, SchemaMoved
from trueup.locating import position
from trueup.standing import BASELINE


def two_tables() -> MetaData:
    metadata = models()
    Table("pets", metadata, Column("id", Integer, primary_key=True))
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """A database that trueup never saw, with a table that the models do not declare."""
    lab.create(two_tables())
    lab.sql("CREATE TABLE theirs (x); INSERT INTO people VALUES (1), (2)")
    return lab


def test_only_the_history_is_written(filled: Lab) -> None:
    """The database stays as it is; there is one row, with name and note, and no backup is made."""
    before = filled.dump()
    run = baseline(filled.target(two_tables()), name="before trueup", note="as the old\nscripts left it")
    assert (run.status, run.success, run.exit_code, run.error) == (Status.BASELINED, True, 0, None)
    (told,) = past_runs(filled.target(()))
    assert (told.id, told.kind, told.state, told.name) == (run.id, BASELINE, "completed", "before trueup")
    assert (told.note, told.steps, told.backup_id) == ("as the old\nscripts left it", (), "")
    assert told.schema_before == told.schema_after != ""
    assert list_backups(filled.target(())) == ()
    filled.sql("DROP TABLE migration_history")
    assert filled.dump() == before


def test_differences_are_told_and_stay(filled: Lab) -> None:
    """They are in the outcome's plan; the next plan finds them again, and a run makes what its policy allows."""
    run = baseline(filled.target(models("a")))
    assert run.plan is not None
    assert [item.change.sentence for item in run.plan.assessments] == ["add column people.a: TEXT"]
    assert run.success
    assert filled.found(models("a")) == [("AddColumn", "add column people.a")]
    assert filled.migrate(models("a")).status is Status.MIGRATED


def test_a_second_plan_knows_it(filled: Lab) -> None:
    """From then on it is known what moved: nothing, the models, or the database; and since which baseline."""
    assert position(filled.target(two_tables())).standing is Standing.UNKNOWN
    run = baseline(filled.target(two_tables()))
    found = plan(filled.target(two_tables())).position
    assert (found.standing, found.settled) == (Standing.UNMOVED, True)
    assert found.sentence.startswith(f"Nothing moved since the last baseline {run.id} of ")
    assert plan(filled.target(models("a"))).position.standing is Standing.MODELS_NEWER
    assert migrate(filled.target(two_tables())).plan is None, "the next start compares nothing"
    filled.sql("CREATE TABLE more (x)")
    assert plan(filled.target(two_tables())).position.standing is Standing.DRIFTED


def test_differences_that_stay_are_not_forgotten(filled: Lab) -> None:
    """Nothing moved since, but the next start compares all the same."""
    baseline(filled.target(models("a")))
    found = position(filled.target(models("a")))
    assert (found.standing, found.settled) == (Standing.UNMOVED, False)


def test_what_the_models_own_is_known_from_it(filled: Lab) -> None:
    """A table that leaves the models after the baseline was theirs; one that they never declared stays a stranger's."""
    assert filled.found(models(), policy=Policy.FULL) == []
    baseline(filled.target(two_tables()))
    assert filled.found(models(), policy=Policy.FULL) == [("DropTable", "drop table pets")]


def test_what_is_not_there_is_not_owned(filled: Lab) -> None:
    """A table that the models declare and that only others make later is not theirs."""
    metadata = two_tables()
    Table("later", metadata, Column("id", Integer, primary_key=True))
    baseline(filled.target(metadata))
    filled.sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    assert filled.found(two_tables(), policy=Policy.FULL) == []


def test_it_ends_a_server_s_being_behind(filled: Lab) -> None:
    """Who takes a baseline with older models says that these are the right ones."""
    filled.migrate(models("a"))
    filled.migrate(models("a", "b"))
    assert position(filled.target(models("a"))).standing is Standing.MODELS_OLDER
    assert baseline(filled.target(models("a"))).success
    assert position(filled.target(models("a"))).standing is Standing.UNMOVED


def test_it_can_be_taken_again_and_does_not_stand_in_the_way(filled: Lab) -> None:
    """A run before it can still be undone with its backup, which stays; a baseline itself cannot be undone."""
    filled.sql("ALTER TABLE people ADD COLUMN a TEXT; UPDATE people SET a = 'x'")
    filled.migrate(models("a"))
    filled.migrate(models(), policy=Policy.FULL)
    for _ in range(2):
        assert baseline(filled.target(models())).success
    with pytest.raises(NotUndoable, match="it only says how the database was"):
        plan_undo(filled.target(()), past_runs(filled.target(()))[-1].id)
    assert undo(filled.target(())).status is Status.UNDONE
    assert filled.rows("SELECT a FROM people") == [("x",), ("x",)]


def test_a_restore_carries_it_on(filled: Lab) -> None:
    """The history goes on with the baseline in it."""
    run = filled.migrate(models("a"))
    assert run.backup is not None
    baseline(filled.target(models("a")), note="n")
    assert restore(find_backup(filled.target(()), run.backup.id), filled.target(())).success
    told = past_runs(filled.target(()))
    assert [(item.kind, item.note) for item in told] == [("auto", ""), (BASELINE, "n"), ("restore", "")]


def test_an_empty_database_is_no_starting_point(lab: Lab) -> None:
    """It says so, and makes no file where there was none."""
    run = baseline(lab.target(models()))
    assert isinstance(run.error, NothingToTake)
    assert not lab.path.exists()


def test_a_damaged_database_is_no_starting_point(filled: Lab) -> None:
    """What is damaged is named, and nothing is recorded."""
    filled.sql("CREATE INDEX i ON people (id)")
    filled.sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'i'")
    run = baseline(filled.target(two_tables()))
    assert isinstance(run.error, DatabaseDamaged)
    assert filled.names() == ["people", "pets", "theirs"]


def test_a_writer_in_the_way_is_waited_for_and_named(filled: Lab) -> None:
    """Somebody else's transaction: a sentence within the lock timeout, and nothing is recorded."""
    import sqlite3

    other = sqlite3.connect(filled.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        run = baseline(filled.target(two_tables(), lock_timeout=0.1))
    finally:
        other.close()
    assert isinstance(run.error, DatabaseBusy)
    assert past_runs(filled.target(())) == ()


def test_somebody_else_s_table_of_that_name(filled: Lab) -> None:
    """Another program's table is not written into."""
    filled.sql("CREATE TABLE migration_history (id)")
    assert isinstance(baseline(filled.target(two_tables())).error, HistoryNameTaken)


def test_a_schema_that_moved_meanwhile(filled: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded is what was compared: between the two nobody may have changed the schema."""
    from trueup import baselining

    compare = baselining.plan

    def and_then_somebody_changes_it(*arguments: Any, **named: Any) -> Any:
        found = compare(*arguments, **named)
        filled.sql("CREATE TABLE more (x)")
        return found

    monkeypatch.setattr(baselining, "plan", and_then_somebody_changes_it)
    assert isinstance(baseline(filled.target(two_tables())).error, SchemaMoved)
    assert past_runs(filled.target(())) == ()


# -- the command -------------------------------------------------------------------------------------------------------


def say(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main([*arguments, "--url", lab.url])
    return code, capsys.readouterr().out


@pytest.fixture
def spec(lab: Lab) -> str:
    """Models with one column more than the database has."""
    lab.sql("CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20)); CREATE TABLE theirs (x)")
    return write_models(lab.path.parent / "m.py", people('Column("a", Text)'))


def test_the_command_says_what_differs(lab: Lab, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The baseline, the differences, and what is nobody's; it ends with 0, and the history lists it with its note."""
    code, out = say(lab, capsys, "baseline", "--models", spec, "--name", "start", "--note", "by hand until now")
    (run,) = past_runs(lab.target(()))
    assert code == 0
    assert out.splitlines() == [
        f"Took {lab.url} as it is for the starting point: baseline {run.id}, 2 tables.",
        f"1 difference to {spec}, not applied:",
        "  + add column people.a: TEXT",
        "Not declared by the models, left alone: theirs.",
    ]
    listed = say(lab, capsys, "history")[1]
    assert "  baseline  completed" in listed
    assert "      start\n      by hand until now\n" in listed


def test_the_command_in_json(lab: Lab, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The object of a run, with id, name and note; the differences are its changes."""
    code, out = say(lab, capsys, "--models", spec, "baseline", "--note", "n", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["status"], told["success"], told["name"], told["note"]) == ("baselined", True, None, "n")
    assert [change["sentence"] for change in told["changes"]] == ["add column people.a: TEXT"]
    assert told["run_id"] == past_runs(lab.target(()))[0].id
    listed = json.loads(say(lab, capsys, "history", "--json")[1])["runs"]
    assert [(item["kind"], item["note"], item["name"]) for item in listed] == [(BASELINE, "n", "2 tables as they were")]


def test_the_command_in_step(lab: Lab, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing differs it says so."""
    lab.sql("ALTER TABLE people ADD COLUMN a TEXT")
    assert f"It is in step with {spec}." in say(lab, capsys, "baseline", "--models", spec)[1]


def test_the_command_fails_with_a_sentence(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """No tables: exit code 3, also as JSON."""
    models_ = write_models(lab.path.parent / "m.py", people(""))
    assert cli.main(["baseline", "--models", models_, "--url", lab.url]) == 3
    assert "nothing to take for a starting point" in capsys.readouterr().err
    code, out = say(lab, capsys, "baseline", "--models", models_, "--json")
    assert (code, json.loads(out)["error"]["kind"]) == (3, "NothingToTake")
