"""What decisions did to rows, an undo takes back as well: deleted rows return, replaced values are as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text, UniqueConstraint

from tests.cases.mutations import a, key
from tests.cases.test_repairs import CASES, CHILD, NUMBER, POSITIVE, UNIQUE, choose, filled, models_of
from tests.conftest import Lab
from tests.reliability.test_undo import migrate, sentences, states, take_back
from trueup import Cast, Delete, Rename, past_runs, plan_undo
from trueup.errors import NotUndoable, ValuesGone

__all__ = ["filled"]

NEGATIVE = Delete(table="t", where="n < 0")
T_ROWS = "SELECT * FROM t ORDER BY id"


@pytest.mark.parametrize(("name", "models", "label", "query", "rows"), CASES, ids=[case[0] for case in CASES])
def test_every_offered_repair(
    filled: Lab, name: str, models: MetaData, label: str, query: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Whatever was decided: the undo brings back every row and value, and when it is undone it is all as decided."""
    structure, content = filled.structure(), filled.rows(T_ROWS)
    choose(filled, models, label)
    migrated = filled.structure()
    undone = take_back(filled)
    assert (filled.structure(), filled.rows(T_ROWS)) == (structure, content)
    take_back(filled, undone.id)
    assert (filled.structure(), filled.rows(query)) == (migrated, rows)
    again = take_back(filled, past_runs(filled.target(()))[-1].id)
    assert (filled.structure(), filled.rows(T_ROWS)) == (structure, content)
    assert again.operations_executed > 0


def test_rows_of_others_stay_as_they_are(filled: Lab) -> None:
    """Rows that the application wrote or deleted since are not touched by the return of those that the run deleted."""
    migrate(filled, POSITIVE, NEGATIVE)
    filled.sql(
        "INSERT INTO t VALUES (50, 'new', 5); DELETE FROM t WHERE id = 12; UPDATE t SET a = 'other' WHERE id = 41"
    )
    take_back(filled)
    assert filled.rows(T_ROWS) == [(7, "x", -1), (40, None, -3), (41, "other", 4), (42, "8", 1), (50, "new", 5)]


def test_a_deleted_row_whose_key_was_given_away(filled: Lab) -> None:
    """It has no place any more: that is counted before, and needs a yes."""
    migrate(filled, POSITIVE, NEGATIVE)
    filled.sql("INSERT INTO t VALUES (7, 'new', 5)")
    assert "1 row that the run deleted from t cannot come back" in sentences(filled)
    assert plan_undo(filled.target(())).loses_data
    take_back(filled)
    assert filled.rows("SELECT id, a, n FROM t WHERE id IN (7, 40)") == [(7, "new", 5), (40, None, -3)]


def test_deleted_rows_return_under_the_older_names(filled: Lab) -> None:
    """The decision speaks of the names that the run gave; the rows return to the table and the columns as before."""
    content = filled.rows(T_ROWS)
    renamed = models_of(key(), a(), Column("m", Integer), CheckConstraint("m > 0"))
    migrate(filled, renamed, Rename(table="t", column="n", to="m"), Delete(table="t", where="t.m < 0"))
    undone = take_back(filled)
    assert filled.rows(T_ROWS) == content
    take_back(filled, undone.id)
    assert filled.rows("SELECT id, m FROM t ORDER BY id") == [(12, None), (41, 4), (42, 1)]


def test_deleted_rows_are_found_by_what_other_tables_said_then(filled: Lab) -> None:
    """A condition about another table is asked of that table as the backup has it."""
    content = filled.rows(T_ROWS)
    orphans = Delete(table="t", where="n IS NOT NULL AND NOT EXISTS (SELECT 1 FROM p WHERE p.id = t.n)")
    migrate(filled, CHILD, orphans)
    filled.sql("INSERT INTO p VALUES (-1), (9)")
    take_back(filled)
    assert filled.rows(T_ROWS) == content


def test_values_that_were_changed_after_a_cast_stay(filled: Lab) -> None:
    """A cast value that is still there is the old one again; what somebody wrote since stays, as the type keeps it."""
    migrate(filled, NUMBER, Cast(table="t", column="a", sql="length(t.a)"))
    assert filled.rows("SELECT id, a FROM t") == [(7, 1), (12, 1), (40, None), (41, 5), (42, 1)]
    filled.sql("UPDATE t SET a = 99 WHERE id = 12; INSERT INTO t VALUES (50, 3, 3)")
    take_back(filled)
    assert filled.rows("SELECT id, a FROM t") == [(7, "x"), (12, "99"), (40, None), (41, "12abc"), (42, "8"), (50, "3")]


def test_values_that_were_cast_for_the_sake_of_a_rule(filled: Lab) -> None:
    """Where the column itself did not change, its values are as before when the rule goes."""
    content = filled.rows(T_ROWS)
    migrate(filled, UNIQUE, Cast(table="t", column="a", sql="coalesce(a, '') || id"))
    assert filled.rows("SELECT a FROM t WHERE id < 13") == [("x7",), ("x12",)]
    take_back(filled)
    assert filled.rows(T_ROWS) == content


def test_a_step_that_deleted_rows_goes_with_its_reason(filled: Lab) -> None:
    """The rows had no place under the rule, so they come back with it or not at all; the rule can go alone."""
    migrate(filled, POSITIVE, NEGATIVE)
    with pytest.raises(NotUndoable, match="it deleted rows for what step 2 made of the same table"):
        plan_undo(filled.target(()), steps=[1])
    take_back(filled, steps=[2])
    assert filled.rows("SELECT count(*) FROM t") == [(3,)]
    take_back(filled, steps=[1])
    assert filled.rows("SELECT count(*) FROM t") == [(5,)]
    assert states(filled)[0] == ("manual", "undone")


def test_without_a_backup_deleted_rows_are_lost(filled: Lab) -> None:
    """That is said, by name; without their values all else can be undone."""
    run = migrate(filled, POSITIVE, NEGATIVE)
    assert run.backup is not None
    run.backup.path.unlink()
    with pytest.raises(ValuesGone, match="Without it the rows that were deleted from t would not come back"):
        plan_undo(filled.target(()))
    assert "the rows that the run deleted from t do not come back" in sentences(filled, structure_only=True)
    take_back(filled, structure_only=True)
    assert filled.rows("SELECT count(*) FROM t") == [(3,)]


def test_deleted_rows_of_a_table_without_a_key(lab: Lab) -> None:
    """They come back beside the rows that are there, whatever rowids these have."""

    def models(*rules: Any) -> MetaData:
        metadata = MetaData()
        Table("t", metadata, Column("a", Text), Column("n", Integer), *rules)
        return metadata

    lab.create(models())
    lab.sql("INSERT INTO t VALUES ('x', 1), ('x', 2), ('y', 3)")
    migrate(lab, models(UniqueConstraint("a")), Delete(table="t", where="n = 2"))
    lab.sql("INSERT INTO t VALUES ('z', 4)")
    take_back(lab)
    assert sorted(lab.rows("SELECT a, n FROM t")) == [("x", 1), ("x", 2), ("y", 3), ("z", 4)]
