"""The wanted side without Python: a file of CREATE statements, or another database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trueup import Backfill, Policy, Status

from ..command import trueup
from .mutations import ROWS, a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

SCRIPT = """\
-- the whole schema; with comments
CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER, extra TEXT DEFAULT 'it''s; fine');
CREATE INDEX ix_a ON t (a);
CREATE VIEW v AS SELECT id, extra FROM t;
CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = 'x' WHERE id = 0; SELECT 1; END;
"""
FOUND = ["add column t.extra", "add index t.ix_a", "add view v", "add trigger t.tr"]


@pytest.fixture
def behind(lab: Lab) -> Lab:
    """A database with rows that is behind the script."""
    lab.create(t(key(), a(), n()))
    lab.sql(ROWS)
    return lab


@pytest.fixture(params=["file", "database"])
def wanted(request: pytest.FixtureRequest, tmp_path: Path, make_lab: Callable[[str], Lab]) -> str:
    """The same schema in both forms."""
    if request.param == "file":
        (tmp_path / "schema.sql").write_text(SCRIPT)
        return str(tmp_path / "schema.sql")
    other = make_lab("other")
    other.sql(SCRIPT)
    return other.url


def test_everything_is_found_and_applied(behind: Lab, wanted: str) -> None:
    """All differences are found and removed, rows stay, and then nothing differs; the next start compares nothing."""
    assert [found for _, found in behind.found(wanted)] == FOUND
    assert behind.migrate(wanted).status is Status.MIGRATED
    assert behind.value("SELECT count(*) FROM v WHERE extra = 'it''s; fine'") == 5
    assert behind.found(wanted) == []
    assert behind.migrate(wanted).plan is None


def test_another_database_is_only_read(behind: Lab, make_lab: Callable[[str], Lab]) -> None:
    """The other database stays as it is, its own history is no part of the wanted schema, nor is one in a script."""
    other = make_lab("other")
    other.sql(SCRIPT)
    other.migrate(t(key(), a(), n(), name="more"))
    before = other.dump()
    assert behind.migrate(other.url).status is Status.MIGRATED
    assert other.dump() == before
    assert "more" in behind.names()


def test_what_sqlite_prints_of_a_schema(lab: Lab, make_lab: Callable[[str], Lab], tmp_path: Path) -> None:
    """The schema that the sqlite3 shell prints is accepted, with SQLite's and trueup's own tables and shadow tables."""
    lab.sql(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t (a) VALUES (1);"
        " CREATE VIRTUAL TABLE words USING fts5(text); ANALYZE;"
    )
    assert lab.migrate(t(key(), name="u")).status is Status.MIGRATED
    rows = lab.rows(
        "SELECT replace(sql, 'CREATE TABLE ''words', 'CREATE TABLE IF NOT EXISTS ''words') FROM sqlite_schema"
    )
    (tmp_path / "schema.sql").write_text(";\n".join(sql for (sql,) in rows if sql) + ";\n")
    fresh = make_lab("fresh")
    assert fresh.migrate(str(tmp_path / "schema.sql")).status is Status.MIGRATED
    assert lab.found(str(tmp_path / "schema.sql")) == []
    assert fresh.found(lab.url) == []


def test_a_value_comes_from_a_decision(behind: Lab, tmp_path: Path) -> None:
    """Without Python there are no defaults of the models; a decision gives the rows their value."""
    (tmp_path / "schema.sql").write_text(SCRIPT.replace("extra TEXT DEFAULT 'it''s; fine'", "extra TEXT NOT NULL"))
    spec = str(tmp_path / "schema.sql")
    assert behind.migrate(spec).status is Status.NEEDS_DECISION
    plan = behind.plan(spec, decisions=[Backfill(table="t", column="extra", value="x")])
    assert not plan.blocked


@pytest.mark.parametrize("spelt", ["id", "ID"])
def test_rows_keep_their_number_as_their_key(lab: Lab, tmp_path: Path, spelt: str) -> None:
    """The number of each row becomes the value of a new key, in whatever case the key names its column."""
    lab.sql("CREATE TABLE t (a TEXT); INSERT INTO t (rowid, a) VALUES (10, 'x'), (20, 'y'), (35, 'z')")
    (tmp_path / "schema.sql").write_text(f"CREATE TABLE t (a TEXT, id INTEGER, PRIMARY KEY ({spelt}))")
    assert lab.migrate(str(tmp_path / "schema.sql")).status is Status.MIGRATED
    assert lab.rows("SELECT id, a FROM t") == [(10, "x"), (20, "y"), (35, "z")]


NOTHING = {
    "empty": "",
    "comments": "-- nothing; yet\n/* CREATE TABLE t (x); */",
    "a view only": "CREATE VIEW v AS SELECT 1;",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_an_empty_script_is_a_mistake(behind: Lab, tmp_path: Path, text: str) -> None:
    """A script without tables does not mean that all are to go."""
    (tmp_path / "schema.sql").write_text(text)
    before = behind.dump()
    run = behind.migrate(str(tmp_path / "schema.sql"), policy=Policy.FULL, owned_tables=("*",))
    assert (run.exit_code, "they declare no tables" in str(run.error)) == (2, True)
    assert behind.dump() == before


def test_a_database_that_is_not_there(behind: Lab, tmp_path: Path) -> None:
    """Nor does another database that is empty or missing, and it is not created."""
    run = behind.migrate(f"sqlite:///{tmp_path / 'none.db'}", policy=Policy.FULL, owned_tables=("*",))
    assert (run.exit_code, "they declare no tables" in str(run.error)) == (2, True)
    assert not (tmp_path / "none.db").exists()


BAD = {
    "INSERT INTO t VALUES (1)": "line 2: only CREATE can stand in it: INSERT INTO t VALUES (1)",
    "DROP TABLE t": "only CREATE can stand in it",
    "ATTACH 'x.db' AS x": "only CREATE can stand in it",
    "PRAGMA writable_schema = ON": "only CREATE can stand in it",
    "CREATE TABLE t (id)": "table t already exists",
    "CREATE TABLE u (id": "incomplete input",
}


@pytest.mark.parametrize(("sql", "problem"), BAD.items())
def test_a_bad_script(behind: Lab, tmp_path: Path, sql: str, problem: str) -> None:
    """A statement that is wrong or no CREATE is told with file and line; nothing is done, here or elsewhere."""
    (tmp_path / "schema.sql").write_text(f"CREATE TABLE t (id INTEGER PRIMARY KEY);\n{sql}\n")
    run = behind.migrate(str(tmp_path / "schema.sql"))
    assert (run.exit_code, problem in str(run.error), "schema.sql, line 2" in str(run.error)) == (2, True, True)
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("missing.sql", "missing.sql cannot be read"),
        ("postgresql://me:secret@db/app", "postgresql"),
        ("sqlite://:memory:x:", "The database URL cannot be read"),
        ("sqlite:///damaged.db", "damaged"),
    ],
)
def test_what_cannot_be_read(behind: Lab, tmp_path: Path, spec: str, problem: str) -> None:
    """A missing file, another kind of database and a damaged one are told, without a password."""
    (tmp_path / "damaged.db").write_bytes(b"no database at all" * 100)
    run = behind.migrate(spec, base=tmp_path)
    assert not run.success
    assert problem in str(run.error)
    assert "secret" not in str(run.error)


def test_on_the_command_line(behind: Lab, tmp_path: Path, wanted: str) -> None:
    """--models takes both forms."""
    found = trueup("--check", "--models", wanted, "--url", behind.url, cwd=tmp_path)
    assert found.code == 1
    assert "+ add view v" in found.out
    assert trueup("--auto", "--models", wanted, "--url", behind.url, cwd=tmp_path).code == 0


def test_the_script_is_relative_to_the_configuration(behind: Lab, tmp_path: Path) -> None:
    """A path in the settings starts from the configuration file, as all others do."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "schema.sql").write_text(SCRIPT)
    with sqlite3.connect(behind.path) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (5,)
    assert behind.found("sql/schema.sql", base=tmp_path)
