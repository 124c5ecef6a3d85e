"""A restore brings back the whole database, whoever has it open, and loses nothing on the way."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import (
    Backup,
    Limits,
    PastRun,
    Rename,
    Run,
    Status,
    apply,
    events,
    find_backup,
    get_system_health,
    list_backups,
    make_backup,
    migrate,
    past_runs,
    plan_undo,
    restore,
    verify_backup,
)
from trueup import limits as limits_module
from trueup.errors import (
    BackupNotGood,
    DatabaseBusy,
    NoSuchBackup,
    NotEnoughSpace,
    NotReplaceable,
    RestoreNotProved,
    TimeLimitReached,
)


def models(*more: Column[str]) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text), *more)
    return metadata


OLD = models()
NEW = models(Column("mail", Text))


@pytest.fixture(params=["wal", "delete"])
def migrated(lab: Lab, request: pytest.FixtureRequest) -> Lab:
    """A database of 100 people that a run gave one column more, in both journal modes."""
    lab.sql(f"PRAGMA journal_mode = {request.param}")
    lab.create(OLD)
    lab.sql(
        "WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100) INSERT INTO people SELECT x, 'p' || x FROM n"
    )
    assert migrate(lab.target(NEW)).status is Status.MIGRATED
    lab.sql("INSERT INTO people VALUES (101, 'since', 'since@example.org')")
    return lab


def first(lab: Lab) -> Backup:
    return find_backup(lab.target(OLD), "latest")


def history(lab: Lab) -> list[tuple[str, str]]:
    return lab.rows("SELECT kind, status FROM migration_history WHERE step = 0 ORDER BY rowid")  # type: ignore[return-value]


def test_structure_and_rows_are_those_of_the_backup(migrated: Lab) -> None:
    """After a restore the schema and every row are as they were when the backup was taken."""
    run = restore(first(migrated), migrated.target(NEW))
    assert run.error is None
    assert (run.status, run.success, run.exit_code) == (Status.RESTORED, True, 0)
    assert migrated.rows("SELECT count(*), max(id) FROM people") == [(100, 100)]
    assert "mail" not in migrated.stored("people")
    assert migrated.healthy()


def test_the_history_goes_on(migrated: Lab) -> None:
    """The run that the restore takes back stays in the history, and the restore is told after it."""
    restore(first(migrated), migrated.target(NEW))
    assert history(migrated) == [("auto", "completed"), ("restore", "completed")]


def test_the_present_is_saved_first(migrated: Lab) -> None:
    """What a restore replaces can be brought back by another restore, rows that were written since included."""
    before = migrated.content("people", ["id", "name", "mail"])
    run = restore(first(migrated), migrated.target(NEW))
    assert run.backup is not None
    assert restore(run.backup, migrated.target(NEW)).success
    assert migrated.content("people", ["id", "name", "mail"]) == before
    assert history(migrated)[-2:] == [("restore", "completed"), ("restore", "completed")]
    assert len(list_backups(migrated.target(NEW))) == 3


def test_the_next_run_migrates_again(migrated: Lab) -> None:
    """A restored database differs from the models again, and says so instead of trusting the last run."""
    restore(first(migrated), migrated.target(NEW))
    assert not migrated.plan(NEW).in_step
    assert migrated.migrate(NEW).status is Status.MIGRATED


def test_open_connections_see_the_restored_database(migrated: Lab) -> None:
    """A connection that was open before the restore reads the restored rows afterwards, and can write."""
    with closing(sqlite3.connect(migrated.path)) as other:
        assert other.execute("SELECT count(*) FROM people").fetchone() == (101,)
        assert restore(first(migrated), migrated.target(NEW)).success
        assert other.execute("SELECT count(*) FROM people").fetchone() == (100,)
        other.execute("INSERT INTO people VALUES (500, 'after')")
        other.commit()
    assert migrated.value("SELECT count(*) FROM people") == 101
    assert migrated.healthy()


def test_a_writer_in_the_way_is_waited_for_and_named_busy(migrated: Lab) -> None:
    """Whoever holds the database for longer than the lock timeout keeps the restore from changing anything."""
    with closing(sqlite3.connect(migrated.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run = restore(first(migrated), migrated.target(NEW, lock_timeout=0.2))
        assert isinstance(run.error, DatabaseBusy)
        other.execute("ROLLBACK")
    assert migrated.value("SELECT count(*) FROM people") == 101


def test_an_open_reader(migrated: Lab) -> None:
    """A reader in the middle of a transaction keeps its snapshot in WAL mode; in other modes the restore gives way."""
    with closing(sqlite3.connect(migrated.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM people").fetchone() == (101,)
        run = restore(first(migrated), migrated.target(NEW, lock_timeout=0.2))
        assert run.success or isinstance(run.error, DatabaseBusy)
        assert run.success == (migrated.value("PRAGMA journal_mode") == "wal")
        assert other.execute("SELECT count(*) FROM people").fetchone() == (101,)
        other.execute("ROLLBACK")
    assert migrated.value("SELECT count(*) FROM people") == (100 if run.success else 101)


def test_a_changed_backup_is_refused(migrated: Lab) -> None:
    """A backup whose file is not what it was is not restored, and the error names the good ones."""
    backup = first(migrated)
    migrated.migrate(models(Column("mail", Text), Column("born", Text)))
    content = bytearray(backup.path.read_bytes())
    content[5000] ^= 0xFF
    backup.path.write_bytes(content)
    run = restore(backup, migrated.target(NEW))
    assert isinstance(run.error, BackupNotGood)
    assert first(migrated).id in str(run.error)
    assert migrated.value("SELECT count(*) FROM people") == 101


def test_a_database_with_damaged_pages_can_be_restored(migrated: Lab) -> None:
    """A damaged database is kept as it is beside the good backups, and the backup takes its place."""
    migrated.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(migrated.path.read_bytes())
    content[4096:8192] = b"\x55" * 4096
    migrated.path.write_bytes(content)
    run = restore(first(migrated), migrated.target(NEW))
    assert run.error is None
    assert run.backup is not None
    assert "damaged" in run.backup.problem
    assert migrated.value("SELECT count(*) FROM people") == 100
    assert migrated.healthy()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500])
def test_what_is_no_database_is_moved_aside(migrated: Lab, content: bytes) -> None:
    """An overwritten file stays under another name, an empty one is just filled."""
    backup = first(migrated)
    migrated.sql("PRAGMA journal_mode = DELETE")
    migrated.path.write_bytes(content)
    run = restore(backup, migrated.target(NEW))
    assert run.error is None
    assert migrated.value("SELECT count(*) FROM people") == 100
    aside = list(migrated.path.parent.glob("app.db.damaged-*"))
    assert [path.read_bytes() for path in aside] == ([content] if content else [])
    assert len(run.warnings) == len(aside)


def test_a_missing_database_comes_back(migrated: Lab) -> None:
    """When somebody deleted the file, a restore makes it again."""
    backup = first(migrated)
    for path in migrated.path.parent.glob("app.db*"):
        path.unlink()
    assert restore(backup, migrated.target(NEW)).success
    assert migrated.value("SELECT count(*) FROM people") == 100


def test_the_time_limit_holds(migrated: Lab) -> None:
    """A restore whose time is over leaves everything as it was."""
    run = restore(first(migrated), migrated.target(NEW), limits=Limits(0.000001))
    assert isinstance(run.error, TimeLimitReached)
    assert migrated.value("SELECT count(*) FROM people") == 101


def test_a_full_disk_is_seen_before(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room for the copies, nothing is begun."""
    import shutil

    total = shutil.disk_usage(migrated.path.parent)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: total)
    run = restore(first(migrated), migrated.target(NEW))
    assert isinstance(run.error, NotEnoughSpace)
    assert migrated.value("SELECT count(*) FROM people") == 101


