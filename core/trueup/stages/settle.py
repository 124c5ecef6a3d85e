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
    AlterTableOptions,
    AlterTrigger,
    AlterUnique,
    AlterView,
    Change,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    CreateVirtualTable,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropTable,
    DropTrigger,
    DropUnique,
    DropView,
)
from trueup.plans import Assessment, Verdict
from trueup.schema import Check, Column, ForeignKey, Index, PrimaryKey, Sql, Unique

_MADE_OBJECTS = (CreateView, AlterView, CreateTrigger, AlterTrigger, CreateVirtualTable)
_DROPS = (DropIndex, DropUnique, DropCheck, DropForeignKey)
_ALTERS = (AlterPrimaryKey, AlterForeignKey, AlterUnique, AlterCheck, AlterIndex)
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


def settle(assessments: Sequence[Assessment], indexes: Mapping[str, str]) -> tuple[Assessment, ...]:
    """The same assessments, none of which needs what another one withholds or keeps what another one removes.

    Args:
        assessments: each judged alone.
        indexes: the table of each index that the database has, by the index's name; all in lower case.
    """
    settled = _follow(tuple(assessments))
    removed = {
        _object(item.change)
        for item in settled
        if isinstance(item.change, DropColumn | DropTable | DropView) and item.verdict is Verdict.APPLY
    }
    settled = tuple(_with_removed(item, removed) for item in settled)
    taken = {name.lower() for item in settled if item.verdict is Verdict.APPLY for name in _new_names(item.change)}
    settled = tuple(_give_up_name(item, taken) for item in settled)
    gone = {item.change.label.lower() or item.change.table.lower() for item in settled if _removes(item)}
    held = {name: table for name, table in indexes.items() if not {name, table} & gone}
    return _follow(tuple(_without_name(item, held) for item in settled))


def _follow(assessments: tuple[Assessment, ...]) -> tuple[Assessment, ...]:
    """What needs something that is withheld is withheld as well, and so on until nothing follows any more."""
    withheld = {
        name: item for item in assessments if item.verdict is not Verdict.APPLY for name in _holds_back(item.change)
    }
    followed = tuple(_withhold(item, withheld) for item in assessments)
    return assessments if followed == assessments else _follow(followed)


def _withhold(item: Assessment, withheld: Mapping[_Object, Assessment]) -> Assessment:
    if isinstance(item.change, _MADE_OBJECTS):
        definition = item.change.new.definition
        missing = next((other for other in withheld.values() if _mentioned(other.change, definition)), None)
    elif isinstance(item.change, DropColumn):
        missing = next((other for other in withheld.values() if _holds(other.change, item.change)), None)
    else:
        missing = next((withheld[need] for need in _needs(item.change) if need in withheld), None)
    if item.verdict is not Verdict.APPLY or missing is None:
        return item
    verdict = Verdict.BEYOND_POLICY if missing.verdict is Verdict.RETIRE else missing.verdict
    return replace(item, verdict=verdict, reason=f"it needs: {missing.change.sentence}", remedy=missing.remedy)


def _holds_back(change: Change) -> Iterator[_Object]:
    """The change itself, and those that cannot be made without it.

    A table becomes STRICT with all its columns, and takes columns of other types when it no longer is. A table WITHOUT
    ROWID has a key, and none that the rowid counts up. In both kinds the key's columns are NOT NULL.
    """
    yield _object(change)
    table = change.table.lower()
    if isinstance(change, DropColumn | AlterColumn):
        yield AlterTableOptions, table, ""
    if isinstance(change, AlterTableOptions) and change.old.strict:
        yield AlterTableOptions, table, "STRICT"
    if isinstance(change, AlterTableOptions) and change.old.without_rowid:
        yield AlterTableOptions, table, "WITHOUT ROWID"
    if isinstance(change, AlterPrimaryKey) and (change.old is None or change.old.autoincrement):
        yield AlterPrimaryKey, table, "WITHOUT ROWID"
    if isinstance(change, AlterTableOptions) and (change.old.strict or change.old.without_rowid):
        yield from ((AlterColumn, table, f"{name} NULL") for name in _columns_of(change.old.primary_key))
    if isinstance(change, AlterPrimaryKey):
        yield from ((AlterColumn, table, f"{name} NULL") for name in _columns_of(change.old))


