"""What start-up migrations are known to get wrong, each as a row: what went wrong elsewhere, and what is right here.

The first table has the changes that a server meets in its models; each row is a real database that is brought in step
as a server does it, and afterwards is what ``create_all`` would have made, with every row, and quiet. The second table
has everything else that can happen to a run: a row is a function whose docstring says what is right.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)

from tests.command import trueup
from tests.conftest import Lab
from tests.reliability.children import Child, die_at, run_out_of_room, tell_events
from trueup import (
    Form,
    HealthState,
    Policy,
    Rename,
    Status,
    TrueupError,
    apply,
    errors,
    execute_startup_migration,
    get_system_health,
    list_backups,
    migrate,
    past_runs,
    plan,
    restore,
    undo,
    verify_backup,
)
from trueup.events import Event, StepFinished
from trueup.locating import position

BEFORE = "CREATE TABLE tasks (id INTEGER NOT NULL, title VARCHAR(50), PRIMARY KEY (id))"
ROWS = "INSERT INTO tasks (id, title) VALUES (1, 'one'), (2, 'two')"


def models(*items: Any, also: Callable[[MetaData], object] | None = None) -> MetaData:
    """The table ``tasks`` with more columns and constraints, and whatever else is added."""
    metadata = MetaData()
    Table("tasks", metadata, Column("id", Integer, primary_key=True), Column("title", String(50)), *items)
    if also is not None:
        also(metadata)
    return metadata


OLD, NEW = models(), models(Column("done", Integer))


# -- changes of the models ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One change of the models."""

    elsewhere: str
    """What went wrong there."""
    models: MetaData
    before: str = f"{BEFORE}; {ROWS}"
    query: str = "SELECT id, title FROM tasks"
    found: tuple[tuple[Any, ...], ...] = ((1, "one"), (2, "two"))
    """What the query finds in the end."""
    settings: dict[str, Any] = field(default_factory=dict)
    decisions: str = ""


def parents(metadata: MetaData) -> None:
    Table("people", metadata, Column("id", Integer, primary_key=True))


def forty(metadata: MetaData) -> None:
    for number in range(40):
        Table(f"t{number}", metadata, Column("id", Integer, primary_key=True), Column("a", Text))


def notes(metadata: MetaData) -> None:
    task = Column("task_id", ForeignKey("tasks.id"), index=True)
    Table("notes", metadata, Column("id", Integer, primary_key=True), task)


