"""What several dangers ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trueup.changes import AddColumn, AlterColumn, Change
from trueup.decisions import Backfill, Cast, Decision, Delete
from trueup.hazards import Finding
from trueup.schema import ForeignKey, KeyPart, Schema, Sql, Table
from trueup.sight import Sight


def rows_without_value(change: Change, sight: Sight) -> Finding | None:
    """Rows that have none for a column that must have one and that the database does not supply; None without any."""
    finding = Finding()
    if isinstance(change, AddColumn) and not (change.new.nullable or change.new.computed):
        supplied = change.new.default is not None or numbered(change, sight.wanted)
        finding = Finding() if supplied else Finding(rows=sight.probe.rows(change.table))
    elif isinstance(change, AlterColumn) and change.old.nullable and not (change.new.nullable or change.new.computed):
        finding = sight.unfilled.nulls(change.table, change.old.name)
    return None if finding.nothing else finding


def is_filled(change: Change, decisions: Sequence[Decision]) -> bool:
    """Somebody decided what rows get in a new column."""
    name = change.object.lower()
    decided = any(isinstance(item, Backfill) and item.object.lower() == name for item in decisions)
    return decided and isinstance(change, AddColumn) and not change.new.computed


def cast_by(change: Change, sight: Sight) -> frozenset[str]:
    """Columns whose values are replaced for the change, in lower case."""
    casts = (item.column for item in sight.acting.get(change.id, ()) if isinstance(item, Cast))
    return frozenset(name.lower() for name in casts if name is not None)


def any_of(deletes: Sequence[Delete]) -> str:
    """One condition for all rows that go."""
    return " OR ".join(item.condition for item in deletes)


def retyped(change: Change) -> AlterColumn | None:
    """The change, where it gives stored values another type."""
    if isinstance(change, AlterColumn) and "type" in change.aspects and not change.old.computed:
        return change
    return None


def all_keys(table: Table) -> Iterator[tuple[tuple[KeyPart, ...], Sql | None]]:
    """What no two rows of the table may share, and which rows it is about."""
    yield from ((unique.parts, None) for unique in table.uniques)
    if table.primary_key is not None:
        yield table.primary_key.parts, None
    yield from ((index.parts, index.where) for index in table.indexes if index.unique)


def collated(part: KeyPart, wanted: Table | None) -> KeyPart:
    """With its collation said, where that is its column's."""
    column = wanted.column(part.column) if wanted is not None and part.column else None
    return replace(part, collation=part.collation or column.collation) if column is not None else part


def same_reference(old: ForeignKey, new: ForeignKey) -> bool:
    """Rows that were orphans before are not the fault of another ON DELETE."""
    return (old.columns, old.referred_table, old.referred_columns) == (
        new.columns,
        new.referred_table,
        new.referred_columns,
    )


def numbered(change: Change, wanted: Schema) -> bool:
    """The change is about the key that the database numbers."""
    table = wanted.table(change.table)
    key = table.primary_key if table else None
    return key is not None and key.numbered and key.place_of(change.label) > 0
