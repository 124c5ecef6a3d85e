"""What a schema becomes when some of the differences are applied and the others are not. Pure values, no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

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
    AlterTableOptions,
    AlterUnique,
    Change,
    CreateIndex,
    CreateTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropTable,
    DropTrigger,
    DropUnique,
    DropView,
    ObjectChange,
)
from trueup.schema import Schema, StoredObject, Table

T = TypeVar("T")


def evolve(live: Schema, wanted: Schema, applied: Sequence[Change], left: Sequence[Change]) -> Schema:
    """The schema after the run.

    Args:
        live: the schema now.
        wanted: the schema that the models declare.
        applied: the differences that the run removes.
        left: the differences that stay.
    """
    dropped = {change.table.lower() for change in applied if isinstance(change, DropTable)}
    tables = [_table(table, wanted, applied, left) for table in live.tables if table.name.lower() not in dropped]
    tables += [change.new for change in applied if isinstance(change, CreateTable)]
    return replace(live, tables=tuple(tables), objects=tuple(_objects(live, applied)), fingerprint="")


def _objects(live: Schema, applied: Sequence[Change]) -> Iterator[StoredObject]:
    """A trigger goes with the table or the view that it watches."""
    gone = {change.table.lower() for change in applied if isinstance(change, DropTable | DropView)}
    changes = [change for change in applied if isinstance(change, ObjectChange)]
    replaced = {item.key for item in (getattr(change, "old", None) for change in changes) if item is not None}
    for item in live.objects:
        if item.key not in replaced and not (item.kind == "trigger" and item.table.lower() in gone):
            yield item
    yield from (change.new for change in changes if not isinstance(change, DropView | DropTrigger))


def _table(table: Table, wanted: Schema, applied: Sequence[Change], left: Sequence[Change]) -> Table:
    ours = _about(table, applied)
    if not ours:
        return table
    target = wanted.table(table.name)
    if target is not None and not _about(table, left):
        return target
    for change in ours:
        table = _apply(table, change)
    return replace(table, sql="")


def _about(table: Table, changes: Sequence[Change]) -> list[Change]:
    """A trigger is no part of the table that it watches."""
    name = table.name.lower()
    return [item for item in changes if item.table.lower() == name and not isinstance(item, ObjectChange)]


def _apply(table: Table, change: Change) -> Table:
    match change:
        case AddColumn(new=column):
            return replace(table, columns=(*table.columns, column))
        case DropColumn(old=column):
            return replace(table, columns=_without(table.columns, column))
        case AlterColumn(old=before, new=after):
            return replace(table, columns=_swap(table.columns, before, after))
        case AlterPrimaryKey(new=key):
            return replace(table, primary_key=key)
        case AlterTableOptions(new=other):
            return replace(table, strict=other.strict, without_rowid=other.without_rowid)
        case AddForeignKey() | DropForeignKey() | AlterForeignKey():
            return replace(table, foreign_keys=_changed(table.foreign_keys, change))
        case AddUnique() | DropUnique() | AlterUnique():
            return replace(table, uniques=_changed(table.uniques, change))
        case AddCheck() | DropCheck() | AlterCheck():
            return replace(table, checks=_changed(table.checks, change))
        case CreateIndex() | DropIndex() | AlterIndex():
            return replace(table, indexes=_changed(table.indexes, change))
        case _:
            raise ValueError(f"{change.kind} does not change a table in place")


def _changed(items: tuple[T, ...], change: object) -> tuple[T, ...]:
    """One of the three forms that a change of a constraint or an index has: add, drop, alter."""
    before: Any = getattr(change, "old", None)
    after: Any = getattr(change, "new", None)
    if before is not None and after is not None:
        return _swap(items, before, after)
    return (*items, after) if after is not None else _without(items, before)


def _swap(items: tuple[T, ...], before: T, after: T) -> tuple[T, ...]:
    """One of them, where several are equal."""
    index = items.index(before)
    return (*items[:index], after, *items[index + 1 :])


def _without(items: tuple[T, ...], gone: T) -> tuple[T, ...]:
    """Without one of them, where several are equal."""
    index = items.index(gone)
    return (*items[:index], *items[index + 1 :])
