"""Edit the stored definition of a table, where the rows are stored the same way under the new one.

The procedure is SQLite's own second one (https://www.sqlite.org/lang_altertable.html#otheralter): with
``writable_schema`` on, the text in ``sqlite_schema`` is replaced. SQLite checks nothing of it. So here

* the old and the new definition must give the same :class:`~trueup.dialects.sqlite.layout.Layout`, or it is no edit;
* queries prove first that the rows satisfy every rule that comes in;
* where only the affinity of some columns differs, their values are stored anew after it
  (:mod:`~trueup.dialects.sqlite.retype`);
* rows that only show a default, because their column was added later by ``ALTER TABLE ADD COLUMN``, get that value
  stored before the default changes, or they would show the new one;
* the verification of the run checks each edited table (``quick_check``) before the commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from trueup.dialects.sqlite.layout import Layout, difference, find_retyped, names_in, read_layout
from trueup.dialects.sqlite.parse import table_name_span
from trueup.dialects.sqlite.quoting import all_of, any_of, quote, string, unquote
from trueup.dialects.sqlite.render import create_table, name
from trueup.dialects.sqlite.retype import Retyping
from trueup.dialects.sqlite.rowids import batches, rowid_name
from trueup.dialects.sqlite.scratch import EmptyCopy
from trueup.plans import Fill, Statement
from trueup.schema import Column, ForeignKey, Schema, Sql, Table
from trueup.work import Work

T = TypeVar("T")

_MARKER = "_trueup_edited"
_STRICT_CLASS = {"INT": "integer", "INTEGER": "integer", "REAL": "real", "TEXT": "text", "BLOB": "blob"}
"""https://www.sqlite.org/stricttables.html; a column of type ANY takes everything."""


