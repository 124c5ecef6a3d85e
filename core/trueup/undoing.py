"""The plan of an undo: from the schema as it was before a run, and the backup that was taken for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.changes import Change, CreateTable, CreateTrigger, CreateView, DropTable, RenameColumn, RenameTable
from trueup.choosing import Taken, refuse
from trueup.decisions import Backfill, Cast, Decision, Delete
from trueup.declaring import Declared
from trueup.dialect import Beside, Connection, Dialect, Outlook
from trueup.hazards import Hazard, Severity
from trueup.limits import Budget
from trueup.past import Made
from trueup.planning import compose, spare
from trueup.plans import Assessment, Fill, Plan, Returning, Source, Undone, Verdict
from trueup.policy import Policy
from trueup.rules import find_hazards
from trueup.schema import Schema, Table
from trueup.settings import Settings
from trueup.sight import Sight
from trueup.sighting import repaired
from trueup.stages.assess import Judgement
from trueup.stages.compare import compare
from trueup.stages.decided import Decided
from trueup.stages.evolve import evolve
from trueup.stages.giving import Giving
from trueup.stages.invert import Inverse, created_by, find_obstacle, invert_renames, older_names, sort_out
from trueup.stages.models import Models
from trueup.standing import Position
from trueup.surveying import Survey, renamed

_AGAIN = (
    "models that still want what was taken back make it again at the next trueup --auto; go back to the older models"
    " before a server starts"
)
_ROWS_FIRST = "correct these rows first; no decision changes or deletes rows for an undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What the plan of an undo is made from."""

    connection: Connection
    """To the live database, with the source beside it."""
    dialect: Dialect
    taken: Taken
    source: Source | None
    """Where values come back from."""
    settings: Settings
    decisions: Sequence[Decision]
    """Of which those that fill columns count."""
    budget: Budget
    """The time for what is asked about the data."""


