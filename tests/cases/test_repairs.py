"""From a change that the data forbids, through a decision that trueup itself offers, to a verified run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    UniqueConstraint,
)

from trueup import (
    Backfill,
    Cast,
    Decision,
    Delete,
    Hazard,
    Ignore,
    Keep,
    Policy,
    Rename,
    Run,
    Skip,
    Status,
    Verdict,
    apply,
    as_toml,
    read_decisions,
    write_decision,
)
from trueup.errors import BackupNeeded, DecisionsError, VerificationFailed

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab


def models_of(*items: Any) -> MetaData:
    """The table with these columns and rules, and one that it may point to."""
    return t(*items, metadata=t(key(), name="p"))


BASE = models_of(key(), a(), n())
UNIQUE = models_of(key(), a(), n(), UniqueConstraint("a"))
POSITIVE = models_of(key(), a(), n(), CheckConstraint("n > 0"))
CHILD = models_of(key(), a(), n(), ForeignKeyConstraint(["n"], ["p.id"]))
NUMBER = models_of(key(), a(Integer), n())


@pytest.fixture
def filled(lab: Lab) -> Lab:
    """Rows that break most rules that could be added."""
    lab.create(BASE)
    lab.sql(
        "INSERT INTO p VALUES (1), (4);"
        "INSERT INTO t VALUES (7, 'x', -1), (12, 'x', NULL), (40, NULL, -3), (41, '12abc', 4), (42, '8', 1)"
    )
    return lab


def hazards_of(lab: Lab, models: MetaData, **kw: Any) -> list[Hazard]:
    return [hazard for item in lab.plan(models, **kw).assessments for hazard in item.hazards]


def choose(lab: Lab, models: MetaData, label: str) -> Run:
    """Block, choose the offered repair with the label, write it to the file, and run with what the file says."""
    file = lab.path.with_name("trueup.toml")
    assert lab.migrate(models, decisions=file).status in (Status.NEEDS_DECISION, Status.IN_SYNC)
    (repair,) = [item for hazard in hazards_of(lab, models) for item in hazard.repairs if item.label.startswith(label)]
    write_decision(file, repair.decision)
    assert read_decisions(file) == (repair.decision,)
    return lab.migrate(models, decisions=file)


A_ID = "SELECT id, a FROM t ORDER BY id"
N_ID = "SELECT id, n FROM t ORDER BY id"
CASES: list[tuple[str, MetaData, str, str, list[tuple[Any, ...]]]] = [
    (
        "NOT NULL filled",
        models_of(key(), a(nullable=False), n()),
        "give these rows",
        A_ID,
        [(7, "x"), (12, "x"), (40, ""), (41, "12abc"), (42, "8")],
    ),
    (
        "NOT NULL deleted",
        models_of(key(), a(nullable=False), n()),
        "delete these rows",
        A_ID,
        [(7, "x"), (12, "x"), (41, "12abc"), (42, "8")],
    ),
    (
        "NOT NULL number",
        models_of(key(), a(), n(nullable=False)),
        "give these rows",
        N_ID,
        [(7, -1), (12, 0), (40, -3), (41, 4), (42, 1)],
    ),
    (
        "UNIQUE deleted",
        UNIQUE,
        "delete all but the first",
        A_ID,
        [(7, "x"), (40, None), (41, "12abc"), (42, "8")],
    ),
    (
        "unique index deleted",
        models_of(key(), a(), n(), Index("ix", "a", unique=True)),
        "delete all but the first",
        A_ID,
        [(7, "x"), (40, None), (41, "12abc"), (42, "8")],
    ),
    ("CHECK deleted", POSITIVE, "delete these rows", N_ID, [(12, None), (41, 4), (42, 1)]),
    (
        "CHECK cleared",
        POSITIVE,
        "set n to NULL",
        N_ID,
        [(7, None), (12, None), (40, None), (41, 4), (42, 1)],
    ),
    ("foreign key deleted", CHILD, "delete these rows", N_ID, [(12, None), (41, 4), (42, 1)]),
    (
        "foreign key cleared",
        CHILD,
        "set n to NULL",
        N_ID,
        [(7, None), (12, None), (40, None), (41, 4), (42, 1)],
    ),
    (
        "type cleared",
        NUMBER,
        "set a to NULL",
        A_ID,
        [(7, None), (12, None), (40, None), (41, None), (42, 8)],
    ),
]


@pytest.mark.parametrize(("name", "models", "label", "query", "rows"), CASES, ids=[case[0] for case in CASES])
def test_a_repair_that_is_offered_works(
    filled: Lab, name: str, models: MetaData, label: str, query: str, rows: list[tuple[Any, ...]]
) -> None:
    """The decision, once in the file, lets the run through; the data is as it said, and nothing differs any more."""
    run = choose(filled, models, label)
    assert (run.status, run.error, run.backup is not None) == (Status.MIGRATED, None, True)
    assert filled.rows(query) == rows
    assert filled.found(models) == []
    assert filled.healthy()


# -- when a decision acts ----------------------------------------------------------------------------------------------


NEGATIVE = Delete(table="t", where="n < 0")


def test_rows_are_deleted_only_where_a_change_needs_it(filled: Lab) -> None:
    """A decision of last year deletes nothing today, while another change of the table is made."""
    found = filled.plan(models_of(key(), a(), n(), Column("m", Integer)), decisions=[NEGATIVE])
    assert found.deletions == ()
    assert found.warnings == ("the decision delete t has nothing left to do in this database",)


def test_a_deletion_is_told_before_it_happens(filled: Lab) -> None:
    """The plan says which rows go and that somebody decided it; a run names the decision among its warnings."""
    found = filled.plan(POSITIVE, decisions=[NEGATIVE])
    (hazard,) = [hazard for item in found.assessments for hazard in item.hazards]
    assert (hazard.rule, hazard.shown) == ("deleted-rows", "deletes 2 rows in table t: id 7, 40")
    assert hazard.accepted == "decided: delete t"
    assert found.loses_data
    assert "delete 2 rows from table t" in [step.sentence for step in found.steps]


def test_a_deletion_of_all_rows_is_told_as_well(filled: Lab) -> None:
    """Where no row is left to stand against the change, what the decision deletes is told all the same."""
    found = filled.plan(POSITIVE, decisions=[Delete(table="t", where="id > 0")])
    (hazard,) = [hazard for item in found.assessments for hazard in item.hazards]
    assert (hazard.rule, hazard.rows, found.loses_data) == ("deleted-rows", 5, True)


def test_exactly_the_rows_of_the_plan_go(filled: Lab) -> None:
    """A run that would delete another number of rows than its plan says rolls back."""
    found = filled.plan(POSITIVE, decisions=[NEGATIVE])
    filled.sql("INSERT INTO t VALUES (50, 'y', -5)")
    before = filled.dump()
    run = apply(found, filled.target(POSITIVE))
    assert isinstance(run.error, VerificationFailed)
    assert "t had 6 rows, 2 of which were to go, and has 3" in str(run.error)
    assert filled.dump() == before


def test_no_row_is_deleted_without_a_backup(filled: Lab) -> None:
    """A plan that deletes rows is not carried out where no backup is to be made."""
    found = filled.plan(POSITIVE, decisions=[NEGATIVE])
    run = apply(found, filled.target(POSITIVE, backup=False))
    assert isinstance(run.error, BackupNeeded)
    assert filled.value("SELECT count(*) FROM t") == 5


@pytest.mark.parametrize(
    "circumstances",
    [{"policy": Policy.CHECK}, {"policy": Policy.ADDITIVE}, {"leave_out": {"add check t.(n > 0)"}}],
    ids=["check", "additive", "left out"],
)
def test_rows_stay_while_their_change_is_not_made(filled: Lab, circumstances: dict[str, Any]) -> None:
    """What the policy or a person keeps from being made deletes nothing either."""
    found = filled.plan(POSITIVE, decisions=[NEGATIVE], **circumstances)
    assert (found.deletions, found.steps) == ((), ())


@pytest.mark.parametrize("where", ["id >= 2", "id > 0"], ids=["some rows", "all rows"])
def test_rows_that_others_point_to_are_not_deleted(filled: Lab, where: str) -> None:
    """Foreign keys do not act in a run, so a deletion that would strand rows elsewhere blocks."""
    filled.sql("DELETE FROM t WHERE n < 0")
    filled.migrate(CHILD)
    stricter = t(
        key(), a(), n(), ForeignKeyConstraint(["n"], ["p.id"]), metadata=t(key(), CheckConstraint("id < 2"), name="p")
    )
    found = filled.plan(stricter, decisions=[Delete(table="p", where=where)])
    assert [item.reason for item in found.blocked] == ["rows in t would point to rows of p that are to be deleted"]


def test_several_deletions_of_one_table(filled: Lab) -> None:
    """Decisions that name the same rows delete each of them once."""
    decisions = [NEGATIVE, Delete(table="t", where="n < -2 OR a = '8'")]
    run = apply(filled.plan(POSITIVE, decisions=decisions), filled.target(POSITIVE))
    assert (run.status, filled.rows("SELECT id FROM t")) == (Status.MIGRATED, [(12,), (41,)])


PRICES = t(key(), Column("price", Integer))


@pytest.fixture
def prices(lab: Lab) -> Lab:
    """Prices in cents, as a column of integers."""
    lab.create(PRICES)
    lab.sql("INSERT INTO t VALUES (1, 250), (2, NULL), (3, 99)")
    return lab


CENTS = Cast(table="t", column="price", sql="price / 100.0")


def test_a_cast_computes_the_values_of_a_new_type(prices: Lab) -> None:
    """Where the type changes, every value is what the expression makes of the old row."""
    models = t(key(), Column("price", Numeric(10, 2)))
    found = prices.plan(models, decisions=[CENTS])
    assert [hazard.rule for item in found.assessments for hazard in item.hazards] == ["replaced-values"]
    assert apply(found, prices.target(models)).status is Status.MIGRATED
    assert prices.rows("SELECT price FROM t") == [(2.5,), (None,), (0.99,)]


def test_a_cast_does_not_act_again(prices: Lab) -> None:
    """Another change of the same column leaves the values alone: a cast that stays in the file is not applied twice."""
    models = t(key(), Column("price", Integer, server_default="0"))
    found = prices.plan(models, decisions=[CENTS])
    assert found.fills == ()
    assert found.warnings == ("the decision cast t.price has nothing left to do in this database",)
    assert apply(found, prices.target(models)).status is Status.MIGRATED
    assert prices.rows("SELECT price FROM t") == [(250,), (None,), (99,)]


def test_questions_are_about_the_values_after_a_cast(prices: Lab) -> None:
    """A value that the expression makes is judged, not the one that it replaces."""
    models = t(key(), Column("price", Integer, CheckConstraint("price < 100")))
    assert [hazard.rows for hazard in hazards_of(prices, models) if hazard.rule == "violated-check"] == [1]
    halved = [Cast(table="t", column="price", sql="min(price, 99)")]
    assert [hazard.rule for hazard in hazards_of(prices, models, decisions=halved)] == ["replaced-values"]
    unhelpful = [Cast(table="t", column="price", sql="price + 1")]
    assert [hazard.rule for hazard in hazards_of(prices, models, decisions=unhelpful)] == ["violated-check"]


def test_a_cast_can_fill(prices: Lab) -> None:
    """An expression that gives NULLs a value makes a column NOT NULL."""
    models = t(key(), Column("price", Integer, nullable=False))
    run = apply(
        prices.plan(models, decisions=[Cast(table="t", column="price", sql="coalesce(price, -1)")]),
        prices.target(models),
    )
    assert (run.status, prices.rows("SELECT price FROM t")) == (Status.MIGRATED, [(250,), (-1,), (99,)])


# -- skip and ignore ---------------------------------------------------------------------------------------------------


def test_a_change_can_be_skipped_by_its_id(filled: Lab) -> None:
    """A skipped change stays a difference that nobody is asked about, and the rest is made."""
    models = models_of(key(), a(), n(), CheckConstraint("n > 0"), Index("ix", "a"))
    found = filled.plan(models, decisions=[Skip(change="add check t.(n > 0)")])
    assert [(item.change.id, item.verdict) for item in found.assessments] == [
        ("add check t.(n > 0)", Verdict.KEPT),
        ("add index t.ix", Verdict.APPLY),
    ]
    assert apply(found, filled.target(models)).status is Status.MIGRATED


def test_a_loss_can_be_accepted_with_a_reason(lab: Lab) -> None:
    """An ignored hazard is shown with its reason, and the change is made under the policy safe."""
    lab.create(BASE)
    lab.sql("INSERT INTO t VALUES (1, '007', 1)")
    assert lab.applied(NUMBER) == []
    accepted = [Ignore(rule="altered-values", on="t.a", reason="leading zeros mean nothing here")]
    found = lab.plan(NUMBER, decisions=accepted)
    assert [hazard.accepted for hazard in found.assessments[0].hazards] == ["leading zeros mean nothing here"]
    assert apply(found, lab.target(NUMBER)).status is Status.MIGRATED
    assert lab.value("SELECT a FROM t") == 7


@pytest.mark.parametrize(
    "decision",
    [
        Ignore(rule="violated-check", on="t.(n > 0)", reason="the database refuses it all the same"),
        Ignore(rule="altered-values", on="t.b", reason="no such column"),
        Skip(change="add index t.gone"),
        Cast(table="t", column="a", sql="a"),
        Delete(table="t", where="a = 'nobody'"),
        Keep(table="t", column="b"),
    ],
    ids=lambda decision: decision.verb,
)
def test_what_a_decision_does_not_do_is_told(filled: Lab, decision: Decision) -> None:
    """A decision that has nothing to do is named, so that it can be taken out of the file."""
    found = filled.plan(POSITIVE, decisions=[decision], policy=Policy.CHECK)
    assert found.warnings == (
        f"the decision {decision.verb} {decision.object} has nothing left to do in this database",
    )


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    ["n +", "n, a", "1) IS NULL; DROP TABLE t; --", "count(*)", "nothing_like_it", "n /*", "", "n) + (1"],
)
@pytest.mark.parametrize("verb", ["cast", "delete"])
def test_sql_must_be_an_expression(filled: Lab, sql: str, verb: str) -> None:
    """What is no expression over one row of the table is refused in planning, with the decision's name."""
    decision: Decision = Cast(table="t", column="n", sql=sql) if verb == "cast" else Delete(table="t", where=sql)
    before = filled.dump()
    with pytest.raises(DecisionsError, match=rf"{verb} t") as caught:
        filled.plan(POSITIVE, decisions=[decision])
    assert repr(sql) in str(caught.value)
    assert filled.dump() == before


