"""Find every difference between two schemas that the same reader read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
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
    AlterTrigger,
    AlterUnique,
    AlterView,
    AlterVirtualTable,
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
from trueup.schema import Check, Schema, Sql, Table

T = TypeVar("T")
Key = Callable[[T], Hashable]
_CREATE: dict[str, type[CreateView | CreateTrigger | CreateVirtualTable]] = {
    "view": CreateView,
    "trigger": CreateTrigger,
    "virtual": CreateVirtualTable,
}
_ALTER: dict[str, type[AlterView | AlterTrigger | AlterVirtualTable]] = {
    "view": AlterView,
    "trigger": AlterTrigger,
    "virtual": AlterVirtualTable,
}
_DROP: dict[str, type[DropView | DropTrigger]] = {"view": DropView, "trigger": DropTrigger}


def compare(live: Schema, wanted: Schema, owned: Collection[tuple[str, str]] = ()) -> tuple[Change, ...]:
    """The differences, tables in the order in which ``wanted`` creates them.

    Args:
        live: the database as it is.
        wanted: as it should be.
        owned: kind and name, in lower case, of the tables, views and triggers that belong to the models although these
            no longer declare them. What is in neither is unmanaged, and no difference.
    """
    changes: list[Change] = []
    present = live.by_name
    declared = {table.name.lower() for table in wanted.tables}
    mapped = {item.name.lower() for item in live.relations if item.key not in owned}
    mapped |= {name.lower() for name in live.foreign}
    for table in wanted.tables:
        old = present.get(table.name.lower())
        if old is None and table.name.lower() in mapped:
            continue  # the models read from a view or a virtual table as if it were a table
        if old is None:
            changes.append(CreateTable(table=table.name, new=table))
        elif not old.stored_like(table) and old.unsupported is None and table.unsupported is None:
            changes += compare_tables(old, table)
    changes += [
        DropTable(table=table.name, old=table)
        for name, table in present.items()
        if ("table", name) in owned and name not in declared and table.unsupported is None
    ]
    return (*changes, *_objects(live, wanted, owned))


def find_unlike(made: Schema, meant: Schema) -> tuple[Change, ...]:
    """Every difference between a schema and what it was to become, with what is there and should not be.

    A type that was left as it is spelt is only told from one that was chosen in the first direction.
    """
    extra = (change for change in compare(meant, made) if not isinstance(change, AlterColumn))
    return (*compare(made, meant), *extra)


def find_cosmetic(live: Schema, wanted: Schema) -> Iterator[str]:
    """Types that are spelt in two ways and mean the same to the database: no difference, but worth a word."""
    present = live.by_name
    for table in wanted.tables:
        old = present.get(table.name.lower())
        if old is None or old.stored_like(table) or old.unsupported or table.unsupported:
            continue
        for column in table.columns:
            before = old.column(column.name)
            if before is not None and before.type != column.type and before.means_the_same(column):
                said, wish = (item.type.text or "nothing" for item in (before, column))
                yield f"{table.name}.{column.name} is declared {said}, which stores the same as the models' {wish}"


def _objects(live: Schema, wanted: Schema, owned: Collection[tuple[str, str]]) -> Iterator[Change]:
    """Views, triggers and virtual tables: nothing in them can be told apart, so each is the same or another one."""
    gone = {item.key: item for item in live.objects}
    for item in wanted.objects:
        old = gone.pop(item.key, None)
        if old is None:
            yield _CREATE[item.kind](table=item.table, new=item)
        elif _folded(old) != _folded(item):
            yield _ALTER[item.kind](table=item.table, old=old, new=item)
    yield from (_DROP[item.kind](table=item.table, old=item) for key, item in gone.items() if key in owned)


def compare_tables(old: Table, new: Table) -> Iterator[Change]:
    """The differences between two tables of the same name."""
    name = old.name
    if (old.strict, old.without_rowid) != (new.strict, new.without_rowid):
        yield AlterTableOptions(table=name, old=old, new=new)
    yield from _columns(old, new)
    if _folded(old.primary_key) != _folded(new.primary_key):
        yield AlterPrimaryKey(table=name, old=old.primary_key, new=new.primary_key)
    yield from _constraints(old, new)
    yield from _indexes(old, new)


def _columns(old: Table, new: Table) -> Iterator[Change]:
    pairs, gone, come = _pair(old.columns, new.columns, [lambda column: column.name.lower()])
    for before, after in pairs:
        change = AlterColumn(table=old.name, old=before, new=after)
        if change.aspects:
            yield change
    yield from (AddColumn(table=old.name, new=column) for column in come)
    yield from (DropColumn(table=old.name, old=column) for column in gone)


def _constraints(old: Table, new: Table) -> Iterator[Change]:
    name = old.name
    foreign_keys = _pair(
        old.foreign_keys,
        new.foreign_keys,
        [_folded, _name, lambda key: _folded((key.columns, key.referred_table)), lambda key: _folded(key.columns)],
    )
    for before, after in _different(foreign_keys[0]):
        yield AlterForeignKey(table=name, old=before, new=after)
    yield from (DropForeignKey(table=name, old=key) for key in foreign_keys[1])
    yield from (AddForeignKey(table=name, new=key) for key in foreign_keys[2])
    uniques = _pair(old.uniques, new.uniques, [_folded, _name, lambda unique: _folded(unique.columns)])
    for unique_before, unique_after in _different(uniques[0]):
        yield AlterUnique(table=name, old=unique_before, new=unique_after)
    yield from (DropUnique(table=name, old=unique) for unique in uniques[1])
    yield from (AddUnique(table=name, new=unique) for unique in uniques[2])
    columns = {column.name.lower() for column in (*old.columns, *new.columns)}
    checks = _pair(old.checks, new.checks, [_folded, _name, _expression, lambda check: _mentioned(check, columns)])
    for check_before, check_after in _different(checks[0]):
        yield AlterCheck(table=name, old=check_before, new=check_after)
    yield from (DropCheck(table=name, old=check) for check in checks[1])
    yield from (AddCheck(table=name, new=check) for check in checks[2])


def _indexes(old: Table, new: Table) -> Iterator[Change]:
    pairs, gone, come = _pair(old.indexes, new.indexes, [lambda index: index.name.lower()])
    for before, after in _different(pairs):
        yield AlterIndex(table=old.name, old=before, new=after)
    yield from (DropIndex(table=old.name, old=index) for index in gone)
    yield from (CreateIndex(table=old.name, new=index) for index in come)


# -- which old thing is which new thing --------------------------------------------------------------------------------


def _pair(old: Sequence[T], new: Sequence[T], keys: Iterable[Key[T]]) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """Pairs of things that have a key in common, best key first; then what is left on either side.

    A key of ``None`` pairs with nothing.
    """
    gone, come = list(old), list(new)
    pairs: list[tuple[T, T]] = []
    for key in keys:
        for after in list(come):
            wanted = key(after)
            match = next((before for before in gone if wanted is not None and key(before) == wanted), None)
            if match is not None:
                pairs.append((match, after))
                gone.remove(match)
                come.remove(after)
    return pairs, gone, come


def _different(pairs: Iterable[tuple[T, T]]) -> Iterator[tuple[T, T]]:
    return ((before, after) for before, after in pairs if _folded(before) != _folded(after))


def _name(constraint: Any) -> str | None:
    return constraint.name.lower() if constraint.name else None


def _expression(check: Check) -> str:
    return check.expression.canonical


def _mentioned(check: Check, columns: Collection[str]) -> Hashable:
    """Which columns a CHECK is about: one whose rule changed is still the same check."""
    return frozenset(check.expression.words & set(columns)) or None


def _folded(value: Any) -> Hashable:
    """The value with all names in lower case, since SQL does not tell ``Name`` from ``name``."""
    if isinstance(value, Sql):
        return value.canonical
    if is_dataclass(value) and not isinstance(value, type):
        return tuple(_folded(getattr(value, field.name)) for field in fields(value) if field.compare)
    if isinstance(value, tuple):
        return tuple(map(_folded, value))
    return value.lower() if isinstance(value, str) else value
