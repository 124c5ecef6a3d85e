"""Undo round trips over models that nobody thought of: there and back, with rows that were written in between.

``make nightly`` draws many more of them than ``make test`` does. What they find becomes a case in ``SHRUNK``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given

from tests.cases import promises, witness
from tests.cases.descriptions import Col, Idx, Rule, Tab, Uniq
from tests.cases.generators import Content, Upgrade, upgrades
from tests.cases.test_shrunk import upgrade
from tests.cases.witness import Held
from tests.conftest import Lab, quote
from trueup import Plan, Policy, Run, Status, past_runs, plan_undo, undo


def migrated(lab: Lab, case: Upgrade) -> bool:
    """Whether there is something to take back; what a run must do is the business of other tests."""
    run = lab.migrate(case.new.metadata(), policy=Policy.FULL, owned_tables=promises.names(case))
    return run.status is Status.MIGRATED


def broken_references(lab: Lab) -> bool:
    """A foreign key that rows break already is not made again."""
    try:
        return bool(lab.rows("PRAGMA foreign_key_check"))
    except sqlite3.OperationalError:  # one that fits no key of its parent
        return True


def take_back(lab: Lab) -> Run:
    """Undo the newest run, whatever is lost; a failure is raised."""
    run = undo(lab.target(()), accept_loss=True)
    if run.error is not None:
        raise run.error
    return run


def there_and_back(case: Upgrade) -> None:
    """With nothing written in between every object, row and value is as before, apart from what the plan told."""
    with promises.built(case) as lab:
        structure, before, around = lab.structure(), witness.look(lab.path), witness.others(lab, case.declared)
        if broken_references(lab) or not migrated(lab, case):
            return
        between, found = witness.look(lab.path), plan_undo(lab.target(()))
        assert [(item.change.id, item.reason) for item in found.blocked] == []
        assert take_back(lab).status is Status.UNDONE
        assert lab.structure() == structure
        assert witness.others(lab, case.declared) == around
        assert differences(before, between, witness.look(lab.path), found) == []
        assert lab.rows("PRAGMA integrity_check") == [("ok",)]


def differences(before: dict[str, Held], between: dict[str, Held], after: dict[str, Held], found: Plan) -> list[str]:
    """Rows that are not as they were, apart from columns whose values the plan gave up.

    Where the run made a key of the hidden rowid, or the other way round, the rows were numbered anew.
    """
    told = {
        (item.change.table.lower(), item.change.label.lower())
        for item in found.assessments
        if any(hazard.rule == "not-brought-back" for hazard in item.hazards)
    }
    return [
        f"{name}: {problem}"
        for name, held in before.items()
        for problem in witness.lost(
            replace(
                held,
                types={column: type_ for column, type_ in held.types.items() if (name, column) not in told},
                rowids=held.rowids if name not in between or between[name].rowids == held.rowids else "",
            ),
            after[name],
            lambda column: lambda old, new: repr(old) == repr(new),
        )
    ]


def there_and_back_with_rows(case: Upgrade) -> None:
    """Rows written in between stay, and those from before have their values of then; or nothing is changed."""
    with promises.built(case) as lab:
        before = witness.look(lab.path)
        if not migrated(lab, case):
            return
        after_run = witness.look(lab.path)
        write(lab, case)
        between, content, found = witness.look(lab.path), lab.path.read_bytes(), plan_undo(lab.target(()))
        if take_back(lab).status is not Status.UNDONE:
            assert found.blocked
            assert all(item.reason and item.remedy for item in found.blocked)
            assert lab.path.read_bytes() == content
            return
        after = witness.look(lab.path)
        for name in before.keys() & between.keys():
            assert len(after[name].rows) == len(between[name].rows)
            kept = {key: row for key, row in before[name].rows.items() if key in after_run[name].rows}
            kept = {key: row for key, row in kept.items() if between[name].rows.get(key) == after_run[name].rows[key]}
            stayed = replace(after[name], rows={key: row for key, row in after[name].rows.items() if key in kept})
            then = {name: replace(before[name], rows=kept)}
            assert (
                before[name].rowids != after_run[name].rowids or differences(then, between, {name: stayed}, found) == []
            )
        assert lab.rows("PRAGMA integrity_check") == [("ok",)]


def write(lab: Lab, case: Upgrade) -> None:
    """The rows that the new models would take, as far as the database takes them."""
    with closing(sqlite3.connect(lab.path, isolation_level=None)) as connection:
        for table, row in witness.rows_of(case.new, case.trial):
            witness.insert(connection, table, row)


@given(upgrades())
def test_there_and_back(case: Upgrade) -> None:
    """With nothing written in between every object, row and value is as before."""
    there_and_back(case)


@given(upgrades())
def test_there_and_back_with_rows(case: Upgrade) -> None:
    """Rows written in between stay, and the rows from before have their values of then; or nothing is changed."""
    there_and_back_with_rows(case)


@given(upgrades())
def test_the_sql_of_the_steps(case: Upgrade) -> None:
    """Where no rows are in the way, what the history keeps of each step goes back by SQLite alone, step by step."""
    with promises.built(case) as lab:
        lab.sql("; ".join(f"DELETE FROM {quote(table)}" for table in lab.names()), foreign_keys=False)
        structure = lab.structure()
        if not migrated(lab, case):
            return
        for step in past_runs(lab.target(()))[-1].steps[::-1]:
            lab.sql(step.undo_sql)
        assert lab.structure() == structure


A, N = Col("a", "text"), Col("n", "integer")
ONE_NAME = Tab("t", columns=(A, N), rules=(Rule("a", "one of", "ck"), Rule("n", "positive", "ck")))

SHRUNK = {
    "two rules of one name, both changed": upgrade(
        (ONE_NAME,),
        (Tab("t", columns=(A, N), rules=(Rule("a", "short", "ck"), Rule("n", "one of", "ck"))),),
        t=((1, "x", 1),),
    ),
    "a rule that shares its name with one that becomes nameless": upgrade(
        (Tab("t", columns=(A, N), rules=(Rule("n", "positive", "ck"), Rule("n", "qualified", "ck"))),),
        (Tab("t", columns=(A, N), rules=(Rule("n", "positive"), Rule("n", "one of", "ck"))),),
        t=((1, "x", 1),),
    ),
    "a key that becomes the rowid, beside a UNIQUE of it": replace(
        upgrade(
            (Tab("t", key="bigint", uniques=(Uniq(("id",)),)),),
            (Tab("t", key="integer", uniques=(Uniq(("id",)),)),),
            t=((7,), (3,)),
        ),
        trial=Content({"t": ((None,), (5,))}),
    ),
    "what the run gave to a row that only its rowid tells": upgrade(
        (Tab("t", key="none", columns=(replace(A, supplied=True), N)),),
        (Tab("t", key="none", columns=(replace(A, supplied=True, nullable=False), Col("n", "text"))),),
        t=((7, None, 5), (7, "x", None)),
    ),
    "a row without a value in the only key that is left": upgrade(
        (Tab("t", key="turned", columns=(N,), indexes=(Idx((("n", "plain"),), "ix", unique=True),)),),
        (Tab("t", key="text", columns=(N,), indexes=(Idx((("n", "plain"),), "ix", unique=True),)),),
        t=(("x", 1, None), ("y", 2, 7)),
    ),
}


@pytest.mark.parametrize("case", SHRUNK.values(), ids=SHRUNK)
def test_shrunk(case: Upgrade) -> None:
    """What was wrong once: it goes there and back, also with rows."""
    there_and_back(case)
    there_and_back_with_rows(case)
