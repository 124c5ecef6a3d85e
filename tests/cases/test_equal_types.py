"""Types that a database and its models spell in two ways: the same to SQLite, or not; and what a run then does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Integer, MetaData, String, text

from trueup import Form, Policy, Status

from ..command import people, trueup, write_models
from .mutations import key, t

if TYPE_CHECKING:
    from pathlib import Path

    from ..conftest import Lab

COSMETIC: dict[str, Any] = {
    "INT": Integer,
    "int(11)": Integer,
    "INT8": sa.BigInteger,
    "CHARACTER VARYING": String,
    "UNSIGNED BIG INT": sa.SmallInteger,
    "CLOB": sa.Text,
    "NVARCHAR(50)": String(50),
    "VARYING CHARACTER(50)": String(50),
    "REAL": sa.Float,
    "DOUBLE PRECISION": sa.Float,
    "BOOL": sa.Boolean,
    "TIMESTAMP": sa.DateTime,
    "DECIMAL(10,2)": sa.Numeric(10, 2),
}
"""What the database says, and what the models say. The affinities are SQLite's own."""

DIFFERENT: dict[str, Any] = {
    "STRING": String,  # has numeric affinity, so that '007' is stored as 7
    "FLOATING POINT": Integer,  # has the affinity of an integer because of its last letters; nobody meant that
    "INTERVAL": Integer,
    "VARCHAR(50)": String(60),
    "TEXT": String(50),
    "DECIMAL(10,2)": sa.Numeric(12, 2),
    "DATE": sa.DateTime,  # the application stores another text
    "NUMERIC": sa.Boolean,
    "": String,
    "BLOB": String,
    "UUID": String,
    "JSON": sa.Text,
}

CHOSEN: dict[str, Any] = {
    "INTEGER": sa.BigInteger,
    "BIGINT": Integer,
    "VARCHAR": sa.Text,
    "TEXT": String,
    "FLOAT": sa.Double,
    "DATETIME": sa.TIMESTAMP,
}
"""What one of SQLAlchemy's own types is called, and another type that stores the same."""


class Anything(sa.types.UserDefinedType[Any]):
    """SQLite's type that takes everything."""

    def get_col_spec(self, **_: Any) -> str:
        return "ANY"


def models(type_: Any) -> MetaData:
    return t(key(), Column("c", type_))


def handwritten(lab: Lab, type_: str) -> None:
    lab.sql(f"CREATE TABLE t (id INTEGER PRIMARY KEY, c {type_})")


@pytest.mark.parametrize(("said", "wish"), COSMETIC.items(), ids=COSMETIC)
def test_cosmetic(lab: Lab, said: str, wish: Any) -> None:
    """Another spelling of the same is no change but a note, and a run writes nothing."""
    handwritten(lab, said)
    plan = lab.plan(models(wish), policy=Policy.FULL)
    assert (plan.assessments, plan.steps, plan.in_step) == ((), (), True)
    (note,) = plan.spellings
    assert note.startswith(f"t.c is declared {said}, which stores the same as the models' ")
    before = lab.dump()
    assert lab.migrate(models(wish), policy=Policy.FULL).status is Status.IN_SYNC
    assert lab.dump() == before


@pytest.mark.parametrize(("said", "wish"), COSMETIC.items(), ids=COSMETIC)
def test_cosmetic_in_fact(lab: Lab, said: str, wish: Any) -> None:
    """SQLite stores any value in both in the same way."""
    handwritten(lab, said)
    wanted = str(sa.schema.CreateColumn(Column("c", wish)).compile(dialect=sa.create_engine("sqlite://").dialect))
    lab.sql(f"CREATE TABLE u (id INTEGER PRIMARY KEY, {wanted})")
    values = ("'007'", "'1.50'", "'abc'", "5", "5.0", "1e20", "x'00'", "NULL", "'9223372036854775808'", "'true'")
    for table in ("t", "u"):
        lab.sql(f"INSERT INTO {table} (c) VALUES ({'), ('.join(values)})")
    stored = [lab.rows(f"SELECT typeof(c), c FROM {table} ORDER BY id") for table in ("t", "u")]
    assert stored[0] == stored[1]


