"""What the database would refuse: rows that break what a change brings."""

from __future__ import annotations

from collections.abc import Iterator
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
    AlterUnique,
    Change,
    CreateIndex,
)
from trueup.dangers.shared import all_keys, cast_by, collated, rows_without_value, same_reference
from trueup.decisions import Delete
from trueup.describing import describe_parts
from trueup.hazards import Finding
from trueup.schema import Column, KeyPart, Schema, Sql, Table, part_columns
from trueup.sight import Found, Sight


def no_value(change: Change, sight: Sight) -> Found | None:
    finding = rows_without_value(change, sight)
    replaced = change.label.lower() in cast_by(change, sight)
    why = "" if replaced else sight.missing(change.table, change.label) if finding is not None else None
    if finding is None or why is None:
        return None
    what = f"no value for {change.table}.{change.label}, which is NOT NULL without a default"
    reason = f" ({why})" if why else ""
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}{reason}")


def not_numbers(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/lang_createtable.html#rowid"""
    name = _newly_numbered(change, sight)
    if not name:
        return None
    finding = sight.probe.not_integers(change.table, name)
    what = f"no whole number in {name}, the key"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def not_strict(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/stricttables.html"""
    table = sight.live.table(change.table)
    for new in _made_strict(change, sight.wanted):
        old = table.column(new.name) if table else None
        if not new.computed and (old is None or not old.computed):
            finding = sight.probe.unfit_for_strict(change.table, new.name, new.type)
            if not finding.nothing:
                what = f"something in {new.name} that a STRICT table does not take as {new.type}"
                return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")
    return None


def duplicate_keys(change: Change, sight: Sight) -> Found | None:
    found = None
    for parts, where in _unique_keys(change, sight.wanted.table(change.table)):
        finding = sight.probe.duplicates(change.table, parts, where)
        what = f"{finding.agree('share')} their values of {describe_parts(parts)}"
        found = Found(finding, f"{finding.words} in {change.table} {what}")
        if not finding.nothing:
            break
    return found


def orphaned_rows(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, AddForeignKey | AlterForeignKey):
        return None
    key = change.new
    if isinstance(change, AlterForeignKey) and same_reference(change.old, key):
        return None
    finding = sight.probe.orphans(change.table, key)
    what = f"{finding.agree('point')} through ({', '.join(key.columns)}) to nothing in {key.referred_table}"
    return Found(finding, f"{finding.words} in {change.table} {what}")


def violated_check(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, AddCheck | AlterCheck):
        return None
    if isinstance(change, AlterCheck) and change.old.expression == change.new.expression:
        return None
    finding = sight.probe.violators(change.table, change.new)
    what = f"{finding.agree('do')} not satisfy {change.new.expression}"
    return Found(finding, f"{finding.words} in {change.table} {what}")


def stranded_rows(change: Change, sight: Sight) -> Found | None:
    """Foreign keys do not act in a run, so no row follows the one that it points to."""
    acting = sight.acting.get(change.id, ())
    if not acting:
        return None
    fate = "be deleted" if any(isinstance(item, Delete) for item in acting) else "get other values"
    for table in sight.live.tables:
        for key in table.foreign_keys:
            if key.referred_table.lower() != change.table.lower():
                continue
            before, after = (probe.orphans(table.name, key) for probe in (sight.untouched, sight.probe))
            if after.rows > before.rows:
                what = f"would point to rows of {change.table} that are to {fate}"
                return Found(replace(after, rows=after.rows - before.rows), f"rows in {table.name} {what}")
    return None


def null_keys(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/lang_createtable.html#the_primary_key"""
    if not isinstance(change, AlterPrimaryKey) or change.new is None:
        return None
    table = sight.live.table(change.table)
    for name in change.new.columns:
        column = table.column(name) if table else None
        finding = sight.probe.nulls(change.table, name) if column and column.nullable else Finding()
        if not finding.nothing:
            what = f"NULL in {name}, a column of the primary key"
            return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")
    return None


def _made_strict(change: Change, wanted: Schema) -> tuple[Column, ...]:
    """The columns whose values a STRICT table has to take because of the change."""
    table = wanted.table(change.table)
    strict = table is not None and table.strict
    match change:
        case AlterTableOptions(old=old, new=new) if new.strict and not old.strict:
            return new.columns
        case AddColumn(new=column) if strict:
            return (column,)
        case AlterColumn(new=column) if strict and "type" in change.aspects:
            return (column,)
        case _:
            return ()


def _unique_keys(change: Change, wanted: Table | None) -> Iterator[tuple[tuple[KeyPart, ...], Sql | None]]:
    """What no two rows may share after the change, compared as the wanted columns do, and which rows it is about."""
    keys: list[tuple[tuple[KeyPart, ...], Sql | None]] = []
    match change:
        case AddUnique(new=new) | AlterUnique(new=new):
            keys = [(new.parts, None)]
        case CreateIndex(new=index) | AlterIndex(new=index) if index.unique:
            keys = [(index.parts, index.where)]
        case AlterPrimaryKey(new=key) if key is not None:
            keys = [(key.parts, None)]
        case AlterColumn(new=column) if wanted is not None and "collation" in change.aspects:
            keys = [key for key in all_keys(wanted) if column.name.lower() in map(str.lower, part_columns(key[0]))]
    yield from ((tuple(collated(part, wanted) for part in parts), where) for parts, where in keys)


def _newly_numbered(change: Change, sight: Sight) -> str:
    """The column that becomes the rowid through the change; empty where none does."""
    sides = [schema.table(change.table) for schema in (sight.live, sight.wanted)]
    old, new = (side.primary_key if side else None for side in sides)
    if new is None or not new.numbered or (old is not None and old.numbered and old.columns == new.columns):
        return ""
    (name,) = new.columns
    made = isinstance(change, AlterPrimaryKey | AlterTableOptions) or change.label.lower() == name.lower()
    return name if made and not isinstance(change, AddColumn) else ""
