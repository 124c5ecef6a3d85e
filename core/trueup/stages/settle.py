"""Bring verdicts into line with one another: a change goes where the column or table that it stands on goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trueup.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddUnique,
    AlterCheck,
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
_ON_NEW = (AddForeignKey, AlterForeignKey, AddUnique, AlterUnique, AddCheck, AlterCheck, CreateIndex, AlterIndex)


def settle(assessments: Sequence[Assessment]) -> tuple[Assessment, ...]:
    """The same assessments, none of which needs what another one withholds or keeps what another one removes."""
    withheld = {
        _object(item.change): item
        for item in assessments
        if isinstance(item.change, AddColumn | CreateTable) and item.verdict is not Verdict.APPLY
    }
    removed = {
        _object(item.change)
        for item in assessments
        if isinstance(item.change, DropColumn) and item.verdict is Verdict.APPLY
    }
    return tuple(_with_removed(_without_withheld(item, withheld), removed) for item in assessments)


def _object(change: Change) -> tuple[str, str]:
    return change.table.lower(), change.label.lower()


def _without_withheld(item: Assessment, withheld: dict[tuple[str, str], Assessment]) -> Assessment:
    if item.verdict is not Verdict.APPLY:
        return item
    needed = [(item.change.table.lower(), name) for name in _columns_of(getattr(item.change, "new", None))]
    if isinstance(item.change, AddForeignKey | AlterForeignKey):
        needed.append((item.change.new.referred_table.lower(), ""))
    missing = next(
        (
            withheld[name]
            for name in needed
            if name in withheld and isinstance(item.change, (*_ON_NEW, AlterPrimaryKey))
        ),
        None,
    )
    if missing is None:
        return item
    return replace(item, verdict=missing.verdict, reason=f"it needs: {missing.change.sentence}", remedy=missing.remedy)


def _with_removed(item: Assessment, removed: set[tuple[str, str]]) -> Assessment:
    if not isinstance(item.change, _DROPS) or item.verdict is Verdict.APPLY:
        return item
    stands_on = {(item.change.table.lower(), name) for name in _columns_of(item.change.old)}
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
