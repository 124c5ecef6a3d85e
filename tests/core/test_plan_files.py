"""A plan as a file: what was reviewed here is what runs there, or nothing does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import Drop, Policy, Status, Target, apply, errors, load_plan, plan, save_plan
from trueup.planfile import _checksum


def models(*more: Column[Any] | CheckConstraint | Index) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", Integer), *more)
    return metadata


NEWER = models(Column("city", Text), CheckConstraint("age < 90", name="young"))


@pytest.fixture
def filled(lab: Lab) -> Lab:
    assert lab.migrate(models()).success
    lab.sql("INSERT INTO people (age) VALUES (1), (2), (3)")
    return lab


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


@pytest.fixture
def target(filled: Lab, path: Path) -> Target:
    """The database that the plan in the file was made for."""
    target = filled.target(NEWER)
    save_plan(plan(target), path)
    return target


def edit(path: Path, *, sealed: bool, **changes: Any) -> None:
    content = json.loads(path.read_text()) | changes
    if sealed:
        content.pop("checksum")
        content["checksum"] = _checksum(content)
    path.write_text(json.dumps(content))


def test_what_was_written_is_what_is_loaded(target: Target, path: Path) -> None:
    """Where nothing moved, the plan of the file is the plan for the database."""
    assert load_plan(path, target).checksum == plan(target).checksum


def test_made_here_applied_there(target: Target, path: Path, filled: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Another copy of the database with other rows takes the plan, and its history tells where it came from."""
    other = make_lab("other")
    shutil.copy(filled.path, other.path)
    other.sql("INSERT INTO people (age) VALUES (4)")
    there = other.target(NEWER)
    assert apply(load_plan(path, there), there, kind="plan file").status is Status.MIGRATED
    assert other.value("SELECT kind FROM migration_history WHERE step = 0 ORDER BY rowid DESC") == "plan file"
    assert "city" in other.stored("people")


def test_the_file_says_all_that_a_reviewer_needs(target: Target, path: Path) -> None:
    """Steps with their SQL, form, reason and estimate, the versions, and what each side looked like."""
    content = json.loads(path.read_text())
    assert content["policy"] == "safe"
    assert [step["form"] for step in content["steps"]] == ["in place", "schema edit"]
    for step in content["steps"]:
        assert set(step) == {"sentence", "table", "form", "why", "sql", "rows", "batches_by", "estimate_ms"}
    assert set(content["live"]) == {"table people"}
    assert set(content) >= {"format", "created_at", "versions", "hazards", "warnings"}


def test_policy_decisions_and_what_was_left_out_are_those_of_the_file(filled: Lab, path: Path) -> None:
    """Whoever applies the file needs neither the settings nor the decisions of whoever made it."""
    filled.sql("ALTER TABLE people ADD COLUMN old TEXT; ALTER TABLE people ADD COLUMN older TEXT")
    wanted = models(Column("city", Text), Column("mail", Text))
    made = filled.target(wanted, policy=Policy.SAFE)
    drop = Drop(table="people", column="old")
    save_plan(plan(made, decisions=[drop], leave_out=["add column people.mail"]), path)
    applied = filled.target(wanted, policy=Policy.CHECK)
    assert apply(load_plan(path, applied), applied).success
    stored = filled.stored("people")
    assert ("old TEXT" in stored, "older TEXT" in stored, "city" in stored, "mail" in stored) == (
        False,
        True,
        True,
        False,
    )


def test_nothing_secret_is_in_the_file(filled: Lab, path: Path) -> None:
    """The password of the URL is masked."""
    url = filled.url.replace("sqlite:///", "sqlite://someone:hunter2@/")
    save_plan(plan(Target(url=url, models=NEWER)), path)
    assert "hunter2" not in path.read_text()
    assert "***" in json.loads(path.read_text())["database"]


