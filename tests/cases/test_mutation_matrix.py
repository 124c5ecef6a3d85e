"""Tables and columns: added, removed, and changed in everything that a column can say (D1, D2, D3, D10, D11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Text,
    false,
    func,
    text,
    true,
)

from trueup import Policy

from .mutations import ROWS, Mutation, a, key, n, prove, t

if TYPE_CHECKING:
    from ..conftest import Lab

pytestmark = pytest.mark.usefixtures("both_forms")
BASE = t(key(), a(), n())


def with_extra(*items: object, **kw: object) -> object:
    """The base table with one column more."""
    return t(key(), a(), n(), Column("extra", *items, **kw))  # type: ignore[arg-type]


def _default(value: object) -> object:
    return t(key(), a(server_default=value), n())


def _number(value: object) -> object:
    return t(key(), a(), n(server_default=value))


TABLES = [
    Mutation(
        name="a table added",
        old=BASE,
        new=t(key(), Column("text", Text), name="u", metadata=t(key(), a(), n())),
        change="CreateTable add table u",
    ),
    Mutation(
        name="a table added that points to an old one",
        old=BASE,
        new=t(key(), Column("t_id", ForeignKey("t.id")), name="u", metadata=t(key(), a(), n())),
        change="CreateTable add table u",
        takes="INSERT INTO u (id, t_id) VALUES (1, 7)",
    ),
    Mutation(
        name="a table removed",
        old=t(key(), Column("text", Text), name="u", metadata=t(key(), a(), n())),
        new=BASE,
        change="DropTable drop table u",
        settings={"owned_tables": ("*",)},
        refuses="SELECT * FROM u",
    ),
    Mutation(
        name="a table with a reserved name added",
        old=BASE,
        new=t(key(), Column("group by", Text), name="order", metadata=t(key(), a(), n())),
        change="CreateTable add table order",
    ),
]

COLUMNS = [
    Mutation(name="a column added", old=BASE, new=with_extra(String(20)), change="AddColumn add column t.extra"),
    Mutation(
        name="a NOT NULL column with a constant default added",
        old=BASE,
        new=with_extra(String(20), nullable=False, server_default="it's"),
        change="AddColumn add column t.extra",
    ),
    Mutation(
        name="a column with an expression default added",
        old=BASE,
        new=with_extra(DateTime, nullable=False, server_default=func.current_timestamp()),
        change="AddColumn add column t.extra",
    ),
    Mutation(
        name="a NOT NULL column with a Python default added",
        old=BASE,
        new=with_extra(Integer, nullable=False, default=5),
        change="AddColumn add column t.extra",
    ),
    Mutation(name="a column removed", old=with_extra(String(20)), new=BASE, change="DropColumn drop column t.extra"),
    Mutation(
        name="a column with a reserved name added",
        old=BASE,
        new=t(key(), a(), n(), Column("select", Text)),
        change="AddColumn add column t.select",
    ),
    Mutation(
        name="a column with a strange name removed",
        old=t(key(), a(), n(), Column('such "a" name, (really)', Text)),
        new=BASE,
        change='DropColumn drop column t.such "a" name, (really)',
    ),
]

TYPES = [
    Mutation(
        name="a longer VARCHAR",
        old=BASE,
        new=t(key(), a(String(60)), n()),
        change="AlterColumn change column t.a",
    ),
    Mutation(name="VARCHAR to TEXT", old=BASE, new=t(key(), a(Text), n()), change="AlterColumn change column t.a"),
    Mutation(
        name="a length where there was none",
        old=t(key(), a(String), n()),
        new=BASE,
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="INTEGER to VARCHAR",
        old=BASE,
        new=t(key(), a(), n(String(20))),
        change="AlterColumn change column t.n",
        retyped=("n",),
    ),
    Mutation(
        name="NUMERIC with other precision and scale",
        old=t(key(), a(), n(Numeric(10, 2))),
        new=t(key(), a(), n(Numeric(12, 4))),
        change="AlterColumn change column t.n",
    ),
    Mutation(
        name="INTEGER to NUMERIC",
        old=BASE,
        new=t(key(), a(), n(Numeric(12, 4))),
        change="AlterColumn change column t.n",
    ),
    Mutation(
        name="a longer name in an Enum",
        old=t(key(), a(Enum("x", "y", native_enum=False)), n()),
        new=t(key(), a(Enum("x", "y", "much longer", native_enum=False)), n()),
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="DATE to DATETIME",
        old=t(key(), a(Date), n()),
        new=t(key(), a(DateTime), n()),
        rows="INSERT INTO t VALUES (1, '2024-01-31', 1), (2, NULL, 2), (3, '1999-12-31', 3)",
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="VARCHAR to DATE",
        old=BASE,
        new=t(key(), a(Date), n()),
        rows="INSERT INTO t VALUES (1, '2024-01-31', 1), (2, NULL, 2), (3, '1999-12-31', 3)",
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="FLOAT to NUMERIC",
        old=t(key(), a(), n(Float)),
        new=t(key(), a(), n(Numeric)),
        rows="INSERT INTO t VALUES (1, 'a', 0.1), (2, 'b', -1e300), (3, 'c', NULL), (4, 'd', 2.5)",
        change="AlterColumn change column t.n",
    ),
]

NULLABILITY = [
    Mutation(
        name="a column that may no longer be NULL",
        old=BASE,
        new=t(key(), a(nullable=False), n()),
        rows=ROWS,
        change="AlterColumn change column t.a",
        refuses="INSERT INTO t (id, a) VALUES (50, NULL)",
    ),
    Mutation(
        name="a column that now may be NULL",
        old=t(key(), a(nullable=False), n()),
        new=BASE,
        rows=ROWS,
        change="AlterColumn change column t.a",
        takes="INSERT INTO t (id, a) VALUES (50, NULL)",
    ),
    Mutation(
        name="another conflict clause of NOT NULL",
        old=t(key(), a(nullable=False), n()),
        new=t(key(), a(nullable=False, sqlite_on_conflict_not_null="IGNORE"), n()),
        rows=ROWS,
        change="AlterColumn change column t.a",
        takes="INSERT INTO t (id, a) VALUES (50, NULL)",
    ),
]


def _defaulted(name: str, old: object, new: object, column: str = "a") -> Mutation:
    return Mutation(name=name, old=old, new=new, change=f"AlterColumn change column t.{column}")  # type: ignore[arg-type]


DEFAULTS = [
    _defaulted("a default added", BASE, _default("x")),
    _defaulted("a default removed", _default("x"), BASE),
    _defaulted("a default changed", _default("x"), _default("y")),
    _defaulted("a default changed in case only", _default("x"), _default("X")),
    _defaulted("an empty string as the default", BASE, _default("")),
    _defaulted("a default with quotes", _default("its"), _default('it\'s "q" `b` [c]')),
    _defaulted("a default with a colon", BASE, _default('{"a":1, "b": ":c"}')),
    _defaulted("a default in unicode", BASE, _default("Füße 漢字 🎉")),
    _defaulted("a default of more than one line", BASE, _default("one\ntwo -- three")),
    _defaulted("a default with parentheses", _default("a"), _default("(a)")),
    _defaulted("a default that becomes an expression", BASE, _default(text("(lower(hex(randomblob(4))))"))),
    _defaulted("another expression as the default", _default(text("(1 + 1)")), _default(text("(1 + 2)"))),
    _defaulted("CURRENT_TIMESTAMP as the default", BASE, _default(func.current_timestamp())),
    _defaulted(
        "a string where CURRENT_TIMESTAMP was", _default(func.current_timestamp()), _default("CURRENT_TIMESTAMP")
    ),
    _defaulted("a number as the default", BASE, _number(text("5")), "n"),
    _defaulted("a negative number as the default", _number(text("1")), _number(text("-1")), "n"),
    _defaulted(
        "a boolean default turned around",
        t(key(), a(), n(Boolean, server_default=true())),
        t(key(), a(), n(Boolean, server_default=false())),
        "n",
    ),
]


def _computed(expression: str, **kw: object) -> object:
    return t(key(), a(), n(), Column("c", Integer, Computed(expression, **kw)))  # type: ignore[arg-type]


PLAIN = t(key(), a(), n(), Column("c", Integer))

COMPUTED = [
    Mutation(name="a computed column added", old=BASE, new=_computed("n * 2"), change="AddColumn add column t.c"),
    Mutation(
        name="a stored computed column added",
        old=BASE,
        new=_computed("n * 2", persisted=True),
        change="AddColumn add column t.c",
    ),
    Mutation(name="a computed column removed", old=_computed("n * 2"), new=BASE, change="DropColumn drop column t.c"),
    Mutation(
        name="another computed expression",
        old=_computed("n * 2"),
        new=_computed("n * 3"),
        change="AlterColumn change column t.c",
    ),
    Mutation(
        name="another stored expression",
        old=_computed("n * 2", persisted=True),
        new=_computed("n * 3", persisted=True),
        change="AlterColumn change column t.c",
    ),
    Mutation(
        name="a virtual column becomes stored",
        old=_computed("n * 2"),
        new=_computed("n * 2", persisted=True),
        change="AlterColumn change column t.c",
    ),
    Mutation(
        name="a stored column becomes virtual",
        old=_computed("n * 2", persisted=True),
        new=_computed("n * 2", persisted=False),
        change="AlterColumn change column t.c",
    ),
    Mutation(
        name="a computed column becomes plain",
        old=_computed("n * 2"),
        new=PLAIN,
        change="AlterColumn change column t.c",
        takes="INSERT INTO t (id, c) VALUES (50, 1)",
    ),
    Mutation(
        name="a plain column becomes computed",
        old=PLAIN,
        new=_computed("n * 2"),
        change="AlterColumn change column t.c",
        refuses="INSERT INTO t (id, c) VALUES (50, 1)",
    ),
]

COLLATIONS = [
    Mutation(
        name="a collation added",
        old=BASE,
        new=t(key(), a(String(50, collation="NOCASE")), n()),
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="a collation removed",
        old=t(key(), a(String(50, collation="NOCASE")), n()),
        new=BASE,
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="another collation of an indexed column",
        old=t(key(), a(String(50, collation="NOCASE"), index=True), n()),
        new=t(key(), a(String(50, collation="RTRIM"), index=True), n()),
        change="AlterColumn change column t.a",
    ),
]


@pytest.mark.parametrize("case", [*TABLES, *COLUMNS], ids=str)
def test_tables_and_columns(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A table or column more or less is found as that, and made so without touching the others."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", TYPES, ids=str)
def test_types(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Another declared type is found and stored, and says the same of every value as before."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", NULLABILITY, ids=str)
def test_nullability(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """NOT NULL is found in both directions, and holds or is gone afterwards."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", DEFAULTS, ids=str)
def test_server_defaults(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A server default of any spelling is found when it comes, goes or changes."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", COMPUTED, ids=str)
def test_computed_columns(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A computed column is found when it comes, goes, or computes something else or in another way."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", COLLATIONS, ids=str)
def test_collations(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A column's collation is found when it comes, goes or changes."""
    prove(case, lab, make_lab)


def test_a_default_keeps_every_character(lab: Lab) -> None:
    """A default that a rebuild carries along still puts in exactly what the models say."""
    said = 'it\'s {"a":1, "b": ":c"} (d) Füße'
    lab.create(t(key(), a(server_default=said), n()))
    lab.migrate(t(key(), a(server_default=said), n(Numeric)))
    lab.sql("INSERT INTO t (id) VALUES (1)")
    assert lab.rows("SELECT a FROM t") == [(said,)]


def test_a_computed_column_that_becomes_plain_keeps_its_values(lab: Lab) -> None:
    """What a column computed so far stays in it as a plain value."""
    lab.create(_computed("n * 2"))
    lab.sql("INSERT INTO t (id, n) VALUES (1, 21), (2, NULL)")
    lab.migrate(PLAIN)
    assert lab.rows("SELECT id, c FROM t ORDER BY id") == [(1, 42), (2, None)]


def test_a_stored_column_is_computed_anew(lab: Lab) -> None:
    """With its expression a stored column's values change as well."""
    lab.create(_computed("n * 2", persisted=True))
    lab.sql("INSERT INTO t (id, n) VALUES (1, 21)")
    lab.migrate(_computed("n * 3", persisted=True))
    assert lab.rows("SELECT c FROM t") == [(63,)]


def test_a_table_of_an_earlier_run_is_dropped_without_being_named(lab: Lab) -> None:
    """A table that a recorded run knew as the models' own is dropped once the models no longer have it."""
    lab.create(BASE)
    lab.migrate(t(key(), name="u", metadata=t(key(), a(), n())))
    assert lab.found(BASE) == [("DropTable", "drop table u")]
    lab.migrate(BASE, policy=Policy.FULL)
    assert lab.names() == ["migration_history", "t"]


def test_a_collation_decides_what_is_equal(lab: Lab) -> None:
    """After the collation changed, comparisons follow it, and so does the column's index."""
    lab.create(t(key(), a(String(50), index=True), n()))
    lab.sql("INSERT INTO t (id, a) VALUES (1, 'ABC')")
    lab.migrate(t(key(), a(String(50, collation="NOCASE"), index=True), n()))
    assert lab.rows("SELECT id FROM t WHERE a = 'abc'") == [(1,)]