@pytest.mark.parametrize("sql", ["n + 1 -- more", "(SELECT max(id) FROM p)", "CASE WHEN a = ')' THEN n END"])
def test_what_is_an_expression(filled: Lab, sql: str) -> None:
    """Comments, subqueries and parentheses in strings are allowed."""
    found = filled.plan(NUMBER, decisions=[Cast(table="t", column="a", sql=sql)])
    assert apply(found, filled.target(NUMBER)).status is Status.MIGRATED


def test_a_comment_behind_a_condition(filled: Lab) -> None:
    """A condition may say in a comment why the rows go."""
    found = filled.plan(POSITIVE, decisions=[Delete(table="t", where="n <= 0 -- none of these was ever used")])
    assert apply(found, filled.target(POSITIVE)).status is Status.MIGRATED
    assert filled.value("SELECT count(*) FROM t WHERE n <= 0") == 0


def test_names_with_dots(lab: Lab) -> None:
    """A table whose name has a dot is named in SQL's quotes, in the file and in what is offered."""

    def models(*rules: Any) -> MetaData:
        return t(key(), Column("b.c", Integer), *rules, name="a.b")

    lab.create(models())
    lab.sql('INSERT INTO "a.b" VALUES (1, -1), (2, 2)')
    stricter = models(CheckConstraint('"b.c" > 0'))
    (hazard,) = hazards_of(lab, stricter)
    offered: Sequence[Decision] = [item.decision for item in hazard.repairs]
    assert offered[0].object == '"a.b".b.c'
    assert offered[1].object == '"a.b"'
    file = lab.path.with_name("trueup.toml")
    write_decision(file, offered[0])
    assert read_decisions(file) == (offered[0],)
    assert lab.migrate(stricter, decisions=file).status is Status.MIGRATED
    assert lab.rows('SELECT "b.c" FROM "a.b"') == [(None,), (2,)]


