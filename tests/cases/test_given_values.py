"""Values that rows get by a decision or a default are held against the rules that the table keeps, before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)

from trueup import Backfill, Cast, Decision, Delete, Keep, Policy, Status, apply
from trueup.errors import DecisionsError

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab


def unique() -> UniqueConstraint:
    return UniqueConstraint("n")


def check() -> CheckConstraint:
    return CheckConstraint("n > 0")


def reference() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["n"], ["p.id"])


def models_of(*items: Any) -> MetaData:
    """A table with a text, and one that it may point to."""
    return t(key(), a(), *items, metadata=t(key(), name="p"))


def fill(**kw: Any) -> Backfill:
    return Backfill(table="t", column="n", **kw)


def cast(sql: str, column: str = "n") -> Cast:
    return Cast(table="t", column=column, sql=sql)


@pytest.fixture
def lab_of(lab: Lab) -> Any:
    """Makes the database of some models, with three rows; two of them have no n."""

    def make(models: MetaData) -> Lab:
        lab.create(models)
        lab.sql(
            "INSERT INTO p VALUES (1), (2); INSERT INTO t (id, a, n) VALUES (1, '1', 1), (2, '{', NULL), (3, '3', NULL)"
        )
        return lab

    return make


BROKEN = [
    (unique, fill(value=5), "2 rows in t share their values of (n)"),
    (unique, fill(value=1), "3 rows in t share their values of (n)"),
    (reference, fill(sql="id * 10"), "2 rows in t point through (n) to nothing in p"),
    (check, fill(value=-1), "2 rows in t do not satisfy n > 0"),
]


@pytest.mark.parametrize(("rule", "decision", "reason"), BROKEN)
def test_a_fill_that_breaks_a_rule(lab_of: Any, rule: Any, decision: Decision, reason: str) -> None:
    """Rows that have no value would get one that a constraint of the table refuses: the plan says which constraint."""
    lab = lab_of(models_of(n(), rule()))
    before = lab.dump()
    (blocked,) = lab.plan(models_of(n(nullable=False), rule()), decisions=[decision], policy=Policy.FULL).blocked
    assert blocked.reason == f"{reason} with the values that they are to get"
    assert lab.dump() == before


@pytest.mark.parametrize("rule", [unique, reference, check])
def test_a_fill_that_keeps_every_rule(lab_of: Any, rule: Any) -> None:
    """Values that go with the constraints of the table are given."""
    lab = lab_of(models_of(n(), rule()))
    lab.sql("INSERT INTO p VALUES (3)")
    models = models_of(n(nullable=False), rule())
    run = apply(lab.plan(models, decisions=[fill(sql="id")]), lab.target(models))
    assert (run.status, lab.rows("SELECT n FROM t ORDER BY id")) == (Status.MIGRATED, [(1,), (2,), (3,)])


def test_a_default_of_the_models_that_breaks_a_rule(lab_of: Any) -> None:
    """The same holds for the models' own default."""
    lab = lab_of(models_of(n(), unique()))
    (blocked,) = lab.plan(models_of(n(nullable=False, default=7), unique()), policy=Policy.FULL).blocked
    assert blocked.reason == "2 rows in t share their values of (n) with the values that they are to get"


def test_a_value_and_a_new_rule(lab_of: Any) -> None:
    """A rule that comes with NOT NULL is judged on the values that the rows will have, if they are to have them."""
    lab = lab_of(models_of(n()))
    models = models_of(n(nullable=False, default=5), unique())
    assert [item.reason for item in lab.plan(models).blocked] == ["2 rows in t share their values of (n)"]
    assert lab.plan(models, decisions=[Keep(table="t", column="n")]).blocked == ()


def test_rows_without_a_value_may_go_instead(lab_of: Any) -> None:
    """Where the value breaks a rule, a ready decision deletes the rows that have none."""
    lab = lab_of(models_of(n(), unique()))
    models = models_of(n(nullable=False, default=7), unique())
    (blocked,) = lab.plan(models).blocked
    delete = next(item.decision for item in blocked.hazards[0].repairs if isinstance(item.decision, Delete))
    run = apply(lab.plan(models, decisions=[delete]), lab.target(models))
    assert (run.status, lab.rows("SELECT id, n FROM t")) == (Status.MIGRATED, [(1, 1)])


