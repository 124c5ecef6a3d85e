"""Which drop and addition may really be one rename? Evidence and a score; the answer is a person's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from trueup.changes import AddColumn, Change, CreateTable, DropColumn, DropTable
from trueup.plan import RenameCandidate
from trueup.schema import Column, Table

PROBABLE = 0.6
"""From this score on a pair is so probably a rename that it is asked about."""


def find_renames(changes: Sequence[Change]) -> tuple[RenameCandidate, ...]:
    """Pairs that may be renames, best first."""
    candidates = [*_columns(changes), *_tables(changes)]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def _columns(changes: Sequence[Change]) -> Iterator[RenameCandidate]:
    for dropped in (change for change in changes if isinstance(change, DropColumn)):
        for added in (change for change in changes if isinstance(change, AddColumn) and change.table == dropped.table):
            candidate = _column_candidate(dropped.table, dropped.old, added.new)
            if candidate.score >= PROBABLE:
                yield candidate


def _column_candidate(table: str, old: Column, new: Column) -> RenameCandidate:
    similarity = _similarity(old.name, new.name)
    evidence = [f"name similarity {similarity:.2f}"]
    score = 0.7 * similarity
    if old.type == new.type:
        score += 0.2
        evidence.append(f"same type {old.type}")
    if (old.nullable, old.default, old.collation) == (new.nullable, new.default, new.collation):
        score += 0.1
        evidence.append("same nullability, default and collation")
    if (old.computed is None) != (new.computed is None):
        score = 0.0
    return RenameCandidate(table=table, column=old.name, to=new.name, score=score, evidence=tuple(evidence))


def _tables(changes: Sequence[Change]) -> Iterator[RenameCandidate]:
    for dropped in (change for change in changes if isinstance(change, DropTable)):
        for added in (change for change in changes if isinstance(change, CreateTable)):
            candidate = _table_candidate(dropped.old, added.new)
            if candidate.score >= PROBABLE:
                yield candidate


def _table_candidate(old: Table, new: Table) -> RenameCandidate:
    similarity = _similarity(old.name, new.name)
    before, after = ({column.name.lower() for column in table.columns} for table in (old, new))
    common = len(before & after) / len(before | after)
    return RenameCandidate(
        table=old.name,
        column=None,
        to=new.name,
        score=0.4 * similarity + 0.6 * common,
        evidence=(
            f"name similarity {similarity:.2f}",
            f"{len(before & after)} of {len(before | after)} columns the same",
        ),
    )


def _similarity(old: str, new: str) -> float:
    """1 for names that differ in case and separators only."""
    folded = [name.lower().replace("_", "") for name in (old, new)]
    return SequenceMatcher(None, *folded, autojunk=False).ratio()
