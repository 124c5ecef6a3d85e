"""What is known of an undo before it runs: which run, and the plan that takes it back or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from trueup import Assessment, PastRun, Plan, Severity, Verdict
from trueup_tui.wording import SIGNS, count, plain, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """An undo that a person asked for."""

    run: PastRun
    plan: Plan | None = None
    error: BaseException | None = None

    @property
    def planning(self) -> bool:
        return self.plan is None and self.error is None


def lines_of(plan: Plan) -> Iterator[Content]:
    """What is lost, what comes back, and what stands in the way."""
    for loss in plan.losses:
        yield Content.assemble(("DATA ", "bold $diff-drop"), plain(sentence(loss)))
    if plan.blocked:
        yield plain("Something stands in the way:", "bold $diff-open")
        yield from (line for item in plan.blocked for line in _blocked(item))
        yield Content("")
    for item in plan.with_verdict(Verdict.APPLY):
        yield _change(item)
        for hazard in item.hazards:
            if hazard.severity is not Severity.LOSES:
                yield plain(f"    {sentence(hazard.sentence)}", "$diff-open")
    yield Content("")
    yield from _from_the_backup(plan)
    yield from (plain(sentence(warning)) for warning in _about_the_whole(plan))


def _change(item: Assessment) -> Content:
    sign, style = SIGNS[item.change.verb]
    return Content.assemble((f"{sign} ", style), plain(item.change.sentence))


def _blocked(item: Assessment) -> Iterator[Content]:
    yield _change(item)
    yield plain(f"    {sentence(item.reason)}", "$diff-open")
    yield plain(f"    {sentence(item.remedy)}")


def _from_the_backup(plan: Plan) -> Iterator[Content]:
    if plan.source is not None:
        yield plain(f"Values come back from the backup {plan.source.id}.")
    for item in plan.returning:
        verb = "comes" if item.rows == 1 else "come"
        yield plain(f"{count(item.rows, 'row')} of {item.table} {verb} back that a decision deleted.")


def _about_the_whole(plan: Plan) -> Iterator[str]:
    """The warnings that were not told with their change already."""
    told = tuple(f"{item.change.sentence}: " for item in plan.assessments)
    yield from (warning for warning in plan.warnings if not warning.startswith(told))
