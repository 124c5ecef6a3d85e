"""What is known of a rehearsal: its events, folded one by one into a value that the preview shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from textual.content import Content

from trueup import Event, Plan, Rehearsal, events
from trueup_tui.wording import count, number, plain, seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsing:
    """A rehearsal, as far as it has come."""

    plan: Plan
    phase: str = "copying the database"
    pages: tuple[int, int] = (0, 0)
    rows: tuple[int, int] = (0, 0)
    outcome: Rehearsal | None = None
    cancelling: bool = False

    @property
    def over(self) -> bool:
        return self.outcome is not None

    def is_about(self, plan: Plan) -> bool:
        """Whether the plan is the one that was rehearsed, or a later one that does the same."""
        return plan.checksum == self.plan.checksum


def after(rehearsing: Rehearsing, event: Event) -> Rehearsing:
    """The rehearsal with one more event."""
    match event:
        case events.CopyProgress(done=done, total=total):
            return replace(rehearsing, pages=(done, total))
        case events.Locked():
            return replace(rehearsing, phase="checking the copy", pages=(0, 0))
        case events.StepStarted(number=number):
            return replace(rehearsing, phase=f"step {number} of {len(rehearsing.plan.steps)}", rows=(0, 0))
        case events.StepProgress(rows=done, total=total):
            return replace(rehearsing, rows=(done, total))
        case events.Verifying():
            return replace(rehearsing, phase="reading the copy again", rows=(0, 0))
        case events.Rehearsed(rehearsal=outcome):
            return replace(rehearsing, outcome=outcome)
        case _:
            return rehearsing


def lines_of(rehearsing: Rehearsing) -> Iterator[Content]:
    """How far it is, or what came of it."""
    outcome = rehearsing.outcome
    if outcome is None:
        parts = ((*rehearsing.pages, "pages"), (*rehearsing.rows, "rows"))
        share = "".join(f", {number(done)} of {number(total)} {noun}" for done, total, noun in parts if total)
        doing = "cancelling" if rehearsing.cancelling else f"{rehearsing.phase}{share}"
        yield plain(f"▶ rehearsing on a copy: {doing}", "bold")
    elif outcome.error is not None:
        yield plain(f"✗ rehearsed on a copy: {outcome.error}", "$diff-drop")
    else:
        took = seconds(outcome.plan.estimate + outcome.plan.check_estimate)
        yield plain(f"✓ rehearsed on a copy: all worked, in {took}", "$diff-add")
        kept = [item for item in outcome.remaining if item.verdict != "kept"]
        if kept:
            yield plain(f"  {count(len(kept), 'difference')} would stay")
    yield Content("")