def test_an_open_question_is_no_plan(filled: Lab, path: Path) -> None:
    """What only a person can answer is answered before a file is made."""
    with pytest.raises(errors.PlanFileError, match="a question is open about add column people"):
        save_plan(filled.plan(models(Column("city", Text, nullable=False))), path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("ALTER TABLE people ADD COLUMN mail TEXT", "in the database the table people is another one"),
        ("CREATE TABLE pets (id INTEGER PRIMARY KEY)", "in the database the table pets is new"),
        ("CREATE INDEX ix ON people (age)", "in the database the index ix is new"),
        ("DROP TABLE people", "in the database the table people is gone"),
        ("INSERT INTO people (age) VALUES (99)", "the data moved: add check people.young: "),
    ],
)
def test_what_moved_in_the_database_is_named(
    target: Target, path: Path, filled: Lab, script: str, sentence: str
) -> None:
    """A schema or data that is not what was reviewed is told, and nothing is changed."""
    filled.sql(script)
    before = filled.dump()
    with pytest.raises(errors.PlanMoved, match=sentence):
        load_plan(path, target)
    assert filled.dump() == before


def test_models_that_moved_are_named(target: Target, path: Path, filled: Lab) -> None:
    """A plan for other models is not applied."""
    with pytest.raises(errors.PlanMoved, match="in the models the table people is another one"):
        load_plan(path, filled.target(models(Column("town", Text))))


def test_other_sql_is_refused(target: Target, path: Path) -> None:
    """A file that was forged with its checksum says other SQL than the plan, and is refused; it is never executed."""
    content = json.loads(path.read_text())
    content["steps"][0]["sql"] = "DROP TABLE people;"
    edit(path, sealed=True, steps=content["steps"])
    with pytest.raises(errors.PlanMoved, match="step 1 is other SQL here"):
        load_plan(path, target)
    edit(path, sealed=True, steps=[])
    with pytest.raises(errors.PlanMoved, match="it has 0 steps, and here 2"):
        load_plan(path, target)


def test_another_version_is_named_where_the_sql_differs(target: Target, path: Path) -> None:
    """Another version of SQLite may do a step in another way; then both are told."""
    steps = [step | {"sql": "-- otherwise"} for step in json.loads(path.read_text())["steps"]]
    edit(path, sealed=True, steps=steps, versions="trueup 9, SQLAlchemy 9, database 9")
    with pytest.raises(errors.PlanMoved, match="made by trueup 9, SQLAlchemy 9, database 9; here is trueup"):
        load_plan(path, target)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "it is not JSON"),
        ("[1]", "trueup did not write it"),
        ('{"name": "package"}', "trueup did not write it"),
        ('{"format": 99}', "its format is 99"),
    ],
)
def test_a_foreign_file(target: Target, path: Path, content: str, sentence: str) -> None:
    """Another file is told in a sentence that names it."""
    path.write_text(content)
    with pytest.raises(errors.PlanFileError, match=sentence) as caught:
        load_plan(path, target)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "changes", [{"policy": "all"}, {"decisions": [{"burn": "people"}]}, {"decisions": 7}, {"live": 7}, {"steps": [7]}]
)
def test_a_file_that_was_edited(target: Target, path: Path, changes: dict[str, Any]) -> None:
    """Any edit is seen by the checksum; one with a new checksum that means nothing is not understood."""
    edit(path, sealed=False, **changes)
    with pytest.raises(errors.PlanFileError, match="somebody edited it"):
        load_plan(path, target)
    edit(path, sealed=True, **changes)
    with pytest.raises(errors.PlanFileError, match="it is not understood"):
        load_plan(path, target)


def test_files_that_cannot_be_reached(target: Target, tmp_path: Path) -> None:
    """A missing file and a directory that is not there are sentences."""
    with pytest.raises(errors.PlanFileError, match="No such file"):
        load_plan(tmp_path / "none.json", target)
    with pytest.raises(errors.PlanFileError, match="No such file"):
        save_plan(plan(target), tmp_path / "none" / "plan.json")
