"""Backups do not fill the disk, and none goes that is still needed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.people import models
from trueup import Backup, Run, Settings, Status, find_backup, list_backups, make_backup, migrate, past_runs, restore
from trueup.catalogue import partial_ending
from trueup.errors import NoSuchBackup
from trueup.settings import Retention
from trueup.stages.retention import expired, storage_warning

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def backup(age: float, *, size: int = 100, run: str | None = None, failed: bool = False, problem: str = "") -> Backup:
    """One that was taken so many days ago."""
    return Backup(
        id=f"{age}",
        path=Path(f"{age}.db"),
        database="sqlite:///app.db",
        created_at=NOW - timedelta(days=age),
        size=size,
        checksum="x",
        schema_fingerprint="",
        run_id=run,
        run_failed=failed,
        problem=problem,
    )


def gone(*backups: Backup, needed: str = "", **keep: float) -> list[str]:
    return [item.id for item in expired(backups, Retention(**keep), [needed], NOW)]  # type: ignore[arg-type]


def test_old_ones_go() -> None:
    """What is older than the days goes."""
    assert gone(backup(1), backup(29), backup(31), backup(400)) == ["31", "400"]


def test_the_count_holds() -> None:
    """What is beyond the count goes, oldest first."""
    assert gone(backup(1), backup(2), backup(3), backup(4), count=2) == ["3", "4"]


def test_the_size_holds() -> None:
    """Newest first, so many stay as fit into the size."""
    assert gone(backup(1), backup(2), backup(3), size=250) == ["3"]


def test_the_newest_good_one_stays_whatever_its_age() -> None:
    """A damaged one does not count as the last that can be restored."""
    assert gone(backup(1, problem="the file is gone"), backup(50), backup(60)) == ["60"]
    assert gone(backup(50, size=10_000), size=1) == []


def test_what_an_undo_needs_stays() -> None:
    """The backup of a run that can still be undone is never removed."""
    assert gone(backup(1), backup(90, run="r1"), backup(91, run="r2"), needed="r1") == ["91"]


def test_of_failed_runs_the_newest_stays() -> None:
    """Each failed run left the database as it was; one copy of that is enough."""
    assert gone(backup(1, failed=True), backup(2, failed=True), backup(3), backup(4, failed=True)) == ["2", "4"]


def test_much_room_is_told() -> None:
    """From a gigabyte on, or what the settings say, a person is told to think about it."""
    large = [backup(1, size=1_200_000_000)]
    assert storage_warning([backup(1), backup(2)], Retention()) == ""
    assert "Large backup storage usage - consider cleanup" in storage_warning(large, Retention())
    assert storage_warning(large, Retention(large=None)) == ""
    assert "(2 backups, 0 MB)" in storage_warning([backup(1), backup(2)], Retention(large=200))


# -- with real runs ----------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    return lab


def run(lab: Lab, *names: str, at: datetime = NOW, **settings: object) -> Run:
    return migrate(lab.target(models(*names), **settings), now=lambda: at)


def failing(lab: Lab, at: datetime) -> Run:
    """A run that fails after its backup: the application has the column already, in a way trueup's step cannot know."""
    target = lab.target(models("a"), time_limit=None)
    return migrate(target, now=lambda: at, report=_fail_in_a_step)


def _fail_in_a_step(event: object) -> None:
    if type(event).__name__ == "StepStarted":
        raise RuntimeError("a listener that fails")


def ids(lab: Lab) -> list[str]:
    return [item.id for item in list_backups(lab.target(models()))]


def test_a_run_removes_what_has_served_its_time(filled: Lab) -> None:
    """After a run the old backups are gone, and the run says which."""
    run(filled, "a", at=NOW - timedelta(days=40))
    (old,) = ids(filled)
    done = run(filled, "a", "b")
    assert [item.id for item in done.removed_backups] == [old]
    assert len(ids(filled)) == 1
    assert not list(find_backup(filled.target(models()), "latest").path.parent.glob(f"{old}*"))


def test_a_run_that_is_committed_succeeded(filled: Lab) -> None:
    """Whatever goes wrong with older backups after the commit, the run is told as what it is, with a warning."""
    done = run(filled, "a", backup_megabytes=float("inf"))  # no number of bytes
    assert (done.status, done.error, done.operations_executed) == (Status.MIGRATED, None, 1)
    (told,) = done.warnings
    assert told.startswith("old backups could not be removed: ")
    assert filled.rows("SELECT a FROM people") == [(None,), (None,)]


