"""What the live data is asked about a change: how many rows, which ones, and what when there is no time for all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Text,
    Time,
    TypeDecorator,
    UniqueConstraint,
)

from trueup import Backfill, Cast, Hazard, Policy, Rename, Severity, Status, Verdict, apply
from trueup.rules import RULES

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
BASE = t(key(), a(), n())
POSITIVE = t(key(), a(), n(), CheckConstraint("n > 0"))
NO_TIME = 1e-9
"""Seconds that are over at the first look."""


def many(first: int, last: int, values: str) -> str:
    """A statement that inserts a row for each of the numbers."""
    numbers = f"WITH RECURSIVE c(v) AS (VALUES ({first}) UNION ALL SELECT v + 1 FROM c WHERE v < {last})"
    return f"{numbers} INSERT INTO t SELECT {values} FROM c"


def only_hazard(lab: Lab, models: MetaData, **kw: Any) -> Hazard:
    """The one hazard of the plan."""
    (hazard,) = [hazard for item in lab.plan(models, **kw).assessments for hazard in item.hazards]
    return hazard


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """Some rows with duplicates, NULLs and numbers below zero."""
    lab.create(BASE)
    lab.sql("INSERT INTO t VALUES (7, 'x', -1), (12, 'x', NULL), (40, NULL, -3), (41, 'long enough', 4)")
    return lab


CASES = [
    (t(key(), a(nullable=False), n()), "no-value", "1 row in t has no value for t.a, which is NOT NULL", "id 40"),
    (t(key(), a(), n(), UniqueConstraint("a")), "duplicate-keys", "2 rows in t share", "id 7 ('x'), 12 ('x')"),
    (POSITIVE, "violated-check", "2 rows in t do not satisfy n > 0", "id 7 (-1), 40 (-3)"),
    (
        t(key(), a(), n(), ForeignKeyConstraint(["n"], ["p.id"]), metadata=t(key(), name="p")),
        "orphaned-rows",
        "3 rows in t point through (n) to nothing in p",
        "id 7 (-1), 40 (-3), 41 (4)",
    ),
    (t(key(), a(String(5)), n()), "too-long", "1 row in t has more than 5 characters in a", "id 41 ('long enough')"),
    (
        t(key(), a(Enum("x", "y", "words longer than that")), n()),
        "unknown-words",
        "1 row in t has something in a that the models' Enum does not know",
        "id 41 ('long enough')",
    ),
    (t(key(), a(Integer), n()), "unfit-values", "3 rows in t hold", "id 7 ('x'), 12 ('x'), 41 ('long enough')"),
]


@pytest.mark.parametrize(("models", "rule", "sentence", "examples"), CASES, ids=[case[1] for case in CASES])
def test_a_hazard_names_its_rows(filled: Lab, models: MetaData, rule: str, sentence: str, examples: str) -> None:
    """A hazard says how many rows it is about, and names them by their key, with the value where it says something."""
    hazard = only_hazard(filled, models)
    assert (hazard.rule, hazard.finding.examples) == (rule, examples)
    assert sentence in hazard.sentence
    assert hazard.shown == f"{hazard.sentence}: {examples}"


def test_bytes_that_are_no_text(filled: Lab) -> None:
    """A text may hold bytes that are no UTF-8: what stands before people is their SQL."""
    filled.sql("UPDATE t SET a = CAST(X'61FF6262626262' AS TEXT) WHERE id = 41")
    assert (
        only_hazard(filled, t(key(), a(String(5)), n())).finding.examples == "id 41 (CAST(X'61ff6262626262' AS TEXT))"
    )


def test_five_rows_are_named(filled: Lab) -> None:
    """Of many rows the first five are named, and it is said that there are more."""
    filled.sql(many(100, 120, "v, 'y', -v"))
    assert only_hazard(filled, POSITIVE).finding.keys == "id 7, 40, 100, 101, 102, …"


@pytest.mark.parametrize(
    ("columns", "examples"),
    [
        ((Column("k", Integer), Column("rowid", Text)), "_rowid_ 1 (-1)"),
        ((Column("k", Integer),), "rowid 1 (-1)"),
        ((Column("k", Text, primary_key=True),), "k 'it''s' (-1)"),
        (
            (Column("k", Integer, primary_key=True), Column("l", Text, primary_key=True)),
            "(k, l) (1, 'b') (-1)",
        ),
    ],
    ids=["a column hides the rowid", "no key", "text", "two columns"],
)
def test_rows_are_named_by_what_identifies_them(lab: Lab, columns: tuple[Column[Any], ...], examples: str) -> None:
    """Rows without a primary key are named by their hidden rowid, and others by all columns of it."""
    copies = ([column._copy() for column in columns] for _ in range(2))
    lab.create(t(*next(copies), n()))
    values = {"rowid": "'r'", "l": "'b'", "n": "-1"}
    names = [column.name for column in columns] + ["n"]
    first = "'it''s'" if isinstance(columns[0].type, Text) else "1"
    lab.sql(f"INSERT INTO t ({', '.join(names)}) VALUES ({', '.join(values.get(name, first) for name in names)})")
    assert only_hazard(lab, t(*next(copies), n(), CheckConstraint("n > 0"))).finding.examples == examples


def test_questions_follow_a_rename(filled: Lab) -> None:
    """After a rename that was decided, the data is asked about under the new names, and rows are named by them."""
    models = t(Column("nr", Integer, primary_key=True), Column("b", String(50), nullable=False), n(), name="u")
    renames = [
        Rename(table="t", to="u"),
        Rename(table="u", column="id", to="nr"),
        Rename(table="u", column="a", to="b"),
    ]
    hazards = [hazard for item in filled.plan(models, decisions=renames).assessments for hazard in item.hazards]
    assert [hazard.shown for hazard in hazards if hazard.rule == "no-value"] == [
        "1 row in u has no value for u.b, which is NOT NULL without a default: nr 40"
    ]
    assert [hazard.severity for hazard in hazards if hazard.rule == "renamed"] == [Severity.WARNS] * 3


def test_what_there_was_no_time_for_is_said(filled: Lab) -> None:
    """A question that runs out of time says what it saw in the first rows, and that this is not all."""
    filled.sql(many(100, 100_200, "v, 'y', iif(v > 99990, -1, 1)"))
    hazard = only_hazard(filled, POSITIVE, probe_limit=NO_TIME)
    assert hazard.sentence.startswith("at least 107 rows among the first 100 000 in t do not satisfy")
    assert hazard.severity is Severity.BLOCKS


def test_what_nobody_saw_is_proved_by_the_run(lab: Lab) -> None:
    """A row that the plan had no time to see does not make a change look safe: the run finds it and rolls back."""
    lab.create(BASE)
    lab.sql(many(1, 100_000, "v, 'y', 1") + ";INSERT INTO t VALUES (100001, 'y', -1)")
    hazard = only_hazard(lab, POSITIVE, probe_limit=NO_TIME)
    assert (hazard.rule, hazard.severity, hazard.rows) == ("violated-check", Severity.WARNS, 0)
    assert "none of the first 100 000" in hazard.sentence
    assert "the run proves it" in hazard.remedy
    before = lab.dump()
    assert lab.migrate(POSITIVE, probe_limit=NO_TIME).status is Status.FAILED
    assert lab.dump() == before


def test_values_that_nobody_saw_are_not_changed(lab: Lab) -> None:
    """Where it is not known whether a new type changes values, the policy safe leaves them alone."""
    lab.create(BASE)
    lab.sql(many(1, 100_001, "v, '7', 1"))
    found = lab.plan(t(key(), a(Integer), n()), probe_limit=NO_TIME)
    assert [item.verdict for item in found.assessments] == [Verdict.BEYOND_POLICY]
    assert found.assessments[0].hazards[0].remedy == "a higher probe_limit lets the plan look at every row"
    assert lab.applied(t(key(), a(Integer), n())) == ["change column t.a"]


@pytest.mark.parametrize(("length", "rules"), [(11, []), (10, ["too-long"])])
def test_a_shorter_length_is_judged_by_what_is_there(filled: Lab, length: int, rules: list[str]) -> None:
    """A shorter VARCHAR is safe while the longest value fits, and else a warning: SQLite cuts nothing."""
    models = t(key(), a(String(length)), n())
    found = filled.plan(models)
    assert [hazard.rule for item in found.assessments for hazard in item.hazards] == rules
    assert filled.migrate(models).status is Status.MIGRATED
    assert filled.value("SELECT a FROM t WHERE id = 41") == "long enough"


def test_a_new_table_endangers_nothing(filled: Lab) -> None:
    """A table that the same plan makes has no rows that could be in danger."""
    found = filled.plan(t(key(), a(nullable=False), UniqueConstraint("a"), name="u", metadata=t(key(), a(), n())))
    assert [(item.verdict, item.hazards) for item in found.assessments] == [(Verdict.APPLY, ())]


def test_warnings_decide_nothing(filled: Lab) -> None:
    """What only warns leaves the verdict as it is, and is told with the run."""
    filled.sql("UPDATE t SET n = 1 WHERE n IS NULL")
    lab_models = t(key(), a(), n(nullable=False))
    filled.migrate(lab_models)
    run = filled.migrate(BASE, policy=Policy.SAFE)
    assert run.status is Status.MIGRATED
    assert run.warnings == ("change column t.n: NOT NULL -> NULL: programs that read t.n may now find NULL there",)


def test_a_value_that_was_decided_is_no_hazard(filled: Lab) -> None:
    """Rows without a value are in no danger once somebody said what they get."""
    models = t(key(), a(nullable=False), n())
    found = filled.plan(models, decisions=[Backfill(table="t", column="a", value="?")])
    assert [item.hazards for item in found.assessments] == [()]


def test_the_page_of_rules_is_the_table() -> None:
    """The reference lists every rule with its severity, reason and way out, and no other."""
    listed = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert listed == [
        f"| `{rule.id}` | {rule.severity} | {rule.why} | {rule.way_out.replace('{object}', 'table.column')} |"
        for rule in RULES
    ]


class Letters(TypeDecorator[str]):
    """An Enum in the application's own type."""

    impl = Enum("x", "long enough to keep")
    cache_ok = True


