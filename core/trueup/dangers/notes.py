"""What is worth knowing: the database takes it, and programs may not."""

from __future__ import annotations

import re

from trueup.changes import AlterColumn, Change, DropForeignKey, RenameColumn, RenameTable
from trueup.dangers.shared import retyped
from trueup.describing import describe
from trueup.hazards import Finding
from trueup.schema import Sql
from trueup.sight import Found, Sight


def too_long(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/faq.html#q9"""
    column = retyped(change)
    before, after = (_length(column.old.type), _length(column.new.type)) if column else (None, None)
    if column is None or after is None or (before is not None and before <= after):
        return None
    finding = sight.probe.longer_than(change.table, column.old.name, after)
    if finding.nothing:
        return None
    what = f"more than {after} characters in {column.old.name}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def unreadable_dates(change: Change, sight: Sight) -> Found | None:
    """https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#date-and-time-types"""
    column = retyped(change)
    if column is None:
        return None
    finding = sight.probe.unreadable_as(change.table, column.old.name, column.new.type)
    if finding.nothing:
        return None
    what = f"something in {column.old.name} that cannot be read as {column.new.type}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")


def unknown_words(change: Change, sight: Sight) -> Found | None:
    """https://docs.sqlalchemy.org/en/20/core/type_basics.html#sqlalchemy.types.Enum"""
    column = retyped(change)
    words = sight.words(change.table, column.new.name) if column else ()
    if column is None or not words:
        return None
    finding = sight.probe.other_than(change.table, column.old.name, words)
    if finding.nothing:
        return None
    what = f"something in {column.old.name} that the models' Enum does not know"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def renamed(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, RenameTable | RenameColumn):
        return None
    name = f"{change.table}.{change.column}" if isinstance(change, RenameColumn) else change.table
    return Found(Finding(), f"programs that still use the name {name} fail")


def may_be_null(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, AlterColumn) or "nullable" not in change.aspects or not change.new.nullable:
        return None
    return Found(Finding(), f"programs that read {change.table}.{change.label} may now find NULL there")


def dropped_foreign_key(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, DropForeignKey):
        return None
    return Found(Finding(), f"rows in {change.table} may now point to nothing: {describe(change.old)}")


def _length(type_: Sql) -> int | None:
    """Of a type of characters, where it names one."""
    found = re.search(r"char\w*\W*\(\W*(\d+)", type_.canonical)
    return int(found[1]) if found else None
