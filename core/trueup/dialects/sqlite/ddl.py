"""Write DDL, and choose for each table the cheapest form that can make its changes.

``ALTER TABLE`` where SQLite can (https://www.sqlite.org/lang_altertable.html), otherwise one rebuild that makes all of
the table's changes at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    AddColumn,
    AddForeignKey,
    AlterIndex,
    Change,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    ObjectChange,
    RenameColumn,
    RenameTable,
)
from trueup.dialects.sqlite.objects import object_steps
from trueup.dialects.sqlite.rebuild import rebuild_statements
from trueup.dialects.sqlite.renaming import rename_steps
from trueup.dialects.sqlite.render import column_definition, create_index, create_table, reference
from trueup.dialects.sqlite.tokens import Kind, quote, tokenize
from trueup.hazards import counted
from trueup.plan import Deletion, Fill, Statement, Step, Work
from trueup.schema import Column, Schema, Table

_IN_PLACE = "SQLite does this in place"


@dataclass(frozen=True, slots=True)
class StepWriter:
    """Writes the steps that lead from one schema to another."""

    live: Schema
    expected: Schema
    fills: Sequence[Fill]
    inexact: Collection[tuple[str, str]]
    can_drop_in_place: bool
    deletions: Sequence[Deletion] = ()

    def write(self, changes: Sequence[Change]) -> list[Step]:
        """Steps in an order that works.

        Renames, rows that go, views and triggers that are in the way, drops, freed index names, new tables, altered
        tables, new indexes, new views and triggers.
        """
        objects = object_steps(self.live, changes)
        writer = replace(self, live=objects.between)
        by_table: dict[str, list[Change]] = {}
        for change in changes:
            if not isinstance(change, RenameTable | RenameColumn | CreateTable | DropTable | ObjectChange):
                by_table.setdefault(change.table, []).append(change)
        tables: list[Step] = []
        indexes: list[Step] = []
        for name, group in by_table.items():
            altered, created = writer._alter(name, group)
            tables += altered
            indexes += created
        return [
            *rename_steps([item for item in changes if isinstance(item, RenameTable | RenameColumn)], self.live),
            *map(_delete, self.deletions),
            *objects.first,
            *(_drop_table(change) for change in changes if isinstance(change, DropTable)),
            *(_drop_index(change) for change in changes if isinstance(change, DropIndex)),
            *(_create_table(change) for change in changes if isinstance(change, CreateTable)),
            *tables,
            *indexes,
            *objects.last,
        ]

    def _alter(self, name: str, changes: Sequence[Change]) -> tuple[list[Step], list[Step]]:
        old, new = self.live.table(name), self.expected.table(name)
        rest = [change for change in changes if not isinstance(change, DropIndex)]
        if old is None or new is None or not rest:
            return [], []
        why = self.why_rebuild(old, rest)
        if why:
            return [self._rebuild(old, new, rest, why)], []
        return list(_alter_in_place(rest)), list(_index_creates(rest))

    def why_rebuild(self, table: Table, changes: Sequence[Change]) -> str:
        """Why the changes cannot be made in place, as a sentence; empty when they can."""
        added = {change.new.name.lower() for change in changes if isinstance(change, AddColumn)}
        ours = [fill for fill in self.fills if fill.table.lower() == table.name.lower()]
        filled = {fill.column.lower() for fill in ours}
        replaced = next((fill.column for fill in ours if fill.replaces), None)
        if replaced is not None:
            return f"every row gets another value for {replaced}"
        for change in changes:
            match change:
                case CreateIndex() | AlterIndex():
                    continue
                case AddColumn(new=column):
                    why = _why_not_added_in_place(column, filled)
                case AddForeignKey(new=key) if len(key.columns) == 1 and key.columns[0].lower() in added:
                    continue
                case DropColumn(old=column):
                    why = self._why_not_dropped_in_place(column, table)
                case _:
                    why = f"SQLite has no ALTER TABLE to {change.verb} {change.noun}"
            if why:
                return why
        return ""

    def _why_not_dropped_in_place(self, column: Column, table: Table) -> str:
        if not self.can_drop_in_place:
            return "DROP COLUMN cannot be used on this schema"
        name = column.name.lower()
        mentioned = list(_definitions(table, column)) + [
            stored.sql.lower() for stored in self.live.objects if table.name.lower() in stored.sql.lower()
        ]
        if any(name in text for text in mentioned):
            return f"DROP COLUMN does not work while something else mentions {column.name}"
        return ""

    def _rebuild(self, old: Table, new: Table, changes: Sequence[Change], why: str) -> Step:
        ours = [fill for fill in self.fills if fill.table.lower() == old.name.lower()]
        inexact = {column for table, column in self.inexact if table.lower() == old.name.lower()}
        many = f"rebuild table {old.name} ({len(changes)} changes)"
        return Step(
            table=old.name,
            sentence=many if len(changes) > 1 else changes[0].sentence,
            statements=rebuild_statements(old, new, self.live, ours, inexact),
            changes=tuple(changes),
            form="rebuild",
            why=why,
        )


# -- choosing the form -------------------------------------------------------------------------------------------------


def _why_not_added_in_place(column: Column, filled: set[str]) -> str:
    if column.name.lower() in filled:
        return f"the rows need values for {column.name} that ADD COLUMN cannot give"
    if column.computed and column.computed.stored:
        return f"ADD COLUMN cannot add the stored column {column.name}"
    if column.default is not None and not _constant(column):
        return f"ADD COLUMN takes constant defaults only, not that of {column.name}"
    if not column.nullable and column.default is None and not column.computed:
        return f"ADD COLUMN needs a default for the NOT NULL column {column.name}"
    return ""


def _constant(column: Column) -> bool:
    tokens = tokenize(column.default.text) if column.default else []
    if len(tokens) == 2 and tokens[0].text in "+-":
        tokens = tokens[1:]
    return len(tokens) == 1 and (
        tokens[0].kind in (Kind.STRING, Kind.NUMBER, Kind.BLOB) or tokens[0].keyword in ("TRUE", "FALSE")
    )


def _definitions(table: Table, column: Column) -> Iterator[str]:
    """The text of everything in the table, apart from the column itself, that may mention a column."""
    for key in (table.primary_key, *table.uniques):
        yield from key.columns if key else ()
    for foreign_key in table.foreign_keys:
        yield from (name.lower() for name in foreign_key.columns)
    for check in table.checks:
        yield check.expression.canonical
    for other in table.columns:
        if other.computed and other is not column:
            yield other.computed.expression.canonical
    for index in table.indexes:
        yield index.sql.lower()


# -- the steps ---------------------------------------------------------------------------------------------------------


def _step(change: Change, *sql: str, work: Work | None = None, keys: tuple[tuple[str, ...], ...] = ()) -> Step:
    """Of several statements, the last one does the work."""
    *first, last = sql
    return Step(
        table=change.table,
        sentence=change.sentence,
        statements=(*(Statement(sql=text) for text in first), Statement(sql=last, work=work, keys=keys)),
        changes=(change,),
        form="in place",
        why=_IN_PLACE,
    )


def _delete(deletion: Deletion) -> Step:
    return Step(
        table=deletion.table,
        sentence=f"delete {counted(deletion.rows)} from table {deletion.table}",
        statements=(Statement(sql=f"DELETE FROM {quote(deletion.table)} WHERE {deletion.where}", work=Work.SCAN),),
        changes=(),
        form="in place",
        why="a decision says so, and a change needs it",
    )


def _create_table(change: CreateTable) -> Step:
    indexes = [create_index(index, change.new.name) for index in change.new.indexes]
    return _step(change, create_table(change.new), *indexes)


def _drop_table(change: DropTable) -> Step:
    keys = tuple(index.columns for index in change.old.indexes)
    return _step(change, f"DROP TABLE {quote(change.old.name)}", work=Work.DROP, keys=keys)


def _drop_index(change: DropIndex) -> Step:
    return _step(change, f"DROP INDEX {quote(change.old.name)}")


def _alter_in_place(changes: Sequence[Change]) -> Iterator[Step]:
    references = {change.new.columns[0].lower(): change for change in changes if isinstance(change, AddForeignKey)}
    # a computed column can only be added when what it computes from is there
    for change in sorted(changes, key=lambda item: isinstance(item, AddColumn) and item.new.computed is not None):
        if isinstance(change, AddColumn):
            key = references.get(change.new.name.lower())
            definition = column_definition(change.new) + (f" {reference(key.new)}" if key else "")
            work = Work.SCAN if change.new.computed else None
            step = _step(change, f"ALTER TABLE {quote(change.table)} ADD COLUMN {definition}", work=work)
            yield step if key is None else _with(step, key)
        elif isinstance(change, DropColumn):
            drop = f"ALTER TABLE {quote(change.table)} DROP COLUMN {quote(change.old.name)}"
            yield _step(change, drop, work=Work.REWRITE)


def _with(step: Step, also: Change) -> Step:
    return replace(step, changes=(*step.changes, also), sentence=f"{step.sentence}; {also.sentence}")


def _index_creates(changes: Sequence[Change]) -> Iterator[Step]:
    for change in changes:
        if isinstance(change, CreateIndex):
            yield _step(change, create_index(change.new, change.table), work=Work.INDEX, keys=(change.new.columns,))
        elif isinstance(change, AlterIndex):
            create = create_index(change.new, change.table)
            drop = f"DROP INDEX {quote(change.old.name)}"
            yield _step(change, drop, create, work=Work.INDEX, keys=(change.new.columns,))
