"""Old records leave the history, and everything that later runs, starts and undos build on stays."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from tests.reliability.test_history import FIRST
from trueup import (
    PastRun,
    Policy,
    Rename,
    Standing,
    Status,
    TrueupError,
    apply,
    clean_history,
    cli,
    past_runs,
    plan,
    plan_cleanup,
    plan_undo,
    undo,
)
from trueup.errors import AlreadyUndone, DatabaseBusy, NotUndoable
from trueup.locating import position


def models(*names: str, table: str = "people") -> MetaData:
    metadata = MetaData()
    Table(table, metadata, Column("id", Integer, primary_key=True), *(Column(name, Text) for name in names))
    return metadata


def in_a_year() -> datetime:
    return datetime.now(UTC) + timedelta(days=365)


def in_89_days() -> datetime:
    return datetime.now(UTC) + timedelta(days=89)


def without_backups(lab: Lab) -> None:
    shutil.rmtree(lab.path.parent / ".trueup", ignore_errors=True)


def runs(lab: Lab) -> tuple[PastRun, ...]:
    return past_runs(lab.target(()))


@pytest.fixture
def lived(lab: Lab) -> Lab:
    """Three runs that added a column each, and then one that fails; then the backups are gone."""
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    for names in ("a", "ab", "abc"):
        assert lab.migrate(models(*names)).success
    fail(lab)
    without_backups(lab)
    return lab


def fail(lab: Lab) -> None:
    """A run that is rolled back, since a row appeared after its plan was made."""
    metadata = models("a", "b", "c")
    metadata.tables["people"].c.a.nullable = False
    lab.sql("UPDATE people SET a = 'x'")
    found = plan(lab.target(metadata))
    lab.sql("INSERT INTO people (id) VALUES (9)")
    assert apply(found, lab.target(metadata)).status is Status.FAILED
    lab.sql("DELETE FROM people WHERE id = 9")


def test_what_goes_and_what_stays(lived: Lab) -> None:
    """Of runs that no undo needs the line stays, without steps and SQL; the newest that can be undone stays whole, and
    so does the newest record of all."""
    before = runs(lived)
    found = clean_history(lived.target(()), now=in_a_year)
    assert found.shortened == before[:2]
    assert (found.removed, found.kept, found.steps) == ((), (before[2],), 2)
    after = runs(lived)
    assert [(run.id, run.state, len(run.steps)) for run in after] == [
        (before[0].id, "completed", 0),
        (before[1].id, "completed", 0),
        (before[2].id, "completed", 1),
        (before[3].id, "rolled_back", 1),
    ]
    assert after[2:] == before[2:]
    for run, old in zip(after[:2], before[:2], strict=True):
        assert (run.schema_after, run.started_at, run.checksum) == (old.schema_after, old.started_at, old.checksum)
        assert (run.receipt, run.objects_before) == (None, None)
    assert lived.value("SELECT count(*) FROM migration_history WHERE sql <> ''") == 4


def test_runs_that_changed_nothing_go_altogether(lived: Lab) -> None:
    """Rolled back or killed, they are no part of what holds; the newest record stays, whatever it is."""
    fail(lived)
    lived.migrate(models("a", "b", "c", "d"))
    failed = [run for run in runs(lived) if not run.completed]
    assert clean_history(lived.target(()), now=in_a_year).removed == tuple(failed) != ()
    assert all(run.completed for run in runs(lived))


def test_recent_records_stay(lived: Lab) -> None:
    """The settings say how old a record must be, 90 days when they do not; so does the argument."""
    before = lived.dump()
    assert clean_history(lived.target(())).nothing
    assert clean_history(lived.target(()), now=in_89_days).nothing
    assert clean_history(lived.target((), history_days=400), now=in_a_year).nothing
    assert lived.dump() == before
    assert plan_cleanup(lived.target((), history_days=80), now=in_89_days).shortened
    assert plan_cleanup(lived.target(()), days=0).shortened
    assert lived.dump() == before


def test_cleaning_twice_finds_nothing(lived: Lab) -> None:
    """What was taken out is not there any more."""
    assert not clean_history(lived.target(()), days=0).nothing
    before = lived.dump()
    assert clean_history(lived.target(()), days=0).nothing
    assert lived.dump() == before


def test_the_newest_can_still_be_undone(lived: Lab) -> None:
    """With or without its backup; of the others it is said why not."""
    clean_history(lived.target(()), days=0)
    with pytest.raises(NotUndoable, match="the history was cleaned up"):
        plan_undo(lived.target(()), runs(lived)[0].id)
    assert undo(lived.target(())).status is Status.UNDONE
    assert lived.rows("SELECT a, b FROM people") == [("x", None)] * 2
    assert "c" not in lived.stored("people").split()


def test_what_has_a_backup_can_still_be_undone(lab: Lab) -> None:
    """With the values that only the backup has; and what was done since is not forgotten, so that it stands in the way
    as before."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    lab.migrate(models(), policy=Policy.FULL)
    lab.migrate(models("b"))
    lab.migrate(models("b", "c"))
    first = runs(lab)[0].id
    assert clean_history(lab.target(()), days=0).kept == runs(lab)[:-1]
    assert undo(lab.target(()), first).status is Status.UNDONE
    assert lab.rows("SELECT id, a FROM people") == [(1, "x")]


