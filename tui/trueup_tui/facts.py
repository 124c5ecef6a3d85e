"""The right pane of the diff: all that is known of one change, so that nobody decides without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from textual.content import Content

from trueup import Assessment, Change, Form, Hazard, Plan, Severity, Step, Verdict, changes, describe, name_of
from trueup_tui.rows import Row
from trueup_tui.wording import about, count, joined, plain, sentence, sql

_OUTCOME = {
    Severity.BLOCKS: "The database would refuse it; nothing runs while this is open.",
    Severity.LOSES: "Values that are there now would be gone.",
    Severity.WARNS: "",
}


def facts_of(row: Row, plan: Plan) -> Content:
    """Everything about the change, as one text."""
    return Content("\n").join(_facts(row, plan))


def table_facts(table: str, rows: Sequence[Row], plan: Plan) -> Content:
    """What is to happen to a whole table."""
    parts = [plain(f"table {table}", "bold"), Content("")]
    parts += [Content.assemble(f"  {row.mark} {row.sign} ", plain(row.title)) for row in rows]
    steps = [step for step in plan.steps if step.table == table]
    if steps:
        parts += [Content(""), *_steps(steps, plan)]
    return Content("\n").join(parts)


def left_alone_facts(plan: Plan) -> Content:
    """What trueup sees and does not touch, and why."""
    parts = [Content("Left alone").stylize("bold"), Content("")]
    parts += [Content.assemble("  ", plain(name), ("  the models never declared it", "dim")) for name in plan.unmanaged]
    parts += [plain(f"  {text}") for text in plan.unsupported]
    if plan.unmanaged or plan.unsupported:
        parts += [Content(""), Content("It is never changed, and it stays through every run.")]
    if plan.spellings:
        parts += [Content(""), *(plain(f"  {text}") for text in plan.spellings)]
    return Content("\n").join(parts)


def _facts(row: Row, plan: Plan) -> Iterator[Content]:
    yield plain(f"{row.table} · {row.title}", "bold")
    yield Content("")
    yield from _both_sides(row, plan)
    yield Content("")
    yield from _verdict(row)
    yield from _dangers(row)
    yield from _evidence(row)
    steps = [step for step in plan.steps if row.taken and row.change in step.changes]
    yield from _numbers(row, steps)
    if steps:
        yield Content("")
        yield from _steps(steps, plan)


# -- the two sides -----------------------------------------------------------------------------------------------------


def _both_sides(row: Row, plan: Plan) -> Iterator[Content]:
    now, models = _sides(row, plan)
    yield Content.styled("Database now", "dim")
    yield from (Content.assemble(("- ", "$diff-drop"), plain(line)) for line in now or ["—"])
    yield Content.styled("Your models", "dim")
    yield from (Content.assemble(("+ ", "$diff-add"), plain(line)) for line in models or ["—"])


def _sides(row: Row, plan: Plan) -> tuple[list[str], list[str]]:
    if row.candidates:
        dropped, added = (_sides_of(item.change) for item in row.assessments)
        return dropped[0], added[1]
    if isinstance(row.change, changes.RenameColumn):
        return _renamed(row.change, plan)
    return _sides_of(row.change)


def _renamed(change: changes.RenameColumn, plan: Plan) -> tuple[list[str], list[str]]:
    """A rename names two columns; what they are stands in the schemas."""
    table = plan.live.table(change.table)
    column = table.column(change.column) if table else None
    about = f"  {describe(column)}" if column else ""
    return [f"{change.column}{about}"], [f"{change.to}{about}"]


def _sides_of(change: Change) -> tuple[list[str], list[str]]:
    if isinstance(change, changes.RenameTable):
        return [change.table], [change.to]
    old, new = (getattr(change, side, None) for side in ("old", "new"))
    if isinstance(change, changes.AlterTableOptions):
        before, _, after = change.detail.partition(" -> ")
        return [before], [after]
    return _described(change, old), _described(change, new)


def _described(change: Change, side: Any) -> list[str]:
    if side is None:
        return []
    if change.noun == "table":
        return [f"{column.name}  {describe(column)}" for column in side.columns]
    name = "" if isinstance(change, changes.ObjectChange) else name_of(side)  # a statement says its name itself
    return [f"{name}  {describe(side)}" if name else describe(side)]


# -- what it means -----------------------------------------------------------------------------------------------------


def _verdict(row: Row) -> Iterator[Content]:
    item = row.assessment
    match item.verdict:
        case Verdict.APPLY:
            yield Content.styled("Will run.", "$diff-add")
        case Verdict.BLOCKED if row.candidates:
            yield Content.styled("Looks like a rename. r to answer, ␣ to skip both.", "$diff-open")
        case Verdict.BLOCKED:
            yield plain(f"To decide: {_with_rows(item)}.", "$diff-open")
            yield plain(sentence(item.remedy))
            yield Content("d decides; ␣ skips the change this time.")
        case Verdict.LEFT_OUT:
            yield Content("Skipped this time. ␣ takes it.")
        case _:
            yield plain(f"Skipped: {item.reason}.")
            yield plain(_way(row))


def _way(row: Row) -> str:
    """How a skipped change can be taken after all."""
    if row.verdict is Verdict.RETIRE:
        return "␣ drops it in this run."
    if row.verdict is Verdict.KEPT:
        return "d takes that back."
    decides = " d decides." if any(hazard.repairs for hazard in row.assessment.hazards) else ""
    return f"{sentence(row.assessment.remedy)}{decides}"


def _dangers(row: Row) -> Iterator[Content]:
    if row.candidates:
        return
    for hazard in row.assessment.hazards:
        if hazard.sentence != row.assessment.reason or row.verdict is not Verdict.BLOCKED:
            yield from _danger(hazard)


def danger_lines(row: Row) -> Iterator[Content]:
    """What would happen to which rows, for whoever decides about it."""
    for hazard in row.assessment.hazards:
        yield plain(sentence(hazard.shown), "$diff-open")
        outcome = _accepted(hazard) or _OUTCOME[hazard.severity]
        if outcome:
            yield plain(outcome)


def _danger(hazard: Hazard) -> Iterator[Content]:
    loses = hazard.severity is Severity.LOSES
    sign = Content.styled("DATA ", "bold $diff-drop") if loses else Content("")
    yield Content.assemble(sign, plain(sentence(hazard.shown), "" if loses else "$diff-open"))
    if hazard.accepted:
        yield plain(_accepted(hazard))
    elif loses:
        yield plain(f"     {sentence(hazard.remedy)}")


def _accepted(hazard: Hazard) -> str:
    """The decision that asks for it, or the reason that somebody gave."""
    decided = hazard.accepted.startswith("decided:") or not hazard.accepted
    return sentence(hazard.accepted if decided else f"accepted: {hazard.accepted}")


def _with_rows(item: Assessment) -> str:
    """The reason, with the rows that it is about."""
    return next((hazard.shown for hazard in item.hazards if hazard.sentence == item.reason), item.reason)


def _evidence(row: Row) -> Iterator[Content]:
    if row.possible and not row.candidates:
        yield Content("Perhaps a rename; r to answer.")
    for candidate in row.possible:
        yield plain(f"  {candidate.object} » {candidate.to}, {candidate.score:.0%} alike:")
        yield from (plain(f"  · {evidence}") for evidence in candidate.evidence)


def _numbers(row: Row, steps: Sequence[Step]) -> Iterator[Content]:
    parts = [count(row.assessment.rows, "row")] if row.assessment.rows else []
    if steps:
        parts.append(about(sum(step.estimate for step in steps)))
    if parts:
        yield Content("")
        yield joined(parts)


def _steps(steps: Sequence[Step], plan: Plan) -> Iterator[Content]:
    for step in steps:
        number = plan.steps.index(step) + 1
        others = len(step.changes) - 1
        together = f", with {count(others, 'other change')}" if others else ""
        why = f": {step.why}" if step.form is not Form.IN_PLACE else ""
        yield plain(f"Step {number} of {len(plan.steps)}, {step.form}{together}{why}.", "dim")
        yield sql(step.sql)
