"""The SQL that the history keeps beside each run: what took its structure back when it was tried."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.cases.mutations import Mutation
from tests.conftest import Lab
from tests.reliability.test_undo import mutations
from trueup import Policy, Rename, apply, cli, past_runs, undo


def models(*names: str) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *(Column(name, Text) for name in names))
    return metadata


def last_undo_sql(lab: Lab) -> str:
    return past_runs(lab.target(()))[-1].undo_sql


@pytest.mark.parametrize("case", mutations(), ids=str)
def test_it_leads_back(case: Mutation, lab: Lab) -> None:
    """Whatever the change was: without any rows in the way, SQLite alone goes back by it."""
    lab.sql(case.ddl) if case.ddl else lab.create(case.old)
    structure = lab.structure()
    lab.migrate(case.new, policy=Policy.FULL, **case.settings)
    lab.sql(last_undo_sql(lab), foreign_keys=False)
    assert lab.structure() == structure


def test_renames_are_taken_back(lab: Lab) -> None:
    """A rename goes back by a rename, so even the values stay; what came is dropped."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    decided = [Rename(table="people", column="a", to="b")]
    assert apply(lab.plan(models("b", "c"), decisions=decided), lab.target(models("b", "c"))).success
    lab.sql(last_undo_sql(lab), foreign_keys=False)
    assert lab.rows("SELECT * FROM people") == [(1, "x")]
    assert '"a" TEXT' in lab.stored("people")


def test_an_undo_has_one_as_well(lab: Lab) -> None:
    """It leads back to what the undo took back; for a run that only noted something there is none."""
    lab.create(models())
    lab.migrate(models("a"))
    after = lab.structure()
    assert undo(lab.target(())).success
    lab.sql(last_undo_sql(lab), foreign_keys=False)
    assert lab.structure() == after


def test_it_is_in_the_table_and_in_json(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """As a script of its own, in one transaction."""
    lab.create(models())
    lab.migrate(models("a"))
    script = lab.value("SELECT undo_sql FROM migration_history WHERE step = 0")
    assert script.splitlines()[:2] == ["PRAGMA foreign_keys = OFF;", "BEGIN IMMEDIATE;"]
    assert script.splitlines()[-1] == "COMMIT;"
    assert "DROP COLUMN" in script
    cli.main(["history", "--json", "--url", lab.url])
    assert json.loads(capsys.readouterr().out)["runs"][0]["undo_sql"] == script == last_undo_sql(lab)


def test_what_no_script_brings_back(lab: Lab) -> None:
    """Where the old name has been taken by something new, a rename does not go back: none is claimed, and the run is
    done all the same."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    decided = [Rename(table="people", column="a", to="b")]
    assert apply(lab.plan(models("b", "a"), decisions=decided), lab.target(models("b", "a"))).success
    assert lab.rows("SELECT b, a FROM people") == [("x", None)]
    assert last_undo_sql(lab) == ""
