"""What is done with backups besides restoring them, through the library."""

from __future__ import annotations

import json
import random
import shutil
import stat
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.command import start_python
from tests.conftest import Lab
from trueup import (
    Backup,
    Limits,
    Policy,
    Target,
    apply,
    backup_statistics,
    cli,
    compare_backup,
    delete_backup,
    export_backup,
    find_backup,
    list_backups,
    make_backup,
    migrate,
    past_runs,
    plan,
    restore,
    undo,
    verify_backup,
)
from trueup.errors import (
    AnotherMigrator,
    BackupNotDeleted,
    BackupNotUsable,
    BackupStillNeeded,
    Cancelled,
    DatabaseDamaged,
    DatabaseUnreadable,
    ExportFailed,
    NoSuchBackup,
    NotEnoughSpace,
    TimeLimitReached,
)
from trueup.stages.recording import intent

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def models(*names: str, more: bool = False) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *(Column(name, Text) for name in names))
    if more:
        Table("towns", metadata, Column("id", Integer, primary_key=True))
    return metadata


@pytest.fixture(params=["wal", "delete"])
def migrated(lab: Lab, request: pytest.FixtureRequest) -> Lab:
    """Two people; a run added column a on the first of March, another one dropped it a day later."""
    lab.sql(f"PRAGMA journal_mode = {request.param}")
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    run(lab, 0, "a")
    lab.sql("UPDATE people SET a = 'x' || id")
    run(lab, 1)
    return lab


def run(lab: Lab, day: int, *names: str, more: bool = False) -> None:
    done = migrate(lab.target(models(*names, more=more), policy=Policy.FULL), now=lambda: NOW + timedelta(days=day))
    assert done.success, done.error


def target_of(lab: Lab) -> Target:
    return lab.target(())


def both(lab: Lab) -> tuple[Backup, Backup]:
    """The newer backup and the older one."""
    newer, older = list_backups(target_of(lab))
    return newer, older


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def spoil(backup: Backup) -> None:
    with backup.path.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")


# -- made by hand ------------------------------------------------------------------------------------------------------


def test_a_backup_by_hand(migrated: Lab) -> None:
    """It is verified as any other, stands for no run, and can be restored; the database is as it was."""
    before = migrated.dump()
    backup = make_backup(target_of(migrated), now=lambda: NOW + timedelta(days=2))
    assert migrated.dump() == before
    assert list_backups(target_of(migrated))[0] == backup
    assert (backup.run_id, backup.problem, backup.row_counts["people"]) == (None, "", 2)
    assert backup_statistics(target_of(migrated)).outcomes["no run"] == 1
    migrated.sql("DELETE FROM people")
    assert restore(backup, target_of(migrated)).success
    assert migrated.value("SELECT count(*) FROM people") == 2


