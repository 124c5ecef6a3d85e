"""The live data as the decisions about it leave it: what the rules see, and what of it becomes part of the plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trueup.changes import AddColumn, AlterColumn, Change, RenameColumn, RenameTable
from trueup.dangers.shared import any_of, is_filled, rows_without_value
from trueup.decisions import Backfill, Cast, Decision, Delete, Ignore, Keep, Skip
from trueup.dialect import Connection, Outlook
from trueup.errors import DecisionsError
from trueup.hazards import Hazard, Probe
from trueup.limits import Budget
from trueup.plans import Assessment, Deletion, Fill
from trueup.rules import find_hazards
from trueup.schema import Schema
from trueup.sight import Sight
from trueup.stages.acting import find_acting
from trueup.text import object_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a look at the live data is about."""

    connection: Connection
    """To the live database."""
    renames: Sequence[RenameTable | RenameColumn]
    """Those that were decided."""
    base: Schema
    """The live schema after them."""
    wanted: Schema
    """The schema that the models declare."""
    changes: Sequence[Change]
    """The differences between the two."""
    decisions: Sequence[Decision]
    source: Path | str
    """Where the decisions stand, for a sentence."""
    budget: Budget
    """The time for all questions about the data."""
    missing: Callable[[str, str], str | None]
    """Says why rows that have no value in a table's column get none; nothing when they get one."""
    find_fill: Callable[[str, str], Fill | None]
    """Finds the value for a table's column that must have one."""
    words: Callable[[str, str], Sequence[str]]
    """Says which texts the models can load from a table's column; none where they can load all."""

    def probe(self, outlook: Outlook) -> Probe:
        return self.connection.probe(self.budget, outlook)


def take_sight(scene: Scene) -> Sight:
    """What the rules look at.

    Raises:
        DecisionsError: the SQL of a decision is no expression over its table, or fails for some row of it.
    """
    untouched = scene.probe(Outlook(renames=scene.renames))
    _refuse_wrong_sql(scene.decisions, scene.base, untouched, scene.source)
    first = Sight(
        probe=untouched,
        unfilled=untouched,
        untouched=untouched,
        live=scene.base,
        wanted=scene.wanted,
        missing=scene.missing,
        words=scene.words,
        decisions=scene.decisions,
    )
    given = tuple(_given(scene.changes, first, scene.find_fill))
    looking = _Looking(scene=scene, first=first, given=given, computed=_computed(scene, first, given))
    acting = find_acting(scene.changes, scene.decisions, looking.hazards)
    repairs = tuple(dict.fromkeys(item for items in acting.values() for item in items))
    sight = replace(looking.sight(repairs), acting=acting)
    filled = [item for item in scene.decisions if isinstance(item, Backfill) and _same_place(item, given)]
    _refuse_failing([*(item for item in repairs if isinstance(item, Cast)), *filled], sight.probe, scene.source)
    return sight


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looking:
    """The data as some of the decisions would leave it."""

    scene: Scene
    first: Sight
    """Before any decision about rows."""
    given: tuple[Fill, ...]
    computed: tuple[Fill, ...]

    def sight(self, repairs: Sequence[Cast | Delete]) -> Sight:
        places = {(fill.table.lower(), fill.column.lower()) for fill in self.given}
        probe, unfilled = self._probe(repairs, self.given), self._probe(repairs, ())
        return replace(self.first, probe=probe, unfilled=unfilled, given=places)

    def hazards(self, change: Change, repairs: Sequence[Cast | Delete]) -> list[Hazard]:
        """What is dangerous about the change when these decisions act, and only these."""
        source = self.scene.source
        _refuse_failing([item for item in repairs if isinstance(item, Delete)], self.first.untouched, source)
        seen = self.sight(repairs)
        hazards = list(find_hazards(change, seen))
        if any(hazard.finding.failure for hazard in hazards):
            _refuse_failing(repairs, seen.probe, source)
        return hazards

    def _probe(self, repairs: Sequence[Cast | Delete], fills: Sequence[Fill]) -> Probe:
        if not (repairs or fills or self.computed):
            return self.first.untouched
        return self.scene.probe(replace(repaired(self.scene.renames, repairs, fills), computed=self.computed))