def test_questions_after_renames_and_repairs(filled: Lab) -> None:
    """Decisions about data speak in the names that objects have after the renames."""
    models = t(key(), a(), Column("m", Integer, CheckConstraint("m > 0")), name="u", metadata=t(key(), name="p"))
    renames: list[Decision] = [Rename(table="t", to="u"), Rename(table="u", column="n", to="m")]
    (hazard,) = [hazard for hazard in hazards_of(filled, models, decisions=renames) if hazard.rule == "violated-check"]
    assert hazard.finding.examples == "id 7 (-1), 40 (-3)"
    cleared, deleted = (item.decision for item in hazard.repairs[:2])
    assert not filled.plan(models, decisions=[*renames, deleted]).blocked
    run = apply(filled.plan(models, decisions=[*renames, cleared]), filled.target(models))
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert filled.rows("SELECT id, m FROM u WHERE id IN (7, 40)") == [(7, None), (40, None)]


def test_every_offer_can_be_pasted(filled: Lab) -> None:
    """What --check prints is a valid entry of the decisions file."""
    file = filled.path.with_name("trueup.toml")
    hazards = [hazard for models in (UNIQUE, POSITIVE, CHILD, NUMBER) for hazard in hazards_of(filled, models)]
    offers = [item.decision for hazard in hazards for item in hazard.repairs]
    for offer in offers:
        file.write_text(as_toml(offer), encoding="utf-8")
        assert read_decisions(file) == (offer,)


