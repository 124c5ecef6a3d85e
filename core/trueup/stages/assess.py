"""Judge each difference: what does it do to the data that is there, and may it be applied without a person?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    AddColumn,
    AddForeignKey,
    AlterColumn,
    AlterView,
    AlterVirtualTable,
    Change,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    CreateVirtualTable,
    DropColumn,
    DropIndex,
    DropTable,
    DropTrigger,
    DropView,
    ObjectChange,
)
from trueup.dangers.shared import is_filled, rows_without_value
from trueup.decisions import Decision, Drop, Keep, Skip
from trueup.hazards import Hazard, Severity
from trueup.plans import Assessment, Fill, RenameCandidate, RenameClash, Verdict
from trueup.policy import Policy
from trueup.rules import find_hazards
from trueup.schema import Schema
from trueup.sight import Sight

_ADDITIVE = (CreateTable, AddColumn, CreateIndex, CreateView, CreateTrigger, CreateVirtualTable)
_HOLDING = (DropTable, DropColumn)
_LEAVING = (*_HOLDING, DropView, DropTrigger)
_WHOLE = (CreateTable, DropTable, CreateView, AlterView, DropView, CreateVirtualTable, AlterVirtualTable)
"""Changes of something that has a name of its own: a decision about it names no table besides."""

FillFinder = Callable[[str, str], Fill | None]
"""Finds the value for rows that have none, for a table and a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """All that a verdict depends on besides the change itself."""

    live: Schema
    """As it is after the renames that were decided."""
    wanted: Schema
    policy: Policy
    decisions: Sequence[Decision]
    candidates: Sequence[RenameCandidate]
    clashes: Mapping[str, RenameClash]
    """Renames that were decided and cannot be made, by the old names of their objects."""
    left_out: Collection[str]
    """Ids of changes that a person left out of this run."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with what the plan needs to carry it out."""

    assessment: Assessment
    fill: Fill | None = None
    relaxation: AlterColumn | None = None
    """For a retired column that would block inserts: what makes it harmless."""


def assess(change: Change, here: Circumstances, sight: Sight, find_fill: FillFinder) -> Judgement:
    """The verdict on one change.

    Args:
        change: the difference.
        here: what the verdict depends on.
        sight: what the rules look at.
        find_fill: finds values for NOT NULL columns.
    """
    rows = 0 if isinstance(change, CreateTable | ObjectChange) else sight.untouched.rows(change.table)
    hazards = tuple(find_hazards(change, sight)) if rows else ()
    assessment = Assessment(
        change=change, verdict=Verdict.APPLY, hazards=hazards, rows=rows, candidates=_candidates(change, here)
    )
    return _judge(assessment, here, _fill(change, sight, find_fill, here) if rows else None)


def _judge(assessment: Assessment, here: Circumstances, fill: Fill | None) -> Judgement:
    change, decision = assessment.change, _decision(assessment.change, here.decisions)
    if change.id in here.left_out:
        return Judgement(replace(assessment, verdict=Verdict.LEFT_OUT, reason="left out of this run"))
    if isinstance(decision, Keep | Skip):
        return _keep(assessment, here.policy)
    if any(candidate.probable for candidate in assessment.candidates):
        return Judgement(_undecided(assessment))
    hindered = _hindered(assessment, here)
    if hindered is not None:
        return Judgement(hindered)
    clash = here.clashes.get(change.object.lower())
    if clash and _losing(assessment) and not isinstance(decision, Drop):
        return Judgement(replace(assessment, verdict=Verdict.BLOCKED, reason=clash.reason, remedy=clash.remedy))
    blocking = next((hazard for hazard in assessment.hazards if hazard.severity is Severity.BLOCKS), None)
    if here.policy is Policy.CHECK:
        return Judgement(_beyond(assessment, here.policy))
    if blocking:
        return Judgement(replace(assessment, verdict=Verdict.BLOCKED, reason=blocking.sentence, remedy=blocking.remedy))
    if here.policy is Policy.FULL or isinstance(decision, Drop):
        return Judgement(assessment, fill)
    if _left_the_models(change):
        return _retire(assessment, here.policy)
    if _losing(assessment) is not None:
        return Judgement(_beyond(assessment, here.policy))
    if here.policy is Policy.ADDITIVE and not _additive(change, here.live):
        return Judgement(_beyond(assessment, here.policy))
    return Judgement(assessment, fill)


# -- rules of the policies ---------------------------------------------------------------------------------------------


def _left_the_models(change: Change) -> bool:
    """A unique index is a rule, not only data: it could refuse what the models now allow, so it is not kept."""
    return isinstance(change, _LEAVING) or (isinstance(change, DropIndex) and not change.old.unique)


def _additive(change: Change, live: Schema) -> bool:
    if isinstance(change, AddForeignKey):
        table = live.table(change.table)
        return table is not None and all(table.column(column) is None for column in change.new.columns)
    return isinstance(change, _ADDITIVE)


