"""The SQL that the history keeps beside each run: what took its structure back when it was tried."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text

from tests.cases.mutations import Mutation
from tests.conftest import Lab
from tests.people import models
from tests.reliability.test_undo import mutations
from trueup import Delete, Form, Policy, Rename, apply, clean_history, cli, past_runs, undo


def last_undo_sql(lab: Lab) -> str:
    return past_runs(lab.target(()))[-1].undo_sql


def take_back(lab: Lab, *, steps: int | None = None) -> None:
    """Step by step, the last one first; so many of them, or all."""
    for step in past_runs(lab.target(()))[-1].steps[::-1][:steps]:
        lab.sql(step.undo_sql, foreign_keys=True)


@pytest.mark.parametrize("case", list(mutations()), ids=str)
def test_it_leads_back(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Whatever the change was: without any rows in the way, SQLite alone goes back by it, at once or step by step."""
    lab.sql(case.ddl) if case.ddl else lab.create(case.old)
    structure = lab.structure()
    lab.migrate(case.new, policy=Policy.FULL, **case.settings)
    other = make_lab("other")
    shutil.copy(lab.path, other.path)
    lab.sql(last_undo_sql(lab), foreign_keys=False)
    assert lab.structure() == structure
    take_back(other)
    assert other.structure() == structure


def test_each_step_alone(lab: Lab) -> None:
    """The script of a step takes back this one and no other: after the last two the first one still stands."""
    lab.create(models())
    lab.migrate(models("a"))
    after_one = lab.structure()
    lab.sql(last_undo_sql(lab), foreign_keys=False)
    lab.migrate(models("a", "b", "c"))
    take_back(lab, steps=2)
    assert lab.structure() == after_one


def everything(*, renamed: bool) -> MetaData:
    """Models whose change takes renames, edits, a rebuild, columns, indexes, a view and a trigger."""
    metadata = MetaData()
    people, name = ("persons", "name") if renamed else ("people", "called")
    columns = [Column("age", Integer, nullable=not renamed, server_default="0"), Column(name, Text, index=renamed)]
    Table(people, metadata, Column("id", Integer, primary_key=True), *columns)
    for table in ("a", "b", "c"):
        more = [Column("x", Text), Column("y", Text, unique=True)] if renamed else []
        number = Column("n", Text if renamed else Integer, nullable=table == "c")
        Table(table, metadata, Column("id", Integer, primary_key=True), number, *more)
    Table("notes", metadata, Column("a_id", ForeignKey("a.id", ondelete="CASCADE")))
    shown = f"CREATE VIEW shown AS SELECT {name} FROM {people}"
    counted = f"CREATE TRIGGER counted AFTER INSERT ON a BEGIN UPDATE {people} SET age = 1; END"
    metadata.info["trueup"] = {"objects": [shown, counted]}
    return metadata


def test_steps_of_all_kinds(lab: Lab) -> None:
    """However the steps of many tables follow one another, they go back from the last one on. Rows stay, also those
    that point to a table that is rebuilt on the way, and would go with its rows."""
    lab.migrate(everything(renamed=False))
    lab.sql("INSERT INTO a VALUES (1, 5); INSERT INTO notes VALUES (1); INSERT INTO people VALUES (1, 2, 'Ada')")
    structure = lab.structure()
    decided = [Rename(table="people", to="persons"), Rename(table="persons", column="called", to="name")]
    found = lab.plan(everything(renamed=True), policy=Policy.FULL, decisions=decided)
    assert {step.form for step in found.steps} == set(Form)
    assert apply(found, lab.target(())).success
    assert lab.structure() != structure
    take_back(lab)
    assert lab.structure() == structure
    assert lab.rows("SELECT * FROM people") == [(1, 2, "Ada")]
    assert lab.rows("SELECT called, a_id FROM shown, notes") == [("Ada", 1)]


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


