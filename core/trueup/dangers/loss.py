"""What would be gone: values and rows that a change deletes or makes something else of."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.changes import Change, DropColumn, DropTable
from trueup.dangers.shared import any_of, retyped
from trueup.decisions import Cast, Decision, Delete
from trueup.hazards import Finding
from trueup.sight import Found, Sight


def dropped_table(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, DropTable):
        return None
    finding = Finding(rows=sight.probe.rows(change.table))
    return Found(finding, f"deletes {finding.words} in table {change.table}")


def dropped_column(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, DropColumn) or change.old.computed:
        return None
    finding = sight.probe.not_null(change.table, change.old.name)
    return Found(finding, f"deletes the values of {finding.words} in {change.table}.{change.old.name}")


def altered_values(change: Change, sight: Sight) -> Found | None:
    """SQLite stores what a type's affinity makes of a value: https://www.sqlite.org/datatype3.html#type_affinity"""
    column = retyped(change)
    if column is None:
        return None
    finding = sight.unfilled.altered_by_type(change.table, column.old.name, column.new.type)
    where = f"{change.table}.{column.old.name}"
    return Found(finding, f"the type {column.new.type} would change the values of {finding.words} in {where}")


def unfit_values(change: Change, sight: Sight) -> Found | None:
    column = retyped(change)
    if column is None:
        return None
    finding = sight.unfilled.unfit_for_type(change.table, column.old.name, column.new.type)
    what = f"something in {column.old.name} that is no {column.new.type}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")


def replaced_values(change: Change, sight: Sight) -> Found | None:
    casts = [item for item in sight.acting.get(change.id, ()) if isinstance(item, Cast)]
    if not casts:
        return None
    finding = Finding(rows=sight.untouched.rows(change.table))
    what = ", ".join(f"{item.object} by {item.sql}" for item in casts)
    return Found(finding, f"replaces the values of {finding.words} in {what}", _decided(casts))


def deleted_rows(change: Change, sight: Sight) -> Found | None:
    deletes = [item for item in sight.acting.get(change.id, ()) if isinstance(item, Delete)]
    if not deletes:
        return None
    finding = sight.untouched.matching(change.table, any_of(deletes))
    return Found(finding, f"deletes {finding.words} in table {change.table}", _decided(deletes))


def _decided(decisions: Sequence[Decision]) -> str:
    return f"decided: {', '.join(f'{item.verb} {item.object}' for item in decisions)}"
