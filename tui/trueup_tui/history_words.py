"""The runs in words: their line in the list, all that is known of one, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from trueup import PastRun, PastStep, Statistics
from trueup_tui.result import proof_of
from trueup_tui.session import Session
from trueup_tui.wording import (
    ago,
    cell,
    clock,
    count,
    facts_of,
    joined,
    moment,
    plain,
    seconds,
    sql,
    what_went_wrong,
    without_secret,
)

COLUMNS = ("run", "when", "kind", "status", "changes", "took")
_MINUTES = 90.0
"""Seconds from which on a duration is told in minutes."""


def nothing_recorded(session: Session) -> tuple[str, Content]:
    """What stands in place of the list: the error, or why it is empty."""
    if session.history_error is not None:
        sentence = without_secret(what_went_wrong(session.history_error), session.settings.url)
        return "The history could not be read", Content.assemble(
            plain(sentence), "\n\n", ("R", "bold $key"), " tries again"
        )
    if session.history is None:
        return "History", Content("Reading the history …")
    told = "Every run that changes the database is recorded in it, with its steps and its proof."
    return "No runs yet.", Content(told)


def statistics_of(session: Session) -> Content:
    """``12 runs · 11 completed (92%) · 8.4 s on average · last one 3 min ago``."""
    runs = session.history or ()
    found = Statistics.of(runs[::-1])
    return Content.assemble(" ", joined([*_statistics(found, runs, session.clock.now())])) if runs else Content("")


def _statistics(found: Statistics, runs: Sequence[PastRun], now: datetime) -> Iterator[Content | str]:
    yield Content.styled(count(found.all.runs, "run"), "bold")
    if found.all.success_rate is not None:
        yield f"{found.all.completed} completed ({found.all.success_rate:.0%})"
    if found.all.average is not None:
        yield f"{seconds(found.all.average)} on average"
    yield f"last one {ago(max(run.started_at for run in runs), now)}"


def cells_of(run: PastRun) -> Iterator[object]:
    """One line of the list."""
    yield cell(run.id)
    yield cell(moment(run.started_at))
    yield cell(run.kind)
    yield cell(_state(run))
    yield cell(_changes(run.steps))
    yield cell(_took(run))


def _took(run: PastRun) -> str:
    if not run.completed:
        return "–"
    return seconds(run.seconds) if run.seconds < _MINUTES else clock(run.seconds)


def _state(run: PastRun) -> str:
    if run.undone_by:
        return f"undone by {run.undone_by[:6]}"
    mark = "✓" if run.completed else "▶" if run.running else "✗"
    state = run.state.replace("_", " ")
    return f"{mark} {state}" if run.state == run.status else state


def _changes(steps: Sequence[PastStep]) -> str:
    """How many; nothing where the history does not tell."""
    made = [step.made for step in steps]
    return "–" if not made or None in made else str(sum(len(changes or ()) for changes in made))


def details_of(run: PastRun, session: Session) -> Content:
    """Everything that is known of a run."""
    return Content("\n").join(_details(run, session))


def _details(run: PastRun, session: Session) -> Iterator[Content]:
    yield plain(f"run {run.id}", "bold")
    yield _ending(run)
    yield Content("")
    yield from facts_of(
        {
            "when": f"{moment(run.started_at)}, {ago(run.started_at, session.clock.now())}",
            "took": seconds(run.seconds) if run.completed else "",
            "kind": f"{run.kind}, policy {run.policy}" if run.policy and not run.undoes else run.kind,
            "by": run.performed_by,
            "backup": run.backup_id or "none",
            "took back": ", ".join(_taken_back(run)),
            "drift": f"somebody else had changed the schema since run {run.drifted_since}" if run.drifted_since else "",
            "note": run.note,
        }
    )
    if run.receipt is not None:
        yield Content("")
        yield from proof_of(run.receipt)
        yield from (plain(f"· {sentence}") for sentence in run.receipt.proofs)
    for step in run.steps:
        yield Content("")
        yield from _step(step, run)


def _ending(run: PastRun) -> Content:
    if run.undone_by:
        return plain(f"Undone by the run {run.undone_by}.")
    if run.running:
        return plain(f"{_state(run)}: {run.name}")
    if not run.completed:
        reason = run.error or f"{run.name}, so nothing of it is in the database"
        return plain(f"{_state(run)}: {reason}", "$diff-drop")
    return plain(f"✓ {run.state}: {run.name}", "$diff-add")


def _taken_back(run: PastRun) -> Iterator[str]:
    for undone, numbers in run.undoes.items():
        yield f"{count(len(numbers), 'step')} of run {undone}" if numbers else f"run {undone}"


def _step(step: PastStep, run: PastRun) -> Iterator[Content]:
    yield plain(f"{step.number:2} {step.sentence}")
    took = "" if step.status == "pending" else seconds(step.seconds)
    state = "" if run.completed else step.status.replace("_", " ")
    undone = f"; undone by the run {step.undone_by}" if step.undone_by and not run.undone_by else ""
    told = ", ".join(part for part in (step.form, took, state) if part)
    yield plain(f"   {told}{undone}", "$diff-drop" if step.status == "failed" else "dim")
    yield sql(step.sql)
    if step.undo_sql:
        yield plain("   taken back by", "dim")
        yield sql(step.undo_sql)