def test_a_name_that_was_given_to_something_new(lab: Lab) -> None:
    """It is free again when the rename goes back, which is the last thing to go back."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x')")
    decided = [Rename(table="people", column="a", to="b")]
    assert apply(lab.plan(models("b", "a"), decisions=decided), lab.target(models("b", "a"))).success
    assert lab.rows("SELECT b, a FROM people") == [("x", None)]
    lab.sql(last_undo_sql(lab))
    assert lab.rows("SELECT * FROM people") == [(1, "x")]


def test_a_reference_to_a_table_that_was_dropped(lab: Lab) -> None:
    """What was dropped first comes back last, so what refers to it is there before it, and asks nothing of it."""
    old, new = MetaData(), MetaData()
    Table("towns", old, Column("id", Integer, primary_key=True))
    for metadata in (old, new):
        more = [Column("town", Integer, ForeignKey("towns.id"))] if metadata is old else []
        age = Column("age", Integer, nullable=metadata is new)
        Table("people", metadata, Column("id", Integer, primary_key=True), age, *more)
    lab.create(old)
    structure = lab.structure()
    lab.migrate(new, policy=Policy.FULL, owned_tables=("towns", "people"))
    assert lab.structure() != structure
    take_back(lab)
    assert lab.structure() == structure


def test_what_no_script_brings_back(lab: Lab) -> None:
    """Trueup drops no full-text index: no script is claimed, of the run nor of a step, and the run is done all the
    same."""
    lab.create(models())
    wanted = models("a")
    wanted.info["trueup"] = {"objects": ["CREATE VIRTUAL TABLE search USING fts5(a)"]}
    assert lab.migrate(wanted).success
    run = past_runs(lab.target(()))[-1]
    assert (run.undo_sql, [step.undo_sql for step in run.steps]) == ("", ["", ""])


def test_a_step_that_only_deletes_rows(lab: Lab) -> None:
    """It changed no structure, so nothing stands beside it; the step that it was for goes back."""
    lab.create(models("a"))
    lab.sql("INSERT INTO people VALUES (1, 'x'), (2, NULL)")
    stricter = MetaData()
    Table("people", stricter, Column("id", Integer, primary_key=True), Column("a", Text, nullable=False))
    decided = [Delete(table="people", where="a IS NULL")]
    assert apply(lab.plan(stricter, decisions=decided), lab.target(stricter)).success
    deleting, altering = past_runs(lab.target(()))[-1].steps
    assert (deleting.undo_sql, bool(altering.undo_sql)) == ("", True)


def test_one_run_is_told_with_all_that_is_known(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Its steps, their SQL and what takes each of them back, in text and in JSON; one that is not there is refused."""
    lab.create(models())
    lab.migrate(models("a", "b"))
    run = past_runs(lab.target(()))[-1]
    assert cli.main(["history", "show", run.id, "--url", lab.url]) == 0
    said = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for step in run.steps:
        assert f"{step.number}. {step.sentence}" in said
        assert {line for line in (step.sql + "\n" + step.undo_sql).splitlines() if line} <= set(said)
    assert said.count("taken back by:") == 2
    assert f"checksum: {run.checksum}" in said
    cli.main(["history", "show", run.id, "--json", "--url", lab.url])
    told = json.loads(capsys.readouterr().out)["run"]
    assert [step["undo_sql"] for step in told["steps"]] == [step.undo_sql for step in run.steps]
    assert cli.main(["history", "show", "nothing", "--url", lab.url]) == 2
    assert run.id in capsys.readouterr().err


def test_a_cleanup_takes_it(lab: Lab) -> None:
    """Of a rename its line stays, without SQL of any kind."""
    lab.create(models("a"))
    decided = [Rename(table="people", column="a", to="b")]
    assert apply(lab.plan(models("b"), decisions=decided), lab.target(models("b"))).success
    for more in ("c", "d"):
        lab.migrate(models("b", more), backup=False)
    for path in (lab.path.parent / ".trueup" / "backups").iterdir():
        path.unlink()
    clean_history(lab.target(()), days=0)
    assert lab.rows("SELECT name, sql, undo_sql FROM migration_history WHERE step = 1 LIMIT 1") == [
        ("rename column people.a to b", "", None)
    ]