CASTS = [
    ((unique,), "4", "3 rows in t share their values of (n)"),
    ((reference,), "id", "1 row in t points through (n) to nothing in p"),
    ((check,), "-id", "3 rows in t do not satisfy n > 0"),
    ((), "nullif(id, 2)", "1 row in t has no value for n"),
]


@pytest.mark.parametrize(("rules", "sql", "reason"), CASTS, ids=["unique", "foreign key", "check", "not null"])
def test_a_cast_that_breaks_a_rule(lab: Lab, rules: tuple[Any, ...], sql: str, reason: str) -> None:
    """The values that a cast makes are held against the rules that stay, NOT NULL among them."""
    lab.create(models_of(n(nullable=False), *(rule() for rule in rules)))
    lab.sql("INSERT INTO p VALUES (1), (2), (7); INSERT INTO t VALUES (1, '1', 1), (2, '2', 2), (3, '3', 7)")
    models = models_of(n(Text, nullable=False), *(rule() for rule in rules))
    (blocked,) = lab.plan(models, decisions=[cast(sql)], policy=Policy.FULL).blocked
    assert blocked.reason == f"{reason} with the values that they are to get"


def test_a_cast_of_what_others_point_to(lab: Lab) -> None:
    """A key that others point to does not become another one under them."""
    child = t(Column("x", Integer), ForeignKeyConstraint(["x"], ["t.n"]), name="child")
    lab.create(t(key(), n(unique=True), metadata=child))
    lab.sql("INSERT INTO t VALUES (1, 1); INSERT INTO child VALUES (1)")
    child = t(Column("x", Integer), ForeignKeyConstraint(["x"], ["t.n"]), name="child")
    (blocked,) = lab.plan(t(key(), n(Text, unique=True), metadata=child), decisions=[cast("n + 1")]).blocked
    assert blocked.reason == "rows in child would point to rows of t that are to get other values"


# -- expressions that have no value for some row -----------------------------------------------------------------------

FAILING = "json_extract(a, '$')"


@pytest.mark.parametrize(
    ("models", "decision"),
    [
        (models_of(n(Text)), cast(FAILING)),
        (models_of(n(nullable=False)), fill(sql=FAILING)),
        (models_of(n(), Column("m", Integer, nullable=False)), Backfill(table="t", column="m", sql=FAILING)),
        (models_of(n(), CheckConstraint("a <> '{'")), cast(FAILING, "a")),
        (models_of(n(), CheckConstraint("a <> '{'")), Delete(table="t", where=FAILING)),
    ],
    ids=["a cast", "a fill", "a fill of a new column", "a cast for a rule", "a deletion"],
)
def test_a_decision_that_fails_for_a_row(lab_of: Any, models: MetaData, decision: Decision) -> None:
    """An expression that compiles and fails for a value is named with its decision, before the run."""
    lab = lab_of(models_of(n()))
    with pytest.raises(
        DecisionsError, match=rf"{decision.verb} t\S* cannot use .* for every row of t \(malformed JSON\)"
    ):
        lab.plan(models, decisions=[decision], policy=Policy.FULL)


def test_a_deletion_comes_before_a_cast(lab_of: Any) -> None:
    """A cast need not have a value for rows that go."""
    lab = lab_of(models_of(n()))
    models = models_of(n(Text), CheckConstraint("a <> '{'"))
    decisions = [Delete(table="t", where="a = '{'"), cast(FAILING)]
    run = apply(lab.plan(models, decisions=decisions, policy=Policy.FULL), lab.target(models))
    assert (run.status, lab.rows("SELECT id, n FROM t")) == (Status.MIGRATED, [(1, "1"), (3, "3")])


@pytest.mark.parametrize(
    "models",
    [
        models_of(n(), CheckConstraint(f"{FAILING} > 0")),
        models_of(n(), Index("ix", text(FAILING), "n", unique=True)),
    ],
    ids=["a check", "a unique index"],
)
def test_a_rule_that_fails_for_a_row(lab_of: Any, models: MetaData) -> None:
    """A new rule that cannot be computed for some row is blocked with what the database says."""
    lab = lab_of(models_of(n()))
    (blocked,) = lab.plan(models, policy=Policy.FULL).blocked
    assert blocked.reason.startswith("perhaps some rows (malformed JSON) in t")