def test_an_undo_that_can_be_undone(lab: Lab) -> None:
    """What it took back belongs to it, however old that is and whether its own backup is there."""
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1)")
    lab.migrate(models("a"))
    without_backups(lab)
    lab.sql("UPDATE people SET a = 'x'")
    taken_back = undo(lab.target(()), accept_loss=True)
    lab.migrate(models("b"))
    assert clean_history(lab.target(()), days=0).kept == runs(lab)[:-1]
    assert len(runs(lab)) == 3
    assert undo(lab.target(())).success
    assert undo(lab.target(()), taken_back.id).status is Status.UNDONE
    assert lab.rows("SELECT a FROM people") == [("x",)]


def test_an_undone_run_stays_undone(lived: Lab) -> None:
    """Its line and that of the undo stay together."""
    undo(lived.target(()))
    lived.migrate(models("a", "b", "d"))
    lived.migrate(models("a", "b", "d", "e"))
    without_backups(lived)
    assert len(clean_history(lived.target(()), days=0).shortened) == 5
    undone = runs(lived)[2]
    assert (undone.state, undone.steps) == ("undone", ())
    with pytest.raises(AlreadyUndone):
        plan_undo(lived.target(()), undone.id)


def test_older_models_are_still_known(lived: Lab) -> None:
    """A server that still has the models of the first run is not taken for one with newer ones."""
    clean_history(lived.target(()), days=0)
    assert position(lived.target(models("a"))).standing is Standing.MODELS_OLDER
    assert position(lived.target(models("a", "b", "c"))).standing is Standing.UNMOVED


