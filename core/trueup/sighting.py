"""The live data as the decisions about it leave it: what the rules see, and what of it becomes part of the plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from trueup.changes import Change, RenameColumn, RenameTable
from trueup.decisions import Backfill, Cast, Decision, Delete, Ignore, Skip
from trueup.dialect import Connection, Outlook
from trueup.errors import DecisionsError
from trueup.hazards import Hazard, Probe
from trueup.limits import Budget
from trueup.plan import Assessment, Deletion, Fill
from trueup.rules import Sight, any_of, find_hazards
from trueup.schema import Schema
from trueup.settings import Settings
from trueup.stages.acting import find_acting


def take_sight(
    connection: Connection,
    renames: Sequence[RenameTable | RenameColumn],
    base: Schema,
    wanted: Schema,
    changes: Sequence[Change],
    decisions: Sequence[Decision],
    settings: Settings,
    missing: Callable[[str, str], str | None],
) -> Sight:
    """What the rules look at.

    Args:
        connection: to the live database.
        renames: those that were decided.
        base: the live schema after them.
        wanted: the schema that the models declare.
        changes: the differences between the two.
        decisions: all of them.
        settings: name the limit of time for looking.
        missing: says why rows that have no value in a table's column get none; nothing when they get one.

    Raises:
        DecisionsError: the SQL of a decision is no expression over its table.
    """
    budget = Budget(settings.probe_limit)
    untouched = connection.probe(budget, Outlook(renames=renames))
    _refuse_wrong_sql(decisions, base, untouched, settings)
    sight = Sight(probe=untouched, untouched=untouched, live=base, wanted=wanted, missing=missing, decisions=decisions)

    def hazards_with(change: Change, repairs: Sequence[Cast | Delete]) -> Iterator[Hazard]:
        probe = connection.probe(budget, repaired(renames, repairs)) if repairs else untouched
        return find_hazards(change, replace(sight, probe=probe))

    acting = find_acting(changes, decisions, hazards_with)
    repairs = tuple(dict.fromkeys(item for items in acting.values() for item in items))
    if not repairs:
        return sight
    return replace(sight, probe=connection.probe(budget, repaired(renames, repairs)), acting=acting)


def repaired(renames: Sequence[RenameTable | RenameColumn], repairs: Sequence[Cast | Delete]) -> Outlook:
    """What the renames and the decisions about rows do to the data."""
    return Outlook(
        renames=renames,
        deletes=[item for item in repairs if isinstance(item, Delete)],
        fills=list(_casts(repairs)),
    )


def _refuse_wrong_sql(decisions: Sequence[Decision], base: Schema, probe: Probe, settings: Settings) -> None:
    """An expression is compiled before anything rests on it; one about a table that is not there does nothing."""
    for item in decisions:
        sql = item.where if isinstance(item, Delete) else item.sql if isinstance(item, Cast | Backfill) else None
        if sql is None or isinstance(item, Skip | Ignore) or base.table(item.table) is None:
            continue
        problem = probe.problem_of(item.table, sql)
        if problem:
            said = f"{item.verb} {item.object} cannot use {sql!r} for a row of {item.table} ({problem})"
            raise DecisionsError(path=settings.decisions or "the decisions given", problem=said)


def casts_of(sight: Sight, applied: Collection[Change]) -> Iterator[Fill]:
    """What columns get in place of their values, for the changes that are made."""
    yield from _casts(_acting(sight, applied))


def _casts(repairs: Iterable[Cast | Delete]) -> Iterator[Fill]:
    for item in repairs:
        if isinstance(item, Cast) and item.column is not None:
            yield Fill(table=item.table, column=item.column, sql=item.expression, source="a decision", replaces=True)


def deletions_of(sight: Sight, applied: Collection[Change]) -> Iterator[Deletion]:
    """Rows that go, for the changes that are made: one deletion for each table."""
    by_table: dict[str, list[Delete]] = {}
    for item in _acting(sight, applied):
        if isinstance(item, Delete):
            by_table.setdefault(item.table.lower(), []).append(item)
    for deletes in by_table.values():
        table, where = deletes[0].table, any_of(deletes)
        yield Deletion(table=table, where=where, rows=sight.untouched.matching(table, where).rows)


def _acting(sight: Sight, applied: Collection[Change]) -> dict[Cast | Delete, None]:
    """Each of them once, however many changes need it."""
    return dict.fromkeys(item for change in applied for item in sight.acting.get(change.id, ()))


def answered_in_vain(sight: Sight, assessments: Sequence[Assessment]) -> Iterator[str]:
    """A decision whose change no longer appears is harmless; that it could be removed is worth a word."""
    spoken_of = {item.change.table.lower() for item in assessments}
    spoken_of |= {item.change.object.lower() for item in assessments}
    acting = {item for items in sight.acting.values() for item in items}
    ids = {item.change.id.lower() for item in assessments}
    accepted = {
        (hazard.rule, item.change.object.lower(), hazard.accepted) for item in assessments for hazard in item.hazards
    }
    for decision in sight.decisions:
        match decision:
            case Cast() | Delete():
                used = decision in acting
            case Skip():
                used = decision.change.lower() in ids
            case Ignore():
                used = (decision.rule, decision.on.lower(), decision.reason) in accepted
            case _:
                used = decision.object.lower() in spoken_of
        if not used:
            yield f"the decision {decision.verb} {decision.object} has nothing left to do in this database"
