"""What the history tells of its runs together: in the library, in text and in JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Lab
from tests.people import models
from trueup import PastRun, Statistics, Tally, cli, list_backups, past_runs, restore, undo
from trueup.errors import HistoryNameTaken


@pytest.fixture
def lived(lab: Lab) -> Lab:
    """Two runs, and the second was taken back."""
    lab.create(models())
    lab.migrate(models("a"))
    lab.migrate(models("a", "b"))
    assert undo(lab.target(())).success
    return lab


def say(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main([*arguments, "--url", lab.url])
    return code, capsys.readouterr().out


def runs(lab: Lab, *states: tuple[str, str, float]) -> list[PastRun]:
    """Runs of these kinds, statuses and seconds."""
    one = past_runs(lab.target(()))[0]
    return [
        replace(
            one, id=str(number), kind=kind, status=status, seconds=seconds, error="no" if status != "completed" else ""
        )
        for number, (kind, status, seconds) in enumerate(states)
    ]


def test_runs_are_counted(lived: Lab) -> None:
    """All together and each kind: how many, how many did what they were to do, how long those took on average."""
    some = runs(lived, ("auto", "completed", 1.0), ("manual", "completed", 4.0), ("auto", "rolled_back", 9.0))
    found = Statistics.of(some)
    assert found.all == Tally(runs=3, completed=2, seconds=5.0)
    assert found.kinds == {
        "auto": Tally(runs=2, completed=1, seconds=1.0),
        "manual": Tally(runs=1, completed=1, seconds=4.0),
    }
    assert list(found.kinds) == ["auto", "manual"]
    assert (found.all.average, found.kinds["auto"].success_rate) == (2.5, 0.5)


def test_a_run_that_was_taken_back_was_completed(lived: Lab) -> None:
    """An undone run did what it was to do; the undo is a run of its own."""
    found = Statistics.of(past_runs(lived.target(())))
    assert (found.all.runs, found.all.completed, found.all.success_rate) == (3, 3, 1.0)
    assert {kind: tally.runs for kind, tally in found.kinds.items()} == {"auto": 2, "undo": 1}


def test_the_newest_failures_are_named(lived: Lab) -> None:
    """Five at most, newest first."""
    some = runs(lived, *(("auto", "rolled_back", 1.0) for _ in range(7)), ("auto", "completed", 1.0))
    assert [run.id for run in Statistics.of(some).recent_failures] == ["6", "5", "4", "3", "2"]


def test_a_run_that_goes_on_is_not_counted(lived: Lab) -> None:
    """Nobody knows yet how it ends."""
    found = Statistics.of(runs(lived, ("auto", "completed", 1.0), ("manual", "running", 0.0)))
    assert (found.all.runs, list(found.kinds), found.recent_failures) == (1, ["auto"], ())


def test_no_runs() -> None:
    """There is neither a rate nor an average."""
    found = Statistics.of(())
    assert (found.all.success_rate, found.all.average, found.kinds) == (None, None, {})


def test_statistics_in_text(lived: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``trueup history statistics`` tells all runs, each kind, and the last failures with their errors; the list of
    runs ends with the line about all of them."""
    lived.sql("UPDATE migration_history SET execution_time_ms = 1500")
    lived.sql("UPDATE migration_history SET status = 'rolled_back', error = 'It did not work.' WHERE rowid = 1")
    code, out = say(lived, capsys, "history", "statistics")
    first = past_runs(lived.target(()))[0]
    assert code == 0
    assert out.splitlines() == [
        "3 runs, 2 completed (67%), 1.5 s on average",
        "  auto: 2 runs, 1 completed (50%), 1.5 s on average",
        "  undo: 1 run, 1 completed (100%), 1.5 s on average",
        "recent failures:",
        f"  {first.id}  {first.started_at:%Y-%m-%d %H:%M:%S}  auto     rolled back: It did not work.",
    ]
    assert say(lived, capsys, "history")[1].splitlines()[-1] == out.splitlines()[0]


def test_statistics_in_json(lived: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The same numbers, alone and beside the list of runs."""
    lived.sql("UPDATE migration_history SET execution_time_ms = 1500")
    told: dict[str, Any] = json.loads(say(lived, capsys, "history", "statistics", "--json")[1])
    one = {"runs": 1, "completed": 1, "success_rate": 1.0, "average_ms": 1500}
    assert told == {
        "statistics": {
            "runs": 3,
            "completed": 3,
            "success_rate": 1.0,
            "average_ms": 1500,
            "kinds": {"auto": one | {"runs": 2, "completed": 2}, "undo": one},
            "recent_failures": [],
        }
    }
    listed = json.loads(say(lived, capsys, "history", "--json")[1])
    assert listed["statistics"] == told["statistics"]


def test_a_step_in_json(lived: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """With the SQL that was sent, its form, and the checksum of the plan."""
    newest = json.loads(say(lived, capsys, "history", "--json")[1])["runs"][-1]
    recorded = past_runs(lived.target(()))[0]
    step = newest["steps"][0]
    assert (step["sql"], step["form"]) == (recorded.steps[0].sql, "in place")
    assert newest["checksum"] == recorded.checksum != ""


@pytest.mark.parametrize("command", ["history", "history statistics", "history cleanup", "undo", "restore latest"])
def test_somebody_else_s_table_of_that_name(lab: Lab, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Another program's table is neither read nor written: a sentence says how to choose another name."""
    lab.create(models())
    lab.sql("CREATE TABLE migration_history (id INTEGER PRIMARY KEY, name TEXT, status TEXT, checksum TEXT)")
    lab.sql("INSERT INTO migration_history VALUES (1, 'theirs', 'completed', 'x')")
    say(lab, capsys, "backups", "make")
    before = lab.dump()
    assert cli.main([*command.split(), "--url", lab.url]) == 2
    assert "exists and is not trueup's history" in capsys.readouterr().err
    assert lab.dump() == before


def test_a_backup_with_somebody_else_s_table_of_that_name(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is one in a backup written into, when the database has trueup's own by now, which tells of the failure."""
    lab.create(models())
    lab.sql("CREATE TABLE migration_history (id INTEGER PRIMARY KEY)")
    say(lab, capsys, "backups", "make")
    lab.sql("DROP TABLE migration_history")
    assert lab.migrate(models("a")).success
    before = lab.dump()
    backup = list_backups(lab.target(()))[-1]
    assert isinstance(restore(backup, lab.target(())).error, HistoryNameTaken)
    lab.sql("DELETE FROM migration_history WHERE kind = 'restore' AND status = 'rolled_back'")
    assert lab.dump() == before


def test_an_empty_history_has_no_statistics(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """It says that there are no runs."""
    lab.create(models())
    assert say(lab, capsys, "history", "statistics") == (0, "No runs are recorded.\n")