def _holds(change: Change, drop: DropColumn) -> bool:
    """As long as the change is not made, something still stands on the column."""
    if not isinstance(change, _ALTERS) or change.table.lower() != drop.table.lower():
        return False
    return drop.label.lower() in _columns_of(change.old)


def _needs(change: Change) -> Iterator[_Object]:
    """The changes without which this one cannot be made, where they are changes at all."""
    table = change.table.lower()
    if isinstance(change, _STANDS_ON_COLUMNS):
        for name in _columns_of(change.new):
            if not isinstance(change, AddColumn) or name != change.label.lower():
                yield AddColumn, table, name
    if isinstance(change, AddColumn | AlterColumn):
        yield AlterTableOptions, table, "STRICT"
    if isinstance(change, AlterColumn) and change.new.nullable and not change.old.nullable:
        yield AlterColumn, table, f"{change.label.lower()} NULL"
    if isinstance(change, AlterTableOptions) and change.new.strict:
        yield _object(change)
    if isinstance(change, AlterTableOptions) and change.new.without_rowid:
        yield AlterPrimaryKey, table, "WITHOUT ROWID"
    if isinstance(change, AlterPrimaryKey) and (change.new is None or change.new.autoincrement):
        yield AlterTableOptions, table, "WITHOUT ROWID"
    if isinstance(change, AlterPrimaryKey):
        yield from ((AlterColumn, table, name) for name in _columns_of(change.new))
    if isinstance(change, AddForeignKey | AlterForeignKey):
        yield CreateTable, change.new.referred_table.lower(), ""
        yield from (
            (AddColumn, change.new.referred_table.lower(), name.lower()) for name in change.new.referred_columns
        )


def _mentioned(change: Change, definition: Sql) -> bool:
    """Whether a definition speaks of the new table, view or column."""
    new = isinstance(change, CreateTable | CreateView | CreateVirtualTable | AddColumn)
    return new and all(map(definition.mentions, (change.table, change.label or change.table)))


def _object(change: Change) -> _Object:
    return type(change), change.table.lower(), change.label.lower()


def _new_names(change: Change) -> Sequence[str]:
    """Names that the change needs, of those that tables, views and indexes share in SQLite."""
    if isinstance(change, CreateTable):
        return [change.new.name, *(index.name for index in change.new.indexes)]
    return [change.new.name] if isinstance(change, CreateIndex) else []


def _removes(item: Assessment) -> bool:
    return isinstance(item.change, DropIndex | DropTable) and item.verdict is Verdict.APPLY


def _without_name(item: Assessment, held: Mapping[str, str]) -> Assessment:
    """An index of a table that is left alone keeps its name."""
    name = next((name for name in _new_names(item.change) if name.lower() in held), None)
    if item.verdict is not Verdict.APPLY or name is None:
        return item
    return replace(
        item,
        verdict=Verdict.BLOCKED,
        reason=f"an index of table {held[name.lower()]} has the name {name}",
        remedy="drop that index, or choose another name in the models",
    )


def _give_up_name(item: Assessment, taken: set[str]) -> Assessment:
    """Indexes and views hold no data; what is kept for its own sake gives its name to what the models declare."""
    if isinstance(item.change, DropIndex | DropView) and item.change.old.name.lower() in taken:
        return replace(item, verdict=Verdict.APPLY, reason="", remedy="")
    return item


def _with_removed(item: Assessment, removed: set[_Object]) -> Assessment:
    if not isinstance(item.change, (*_DROPS, DropTrigger)) or item.verdict is Verdict.APPLY:
        return item
    table = item.change.table.lower()
    if isinstance(item.change, DropTrigger):
        stands_on: set[_Object] = {(DropTable, table, ""), (DropView, table, "")}
    else:
        stands_on = {(DropColumn, table, name) for name in _columns_of(item.change.old)}
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
