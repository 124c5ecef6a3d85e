"""Which definitions of a table can stand for the same pages, and which cannot: both directions of every pair."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from trueup.dialects.sqlite.layout import Layout, difference, read_layout
from trueup.dialects.sqlite.reader import read_schema


def layout(script: str) -> Layout:
    """The layout of table t after the statements."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        table = read_schema(connection).table("t")
        assert table is not None
        found = read_layout(connection, table)
        assert found is not None
        return found


T = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL, c TEXT UNIQUE)"
INDEX = "; CREATE INDEX ia ON t (a)"
GENERATED = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, g TEXT AS (a || 1) {})"

SAME = {
    "NOT NULL": (T, T.replace(" NOT NULL", "")),
    "CHECK": (T, T[:-1] + ", CONSTRAINT k CHECK (b > 0))"),
    "a default": (T, T.replace("a TEXT", "a TEXT DEFAULT 'q'")),
    "a named UNIQUE": (T, T.replace("c TEXT UNIQUE", "c TEXT CONSTRAINT u UNIQUE")),
    "UNIQUE beside its column or in the table": (T, T.replace("c TEXT UNIQUE", "c TEXT, CONSTRAINT u UNIQUE (c)")),
    "a type of the same affinity": (T, T.replace("a TEXT", "a VARCHAR(5)")),
    "no type and BLOB": (T.replace("a TEXT", "a"), T.replace("a TEXT", "a BLOB")),
    "INTEGER and NUMERIC": (T, T.replace("b INTEGER", "b DECIMAL(10, 2)")),
    "a foreign key": (T, T[:-1] + ", FOREIGN KEY (b) REFERENCES p (id))"),
    "its actions": (
        T[:-1] + ", FOREIGN KEY (b) REFERENCES p (id))",
        T[:-1] + ", FOREIGN KEY (b) REFERENCES p (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)",
    ),
    "STRICT": (T, T + " STRICT"),
    "ON CONFLICT": (T, T.replace("UNIQUE", "UNIQUE ON CONFLICT REPLACE")),
    "ON CONFLICT of one of two": (
        "CREATE TABLE t (a UNIQUE, b UNIQUE)",
        "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, b UNIQUE)",
    ),
    "COLLATE of a column in no index": (T + INDEX, T.replace("b INTEGER", "b INTEGER COLLATE NOCASE") + INDEX),
    "a virtual expression": (GENERATED.format("VIRTUAL"), GENERATED.format("").replace("|| 1", "|| 2")),
    "a virtual column more": (T, T.replace("c TEXT UNIQUE", "v TEXT AS (a), c TEXT UNIQUE")),
    "comments and white space": (T, T.replace(", ", " /* a, b */ ,\n -- c\n")),
    "the name of the key": (T, T.replace("PRIMARY KEY", "CONSTRAINT pk PRIMARY KEY")),
}

