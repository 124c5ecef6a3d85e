"""Which decisions about data act in this plan? Those that a change needs: one of last year deletes nothing today."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from trueup.changes import AlterColumn, Change, CreateTable, DropColumn, DropTable
from trueup.decisions import Cast, Decision, Delete
from trueup.hazards import Hazard, Severity

HazardsWith = Callable[[Change, Sequence[Cast | Delete]], Iterable[Hazard]]
"""Finds a change's hazards as they are when these decisions act."""


def find_acting(
    changes: Sequence[Change], decisions: Sequence[Decision], hazards_with: HazardsWith
) -> Mapping[str, tuple[Cast | Delete, ...]]:
    """For the id of each change that needs some, the decisions that act for it.

    A cast of a column acts when its type changes. Otherwise a decision acts when a change cannot be made, or would
    alter values, and with the decision fewer rows stand against it.
    """
    repairs = [item for item in decisions if isinstance(item, Cast | Delete)]
    acting = {
        change.id: tuple(_acting(change, [item for item in repairs if _same(item.table, change.table)], hazards_with))
        for change in (changes if repairs else ())
        if not isinstance(change, CreateTable | DropTable | DropColumn)
    }
    return {id_: items for id_, items in acting.items() if items}


def _acting(change: Change, repairs: Sequence[Cast | Delete], hazards_with: HazardsWith) -> Iterable[Cast | Delete]:
    against = _against(hazards_with(change, ())) if repairs else {}
    for repair in repairs:
        if isinstance(repair, Cast) and _changes_type_of(change, repair):
            yield repair
        elif against:
            left = _against(hazards_with(change, (repair,)))
            if any(left.get(rule, 0) < rows for rule, rows in against.items()):
                yield repair


def _against(hazards: Iterable[Hazard]) -> dict[str, int]:
    """Rows that stand against the change, by rule."""
    return {hazard.rule: hazard.rows for hazard in hazards if hazard.severity is not Severity.WARNS}


def _changes_type_of(change: Change, cast: Cast) -> bool:
    return isinstance(change, AlterColumn) and "type" in change.aspects and _same(change.label, cast.column or "")


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
