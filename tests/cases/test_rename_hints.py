"""Old names that stand in the models: one database may be at any of them, and what nobody can know is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from trueup import Drop, Keep, Policy, Rename, Status, Verdict, apply
from trueup.errors import ModelsError

if TYPE_CHECKING:
    from ..conftest import Lab

HISTORY = ("name", "fullname", "full_name")


def people(*old: str, table: tuple[str, ...] = (), hint: Any = None) -> MetaData:
    """The newest models: a table ``persons`` with ``display_name``, and the names that they had before."""
    metadata = MetaData()
    info = {"trueup": {"renamed_from": list(old) if hint is None else hint}}
    columns = (Column("id", Integer, primary_key=True), Column("display_name", Text, info=info))
    Table("persons", metadata, *columns, info={"trueup": {"renamed_from": list(table)}})
    return metadata


def at(lab: Lab, table: str, *columns: str) -> None:
    """A database at some moment of that history, with one row."""
    listed = ", ".join(f"{column} TEXT" for column in columns)
    lab.sql(f"CREATE TABLE {table} (id INTEGER NOT NULL PRIMARY KEY, {listed})")
    lab.sql(f"INSERT INTO {table} VALUES (1, {', '.join(repr(column) for column in columns)})")


@pytest.mark.parametrize("table", ["folk", "people", "persons"])
@pytest.mark.parametrize("column", [*HISTORY, "display_name"])
def test_from_any_moment_of_the_history(lab: Lab, table: str, column: str) -> None:
    """Whatever names a database still has, one run brings it to the newest, with its values."""
    at(lab, table, column)
    models = people(*HISTORY, table=("folk", "people"))
    assert lab.migrate(models, policy=Policy.FULL).status in (Status.MIGRATED, Status.IN_SYNC)
    assert lab.rows("SELECT display_name FROM persons") == [(column,)]
    assert lab.found(models) == []


@pytest.mark.parametrize("policy", [Policy.ADDITIVE, Policy.SAFE, Policy.FULL])
def test_two_old_names_at_once(lab: Lab, policy: Policy) -> None:
    """Which of them it is, only a person can say; the question names all answers."""
    at(lab, "persons", "name", "fullname")
    found = lab.plan(people(*HISTORY), policy=policy)
    assert [item.change.id for item in found.blocked] == [
        "add column persons.display_name",
        "drop column persons.name",
        "drop column persons.fullname",
    ]
    asked = found.blocked[0]
    assert {candidate.object for candidate in asked.candidates} == {"persons.name", "persons.fullname"}
    assert all(f'rename = "persons.{name}" with to = "display_name"' in asked.remedy for name in ("name", "fullname"))
    assert apply(found, lab.target(people(*HISTORY))).status is Status.NEEDS_DECISION


def test_two_old_names_decided(lab: Lab) -> None:
    """The decision takes one of them; the other one may hold something too and waits for its own answer."""
    at(lab, "persons", "name", "fullname")
    models, answer = people(*HISTORY), Rename(table="persons", column="name", to="display_name")
    first = lab.plan(models, decisions=[answer], policy=Policy.FULL)
    assert [item.reason for item in first.blocked] == [
        "the models say that it was renamed to display_name, but it was decided to rename name"
    ]
    answers = (answer, Drop(table="persons", column="fullname"))
    done = lab.plan(models, decisions=answers, policy=Policy.FULL)
    assert apply(done, lab.target(models)).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM persons") == [(1, "name")]


def test_two_old_tables_at_once(lab: Lab) -> None:
    """Tables that the models name as their predecessors are asked about, although no run ever knew them."""
    at(lab, "people", "display_name")
    at(lab, "folk", "display_name")
    models = people(table=("folk", "people"))
    assert {item.change.id for item in lab.plan(models).blocked} == {
        "add table persons",
        "drop table people",
        "drop table folk",
    }
    answers = (Rename(table="people", to="persons"), Keep(table="folk"))
    assert apply(lab.plan(models, decisions=answers), lab.target(models)).status is Status.MIGRATED
    assert lab.names() == ["folk", "migration_history", "persons"]


def test_the_new_name_is_there_already(lab: Lab) -> None:
    """``create_all`` made the new table beside the old one before anybody migrated: nothing is lost, it is asked."""
    at(lab, "people", "display_name")
    models = people(table=("people",))
    lab.create(models)
    found = lab.plan(models)
    assert [(item.change.id, item.verdict) for item in found.assessments] == [("drop table people", Verdict.BLOCKED)]
    assert "the database has persons as well" in found.blocked[0].reason
    answers = [Drop(table="persons")]
    assert apply(lab.plan(models, decisions=answers), lab.target(models)).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM persons") == [(1, "display_name")]
    assert lab.found(models) == []


def test_an_old_name_without_values_is_no_question(lab: Lab) -> None:
    """What holds nothing needs no rename: an empty leftover of the old table stops nobody."""
    at(lab, "people", "display_name")
    lab.sql("DELETE FROM people")
    models = people(table=("people",))
    lab.create(models)
    assert lab.plan(models).blocked == ()


@pytest.mark.parametrize("answer", [Drop, Keep])
def test_a_decision_outranks_a_hint(lab: Lab, answer: Any) -> None:
    """The decision is done, and that the models say something else is told."""
    at(lab, "persons", "name")
    models, decision = people("name"), answer(table="persons", column="name")
    found = lab.plan(models, decisions=[decision], policy=Policy.FULL)
    assert found.warnings[0] == (
        f"the models say that persons.display_name was called name before; the decision {decision.verb} persons.name"
        " outranks that"
    )
    assert apply(found, lab.target(models)).status is Status.MIGRATED
    assert lab.rows("SELECT display_name FROM persons") == [(None,)]


@pytest.mark.parametrize("hint", ["zip", ["zip"], ("zip",), [], ()])
def test_forms_of_a_hint(lab: Lab, hint: Any) -> None:
    """A name, or a list of names, or none."""
    at(lab, "persons", "zip")
    renamed = lab.applied(people(hint=hint), policy=Policy.SAFE)
    assert renamed == (["rename column persons.zip"] if hint else ["add column persons.display_name"])


@pytest.mark.parametrize("hint", [5, ["name", 5], {"name": 1}, True])
def test_a_hint_that_is_no_name(lab: Lab, hint: Any) -> None:
    """Anything else is a mistake in the models; the sentence shows where."""
    at(lab, "persons", "name")
    with pytest.raises(ModelsError, match=r"of persons\.display_name takes a name or a list of names, not"):
        lab.plan(people(hint=hint))
