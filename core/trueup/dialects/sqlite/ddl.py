"""Choose for each table the cheapest form that can make its changes, and write the steps.

From cheap to dear: ``ALTER TABLE``; an edit of the stored definition, together with what ``ALTER TABLE`` does; one
rebuild that makes all of the table's changes at once. Each step says why it has its form.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    AddColumn,
    AlterIndex,
    Change,
    CreateIndex,
    CreateTable,
    DropIndex,
    DropTable,
    ObjectChange,
    RenameColumn,
    RenameTable,
)
from trueup.dialects.sqlite.abilities import Abilities
from trueup.dialects.sqlite.bring_back import restored_rows
from trueup.dialects.sqlite.edit import Edited, NotEditable, TableEdit, read_anew
from trueup.dialects.sqlite.inplace import (
    Sorted,
    constraint_statements,
    drop_index_steps,
    index_steps,
    keeps_its_meaning,
    sort_out,
    step,
    without_dropped_indexes,
)
from trueup.dialects.sqlite.objects import object_steps
from trueup.dialects.sqlite.quoting import quote
from trueup.dialects.sqlite.rebuild import rebuild_statements
from trueup.dialects.sqlite.renaming import rename_steps
from trueup.dialects.sqlite.render import create_index, create_table
from trueup.plans import Deletion, Fill, Form, Returning, Source, Statement, Step
from trueup.schema import Schema, Table
from trueup.text import counted
from trueup.work import Work


@dataclass(frozen=True, slots=True)
class _Altered:
    """The steps for one table, by their place in the plan."""

    first: tuple[Step, ...] = ()
    """What is in the way of the others."""
    rows: tuple[Step, ...] = ()
    """In place, or a rebuild."""
    edit: Step | None = None
    retyping: tuple[Step, ...] = ()
    """What stores values anew under the edited definition."""
    indexes: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWriter:
    """Writes the steps that lead from one schema to another.

    Args:
        live: the schema now.
        expected: the schema after them.
        able: what this SQLite can do.
        drops_columns: whether DROP COLUMN works on this schema.
        fills: values for columns that must have one.
        inexact: table and column of values that a new type may alter.
        deletions: rows that go first.
        source: a backup that new tables get their rows from, as far as it has them.
        returning: rows that come back from it last.
    """

    live: Schema
    expected: Schema
    able: Abilities
    drops_columns: bool
    fills: Sequence[Fill] = ()
    inexact: Collection[tuple[str, str]] = ()
    deletions: Sequence[Deletion] = ()
    source: Source | None = None
    returning: Sequence[Returning] = ()

    def write(self, changes: Sequence[Change]) -> list[Step]:
        """Steps in an order that works.

        Renames, rows that go, views and triggers that are in the way, drops, freed index names, new tables, altered
        tables, rows that come back, new indexes, new views and triggers.
        """
        objects = object_steps(self.live, changes)
        writer = replace(self, live=objects.between)
        by_table: dict[str, list[Change]] = {}
        for change in changes:
            if not isinstance(change, RenameTable | RenameColumn | CreateTable | DropTable | ObjectChange):
                by_table.setdefault(change.table, []).append(change)
        altered = [writer._alter(name, group) for name, group in by_table.items()]
        return [
            *rename_steps([item for item in changes if isinstance(item, RenameTable | RenameColumn)], self.live),
            *map(_delete, self.deletions),
            *objects.first,
            *(_drop_table(change) for change in changes if isinstance(change, DropTable)),
            *drop_index_steps([change for change in changes if isinstance(change, DropIndex)]),
            *(made for table in altered for made in table.first),
            *(self._create_table(change) for change in changes if isinstance(change, CreateTable)),
            *(made for table in altered for made in table.rows),
            *self._edits([table.edit for table in altered if table.edit is not None]),
            *(made for table in altered for made in table.retyping),
            *map(_bring_back, self.returning),
            *(made for table in altered for made in table.indexes),
            *objects.last,
        ]

    def _create_table(self, change: CreateTable) -> Step:
        indexes = [create_index(index, change.new.name) for index in change.new.indexes]
        if self.source is None or self.source.schema.table(change.new.name) is None:
            return step(change, create_table(change.new), *indexes)
        created = step(change, create_table(change.new))
        statements = (*created.statements, *restored_rows(change.new), *(Statement(sql=index) for index in indexes))
        return replace(created, statements=statements, sentence=f"{created.sentence}, with its rows from the backup")

    def _edits(self, edits: Sequence[Step]) -> list[Step]:
        """All in a row: to read the schema anew costs as much as it has objects, so it is done once, at the end."""
        if not edits:
            return []
        last = replace(edits[-1], statements=(*edits[-1].statements, *read_anew(self.live)))
        return [*edits[:-1], last]

    def _alter(self, name: str, changes: Sequence[Change]) -> _Altered:
        old, new = self.live.table(name), self.expected.table(name)
        if old is None or new is None:
            return _Altered()
        rest = [change for change in changes if not isinstance(change, DropIndex)]
        replaced = self._replaced(old)
        if replaced is not None:
            return _Altered(rows=(self._rebuild(old, new, rest, f"every row gets another value for {replaced}"),))
        if not rest:
            return _Altered()
        first = tuple(drop_index_steps(rest))
        indexes = tuple(index_steps(rest))
        inner = [change for change in rest if not isinstance(change, CreateIndex | AlterIndex)]
        kept = without_dropped_indexes(old, changes)
        found = sort_out(inner, kept, self.live, self._filled(old), drops_columns=self.drops_columns)
        if not found.left:
            return _Altered(first=first, rows=found.steps, indexes=indexes)
        steps = self._constraints(found, kept, new)
        if steps:
            return _Altered(first=first, rows=(*found.steps, *steps), indexes=indexes)
        try:
            edit, retyping = self._edit(found, kept, new)
            return _Altered(first=first, rows=found.steps, edit=edit, retyping=retyping, indexes=indexes)
        except NotEditable as error:
            return _Altered(rows=(self._rebuild(old, new, rest, f"{self._why_not_in_place(found)}, and {error}"),))

    def _replaced(self, table: Table) -> str | None:
        """The first column whose values give way to others."""
        return next((fill.column for fill in self.fills if fill.replaces and _same(fill.table, table.name)), None)

    def _filled(self, table: Table) -> set[str]:
        return {fill.column.lower() for fill in self.fills if fill.table.lower() == table.name.lower()}

    def _constraints(self, found: Sorted, old: Table, new: Table) -> list[Step]:
        """What ALTER TABLE cannot do to columns, by its newer forms for constraints; nothing unless they do all."""
        if self._filled(old):
            return []
        written = [(change, constraint_statements(change, self.able)) for change, _ in found.left]
        if not all(sql for _, sql in written):
            return []
        steps = [step(change, *sql, work=Work.SCAN) for change, sql in written]
        return steps if keeps_its_meaning(old, new, [*found.steps, *steps]) else []

    def _why_not_in_place(self, found: Sorted) -> str:
        """The reason of the first change that no form of ALTER TABLE can make."""
        return next(
            (why for change, why in found.left if not constraint_statements(change, self.able)), found.left[0][1]
        )

    def _edit(self, found: Sorted, old: Table, new: Table) -> tuple[Step, tuple[Step, ...]]:
        """The edit, and what has to be done once it is known."""
        if not self.able.edits_schema:
            raise NotEditable("this SQLite protects the definitions that it stores")
        changes = tuple(change for change, _ in found.left)
        edit = TableEdit(
            old=old,
            new=new,
            expected=self.expected,
            before=found.statements,
            added=[change.new for change in changes if isinstance(change, AddColumn)],
            fills=[fill for fill in self.fills if fill.table.lower() == old.name.lower()],
            inexact={column.lower() for table, column in self.inexact if _same(table, old.name)},
            live=self.live,
        ).write()
        stay = "the rows are" if not edit.retyped else f"all but the values of {', '.join(edit.retyped)} is"
        edited = Step(
            table=old.name,
            sentence=_sentence(f"edit the definition of table {old.name}", changes),
            statements=edit.statements,
            changes=changes,
            form=Form.SCHEMA_EDIT,
            why=f"{self._why_not_in_place(found)}, but {stay} stored the same way under the new definition",
        )
        return edited, (_retype(old.name, edit),) if edit.retyped else ()

    def _rebuild(self, old: Table, new: Table, changes: Sequence[Change], why: str) -> Step:
        ours = [fill for fill in self.fills if _same(fill.table, old.name)]
        inexact = {column for table, column in self.inexact if _same(table, old.name)}
        return Step(
            table=old.name,
            sentence=_sentence(f"rebuild table {old.name}", changes),
            statements=rebuild_statements(old, new, self.live, ours, inexact),
            changes=tuple(changes),
            form=Form.REBUILD,
            why=why,
        )


def _sentence(verb: str, changes: Sequence[Change]) -> str:
    if not changes:
        return f"{verb}, for its values"
    return f"{verb} ({len(changes)} changes)" if len(changes) > 1 else changes[0].sentence


def _same(name: str, other: str) -> bool:
    return name.lower() == other.lower()


# -- whole objects -----------------------------------------------------------------------------------------------------


def _delete(deletion: Deletion) -> Step:
    return Step(
        table=deletion.table,
        sentence=f"delete {counted(deletion.rows)} from table {deletion.table}",
        statements=(Statement(sql=f"DELETE FROM {quote(deletion.table)} WHERE {deletion.where}", work=Work.SCAN),),
        changes=(),
        form=Form.IN_PLACE,
        why="a decision says so, and a change needs it",
        deletion=deletion,
    )


def _bring_back(returning: Returning) -> Step:
    return Step(
        table=returning.table,
        sentence=f"bring back {counted(returning.rows)} of table {returning.table} from the backup",
        statements=returning.statements,
        changes=(),
        form=Form.IN_PLACE,
        why="a decision deleted them in the run that is undone",
    )


def _retype(table: str, edit: Edited) -> Step:
    columns = ", ".join(f"{table}.{column}" for column in edit.retyped)
    return Step(
        table=table,
        sentence=f"store the values of {columns} anew, under the new type",
        statements=edit.afterwards,
        changes=(),
        form=Form.IN_PLACE,
        why="the new definition stores them in another way; everything else of the table stays",
    )


def _drop_table(change: DropTable) -> Step:
    keys = tuple(index.columns for index in change.old.indexes)
    return step(change, f"DROP TABLE {quote(change.old.name)}", work=Work.DROP, keys=keys)