OTHER = {
    "another affinity": (T, T.replace("a TEXT", "a INTEGER"), "affinity of a"),
    "REAL and NUMERIC": (T.replace("a TEXT", "a REAL"), T.replace("a TEXT", "a NUMERIC"), "affinity of a"),
    "TEXT and BLOB": (T, T.replace("a TEXT", "a BLOB"), "affinity of a"),
    "ANY in a STRICT table": (
        "CREATE TABLE t (a ANY) STRICT",
        "CREATE TABLE t (a ANY)",
        "affinity of a",
    ),
    "COLLATE of an indexed column": (T + INDEX, T.replace("a TEXT", "a TEXT COLLATE NOCASE") + INDEX, "collation of a"),
    "COLLATE of a UNIQUE column": (T, T.replace("c TEXT", "c TEXT COLLATE NOCASE"), "UNIQUE constraints"),
    "COLLATE of a column in an index's WHERE": (
        T + "; CREATE INDEX i ON t (b) WHERE a = 'x'",
        T.replace("a TEXT", "a TEXT COLLATE NOCASE") + "; CREATE INDEX i ON t (b) WHERE a = 'x'",
        "collation of a",
    ),
    "COLLATE of a column in an index's expression": (
        T + "; CREATE INDEX i ON t ((a = 'x'))",
        T.replace("a TEXT", "a TEXT COLLATE NOCASE") + "; CREATE INDEX i ON t ((a = 'x'))",
        "collation of a",
    ),
    "COLLATE of a column that a stored one compares": (
        "CREATE TABLE t (a TEXT, g INTEGER AS (a = 'x') STORED)",
        "CREATE TABLE t (a TEXT COLLATE NOCASE, g INTEGER AS (a = 'x') STORED)",
        "collation of a",
    ),
    "UNIQUE": (T, T.replace("a TEXT", "a TEXT UNIQUE"), "UNIQUE constraints"),
    "UNIQUE in another order": (
        "CREATE TABLE t (a, b, UNIQUE (a), UNIQUE (b))",
        "CREATE TABLE t (a, b, UNIQUE (b), UNIQUE (a))",
        "UNIQUE constraints",
    ),
    "another order of columns": (
        T,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b INTEGER NOT NULL, a TEXT, c TEXT UNIQUE)",
        "the columns or their order",
    ),
    "a column more": (T, T.replace("a TEXT", "a TEXT, d TEXT"), "the columns or their order"),
    "a key that is the rowid, and one that is not": (
        T,
        T.replace("INTEGER PRIMARY", "INT PRIMARY"),
        "UNIQUE constraints",
    ),
    "INTEGER PRIMARY KEY DESC": (T, T.replace("PRIMARY KEY", "PRIMARY KEY DESC"), "UNIQUE constraints"),
    "a key of text": (T, T.replace("id INTEGER", "id TEXT"), "affinity of id"),
    "another order of the key": (
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b))",
        "CREATE TABLE t (a, b, PRIMARY KEY (b, a))",
        "primary key",
    ),
    "another direction of the key": (
        "CREATE TABLE t (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "CREATE TABLE t (a, b, PRIMARY KEY (a DESC, b)) WITHOUT ROWID",
        "UNIQUE constraints",
    ),
    "WITHOUT ROWID": (T, T + " WITHOUT ROWID", "WITHOUT ROWID"),
    "AUTOINCREMENT": (T, T.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT"), "AUTOINCREMENT"),
    "a stored expression": (
        GENERATED.format("STORED"),
        GENERATED.format("STORED").replace("|| 1", "|| 2"),
        "generated column g",
    ),
    "stored and virtual": (GENERATED.format("STORED"), GENERATED.format("VIRTUAL"), "the columns or their order"),
    "plain and stored": (
        GENERATED.format("STORED"),
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, g TEXT)",
        "generated column g",
    ),
    "an indexed virtual expression": (
        GENERATED.format("VIRTUAL") + "; CREATE INDEX i ON t (g)",
        GENERATED.format("VIRTUAL").replace("|| 1", "|| 2") + "; CREATE INDEX i ON t (g)",
        "generated column g",
    ),
    "a virtual expression under an indexed one": (
        "CREATE TABLE t (a TEXT, g TEXT AS (a || 1), h TEXT AS (g)); CREATE INDEX i ON t (h)",
        "CREATE TABLE t (a TEXT, g TEXT AS (a || 2), h TEXT AS (g)); CREATE INDEX i ON t (h)",
        "generated column g",
    ),
    "another index": (T + INDEX, T + "; CREATE INDEX ia ON t (a DESC)", "what its indexes hold"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_the_same_layout(one: str, other: str) -> None:
    """SQLite finds the same rows under either definition."""
    assert (difference(layout(one), layout(other)), difference(layout(other), layout(one))) == ("", "")


@pytest.mark.parametrize(("one", "other", "what"), OTHER.values(), ids=OTHER)
def test_another_layout(one: str, other: str, what: str) -> None:
    """The rows would be read wrongly under the other definition, and it is said what is stored in another way."""
    assert what in difference(layout(one), layout(other))
    assert what in difference(layout(other), layout(one))


ROWS = "; INSERT INTO t (id, a, b, c) VALUES (1, 'x', 1, 'p'), (2, 'X', 2, 'q'), (3, '5', 3, 'r')"
READS = ("PRAGMA integrity_check", "SELECT * FROM t WHERE a IN ('x', 5) ORDER BY a", "SELECT c FROM t WHERE c > 'p'")
ON_T = {name: pair for name, pair in SAME.items() if pair[0].startswith(T) and "FOREIGN" not in pair[1]}


@pytest.mark.parametrize(("one", "other"), ON_T.values(), ids=ON_T)
def test_the_same_pages(one: str, other: str) -> None:
    """Rows whose definition is exchanged read as those that were written under the other one from the start."""
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as exchanged,
        closing(sqlite3.connect(":memory:")) as fresh,
    ):
        exchanged.executescript(one + ROWS)
        fresh.executescript(other + ROWS)
        (sql,) = fresh.execute("SELECT sql FROM sqlite_schema WHERE name = 't'").fetchone()
        exchanged.execute("PRAGMA writable_schema = ON")
        exchanged.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 't'", (sql,))
        exchanged.execute("PRAGMA writable_schema = OFF")
        exchanged.execute("PRAGMA schema_version = 1000")
        for read in READS:
            assert exchanged.execute(read).fetchall() == fresh.execute(read).fetchall()