def test_an_unknown_backup_is_an_error_that_lists_the_others(migrated: Lab) -> None:
    """A misspelt id says which backups there are."""
    with pytest.raises(NoSuchBackup, match=first(migrated).id):
        find_backup(migrated.target(NEW), "app-1999")


def test_nothing_stays_behind(migrated: Lab) -> None:
    """The working copy of the backup is gone, and the restored backup still is good."""
    backup = first(migrated)
    restore(backup, migrated.target(NEW))
    assert not list(backup.path.parent.glob("*.partial"))
    assert verify_backup(backup, migrated.target(NEW)).problem == ""


def test_every_part_of_a_restore_is_heard_of(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the check of the backup to the last look at the result, all in the thread that called; here signs of life
    come more often than usual."""
    monkeypatch.setattr(limits_module, "_BETWEEN_BEATS", 0.0)
    seen: list[events.Event] = []
    threads: set[int] = set()

    def report(event: events.Event) -> None:
        seen.append(event)
        threads.add(threading.get_ident())

    assert restore(first(migrated), migrated.target(NEW), report=report).success
    assert threads == {threading.get_ident()}
    assert {event.phase for event in seen if isinstance(event, events.Working)} == {
        "checking the backup",
        "waiting for other writers",
        "saving the present database",
        "copying the backup",
        "verifying the result",
    }
    assert any(isinstance(event, events.BackupProgress) for event in seen)
    told = [event.done / event.total for event in seen if isinstance(event, events.RestoreProgress)]
    assert (told[0], told[-1], told == sorted(told)) == (0, 1, True)


def test_a_restore_is_stopped_while_its_pages_go_over(migrated: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its time limit, or by Ctrl-C, which is raised where the restore was called: the database is as it was."""
    monkeypatch.setattr(limits_module, "_BETWEEN_BEATS", 0.0)
    migrated.sql("CREATE TABLE large (x); INSERT INTO large VALUES (zeroblob(30000000))")
    backup = make_backup(migrated.target(()))
    content = migrated.content("people", ["id", "name", "mail"])

    def interrupt(event: events.Event) -> None:
        if isinstance(event, events.RestoreProgress) and event.done:
            raise KeyboardInterrupt

    migrated.sql("DELETE FROM people")
    with pytest.raises(KeyboardInterrupt):
        restore(backup, migrated.target(()), report=interrupt)
    assert migrated.value("SELECT count(*) FROM people") == 0
    assert restore(backup, migrated.target(())).success
    assert migrated.content("people", ["id", "name", "mail"]) == content


# -- restores that fail ------------------------------------------------------------------------------------------------


def last(lab: Lab) -> PastRun:
    return past_runs(lab.target(()))[-1]


def fail(lab: Lab, at: type[events.Event]) -> Run:
    """A restore of the newest backup that somebody cancels as soon as this happens."""
    limits = Limits()

    def cancel(event: events.Event) -> None:
        if isinstance(event, at):
            limits.cancel()

    run = restore(first(lab), lab.target(()), report=cancel, limits=limits)
    assert run.status is Status.CANCELLED
    return run


def test_a_restore_that_fails_is_in_the_history(migrated: Lab) -> None:
    """With its error, what was saved of the database, and how it ended: the database is as it was."""
    for at in (events.Checked, events.BackedUp):
        content = migrated.content("people", ["id", "name", "mail"])
        run = fail(migrated, at)
        told = last(migrated)
        assert (told.id, told.kind, told.status, told.error) == (run.id, "restore", "rolled_back", str(run.error))
        assert told.backup_id == (run.backup.id if run.backup else "")
        assert migrated.content("people", ["id", "name", "mail"]) == content
        assert run.warnings == ()


def test_who_cannot_restore_again_and_again_leaves_one_row(migrated: Lab) -> None:
    """The last attempt; another error is another row."""
    for _ in range(3):
        fail(migrated, events.Locked)
    assert history(migrated) == [("auto", "completed"), ("restore", "rolled_back")]
    fail(migrated, events.BackedUp)
    assert history(migrated) == [("auto", "completed"), *[("restore", "rolled_back")] * 2]


def test_a_restore_that_failed_took_nothing_back(migrated: Lab) -> None:
    """The run before it can be undone, and its models are in step without a comparison."""
    fail(migrated, events.BackedUp)
    assert plan_undo(migrated.target(())).undoes.run_id == past_runs(migrated.target(()))[0].id
    assert migrate(migrated.target(NEW)).plan is None


def test_a_busy_database_is_not_waited_for_twice(migrated: Lab) -> None:
    """Who cannot have the database for a restore does not ask for it again to write that down."""
    with closing(sqlite3.connect(migrated.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run = restore(first(migrated), migrated.target(NEW, lock_timeout=0.2))
        other.execute("ROLLBACK")
    assert (run.warnings, history(migrated)) == ((), [("auto", "completed")])


def test_a_failed_restore_writes_only_where_there_is_a_history(lab: Lab) -> None:
    """No database comes into being, and none gets a table, because a restore fails."""
    lab.create(OLD)
    backup = make_backup(lab.target(()))
    fail(lab, events.BackedUp)
    assert lab.names() == ["people"]
    lab.path.unlink()
    backup.path.write_bytes(b"")
    assert isinstance(restore(backup, lab.target(())).error, BackupNotGood)
    assert not lab.path.exists()


def renamed_since(lab: Lab) -> tuple[MetaData, list[Rename]]:
    """A run that gave a column another name, and made a new one of the old name; both are the models' of now."""
    models = MetaData()
    columns = [Column("full", Text), Column("name", Text)]
    Table("people", models, Column("id", Integer, primary_key=True), *columns)
    decided = [Rename(table="people", column="name", to="full")]
    assert apply(lab.plan(models, decisions=decided), lab.target(models)).success
    return models, decided


def restore_unproved(lab: Lab) -> Run:
    """Somebody changes the schema at the moment before it is looked at, which WAL mode allows."""

    def disturb(event: events.Event) -> None:
        if isinstance(event, events.Verifying):
            lab.sql("CREATE TABLE theirs (x)")

    run = restore(first(lab), lab.target(()), report=disturb)
    assert isinstance(run.error, RestoreNotProved)
    return run


def test_a_restore_that_is_not_proved_says_so(lab: Lab) -> None:
    """The history does not call it completed; what it says of the way back is there, and health repeats it."""
    lab.sql("PRAGMA journal_mode = wal")
    lab.create(OLD)
    lab.sql("INSERT INTO people VALUES (1, 'Ada')")
    assert migrate(lab.target(NEW)).success
    run = restore_unproved(lab)
    told = last(lab)
    assert (told.id, told.kind, told.status, told.error) == (run.id, "restore", "failed", str(run.error))
    assert lab.value("SELECT count(*) FROM migration_history WHERE kind = 'restore'") == 1
    last_run = next(item for item in get_system_health(lab.target(())).findings if item.rule == "last-run")
    assert "failed: The database was replaced by the backup" in last_run.sentence
    assert migrate(lab.target(NEW)).status is Status.MIGRATED
    assert restore(find_backup(lab.target(()), told.backup_id), lab.target(())).success
    assert "mail" in lab.stored("people")


def test_a_restore_whose_result_cannot_be_read_says_so(lab: Lab) -> None:
    """What goes wrong after the pages went over is never called rolled back."""
    lab.sql("PRAGMA journal_mode = wal")
    lab.create(OLD)
    assert migrate(lab.target(NEW)).success

    def spoil(event: events.Event) -> None:
        if isinstance(event, events.Verifying):
            lab.sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'nothing' WHERE name = 'people'")

    run = restore(first(lab), lab.target(()), report=spoil)
    assert isinstance(run.error, RestoreNotProved)
    assert "it cannot be read" in str(run.error)
    assert run.backup is not None
    assert restore(run.backup, lab.target(())).success


@pytest.mark.parametrize(
    ("mode", "pragma", "problem"),
    [
        ("delete", "encoding = 'UTF-16le'", "its encoding is UTF-16le, that of the database UTF-8"),
        ("wal", "encoding = 'UTF-16le'", "its encoding is UTF-16le, that of the database UTF-8"),
        ("wal", "page_size = 8192", "its page size is 8192, that of the database 4096"),
    ],
)
def test_a_backup_of_another_kind_of_file(lab: Lab, mode: str, pragma: str, problem: str) -> None:
    """What SQLite cannot put in place of what others have open is refused; where the file is gone, it comes back."""
    lab.sql(f"PRAGMA {pragma}; PRAGMA journal_mode = {mode}; CREATE TABLE people (name TEXT)")
    lab.sql("INSERT INTO people VALUES ('Zoë')")
    backup = make_backup(lab.target(()))
    lab.path.unlink()
    lab.sql(f"PRAGMA journal_mode = {mode}; CREATE TABLE people (name TEXT)")
    before = lab.dump()
    run = restore(backup, lab.target(()))
    assert isinstance(run.error, NotReplaceable)
    assert problem in str(run.error)
    assert lab.dump() == before
    lab.path.unlink()
    assert restore(backup, lab.target(())).success
    assert lab.rows("SELECT name FROM people") == [("Zoë",)]


def test_renames_around_restores_that_failed(lab: Lab) -> None:
    """One that was rolled back leaves a rename made; one that is not proved put back what was before it."""
    lab.sql("PRAGMA journal_mode = wal")
    lab.create(OLD)
    lab.sql("INSERT INTO people VALUES (1, 'Ada')")
    assert migrate(lab.target(OLD)).success
    models, decided = renamed_since(lab)
    fail(lab, events.Checked)
    assert lab.plan(models, decisions=decided).in_step
    restore_unproved(lab)
    assert [step.sentence for step in lab.plan(models, decisions=decided).steps][:1] == [
        "rename column people.name to full"
    ]
