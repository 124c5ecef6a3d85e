"""The runs in words: their line in the list, all that is known of one, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from trueup import PastRun, PastStep, Statistics, Tally
from trueup_tui.result import proof_of
from trueup_tui.session import Session
from trueup_tui.tasks import lines_of as task_lines
from trueup_tui.wording import ago, cell, clock, count, facts_of, failure, joined, moment, number, plain, seconds, sql

COLUMNS = ("run", "when", "kind", "status", "changes", "took")
_MINUTES = 90.0
"""Seconds from which on a duration is told in minutes."""


def nothing_recorded(session: Session) -> tuple[str, Content]:
    """What stands in place of the list: the error, or why it is empty."""
    if session.history_error is not None:
        return "The history could not be read", failure(session.history_error, session.settings.url)
    if session.history is None:
        return "History", Content("Reading the history …")
    told = "Every run that changes the database is recorded in it, with its steps and its proof."
    return "No runs yet.", Content.assemble(
        told, "\n\n", ("b", "bold $key"), " records the database as it is, for later runs to start from"
    )


def doing_of(session: Session) -> Content:
    """What goes on with the history, or came of the last thing."""
    task = session.task
    if task is None or task.place != "history":
        return Content("")
    limits = session.job.limits if session.job is not None else None
    return Content("\n").join(task_lines(task, limits, session.settings.url))


def all_together(session: Session) -> Content:
    """The runs of each kind, and the last failures."""
    found = Statistics.of((session.history or ())[::-1])
    return Content("\n").join(_together(found))


def _together(found: Statistics) -> Iterator[Content]:
    yield from (Content.styled("All runs together", "bold"), Content(""))
    yield Content.styled(f"{'kind':<12}{'runs':>6}{'completed':>18}{'on average':>14}", "dim")
    for kind, tally in {"all": found.all, **found.kinds}.items():
        yield plain(f"{kind:<12}{number(tally.runs):>6}{_share(tally):>18}{_average(tally):>14}")
    if found.recent_failures:
        yield from (Content(""), Content.styled("The last failures", "bold"))
    for run in found.recent_failures:
        yield plain(f"{moment(run.started_at)}  {run.id}  {run.kind}, {_state(run)}")
        yield plain(run.error or run.name, "dim")


def _share(tally: Tally) -> str:
    return "–" if tally.success_rate is None else f"{number(tally.completed)} ({tally.success_rate:.0%})"


def _average(tally: Tally) -> str:
    return "–" if tally.average is None else seconds(tally.average)


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
