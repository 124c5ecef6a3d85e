"""The live data as the decisions about it leave it: what the rules see, and what of it becomes part of the plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from trueup.changes import AddColumn, Change, RenameColumn, RenameTable
from trueup.decisions import Backfill, Cast, Decision, Delete, Ignore, Skip
from trueup.dialect import Connection, Outlook
from trueup.errors import DecisionsError
from trueup.hazards import Hazard, Probe
from trueup.limits import Budget
from trueup.plan import Assessment, Deletion, Fill
from trueup.rules import Sight, any_of, find_hazards, is_filled, rows_without_value
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
    find_fill: Callable[[str, str], Fill | None],
    words: Callable[[str, str], Sequence[str]],
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
        find_fill: finds the value for a table's column that must have one.
        words: says which texts the models can load from a table's column; none where they can load all.

    Raises:
        DecisionsError: the SQL of a decision is no expression over its table.
    """
    budget = Budget(settings.probe_limit)
    untouched = connection.probe(budget, Outlook(renames=renames))
    _refuse_wrong_sql(decisions, base, untouched, settings)
    sight = Sight(
        probe=untouched,
        untouched=untouched,
        live=base,
        wanted=wanted,
        missing=missing,
        words=words,
        decisions=decisions,
    )

    given = tuple(_given(changes, sight, find_fill))

    def probe_with(repairs: Sequence[Cast | Delete]) -> Probe:
        return connection.probe(budget, repaired(renames, repairs, given)) if repairs or given else untouched

    def hazards_with(change: Change, repairs: Sequence[Cast | Delete]) -> Iterator[Hazard]:
        return find_hazards(change, replace(sight, probe=probe_with(repairs)))

    acting = find_acting(changes, decisions, hazards_with)
    repairs = tuple(dict.fromkeys(item for items in acting.values() for item in items))
    return replace(sight, probe=probe_with(repairs), acting=acting)


def _given(changes: Sequence[Change], sight: Sight, find_fill: Callable[[str, str], Fill | None]) -> Iterator[Fill]:
    """What rows get in new columns, as far as it is known before the run.

    Not what a function gives row by row: it is called in the run only.
    """
    for change in changes:
        if isinstance(change, AddColumn) and sight.live.table(change.table) and not change.new.computed:
            fill = _given_by(change, sight, find_fill)
            if fill is not None and fill.function is None and not sight.probe.problem_of(fill.table, fill.sql):
                yield fill


def _given_by(change: AddColumn, sight: Sight, find_fill: Callable[[str, str], Fill | None]) -> Fill | None:
    column = change.new
    if is_filled(change, sight.decisions) or rows_without_value(change, sight) is not None:
        return find_fill(change.table, column.name)
    if column.default is None and not column.nullable:
        return None
    sql = f"({column.default})" if column.default else "NULL"
    return Fill(table=change.table, column=column.name, sql=sql, source="the server default")


def repaired(
    renames: Sequence[RenameTable | RenameColumn], repairs: Sequence[Cast | Delete], given: Sequence[Fill] = ()
) -> Outlook:
    """What the renames, the decisions about rows and new columns do to the data."""
    return Outlook(
        renames=renames,
        deletes=[item for item in repairs if isinstance(item, Delete)],
        fills=(*_casts(repairs), *given),
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
