"""From the differences to a plan: judge them, write the steps, and try them on an empty copy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from trueup.changes import (
    AlterColumn,
    AlterPrimaryKey,
    AlterTrigger,
    AlterView,
    Change,
    CreateTable,
    CreateTrigger,
    CreateView,
    DropColumn,
    DropTable,
    DropView,
)
from trueup.errors import PlanNotProved
from trueup.forecasting import forecast
from trueup.hazards import Hazard
from trueup.plans import Assessment, Deletion, Fill, Plan, RenameCandidate, Step, Verdict
from trueup.policy import Policy
from trueup.rules import ALTERING, find_hazards
from trueup.schema import Schema, StoredObject, Table
from trueup.sighting import answered_in_vain, casts_of, deletions_of, not_replaced
from trueup.stages.assess import Circumstances, Judgement, assess
from trueup.stages.compare import find_cosmetic, find_unlike
from trueup.stages.evolve import evolve
from trueup.stages.leftovers import Leftover, find_leftovers
from trueup.stages.renames import find_renames
from trueup.stages.settle import settle
from trueup.stranding import find_stranding, may_strand
from trueup.surveying import Survey
from trueup.text import object_name

T = TypeVar("T")

_TAKES = (DropColumn, DropTable, DropView, AlterView)
"""Changes that may take away what a view or a trigger needs."""
_MAKES = (CreateView, AlterView, CreateTrigger, AlterTrigger)


def judge(survey: Survey, policy: Policy, leave_out: Collection[str]) -> list[Judgement]:
    """The verdict on each difference alone."""
    found = find_renames(survey.changes, survey.base, survey.wanted, survey.sight.probe.fit, survey.decided.rivals)
    here = Circumstances(
        live=survey.base,
        wanted=survey.wanted,
        policy=policy,
        decisions=survey.decisions,
        candidates=[item for item in found if _open_question(item, survey)],
        clashes={clash.object: clash for clash in survey.decided.clashes},
        left_out=leave_out,
    )
    judgements = [assess(change, here, survey.sight, survey.fill) for change in survey.changes]
    return [_held_back(item, survey) for item in judgements]


def _held_back(judgement: Judgement, survey: Survey) -> Judgement:
    """No empty table takes the place of one whose rows another tool left under another name."""
    name = judgement.assessment.change.table.lower()
    if not isinstance(judgement.assessment.change, CreateTable):
        return judgement
    for left in _leftovers(survey):
        if left.alone and left.rows and left.original.lower() == name:
            return Judgement(
                replace(judgement.assessment, verdict=Verdict.BLOCKED, reason=left.reason, remedy=left.remedy)
            )
    return judgement


def _leftovers(survey: Survey) -> Iterator[Leftover]:
    """Without those that somebody decided about."""
    decided = {decision.object.lower() for decision in survey.decisions}
    for left in find_leftovers(survey.base, survey.wanted, survey.sight.untouched.rows):
        if left.table.lower() not in decided:
            yield left


def _open_question(candidate: RenameCandidate, survey: Survey) -> bool:
    """Nobody answered it yet, and there are values that a rename would save."""
    if any(decision.object.lower() == candidate.object.lower() for decision in survey.decisions):
        return False
    if candidate.column:
        return not survey.sight.probe.not_null(candidate.table, candidate.column).nothing
    return survey.sight.probe.rows(candidate.table) > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What would be run for a set of verdicts."""

    assessments: tuple[Assessment, ...]
    steps: tuple[Step, ...]
    fills: tuple[Fill, ...]
    casts: tuple[Fill, ...]
    deletions: tuple[Deletion, ...]
    target: Schema

    @property
    def statements(self) -> list[str]:
        return [statement.sql for step in self.steps for statement in step.statements]


def _work(survey: Survey, judgements: Sequence[Judgement]) -> _Work:
    indexes = {name.lower(): table.name.lower() for table in survey.base.tables for name in table.index_names}
    assessments = settle([item.assessment for item in judgements], indexes)
    applied = [item.change for item in assessments if item.verdict is Verdict.APPLY]
    left = [item.change for item in assessments if item.verdict is not Verdict.APPLY]
    keyed = {name for item in left if isinstance(item, AlterPrimaryKey) for name in _key_columns(item)}
    relaxed = (item.relaxation for item in judgements if item.relaxation is not None)
    relaxations = [item for item in relaxed if item.object.lower() not in keyed]
    given = [item.fill for item in judgements if item.fill is not None and item.assessment.change in applied]
    casts, deletions = tuple(casts_of(survey.sight, applied)), tuple(deletions_of(survey.sight, applied))
    fills = (*not_replaced(given, casts), *casts, *survey.reverted)
    target = evolve(survey.base, survey.wanted, [*applied, *relaxations], left)
    changes = [*survey.renames, *applied, *relaxations]
    inexact = _inexact(assessments)
    steps = survey.dialect.write(
        survey.base, target, changes, fills, inexact, deletions, survey.source, survey.returning
    )
    return _Work(
        assessments=assessments, steps=tuple(steps), fills=fills, casts=casts, deletions=deletions, target=target
    )