def test_a_run_warns_of_much_room(filled: Lab) -> None:
    """What stays after a run is weighed, and its result says when that is much; what was removed does not count."""
    assert "Large backup" not in str(run(filled, "a", backup_warning_megabytes=0.010).warnings)
    (told,) = run(filled, "a", "b", backup_warning_megabytes=0.010).warnings
    assert told.startswith("Large backup storage usage - consider cleanup (2 backups")
    assert run(filled, "a", "b", "c", backup_warning_megabytes=0.030, backup_count=1).warnings == ()


def test_a_server_that_fails_in_a_loop_does_not_fill_the_disk(filled: Lab) -> None:
    """However often a run fails, one backup of a failed run stays, besides those of good runs."""
    run(filled, "z", at=NOW)
    for minute in range(1, 6):
        assert failing(filled, NOW + timedelta(minutes=minute)).error is not None
    assert [item.run_failed for item in list_backups(filled.target(models()))] == [True, False]


def test_the_backup_of_the_last_run_survives_failures(filled: Lab) -> None:
    """Failures later than the retention do not cost the backup that takes the last good run back."""
    good = run(filled, "z", at=NOW - timedelta(days=100))
    failing(filled, NOW)
    assert good.backup is not None
    assert good.backup.id in ids(filled)


def test_a_run_that_could_not_begin_removes_nothing(filled: Lab) -> None:
    """A writer that holds the database keeps a run from knowing which backup an undo needs, so none goes."""
    good = run(filled, "z", at=NOW - timedelta(days=100))
    make_backup(filled.target(models()), now=lambda: NOW)
    with closing(sqlite3.connect(filled.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert run(filled, "z", "a", lock_timeout=0.05).status is Status.LOCKED
    assert good.backup is not None
    assert good.backup.id in ids(filled)


def test_half_written_files_of_killed_runs_go(filled: Lab) -> None:
    """What a killed run left half-written is removed by the next run; files of others in the directory stay."""
    run(filled, "a")
    directory = find_backup(filled.target(models()), "latest").path.parent
    dead = directory / f"app-20260101-000000{partial_ending(filled.target(models()).dialect())}"
    dead.write_bytes(b"half")
    (directory / "other-20260101-000000.0badcafe.partial").write_bytes(b"of another database")
    run(filled, "a", "b")
    assert not dead.exists()
    assert (directory / "other-20260101-000000.0badcafe.partial").exists()


def test_databases_that_share_a_directory_do_not_see_one_another(tmp_path: Path) -> None:
    """Two databases of one name keep their backups in one directory, and each lists, restores and removes its own."""
    labs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        lab = Lab(tmp_path / name / "app.db")
        lab.create(models())
        lab.sql(f"INSERT INTO people (id) VALUES ({len(labs) + 10})")
        labs.append(lab)
    shared = {"backup_dir": tmp_path / "backups"}
    runs = [run(lab, "a", **shared) for lab in labs]
    found = [list_backups(lab.target(models(), **shared)) for lab in labs]
    assert [[item.id for item in mine] for mine in found] == [[item.backup.id] for item in runs if item.backup]
    for lab, mine in zip(labs, found, strict=True):
        assert restore(mine[0], lab.target(models(), **shared)).success
    assert [lab.value("SELECT id FROM people") for lab in labs] == [10, 11]


def test_the_backups_of_a_lost_database_stay(filled: Lab) -> None:
    """What is kept of a database that is gone is neither removed nor taken for the latest of one beside it."""
    lost = Lab(filled.path.with_name("lost.db"))
    lost.create(models())
    lost.sql("INSERT INTO people VALUES (7)")
    run(lost, "a", at=NOW - timedelta(days=40))
    lost.path.unlink()
    with pytest.raises(NoSuchBackup):
        find_backup(filled.target(models()), "latest")
    assert run(filled, "a", backup_count=1).removed_backups == ()
    assert restore(find_backup(lost.target(models()), "latest"), lost.target(models())).success
    assert lost.value("SELECT id FROM people") == 7


def test_a_database_that_moved_keeps_its_backups(filled: Lab) -> None:
    """The directory of an application can be renamed: the backups in it are still those of its database."""
    run(filled, "a")
    moved = filled.path.parent.with_name(f"{filled.path.parent.name}-moved")
    filled.path.parent.rename(moved)
    lab = Lab(moved / filled.path.name)
    assert len(list_backups(lab.target(models()))) == 1
    assert restore(find_backup(lab.target(models()), "latest"), lab.target(models())).success


# -- killed runs -------------------------------------------------------------------------------------------------------


def lock_file(lab: Lab) -> Path:
    return lab.path.with_name("app.db.trueup-lock")


def test_the_lock_file_is_empty_when_all_is_well(filled: Lab) -> None:
    """A run that ends, well or not, leaves no intent behind."""
    run(filled, "a")
    assert lock_file(filled).read_text() == ""
    failing(filled, NOW)
    assert lock_file(filled).read_text() == ""


def test_a_killed_run_is_recorded_once(filled: Lab) -> None:
    """Whoever recorded it may have been killed or stopped before it took the note away; the next ones work all the
    same."""
    left = {"run_id": "feedbeef", "kind": "auto", "process": 9, "host": "h", "since": "2026-01-03 14:00:00"}
    for names in (["a"], ["a", "b"], ["a", "b"]):
        lock_file(filled).write_text(json.dumps(left))
        assert run(filled, *names).success
    lock_file(filled).write_text(json.dumps(left))
    assert restore(find_backup(filled.target(models()), "latest"), filled.target(models())).success
    assert [item.state for item in past_runs(filled.target(models())) if item.id == "feedbeef"] == ["interrupted"]
    assert lock_file(filled).read_text() == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"run_id": 5, "kind": "auto", "process": 9, "host": "h", "since": "2026-01-03 14:00:00"}',
        '{"run_id": "a", "kind": "auto", "process": 9, "host": "h", "since": "long ago"}',
        *('{"run_id": "a"}', "[]", "half", "[" * 100_000),
    ],
    ids=["a number for a text", "no time", "half a note", "a list", "no JSON", "too deep"],
)
def test_what_is_no_note_of_a_run_is_none(filled: Lab, text: str) -> None:
    """Whatever else stands in the lock file, nobody was killed, and all goes on."""
    lock_file(filled).write_text(text)
    assert past_runs(filled.target(models())) == ()
    assert run(filled, "a").warnings == ()


