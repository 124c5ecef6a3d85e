"""Bring verdicts into line with one another: a change goes where the column or table that it stands on goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from trueup.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddUnique,
    AlterCheck,
    AlterColumn,
    AlterForeignKey,
    AlterIndex,
    AlterPrimaryKey,
    AlterUnique,
    Change,
    CreateIndex,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropUnique,
)
from trueup.plan import Assessment, Verdict
from trueup.schema import Check, Column, ForeignKey, Index, PrimaryKey, Unique

_DROPS = (DropIndex, DropUnique, DropCheck, DropForeignKey)
_STANDS_ON_COLUMNS = (
    AddColumn,
    AlterColumn,
    AlterPrimaryKey,
    AddForeignKey,
    AlterForeignKey,
    AddUnique,
    AlterUnique,
    AddCheck,
    AlterCheck,
    CreateIndex,
    AlterIndex,
)

_Object = tuple[type[Change], str, str]
"""A kind of change, the table, and the column or nothing."""


def settle(assessments: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """The same assessments, none of which needs what another one withholds or keeps what another one removes."""
    settled = _follow(tuple(assessments))
    removed = {
        _object(item.change)
        for item in settled
        if isinstance(item.change, DropColumn) and item.verdict is Verdict.APPLY
    }
    settled = tuple(_with_removed(item, removed) for item in settled)
    taken = {name.lower() for item in settled if item.verdict is Verdict.APPLY for name in _new_indexes(item.change)}
    return tuple(_give_up_name(item, taken) for item in settled)


def _follow(assessments: tuple[Assessment, ...]) -> tuple[Assessment, ...]:
    """What needs something that is withheld is withheld as well, and so on until nothing follows any more."""
    withheld = {_object(item.change): item for item in assessments if item.verdict is not Verdict.APPLY}
    followed = tuple(_withhold(item, withheld) for item in assessments)
    return assessments if followed == assessments else _follow(followed)


def _withhold(item: Assessment, withheld: Mapping[_Object, Assessment]) -> Assessment:
    missing = next((withheld[need] for need in _needs(item.change) if need in withheld), None)
    if item.verdict is not Verdict.APPLY or missing is None:
        return item
    return replace(item, verdict=missing.verdict, reason=f"it needs: {missing.change.sentence}", remedy=missing.remedy)


def _needs(change: Change) -> Iterator[_Object]:
    """The changes without which this one cannot be made, where they are changes at all."""
    table = change.table.lower()
    if isinstance(change, _STANDS_ON_COLUMNS):
        for name in _columns_of(change.new):
            if not isinstance(change, AddColumn) or name != change.label.lower():
                yield AddColumn, table, name
    if isinstance(change, AlterPrimaryKey):
        yield from ((AlterColumn, table, name) for name in _columns_of(change.new))
    if isinstance(change, AddForeignKey | AlterForeignKey):
        yield CreateTable, change.new.referred_table.lower(), ""
        yield from (
            (AddColumn, change.new.referred_table.lower(), name.lower()) for name in change.new.referred_columns
        )


def _object(change: Change) -> _Object:
    return type(change), change.table.lower(), change.label.lower()


def _new_indexes(change: Change) -> Sequence[str]:
    if isinstance(change, CreateTable):
        return [index.name for index in change.new.indexes]
    return [change.new.name] if isinstance(change, CreateIndex) else []


def _give_up_name(item: Assessment, taken: set[str]) -> Assessment:
    """An index holds no data; one that is kept for its own sake gives its name to one that the models declare."""
    if isinstance(item.change, DropIndex) and item.change.label.lower() in taken:
        return replace(item, verdict=Verdict.APPLY, reason="", remedy="")
    return item


def _with_removed(item: Assessment, removed: set[_Object]) -> Assessment:
    if not isinstance(item.change, _DROPS) or item.verdict is Verdict.APPLY:
        return item
    stands_on = {(DropColumn, item.change.table.lower(), name) for name in _columns_of(item.change.old)}
    return replace(item, verdict=Verdict.APPLY, reason="", remedy="") if stands_on & removed else item


def _columns_of(value: object) -> frozenset[str]:
    """Every column that the value mentions, in lower case."""
    match value:
        case ForeignKey(columns=columns):
            return frozenset(name.lower() for name in columns)
        case Check(expression=expression):
            return expression.words
        case Index(parts=parts, where=where):
            words = where.words if where else frozenset[str]()
            return words.union(*(part.expression.words for part in parts))
        case Unique(parts=parts) | PrimaryKey(parts=parts):
            return frozenset[str]().union(*(part.expression.words for part in parts))
        case Column(name=name, computed=computed):
            return frozenset({name.lower()}) | (computed.expression.words if computed else frozenset())
        case _:
            return frozenset()
