"""The one call for a server that is about to serve."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.conftest import Lab
from trueup import Limits, TrueupError, execute_startup_migration, plan
from trueup.errors import Cancelled, TimeLimitReached
from trueup.stages.models import forget


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    city: Mapped[str] = mapped_column(default="Paris")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the directory that the tests run in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def old(lab: Lab) -> Lab:
    lab.sql(
        "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL);"
        "INSERT INTO people (name) VALUES ('Ada')"
    )
    return lab


def test_it_migrates_and_tells(old: Lab, tmp_path: Path) -> None:
    """The result has what happened, with the backup where it was asked for; the models' own default fills the rows."""
    result = execute_startup_migration(old.url, tmp_path / "safe", models=Base)
    assert (result.success, result.migration_needed, result.operations_executed) == (True, True, 1)
    assert result.backup_created
    assert result.backup_info is not None
    assert result.backup_info.path.parent == tmp_path / "safe"
    assert (result.error_message, result.warnings) == (None, ())
    assert result.execution_time_ms > 0
    assert old.rows("SELECT * FROM people") == [(1, "Ada", "Paris")]


def test_the_second_server_finds_nothing_to_do(old: Lab) -> None:
    """In step there is nothing to migrate, no backup and no error."""
    execute_startup_migration(old.url, models=Base)
    result = execute_startup_migration(old.url, models=Base)
    assert (result.success, result.migration_needed, result.operations_executed) == (True, False, 0)
    assert not result.backup_created


@pytest.mark.parametrize("models", [Base, Base.metadata, Person, [Base, Person], [Base.metadata]])
def test_every_form_of_models(lab: Lab, models: object) -> None:
    """A declarative base, a MetaData, a mapped class and lists of them mean the same tables."""
    assert execute_startup_migration(lab.url, models=models).success
    assert "people" in lab.names()


def test_sqlmodel_classes(lab: Lab) -> None:
    """An SQLModel class means all tables of its metadata."""
    from sqlmodel import Field, SQLModel

    class Hero(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        name: str

    assert execute_startup_migration(lab.url, models=SQLModel).success
    assert execute_startup_migration(lab.url, models=Hero).migration_needed is False
    assert "hero" in lab.names()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"database_url": "sqlite:///app.db"}, "No models given"),
        ({"models": Base}, "No database given"),
        ({"database_url": "sqlite:///app.db", "models": "nosuch.module:Base"}, "No module named 'nosuch'"),
        ({"database_url": "sqlite:///app.db", "models": 7}, "of type int"),
        ({"database_url": "mysql://u:secret@h/d", "models": Base}, "cannot migrate mysql databases yet"),
        ({"database_url": "sqlite:////no/such/directory/app.db", "models": Base}, "is not a directory"),
        ({"database_url": "sqlite:///app.db", "models": Base, "backup_directory": 7}, "TypeError"),
    ],
)
def test_it_never_raises(arguments: dict[str, Any], sentence: str) -> None:
    """Whatever is wrong becomes a result with a sentence, without a password."""
    result = execute_startup_migration(**arguments)
    assert not result.success
    assert result.error_message is not None
    assert sentence in result.error_message
    assert "secret" not in result.error_message


def test_a_server_whose_directory_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that was removed under the server's feet is a sentence as well."""
    gone = tmp_path / "release"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = execute_startup_migration(f"sqlite:///{tmp_path}/app.db", models=Base)
    assert (result.success, "The current directory cannot be used" in str(result.error_message)) == (False, True)


def test_a_question_for_a_person_is_a_result(old: Lab) -> None:
    """Where only a person can say how to go on, the message says what to decide, and nothing is changed."""
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("age", Integer, nullable=False))
    before = old.dump()
    result = execute_startup_migration(old.url, models=metadata)
    assert (result.success, result.migration_needed) == (False, True)
    assert 'fill = "people.age"' in str(result.error_message)
    assert old.dump() == before


def test_the_environment_says_what_the_call_does_not(old: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """URL and models may come from the environment."""
    monkeypatch.setenv("TRUEUP_URL", old.url)
    monkeypatch.setenv("TRUEUP_MODELS", "tests.core.test_startup:Base")
    assert execute_startup_migration().success


def test_edited_models_are_seen_by_a_program_that_stays_open(lab: Lab, tmp_path: Path) -> None:
    """A module of models is read again after it was forgotten, whole package included."""
    from trueup import forget_models, plan

    package = tmp_path / "shop_under_edit"
    package.mkdir()
    (package / "__init__.py").touch()
    column = "from sqlalchemy import Column, Integer\n\nid_column = lambda: Column('id', Integer, primary_key=True)\n"
    (package / "columns.py").write_text(column)
    body = "from sqlalchemy import MetaData, Table\nfrom .columns import id_column\n\nmetadata = MetaData()\n"
    (package / "models.py").write_text(body + "Table('a', metadata, id_column())\n")
    target = lab.target("shop_under_edit.models:metadata", base=tmp_path)
    assert [item.change.id for item in plan(target).assessments] == ["add table a"]
    (package / "models.py").write_text(body + "Table('another', metadata, id_column())\n")
    assert [item.change.id for item in plan(target).assessments] == ["add table a"]
    forget_models(target)
    assert [item.change.id for item in plan(target).assessments] == ["add table another"]


@pytest.mark.parametrize("name", ["app", "app/below"])
def test_only_the_users_modules_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Neither Python's own modules are, though it lies below the directory, nor those of a neighbour whose name begins
    alike."""
    (tmp_path / "app" / "below").mkdir(parents=True)
    (tmp_path / "application").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / name), str(tmp_path / "application"), *sys.path])
    for place, module in ((name, "forgotten_models"), ("application", "kept_models")):
        (tmp_path / place / f"{module}.py").touch()
        importlib.import_module(module)
    before = dict(sys.modules)
    forget(tmp_path / "app")
    assert before.keys() - sys.modules.keys() == {"forgotten_models"}
    forget(Path(json.__file__).parents[1])
    assert before.keys() - sys.modules.keys() == {"forgotten_models"}


@pytest.mark.parametrize(("seconds", "error"), [(0.0, TimeLimitReached), (None, Cancelled)])
def test_looking_ends_when_the_run_must(old: Lab, seconds: float | None, error: type[TrueupError]) -> None:
    """The time limit of a run and its cancellation end the comparison, too, and say that it ended there."""
    limits = Limits(seconds)
    if seconds is None:
        limits.cancel()
    with pytest.raises(error, match="comparing and looking at the data"):
        plan(old.target(Base), limits=limits)