def compose_undo(asked: Undoing) -> Plan:
    """The plan that takes back what was made, tried on an empty copy of the schema as every plan is.

    Raises:
        NotUndoable: what the run renamed or dropped is not as it left it.
        RenameRefused: something stands in the way of a name that comes back.
        PlanNotProved: a mistake in trueup.
    """
    taken, found = asked.taken, _look_back(asked)
    survey = _survey(asked, found)
    lost = dict(found.giving.not_returning(found.rows.returning))
    plan = compose(survey, spare(survey, _judge(survey, found.inverse, found.giving, lost)), Policy.FULL)
    return replace(
        plan,
        undoes=Undone(run_id=taken.run.id, steps=() if taken.whole else tuple(step.number for step in taken.steps)),
        wanted=_owned_again(found.inverse),
        warnings=(*plan.warnings, *(hazard.sentence for hazard in lost.values()), *((_AGAIN,) if plan.steps else ())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What there is to do."""

    renames: tuple[RenameTable | RenameColumn, ...]
    live: Schema
    base: Schema
    """The live schema after the renames."""
    wanted: Schema
    inverse: Inverse
    giving: Giving
    rows: _Rows


def _look_back(asked: Undoing) -> _Found:
    taken, dialect = asked.taken, asked.dialect
    live = asked.connection.schema(leave_out=(asked.settings.history_table,))
    renames = invert_renames(taken.made)
    _refuse_moved(taken, live, renames)
    base = renamed(live, renames, dialect) if renames else live
    inverse = _find_inverse(taken, live, base)
    wanted = evolve(base, taken.before, inverse.changes, inverse.left)
    beside = asked.connection.beside(asked.source, base, renames) if asked.source else None
    giving = _find_giving(taken, inverse, base, beside, asked.decisions, dialect)
    rows = _find_rows(taken, inverse, wanted, giving)
    return _Found(renames=renames, live=live, base=base, wanted=wanted, inverse=inverse, giving=giving, rows=rows)


def _survey(asked: Undoing, found: _Found) -> Survey:
    rows, connection = found.rows, asked.connection
    outlook = rows.outlook(found.renames, _returning_tables(found.inverse, asked.source))
    sight = _take_sight(connection, outlook, found.base, found.wanted, found.giving, asked.budget)
    return Survey(
        connection=connection,
        dialect=asked.dialect,
        declared=_nothing_declared(f"the database before run {asked.taken.run.id}"),
        settings=asked.settings,
        answers=(),
        decided=Decided(renames=found.renames),
        position=Position(),
        live=found.live,
        wanted=found.wanted,
        base=found.base,
        changes=found.inverse.changes,
        fill=lambda table, column: rows.fills.get((table.lower(), column.lower())),
        sight=replace(sight, acting=rows.acting),
        source=asked.source,
        reverted=rows.reverted,
        returning=tuple(item for item in rows.returning if item.rows),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What an undo does to rows."""

    fills: Mapping[tuple[str, str], Fill]
    """By table and column, in lower case, the values of what the changes are about."""
    reverted: tuple[Fill, ...]
    returning: tuple[Returning, ...]
    acting: Mapping[str, tuple[Cast | Delete, ...]]
    """What had been decided for the run that is made again, by the change that it acts for."""

    def outlook(self, renames: Sequence[RenameTable | RenameColumn], returning: Sequence[Table]) -> Outlook:
        again = repaired(renames, tuple(dict.fromkeys(item for items in self.acting.values() for item in items)))
        return replace(again, fills=(*self.fills.values(), *self.reverted, *again.fills), returning=returning)


def _find_rows(taken: Taken, inverse: Inverse, wanted: Schema, giving: Giving) -> _Rows:
    fills = [fill for fill in map(giving.fill, inverse.changes) if fill is not None]
    return _Rows(
        fills={(fill.table.lower(), fill.column.lower()): fill for fill in fills},
        reverted=tuple(giving.reverted(inverse.changes)),
        returning=tuple(giving.returning(wanted)),
        acting=_acting_again(taken, inverse),
    )


def _find_giving(
    taken: Taken,
    inverse: Inverse,
    base: Schema,
    beside: Beside | None,
    decisions: Sequence[Decision],
    dialect: Dialect,
) -> Giving:
    decided = [item for item in older_names(taken.made) if item.of_rows]
    return Giving(
        beside=beside,
        base=base,
        made=inverse.made,
        decisions=[item for item in decisions if isinstance(item, Backfill)],
        literal=dialect.literal,
        casts={(item.table.lower(), item.names[0].lower()): item.fill for item in decided if item.noun == "values"},
        filled={object_: item.fill for item in taken.again if not item.of_rows for object_ in item.objects},
        deletes={item.table.lower(): item.fill for item in decided if item.noun == "rows"},
    )


def _find_inverse(taken: Taken, live: Schema, base: Schema) -> Inverse:
    """The differences from the database, after the renames, to how it was; those that the run made, and others'."""
    untouched = taken.last and taken.whole and taken.run.schema_after == live.fingerprint
    made = older_names(taken.made)
    return sort_out(compare(base, taken.before, created_by(made)), made, all_of_them=untouched)


def _acting_again(taken: Taken, inverse: Inverse) -> dict[str, tuple[Cast | Delete, ...]]:
    """When an undo is taken back, what had been decided about rows acts again, for all that is made of their tables."""
    acting: dict[str, tuple[Cast | Delete, ...]] = {}
    for change in inverse.changes:
        ours = [item for item in taken.again if item.of_rows and item.table.lower() == change.table.lower()]
        if ours and not isinstance(change, CreateTable | DropTable):
            acting[change.id] = tuple(map(_decided, ours))
    return acting


def _decided(made: Made) -> Cast | Delete:
    if made.noun == "rows":
        return Delete(table=made.table, where=made.fill)
    return Cast(table=made.table, column=made.names[0], sql=made.fill)


def _take_sight(
    connection: Connection, outlook: Outlook, base: Schema, wanted: Schema, giving: Giving, budget: Budget
) -> Sight:
    probe = connection.probe(budget, outlook)
    return Sight(
        probe=probe,
        unfilled=probe,
        untouched=connection.probe(budget, Outlook(renames=outlook.renames)),
        live=base,
        wanted=wanted,
        missing=lambda table, column: None if giving.gives(table, column) else "",
    )


def _nothing_declared(spec: str) -> Declared:
    """Models have no say in an undo."""
    return Declared(models=Models(metadatas=(), spec=spec), statements={}, made=None, fingerprint="", versions="")


def _owned_again(inverse: Inverse) -> Schema:
    """What was the models' before the run dropped it is theirs again."""
    back = [change for change in inverse.changes if change in inverse.made]
    return Schema(
        tables=tuple(change.new for change in back if isinstance(change, CreateTable)),
        objects=tuple(
            change.new
            for change in back
            if isinstance(change, CreateView | CreateTrigger) and inverse.made[change].kind != "DropTable"
        ),
    )


def _refuse_moved(taken: Taken, live: Schema, renames: Sequence[RenameTable | RenameColumn]) -> None:
    remedy = "Undo the other steps with --steps, or restore the backup."
    moving = {change.table.lower() for change in renames if isinstance(change, RenameTable)}
    for change in renames:
        if not isinstance(change, RenameTable):
            continue
        taken_now = live.table(change.to) is not None and change.to.lower() not in moving
        if live.table(change.table) is None or taken_now:
            refuse(taken.run, f"the table {change.table} cannot be {change.to} again, since tables moved since", remedy)
    for item in taken.made:
        if item.kind == "DropTable" and live.table(item.table) is not None:
            refuse(taken.run, f"it dropped the table {item.table}, and there is one of that name again", remedy)


def _returning_tables(inverse: Inverse, source: Source | None) -> list[Table]:
    created = [change.new for change in inverse.changes if isinstance(change, CreateTable)]
    return [table for table in created if source is not None and source.schema.table(table.name) is not None]


def _judge(survey: Survey, inverse: Inverse, giving: Giving, lost: dict[str, Hazard]) -> list[Judgement]:
    """Everything that the run made may be taken back; only what the data or somebody's later change forbids is not.

    Args:
        survey: what was found.
        inverse: what is to be done.
        giving: finds values for what comes back.
        lost: for a table's name what is lost of its rows; it is told with the first change of the table, and taken out.
    """
    judgements = []
    for change in inverse.changes:
        found = (_in_an_undo(hazard, change) for hazard in find_hazards(change, survey.sight))
        hazards = [*found, *giving.missing(change, survey.sight.probe)]
        if change.table.lower() in lost:
            hazards.append(lost.pop(change.table.lower()))
        judgements.append(_judged(change, survey, inverse, hazards))
    return judgements


def _in_an_undo(hazard: Hazard, change: Change) -> Hazard:
    """With the way out that there is here: of what can be decided only a value for a column acts."""
    if hazard.severity is not Severity.BLOCKS:
        return hazard
    offered = tuple(repair for repair in hazard.repairs if isinstance(repair.decision, Backfill))
    decide = f'decide: fill = "{change.object}" with value = ... or sql = "..."'
    return replace(hazard, repairs=offered, remedy=decide if offered else _ROWS_FIRST)


def _judged(change: Change, survey: Survey, inverse: Inverse, hazards: Sequence[Hazard]) -> Judgement:
    obstacle = find_obstacle(change, inverse, survey.base)
    blocking = next((hazard for hazard in hazards if hazard.severity is Severity.BLOCKS), None)
    reason, remedy = (obstacle.reason, obstacle.remedy) if obstacle else ("", "")
    if blocking and not obstacle:
        reason, remedy = blocking.sentence, blocking.remedy
    assessment = Assessment(
        change=change,
        verdict=Verdict.BLOCKED if reason else Verdict.APPLY,
        reason=reason,
        remedy=remedy,
        hazards=tuple(hazards),
        rows=0 if isinstance(change, CreateTable) else survey.sight.probe.rows(change.table),
    )
    return Judgement(assessment, survey.fill(change.table, change.label))
