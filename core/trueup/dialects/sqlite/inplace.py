"""What ``ALTER TABLE`` can do, and how it is written. https://www.sqlite.org/lang_altertable.html"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AlterCheck,
    AlterColumn,
    AlterIndex,
    Change,
    CreateIndex,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
)
from trueup.dialects.sqlite.abilities import Abilities
from trueup.dialects.sqlite.quoting import quote
from trueup.dialects.sqlite.render import (
    check_constraint,
    column_definition,
    conflict_clause,
    create_index,
    is_constant,
    reference,
)
from trueup.dialects.sqlite.scratch import EmptyCopy
from trueup.plans import Form, Statement, Step
from trueup.schema import Check, Column, Schema, Table
from trueup.work import Work

_WHY = "SQLite does this in place"
_MOST_DROPS = 3
"""Every DROP COLUMN writes all rows once; a rebuild takes as long as three to four of them."""
_NOUNS = {
    "check": "a CHECK constraint",
    "foreign key": "a foreign key",
    "options": "the options of a table",
    "primary key": "a primary key",
    "unique": "a UNIQUE constraint",
}


@dataclass(frozen=True, slots=True)
class Sorted:
    """The changes of one table: those that ALTER TABLE can make, and those that it cannot."""

    steps: tuple[Step, ...]
    left: tuple[tuple[Change, str], ...]
    """Each with the reason, as a sentence."""

    @property
    def statements(self) -> list[str]:
        return [statement.sql for step in self.steps for statement in step.statements]


def step(change: Change, *sql: str, work: Work | None = None, keys: tuple[tuple[str, ...], ...] = ()) -> Step:
    """A step that makes one change in place. Of several statements, the last one does the work."""
    *first, last = sql
    return Step(
        table=change.table,
        sentence=change.sentence,
        statements=(*(Statement(sql=text) for text in first), Statement(sql=last, work=work, keys=keys)),
        changes=(change,),
        form=Form.IN_PLACE,
        why=_WHY,
    )


def sort_out(
    changes: Sequence[Change], table: Table, live: Schema, filled: Collection[str], *, drops_columns: bool
) -> Sorted:
    """Find the changes of columns that every supported version can make in place.

    Args:
        changes: those of the table, without those of its indexes.
        table: as it is.
        live: the schema around it.
        filled: names, in lower case, of its columns whose rows need a value.
        drops_columns: whether DROP COLUMN works on this schema.
    """
    judged = [(change, _why_not(change, table, live, filled, drops_columns)) for change in changes]
    drops = [change for change, why in judged if isinstance(change, DropColumn) and not why]
    if len(drops) > _MOST_DROPS:
        many = f"DROP COLUMN would write every row {len(drops)} times"
        judged = [(change, why or (many if isinstance(change, DropColumn) else "")) for change, why in judged]
    possible = [change for change, why in judged if not why]
    added = {change.new.name.lower() for change in possible if isinstance(change, AddColumn)}
    references = {
        change.new.columns[0].lower(): change
        for change in changes
        if isinstance(change, AddForeignKey) and len(change.new.columns) == 1 and change.new.columns[0].lower() in added
    }
    return Sorted(
        steps=tuple(_column_steps(possible, references)),
        left=tuple((change, why) for change, why in judged if why and change not in references.values()),
    )


def constraint_statements(change: Change, able: Abilities) -> tuple[str, ...]:
    """What makes a change of a NOT NULL or a constraint in place; nothing where this SQLite cannot.

    The newer forms read the rows themselves and refuse what they violate.
    """
    alter = f"ALTER TABLE {quote(change.table)}"
    match change:
        case AlterColumn() if able.alters_not_null and {*change.aspects} <= {"nullable", "on_conflict"}:
            return tuple(f"{alter} ALTER COLUMN {quote(change.old.name)} {verb}" for verb in _nullability(change))
        case AddCheck(new=check) if able.adds_checks:
            return (f"{alter} ADD {check_constraint(check)}",)
        case DropCheck(old=Check(name=str(name))) if able.drops_checks:
            return (f"{alter} DROP CONSTRAINT {quote(name)}",)
        case AlterCheck(old=Check(name=str(name)), new=check) if able.drops_checks and able.adds_checks:
            return (f"{alter} DROP CONSTRAINT {quote(name)}", f"{alter} ADD {check_constraint(check)}")
        case DropForeignKey(old=key) if able.drops_foreign_keys and key.name:
            return (f"{alter} DROP CONSTRAINT {quote(key.name)}",)
    return ()


def _nullability(change: AlterColumn) -> Iterator[str]:
    if not change.old.nullable:
        yield "DROP NOT NULL"
    if not change.new.nullable:
        yield f"SET NOT NULL{conflict_clause(change.new.on_conflict)}"


def index_steps(changes: Sequence[Change]) -> Iterator[Step]:
    """New and changed indexes; what was there under their names was dropped before."""
    for change in changes:
        if isinstance(change, CreateIndex | AlterIndex):
            yield step(change, create_index(change.new, change.table), work=Work.INDEX, keys=(change.new.columns,))


def drop_index_steps(changes: Sequence[Change]) -> Iterator[Step]:
    """Indexes that go, and the old ones of those that change: they may hold columns that go as well."""
    for change in changes:
        if isinstance(change, DropIndex | AlterIndex):
            dropped = step(change, f"DROP INDEX {quote(change.old.name)}")
            sentence = f"drop index {change.old.name}, which is made anew below"
            yield dropped if isinstance(change, DropIndex) else replace(dropped, sentence=sentence, changes=())


# -- columns -----------------------------------------------------------------------------------------------------------


def _why_not(change: Change, table: Table, live: Schema, filled: Collection[str], drops_columns: bool) -> str:
    match change:
        case AddColumn(new=column):
            return _why_not_added(column, filled)
        case DropColumn(old=column):
            return (
                _why_not_dropped(column, table, live) if drops_columns else "DROP COLUMN does not work on this schema"
            )
        case AlterColumn(aspects=aspects):
            return (
                f"SQLite has no ALTER TABLE for the {' and '.join(_aspect(aspect) for aspect in aspects)} of a column"
            )
        case _:
            return f"SQLite has no ALTER TABLE to {change.verb} {_NOUNS.get(change.noun, change.noun)}"


def _aspect(aspect: str) -> str:
    return "NOT NULL" if aspect == "nullable" else aspect.replace("_", " ")


def _why_not_added(column: Column, filled: Collection[str]) -> str:
    if column.name.lower() in filled:
        return f"the rows need values for {column.name} that ADD COLUMN cannot give"
    if column.computed and column.computed.stored:
        return f"ADD COLUMN cannot add the stored column {column.name}"
    if column.default is not None and not is_constant(column.default):
        return f"ADD COLUMN takes constant defaults only, not that of {column.name}"
    if not column.nullable and column.default is None and not column.computed:
        return f"ADD COLUMN needs a default for the NOT NULL column {column.name}"
    return ""


def _why_not_dropped(column: Column, table: Table, live: Schema) -> str:
    name = column.name.lower()
    mentioned = [*_definitions(table, column)]
    mentioned += [stored.sql.lower() for stored in live.objects if table.name.lower() in stored.sql.lower()]
    if any(name in text for text in mentioned):
        return f"DROP COLUMN does not work while something else mentions {column.name}"
    return ""


def _definitions(table: Table, column: Column) -> Iterator[str]:
    """The text of everything in the table, apart from the column itself, that may mention a column."""
    for key in (table.primary_key, *table.uniques):
        yield from (name.lower() for name in (key.columns if key else ()))
    for foreign_key in table.foreign_keys:
        yield from (name.lower() for name in foreign_key.columns)
    for check in table.checks:
        yield check.expression.canonical
    for other in table.columns:
        if other.computed and other is not column:
            yield other.computed.expression.canonical
    for index in table.indexes:
        yield index.sql.lower()


def _column_steps(changes: Sequence[Change], references: dict[str, AddForeignKey]) -> Iterator[Step]:
    # a computed column can only be added when what it computes from is there
    for change in sorted(changes, key=lambda item: isinstance(item, AddColumn) and item.new.computed is not None):
        if isinstance(change, AddColumn):
            key = references.get(change.new.name.lower())
            definition = column_definition(change.new) + (f" {reference(key.new)}" if key else "")
            work = Work.SCAN if change.new.computed else None
            made = step(change, f"ALTER TABLE {quote(change.table)} ADD COLUMN {definition}", work=work)
            yield made if key is None else _with(made, key)
        elif isinstance(change, DropColumn):
            drop = f"ALTER TABLE {quote(change.table)} DROP COLUMN {quote(change.old.name)}"
            yield step(change, drop, work=Work.REWRITE)


def _with(made: Step, also: Change) -> Step:
    return replace(made, changes=(*made.changes, also), sentence=f"{made.sentence}; {also.sentence}")


def without_dropped_indexes(table: Table, changes: Sequence[Change]) -> Table:
    """The table with the indexes that it keeps as they are."""
    gone = {change.old.name for change in changes if isinstance(change, DropIndex | AlterIndex)}
    return replace(table, indexes=tuple(index for index in table.indexes if index.name not in gone))


def keeps_its_meaning(old: Table, new: Table, steps: Sequence[Step]) -> bool:
    """Whether the steps, tried on the table alone, lead to the new definition and to nothing else."""
    with EmptyCopy(Schema(tables=(old,))) as copy:
        try:
            copy.run(statement.sql for made in steps for statement in made.statements)
        except sqlite3.Error:
            return False
        made = copy.schema().table(old.name)
    return made is not None and _meaning(made) == _meaning(new)


def _meaning(table: Table) -> tuple[object, ...]:
    """The table apart from its indexes and from the order of its columns and constraints."""
    unresolved = (replace(key, referred_columns=()) for key in table.foreign_keys)
    return (
        table.primary_key,
        (table.strict, table.without_rowid),
        *(Counter(items) for items in (table.columns, table.uniques, table.checks, unresolved)),
    )
