"""Ready decisions that take a danger away, for whoever chooses between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trueup.changes import AddColumn, AlterColumn, Change
from trueup.decisions import Backfill, Cast, Delete, Drop, Ignore, Keep, Skip
from trueup.hazards import Finding, Repair
from trueup.schema import Schema, Sql

REASON = "say why"
"""Stands where a person has to give a reason."""
_NUMBERS = ("int", "real", "floa", "doub", "num", "dec")


@dataclass(frozen=True, slots=True)
class Case:
    """A change, what it would do, and the schema that the models declare."""

    change: Change
    finding: Finding
    wanted: Schema


def drop_or_keep(case: Case) -> Iterator[Repair]:
    """For what left the models."""
    yield Repair(
        "drop it; a verified backup is taken first", Drop(table=case.change.table, column=case.change.label or None)
    )
    yield Repair("keep it for good", Keep(table=case.change.table, column=case.change.label or None))


def give_value(case: Case) -> Iterator[Repair]:
    """For rows that have none for a NOT NULL column."""
    if isinstance(case.change, AddColumn | AlterColumn):
        example = _neutral(case.change.table, case.change.label, case.change.new.type)
        yield Repair("give these rows a value", example, asks="value")
    yield from delete_rows(case)


def delete_rows(case: Case) -> Iterator[Repair]:
    """For rows that the change cannot bear."""
    yield from _deletion(case)
    yield _skipped(case.change)


def delete_others(case: Case) -> Iterator[Repair]:
    """For rows of which one may stay."""
    yield from _deletion(case, "delete all but the first of them")
    yield _skipped(case.change)


def clear_or_delete(case: Case) -> Iterator[Repair]:
    """For rows that are all right without the one value, or with another one."""
    yield from _clearing(case)
    yield from _deletion(case)
    yield from _conversion(case)
    yield _skipped(case.change)


def convert(case: Case) -> Iterator[Repair]:
    """For values that do not go well with a new type."""
    yield from _clearing(case)
    yield from _conversion(case)
    yield Repair("keep the type as it is", Keep(table=case.change.table, column=case.change.label))


def rewrite(case: Case) -> Iterator[Repair]:
    """For values that a table does not take, whichever column they are in."""
    yield from _conversion(case)
    yield _skipped(case.change)


def accept_altered(case: Case) -> Iterator[Repair]:
    """For values that a new type makes something of."""
    yield from convert(case)
    on = case.change.object
    accepted = Ignore(rule="altered-values", on=on, reason=REASON)
    yield Repair("take what the type makes of them", accepted, asks="reason")


def _deletion(case: Case, label: str = "delete these rows") -> Iterator[Repair]:
    if case.finding.where and case.finding.rows:
        yield Repair(label, Delete(table=case.change.table, where=case.finding.where))


def _clearing(case: Case) -> Iterator[Repair]:
    table = case.wanted.table(case.change.table)
    column = table.column(case.finding.column) if table else None
    if column is not None and column.nullable and case.finding.cleared and case.finding.rows:
        cast = Cast(table=case.change.table, column=column.name, sql=case.finding.cleared)
        yield Repair(f"set {column.name} to NULL in these rows", cast)


def _conversion(case: Case) -> Iterator[Repair]:
    """The expression to begin with leaves all other values as they are."""
    sql = case.finding.cleared or case.finding.current
    if sql and case.finding.rows:
        cast = Cast(table=case.change.table, column=case.finding.column, sql=sql)
        yield Repair("say what the values become, as an SQL expression", cast, asks="sql")


def _skipped(change: Change) -> Repair:
    return Repair("leave the database without it", Skip(change=change.id))


def _neutral(table: str, column: str, type_: Sql) -> Backfill:
    """A value that every column of the type can hold; a person will know a better one."""
    kind = type_.canonical
    if "bool" in kind:
        return Backfill(table=table, column=column, value=False)
    if any(word in kind for word in _NUMBERS):
        return Backfill(table=table, column=column, value=0)
    if "date" in kind or "time" in kind:
        return Backfill(table=table, column=column, sql="CURRENT_DATE" if kind == "date" else "CURRENT_TIMESTAMP")
    return Backfill(table=table, column=column, value="")