def test_an_offer_says_what_a_person_has_to_give(lab: Lab) -> None:
    """A value, an expression and a reason stand in an offer as examples only, and the offer names which it is."""
    lab.create(models_of(key(), a(Text), n()))
    lab.sql("INSERT INTO t VALUES (1, '007', NULL), (2, 'x', 4)")
    stricter = models_of(key(), a(Integer), n(nullable=False))
    asked = {item.asks: item.decision for hazard in hazards_of(lab, stricter) for item in hazard.repairs}
    assert asked["value"] == Backfill(table="t", column="n", value=0)
    assert isinstance(asked["sql"], Cast)
    assert asked["reason"] == Ignore(rule="altered-values", on="t.a", reason="say why")


def test_other_values_can_be_said_for_the_rows_in_danger(filled: Lab) -> None:
    """The offered expression leaves all other values as they are; a person writes something in place of its NULL."""
    (hazard,) = hazards_of(filled, POSITIVE)
    (offer,) = [item.decision for item in hazard.repairs if item.asks == "sql"]
    assert isinstance(offer, Cast)
    said = replace(offer, sql=offer.sql.replace("ELSE NULL", "ELSE 1"))
    assert apply(filled.plan(POSITIVE, decisions=[said]), filled.target(POSITIVE)).status is Status.MIGRATED
    assert filled.rows(N_ID) == [(7, 1), (12, None), (40, 1), (41, 4), (42, 1)]


