"""What an undo took back and another one made again goes back by the backup that knows what was written between."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, Text

from tests.conftest import Lab
from tests.people import models
from tests.reliability.test_undo import migrate, take_back
from trueup import Rename, plan_undo
from trueup.errors import NotUndoable


def with_pets(*columns: str) -> MetaData:
    """Models of people, and a second table."""
    both = models(*columns)
    Table("pets", both, Column("name", Text, primary_key=True))
    return both


@pytest.fixture
def undone(lab: Lab) -> Lab:
    """A run dropped a column and a table, and was undone; then rows were written."""
    lab.create(with_pets("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x'); INSERT INTO pets VALUES ('Rex')")
    migrate(lab, models())
    take_back(lab)
    lab.sql("UPDATE people SET a = 'changed'; INSERT INTO people VALUES (2, 'new'); INSERT INTO pets VALUES ('Ida')")
    return lab


def ids(lab: Lab) -> list[str]:
    """Of the runs, oldest first."""
    return [run for (run,) in lab.rows("SELECT run_id FROM migration_history WHERE step = 0 ORDER BY rowid")]


def test_what_was_written_while_a_run_was_taken_back_is_not_lost(undone: Lab) -> None:
    """Without a name the run that made it again is taken back, whose backup has every value and row of then."""
    undo = ids(undone)[-1]
    again = take_back(undone, undo)
    assert take_back(undone).plan.undoes.run_id == again.id  # type: ignore[union-attr]
    assert undone.rows("SELECT * FROM people") == [(1, "changed"), (2, "new")]
    assert undone.rows("SELECT name FROM pets ORDER BY name") == [("Ida",), ("Rex",)]


def test_a_run_that_was_made_again_names_the_one_to_undo(undone: Lab) -> None:
    """The backup of the run itself is older than what was written while it was taken back, so it is not used."""
    first, undo = ids(undone)
    again = take_back(undone, undo)
    with pytest.raises(NotUndoable, match=rf"{again.id} made it again(.|\n)*trueup undo {again.id}"):
        plan_undo(undone.target(()), first)


def test_steps_that_were_made_again(lab: Lab) -> None:
    """Where only a step had been taken back, the others are undone by the run's own backup as ever."""
    lab.create(with_pets("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x'); INSERT INTO pets VALUES ('Rex')")
    first = migrate(lab, models())
    assert first.plan is not None
    numbers = {step.sentence.split()[1]: number for number, step in enumerate(first.plan.steps, 1)}
    again = take_back(lab, take_back(lab, first.id, [numbers["column"]]).id)
    with pytest.raises(NotUndoable, match=f"trueup undo {again.id}"):
        plan_undo(lab.target(()), first.id)
    take_back(lab, first.id, [numbers["table"]])
    assert lab.rows("SELECT * FROM pets") == [("Rex",)]


def test_what_was_made_again_is_a_later_change(lab: Lab) -> None:
    """A run waits for the undo of what was made again after it, as it does for that of any later run."""
    lab.create(with_pets())
    persons = MetaData()
    with_pets().tables["people"].to_metadata(persons, name="persons")
    migrate(lab, persons, Rename(table="people", to="persons"))
    undo = take_back(lab)
    added = migrate(lab, with_pets("b"))
    again = take_back(lab, undo.id)
    with pytest.raises(NotUndoable, match=f"the later run {again.id} changed the same"):
        plan_undo(lab.target(()), added.id)
