"""Values that are stored anew where they lie are those that a rebuild would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from tests.conftest import ONLY_EDITS, Lab
from trueup import Form, Plan, Policy, Status, plan
from trueup.dialects.sqlite import abilities as of_sqlite
from trueup.dialects.sqlite.abilities import abilities

TYPES = ("INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "DATETIME")
VALUES = (
    *("NULL", "0", "-1", "7", "9007199254740993", "9223372036854775807", "1.5", "3.0", "-0.0", "1e300", "0.1"),
    *("''", "'12'", "'012'", "'1.50'", "'3.0'", "' 7 '", "'1e3'", "'abc'", "'2024-01-31'", "'9223372036854775808'"),
    *("x''", "x'3132'", "zeroblob(3)"),
)
AFTERWARDS = "SELECT id, v, typeof(v), quote(v), n FROM t ORDER BY id"
RETYPED = [Form.SCHEMA_EDIT, Form.IN_PLACE]


@pytest.fixture
def twins(make_lab: Callable[[str], Lab], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], tuple[Lab, Lab]]:
    """Two databases from the same statements, brought to the same new ones: in the cheapest form, and by a rebuild."""

    def make(old: str, new: str) -> tuple[Lab, Lab]:
        labs = make_lab("cheap"), make_lab("rebuilt")
        for lab, able in zip(labs, (abilities(), replace(ONLY_EDITS, edits_schema=False)), strict=True):
            monkeypatch.setattr(of_sqlite, "abilities", lambda able=able: able)
            lab.path.unlink(missing_ok=True)
            lab.sql(old)
            lab.path.with_suffix(".sql").write_text(new)
            migrated(lab)
        return labs

    return make


def wanted(lab: Lab) -> Plan:
    return plan(lab.target(str(lab.path.with_suffix(".sql")), policy=Policy.FULL))


def migrated(lab: Lab) -> list[Form]:
    """The forms of the steps."""
    run = lab.migrate(str(lab.path.with_suffix(".sql")), policy=Policy.FULL)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert lab.rows("PRAGMA integrity_check") == [("ok",)]
    assert run.plan is not None
    return [step.form for step in run.plan.steps]


def table(type_: str, more: str = "") -> str:
    return f"CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v {type_}, n INTEGER{more});"


@pytest.mark.parametrize(("old", "new"), permutations(TYPES, 2))
def test_every_value_in_every_type(twins: Callable[[str, str], tuple[Lab, Lab]], old: str, new: str) -> None:
    """Whatever a column of one type holds is, under another one, what a rebuild makes of it, in its indexes as well."""
    rows = "".join(f"INSERT INTO t (v, n) VALUES ({value}, {n});" for n, value in enumerate(VALUES))
    indexes = "CREATE INDEX iv ON t (v); CREATE INDEX inn ON t (n); CREATE INDEX part ON t (n) WHERE v > 2;"
    cheap, rebuilt = twins(table(old) + indexes + rows, table(new) + indexes)
    assert cheap.rows(AFTERWARDS) == rebuilt.rows(AFTERWARDS)
    for query in ("SELECT id FROM t INDEXED BY iv WHERE v >= 7 ORDER BY v, id", "SELECT count(*) FROM t WHERE v > 2"):
        assert cheap.rows(query) == rebuilt.rows(query)


@pytest.mark.parametrize("default", ["'1.50'", "5", "'x'"])
def test_rows_from_before_the_column(twins: Callable[[str, str], tuple[Lab, Lab]], default: str) -> None:
    """Rows that only show a default have, under the new type, the value that they showed."""
    first = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, n INTEGER); INSERT INTO t (n) VALUES (1), (2);"
    later = f"ALTER TABLE t ADD COLUMN v NUMERIC DEFAULT {default}; INSERT INTO t (n, v) VALUES (3, 7);"
    new = f"CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, n INTEGER, v TEXT DEFAULT {default});"
    cheap, rebuilt = twins(first + later, new)
    assert cheap.rows(AFTERWARDS) == rebuilt.rows(AFTERWARDS)


def prepared(lab: Lab, old: str, new: str) -> Lab:
    lab.sql(old)
    lab.path.with_suffix(".sql").write_text(new)
    return lab


ROWS = "INSERT INTO t (id, v, n) VALUES (1, 1, 1), (2, 2, 2), (5, 3, 5);"
IN_PLACE = {
    "a column": (table("INTEGER"), table("TEXT")),
    "a rowid that is no column": (
        f"CREATE TABLE t (id INTEGER, v INTEGER, n INTEGER); {ROWS}",
        "CREATE TABLE t (id INTEGER, v TEXT, n INTEGER);",
    ),
    "a UNIQUE constraint of others": (table("INTEGER", ", UNIQUE (n)"), table("TEXT", ", UNIQUE (n)")),
    "a new CHECK on it": (table("INTEGER"), table("TEXT", ", CONSTRAINT c CHECK (v <> 'x')")),
    "and NOT NULL": (table("INTEGER"), table("TEXT NOT NULL")),
    "and a new column": (table("INTEGER"), table("TEXT", ", w INTEGER NOT NULL DEFAULT (1 + 1)")),
}
REBUILT = {
    "a REAL column": (table("REAL"), table("TEXT")),
    "the key": (
        "CREATE TABLE t (id TEXT PRIMARY KEY, v INTEGER, n INTEGER);",
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, v INTEGER, n INTEGER);",
    ),
    "UNIQUE": (table("INTEGER", ", UNIQUE (v)"), table("TEXT", ", UNIQUE (v)")),
    "a computed column of it": (table("INTEGER", ", g AS (v || 'x')"), table("TEXT", ", g AS (v || 'x')")),
    "a trigger": (
        table("INTEGER") + "CREATE TRIGGER u AFTER UPDATE ON t BEGIN UPDATE t SET n = 0; END;",
        table("TEXT"),
    ),
    "WITHOUT ROWID": (f"{table('INTEGER')[:-1]} WITHOUT ROWID;", f"{table('TEXT')[:-1]} WITHOUT ROWID;"),
    "hidden rowids": (
        "CREATE TABLE t (id INTEGER, v INTEGER, n INTEGER, rowid, _rowid_, oid);",
        "CREATE TABLE t (id INTEGER, v TEXT, n INTEGER, rowid, _rowid_, oid);",
    ),
    "STRICT": (table("INTEGER"), f"{table('TEXT')[:-1]} STRICT;"),
}


@pytest.mark.parametrize(("old", "new"), IN_PLACE.values(), ids=IN_PLACE)
def test_in_place(lab: Lab, old: str, new: str) -> None:
    """The table stays; the values have the new type, and the plan proves that they are the old ones."""
    before = prepared(lab, old + ("" if ROWS in old else ROWS), new).rows("SELECT id, v, n FROM t")
    found = wanted(lab)
    assert [step.form for step in found.steps][-2:] == RETYPED
    assert any("every value of v in t is as it was" in statement.proves for statement in found.steps[-1].statements)
    migrated(lab)
    assert lab.rows("SELECT id, v, n FROM t") == [(id_, str(v), n) for id_, v, n in before]


@pytest.mark.parametrize(("old", "new"), REBUILT.values(), ids=REBUILT)
def test_rebuilt(lab: Lab, old: str, new: str) -> None:
    """Where something else holds the values, or would change with them, the table is rebuilt."""
    prepared(lab, old + ROWS, new)
    assert Form.REBUILD in migrated(lab)
    assert lab.value("SELECT count(*) FROM t WHERE n > 0") == 3


def test_a_type_that_alters_values(lab: Lab) -> None:
    """What the plan said of the values is done in this form, too, and nothing is proved of them."""
    prepared(lab, table("TEXT") + "INSERT INTO t (v) VALUES ('007'), ('7'), ('x');", table("INTEGER"))
    assert migrated(lab) == RETYPED
    assert lab.rows("SELECT v FROM t") == [(7,), (7,), ("x",)]


def test_statistics_stay(lab: Lab) -> None:
    """What ANALYZE found of the indexes that are made anew is there afterwards."""
    indexes = "CREATE INDEX iv ON t (v); CREATE INDEX inn ON t (n);"
    prepared(lab, f"{table('INTEGER')} {indexes} {ROWS} ANALYZE;", table("TEXT") + indexes)
    before = lab.rows("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY idx")
    assert migrated(lab) == RETYPED
    assert lab.rows("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY idx") == before


def test_two_tables_at_once(lab: Lab) -> None:
    """All definitions are edited first, and read anew once."""
    other = "CREATE TABLE u (id INTEGER NOT NULL PRIMARY KEY, v {0}, w {0});"
    prepared(lab, table("INTEGER") + ROWS + other.format("INTEGER") + "INSERT INTO u VALUES (1, 2, 3);", "")
    lab.path.with_suffix(".sql").write_text(table("TEXT") + other.format("TEXT"))
    assert migrated(lab) == [Form.SCHEMA_EDIT, Form.SCHEMA_EDIT, Form.IN_PLACE, Form.IN_PLACE]
    assert lab.rows("SELECT v, w FROM u") == [("2", "3")]


def test_it_is_undone(lab: Lab) -> None:
    """The undo has the old values again, and leaves those that were written since."""
    from trueup import undo

    rows = "INSERT INTO t (v) VALUES ('007'), ('x');"
    prepared(lab, table("TEXT") + rows, table("INTEGER"))
    migrated(lab)
    lab.sql("INSERT INTO t (v) VALUES (9)")
    target: Any = lab.target((), policy=Policy.FULL)
    assert undo(target, accept_loss=True).status is Status.UNDONE
    assert lab.rows("SELECT v FROM t") == [("007",), ("x",), ("9",)]