def test_what_was_the_models_is_still_known(lived: Lab) -> None:
    """Also when the newest record is of a run that changed nothing."""
    lived.sql("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    clean_history(lived.target(()), days=0)
    assert runs(lived)[-1].status == "rolled_back"
    assert lived.found(models(table="other"), policy=Policy.FULL) == [("DropTable", "drop table people")]


def test_a_rename_that_was_made_is_not_made_again(lab: Lab) -> None:
    """Its sentence stays, so that a new column of the old name is a new column."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    decided = [Rename(table="people", column="a", to="b")]
    assert apply(lab.plan(models("b"), decisions=decided), lab.target(models("b"))).success
    lab.migrate(models("b", "c"))
    lab.migrate(models("b", "c", "d"))
    without_backups(lab)
    assert lab.found(models("a", "b", "c", "d"), decisions=decided) == [("AddColumn", "add column people.a")]
    assert clean_history(lab.target(()), days=0).steps == 2
    assert lab.found(models("a", "b", "c", "d"), decisions=decided) == [("AddColumn", "add column people.a")]
    assert clean_history(lab.target(()), days=0).nothing


@pytest.mark.parametrize("seed", range(6))
def test_an_undo_sees_no_difference(lab: Lab, seed: int) -> None:
    """After some runs and undos, with some of the backups gone, whatever was kept is undone by the very same plan, and
    what is in the way is the same."""
    chance = random.Random(seed)
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    for _ in range(8):
        if chance.random() < 0.3 and runs(lab):
            _undo_one(lab, chance)
        else:
            lab.migrate(models(*chance.sample("abcd", chance.randint(1, 3))), policy=Policy.FULL)
    for path in (lab.path.parent / ".trueup" / "backups").glob("*.db"):
        if chance.random() < 0.7:
            path.unlink()
    shortened = {run.id for run in plan_cleanup(lab.target(()), days=0).shortened}
    before = {run.id: told(lab, run.id) for run in runs(lab) if run.id not in shortened}
    states = [(run.id, run.undone_by) for run in runs(lab)]
    newest = told(lab, None)
    clean_history(lab.target(()), days=0)
    assert {run_id: told(lab, run_id) for run_id in before} == before
    assert told(lab, None) == newest
    assert [(run.id, run.undone_by) for run in runs(lab)] == states


def _undo_one(lab: Lab, chance: random.Random) -> None:
    with suppress(TrueupError):
        undo(lab.target(()), chance.choice(runs(lab)).id, accept_loss=True)


def told(lab: Lab, run_id: str | None) -> object:
    """What an undo would do, or why it would not."""
    try:
        found = plan_undo(lab.target(()), run_id)
    except TrueupError as error:
        return str(error)
    return found.script, found.losses, [(item.change.id, item.reason) for item in found.assessments]


def test_a_history_of_the_first_version(lab: Lab) -> None:
    """It gets what it lacks, and is cleaned like any other."""
    lab.create(models("a"))
    lab.sql(FIRST)
    lab.migrate(models("a", "b"))
    without_backups(lab)
    assert clean_history(lab.target(()), days=0).shortened[0].id == "0123456789ab"
    assert [len(run.steps) for run in runs(lab)] == [0, 1]


def test_where_there_is_no_history(lab: Lab) -> None:
    """Nothing is written, and no file is made."""
    assert clean_history(lab.target(())).nothing
    assert not lab.path.exists()


def test_a_writer_in_the_way(lived: Lab) -> None:
    """Is waited for, then named; nothing was taken out."""
    before = lived.dump()
    other = sqlite3.connect(lived.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        clean_history(lived.target((), lock_timeout=0.1), days=0)
    other.close()
    assert lived.dump() == before


# -- the command -------------------------------------------------------------------------------------------------------


def say(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.main(["history", "cleanup", *arguments, "--url", lab.url])
    return code, capsys.readouterr().out


def test_the_command_says_first_what_would_go(lived: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --yes nothing is changed and it ends with 1; with it, it is done."""
    before = lived.dump()
    code, out = say(lived, capsys, "--older-than", "0")
    assert code == 1
    assert out.splitlines()[0].startswith("To be taken out of the history, of before ")
    assert out.splitlines()[1:] == [
        "  2 steps of 2 runs, whose line stays, but which cannot be undone then",
        "Kept whole, since an undo may need them: 1 run.",
        "Nothing was changed. --yes takes them out.",
    ]
    assert lived.dump() == before
    code, out = say(lived, capsys, "--older-than", "0", "--yes")
    assert (code, out.splitlines()[0].startswith("Taken out of the history")) == (0, True)
    assert plan_cleanup(lived.target(()), days=0).nothing
    code, out = say(lived, capsys)
    assert (code, out.startswith("Nothing of before ")) == (0, True)


def test_the_command_in_json(lived: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids of what goes, of what is shortened, and of what is kept."""
    first, second, third, _ = runs(lived)
    code, out = say(lived, capsys, "--older-than", "0", "--yes", "--json")
    found = json.loads(out)
    assert datetime.fromisoformat(found.pop("before")) < datetime.now(UTC)
    assert (code, found) == (
        0,
        {"done": True, "removed": [], "shortened": [first.id, second.id], "steps": 2, "kept": [third.id]},
    )


@pytest.mark.parametrize("days", ["-1", "inf", "1e9", "long"])
def test_days_are_a_number(lived: Lab, capsys: pytest.CaptureFixture[str], days: str) -> None:
    """Anything else is wrong use, and the sentence that says so names the option and what was given."""
    with pytest.raises(SystemExit, match="2"):
        say(lived, capsys, f"--older-than={days}")
    told = capsys.readouterr().err
    assert "--older-than" in told
    assert "a number of days" in told or repr(days) in told