def _key_columns(change: AlterPrimaryKey) -> Iterator[str]:
    """The columns of the present key, which stay in it as long as the change is not made."""
    names = change.old.columns if change.old is not None else ()
    return (object_name(change.table, name).lower() for name in names)


def _inexact(assessments: Sequence[Assessment]) -> set[tuple[str, str]]:
    """Columns whose values a new type alters, which the policy allows."""
    return {
        (item.change.table, item.change.label)
        for item in assessments
        if item.verdict is Verdict.APPLY and any(hazard.rule in ALTERING for hazard in item.hazards)
    }


def spare(survey: Survey, judgements: Sequence[Judgement]) -> list[Judgement]:
    """The same judgements, with all blocked that would leave a view or a trigger that does not work, or rows that point
    to nothing. What is kept for that needs other things in turn."""
    spared = _spare_pointed_to(survey, _spare_needed(survey, judgements))
    return spared if spared == list(judgements) else spare(survey, spared)


def _spare_needed(survey: Survey, judgements: Sequence[Judgement]) -> list[Judgement]:
    applied = _applied(judgements)
    takes = survey.live.objects and any(isinstance(change, _TAKES) for change in applied)
    if not takes and not any(isinstance(change, _MAKES) for change in applied):
        return list(judgements)
    work = _work(survey, judgements)
    reasons = _tried(survey.dialect.breaks, survey, work)
    broken = [item for item in work.target.objects if item.name in reasons]
    return [_spared(item, broken, reasons) if item.assessment.change in applied else item for item in judgements]


def _spare_pointed_to(survey: Survey, judgements: Sequence[Judgement]) -> list[Judgement]:
    applied = _applied(judgements)
    if not may_strand(applied, survey.base):
        return list(judgements)
    after = _tried(survey.dialect.after, survey, _work(survey, judgements))
    stranding = find_stranding(applied, after, survey.sight)
    return [_pointed_to(item, stranding.get(item.assessment.change, "")) for item in judgements]


def _pointed_to(judgement: Judgement, sentence: str) -> Judgement:
    if not sentence:
        return judgement
    change = judgement.assessment.change
    key = f"the type of {change.object}" if isinstance(change, AlterColumn) else f"the key of {change.table}"
    kept = change.table if isinstance(change, DropTable) else key
    remedy = f"let these rows point elsewhere or take the foreign key away first, or keep {kept}"
    return Judgement(replace(judgement.assessment, verdict=Verdict.BLOCKED, reason=sentence, remedy=remedy))


def _applied(judgements: Sequence[Judgement]) -> list[Change]:
    return [item.assessment.change for item in judgements if item.assessment.verdict is Verdict.APPLY]


def _tried(attempt: Callable[..., T], survey: Survey, work: _Work) -> T:
    """What a trial on an empty copy of the live schema tells.

    Raises:
        PlanNotProved: the statements do not work there.
    """
    try:
        return attempt(survey.live, work.statements, work.fills, survey.source)
    except Exception as error:
        raise PlanNotProved(problem=str(error)) from error


def _spared(judgement: Judgement, broken: Sequence[StoredObject], reasons: Mapping[str, str]) -> Judgement:
    change = judgement.assessment.change
    if isinstance(change, _MAKES) and change.new in broken:
        reason = f"it does not work in this database: {reasons[change.new.name]}"
        remedy = f"correct the {change.noun} in the models"
        return Judgement(replace(judgement.assessment, verdict=Verdict.BLOCKED, reason=reason, remedy=remedy))
    name = change.label or change.table
    needed_by = next((item for item in broken if item.definition.mentions(name)), None)
    if needed_by is None or not isinstance(change, _TAKES):
        return judgement
    blocked = replace(
        judgement.assessment,
        verdict=Verdict.BLOCKED,
        reason=f"the {needed_by.kind} {needed_by.name} needs it",
        remedy=f"drop or change the {needed_by.kind} {needed_by.name} first, or keep what it needs",
    )
    return Judgement(blocked)


