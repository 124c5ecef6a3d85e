"""The commands about the history: what they print, in text and in JSON, and how they end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import Policy, cli, past_runs


def models(*more: Column[Any]) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *more)
    return metadata


@pytest.fixture
def migrated(lab: Lab) -> Lab:
    """A run dropped a column and added one; then a row was written."""
    lab.create(models(Column("name", Text)))
    lab.sql("INSERT INTO people VALUES (1, 'a'), (2, 'b')")
    lab.migrate(models(Column("born", Text)), policy=Policy.FULL)
    lab.sql("INSERT INTO people VALUES (3, '1999')")
    return lab


def say(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main([*arguments, "--url", lab.url])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def said(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = say(lab, capsys, *arguments, "--json")
    return code, json.loads(out)


def test_what_an_undo_loses_is_said_first(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes an undo that loses something only says what, and ends with 1; the models are not needed."""
    before = migrated.dump()
    code, out, _ = say(migrated, capsys, "undo")
    assert code == 1
    assert "deletes the values of 1 row in people.born" in out
    assert "--yes" in out
    assert migrated.dump() == before


def test_an_undo_says_what_it_did(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """With --yes it is done: the steps, the backup from before, and that a server would migrate again."""
    run = past_runs(migrated.target(()))[-1].id
    code, out, _ = say(migrated, capsys, "undo", "--yes")
    assert code == 0
    assert f"Took back run {run} in" in out
    assert "backup " in out
    assert "make it again at the next trueup --auto" in out
    assert migrated.rows("SELECT * FROM people") == [(1, "a"), (2, "b"), (3, None)]


def test_a_dry_run_shows_the_sql(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """With --dry-run the plan and its SQL are printed, and nothing is changed."""
    before = migrated.dump()
    code, out, _ = say(migrated, capsys, "undo", "--dry-run")
    assert code == 0
    assert "1 row written since the run gets NULL for people.name" in out
    assert "ATTACH " in out
    assert "\\x09" not in out
    assert migrated.dump() == before


def test_an_undo_in_json(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON object is that of a run, with what was undone and what it lost."""
    run = past_runs(migrated.target(()))[-1].id
    code, told = said(migrated, capsys, "undo", "--dry-run")
    assert (code, told["undone"], told["losses"]) == (
        0,
        {"run_id": run, "steps": None},
        ["deletes the values of 1 row in people.born"],
    )
    assert 'ADD COLUMN "name"' in told["sql"] or "ADD COLUMN name" in told["sql"]
    assert "trueup_backup" in told["sql"]
    assert said(migrated, capsys, "undo")[1]["status"] == "needs_decision"
    code, told = said(migrated, capsys, "undo", run, "--steps", "1", "--yes")
    assert (code, told["status"], told["success"]) == (0, "undone", True)
    assert told["undone"] == {"run_id": run, "steps": [1]}
    assert told["backup"]["id"]


def test_steps_are_numbers(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is wrong use, and the sentence says how steps are named."""
    with pytest.raises(SystemExit, match="2"):
        say(migrated, capsys, "undo", "--steps", "1,last")
    assert "--steps: they are told by their numbers, as in 2,3" in capsys.readouterr().err


def test_the_history_is_listed(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first: what kind of run, when, how it ended, its backup and its steps; an undone run names its undo."""
    assert say(migrated, capsys, "history")[1].count("auto") == 1
    say(migrated, capsys, "undo", "--yes")
    code, out, _ = say(migrated, capsys, "history")
    assert code == 0
    undone, run = past_runs(migrated.target(()))[::-1]
    assert out.index(undone.id) < out.index(f"undone by {undone.id}")
    assert f"backup {run.backup_id}" in out
    assert "  1. drop column people.born" in out
    assert "  2. add column people.name: TEXT" in out
    told = said(migrated, capsys, "history")[1]["runs"]
    assert [(item["kind"], item["state"]) for item in told] == [("undo", "completed"), ("auto", "undone")]
    assert told[1]["undone_by"] == told[0]["run_id"] == undone.id
    assert told[0]["undoes"] == [run.id]


def test_an_empty_history(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A database that trueup never touched has no runs, and none to undo."""
    lab.create(models())
    assert say(lab, capsys, "history") == (0, "No runs are recorded.\n", "")
    code, _, err = say(lab, capsys, "undo")
    assert code == 2
    assert "no run that could be undone" in err


def test_errors_are_sentences_with_their_exit_codes(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is not there is wrong use; a backup that is gone is a failure that says how to go on."""
    code, _, err = say(migrated, capsys, "undo", "x")
    assert (code, "no run x in the history" in err) == (2, True)
    for path in (migrated.path.parent / ".trueup" / "backups").glob("*.db"):
        path.unlink()
    code, _, err = say(migrated, capsys, "undo", "--yes")
    assert (code, "--structure-only" in err) == (3, True)
    assert say(migrated, capsys, "undo", "--yes", "--structure-only")[0] == 0


def test_blocked_by_what_is_there(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """What stands in the way is named, with what to do."""
    migrated.sql("CREATE VIEW v AS SELECT born FROM people")
    code, out, _ = say(migrated, capsys, "undo", "--yes")
    assert code == 1
    assert "something stands in the way" in out
    assert "the view v needs it" in out
