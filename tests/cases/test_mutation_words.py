"""What else ``sqlite_schema`` can say: the values of enums, conflict clauses, computed columns with more to them, mixed
indexes, and words that only a hand writes. And what it cannot say, which is no difference."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Computed, Enum, ForeignKey, Index, Integer, MetaData, String, Text, func, text

from trueup import Policy, Status

from .mutations import ROWS, Mutation, a, key, n, prove, t

if TYPE_CHECKING:
    from ..conftest import Lab

BASE = t(key(), a(), n())
LETTERS = "INSERT INTO t (id, a, n) VALUES (1, 'x', 1), (2, 'y', 2), (3, NULL, NULL)"
AGAIN = "INSERT INTO t (id, a, n) VALUES (1, 'x', 1)"


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


def letters(*values: Any, checked: bool = False, **kw: Any) -> MetaData:
    """The base table with an enum in column ``a``."""
    return t(key(), a(Enum(*values, create_constraint=checked, **kw)), n())


def computed(*items: Any, type_: Any = Integer, stored: bool = False, **kw: Any) -> MetaData:
    return t(key(), a(), n(), Column("c", type_, Computed("n * 2", persisted=stored), **kw), *items)


def parents(first: str = "p.id", second: str = "p.id", **kw: Any) -> MetaData:
    """Two references of one table to the same parent."""
    metadata = t(key(), Column("other", Integer, unique=True), name="p")
    return t(key(), a(), n(Integer, ForeignKey(first)), Column("m", ForeignKey(second, **kw)), metadata=metadata)


ENUMS = [
    Mutation(
        name="a longer value in an Enum without a CHECK",
        old=letters("x", "y"),
        new=letters("x", "y", "longer"),
        rows=LETTERS,
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="another length of an Enum",
        old=letters("x", "y", native_enum=False, length=5),
        new=letters("x", "y", native_enum=False, length=9),
        rows=LETTERS,
        change="AlterColumn change column t.a",
    ),
    Mutation(
        name="a value replaced in an unnamed CHECK",
        old=letters("x", "y", "z", checked=True, native_enum=False),
        new=letters("x", "y", "w", checked=True, native_enum=False),
        rows=LETTERS,
        change="AlterCheck change check t.(a IN ('x', 'y', 'w'))",
        refuses="INSERT INTO t (id, a) VALUES (50, 'z')",
    ),
    Mutation(
        name="a value less in a named CHECK",
        old=letters("x", "y", "z", checked=True, name="letter"),
        new=letters("x", "y", checked=True, name="letter"),
        rows=LETTERS,
        change="AlterCheck change check t.letter",
        refuses="INSERT INTO t (id, a) VALUES (50, 'z')",
    ),
    Mutation(
        name="the values in another order",
        old=letters("x", "y", checked=True, name="letter"),
        new=letters("y", "x", checked=True, name="letter"),
        rows=LETTERS,
        change="AlterCheck change check t.letter",
    ),
    Mutation(
        name="a CHECK for an Enum that had none",
        old=letters("x", "y"),
        new=letters("x", "y", checked=True, name="letter"),
        rows=LETTERS,
        change="AddCheck add check t.letter",
        refuses="INSERT INTO t (id, a) VALUES (50, 'z')",
    ),
    Mutation(
        name="another name for the CHECK of an Enum",
        old=letters("x", "y", checked=True, name="letter"),
        new=letters("x", "y", checked=True, name="sign"),
        rows=LETTERS,
        change="AlterCheck change check t.sign",
    ),
    Mutation(
        name="an Enum with a CHECK becomes a String",
        old=letters("x", "y", checked=True, native_enum=False),
        new=t(key(), a(String(1)), n()),
        rows=LETTERS,
        change="DropCheck drop check t.(a IN ('x', 'y'))",
        takes="INSERT INTO t (id, a) VALUES (50, 'z')",
    ),
    Mutation(
        name="a class of values by name and then by value",
        old=letters(Size, length=5, native_enum=False, checked=True),
        new=letters(
            Size,
            length=5,
            native_enum=False,
            checked=True,
            values_callable=lambda kind: [item.value for item in kind],
        ),
        rows="INSERT INTO t (id, a) VALUES (1, NULL)",
        change="AlterCheck change check t.size",
        refuses="INSERT INTO t (id, a) VALUES (50, 'SMALL')",
    ),
]

CLAUSES = [
    Mutation(
        name="a conflict clause beside the key's column",
        old=BASE,
        new=t(key(sqlite_on_conflict_primary_key="REPLACE"), a(), n()),
        change="AlterPrimaryKey change primary key t",
        takes=AGAIN,
    ),
    Mutation(
        name="a conflict clause beside a unique column",
        old=t(key(), a(unique=True), n()),
        new=t(key(), a(unique=True, sqlite_on_conflict_unique="IGNORE"), n()),
        rows=ROWS,
        change="AlterUnique change unique t.(a)",
        takes="INSERT INTO t (id, a) VALUES (50, 'one')",
    ),
    Mutation(
        name="STRICT and WITHOUT ROWID at once",
        old=t(key(), a(Text), n()),
        new=t(key(), a(Text), n(), sqlite_strict=True, sqlite_with_rowid=False),
        change="AlterTableOptions change options t",
        refuses="INSERT INTO t (id, n) VALUES (50, 'no number')",
    ),
    Mutation(
        name="one of two references to the same parent",
        old=parents(),
        new=parents(ondelete="CASCADE", onupdate="SET DEFAULT"),
        rows="INSERT INTO p (id) VALUES (1); INSERT INTO t (id, n, m) VALUES (1, 1, 1)",
        change="AlterForeignKey change foreign key t.(m)",
    ),
    Mutation(
        name="the other one of two references points elsewhere",
        old=parents(),
        new=parents(first="p.other"),
        rows="INSERT INTO p (id, other) VALUES (1, 1); INSERT INTO t (id, n, m) VALUES (1, 1, 1)",
        change="AlterForeignKey change foreign key t.(n)",
    ),
    Mutation(
        name="NOT NULL for a computed column",
        old=computed(),
        new=computed(nullable=False),
        rows=ROWS,
        change="AlterColumn change column t.c",
        refuses="INSERT INTO t (id, n) VALUES (50, NULL)",
    ),
    Mutation(
        name="another type of a stored computed column",
        old=computed(stored=True),
        new=computed(stored=True, type_=Text),
        change="AlterColumn change column t.c",
    ),
    Mutation(
        name="UNIQUE for a computed column",
        old=computed(),
        new=computed(unique=True),
        rows=ROWS,
        change="AddUnique add unique t.(c)",
        refuses="INSERT INTO t (id, n) VALUES (50, 1)",
    ),
    Mutation(
        name="an index on a computed column",
        old=computed(),
        new=computed(Index("ix", "c", sqlite_where=text("c > 2"))),
        change="CreateIndex add index t.ix",
    ),
    Mutation(
        name="an index of a column, an expression with a collation, and an order",
        old=t(key(), a(), n(), Index("ix", text("lower(a) COLLATE RTRIM"), text("n DESC"))),
        new=t(key(), a(), n(), Index("ix", text("lower(a) COLLATE NOCASE"), text("n DESC"))),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="the condition of a unique index on an expression",
        old=t(key(), a(), n(), Index("ix", func.lower(text("a")), unique=True, sqlite_where=text("n > 5"))),
        new=t(key(), a(), n(), Index("ix", func.lower(text("a")), unique=True, sqlite_where=text("n > 0"))),
        rows=ROWS,
        change="AlterIndex change index t.ix",
        refuses="INSERT INTO t (id, a, n) VALUES (50, 'ONE', 3)",
    ),
]


def _by_hand(name: str, ddl: str, change: str, new: MetaData = BASE, **kw: Any) -> Mutation:
    """Something that a person wrote and SQLAlchemy has no words for, or that the models do not have."""
    return Mutation(name=name, old=BASE, ddl=ddl, new=new, change=change, rows=kw.pop("rows", ROWS), **kw)


HEAD = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY"
BY_HAND = [
    _by_hand(
        "a UNIQUE that descends",
        f"{HEAD}, a VARCHAR(50), n INTEGER, UNIQUE (a DESC))",
        "AlterUnique change unique t.(a)",
        t(key(), a(unique=True), n()),
    ),
    _by_hand(
        "a UNIQUE with a collation of its own",
        f"{HEAD}, a VARCHAR(50), n INTEGER, UNIQUE (a COLLATE NOCASE))",
        "AlterUnique change unique t.(a)",
        t(key(), a(unique=True), n()),
        takes="INSERT INTO t (id, a) VALUES (50, 'ONE')",
    ),
    _by_hand(
        "a key that descends and is no rowid",
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY DESC, a VARCHAR(50), n INTEGER)",
        "AlterPrimaryKey change primary key t",
    ),
    _by_hand(
        "a deferred reference that the models do not have",
        f"{HEAD}, a VARCHAR(50), n INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED)",
        "DropForeignKey drop foreign key t.(n)",
        rows="INSERT INTO t (id, a, n) VALUES (1, 'one', 1)",
    ),
    _by_hand(
        "a CHECK that only the database has, beside a column",
        f"{HEAD}, a VARCHAR(50), n INTEGER CONSTRAINT ck CHECK (n < 40))",
        "DropCheck drop check t.ck",
        takes="INSERT INTO t (id, n) VALUES (50, 50)",
    ),
    _by_hand(
        "a conflict clause beside NOT NULL",
        f"{HEAD}, a VARCHAR(50) NOT NULL ON CONFLICT IGNORE, n INTEGER)",
        "AlterColumn change column t.a",
        t(key(), a(nullable=False), n()),
        refuses="INSERT INTO t (id, a) VALUES (50, NULL)",
    ),
]


NO_PARENT = _by_hand(
    "a reference to a table that is not there",
    f"{HEAD}, a VARCHAR(50), n INTEGER REFERENCES gone ON DELETE CASCADE)",
    "DropForeignKey drop foreign key t.(n)",
    takes="INSERT INTO t (id, n) VALUES (50, 1)",
    rows="",
)
"""SQLAlchemy cannot reflect it, so Alembic is not asked about it."""


@pytest.mark.usefixtures("both_forms")
@pytest.mark.parametrize("case", [*ENUMS, *CLAUSES], ids=str)
def test_what_the_models_say(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Whatever SQLAlchemy can say to SQLite is found as one change when it changes, and is in force after a run."""
    prove(case, lab, make_lab)


