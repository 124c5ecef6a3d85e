"""UNIQUE, CHECK and indexes: everything that they can say (D6, D7, D8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Enum,
    Index,
    MetaData,
    String,
    UniqueConstraint,
    collate,
    column,
    func,
    text,
)

from trueup import Policy, Status

from .mutations import ROWS, WITH_NULLS, Mutation, a, key, n, prove, t

if TYPE_CHECKING:
    from ..conftest import Lab


pytestmark = pytest.mark.usefixtures("both_forms")


def rules(*rules: Any) -> MetaData:
    """The base table with these constraints or indexes."""
    return t(key(), a(), n(), *rules)


BASE = rules()


def unique(*columns: str, **kw: Any) -> MetaData:
    return rules(UniqueConstraint(*columns, **kw))


def check(expression: str, **kw: Any) -> MetaData:
    return rules(CheckConstraint(expression, **kw))


def index(*parts: Any, name: str = "ix", **kw: Any) -> MetaData:
    return rules(Index(name, *parts, **kw))


AGAIN = "INSERT INTO t (id, a, n) VALUES (50, 'one', 1)"
"""Repeats the values of a row."""
NEGATIVE = "INSERT INTO t (id, n) VALUES (50, -50)"

UNIQUES = [
    Mutation(name="unnamed added", old=BASE, new=unique("a"), change="AddUnique add unique t.(a)", refuses=AGAIN),
    Mutation(name="unnamed removed", old=unique("a"), new=BASE, change="DropUnique drop unique t.(a)", takes=AGAIN),
    Mutation(
        name="named added", old=BASE, new=unique("a", name="uq"), change="AddUnique add unique t.uq", refuses=AGAIN
    ),
    Mutation(
        name="named removed", old=unique("a", name="uq"), new=BASE, change="DropUnique drop unique t.uq", takes=AGAIN
    ),
    Mutation(
        name="a name for an unnamed one",
        old=unique("a"),
        new=unique("a", name="uq"),
        change="AlterUnique change unique t.uq",
    ),
    Mutation(
        name="another name",
        old=unique("a", name="uq_old"),
        new=unique("a", name="uq_new"),
        change="AlterUnique change unique t.uq_new",
    ),
    Mutation(
        name="a column more",
        old=unique("a", name="uq"),
        new=unique("a", "n", name="uq"),
        change="AlterUnique change unique t.uq",
        takes="INSERT INTO t (id, a, n) VALUES (50, 'one', 50)",
    ),
    Mutation(
        name="the columns in another order",
        old=unique("a", "n", name="uq"),
        new=unique("n", "a", name="uq"),
        change="AlterUnique change unique t.uq",
    ),
    Mutation(
        name="ON CONFLICT added",
        old=unique("a", name="uq"),
        new=unique("a", name="uq", sqlite_on_conflict="IGNORE"),
        change="AlterUnique change unique t.uq",
        takes=AGAIN,
    ),
    Mutation(
        name="ON CONFLICT removed from an unnamed one",
        old=unique("a", sqlite_on_conflict="REPLACE"),
        new=unique("a"),
        change="AlterUnique change unique t.(a)",
        refuses=AGAIN,
    ),
    Mutation(
        name="another ON CONFLICT",
        old=unique("a", name="uq", sqlite_on_conflict="REPLACE"),
        new=unique("a", name="uq", sqlite_on_conflict="IGNORE"),
        change="AlterUnique change unique t.uq",
    ),
]

CHECKS = [
    Mutation(
        name="named added",
        old=BASE,
        new=check("n > -10", name="ck"),
        change="AddCheck add check t.ck",
        refuses=NEGATIVE,
    ),
    Mutation(
        name="named removed",
        old=check("n > -10", name="ck"),
        new=BASE,
        change="DropCheck drop check t.ck",
        takes=NEGATIVE,
    ),
    Mutation(
        name="unnamed added",
        old=BASE,
        new=check("n > -10"),
        change="AddCheck add check t.(n > -10)",
        refuses=NEGATIVE,
    ),
    Mutation(
        name="unnamed removed",
        old=check("n > -10"),
        new=BASE,
        change="DropCheck drop check t.(n > -10)",
        takes=NEGATIVE,
    ),
    Mutation(
        name="a named one changed",
        old=check("n > -100", name="ck"),
        new=check("n > -10", name="ck"),
        change="AlterCheck change check t.ck",
        refuses=NEGATIVE,
    ),
    Mutation(
        name="an unnamed one changed",
        old=check("n > -10"),
        new=check("n > -100"),
        change="AlterCheck change check t.(n > -100)",
        takes=NEGATIVE,
    ),
    Mutation(
        name="one of several changed",
        old=rules(CheckConstraint("n > -100"), CheckConstraint("length(a) < 60")),
        new=rules(CheckConstraint("n > -100"), CheckConstraint("length(a) < 50")),
        change="AlterCheck change check t.(length(a) < 50)",
    ),
    Mutation(
        name="changed inside a string only",
        old=check("a <> 'X'", name="ck"),
        new=check("a <> 'x'", name="ck"),
        change="AlterCheck change check t.ck",
    ),
    Mutation(
        name="parentheses that mean something",
        old=check("(n > 5 OR n < 50) AND n > -100", name="ck"),
        new=check("n > 5 OR (n < 50 AND n > -100)", name="ck"),
        change="AlterCheck change check t.ck",
    ),
    Mutation(
        name="with a colon in a string",
        old=BASE,
        new=check("""a <> '\\:abc {"x"\\:1}'""", name="ck"),
        change="AddCheck add check t.ck",
        refuses="""INSERT INTO t (id, a) VALUES (50, ':abc {"x":1}')""",
    ),
    Mutation(
        name="a name for an unnamed one",
        old=check("n > -10"),
        new=check("n > -10", name="ck"),
        change="AlterCheck change check t.ck",
    ),
    Mutation(
        name="that of a Boolean",
        old=t(key(), a(), n(Boolean)),
        new=t(key(), a(), n(Boolean(create_constraint=True))),
        rows="INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 0), (3, NULL, NULL)",
        change="AddCheck add check t.(n IN (0, 1))",
        refuses="INSERT INTO t (id, n) VALUES (50, 2)",
    ),
    Mutation(
        name="a value more in an Enum",
        old=t(key(), a(Enum("one", "two", native_enum=False, create_constraint=True, name="size")), n()),
        new=t(key(), a(Enum("one", "two", "six", native_enum=False, create_constraint=True, name="size")), n()),
        rows="INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 0), (3, NULL, NULL)",
        change="AlterCheck change check t.size",
        takes="INSERT INTO t (id, a) VALUES (50, 'six')",
    ),
]

INDEXES = [
    Mutation(name="added", old=BASE, new=index("a"), change="CreateIndex add index t.ix"),
    Mutation(name="removed", old=index("a"), new=BASE, change="DropIndex drop index t.ix"),
    Mutation(name="another column", old=index("a"), new=index("n"), change="AlterIndex change index t.ix"),
    Mutation(name="a column more", old=index("a"), new=index("a", "n"), change="AlterIndex change index t.ix"),
    Mutation(name="in another order", old=index("a", "n"), new=index("n", "a"), change="AlterIndex change index t.ix"),
    Mutation(
        name="made unique",
        old=index("a"),
        new=index("a", unique=True),
        change="AlterIndex change index t.ix",
        refuses=AGAIN,
    ),
    Mutation(
        name="no longer unique",
        old=index("a", unique=True),
        new=index("a"),
        change="AlterIndex change index t.ix",
        takes=AGAIN,
    ),
    Mutation(
        name="unique added", old=BASE, new=index("a", unique=True), change="CreateIndex add index t.ix", refuses=AGAIN
    ),
    Mutation(
        name="unique removed", old=index("a", unique=True), new=BASE, change="DropIndex drop index t.ix", takes=AGAIN
    ),
    Mutation(
        name="DESC added",
        old=index("a"),
        new=index(column("a").desc()),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="DESC on the other column",
        old=index(column("a").desc(), "n"),
        new=index("a", column("n").desc()),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="COLLATE added",
        old=index("a", unique=True),
        new=index(collate(column("a"), "NOCASE"), unique=True),
        change="AlterIndex change index t.ix",
        refuses="INSERT INTO t (id, a) VALUES (50, 'ONE')",
    ),
    Mutation(
        name="another COLLATE",
        old=index(collate(column("a"), "NOCASE")),
        new=index(collate(column("a"), "RTRIM")),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="WHERE added",
        old=index("a", unique=True),
        new=index("a", unique=True, sqlite_where=text("n > 5")),
        change="AlterIndex change index t.ix",
        takes=AGAIN,
    ),
    Mutation(
        name="WHERE removed",
        old=index("a", sqlite_where=text("n > 5")),
        new=index("a"),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="another WHERE",
        old=index("a", sqlite_where=text("n > 5")),
        new=index("a", sqlite_where=text("n > 6")),
        change="AlterIndex change index t.ix",
    ),
    Mutation(name="an expression added", old=BASE, new=index(text("lower(a)")), change="CreateIndex add index t.ix"),
    Mutation(
        name="another expression",
        old=index(func.lower(column("a"))),
        new=index(func.upper(column("a"))),
        change="AlterIndex change index t.ix",
    ),
    Mutation(
        name="a column becomes an expression",
        old=index("n"),
        new=index(text("n + 0")),
        change="AlterIndex change index t.ix",
    ),
]


@pytest.mark.parametrize("case", UNIQUES, ids=str)
def test_unique(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A UNIQUE constraint is found when it comes, goes, or says something else, and is then in force."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", CHECKS, ids=str)
def test_checks(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """A CHECK is found when it comes, goes, or says something else, and is then in force."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", INDEXES, ids=str)
def test_indexes(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """An index is found when it comes, goes, or is about something else, and is then as in a new database."""
    prove(case, lab, make_lab)


def test_an_index_under_another_name_is_one_that_comes_and_one_that_goes(lab: Lab) -> None:
    """An index has no identity besides its name."""
    lab.create(index("a", name="ix_old"))
    assert lab.found(index("a", name="ix_new")) == [
        ("DropIndex", "drop index t.ix_old"),
        ("CreateIndex", "add index t.ix_new"),
    ]


def test_an_index_name_may_move_to_another_table(lab: Lab) -> None:
    """A name that one table gives up and another one takes is free in time."""

    def models(first: bool) -> MetaData:
        metadata = t(key(), a(), *([Index("ix", "a")] if first else []), name="x")
        return t(key(), a(), *([] if first else [Index("ix", "a")]), name="y", metadata=metadata)

    lab.create(models(first=True))
    lab.sql("INSERT INTO x (id, a) VALUES (1, 'a'); INSERT INTO y (id, a) VALUES (1, 'a')")
    lab.migrate(models(first=False), policy=Policy.FULL)
    assert lab.found(models(first=False)) == []


def test_a_rule_that_rows_break_is_refused_with_their_number(lab: Lab) -> None:
    """A CHECK that some rows do not satisfy blocks the run, and the database stays as it was."""
    lab.create(BASE)
    lab.sql(ROWS)
    before = lab.dump()
    run = lab.migrate(check("n > 0", name="ck"))
    assert (run.status, [item.hazards[0].rows for item in run.plan.blocked]) == (Status.NEEDS_DECISION, [2])
    assert lab.dump() == before


def test_rows_that_share_values_are_refused_with_their_number(lab: Lab) -> None:
    """A UNIQUE constraint that some rows break blocks the run; NULLs break nothing."""
    lab.create(BASE)
    lab.sql(WITH_NULLS + "INSERT INTO t (id, a) VALUES (50, 'one'), (51, 'one')")
    run = lab.migrate(unique("a"))
    assert (run.status, [item.hazards[0].rows for item in run.plan.blocked]) == (Status.NEEDS_DECISION, [3])


@pytest.mark.parametrize("made", ["by a constraint", "by an index", "only now"])
def test_values_that_a_new_collation_makes_equal(lab: Lab, made: str) -> None:
    """Where a column's new collation lets rows share a unique value, their number is known before the run."""
    collated = t(key(), a(String(50, collation="NOCASE"), unique=True, index=made == "by an index"), n())
    lab.create(BASE if made == "only now" else t(key(), a(unique=True, index=made == "by an index"), n()))
    lab.sql("INSERT INTO t (id, a) VALUES (1, 'A'), (2, 'a'), (3, 'b'), (4, NULL), (5, NULL)")
    run = lab.migrate(collated)
    assert run.status is Status.NEEDS_DECISION
    assert {hazard.rows for item in run.plan.blocked for hazard in item.hazards} == {2}
    lab.sql("DELETE FROM t WHERE id = 2")
    assert lab.migrate(collated).status is Status.MIGRATED
    assert lab.found(collated) == []


def test_values_that_an_old_collation_makes_equal(lab: Lab) -> None:
    """A UNIQUE constraint is judged as the column will compare, not as it does so far."""
    lab.create(t(key(), a(String(50, collation="NOCASE")), n()))
    lab.sql("INSERT INTO t (id, a) VALUES (1, 'A'), (2, 'a')")
    assert lab.migrate(unique("a")).status is Status.MIGRATED


def test_one_of_two_equal_checks_changes_alone(lab: Lab) -> None:
    """Of two CHECKs that say the same, only one changes, also while something else in the table is kept."""
    same, other = "a <> ''", "a <> 'x'"
    lab.create(t(key(), a(), n(nullable=False), CheckConstraint(same), CheckConstraint(same)))
    models = t(key(), a(), CheckConstraint(same), CheckConstraint(other))
    assert lab.migrate(models).status is Status.MIGRATED
    assert lab.found(models) == [("DropColumn", "drop column t.n")]
