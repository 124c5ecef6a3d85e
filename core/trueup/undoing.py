"""The plan of an undo: from the schema as it was before a run, and the backup that was taken for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from trueup.changes import Change, CreateTable, CreateTrigger, CreateView, RenameColumn, RenameTable
from trueup.choosing import Taken, refuse
from trueup.decisions import Backfill, Decision
from trueup.declaring import Declared
from trueup.dialect import Connection, Dialect, Outlook
from trueup.errors import ValuesGone
from trueup.hazards import Hazard, Severity
from trueup.limits import Budget
from trueup.plan import Assessment, Plan, Policy, Source, Undone, Verdict
from trueup.planning import Survey, compose, renamed, spare
from trueup.rules import Sight, find_hazards
from trueup.schema import Schema, Table
from trueup.settings import Settings
from trueup.stages import backups
from trueup.stages.assess import Judgement
from trueup.stages.compare import compare
from trueup.stages.decided import Decided
from trueup.stages.evolve import evolve
from trueup.stages.giving import Giving
from trueup.stages.invert import Inverse, created_by, find_obstacle, invert_renames, older_names, sort_out
from trueup.stages.models import Models
from trueup.standing import Position
from trueup.target import Target

# -- the backup --------------------------------------------------------------------------------------------------------


def find_source(taken: Taken, target: Target, now: datetime) -> Source | None:
    """The run's backup, where it has anything that must come back.

    Raises:
        ValuesGone: it is needed, and there is none that is good.
    """
    lost = tuple(_dropped(taken))
    if not lost and not _retyped(taken):
        return None
    dialect = target.dialect()
    try:
        return _verified(taken, target, dialect, now)
    except _NoBackup as problem:
        if not lost:
            return None
        raise ValuesGone(run=taken.run.id, problem=problem, lost=", ".join(lost)) from problem


_AGAIN = (
    "models that still want what was taken back make it again at the next trueup --auto; go back to the older models"
    " before a server starts"
)


class _NoBackup(Exception):
    """The message says why."""


def _verified(taken: Taken, target: Target, dialect: Dialect, now: datetime) -> Source:
    identifier = taken.run.backup_id
    if not identifier:
        raise _NoBackup("none was made for it")
    known = backups.list_backups(target.backup_directory(dialect), dialect)
    found = next((backup for backup in known if backup.id == identifier), None)
    if found is None:
        raise _NoBackup(f"the backup {identifier} is gone from {target.backup_directory(dialect)}")
    checked = backups.verify_backup(found, dialect, now)
    if checked.problem:
        raise _NoBackup(f"the backup {identifier} is not good: {checked.problem}")
    copy = dialect.open_copy(checked.path)
    try:
        schema = copy.schema(leave_out=(target.settings.history_table,))
    finally:
        copy.close()
    if schema.fingerprint != taken.run.schema_before:
        raise _NoBackup(f"the backup {identifier} is not of the database as it was before the run")
    return Source(id=identifier, path=checked.path, schema=schema)


def _dropped(taken: Taken) -> Iterator[str]:
    """Names of the tables and columns whose rows and values only a backup has."""
    for item in older_names(taken.made):
        table = taken.before.table(item.table)
        if item.kind == "DropTable":
            yield f"the rows of table {item.table}"
        elif item.kind == "DropColumn" and table is not None:
            column = table.column(item.names[0])
            if column is not None and column.computed is None:
                yield f"the values of {item.table}.{column.name}"


def _retyped(taken: Taken) -> bool:
    return any(item.kind == "AlterColumn" for item in taken.made)


# -- the plan ----------------------------------------------------------------------------------------------------------


def compose_undo(
    connection: Connection,
    dialect: Dialect,
    taken: Taken,
    source: Source | None,
    settings: Settings,
    decisions: Sequence[Decision],
) -> Plan:
    """The plan that takes back what was made, tried on an empty copy of the schema as every plan is.

    Args:
        connection: the live database, with the source beside it.
        dialect: of the database.
        taken: what is to be taken back.
        source: where values come back from.
        settings: of the target.
        decisions: of which those that fill columns count.

    Raises:
        NotUndoable: what the run renamed or dropped is not as it left it.
        PlanNotProved: a mistake in trueup.
    """
    live = connection.schema(leave_out=(settings.history_table,))
    renames = invert_renames(taken.made)
    _refuse_moved(taken, live, renames)
    base = renamed(live, renames, dialect) if renames else live
    inverse = _find_inverse(taken, live, base)
    giving = Giving(
        beside=connection.beside(source, base, renames) if source else None,
        base=base,
        made=inverse.made,
        decisions=[item for item in decisions if isinstance(item, Backfill)],
        literal=dialect.literal,
    )
    fills = {(fill.table.lower(), fill.column.lower()): fill for fill in map(giving.fill, inverse.changes) if fill}
    outlook = Outlook(renames=renames, fills=tuple(fills.values()), returning=_returning(inverse, source))
    wanted = evolve(base, taken.before, inverse.changes, inverse.left)
    survey = Survey(
        connection=connection,
        dialect=dialect,
        declared=_nothing_declared(f"the database before run {taken.run.id}"),
        settings=settings,
        answers=(),
        decided=Decided(renames=renames),
        position=Position(),
        live=live,
        wanted=wanted,
        base=base,
        changes=inverse.changes,
        fill=lambda table, column: fills.get((table.lower(), column.lower())),
        sight=_take_sight(connection, outlook, base, wanted, giving, settings),
        source=source,
    )
    plan = compose(survey, spare(survey, _judge(survey, inverse, giving)), Policy.FULL)
    return replace(
        plan,
        undoes=Undone(run_id=taken.run.id, steps=() if taken.whole else tuple(step.number for step in taken.steps)),
        wanted=_owned_again(inverse),
        warnings=(*plan.warnings, *((_AGAIN,) if plan.steps else ())),
    )


def _find_inverse(taken: Taken, live: Schema, base: Schema) -> Inverse:
    """The differences from the database, after the renames, to how it was; those that the run made, and others'."""
    untouched = taken.last and taken.whole and taken.run.schema_after == live.fingerprint
    made = older_names(taken.made)
    return sort_out(compare(base, taken.before, created_by(made)), made, all_of_them=untouched)


def _take_sight(
    connection: Connection, outlook: Outlook, base: Schema, wanted: Schema, giving: Giving, settings: Settings
) -> Sight:
    budget = Budget(settings.probe_limit)
    return Sight(
        probe=connection.probe(budget, outlook),
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
    back = [change for change in inverse.changes if change.id in inverse.made]
    return Schema(
        tables=tuple(change.new for change in back if isinstance(change, CreateTable)),
        objects=tuple(
            change.new
            for change in back
            if isinstance(change, CreateView | CreateTrigger) and inverse.made[change.id].kind != "DropTable"
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


def _returning(inverse: Inverse, source: Source | None) -> list[Table]:
    created = [change.new for change in inverse.changes if isinstance(change, CreateTable)]
    return [table for table in created if source is not None and source.schema.table(table.name) is not None]


def _judge(survey: Survey, inverse: Inverse, giving: Giving) -> list[Judgement]:
    """Everything that the run made may be taken back; only what the data or somebody's later change forbids is not."""
    return [
        _judged(
            change,
            survey,
            inverse,
            [*find_hazards(change, survey.sight), *giving.missing(change, survey.sight.probe)],
        )
        for change in inverse.changes
    ]


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
