"""What the command line tells people: the outcome of a run, and the differences, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trueup.run import Rehearsal, Run, Status
from trueup.text import counted, visible

if TYPE_CHECKING:
    from trueup.changes import Change
    from trueup.hazards import Hazard
    from trueup.plans import Assessment, Plan


def run_lines(run: Run) -> Iterator[str]:
    """What a run did, and what it left."""
    plan = run.plan
    if plan is None:
        yield f"In step. {run.position.sentence}"
        yield from (f"note: {visible(warning)}" for warning in run.warnings)
        return
    if run.status is Status.MODELS_OLDER:
        yield f"{plan.database} was left as it is, ahead of these models. --accept-older-models migrates it back."
        yield from (f"note: {visible(warning)}" for warning in run.warnings)
        return
    if run.operations_executed:
        steps = counted(run.operations_executed, "step")
        yield f"Migrated {plan.database}: {steps} in {run.seconds:.1f} s, verified."
        yield from (f"  {visible(step.sentence)}" for step in plan.steps)
        yield f"  backup {run.backup.path}" if run.backup else "  no backup was made"
        if run.removed_backups:
            yield f"  removed backups that had served their time: {', '.join(item.id for item in run.removed_backups)}"
    elif plan.in_step:
        yield f"{plan.database} is in step with {plan.models} ({counted(len(plan.managed), 'table')})."
    yield from _remaining_lines(plan, "remain")
    yield from (f"note: {visible(warning)}" for warning in (*run.warnings, *plan.unsupported))


def dry_run_lines(plan: Plan, exit_code: int) -> Iterator[str]:
    """The script that a run would send, with everything else as comments."""
    if plan.steps and not plan.blocked:
        yield plan.script
        yield ""
        yield f"-- {_cost(plan)}"
    else:
        yield "-- Nothing would be run."
    yield from (f"-- {line}" for line in _remaining_lines(plan, "would remain"))
    yield f"-- exit code {exit_code}"


def rehearsal_lines(rehearsal: Rehearsal) -> Iterator[str]:
    """What became of each step on the copy, and what a run of them would be."""
    run, plan = rehearsal.run, rehearsal.plan
    if not run.operations_executed:
        yield "Nothing to rehearse." if plan.in_step else "Nothing was rehearsed."
        yield from _remaining_lines(plan, "remain")
        return
    yield f"Rehearsed on a copy of {plan.database}, verified. The database itself was not touched."
    estimated = run.plan.steps if run.plan else ()
    for number, (step, seconds) in enumerate(zip(estimated, run.step_seconds, strict=True), 1):
        rows = f", {counted(step.rows)}" if step.rows else ""
        yield visible(f"  {number}. {step.sentence}")
        yield f"      {seconds:.2f} s (estimated {step.estimate:.2f} s){rows}, {step.form}"
    yield f"A run of it: {_cost(plan)}."
    left = [item for item in rehearsal.remaining if item.verdict != "kept"]
    if left:
        yield "It would leave:"
        yield from (change_line(item.change) for item in left)


def restore_lines(run: Run) -> Iterator[str]:
    """What a restore did, and where the content from before is."""
    if run.restored is not None:
        yield (
            f"Restored the backup {run.restored.id} of {run.restored.created_at:%Y-%m-%d %H:%M:%S} UTC"
            f" in {run.seconds:.1f} s, verified."
        )
    if run.backup is not None:
        yield f"  the content from before is in the backup {run.backup.id}"
    yield from (f"note: {visible(warning)}" for warning in run.warnings)


def baseline_lines(run: Run) -> Iterator[str]:
    """That the database is recorded as it is, and how it differs from the models."""
    plan = run.plan
    if plan is None:
        return
    tables = counted(len(plan.live.tables), "table")
    yield f"Took {plan.database} as it is for the starting point: baseline {run.id}, {tables}."
    count = len(plan.assessments)
    if count:
        yield f"{counted(count, 'difference')} to {plan.models}, not applied:"
        yield from (line for item in plan.assessments for line in _reviewed_lines(item))
    else:
        yield f"It is in step with {plan.models}."
    yield from (f"note: {visible(sentence)}" for sentence in (*run.warnings, *plan.unsupported))
    if plan.unmanaged:
        yield f"Not declared by the models, left alone: {visible(', '.join(plan.unmanaged))}."


def undo_lines(run: Run) -> Iterator[str]:
    """What an undo did, or why it did nothing."""
    plan = run.plan
    if plan is None or plan.undoes is None:
        return
    if run.operations_executed:
        yield f"Took back {plan.undoes.words} in {run.seconds:.1f} s, verified."
        yield from (f"  {visible(step.sentence)}" for step in plan.steps)
        yield f"  backup {run.backup.path}" if run.backup else "  no backup was made"
        yield from (f"note: {visible(warning)}" for warning in run.warnings)
    elif plan.blocked:
        yield f"Nothing was changed; something stands in the way of taking back {plan.undoes.words}:"
        yield from (line for item in plan.blocked for line in _item_lines(item))
    elif plan.loses_data:
        yield f"Nothing was changed; taking back {plan.undoes.words} loses something. --yes accepts that:"
        yield from (f"  {visible(sentence)}" for sentence in plan.losses)
    else:
        yield f"Nothing is left of {plan.undoes.words}."


def plan_of_undo_lines(plan: Plan) -> Iterator[str]:
    """What an undo would do, with its SQL."""
    if plan.undoes is None:
        return
    yield f"To take back {plan.undoes.words}:" if plan.assessments else f"Nothing is left of {plan.undoes.words}."
    yield from (line for item in plan.assessments for line in _item_lines(item))
    yield from (visible(line.expandtabs(4)) for line in plan.script.splitlines())


def diff_lines(plan: Plan) -> Iterator[str]:
    """Every difference, and what is left alone."""
    count = len(plan.assessments)
    if not count:
        yield f"No differences. {plan.database} matches {plan.models} ({counted(len(plan.managed), 'table')})."
    else:
        yield f"{plan.database}: {counted(count, 'difference')} to {plan.models}"
        yield from (line for item in plan.assessments for line in _reviewed_lines(item))
    if plan.position.sentence:
        yield plan.position.sentence
    yield from (f"note: {visible(sentence)}" for sentence in (*plan.notes, *plan.unsupported, *plan.spellings))
    if plan.steps and not plan.blocked:
        yield f"trueup --auto would take {_cost(plan)}."
    if plan.unmanaged:
        yield f"Not declared by the models, left alone: {visible(', '.join(plan.unmanaged))}."


def _reviewed_lines(item: Assessment) -> Iterator[str]:
    """For a person who compares, with the rows that are in danger, and decisions to paste into the file."""
    yield change_line(item.change)
    for hazard in item.hazards:
        accepted = f" (accepted: {hazard.accepted})" if hazard.accepted else ""
        yield visible(f"      {hazard.shown}{accepted}")
        yield from () if accepted else _offered_lines(hazard)
    if item.verdict == "blocked":
        yield from (visible(f"      {line}") for line in ([] if item.hazards else [item.reason]) + [item.remedy])


def _offered_lines(hazard: Hazard) -> Iterator[str]:
    """Each entry once, under all that it may be taken for."""
    from trueup.decisions_file import as_toml

    labels: dict[str, list[str]] = {}
    for repair in hazard.repairs:
        labels.setdefault(as_toml(repair.decision), []).append(repair.label)
    for entry, meanings in labels.items():
        yield f"        # {', or '.join(meanings)}"
        yield from (f"        {visible(line)}" for line in entry.splitlines())


def _remaining_lines(plan: Plan, remain: str) -> Iterator[str]:
    remaining = [item for item in plan.assessments if item.verdict in ("blocked", "beyond policy")]
    if remaining:
        yield f"Nothing was changed; differences {remain}:" if plan.blocked else f"Differences {remain}:"
        yield from (line for item in remaining for line in _item_lines(item))


def _cost(plan: Plan) -> str:
    steps, seconds = counted(len(plan.steps), "step"), plan.total_estimate(backup=True)
    return f"{steps}, {plan.complexity}, about {seconds:.1f} s with a backup"


def _item_lines(item: Assessment) -> Iterator[str]:
    """For the log of a server, without anything that the rows hold."""
    yield change_line(item.change)
    if item.verdict == "blocked":
        yield visible(f"      {item.reason}")
        yield visible(f"      {item.remedy}")
    else:
        yield from (visible(f"      {hazard.sentence}") for hazard in item.hazards)


def change_line(change: Change) -> str:
    """A sign and a sentence."""
    sign = {"add": "+", "drop": "-", "change": "~", "rename": "»"}[change.verb]
    return visible(f"  {sign} {change.sentence}")
