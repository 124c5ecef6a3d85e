"""Which drop and addition may really be one rename? Evidence and a score; the answer is a person's."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from trueup.changes import AddColumn, Change, CreateTable, DropColumn, DropTable
from trueup.plan import RenameCandidate
from trueup.schema import Column, Table

_POSSIBLE = 0.6
"""From this score on a pair is shown to a reviewer."""
_PROBABLE_COLUMN = 0.85
"""From this score on a pair is so probably a rename that nothing is done before somebody answered."""
_PROBABLE_TABLE = 0.75
_PROBABLE_TABLE_NAME = 0.7
"""A table whose name changed more than this probably is another one, however alike its columns are."""
_CONTAINED = 0.85
"""Similarity of two names one of which is the other and something more, such as ``name`` and ``full_name``."""

_WORDS = re.compile(r"[^\W_]+?(?=[A-Z][a-z])|[^\W_]+")


def find_renames(changes: Sequence[Change]) -> tuple[RenameCandidate, ...]:
    """Pairs that may be renames, best first."""
    candidates = [*_columns(changes), *_tables(changes)]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.score))


def _columns(changes: Sequence[Change]) -> Iterator[RenameCandidate]:
    for dropped in (change for change in changes if isinstance(change, DropColumn)):
        for added in (change for change in changes if isinstance(change, AddColumn) and change.table == dropped.table):
            candidate = _column_candidate(dropped.table, dropped.old, added.new)
            if candidate.score >= _POSSIBLE:
                yield candidate


def _column_candidate(table: str, old: Column, new: Column) -> RenameCandidate:
    similarity = name_similarity(old.name, new.name)
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
    return RenameCandidate(
        table=table,
        column=old.name,
        to=new.name,
        score=score,
        probable=score >= _PROBABLE_COLUMN,
        evidence=tuple(evidence),
    )


def _tables(changes: Sequence[Change]) -> Iterator[RenameCandidate]:
    for dropped in (change for change in changes if isinstance(change, DropTable)):
        for added in (change for change in changes if isinstance(change, CreateTable)):
            candidate = _table_candidate(dropped.old, added.new)
            if candidate.score >= _POSSIBLE:
                yield candidate


def _table_candidate(old: Table, new: Table) -> RenameCandidate:
    similarity = name_similarity(old.name, new.name)
    before, after = ({column.name.lower() for column in table.columns} for table in (old, new))
    score = 0.4 * similarity + 0.6 * len(before & after) / len(before | after)
    return RenameCandidate(
        table=old.name,
        column=None,
        to=new.name,
        score=score,
        probable=score >= _PROBABLE_TABLE and similarity >= _PROBABLE_TABLE_NAME,
        evidence=(
            f"name similarity {similarity:.2f}",
            f"{len(before & after)} of {len(before | after)} columns the same",
        ),
    )


def name_similarity(old: str, new: str) -> float:
    """Between 0 and 1. Whole words in common count as such, so that a shared prefix does not make names alike."""
    before, after = (Counter(word.lower() for word in _WORDS.findall(name)) for name in (old, new))
    if "".join(before.elements()) == "".join(after.elements()):
        return 1.0
    common = before & after
    if common and common in (before, after):
        return _CONTAINED
    rest_before, rest_after = ("".join((words - common).elements()) for words in (before, after))
    alike = SequenceMatcher(None, rest_before, rest_after, autojunk=False).ratio()
    words = max(before.total(), after.total())
    return (common.total() + alike * (words - common.total())) / words
