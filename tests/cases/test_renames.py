"""Renames: asked about with evidence, done as decided or hinted, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

from trueup import Drop, Keep, Policy, Rename, Status, Verdict, apply
from trueup.changes import AddColumn, DropColumn, RenameColumn
from trueup.errors import RenameRefused

if TYPE_CHECKING:
    from ..conftest import Lab


def people(name: str = "fullname", table: str = "people", **column: Any) -> MetaData:
    metadata = MetaData()
    Table(
        table,
        metadata,
        Column("id", Integer, primary_key=True),
        Column(name, String(50), nullable=False, **column),
        UniqueConstraint(name, name="uq_name"),
        Index("ix_name", name, "id"),
    )
    Table("pets", metadata, Column("id", Integer, primary_key=True), Column("owner", ForeignKey(f"{table}.id")))
    return metadata


@pytest.fixture
def filled(lab: Lab) -> Lab:
    lab.create(people())
    lab.sql(
        "INSERT INTO people VALUES (1, 'Ada'), (2, 'Grace'); INSERT INTO pets VALUES (1, 2);"
        "CREATE VIEW names AS SELECT fullname FROM people;"
        "CREATE TABLE log (x);"
        "CREATE TRIGGER tr AFTER UPDATE ON people BEGIN INSERT INTO log VALUES (new.fullname); END"
    )
    return lab


def decided(lab: Lab, models: MetaData, *decisions: Any, **settings: Any) -> Status:
    target = lab.target(models, **settings)
    return apply(lab.plan(models, decisions=decisions, **settings), target).status


def test_a_probable_rename_is_asked(filled: Lab) -> None:
    """Both halves are blocked with the evidence and the three possible answers, and nothing is changed."""
    before = filled.dump()
    run = filled.migrate(people("full_name"), policy=Policy.FULL)
    assert run.plan is not None
    halves = [item for item in run.plan.blocked if isinstance(item.change, AddColumn | DropColumn)]
    assert [type(item.change) for item in halves] == [AddColumn, DropColumn]
    assert "the names are 100% alike, same type VARCHAR(50)" in halves[0].reason
    assert all(word in halves[0].remedy for word in ('rename = "people.fullname"', 'to = "full_name"', "drop", "keep"))
    assert (run.status, filled.dump()) == (Status.NEEDS_DECISION, before)


def test_a_rename_that_would_save_nothing_is_not_asked(lab: Lab) -> None:
    """Without a single value there is nothing that a rename could save."""
    lab.create(people())
    assert lab.migrate(people("full_name"), policy=Policy.FULL).status is Status.MIGRATED


def test_a_decided_rename(filled: Lab) -> None:
    """The values stay; index, constraint, view and trigger follow, and the second look finds nothing."""
    models = people("full_name")
    assert decided(filled, models, Rename(table="people", column="fullname", to="full_name")) is Status.MIGRATED
    assert filled.rows("SELECT id, full_name FROM people") == [(1, "Ada"), (2, "Grace")]
    assert filled.rows("SELECT * FROM names") == [("Ada",), ("Grace",)]
    filled.sql("UPDATE people SET full_name = 'Ada L.' WHERE id = 1")
    assert filled.rows("SELECT x FROM log") == [("Ada L.",)]
    assert filled.found(models) == []


def test_not_a_rename_but_a_drop(filled: Lab) -> None:
    """``drop`` answers the question: the old column goes, the new one comes."""
    filled.sql("DROP VIEW names; DROP TRIGGER tr")
    models = people("full_name", default="nobody", unique=False)
    models.tables["people"].constraints -= {c for c in models.tables["people"].constraints if c.name == "uq_name"}
    assert decided(filled, models, Drop(table="people", column="fullname")) is Status.MIGRATED
    assert filled.rows("SELECT * FROM people") == [(1, "nobody"), (2, "nobody")]


def test_not_a_rename_and_kept(filled: Lab) -> None:
    """``keep`` answers it too: the old column stays with its values and no longer blocks an INSERT."""
    models = people("full_name", default="nobody")
    models.tables["people"].constraints -= {c for c in models.tables["people"].constraints if c.name == "uq_name"}
    assert decided(filled, models, Keep(table="people", column="fullname")) is Status.MIGRATED
    assert filled.rows("SELECT id, fullname, full_name FROM people") == [(1, "Ada", "nobody"), (2, "Grace", "nobody")]
    assert filled.refusal("INSERT INTO people (full_name) VALUES ('new')") == ""


@pytest.mark.parametrize("hint", ["fullname", ["name", "fullname"], ("fullname", "name")])
def test_a_hint_in_the_models(filled: Lab, hint: Any) -> None:
    """``info={"trueup": {"renamed_from": ...}}`` renames from whichever of the old names the database has."""
    models = people("display_name", info={"trueup": {"renamed_from": hint}})
    assert filled.migrate(models).status is Status.MIGRATED
    assert filled.rows("SELECT display_name FROM people ORDER BY id") == [("Ada",), ("Grace",)]
    assert filled.found(models) == []


def test_a_renamed_table(filled: Lab) -> None:
    """A table goes on under its new name, with its rows, its index, and the foreign keys of others."""
    models = people(table="persons")
    filled.migrate(people(), policy=Policy.FULL)
    assert decided(filled, models, Rename(table="people", to="persons"), owned_tables=("people",)) is Status.MIGRATED
    assert filled.rows("SELECT * FROM persons") == [(1, "Ada"), (2, "Grace")]
    assert filled.rows("SELECT fullname FROM pets JOIN persons ON owner = persons.id") == [("Grace",)]
    assert filled.found(models, owned_tables=("people",)) == []
    assert filled.healthy()


def test_a_renamed_table_hinted_in_the_models(filled: Lab) -> None:
    """A table's own ``info`` hints as a column's does."""
    models = people(table="persons")
    models.tables["persons"].info["trueup"] = {"renamed_from": "people"}
    assert filled.migrate(models).status is Status.MIGRATED
    assert filled.value("SELECT count(*) FROM persons") == 2


def test_a_table_and_its_column_at_once(filled: Lab) -> None:
    """A column is found by the new name of its table, and what else differs is done in the same run."""
    models = people("full_name", table="persons")
    models.tables["persons"].append_column(Column("age", Integer, nullable=False, default=1))
    answers = (Rename(table="people", to="persons"), Rename(table="persons", column="fullname", to="full_name"))
    assert decided(filled, models, *answers) is Status.MIGRATED
    assert filled.rows("SELECT id, full_name, age FROM persons") == [(1, "Ada", 1), (2, "Grace", 1)]
    filled.sql("UPDATE persons SET full_name = 'x' WHERE id = 1")
    assert filled.rows("SELECT x FROM log") == [("x",)]
    assert filled.found(models) == []


def test_a_rename_is_one_step_of_the_plan(filled: Lab) -> None:
    """The plan shows the rename as one change, and the policy check does not make it."""
    models, answer = people("full_name"), Rename(table="people", column="fullname", to="full_name")
    found = filled.plan(models, decisions=[answer])
    assert [(type(item.change), item.verdict) for item in found.assessments] == [(RenameColumn, Verdict.APPLY)]
    checked = filled.plan(models, decisions=[answer], policy=Policy.CHECK)
    assert (checked.steps, checked.in_step) == ((), False)


def test_a_rename_that_something_broken_prevents(filled: Lab) -> None:
    """A view that did not work before stands in SQLite's way; the sentence names it, and nothing is changed."""
    filled.sql("CREATE TABLE gone (x); CREATE VIEW broken AS SELECT x FROM gone; DROP TABLE gone")
    before = filled.dump()
    with pytest.raises(RenameRefused, match="error in view broken"):
        filled.plan(people("full_name"), decisions=[Rename(table="people", column="fullname", to="full_name")])
    assert filled.dump() == before


def test_a_rename_that_no_longer_fits_is_harmless(filled: Lab) -> None:
    """An old answer about names that neither side has any more does nothing and is told."""
    old = Rename(table="people", column="nickname", to="fullname")
    found = filled.plan(people(), decisions=[old])
    assert (found.assessments, found.steps) == ((), ())
    assert found.warnings == ("the decision rename people.nickname has nothing left to do in this database",)
