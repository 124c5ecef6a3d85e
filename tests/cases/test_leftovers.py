"""What an interrupted migration of another tool left is told, and never taken for the end of the story."""

from __future__ import annotations

import pytest

from trueup import Keep, Rename, Status, Verdict, apply, migrate

from ..conftest import Lab
from .mutations import a, key, n, t

MODELS = t(key(), a(), n())
COPIES = ["_alembic_tmp_t", "new__t", "__new_t", "__old_push_t", "t_dbconform_new"]


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(MODELS)
    lab.sql("INSERT INTO t (a, n) VALUES ('x', 1), ('y', 2)")
    return lab


@pytest.mark.parametrize("copy", COPIES)
def test_the_rows_are_under_another_name(filled: Lab, copy: str) -> None:
    """Killed between DROP and RENAME: no empty table is made in the place of the rows, and the rename heals it."""
    filled.sql(f'ALTER TABLE t RENAME TO "{copy}"')
    found = filled.plan(MODELS)
    (blocked,) = found.blocked
    assert (blocked.change.sentence.partition(":")[0], found.steps) == ("add table t", ())
    assert f"its rows are in {copy} (2 rows)" in blocked.reason
    assert migrate(filled.target(MODELS)).status is Status.NEEDS_DECISION
    renamed = filled.plan(MODELS, decisions=[Rename(table=copy, to="t")])
    assert apply(renamed, filled.target(MODELS)).status is Status.MIGRATED
    assert filled.rows("SELECT a, n FROM t ORDER BY n") == [("x", 1), ("y", 2)]
    assert filled.found(MODELS) == []


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_beside_the_original(filled: Lab, copy: str) -> None:
    """Killed while it copied: the table stays, and a warning says whose it is and how many rows it has."""
    filled.sql(f'CREATE TABLE "{copy}" AS SELECT * FROM t LIMIT 1')
    found = filled.plan(t(key(), a(nullable=False), n()))
    assert [item.verdict for item in found.assessments] == [Verdict.APPLY]
    (warning,) = [sentence for sentence in found.warnings if copy in sentence]
    assert f"table {copy} (1 row) is what" in warning
    assert "left alone" in warning


def test_who_wants_an_empty_table_says_so(filled: Lab) -> None:
    """A decision to keep the leftover as it is lets the table be made."""
    filled.sql("ALTER TABLE t RENAME TO _alembic_tmp_t")
    found = filled.plan(MODELS, decisions=[Keep(table="_alembic_tmp_t")])
    assert [item.verdict for item in found.assessments] == [Verdict.APPLY]


def test_an_empty_leftover_stops_nobody(filled: Lab) -> None:
    """Without rows there is nothing that could be missed."""
    filled.sql("DELETE FROM t; ALTER TABLE t RENAME TO _alembic_tmp_t")
    assert filled.plan(MODELS).blocked == ()


def test_a_table_that_the_models_declare_is_no_leftover(lab: Lab) -> None:
    """Whatever it is called."""
    models = t(key(), a(), name="new__t", metadata=t(key(), a()))
    lab.create(models)
    assert (lab.found(models), lab.plan(models).warnings) == ([], ())