def compose(survey: Survey, judgements: Sequence[Judgement], policy: Policy) -> Plan:
    """The plan for these verdicts, tried on an empty copy of the schema."""
    work = _work(survey, judgements) if policy is not Policy.CHECK else _nothing(survey, judgements)
    assessments = (*_judged_renames(survey, policy), *work.assessments)
    notes = (*survey.decided.warnings, *answered_in_vain(survey.sight, assessments))
    expected = _prove(survey, work)
    ahead = forecast(survey.connection, survey.settings.history_table, work.steps, survey.renames)
    return Plan(
        database=survey.dialect.database,
        models=survey.declared.models.spec,
        policy=policy,
        assessments=assessments,
        steps=ahead.steps,
        fills=work.fills,
        casts=work.casts,
        deletions=work.deletions,
        live=survey.live,
        expected=expected,
        wanted=survey.wanted,
        managed=tuple(table.name for table in survey.wanted.tables),
        unmanaged=tuple(_unmanaged(survey)),
        unsupported=tuple(_unsupported(survey)),
        warnings=(*notes, *(left.sentence for left in _leftovers(survey) if not left.alone), *_warnings(assessments)),
        notes=notes,
        spellings=tuple(find_cosmetic(expected, survey.wanted)),
        position=survey.position,
        models_fingerprint=survey.declared.fingerprint,
        versions=survey.declared.versions,
        decisions=survey.answers,
        source=survey.source,
        returning=survey.returning,
        preamble=survey.dialect.preamble(survey.source),
        backup_estimate=ahead.backup,
        check_estimate=ahead.checks,
        loads=ahead.loads,
    )


def _nothing(survey: Survey, judgements: Sequence[Judgement]) -> _Work:
    """Only compared: even a rename that was decided is not made."""
    return _Work(
        assessments=tuple(item.assessment for item in judgements),
        steps=(),
        fills=(),
        casts=(),
        deletions=(),
        target=survey.live,
    )


def _prove(survey: Survey, work: _Work) -> Schema:
    """The schema that the steps lead to, found by running them on an empty copy of the live one."""
    if not work.steps:
        return survey.live
    expected = _tried(survey.dialect.after, survey, work)
    differences = find_unlike(expected, work.target)
    broken = [
        table.unsupported
        for table in _new_texts(survey.live, expected)
        if table.unsupported and not _was_unsupported(table, survey)
    ]
    if differences or broken:
        raise PlanNotProved(problem=differences[0].sentence if differences else broken[0])
    return expected


def _new_texts(before: Schema, after: Schema) -> Iterator[Table]:
    """The tables that are not stored as they were."""
    known = before.by_name
    for table in after.tables:
        old = known.get(table.name.lower())
        if old is None or not old.stored_like(table):
            yield table


def _was_unsupported(table: Table, survey: Survey) -> bool:
    sides = (survey.live.table(table.name), survey.wanted.table(table.name))
    return any(side is not None and side.unsupported is not None for side in sides)


def _judged_renames(survey: Survey, policy: Policy) -> list[Assessment]:
    verdict = Verdict.BEYOND_POLICY if policy is Policy.CHECK else Verdict.APPLY
    return [
        Assessment(change=change, verdict=verdict, hazards=tuple(find_hazards(change, survey.sight)))
        for change in survey.renames
    ]


def _unmanaged(survey: Survey) -> Iterator[str]:
    known = {change.table.lower() for change in survey.changes if change.kind == "DropTable"}
    known |= {table.name.lower() for table in survey.wanted.tables}
    declared = {item.key for item in survey.wanted.objects}
    yield from (table.name for table in survey.base.tables if table.name.lower() not in known)
    yield from (item.name for item in survey.live.objects if item.kind == "virtual" and item.key not in declared)


def _unsupported(survey: Survey) -> Iterator[str]:
    """What cannot be compared. Tables that are stored alike need not be understood: they are the same."""
    for table in _new_texts(survey.live, survey.wanted):
        for side, one in (("database", survey.live.table(table.name)), ("models", table)):
            if one is not None and one.unsupported:
                yield f"table {one.name} is left alone: in the {side} {one.unsupported}"
    yield from _behind_views(survey)


def _behind_views(survey: Survey) -> Iterator[str]:
    """Models may read from a view as if it were a table; one without their columns stands in the table's way."""
    created = {change.table.lower() for change in survey.changes if isinstance(change, CreateTable)}
    for view in survey.base.relations:
        table = survey.wanted.table(view.name) if view.kind == "view" else None
        if table is None or view.name.lower() in created:
            continue
        found = {name.lower() for name in survey.connection.columns(view.name)}
        missing = [column.name for column in table.columns if column.name.lower() not in found]
        if missing:
            yield f"table {table.name} is not made: in the database a view has its name, without {', '.join(missing)}"


def _warnings(assessments: Sequence[Assessment]) -> Iterator[str]:
    for item in assessments:
        if item.verdict is Verdict.APPLY:
            yield from (f"{item.change.sentence}: {hazard.sentence}{_why(hazard)}" for hazard in item.hazards)
        elif item.verdict is Verdict.RETIRE:
            yield f"{item.change.sentence}: {item.reason}"


def _why(hazard: Hazard) -> str:
    return f" (accepted: {hazard.accepted})" if hazard.accepted else ""
