"""Tables that are stored as the models would make them are not made anew to compare them; no verdict is another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from sqlalchemy import DDL, Boolean, Column, Enum, Index, Integer, MetaData, String, Table, event

from trueup import Plan, Policy, Status

from ..conftest import Lab
from . import test_mutation_keys as keys
from . import test_mutation_matrix as matrix
from . import test_mutation_rules as rules
from .generators import Upgrade, upgrades
from .mutations import Mutation

MATRIX = [
    *(*matrix.TABLES, *matrix.COLUMNS, *matrix.TYPES, *matrix.NULLABILITY),
    *(*matrix.DEFAULTS, *matrix.COMPUTED, *matrix.COLLATIONS),
    *(*keys.PRIMARY_KEYS, *keys.OPTIONS, *keys.FOREIGN_KEYS, *rules.UNIQUES, *rules.CHECKS, *rules.INDEXES),
]


@contextmanager
def all_made(metadata: MetaData) -> Iterator[None]:
    """While somebody listens, only making the tables tells what becomes of them."""

    def listen(*_: object, **__: object) -> None:
        pass

    event.listen(metadata, "before_create", listen)
    try:
        yield
    finally:
        event.remove(metadata, "before_create", listen)


def told(plan: Plan) -> Any:
    assessed = sorted((item.change.sentence, item.verdict, item.reason) for item in plan.assessments)
    return assessed, plan.in_step, sorted(plan.managed), plan.unmanaged, plan.unsupported, plan.warnings


def same_either_way(lab: Lab, metadata: MetaData, **kw: Any) -> bool:
    shortly = told(lab.plan(metadata, **kw))
    with all_made(metadata):
        return told(lab.plan(metadata, **kw)) == shortly


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_one_difference(case: Mutation, lab: Lab) -> None:
    """Every mutation is found alike, and so is that nothing differs."""
    if case.ddl:
        lab.sql(case.ddl)
    else:
        lab.create(case.old)
    assert same_either_way(lab, case.new, policy=Policy.FULL, **case.settings)
    assert same_either_way(lab, case.old, policy=Policy.FULL, **case.settings)


@given(upgrades())
def test_any_pair_of_models(upgrade: Upgrade) -> None:
    """So are the differences of models that nobody thought of."""
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory) / "app.db")
        lab.create(upgrade.old.metadata())
        assert same_either_way(lab, upgrade.new.metadata(), policy=Policy.FULL)
        assert same_either_way(lab, upgrade.old.metadata(), policy=Policy.FULL)


def small(*more: Any) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, Column("id", Integer, primary_key=True), Column("a", String(20)), *more)
    Table("u", metadata, Column("id", Integer, primary_key=True), Column("kind", Enum("x", "y")), Column("b", Boolean))
    return metadata


def test_only_what_differs_is_made(lab: Lab) -> None:
    """In step nothing is made at all, otherwise only the tables that differ; types that listen do not count."""
    lab.create(small())
    same = lab.plan(small())
    assert all(wanted is live for wanted, live in zip(same.wanted.tables, same.live.tables, strict=True))
    other = lab.plan(small(Column("c", Integer)))
    assert other.wanted.table("u") is other.live.table("u")
    assert other.wanted.table("t") is not other.live.table("t")


def test_only_what_differs_is_read(lab: Lab) -> None:
    """What the text of a table says is found out where it matters, and nowhere else."""
    lab.create(small())
    found = lab.plan(small(Column("c", Integer)), policy=Policy.FULL)
    assert [table.name for table in found.live.tables if is_read(table)] == ["t"]
    assert not any(map(is_read, lab.plan(small()).live.tables))


def is_read(table: Any) -> bool:
    """A slot that is still empty has no value, and looking at it like this does not fill it."""
    try:
        object.__getattribute__(table, "columns")
    except AttributeError:
        return False
    return True


def test_who_listens_is_heard(lab: Lab) -> None:
    """What code of the application's adds when the tables are made is seen, and that it moved is known."""
    metadata = small()
    event.listen(metadata.tables["t"], "after_create", DDL("CREATE INDEX by_event ON t (a)"))
    lab.create(small())
    assert lab.applied(metadata) == ["add index t.by_event"]
    assert lab.migrate(metadata).status is Status.MIGRATED
    assert lab.migrate(metadata).plan is None
    event.listen(metadata.tables["t"], "after_create", DDL("CREATE INDEX another ON t (id, a)"))
    assert lab.migrate(metadata).status is Status.MIGRATED
    assert lab.names("index") == ["another", "by_event"]


def test_an_index_for_another_database(lab: Lab) -> None:
    """An index that the models have for another kind of database only is no difference."""
    metadata = small(Index("elsewhere", "a").ddl_if(dialect="postgresql"))
    lab.create(metadata)
    assert lab.names("index") == []
    assert lab.plan(metadata).in_step


def test_two_indexes_of_one_name(lab: Lab) -> None:
    """What the database would refuse in fresh models is refused, also where every table is there already."""
    metadata = small(Index("ix", "a"))
    lab.create(metadata)
    Index("ix", metadata.tables["u"].c.kind)
    assert "already exists" in str(lab.migrate(metadata).error)