CHANGES = {
    "an empty database": Changed(elsewhere="a backup was made of nothing", before="", models=OLD, found=()),
    "an empty database and more than 20 tables": Changed(
        elsewhere="refused for ever: half a second was estimated for each table",
        before="",
        models=models(also=forty),
        query="SELECT count(*) FROM pragma_table_list WHERE name LIKE 't%'",
        found=((41,),),
    ),
    "a column that may be NULL": Changed(
        elsewhere="right",
        models=NEW,
        query="SELECT * FROM tasks",
        found=((1, "one", None), (2, "two", None)),
    ),
    "NOT NULL with a default of Python": Changed(
        elsewhere="the column was added so that it takes NULL",
        models=models(
            Column("n", Integer, nullable=False, default=5),
            Column("s", Text, nullable=False, default="x"),
            Column("b", Boolean, nullable=False, default=True),
        ),
        query="SELECT n, s, b FROM tasks",
        found=((5, "x", 1), (5, "x", 1)),
    ),
    "NOT NULL with a default of the server": Changed(
        elsewhere="the default was not added, the rows got NULL, and it was called a success",
        models=models(Column("n", Integer, nullable=False, server_default="7")),
        query="SELECT n FROM tasks",
        found=((7,), (7,)),
    ),
    "a default that is called": Changed(
        elsewhere="DEFAULT <function now at 0x7f...>, a syntax error at every start, with one more backup each",
        models=models(
            Column("made", DateTime, nullable=False, default=lambda: datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
            Column("tags", JSON, nullable=False, default=list),
            Column("more", JSON, nullable=False, default=dict),
        ),
        query="SELECT made, tags, more FROM tasks",
        found=(("2026-01-02 03:04:05.000000", "[]", "{}"),) * 2,
    ),
    "a default with a quote": Changed(
        elsewhere="a syntax error, and a way to inject SQL",
        models=models(Column("s", Text, nullable=False, default="it's"), Column("q", Text, server_default='it\'s "q"')),
        query="SELECT s, q FROM tasks",
        found=(("it's", 'it\'s "q"'),) * 2,
    ),
    "a default that is the time of now": Changed(
        elsewhere="SQLite refuses CURRENT_TIMESTAMP for a column that is added to rows",
        models=models(Column("made", DateTime, nullable=False, server_default=func.current_timestamp())),
        query="SELECT count(*) FROM tasks WHERE made LIKE '20__-__-__ __:__:__'",
        found=((2,),),
    ),
    "a reserved word": Changed(
        elsewhere="a syntax error: names were not quoted",
        models=models(Column("order", Integer, nullable=False, default=1)),
        query='SELECT "order" FROM tasks',
        found=((1,), (1,)),
    ),
    "a name with a space": Changed(
        elsewhere="no operation, and a success, at every start",
        models=models(Column("due date", Text)),
        query='SELECT "due date" FROM tasks',
        found=((None,), (None,)),
    ),
    "a column with a foreign key, UNIQUE, an index, or computed": Changed(
        elsewhere="added without any of these, and up to date from then on",
        models=models(
            Column("owner", ForeignKey("people.id")),
            Column("code", Text, unique=True),
            Column("rank", Integer, index=True),
            Column("twice", Integer, Computed("id * 2")),
            also=parents,
        ),
        query="SELECT owner, code, rank, twice FROM tasks",
        found=((None, None, None, 2), (None, None, None, 4)),
    ),
    "a column that left": Changed(
        elsewhere="warned of a drop that never came, and made a backup at every start",
        models=models(),
        before=f"{BEFORE}; {ROWS}; ALTER TABLE tasks ADD COLUMN old TEXT",
        settings={"policy": "full"},
    ),
    "another type": Changed(
        elsewhere="a success without an operation, and a backup at every start",
        models=models(Column("price", Numeric(10, 2))),
        before=f"{BEFORE}; ALTER TABLE tasks ADD COLUMN price INTEGER; {ROWS}; UPDATE tasks SET price = 3",
        query="SELECT price FROM tasks",
        found=((3,), (3,)),
    ),
    "a collation": Changed(
        elsewhere="a success without an operation, and a backup at every start",
        models=models(Column("code", Text(collation="NOCASE"))),
        before=f"{BEFORE}; ALTER TABLE tasks ADD COLUMN code TEXT; {ROWS}; UPDATE tasks SET code = 'aB'",
        query="SELECT id FROM tasks WHERE code = 'Ab'",
        found=((1,), (2,)),
    ),
    "a column with another name": Changed(
        elsewhere="a new column full of NULL beside the old one",
        models=models(Column("done_at", Text)),
        before=f"{BEFORE}; ALTER TABLE tasks ADD COLUMN finished TEXT; {ROWS}; UPDATE tasks SET finished = 'today'",
        query="SELECT id, done_at FROM tasks",
        found=((1, "today"), (2, "today")),
        decisions='[[decisions]]\nrename = "tasks.finished"\nto = "done_at"\n',
    ),
    "a table that left": Changed(
        elsewhere="nothing but a warning",
        models=OLD,
        before=f"{BEFORE}; {ROWS}; CREATE TABLE gone (id INTEGER PRIMARY KEY)",
        settings={"policy": "full", "owned_tables": ("gone",)},
    ),
    "constraints and indexes of a table that is there": Changed(
        elsewhere="up to date: only columns were compared",
        models=models(
            Column("owner", ForeignKey("people.id")),
            Column("n", Integer, nullable=False),
            UniqueConstraint("title", name="uq_title"),
            CheckConstraint("n > 0", name="ck_n"),
            Index("ix_n", "n"),
            also=parents,
        ),
        before=f"""{BEFORE}; ALTER TABLE tasks ADD COLUMN owner INTEGER; ALTER TABLE tasks ADD COLUMN n INTEGER; {ROWS};
            UPDATE tasks SET n = 1; CREATE TABLE people (id INTEGER NOT NULL, PRIMARY KEY (id))""",
        query="SELECT n FROM tasks",
        found=((1,), (1,)),
    ),
    "a new table with a foreign key and an index": Changed(elsewhere="right", models=models(also=notes)),
}


@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_models(lab: Lab, make_lab: Callable[[str], Lab], case: Changed) -> None:
    """The database becomes what the models say, no row is lost, and the next start is quiet and makes no backup."""
    if case.before:
        lab.sql(case.before)
    decisions = lab.path.with_name("trueup.toml")
    decisions.write_text(case.decisions)
    target = lab.target(case.models, time_limit=15.0, decisions=decisions, **case.settings)
    run = migrate(target)
    assert (run.status, run.error) == (Status.MIGRATED, None), case.elsewhere
    fresh = make_lab("fresh")
    fresh.create(case.models)
    assert lab.structure() == fresh.structure()
    assert tuple(sorted(lab.rows(case.query))) == case.found
    assert lab.healthy()
    assert len(list_backups(target)) == bool(case.before)
    again = migrate(target)
    assert (again.status, again.success, again.operations_executed) == (Status.IN_SYNC, True, 0)
    assert len(list_backups(target)) == bool(case.before)


# -- everything else ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scenario:
    elsewhere: str
    """What went wrong there."""
    here: Callable[[Lab], None]


SCENARIOS: dict[str, Scenario] = {}


def elsewhere(wrong: str) -> Callable[[Callable[[Lab], None]], None]:
    """Enter a function into the table."""

    def enter(here: Callable[[Lab], None]) -> None:
        SCENARIOS[here.__name__.replace("_", " ")] = Scenario(wrong, here)

    return enter


def filled(lab: Lab, journal_mode: str = "DELETE", rows: int = 2) -> None:
    lab.sql(f"""
        PRAGMA journal_mode = {journal_mode}; {BEFORE};
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {rows})
        INSERT INTO tasks SELECT x, 'task ' || x FROM n
    """)


def files(lab: Lab) -> dict[str, bytes]:
    """Every file in the directory of the database, and below it."""
    return {str(path): path.read_bytes() for path in lab.path.parent.rglob("*") if path.is_file()}


def fail_in_step(number: int, event: Event) -> None:
    if isinstance(event, StepFinished) and event.number == number:
        raise RuntimeError("it fails here")


@elsewhere("it took a backup, made a history, and created tables' order anew")
def up_to_date(lab: Lab) -> None:
    """A database that was always right is not written to: no history, no backup, no lock file."""
    lab.create(OLD)
    before = files(lab)
    assert lab.migrate(OLD).status is Status.IN_SYNC
    assert files(lab) == before


@elsewhere("a success: the column was added so that it takes NULL, and nobody heard of it again")
def not_null_without_a_value(lab: Lab) -> None:
    """Rows that have no value are a question for a person; nothing is changed until it is answered."""
    filled(lab)
    before = lab.dump()
    result = execute_startup_migration(lab.url, models=models(Column("must", Integer, nullable=False)))
    assert not result.success
    assert "tasks.must" in str(result.error_message)
    assert lab.dump() == before


@elsewhere("endless: STRING and INT never became VARCHAR and INTEGER, and every start made a backup")
def definitions_written_by_hand(lab: Lab) -> None:
    """What only is spelt otherwise is no difference, and what is another type becomes the models'."""
    lab.sql(f'CREATE TABLE "tasks" (id INT NOT NULL, title STRING, made TIMESTAMP, PRIMARY KEY (id)); {ROWS}')
    metadata = models(Column("made", DateTime))
    assert lab.migrate(metadata).success
    assert lab.migrate(metadata).status is Status.IN_SYNC
    assert len(list_backups(lab.target(metadata))) == 1
    assert lab.rows("SELECT id, typeof(id), title FROM tasks") == [(1, "integer", "one"), (2, "integer", "two")]


@elsewhere("the values stayed in the old column, beside a new one full of NULL")
def a_rename_that_nobody_told(lab: Lab) -> None:
    """It is a question, with the very decision that keeps the values; nothing is added before the answer."""
    lab.sql(f"{BEFORE}; ALTER TABLE tasks ADD COLUMN created TEXT; {ROWS}; UPDATE tasks SET created = 'today'")
    metadata = models(Column("created_at", Text))
    before = lab.dump()
    assert [item.change.id for item in lab.plan(metadata).blocked] == [
        "add column tasks.created_at",
        "drop column tasks.created",
    ]
    assert lab.migrate(metadata).status is Status.NEEDS_DECISION
    assert lab.dump() == before
    found = lab.plan(metadata, decisions=[Rename(table="tasks", column="created", to="created_at")])
    assert apply(found, lab.target(metadata)).success
    assert lab.rows("SELECT created_at FROM tasks") == [("today",), ("today",)]


@elsewhere("the warning at every start; a full backup each time, without end")
def a_column_that_left_stays_quietly(lab: Lab) -> None:
    """Without leave to drop, it stays with its values, inserts of the new models work, and later starts do nothing."""
    lab.sql(f"{BEFORE}; {ROWS}; ALTER TABLE tasks ADD COLUMN old TEXT NOT NULL DEFAULT 'kept'")
    target = lab.target(OLD)
    assert migrate(target).success
    before = len(list_backups(target))
    for _ in range(3):
        assert migrate(target).success
    assert len(list_backups(target)) == before
    lab.sql("INSERT INTO tasks (title) VALUES ('three')")
    assert lab.rows("SELECT old FROM tasks") == [("kept",)] * 3


@elsewhere("warned of removing fts_data and its own history at every look")
def tables_of_others(lab: Lab) -> None:
    """Virtual tables, what lies under them, other people's tables and the history are nobody's difference."""
    filled(lab)
    lab.sql("CREATE VIRTUAL TABLE fts USING fts5(body); CREATE TABLE theirs (id); INSERT INTO fts VALUES ('hello')")
    assert lab.migrate(NEW, policy=Policy.FULL).success
    found = lab.plan(NEW, policy=Policy.FULL)
    assert (found.assessments, found.warnings, found.in_step) == ((), (), True)
    assert lab.rows("SELECT body FROM fts WHERE fts MATCH 'hello'") == [("hello",)]


@elsewhere("the first three operations stayed, each with a commit of its own")
def the_fourth_of_four_steps_fails(lab: Lab) -> None:
    """Nothing of the first three stays, and the result counts none."""
    filled(lab)
    before = lab.dump()

    def more(metadata: MetaData) -> None:
        for name in "abcd":
            Table(name, metadata, Column("id", Integer, primary_key=True))

    run = migrate(lab.target(models(also=more)), report=partial(fail_in_step, 4))
    assert (run.success, run.operations_executed) == (False, 0)
    assert lab.dump() == before


@elsewhere("False was returned and the ALTER TABLE stayed: the driver opens no transaction for DDL")
def a_failure_after_the_first_statement(lab: Lab) -> None:
    """A run that says that it failed has changed nothing."""
    filled(lab)
    before = lab.dump()
    target = lab.target(NEW)
    assert not apply(plan(target), target, report=partial(fail_in_step, 1)).success
    assert lab.dump() == before


@elsewhere("it made a history and a full backup, and counted operations that it had not done")
def a_dry_run(lab: Lab) -> None:
    """It lists what a run would do, and writes nothing at all."""
    filled(lab)
    spec = lab.path.with_name("m.sql")
    spec.write_text(f"{BEFORE[:-1]}, CHECK (id > 0));")
    before = files(lab)
    answer = trueup("--auto", "--dry-run", "--json", "--url", lab.url, "--models", str(spec), cwd=lab.path.parent)
    assert (answer.json["operations_executed"], len(answer.json["plan"]["steps"])) == (0, 1)
    assert files(lab) == before


@elsewhere("it created the database, a directory and a table")
def a_look_at_the_status(lab: Lab) -> None:
    """To look makes no file and no directory."""
    plan(lab.target(OLD))
    position(lab.target(OLD))
    list_backups(lab.target(OLD))
    assert list(lab.path.parent.iterdir()) == []


@elsewhere("a second use of the same object saw the old schema, and failed over a duplicate column")
def the_same_objects_used_again(lab: Lab) -> None:
    """A target has no memory of its own."""
    filled(lab)
    target = lab.target(NEW)
    assert migrate(target).status is Status.MIGRATED
    assert plan(target).in_step
    lab.sql("ALTER TABLE tasks DROP COLUMN done")
    assert migrate(target).status is Status.MIGRATED
    assert migrate(target).status is Status.IN_SYNC


@elsewhere("the constructor raised the driver's error")
def what_is_no_database(lab: Lab) -> None:
    """Noise, a spoilt header and half a file are a result with a sentence, and are left as they are."""
    filled(lab, rows=2000)
    whole = lab.path.read_bytes()
    for content in (b"noise" * 3000, b"SQLite formax 3\0" + whole[16:], whole[: len(whole) // 2]):
        lab.path.write_bytes(content)
        result = execute_startup_migration(lab.url, models=NEW)
        assert not result.success
        assert "damaged" in str(result.error_message)
        assert lab.path.read_bytes() == content


@elsewhere("a success: the damaged file was migrated, and the damage backed up")
def damaged_pages(lab: Lab) -> None:
    """Nothing is migrated and no backup made of it; the sentence says what is damaged and names the good backups."""
    filled(lab, rows=5000)
    first = lab.migrate(NEW)
    assert first.backup is not None
    content = bytearray(lab.path.read_bytes())
    content[10 * 4096 : 11 * 4096] = b"\xa5" * 4096
    lab.path.write_bytes(content)
    run = lab.migrate(models(Column("done", Integer), Column("more", Integer)))
    assert run.status is Status.DAMAGED
    assert "table tasks" in str(run.error)
    assert first.backup.id in str(run.error)
    assert lab.path.read_bytes() == bytes(content)
    assert len(list_backups(lab.target(NEW))) == 1


@elsewhere("it failed: it wanted to create its history")
def a_file_that_may_only_be_read(lab: Lab) -> None:
    """Up to date it starts; where something is to do, the sentence says what is missing."""
    lab.create(OLD)
    spec = lab.path.with_name("m.sql")
    for script, code in ((BEFORE, 0), (f"{BEFORE}; CREATE TABLE more (id INTEGER PRIMARY KEY)", 3)):
        spec.write_text(script)
        lab.path.chmod(0o444)
        answer = trueup("--auto", "--url", lab.url, "--models", str(spec), cwd=lab.path.parent, as_user=True)
        assert answer.code == code, answer.err
        assert ("read-only" in answer.err) == bool(code)


@elsewhere("status raised where an answer was promised")
def a_directory_that_is_not_there(lab: Lab) -> None:
    """The start gets a result, the library an error in trueup's words, and no directory is made."""
    nowhere = f"sqlite:///{lab.path.parent}/no/such/app.db"
    assert "is not a directory" in str(execute_startup_migration(nowhere, models=OLD).error_message)
    with pytest.raises(errors.DatabaseUnreadable):
        plan(Lab(lab.path.parent / "no" / "app.db").target(OLD))
    assert not list(lab.path.parent.iterdir())


@elsewhere("no backup: 'unsupported database type', or 'file not found: app.db?timeout=3'")
def urls_with_a_driver_or_a_query(lab: Lab) -> None:
    """They mean the same file, with the same backup."""
    for number, url in enumerate((f"sqlite+pysqlite:///{lab.path}", f"sqlite:///{lab.path}?timeout=3")):
        shutil.rmtree(lab.path.parent / ".trueup", ignore_errors=True)
        lab.path.unlink(missing_ok=True)
        filled(lab)
        result = execute_startup_migration(url, models=NEW)
        assert (result.success, result.backup_created) == (True, True), number
        assert result.backup_info is not None
        assert Lab(result.backup_info.path).value("SELECT count(*) FROM tasks") == 2


@elsewhere("a history and a backup directory for what ends with the process")
def a_database_in_memory(lab: Lab) -> None:
    """A sentence says what to do instead."""
    for url in ("sqlite://", "sqlite:///:memory:"):
        assert "name a file" in str(execute_startup_migration(url, models=OLD).error_message)


@elsewhere("one of them failed: 'table migration_history already exists'")
def two_processes_and_an_empty_database(lab: Lab) -> None:
    """Both succeed; one of them made the tables."""
    assert sorted(begin_two(lab, OLD)) == ["in_sync", "migrated"]


@elsewhere("one of them failed: 'duplicate column name'; both made a backup")
def two_processes_and_rows(lab: Lab) -> None:
    """Both succeed; one of them migrated, and made the one backup."""
    filled(lab)
    assert sorted(begin_two(lab, NEW)) == ["in_sync", "migrated"]
    assert len(list_backups(lab.target(NEW))) == 1


def begin_two(lab: Lab, metadata: MetaData) -> list[str]:
    target = lab.target(metadata, time_limit=None, lock_timeout=60.0)
    children = [Child(tell_events, partial(migrate, target)) for _ in range(2)]
    ends = [child.hear_all()[-1] for child in children]
    assert [error for _, error in ends] == ["", ""]
    return [status for status, _ in ends]


@elsewhere("the row stayed 'running' for ever, and health was 100")
def killed_in_a_step(lab: Lab) -> None:
    """The next start does all of it, says what happened, and the history has the killed run as interrupted."""
    filled(lab)
    assert Child(die_at, partial(migrate, lab.target(NEW)), "StepFinished").end() < 0
    run = lab.migrate(NEW)
    assert run.status is Status.MIGRATED
    assert "was killed before its commit" in " ".join(run.warnings)
    assert [item.status for item in past_runs(lab.target(NEW))] == ["interrupted", "completed"]


@elsewhere("half a backup stayed, and was in no list")
def killed_in_the_backup(lab: Lab) -> None:
    """The next start takes the half backup away and makes a whole one."""
    filled(lab, rows=20_000)
    assert Child(die_at, partial(migrate, lab.target(NEW)), "BackupProgress").end() < 0
    backups = lab.path.parent / ".trueup" / "backups"
    assert list(backups.iterdir())
    assert lab.migrate(NEW).success
    (backup,) = list_backups(lab.target(NEW))
    assert sorted(path.name for path in backups.iterdir()) == [f"{backup.id}.db", f"{backup.id}.json"]


@elsewhere("the live database was malformed, and the next start only failed")
def killed_in_a_restore(lab: Lab) -> None:
    """The database is whole, old or restored, and the restore can be done again."""
    filled(lab, rows=20_000)
    run = lab.migrate(NEW)
    assert run.backup is not None
    for moment in ("RestoreProgress", "Verifying"):
        assert Child(die_at, partial(restore, run.backup, lab.target(NEW)), moment).end() < 0
        assert lab.healthy()
        assert lab.value("SELECT count(*) FROM tasks") == 20_000
        assert restore(run.backup, lab.target(NEW)).success
        assert "done" not in lab.stored("tasks")


@elsewhere("a limit of one second took five, while a writer held the database")
def a_time_limit_while_others_write(lab: Lab) -> None:
    """The wait is within the limit, whatever the lock timeout; nothing was changed."""
    filled(lab)
    with closing(sqlite3.connect(lab.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run = lab.migrate(NEW, time_limit=0.5, lock_timeout=3600.0)
    assert run.error is not None
    assert run.exit_code in (4, 5)  # on a slow machine the time may be over before the wait begins
    assert run.seconds < 60
    assert "done" not in lab.stored("tasks")


@elsewhere("a limit of 250 ms refused what takes five")
def an_estimate_for_a_small_database(lab: Lab) -> None:
    """What is estimated is of the order of what it takes."""
    filled(lab)
    plan(lab.target(NEW)).refuse_too_long(0.25, backup=True)


@elsewhere("'Not an executable object': it never worked")
def a_run_taken_back_by_sql(lab: Lab) -> None:
    """Without any backup the structure goes back, and rows written since stay."""
    filled(lab)
    assert lab.migrate(NEW, backup=False).success
    lab.sql("INSERT INTO tasks (id, title) VALUES (3, 'since')")
    assert undo(lab.target(NEW), accept_loss=True).status is Status.UNDONE
    assert lab.rows("SELECT * FROM tasks") == [(1, "task 1"), (2, "task 2"), (3, "since")]


@elsewhere("the rows written since were lost without a word, and the history with them")
def a_run_taken_back_with_its_backup(lab: Lab) -> None:
    """Dropped values come back, rows written since stay, and the history tells of both runs; a second undo is told."""
    lab.sql(f"{BEFORE}; {ROWS}; ALTER TABLE tasks ADD COLUMN old TEXT; UPDATE tasks SET old = 'value'")
    target = lab.target(OLD, policy=Policy.FULL)
    assert migrate(target).success
    lab.sql("INSERT INTO tasks (id, title) VALUES (3, 'since')")
    assert undo(target).status is Status.UNDONE
    assert lab.rows("SELECT id, old FROM tasks") == [(1, "value"), (2, "value"), (3, None)]
    assert [(run.kind, run.status) for run in past_runs(target)] == [("auto", "completed"), ("undo", "completed")]
    with pytest.raises(TrueupError):
        undo(target)


@elsewhere("right: it was refused by its checksum")
def a_backup_that_somebody_changed(lab: Lab) -> None:
    """It is refused, and the database stays."""
    filled(lab)
    backup = lab.migrate(NEW).backup
    assert backup is not None
    with closing(sqlite3.connect(backup.path)) as connection:
        connection.execute("UPDATE tasks SET title = 'other'")
        connection.commit()
    run = restore(backup, lab.target(NEW))
    assert isinstance(run.error, errors.BackupNotGood)
    assert "done" in lab.stored("tasks")


@elsewhere("the backup had 100 of 600 committed rows: only the main file was copied")
def a_backup_in_wal_mode(lab: Lab) -> None:
    """Everything that was committed is in it, wherever it lies."""
    filled(lab, "WAL", rows=100)
    with closing(sqlite3.connect(lab.path)) as other:
        other.execute("PRAGMA wal_autocheckpoint = 0")
        other.executemany("INSERT INTO tasks (title) VALUES (?)", [("in the log",)] * 500)
        other.commit()
        backup = lab.migrate(NEW).backup
    assert backup is not None
    assert backup.row_counts["tasks"] == 600
    assert Lab(backup.path).value("SELECT count(*) FROM tasks") == 600


@elsewhere("success, restored: and nothing was, the log was played over it")
def a_restore_while_a_connection_is_open_in_wal_mode(lab: Lab) -> None:
    """The open connection and every new one see the backup's content."""
    filled(lab, "WAL")
    backup = lab.migrate(NEW).backup
    assert backup is not None
    with closing(sqlite3.connect(lab.path)) as other:
        other.execute("INSERT INTO tasks (title) VALUES ('since')")
        other.commit()
        assert restore(backup, lab.target(NEW)).success
        for connection in (other, sqlite3.connect(lab.path)):
            assert connection.execute("SELECT * FROM tasks").fetchall() == [(1, "task 1"), (2, "task 2")]
    connection.close()
    assert lab.healthy()


@elsewhere("success, with an error text; the other's commit then wrote over the restored pages")
def a_restore_while_another_transaction_is_open(lab: Lab) -> None:
    """It says that the database is held, changes nothing, and the other one commits what it wrote."""
    for mode in ("WAL", "DELETE"):
        lab.path.unlink(missing_ok=True)
        filled(lab, mode)
        backup = lab.migrate(NEW).backup
        assert backup is not None
        with closing(sqlite3.connect(lab.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO tasks (title) VALUES ('theirs')")
            run = restore(backup, lab.target(NEW, lock_timeout=0.1))
            assert (run.success, type(run.error)) == (False, errors.DatabaseBusy)
            other.execute("COMMIT")
        assert lab.value("SELECT count(*) FROM tasks WHERE title = 'theirs'") == 1
        assert "done" in lab.stored("tasks")
        assert lab.healthy()
        assert restore(backup, lab.target(NEW)).success


@elsewhere("half a file stayed behind")
def no_room_for_the_backup(lab: Lab) -> None:
    """The run ends before it began, and leaves nothing."""
    filled(lab, rows=20_000)
    before = lab.dump()
    told = Child(run_out_of_room, partial(migrate, lab.target(NEW)), 100_000).hear_all()
    assert told[-1][0] == "failed"
    assert "No verified backup could be made" in told[-1][1]
    assert lab.dump() == before
    assert not [path for path in (lab.path.parent / ".trueup").rglob("*") if path.is_file()]


@elsewhere("right, and fast")
def two_columns_for_many_rows(lab: Lab) -> None:
    """No row is read or written for columns that nothing has to be filled into."""
    filled(lab, rows=100_000)
    found = lab.plan(models(Column("a", Integer), Column("b", Integer, nullable=False, server_default="1")))
    assert [step.form for step in found.steps] == [Form.IN_PLACE] * len(found.steps)
    assert apply(found, lab.target(NEW)).success


@elsewhere("old backups were never removed: nothing called the function")
def backups_that_have_served_their_time(lab: Lab) -> None:
    """A run removes them."""
    filled(lab)
    long_ago = datetime.now(UTC) - timedelta(days=31)
    old = migrate(lab.target(NEW), now=lambda: long_ago).backup
    assert old is not None
    assert [item.id for item in lab.migrate(models(Column("done", Integer), Column("b", Text))).removed_backups] == [
        old.id
    ]
    assert not old.path.exists()


@elsewhere("the row of a failure was lost, or lost its error")
def failures_are_in_the_history(lab: Lab) -> None:
    """A run that failed is told as one, with its error."""
    filled(lab)
    assert lab.migrate(NEW).success
    run = migrate(lab.target(models(Column("done", Integer), Column("b", Text))), report=partial(fail_in_step, 1))
    assert [item.status for item in past_runs(lab.target(NEW))] == ["completed", "rolled_back"]
    assert past_runs(lab.target(NEW))[-1].error == str(run.error)


@elsewhere("two failures of two were HEALTHY 80; a database without a history was CRITICAL 0")
def health(lab: Lab) -> None:
    """A database that nothing happened to is healthy, and one whose runs fail is not."""
    filled(lab)
    assert get_system_health(lab.target(OLD)).state is HealthState.HEALTHY
    assert lab.migrate(NEW).success
    assert get_system_health(lab.target(NEW)).state is HealthState.HEALTHY
    more = lab.target(models(Column("done", Integer), Column("b", Text)))
    for _ in range(2):
        assert migrate(more, report=partial(fail_in_step, 1)).error is not None
    assert get_system_health(more).state is not HealthState.HEALTHY


@elsewhere("it held addresses of the memory, so that no two were equal")
def a_checksum_of_the_plan(lab: Lab) -> None:
    """Two processes have the same for the same plan."""
    filled(lab)
    spec = lab.path.with_name("m.sql")
    spec.write_text(f"{BEFORE}; CREATE TABLE more (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x')")
    look = ("--check", "--json", "--url", lab.url, "--models", str(spec))
    one, two = (trueup(*look, cwd=lab.path.parent).json["plan"]["checksum"] for _ in range(2))
    assert one == two


@elsewhere("the backup and the history had two different ids")
def one_id_for_the_run_and_its_backup(lab: Lab) -> None:
    """The history, the backup and the result speak of one run."""
    filled(lab)
    run = lab.migrate(NEW)
    (past,) = past_runs(lab.target(NEW))
    (backup,) = list_backups(lab.target(NEW))
    assert run.id == past.id == backup.run_id
    assert past.backup_id == backup.id
    assert verify_backup(backup, lab.target(NEW)).problem == ""


@elsewhere("the whole URL was logged, with its password")
def a_password_in_the_url(lab: Lab) -> None:
    """It is in no line that is printed or logged, nor in a file that stays."""
    filled(lab)
    spec = lab.path.with_name("m.sql")
    spec.write_text(f"{BEFORE}; CREATE TABLE more (id INTEGER PRIMARY KEY)")
    url = f"sqlite://someone:s3cret@/{lab.path}"
    for options in (("--auto", "--verbose"), ("--check", "--json"), ("backups",), ("history",)):
        answer = trueup(*options, "--url", url, "--models", str(spec), cwd=lab.path.parent)
        assert "s3cret" not in answer.out + answer.err
    assert not [name for name, content in files(lab).items() if b"s3cret" in content]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_what_can_happen_to_a_run(lab: Lab, monkeypatch: pytest.MonkeyPatch, scenario: Scenario) -> None:
    """Each scenario ends right; see the docstring of its row."""
    monkeypatch.chdir(lab.path.parent)
    scenario.here(lab)