@pytest.mark.parametrize(("said", "wish"), DIFFERENT.items(), ids=[name or "none" for name in DIFFERENT])
def test_different(lab: Lab, said: str, wish: Any) -> None:
    """Another affinity, another length, or another meaning is a change, and after one run nothing differs."""
    handwritten(lab, said)
    assert lab.found(models(wish)) == [("AlterColumn", "change column t.c")]
    assert lab.migrate(models(wish)).status is Status.MIGRATED
    assert (lab.found(models(wish)), lab.plan(models(wish)).spellings) == ([], ())


@pytest.mark.parametrize(("said", "wish"), CHOSEN.items(), ids=CHOSEN)
def test_chosen(lab: Lab, said: str, wish: Any) -> None:
    """Where models have another type than the models that made the column, the stored definition follows them, and
    no row is touched."""
    handwritten(lab, said)
    assert [step.form for step in lab.plan(models(wish)).steps] == [Form.SCHEMA_EDIT]
    assert lab.migrate(models(wish)).status is Status.MIGRATED
    assert (lab.found(models(wish)), lab.plan(models(wish)).spellings) == ([], ())


@pytest.mark.parametrize("said", ["INT PRIMARY KEY", "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY DESC"])
def test_only_integer_is_the_rowid(lab: Lab, said: str) -> None:
    """For a key it matters: only INTEGER PRIMARY KEY is the rowid."""
    lab.sql(f"CREATE TABLE t (id {said}, c TEXT); INSERT INTO t VALUES (5, 'x')")
    assert lab.found(models(sa.Text))
    assert lab.migrate(models(sa.Text), policy=Policy.FULL).status is Status.MIGRATED
    assert (lab.found(models(sa.Text)), lab.rows("SELECT rowid, c FROM t")) == ([], [(5, "x")])


def test_a_key_without_rowid(lab: Lab) -> None:
    """Where there is no rowid, or the key has two columns, INT and INTEGER are the same for a key too."""
    lab.sql("CREATE TABLE t (id INT PRIMARY KEY, c TEXT) WITHOUT ROWID")
    assert lab.found(t(key(), Column("c", sa.Text), sqlite_with_rowid=False)) == []


def test_strict_tables(lab: Lab) -> None:
    """In a STRICT table INT and INTEGER are one type too, and ANY takes a default as it is written."""
    lab.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, c INT, d ANY DEFAULT '5') STRICT")
    wanted = t(key(), Column("c", Integer), Column("d", Anything, server_default=text("5")), sqlite_strict=True)
    assert lab.found(wanted) == [("AlterColumn", "change column t.d")]
    assert lab.plan(wanted, policy=Policy.CHECK).spellings == (
        "t.c is declared INT, which stores the same as the models' INTEGER",
    )


def test_a_change_beside_a_cosmetic_difference(lab: Lab) -> None:
    """What a run changes in place in the same table does not make the spelling a difference."""
    handwritten(lab, "INT")
    more = t(key(), Column("c", Integer), Column("d", String))
    assert lab.applied(more) == ["add column t.d"]
    assert lab.migrate(more).status is Status.MIGRATED
    assert (lab.found(more), len(lab.plan(more).spellings)) == ([], 1)


@pytest.mark.parametrize(
    ("form", "options"), [(Form.SCHEMA_EDIT, {"server_default": text("5")}), (Form.REBUILD, {"unique": True})]
)
def test_a_definition_that_is_written_anew(lab: Lab, form: Form, options: dict[str, Any]) -> None:
    """Where a run writes the table's definition anyway, the models' spelling comes along."""
    handwritten(lab, "INT")
    wanted = t(key(), Column("c", Integer, **options))
    assert [step.form for step in lab.plan(wanted).steps] == [form]
    assert lab.migrate(wanted).status is Status.MIGRATED
    assert (lab.found(wanted), lab.plan(wanted).spellings) == ([], ())


SAME_DEFAULT = [("INTEGER", "'5'", "5"), ("INTEGER", "5.0", "5"), ("INTEGER", "'-5'", "- 5"), ("DATETIME", "'0'", "0")]
SAME_DEFAULT += [
    ("NUMERIC(10, 2)", "1.50", "'1.5'"),
    ("FLOAT", "0", "0.0"),
    ("FLOAT", "'1'", "1"),
    ("BOOLEAN", "'1'", "1"),
]
SAME_DEFAULT += [
    ("VARCHAR", "5", "'5'"),
    ("VARCHAR", "-5", "'-5'"),
    ("BOOLEAN", "FALSE", "'0'"),
    ("INTEGER", "+5", "5"),
]