@pytest.mark.usefixtures("both_forms")
@pytest.mark.parametrize("case", [*BY_HAND, NO_PARENT], ids=str)
def test_what_a_hand_wrote(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """What the models cannot say or do not say is found too, and gives way to what they say."""
    prove(case, lab, make_lab)


SAYS_NOTHING: dict[str, MetaData] = {
    "comments": t(key(comment="number"), a(comment="text"), n(), comment="things"),
    "another value of an Enum that has no CHECK": letters("y" * 50, "z"),
    "Identity": t(Column("id", Integer, sa.Identity(), primary_key=True), a(), n()),
    "a sequence": t(Column("id", Integer, sa.Sequence("numbers"), primary_key=True), a(), n()),
    "defaults that Python gives": t(key(), a(default="x"), n(default=lambda: 5, onupdate=6)),
    "info, doc and labels": t(key(), a(info={"x": 1}, doc="words"), n(key="number"), info={"y": 2}),
    "options of other databases": t(key(), a(), n(), Index("ix", "a", postgresql_using="gin"), mysql_engine="InnoDB"),
    "the main schema by its name": t(key(), a(), n(), schema="main"),
    "a temporary table": t(key(), name="u", prefixes=["TEMPORARY"], metadata=t(key(), a(), n())),
}


@pytest.mark.parametrize("models", SAYS_NOTHING.values(), ids=SAYS_NOTHING)
def test_what_the_database_cannot_say(lab: Lab, models: MetaData) -> None:
    """What SQLite does not keep in a schema is no difference, so it is never asked for twice."""
    lab.sql(f"{HEAD}, a VARCHAR(50), n INTEGER)")
    if any(table.indexes for table in models.tables.values()):
        lab.sql("CREATE INDEX ix ON t (a)")
    assert (lab.found(models), lab.plan(models).unsupported) == ([], ())
    assert lab.migrate(models, policy=Policy.FULL).status is Status.IN_SYNC