def _given(changes: Sequence[Change], sight: Sight, find_fill: Callable[[str, str], Fill | None]) -> Iterator[Fill]:
    """What rows get in new columns, as far as it is known before the run.

    Not what a function gives row by row: it is called in the run only.
    """
    for change in changes:
        if isinstance(change, AddColumn | AlterColumn) and _takes_values(change, sight):
            fill = _given_by(change, sight, find_fill)
            if fill is not None and fill.function is None and not sight.probe.problem_of(fill.table, fill.sql):
                yield fill


def _computed(scene: Scene, sight: Sight, given: Sequence[Fill]) -> tuple[Fill, ...]:
    """The columns that are to be computed of others, as far as that can be done in a query."""
    outlook = repaired(scene.renames, (), given)
    found: tuple[Fill, ...] = ()
    for change in scene.changes:
        if isinstance(change, AddColumn | AlterColumn) and change.new.computed and sight.live.table(change.table):
            column = change.new.name
            sql = f"({change.new.computed.expression})"
            one = Fill(table=change.table, column=column, sql=sql, source="its expression", replaces=True)
            if not scene.probe(replace(outlook, computed=(*found, one))).problem_of(change.table, "1"):
                found = (*found, one)
    return found


def _takes_values(change: AddColumn | AlterColumn, sight: Sight) -> bool:
    """Whether its rows may get some: not in a table that is made in this run, nor where it was decided not to."""
    if change.new.computed or sight.live.table(change.table) is None:
        return False
    object_ = change.object.lower()
    return not any(
        item.change.lower() == change.id.lower() if isinstance(item, Skip) else item.object.lower() == object_
        for item in sight.decisions
        if isinstance(item, Keep | Skip)
    )


def _given_by(
    change: AddColumn | AlterColumn, sight: Sight, find_fill: Callable[[str, str], Fill | None]
) -> Fill | None:
    column = change.new
    if is_filled(change, sight.decisions) or rows_without_value(change, sight) is not None:
        return find_fill(change.table, column.name)
    if isinstance(change, AlterColumn):
        return None
    if column.default is None and not column.nullable and sight.probe.rows(change.table):
        return None
    sql = f"({column.default})" if column.default else "NULL"
    return Fill(table=change.table, column=column.name, sql=sql, source="the server default")


def repaired(
    renames: Sequence[RenameTable | RenameColumn], repairs: Sequence[Cast | Delete], given: Sequence[Fill] = ()
) -> Outlook:
    """What the renames, the decisions about rows and new columns do to the data."""
    casts = tuple(_casts(repairs))
    return Outlook(
        renames=renames,
        deletes=[item for item in repairs if isinstance(item, Delete)],
        fills=(*casts, *not_replaced(given, casts)),
    )


def not_replaced(given: Iterable[Fill], casts: Sequence[Fill]) -> Iterator[Fill]:
    """Without what a cast says for every row already."""
    cast = {(item.table.lower(), item.column.lower()) for item in casts}
    return (item for item in given if (item.table.lower(), item.column.lower()) not in cast)


def _refuse_wrong_sql(decisions: Sequence[Decision], base: Schema, probe: Probe, source: Path | str) -> None:
    """An expression is compiled before anything rests on it; one about a table that is not there does nothing."""
    for item in decisions:
        sql = item.where if isinstance(item, Delete) else item.sql if isinstance(item, Cast | Backfill) else None
        if sql is None or isinstance(item, Skip | Ignore) or base.table(item.table) is None:
            continue
        problem = probe.problem_of(item.table, sql)
        if problem:
            said = f"{item.verb} {item.object} cannot use {sql!r} for a row of {item.table} ({problem})"
            raise DecisionsError(path=source, problem=said)


def _same_place(decision: Backfill, given: Sequence[Fill]) -> bool:
    return any(decision.object.lower() == object_name(fill.table, fill.column).lower() for fill in given)


def _refuse_failing(items: Sequence[Cast | Delete | Backfill], probe: Probe, source: Path | str) -> None:
    """What compiles may still have no value for some row; where a change needs it, that is told before the run.

    Args:
        items: decisions that act.
        probe: asks about the rows as they are for what deletes, otherwise with the values that the decisions give.
        source: where the decisions stand.
    """
    for item in items:
        sql = item.where if isinstance(item, Delete) else item.sql
        if sql is None:
            continue
        if isinstance(item, Delete):
            asked = probe.matching(item.table, item.condition)
        else:
            asked = probe.nulls(item.table, item.column or "")
        if asked.failure:
            said = f"{item.verb} {item.object} cannot use {sql!r} for every row of {item.table} ({asked.failure})"
            raise DecisionsError(path=source, problem=said)


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