def test_long_texts_can_be_shortened(lab: Lab) -> None:
    """A text that is longer than its column may be cut by an expression, or the length kept."""
    lab.create(models_of(key(), a(String(20))))
    lab.sql("INSERT INTO t VALUES (1, 'short'), (2, 'much too long')")
    shorter = models_of(key(), a(String(8)))
    (hazard,) = hazards_of(lab, shorter)
    assert {item.asks for item in hazard.repairs} == {"", "sql"}
    cut = Cast(table="t", column="a", sql="substr(a, 1, 8)")
    assert apply(lab.plan(shorter, decisions=[cut]), lab.target(shorter)).status is Status.MIGRATED
    assert lab.rows(A_ID) == [(1, "short"), (2, "much too")]


def test_values_that_a_strict_table_refuses_can_be_converted(lab: Lab) -> None:
    """The table becomes STRICT with the values that an expression gives."""
    lab.create(models_of(key(), a(Text)))
    lab.sql("INSERT INTO t VALUES (1, 'x'), (2, x'41')")
    strict = t(key(), a(Text), sqlite_strict=True)
    (hazard,) = hazards_of(lab, strict)
    assert [item.asks for item in hazard.repairs] == ["sql", ""]
    cast = Cast(table="t", column="a", sql="CAST(a AS TEXT)")
    assert apply(lab.plan(strict, decisions=[cast]), lab.target(strict)).status is Status.MIGRATED
    assert lab.rows(A_ID) == [(1, "x"), (2, "A")]
