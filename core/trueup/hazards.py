"""Dangers that a change has on the data that is there, and the rules that find them.

A rule is a small function in the table :data:`RULES`: it is asked about one change, may count rows through a
:class:`Probe`, and answers with a :class:`Hazard` or with nothing. The counts are of the live database, so a change is
dangerous only where its data makes it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trueup.changes import (
    AddCheck,
    AddForeignKey,
    AddUnique,
    AlterCheck,
    AlterColumn,
    AlterForeignKey,
    AlterIndex,
    AlterPrimaryKey,
    AlterUnique,
    Change,
    CreateIndex,
    DropColumn,
    DropTable,
    describe_parts,
)
from trueup.schema import Check, ForeignKey, KeyPart, Sql


class Severity(StrEnum):
    BLOCKS = "blocks"
    """The change cannot succeed on the data that is there."""
    LOSES = "loses"
    """The change would destroy or alter values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A danger: what would happen, in how many rows, and the way out."""

    rule: str
    severity: Severity
    sentence: str
    rows: int
    remedy: str


class Probe(Protocol):
    """Questions about the live data, in the words of the live schema. Every answer is a number of rows."""

    def rows(self, table: str) -> int: ...
    def nulls(self, table: str, column: str) -> int: ...
    def not_null(self, table: str, column: str) -> int: ...
    def duplicates(self, table: str, parts: tuple[KeyPart, ...], where: Sql | None) -> int: ...
    def orphans(self, table: str, key: ForeignKey) -> int: ...
    def violators(self, table: str, check: Check) -> int: ...
    def not_integers(self, table: str, column: str) -> int: ...
    def altered_by_type(self, table: str, column: str, type_: Sql) -> int: ...
    def unfit_for_type(self, table: str, column: str, type_: Sql) -> int: ...


Rule = Callable[[Change, Probe], Hazard | None]


def find_hazards(change: Change, probe: Probe) -> Iterator[Hazard]:
    """Every hazard that the change has on the data that the probe sees."""
    for rule in RULES:
        hazard = rule(change, probe)
        if hazard is not None:
            yield hazard


def dropped_table(change: Change, probe: Probe) -> Hazard | None:
    if not isinstance(change, DropTable):
        return None
    return _hazard(
        "dropped-table",
        Severity.LOSES,
        probe.rows(change.table),
        f"deletes {{rows}} in table {change.table}",
        "keep it, or allow the drop; a verified backup is taken first",
    )


def dropped_column(change: Change, probe: Probe) -> Hazard | None:
    if not isinstance(change, DropColumn) or change.old.computed:
        return None
    return _hazard(
        "dropped-column",
        Severity.LOSES,
        probe.not_null(change.table, change.old.name),
        f"deletes the values of {{rows}} in {change.table}.{change.old.name}",
        "keep it, or allow the drop; a verified backup is taken first",
    )


def altered_values(change: Change, probe: Probe) -> Hazard | None:
    """SQLite stores what a type's affinity makes of a value: https://www.sqlite.org/datatype3.html#type_affinity"""
    if not isinstance(change, AlterColumn) or "type" not in change.aspects or change.old.computed:
        return None
    return _hazard(
        "altered-values",
        Severity.LOSES,
        probe.altered_by_type(change.table, change.old.name, change.new.type),
        f"the type {change.new.type} would change the values of {{rows}} in {change.table}.{change.old.name}",
        "correct these values first, or keep the type in the models",
    )


def unfit_values(change: Change, probe: Probe) -> Hazard | None:
    """SQLite stores text in a numeric column as it is; the application then gets text where it expects a number."""
    if not isinstance(change, AlterColumn) or "type" not in change.aspects or change.old.computed:
        return None
    return _hazard(
        "unfit-values",
        Severity.LOSES,
        probe.unfit_for_type(change.table, change.old.name, change.new.type),
        f"{{rows}} in {change.table} hold something in {change.old.name} that is no {change.new.type}",
        "correct these values first, or keep the type in the models",
    )


def duplicate_keys(change: Change, probe: Probe) -> Hazard | None:
    where = None
    match change:
        case AddUnique(new=new) | AlterUnique(new=new):
            parts = new.parts
        case CreateIndex(new=index) | AlterIndex(new=index) if index.unique:
            parts, where = index.parts, index.where
        case AlterPrimaryKey(new=key) if key is not None:
            parts = key.parts
        case _:
            return None
    return _hazard(
        "duplicate-keys",
        Severity.BLOCKS,
        probe.duplicates(change.table, parts, where),
        f"{{rows}} in {change.table} share their values of {describe_parts(parts)}",
        "remove or change the duplicates, then run again",
    )


def orphaned_rows(change: Change, probe: Probe) -> Hazard | None:
    if not isinstance(change, AddForeignKey | AlterForeignKey):
        return None
    key = change.new
    if isinstance(change, AlterForeignKey) and _same_reference(change.old, key):
        return None
    return _hazard(
        "orphaned-rows",
        Severity.BLOCKS,
        probe.orphans(change.table, key),
        f"{{rows}} in {change.table} point through ({', '.join(key.columns)}) to nothing in {key.referred_table}",
        f"delete these rows, or add what they point to in {key.referred_table}",
    )


def violated_check(change: Change, probe: Probe) -> Hazard | None:
    if not isinstance(change, AddCheck | AlterCheck):
        return None
    if isinstance(change, AlterCheck) and change.old.expression == change.new.expression:
        return None
    return _hazard(
        "violated-check",
        Severity.BLOCKS,
        probe.violators(change.table, change.new),
        f"{{rows}} in {change.table} do not satisfy {change.new.expression}",
        "correct these rows, then run again",
    )


RULES: tuple[Rule, ...] = (
    dropped_table,
    dropped_column,
    altered_values,
    unfit_values,
    duplicate_keys,
    orphaned_rows,
    violated_check,
)


def counted(rows: int) -> str:
    """A number of rows in words: ``"1 row"``, ``"12 480 rows"``."""
    return f"{rows:,} row{'' if rows == 1 else 's'}".replace(",", " ")


def _same_reference(old: ForeignKey, new: ForeignKey) -> bool:
    """Rows that were orphans before are not the fault of another ON DELETE."""
    return (old.columns, old.referred_table, old.referred_columns) == (
        new.columns,
        new.referred_table,
        new.referred_columns,
    )


def _hazard(rule: str, severity: Severity, rows: int, sentence: str, remedy: str) -> Hazard | None:
    if not rows:
        return None
    said = sentence.replace("{rows}", counted(rows))
    return Hazard(rule=rule, severity=severity, sentence=said, rows=rows, remedy=remedy)
