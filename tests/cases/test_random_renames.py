"""Whatever names are exchanged, handed on, given up and taken over at once: the values move with the names."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

from trueup import Decision, Drop, Policy, Rename, Status, apply

from ..conftest import Lab, quote

NAMES = ("a", "b", "desc", "Group", 'x "y"')
THINGS = (0, 1, 2)
"""What is renamed. A thing is known by its type, in whatever table and under whatever name it is."""

Names = Sequence[str | None]
"""The name of each thing, or nothing for one that is not there."""


def names(present: bool) -> st.SearchStrategy[Names]:
    """A different name for each thing; where it may be missing, some have none."""
    each = st.permutations(NAMES).map(lambda order: order[: len(THINGS)])
    if present:
        return each
    gone = st.lists(st.booleans(), min_size=len(THINGS), max_size=len(THINGS))
    return st.tuples(each, gone).map(lambda pair: [None if out else name for name, out in zip(*pair, strict=True)])


def models(tables: Names, columns: Names, extra: bool) -> MetaData:
    """A table for each thing, each with a column for each thing, a reference to the next table, and what hangs on."""
    metadata = MetaData()
    for thing, name in enumerate(tables):
        if name is None:
            continue
        table = Table(name, metadata, Column("id", Integer, primary_key=True), Column(f"mark {thing}", Integer))
        for number, column in enumerate(columns):
            if column is not None:
                table.append_column(Column(column, String(10 + number)))
                Index(f"ix {thing} {number}", table.c[column], "id")
                table.append_constraint(UniqueConstraint(column, f"mark {thing}", name=f"uq {number}"))
        following = tables[(thing + 1) % len(tables)]
        if following is not None:
            table.append_column(Column("next", ForeignKey(metadata_key(following))))
        if extra:
            table.append_column(Column("new", Integer, nullable=False, server_default="7"))
    return metadata


def metadata_key(table: str) -> str:
    return f"{table}.id"


def decisions(old: Names, new: Names, table: str | None = None) -> list[Decision]:
    """What a person would write to say which thing has which name now."""
    answers: list[Decision] = []
    for before, after in zip(old, new, strict=True):
        assert before is not None
        place = {"table": table, "column": before} if table else {"table": before}
        if after is None:
            answers.append(Drop(**place))
        elif after != before:
            answers.append(Rename(to=after, **place))
    return answers


def fill(lab: Lab, tables: Names, columns: Names) -> None:
    """Each value tells of which thing in which table it is."""
    for thing, name in enumerate(tables):
        assert name is not None
        terms = ", ".join(quote(column or "") for column in columns)
        values = ", ".join(f"'{thing} {number}'" for number in range(len(columns)))
        lab.sql(f"INSERT INTO {quote(name)} (id, {terms}) VALUES (1, {values})")
        lab.sql(f"CREATE VIEW {quote(f'view {thing}')} AS SELECT id FROM {quote(name)}")


def content(lab: Lab, tables: Names, columns: Names) -> Mapping[tuple[int, int], Any]:
    """The value of each thing in each table."""
    return {
        (thing, number): lab.value(f"SELECT {quote(column)} FROM {quote(name)}")
        for thing, name in enumerate(tables)
        for number, column in enumerate(columns)
        if name is not None and column is not None
    }


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    tables=st.tuples(names(True), names(True)),
    columns=st.tuples(names(True), names(False)),
    extra=st.booleans(),
)
def test_any_permutation(tables: tuple[Names, Names], columns: tuple[Names, Names], extra: bool) -> None:
    """One run makes it, everything that was there is there under its new name, and a second run finds nothing."""
    note(f"{tables}, {columns}")
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory) / "app.db")
        lab.create(models(tables[0], columns[0], extra=False))
        fill(lab, tables[0], columns[0])
        answers = decisions(*tables)
        for name in tables[1]:
            answers += decisions(*columns, table=name)
        wanted = models(tables[1], columns[1], extra)
        found = lab.plan(wanted, decisions=answers, policy=Policy.FULL)
        assert [item.reason for item in found.blocked] == []
        run = apply(found, lab.target(wanted))
        assert (run.error, run.status in (Status.MIGRATED, Status.IN_SYNC)) == (None, True)
        moved = content(lab, tables[1], columns[1])
        assert moved == {(thing, number): f"{thing} {number}" for thing, number in moved}
        assert [lab.value(f'SELECT count(*) FROM "view {thing}"') for thing in THINGS] == [1, 1, 1]
        assert lab.healthy()
        assert lab.plan(wanted, decisions=answers, policy=Policy.FULL).assessments == ()
