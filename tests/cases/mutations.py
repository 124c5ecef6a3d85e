"""The mutation matrix: databases that differ from their models in exactly one thing, and what must be true of each.

A case is a pair of models. The database is made from the old ones by ``create_all`` (or by hand, where SQLAlchemy has
no words for it) and filled; then trueup brings it to the new ones. :func:`prove` says the whole promise in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table

from trueup import Policy, Status

if TYPE_CHECKING:
    from ..conftest import Lab

ROWS = """
    INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'it''s "quoted"; -- no comment', 2), (3, 'Füße 漢字 🎉', 3),
        (4, '', 0), (7, 'a:b %s \\', -7);
"""
"""Values that are easily broken on the way. There is no NULL in them, so that every rule can be tightened."""

WITH_NULLS = ROWS + "INSERT INTO t (id, a, n) VALUES (9, NULL, NULL), (12, NULL, 12);"


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One row of the matrix."""

    name: str
    old: MetaData
    new: MetaData
    change: str
    """Kind and id of the one change, as ``"AddColumn add column t.b"``."""
    rows: str = WITH_NULLS
    ddl: str = ""
    """The old database written by hand, where ``create_all`` cannot write it."""
    refuses: str = ""
    """A statement that the database must refuse afterwards, and took before."""
    takes: str = ""
    """A statement that the database must take afterwards, and refused before."""
    retyped: tuple[str, ...] = ()
    """Columns whose values may change their storage class, but not what they say."""
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def t(*items: Any, name: str = "t", metadata: MetaData | None = None, **kw: Any) -> MetaData:
    """Models with one table; with ``metadata``, one table more."""
    metadata = metadata if metadata is not None else MetaData()
    Table(name, metadata, *items, **kw)
    return metadata


def key(**kw: Any) -> Column[int]:
    return Column("id", Integer, primary_key=True, **kw)


def a(*items: Any, **kw: Any) -> Column[str]:
    return Column("a", *(items or (String(50),)), **kw)


def n(*items: Any, **kw: Any) -> Column[int]:
    return Column("n", *(items or (Integer,)), **kw)


def prove(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """The difference is found as exactly one change, a run removes it, and nothing is lost on the way."""
    _build(case, lab)
    assert lab.found(case.new, **case.settings) == [tuple(case.change.split(" ", 1))]
    surviving = _surviving(case)
    before = _content(case, lab, surviving)
    _rules(case, lab, after=False)
    run = lab.migrate(case.new, policy=Policy.FULL, **case.settings)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert _content(case, lab, surviving) == before
    assert lab.healthy()
    _rules(case, lab, after=True)
    assert lab.structure() == _fresh(case, make_lab).structure()
    _is_in_step(case, lab)


def _build(case: Mutation, lab: Lab) -> None:
    if case.ddl:
        lab.sql(case.ddl)
    else:
        lab.create(case.old)
    lab.sql(case.rows)


def _surviving(case: Mutation) -> dict[str, list[str]]:
    """The columns, of every table, that hold values of their own on both sides."""
    shared: dict[str, list[str]] = {}
    for table in case.old.tables.values():
        other = case.new.tables.get(table.name)
        if other is not None:
            kept = [column.name for column in table.columns if column.name in other.columns and column.computed is None]
            shared[table.name] = [name for name in kept if other.columns[name].computed is None]
    return shared


def _content(case: Mutation, lab: Lab, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
    return {
        table: lab.content(table, [name for name in names if name not in case.retyped])
        + [lab.rows(f'SELECT CAST("{name}" AS TEXT) FROM "{table}" ORDER BY 1') for name in case.retyped]
        for table, names in columns.items()
    }


def _fresh(case: Mutation, make_lab: Callable[[str], Lab]) -> Lab:
    fresh = make_lab("fresh")
    fresh.create(case.new)
    return fresh


def _rules(case: Mutation, lab: Lab, *, after: bool) -> None:
    if case.refuses:
        assert bool(lab.refusal(case.refuses)) is after
    if case.takes:
        assert bool(lab.refusal(case.takes)) is not after


def _is_in_step(case: Mutation, lab: Lab) -> None:
    again = lab.plan(case.new, policy=Policy.CHECK, **case.settings)
    assert (again.assessments, again.steps, again.in_step) == ((), (), True)
    before = lab.dump()
    assert lab.migrate(case.new, policy=Policy.FULL, **case.settings).status is Status.IN_SYNC
    assert lab.dump() == before