def test_no_backup_by_hand(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no database, no room, another run, or no time, it is an error, and nothing is left."""
    target = target_of(migrated)
    with pytest.raises(DatabaseUnreadable, match="there is no database"):
        make_backup(Lab(migrated.path.with_name("none.db")).target(()))
    assert not migrated.path.with_name("none.db").exists()
    with pytest.raises(TimeLimitReached):
        make_backup(target, limits=Limits(0.0))
    other = target.dialect().lock(intent("x", "auto", NOW), 0.0, lambda _holder: None, Limits())
    with other, pytest.raises(AnotherMigrator):
        make_backup(migrated.target((), lock_timeout=0.0))
    total = shutil.disk_usage(migrated.path.parent)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: total)
    with pytest.raises(NotEnoughSpace):
        make_backup(target)
    assert len(list_backups(target)) == 2
    assert not list(both(migrated)[0].path.parent.glob("*.partial"))


MAKER = """
import sys
from trueup import Settings, Target, make_backup
print("started", flush=True)
while True:
    make_backup(Target(url=sys.argv[1], models=(), settings=Settings()))
"""


@pytest.mark.parametrize("seed", range(5))
def test_killed_while_it_is_made(migrated: Lab, seed: int) -> None:
    """After kill -9 at any moment all that is listed is good, and the next backup takes away what was left."""
    target = target_of(migrated)
    process = start_python("-c", MAKER, migrated.url, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.3))
    process.kill()
    process.communicate()
    assert {backup.problem for backup in list_backups(target)} == {""}
    made = make_backup(target)
    listed = {backup.id for backup in list_backups(target)}
    assert made.id in listed
    assert set(names(made.path.parent)) == {f"{id_}{end}" for id_ in listed for end in (".db", ".json")}
    assert all(verify_backup(backup, target).problem == "" for backup in list_backups(target))


def test_many_at_once(migrated: Lab) -> None:
    """Makers wait for one another; who lists, verifies and deletes meanwhile sees only whole backups."""
    target = migrated.target((), lock_timeout=60.0)
    made: list[Backup] = []
    seen: list[str] = []

    def make() -> None:
        for number in range(3):
            made.append(make_backup(target, limits=Limits()))
            if number:
                delete_backup(made.pop(), target)

    def look() -> None:
        while makers[0].is_alive() or makers[1].is_alive():
            seen.extend(backup.problem for backup in list_backups(target) if backup.path.exists())

    makers = [threading.Thread(target=make) for _ in range(2)]
    threads = [*makers, threading.Thread(target=look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {""}
    assert len(list_backups(target)) == 2 + 2
    assert {verify_backup(backup, target).problem for backup in list_backups(target)} == {""}


LEFT = {"run_id": "feedbeef", "kind": "auto", "process": 99, "host": "h", "since": "2026-01-03 14:12:40"}
"""What a killed run had noted."""


def leave_note(lab: Lab) -> Path:
    """The lock file with it."""
    path = lab.path.with_name("app.db.trueup-lock")
    path.write_text(json.dumps(LEFT))
    return path


def test_a_killed_run_is_not_forgotten(migrated: Lab) -> None:
    """Who takes the lock for a backup finds what a killed run noted, and the history tells of it."""
    leave_note(migrated)
    make_backup(target_of(migrated))
    assert past_runs(target_of(migrated))[-1].id == "feedbeef"
    assert past_runs(target_of(migrated))[-1].status == "interrupted"


@pytest.mark.parametrize("action", ["make", "delete"])
def test_who_changes_the_backups_reads_of_a_killed_run(
    migrated: Lab, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    """What is recorded, and so told by nobody later, is said beside the answer."""
    leave_note(migrated)
    arguments = ["make"] if action == "make" else ["delete", both(migrated)[0].id, "--yes"]
    assert cli.main(["backups", *arguments, "--url", migrated.url]) == 0
    said = capsys.readouterr().err
    assert said.count("was killed before its commit, so nothing of it was done") == 1
    assert cli.main(["backups", "make", "--url", migrated.url]) == 0
    assert "was killed" not in capsys.readouterr().err


def test_a_killed_run_is_not_forgotten_beside_a_damaged_database(migrated: Lab) -> None:
    """Where it cannot be recorded, its note stays for the restore that will."""
    lock_file = leave_note(migrated)
    migrated.path.write_bytes(b"no database" * 1000)
    delete_backup(both(migrated)[1], target_of(migrated), accept_loss=True)
    assert json.loads(lock_file.read_text()) == LEFT


# -- a check of everything ---------------------------------------------------------------------------------------------


def with_a_wrong_index(lab: Lab) -> None:
    """An index that lacks a row: the rows are all there, so only a thorough check sees it."""
    lab.sql("CREATE INDEX ix ON people (id DESC)")
    lab.sql(
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX ix ON people (id DESC) WHERE id > 1'"
        " WHERE name = 'ix'"
    )
    lab.sql("INSERT INTO people VALUES (-5)")
    lab.sql(
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX ix ON people (id DESC)'"
        " WHERE name = 'ix'"
    )


def test_a_thorough_check(migrated: Lab) -> None:
    """An index that does not fit its table passes the usual check of a backup, and not the full one."""
    with_a_wrong_index(migrated)
    target = target_of(migrated)
    backup = make_backup(target, now=lambda: NOW + timedelta(days=2))
    assert verify_backup(backup, target).problem == ""
    assert "ix" in verify_backup(backup, target, thorough=True).problem
    with pytest.raises(DatabaseDamaged, match="ix"):
        make_backup(migrated.target((), backup_full_check=True))
    run_ = migrate(migrated.target(models("c"), backup_full_check=True))
    assert isinstance(run_.error, DatabaseDamaged)


# -- statistics --------------------------------------------------------------------------------------------------------


def test_statistics(migrated: Lab) -> None:
    """They count backups, good ones, bytes and the states of their runs, and tell the oldest and the newest."""
    undo(target_of(migrated), now=lambda: NOW + timedelta(days=2))
    newer, _, older = list_backups(target_of(migrated))
    spoil(older)
    verify_backup(older, target_of(migrated))
    found = backup_statistics(target_of(migrated))
    assert (found.count, found.good) == (3, 2)
    assert found.size == sum(backup.path.stat().st_size for backup in list_backups(target_of(migrated)))
    assert (found.oldest, found.newest) == (NOW, NOW + timedelta(days=2)) == (older.created_at, newer.created_at)
    assert found.outcomes == {"completed": 2, "undone": 1}


def test_statistics_of_nothing(lab: Lab) -> None:
    """Where there is no backup, nor a database, there is nothing to count."""
    found = backup_statistics(target_of(lab))
    assert (found.count, found.size, found.oldest, found.newest, found.outcomes) == (0, 0, None, None, {})


def test_statistics_beside_a_damaged_database(migrated: Lab) -> None:
    """Backups are counted also where the database can no longer tell of its runs."""
    migrated.path.write_bytes(b"no database" * 1000)
    assert backup_statistics(target_of(migrated)).outcomes == {"unknown run": 2}


# -- verify by a trial restore -----------------------------------------------------------------------------------------


def test_a_trial_restore(migrated: Lab) -> None:
    """A good backup passes, the database is as it was, and nothing is left in the directory."""
    backup, before = both(migrated)[0], migrated.dump()
    listed = names(backup.path.parent)
    assert verify_backup(backup, target_of(migrated), trial=True).problem == ""
    assert migrated.dump() == before
    assert names(backup.path.parent) == listed


def test_a_trial_restore_finds_what_a_check_does_not(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a restore would bring another number of rows, the trial says so and the backup is not good any more."""
    from trueup.dialects.sqlite.replace import SqliteStandstill

    replace_with = SqliteStandstill.replace_with

    def lossy(self: SqliteStandstill, path: Path, *rest: object) -> None:
        Lab(path).sql("DELETE FROM people WHERE id = 2")
        replace_with(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SqliteStandstill, "replace_with", lossy)
    checked = verify_backup(both(migrated)[0], target_of(migrated), trial=True)
    assert "people has 1 row, not 2" in checked.problem
    assert find_backup(target_of(migrated), checked.id).problem == checked.problem


def test_a_trial_restore_needs_room(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for the trial, it is not begun."""
    total = shutil.disk_usage(migrated.path.parent)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: total)
    with pytest.raises(NotEnoughSpace, match="trial restore"):
        verify_backup(both(migrated)[0], target_of(migrated), trial=True)


def test_a_cancelled_check_knows_nothing_new(migrated: Lab) -> None:
    """Who cancels a verification leaves the backup as good as it was."""
    limits, backup = Limits(), both(migrated)[0]
    limits.cancel()
    with pytest.raises(Cancelled, match="checking the backup"):
        verify_backup(backup, target_of(migrated), limits=limits)
    assert find_backup(target_of(migrated), backup.id) == backup


# -- compare -----------------------------------------------------------------------------------------------------------


def test_what_changed_since(migrated: Lab) -> None:
    """Columns, tables, views and triggers that came and went are told, whoever declared them, and rows."""
    backup = both(migrated)[1]
    migrated.sql(
        "CREATE TABLE other (x); CREATE VIEW all_people AS SELECT * FROM people; DELETE FROM people WHERE id = 1"
    )
    run(migrated, 2, "b", more=True)
    found = compare_backup(backup, target_of(migrated))
    assert {change.id for change in found.changes} == {
        "add table other",
        "add table towns",
        "add view all_people",
        "add column people.b",
    }
    assert [(row.table, row.then, row.now) for row in found.rows] == [("people", 2, 1)]
    migrated.sql("DROP VIEW all_people; DROP TABLE other")
    later = list_backups(target_of(migrated))[0]
    dropped = {change.id for change in compare_backup(later, target_of(migrated)).changes}
    assert dropped == {"drop table other", "drop view all_people", "add table towns", "add column people.b"}


def test_nothing_changed_since(migrated: Lab) -> None:
    """A database that was restored is the same as its backup, though its history goes on."""
    backup = both(migrated)[0]
    restore(backup, target_of(migrated))
    assert compare_backup(backup, target_of(migrated)).same


def test_a_backup_that_cannot_be_compared(migrated: Lab) -> None:
    """A file that is gone or no database is an error that names the backup, not the database."""
    backup, gone = both(migrated)
    backup.path.write_bytes(b"no database" * 1000)
    gone.path.unlink()
    for bad in (backup, gone):
        with pytest.raises(BackupNotUsable, match=bad.id):
            compare_backup(bad, target_of(migrated))


# -- export ------------------------------------------------------------------------------------------------------------


def test_an_export(migrated: Lab, tmp_path: Path) -> None:
    """The new file is the backup byte for byte, for the owner only; into a directory it goes under its own name."""
    backup = both(migrated)[0]
    (tmp_path / "place").mkdir()
    for path in (tmp_path / "new.db", tmp_path / "place"):
        written = export_backup(backup, target_of(migrated), path)
        assert written.read_bytes() == backup.path.read_bytes()
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert names(tmp_path / "place") == [backup.path.name]


def test_an_export_overwrites_nothing(migrated: Lab, tmp_path: Path) -> None:
    """What is there stays, and no half file is left; so does a directory that does not exist."""
    backup, path = both(migrated)[0], tmp_path / "new.db"
    path.write_text("mine")
    with pytest.raises(ExportFailed, match="it exists already"):
        export_backup(backup, target_of(migrated), path)
    with pytest.raises(ExportFailed, match="No such file"):
        export_backup(backup, target_of(migrated), tmp_path / "nowhere" / "new.db")
    assert path.read_text() == "mine"
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_an_export_keeps_away_from_what_a_database_left(migrated: Lab, tmp_path: Path, ending: str) -> None:
    """A database that was deleted without its -wal or -journal would come back through these into the new file."""
    path = tmp_path / "new.db"
    path.with_name(f"new.db{ending}").write_text("of another database")
    with pytest.raises(ExportFailed, match=f"new.db{ending} of an earlier database is there"):
        export_backup(both(migrated)[0], target_of(migrated), path)
    assert not path.exists()


def test_a_bad_backup_is_not_exported(migrated: Lab, tmp_path: Path) -> None:
    """It is verified first."""
    backup = both(migrated)[0]
    spoil(backup)
    with pytest.raises(BackupNotUsable, match="the file changed"):
        export_backup(backup, target_of(migrated), tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


# -- delete ------------------------------------------------------------------------------------------------------------


def test_what_nobody_needs_is_deleted(migrated: Lab) -> None:
    """The backup of an older run that only added something goes, file and description."""
    newer, older = both(migrated)
    delete_backup(older, target_of(migrated))
    assert list_backups(target_of(migrated)) == (newer,)
    assert not list(older.path.parent.glob(f"{older.id}*"))
    with pytest.raises(NoSuchBackup):
        delete_backup(older, target_of(migrated))


def test_that_of_the_last_run_is_needed(migrated: Lab) -> None:
    """What takes the last run back is not deleted without the word."""
    newer, _ = both(migrated)
    with pytest.raises(BackupStillNeeded, match="the last run"):
        delete_backup(newer, target_of(migrated))
    delete_backup(newer, target_of(migrated), accept_loss=True)
    assert len(list_backups(target_of(migrated))) == 1


def test_what_an_undo_brings_values_back_from_is_needed(migrated: Lab) -> None:
    """The backup of an older run that dropped a column stays until that run is undone."""
    dropped, _ = both(migrated)
    run(migrated, 2, "b")
    with pytest.raises(BackupStillNeeded, match=f"only with it trueup undo {dropped.run_id}"):
        delete_backup(dropped, target_of(migrated))
    undone = undo(target_of(migrated), dropped.run_id, now=lambda: NOW + timedelta(days=3))
    assert undone.success
    delete_backup(dropped, target_of(migrated))


def test_the_only_good_one_is_needed(migrated: Lab) -> None:
    """A backup that was found bad goes; the last good one does not, whatever it was for."""
    newer, older = both(migrated)
    spoil(newer)
    verify_backup(newer, target_of(migrated))
    with pytest.raises(BackupStillNeeded, match="the only good one"):
        delete_backup(older, target_of(migrated))
    delete_backup(newer, target_of(migrated))


def test_where_the_history_cannot_be_read_nothing_is_deleted(migrated: Lab) -> None:
    """Beside a damaged database every good backup may be needed."""
    migrated.path.write_bytes(b"no database" * 1000)
    with pytest.raises(BackupStillNeeded, match="cannot be told"):
        delete_backup(both(migrated)[1], target_of(migrated))


def test_half_an_entry_is_deleted(migrated: Lab) -> None:
    """A file without a description, and a description without a file, can be deleted by their ids."""
    newer, older = both(migrated)
    older.path.unlink()
    newer.path.with_suffix(".json").unlink()
    for half in both(migrated):
        delete_backup(half, target_of(migrated))
    assert names(newer.path.parent) == []


def test_nothing_is_deleted_under_a_run(migrated: Lab) -> None:
    """While a run is at work its backups stay; afterwards the lock file is empty again."""
    seen: list[BaseException] = []
    older = both(migrated)[1]

    def delete(event: object) -> None:
        if type(event).__name__ == "StepStarted":
            with pytest.raises(AnotherMigrator) as caught:
                delete_backup(older, migrated.target((), lock_timeout=0.0))
            seen.append(caught.value)

    target = migrated.target(models("c"))
    assert apply(plan(target), target, report=delete, now=lambda: NOW).success
    assert seen
    delete_backup(older, target_of(migrated))
    assert migrated.path.with_name("app.db.trueup-lock").read_text() == ""


def test_what_may_not_be_deleted_is_told(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that allows no deletion is a sentence."""
    monkeypatch.setattr(Path, "unlink", lambda *_args, **_named: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(BackupNotDeleted, match="denied"):
        delete_backup(both(migrated)[1], target_of(migrated))