def _keep(assessment: Assessment, policy: Policy) -> Judgement:
    if _left_the_models(assessment.change):
        return _retire(assessment, policy)
    return Judgement(replace(assessment, verdict=Verdict.KEPT, reason="a decision keeps it as the database has it"))


def _retire(assessment: Assessment, policy: Policy) -> Judgement:
    change = assessment.change
    retired = replace(
        assessment,
        verdict=Verdict.RETIRE,
        reason="it left the models; it is kept" + (" with its data" if isinstance(change, _HOLDING) else ""),
        remedy="the policy full, or a decision, drops it",
    )
    if policy in (Policy.SAFE, Policy.FULL) and isinstance(change, DropColumn) and change.old.required:
        relaxed = replace(change.old, nullable=True, on_conflict=None)
        return Judgement(retired, relaxation=AlterColumn(table=change.table, old=change.old, new=relaxed))
    return Judgement(retired)


def _hindered(assessment: Assessment, here: Circumstances) -> Assessment | None:
    """What no policy can do with a view or a virtual table."""
    change = assessment.change
    if isinstance(change, AlterVirtualTable):
        return _never(assessment)
    present = here.live.by_name.keys() | {item.name.lower() for item in here.live.relations}
    if isinstance(change, CreateView | CreateVirtualTable) and change.table.lower() in present:
        return _no_room(assessment)
    return None


def _never(assessment: Assessment) -> Assessment:
    name = assessment.change.table
    return replace(
        assessment,
        verdict=Verdict.BEYOND_POLICY,
        reason="trueup does not change virtual tables, because what they hold would be lost",
        remedy=f'drop {name} by hand, and the next run creates it, empty; or keep = "{name}"',
    )


def _no_room(assessment: Assessment) -> Assessment:
    name = assessment.change.table
    return replace(
        assessment,
        verdict=Verdict.BLOCKED,
        reason=f"the database has something else with the name {name}",
        remedy=f"rename or drop {name} in the database, or declare the {assessment.change.noun} under another name",
    )


def _beyond(assessment: Assessment, policy: Policy) -> Assessment:
    losing = _losing(assessment)
    reason = losing.sentence if losing else f"the policy {policy} does not apply this"
    wider = Policy.FULL if losing or policy is Policy.SAFE else Policy.SAFE
    return replace(assessment, verdict=Verdict.BEYOND_POLICY, reason=reason, remedy=f"the policy {wider} applies it")


def _losing(assessment: Assessment) -> Hazard | None:
    """The first loss that nobody accepted."""
    losing = (hazard for hazard in assessment.hazards if hazard.severity is Severity.LOSES)
    return next((hazard for hazard in losing if not hazard.accepted), None)


# -- what needs a person -----------------------------------------------------------------------------------------------


def _decision(change: Change, decisions: Sequence[Decision]) -> Keep | Drop | Skip | None:
    """The decision about the object that the change drops, adds or alters, or about the change itself."""
    names = {change.object.lower()}
    names |= {change.table.lower()} if isinstance(change, _WHOLE) else set()
    for item in decisions:
        if isinstance(item, Skip) and item.change.lower() == change.id.lower():
            return item
        if isinstance(item, Keep | Drop) and item.object.lower() in names:
            return item
    return None


def _candidates(change: Change, here: Circumstances) -> tuple[RenameCandidate, ...]:
    """The renames that this change may be a half of, and that would save values."""
    if isinstance(change, DropColumn | DropTable):
        return tuple(item for item in here.candidates if item.object.lower() == change.object.lower())
    if isinstance(change, AddColumn):
        return tuple(
            item
            for item in here.candidates
            if item.column and item.table.lower() == change.table.lower() and item.to.lower() == change.label.lower()
        )
    if isinstance(change, CreateTable):
        return tuple(item for item in here.candidates if not item.column and item.to.lower() == change.table.lower())
    return ()


def _undecided(assessment: Assessment) -> Assessment:
    """The question with every candidate, best first, and every answer."""
    candidates = assessment.candidates
    best, *others = candidates
    also = [f"or {item.object} to {item.to} ({item.score:.0%})" for item in others]
    said = ", ".join(evidence.sentence for evidence in best.evidence)
    answers = [f'rename = "{item.object}" with to = "{item.to}"' for item in candidates]
    objects = dict.fromkeys(item.object for item in candidates)
    answers += [f'{verb} = "{name}"' for name in objects for verb in ("drop", "keep")]
    return replace(
        assessment,
        verdict=Verdict.BLOCKED,
        reason=", ".join([f"{best.object} may have been renamed to {best.to} ({said})", *also]),
        remedy=f"decide: {', or '.join(answers)}",
    )


def _fill(change: Change, sight: Sight, find_fill: FillFinder, here: Circumstances) -> Fill | None:
    """The value for rows that have none in a column that must have one, or for which one was decided."""
    decided = is_filled(change, here.decisions)
    needed = rows_without_value(change, sight) is not None
    return find_fill(change.table, change.label) if decided or needed else None