OTHER_DEFAULT = [("BLOB", "'5'", "5"), ("VARCHAR", "'05'", "5"), ("VARCHAR", "5.0", "'5'"), ("VARCHAR", "'-0'", "-0")]
OTHER_DEFAULT += [("INTEGER", "'five'", "5"), ("INTEGER", "5.5", "5"), ("FLOAT", "0.1", "0.10000001")]

KINDS = {"INTEGER": Integer, "VARCHAR": String, "DATETIME": sa.DateTime, "BLOB": sa.LargeBinary, "FLOAT": sa.Float}
KINDS |= {"BOOLEAN": sa.Boolean, "NUMERIC(10, 2)": sa.Numeric(10, 2)}


@pytest.mark.parametrize(("type_", "said", "wish"), SAME_DEFAULT)
def test_defaults_that_are_stored_alike(lab: Lab, type_: str, said: str, wish: str) -> None:
    """A number in other digits or in quotes is the same default where the column stores the same for both."""
    handwritten(lab, f"{type_} DEFAULT {said}")
    assert lab.found(t(key(), Column("c", KINDS[type_], server_default=text(wish)))) == []
    assert len(stored_defaults(lab, type_, wish)) == 1


@pytest.mark.parametrize(("type_", "said", "wish"), OTHER_DEFAULT)
def test_defaults_that_are_stored_otherwise(lab: Lab, type_: str, said: str, wish: str) -> None:
    """Where the column stores something else for the other one, it is another default."""
    handwritten(lab, f"{type_} DEFAULT {said}")
    wanted = t(key(), Column("c", KINDS[type_], server_default=text(wish)))
    assert lab.found(wanted) == [("AlterColumn", "change column t.c")]
    assert len(stored_defaults(lab, type_, wish)) == 2


def stored_defaults(lab: Lab, type_: str, wish: str) -> list[Any]:
    """What SQLite puts into table ``t`` and into one with the other default."""
    lab.sql(f"CREATE TABLE u (id INTEGER PRIMARY KEY, c {type_} DEFAULT {wish})")
    lab.sql("INSERT INTO t DEFAULT VALUES; INSERT INTO u DEFAULT VALUES")
    return lab.rows("SELECT typeof(c), c FROM t UNION SELECT typeof(c), c FROM u")


SCENARIO = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, name STRING, made TIMESTAMP, count INT, label TEXT COLLATE NOCASE);
    INSERT INTO t VALUES (1, 'one', '2024-01-31 10:00:00', 5, 'Label'), (2, NULL, NULL, NULL, NULL);
"""


def test_a_handwritten_database_ends_in_step(lab: Lab) -> None:
    """STRING, TIMESTAMP, INT and COLLATE written by hand: one run at most, then nothing differs at any start."""
    lab.sql(SCENARIO)
    wanted = t(
        key(),
        Column("name", String),
        Column("made", sa.DateTime),
        Column("count", Integer),
        Column("label", sa.Text),
    )
    assert lab.applied(wanted) == ["change column t.name", "change column t.label"]
    rows = lab.rows("SELECT * FROM t")
    assert lab.migrate(wanted).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM t") == rows
    for _ in range(2):
        assert lab.migrate(wanted).status is Status.IN_SYNC


def test_comments_in_the_models(lab: Lab) -> None:
    """SQLite has no comments, so those of the models are no difference, neither new nor changed."""
    lab.create(t(key(), Column("c", String, comment="old"), comment="old"))
    for words in ("new", None):
        wanted = t(key(), Column("c", String, comment=words), comment=words)
        assert lab.found(wanted) == []
        assert lab.migrate(wanted).status is Status.IN_SYNC


def test_spellings_are_told(lab: Lab, tmp_path: Path) -> None:
    """--check and JSON tell them, and the exit code is that of a database in step."""
    lab.sql("CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20), age INT)")
    spec = write_models(tmp_path / "models.py", people('Column("age", Integer)'))
    words = trueup("--check", "--models", spec, "--url", lab.url, cwd=tmp_path)
    assert (words.code, "note: people.age is declared INT, which stores the same" in words.out) == (0, True)
    told = trueup("--check", "--json", "--models", spec, "--url", lab.url, cwd=tmp_path).json
    assert (told["status"], len(told["spellings"])) == ("in_sync", 1)