@pytest.mark.parametrize("committed", [True, False])
def test_a_killed_run_is_told_by_the_next_one(filled: Lab, committed: bool) -> None:
    """What a killed run left in the lock file becomes a warning of the next run, and a row of the history if needed."""
    first = run(filled, "a")
    left = {
        "run_id": first.id if committed else "feedbeef",
        "kind": "auto",
        "process": 99,
        "host": "h",
        "since": "2026-01-03 14:00:00",
    }
    lock_file(filled).write_text(json.dumps(left))
    second = run(filled, "a", "b")
    assert second.status is Status.MIGRATED
    (told,) = [warning for warning in second.warnings if "killed" in warning]
    assert ("after its commit" in told) == committed
    statuses = [status for (status,) in filled.rows("SELECT status FROM migration_history WHERE step = 0")]
    assert statuses == ["completed", *([] if committed else ["interrupted"]), "completed"]
    assert migrate(filled.target(models("a", "b"))).plan is None, "the next start compares nothing"


def test_when_a_killed_run_began(filled: Lab) -> None:
    """The lock file says it in UTC, and so does the history."""
    left = {"run_id": "feedbeef", "kind": "auto", "process": 99, "host": "h", "since": "2026-01-03 14:12:40"}
    lock_file(filled).write_text(json.dumps(left))
    run(filled, "a")
    killed = past_runs(filled.target(()))[0]
    assert (killed.id, killed.state, killed.performed_by) == ("feedbeef", "interrupted", "h (process 99)")
    assert killed.started_at == datetime(2026, 1, 3, 14, 12, 40, tzinfo=UTC)
    assert (killed.steps, killed.receipt) == ((), None)


def test_settings_of_retention() -> None:
    """The settings are days, a number and megabytes."""
    kept = Settings(backup_days=7, backup_count=3, backup_megabytes=1.5, backup_warning_megabytes=2).retention
    assert kept == Retention(days=7, count=3, size=1_500_000, large=2_000_000)
    assert Settings(backup_warning_megabytes=None).retention.large is None