class NotEditable(ValueError):
    """An edit cannot make the changes; the message says why, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit does."""

    statements: tuple[Statement, ...]
    afterwards: tuple[Statement, ...]
    """To be run when the new definition is known: what stores values anew."""
    retyped: tuple[str, ...]
    """The columns whose values are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEdit:
    """One table's way to its new definition.

    Args:
        old: the table as it is, with the indexes that it keeps.
        new: as it is to be.
        expected: the schema around it after the run.
        before: statements of earlier steps that change it in place.
        added: columns that the edit itself adds, since ALTER TABLE cannot add them as they are to be.
        fills: values for its columns that must have one.
        inexact: names, in lower case, of its columns whose values a new type may alter.
        live: the schema around it now.
    """

    old: Table
    new: Table
    expected: Schema
    before: Sequence[str]
    added: Sequence[Column]
    fills: Sequence[Fill]
    inexact: Collection[str]
    live: Schema

    def write(self) -> Edited:
        """All of the edit's statements.

        Raises:
            NotEditable: the rows would have to be stored in another way.
        """
        between = self._between()
        target, retyped = self._target(between)
        updates = list(self._updates(between.table, target, retyped))
        if (updates or retyped) and self._has_triggers:
            raise NotEditable("the UPDATE that stores its values would set off triggers")
        retyping = self._retyping(between.table, target, retyped)
        statements = (
            *(Statement(sql=sql) for sql in self._additions()),
            *updates,
            *(retyping.before() if retyping else ()),
            *self._proofs(between.table, target, retyped),
            Statement(sql="PRAGMA writable_schema = ON"),
            Statement(
                sql=f"UPDATE sqlite_schema SET sql = {string(target.sql)}"
                f" WHERE type = 'table' AND name = {string(self.old.name)}"
            ),
            Statement(sql="PRAGMA writable_schema = OFF"),
        )
        return Edited(statements, tuple(retyping.after()) if retyping else (), retyped)

    @property
    def _has_triggers(self) -> bool:
        """Whether writing to its rows may set off triggers."""
        triggers = (item for item in self.live.objects if item.kind == "trigger")
        return any(item.table.lower() == self.old.name.lower() for item in triggers)

    # -- the same layout -----------------------------------------------------------------------------------------------

    def _additions(self) -> list[str]:
        """Added with nothing but their type; the edit brings the rest."""
        table = quote(self.old.name)
        return [f"ALTER TABLE {table} ADD COLUMN {name(column.name)} {column.type}".rstrip() for column in self.added]

    def _between(self) -> _Made:
        """The table as it is right before the edit."""
        try:
            made = _make(self.old, [*self.before, *self._additions()])
        except sqlite3.Error as error:
            raise NotEditable(str(error)) from error
        if made is None:
            raise NotEditable("its present definition cannot be made anew")
        return made

    def _target(self, between: _Made) -> tuple[Table, tuple[str, ...]]:
        """The new definition: the models' own text, or else one with columns and constraints in their present order.

        With it come the columns whose values have to be stored anew.
        """
        problem = "its new definition cannot be made"
        for sql in (self._text(self.new), self._text(_in_order_of(between.table, self.new))):
            made = _make(replace(self.old, sql=sql))
            if made is not None:
                retyped = find_retyped(between.layout, made.layout)
                problem = difference(between.layout, made.layout, retyped)
                if not problem:
                    return made.table, retyped
        raise NotEditable(f"the rows would be stored in another way: {problem}")

    def _text(self, table: Table) -> str:
        """The statement that creates the table, under the very name that it has."""
        sql = create_table(table)
        start, end = table_name_span(sql)
        return sql if unquote(sql[start:end]) == self.old.name else f"{sql[:start]}{name(self.old.name)}{sql[end:]}"

    # -- the rows ------------------------------------------------------------------------------------------------------

    def _retyping(self, between: Table, target: Table, retyped: Collection[str]) -> Retyping | None:
        if not retyped:
            return None
        if rowid_name(between) is None:
            raise NotEditable("its rowid cannot be reached")
        if between.strict != target.strict:
            raise NotEditable("STRICT refuses the values that are not yet of their new type")
        if any(fill.column.lower() in retyped for fill in self.fills):
            raise NotEditable("the type that goes would change the values that are filled in")
        names = [column.name for column in between.columns if column.name.lower() in retyped]
        return Retyping(table=between, columns=names, inexact=self.inexact, internal=self.live.internal)

    def _updates(self, between: Table, target: Table, retyped: Collection[str]) -> Iterator[Statement]:
        given = {fill.column.lower(): fill.sql for fill in self.fills}
        added = {
            quote(column.name): given.get(column.name.lower()) or f"({column.default})"
            for column in self.added
            if column.name.lower() in given or column.default is not None
        }
        missing = [fill for fill in self.fills if self.old.column(fill.column) is not None]
        filled = {quote(fill.column): fill.value_for(quote(fill.column)) for fill in missing}
        if (added or filled) and set(between.checks) - set(target.checks):
            raise NotEditable("the values of its rows would have to satisfy CHECK constraints that go")
        if added or filled:
            values = ", ".join(f"{column} = {value}" for column, value in {**added, **filled}.items())
            missing_any = any_of(f"{column} IS NULL" for column in filled)
            given_values = [*added.values(), *filled.values()]
            yield _update(between, values, "" if added else f"({missing_any})", given_values)
        yield from (fill.proof for fill in self.fills if fill.proof is not None)
        if not added:  # otherwise every row has just been stored whole
            yield from _store_defaults(between, target, retyped)

    def _proofs(self, between: Table, target: Table, retyped: Collection[str]) -> Iterator[Statement]:
        """What the rows must satisfy from now on, and did not have to before.

        To store a value anew, SQLite asks every CHECK that names its column.
        """
        table = self.old.name
        for column in target.columns:
            before = between.column(column.name)
            if before is not None and before.nullable and not column.nullable:
                yield _none(table, f"{quote(column.name)} IS NULL", f"no row of {table} has NULL in {column.name}")
        for check in target.checks:
            asked = not names_in([check.expression.text]).isdisjoint(retyped)
            if not asked and check.expression not in [other.expression for other in between.checks]:
                sentence = f"every row of {table} satisfies CHECK ({check.expression})"
                yield _none(table, f"NOT ({check.expression})", sentence)
        if target.strict and not between.strict:
            sentence = f"every value of {table} is of the type that STRICT demands"
            yield _none(table, any_of(_not_strict(target)) or "0", sentence)
        for key in self.new.foreign_keys:
            if _reference(key) not in map(_reference, self.old.foreign_keys):
                sentence = f"every {', '.join(key.columns)} of {table} is in {key.referred_table}"
                yield _none(table, _orphaned(table, key, self.expected.table(key.referred_table)), sentence)


def read_anew(live: Schema) -> tuple[Statement, ...]:
    """What makes an edit known, on this connection and on every other.

    A change of the schema through DDL counts up the number by which other connections notice that they must read the
    schema anew (https://www.sqlite.org/pragma.html#pragma_schema_version); this connection reads it anew when DDL is
    undone. The number cannot be set here, since nobody knows it while the plan is made.
    """
    view = _MARKER
    taken = {table.name.lower() for table in live.tables} | {item.name.lower() for item in live.objects}
    while view in taken:
        view += "_"
    return tuple(
        Statement(sql=sql)
        for sql in (
            f"CREATE VIEW {view} AS SELECT 1",
            f"SAVEPOINT {view}",
            f"DROP VIEW {view}",
            f"ROLLBACK TO {view}",
            f"RELEASE {view}",
            f"DROP VIEW {view}",
        )
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """A definition made in memory."""

    table: Table
    layout: Layout


def _make(table: Table, statements: Sequence[str] = ()) -> _Made | None:
    """Make the table with its indexes, and run the statements on it; nothing where SQLite does not take it."""
    with EmptyCopy(Schema(tables=(table,))) as copy:
        copy.run(statements)
        made = copy.schema().table(table.name)
        layout = read_layout(copy.raw, made) if made is not None and not made.unsupported else None
        return _Made(made, layout) if made is not None and layout is not None else None


def _in_order_of(between: Table, new: Table) -> Table:
    """The new table with columns and automatic indexes in the order that they have now, to be written from values."""
    columns = [column.name.lower() for column in between.columns]
    uniques = [unique.parts for unique in between.uniques]
    return replace(
        new,
        columns=tuple(sorted(new.columns, key=lambda column: _position(column.name.lower(), columns))),
        uniques=tuple(sorted(new.uniques, key=lambda unique: _position(unique.parts, uniques))),
        sql="",
    )


def _position(item: T, items: Sequence[T]) -> int:
    return items.index(item) if item in items else len(items)


def _store_defaults(between: Table, target: Table, retyped: Collection[str]) -> Iterator[Statement]:
    """Rows from before ADD COLUMN end early and show the default of every column that they lack.

    https://www.sqlite.org/fileformat2.html#record_format: where one such column's default changes, the rows that may
    lack it, because it and all later columns show just their defaults, are stored whole. Another type may show another
    value.
    """
    stored = [column for column in between.columns if column.computed is None]
    changed = [
        index
        for index, column in enumerate(stored)
        if _default_of(column, target) != column.default or (column.default and column.name.lower() in retyped)
    ]
    later = stored[changed[-1] :] if changed else []
    if not later or any(not column.nullable and column.default is None for column in later):
        return  # every row has a value for the last of them, and so for all before it
    shown = all_of(map(_shows_default, later))
    column = quote(later[0].name)
    yield _update(between, f"{column} = {column}", shown, [shown])


def _update(table: Table, values: str, where: str, expressions: Sequence[str]) -> Statement:
    """An UPDATE of all rows, or of those that satisfy a condition."""
    return Statement(
        sql=f"UPDATE {quote(table.name)} SET {values}{f' WHERE {where}' if where else ''}",
        work=Work.SCAN if where else Work.REWRITE,
        parts=batches(table, quote(table.name), expressions, "AND" if where else "WHERE"),
    )


def _default_of(column: Column, target: Table) -> Sql | None:
    found = target.column(column.name)
    return found.default if found is not None else None


def _shows_default(column: Column) -> str:
    value = quote(column.name)
    if column.default is None:
        return f"{value} IS NULL"
    return f"({value} IS NULL OR {value} IS ({column.default}) COLLATE BINARY)"


def _none(table: str, condition: str, sentence: str) -> Statement:
    """Proves that no row satisfies the condition."""
    return Statement(sql=f"SELECT count(*) FROM {quote(table)} WHERE {condition}", proves=sentence, work=Work.SCAN)


def _not_strict(target: Table) -> Iterator[str]:
    for column in target.columns:
        storage = _STRICT_CLASS.get(column.type.text.upper())
        if storage:
            yield f"typeof({quote(column.name)}) NOT IN ('null', {string(storage)})"


def _orphaned(table: str, key: ForeignKey, parent: Table | None) -> str:
    child, referred = quote(table), quote("the referred table")
    filled = " AND ".join(f"{child}.{quote(column)} IS NOT NULL" for column in key.columns)
    if parent is None:
        return filled
    pairs = zip(key.referred_columns, key.columns, strict=False)
    joined = " AND ".join(f"{referred}.{quote(there)} = {child}.{quote(here)}" for there, here in pairs)
    return f"{filled} AND NOT EXISTS (SELECT 1 FROM {quote(parent.name)} AS {referred} WHERE {joined})"


def _reference(key: ForeignKey) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    return key.columns, key.referred_table.lower(), key.referred_columns