def test_the_enum_in_a_type_of_the_application_is_known(filled: Lab) -> None:
    """Its words are those of the Enum inside; a row that a cast gives one of them is no danger any more."""
    models = t(key(), a(Letters), n())
    assert only_hazard(filled, models).rule == "unknown-words"
    cast = Cast(table="t", column="a", sql="CASE a WHEN 'long enough' THEN 'x' ELSE a END")
    found = filled.plan(models, decisions=[cast])
    assert "unknown-words" not in [hazard.rule for item in found.assessments for hazard in item.hazards]


@pytest.mark.parametrize(
    ("type_", "values", "unreadable", "cast"),
    [
        (Date, ["2024-01-31", "2024-01-31 10:00:00.000000", "31.1.2024"], [2, 3], ["2024-01-31", "2024-01-31", None]),
        (DateTime, ["2024-01-31", "2024-01-31T10:00", "today"], [3], ["2024-01-31", "2024-01-31T10:00", None]),
        (Time, ["10:00", "2024-01-31 10:00", "noon"], [2, 3], ["10:00", "10:00:00.000", None]),
    ],
)
def test_dates_that_cannot_be_read(
    lab: Lab, type_: type[Any], values: list[str], unreadable: list[int], cast: list[str | None]
) -> None:
    """Texts of which SQLAlchemy makes no date are counted; the cast that is offered keeps what SQLite understands."""
    lab.create(t(key(), a(String(40)), n()))
    lab.sql("INSERT INTO t (id, a) VALUES " + ", ".join(f"({i}, '{value}')" for i, value in enumerate(values, 1)))
    models = t(key(), a(type_), n())
    hazard = only_hazard(lab, models)
    assert (hazard.rule, hazard.severity) == ("unreadable-dates", Severity.WARNS)
    assert [sample.key for sample in hazard.finding.samples] == list(map(str, unreadable))
    offered = next(repair.decision for repair in hazard.repairs if isinstance(repair.decision, Cast))
    found = lab.plan(models, decisions=[offered], policy=Policy.FULL)
    assert apply(found, lab.target(models)).status is Status.MIGRATED
    assert lab.rows("SELECT a FROM t ORDER BY id") == [(value,) for value in cast]
