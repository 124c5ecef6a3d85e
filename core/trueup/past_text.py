"""What the command line tells people of the history, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.cleaning import Cleanup
from trueup.past import PastRun, PastStep
from trueup.statistics import Statistics, Tally
from trueup.text import counted, visible

_NONE = "No runs are recorded."


def past_run_lines(runs: Sequence[PastRun]) -> Iterator[str]:
    """A line for each run and one for each of its steps; then all of them in one.

    Args:
        runs: newest first.
    """
    if not runs:
        yield _NONE
        return
    for run in runs:
        yield from _heading(run)
        if run.error or not run.steps:
            yield visible(f"      {run.error or run.name}")
            yield from (visible(f"      {line}") for line in run.note.splitlines())
        yield from (_step(step, run) for step in run.steps)
    yield _told(Tally.of(runs))


def past_run_details(run: PastRun) -> Iterator[str]:
    """All that is known of a run, with the SQL of its steps and the SQL that takes them back."""
    yield from _heading(run)
    for name, value in _facts(run).items():
        yield from (visible(f"      {name}: {line}") for line in value.splitlines())
    for proof in run.receipt.proofs if run.receipt else ():
        yield visible(f"      proved: {proof}")
    for step in run.steps:
        yield _step(step, run)
        took = f"{step.seconds:.3f} s" if step.status != "pending" else ""
        yield visible(f"      {', '.join(part for part in (step.form, took) if part)}")
        yield from _indented(step.sql)
        yield from _taken_back(step.undo_sql)
    if not any(step.undo_sql for step in run.steps):
        yield from _taken_back(run.undo_sql)


def _heading(run: PastRun) -> Iterator[str]:
    by = f" by {run.undone_by}" if run.undone_by else ""
    backup = f", backup {run.backup_id}" if run.backup_id else ""
    took = f", {run.seconds:.1f} s" if run.completed else ""
    yield visible(f"{run.id}  {_when(run)}  {run.kind:<7}  {_state(run)}{by}{took}{backup}")
    if run.drifted_since:
        yield f"      somebody else had changed the schema since {run.drifted_since}"


def _facts(run: PastRun) -> dict[str, str]:
    """Without those that nobody knows."""
    undoes = ", ".join(run.undoes)
    facts = {
        "name": run.name,
        "note": run.note,
        "error": run.error,
        "by": run.performed_by,
        "trueup": run.trueup_version,
        "policy": "" if run.undoes else run.policy,
        "took back": undoes,
        "checksum": run.checksum,
    }
    return {name: value for name, value in facts.items() if value}


def _step(step: PastStep, run: PastRun) -> str:
    undone = f"undone by {step.undone_by}" if step.undone_by and not run.undone_by else ""
    state = undone or ("" if run.completed else _words(step.status))
    return visible(f"  {step.number:>3}. {step.sentence}{f' ({state})' if state else ''}")


def _taken_back(script: str) -> Iterator[str]:
    if script:
        yield "      taken back by:"
        yield from _indented(script)


def _indented(sql: str) -> Iterator[str]:
    return (visible(f"        {line}") for line in sql.splitlines() if line)


def statistics_lines(found: Statistics) -> Iterator[str]:
    """How many runs there were, how many did what they were to do, and how long those took; all, and each kind."""
    yield _told(found.all) if found.all.runs else _NONE
    yield from (f"  {visible(kind)}: {_told(tally)}" for kind, tally in found.kinds.items())
    if found.recent_failures:
        yield "recent failures:"
        yield from (f"  {_failure(run)}" for run in found.recent_failures)


def cleanup_lines(found: Cleanup, *, done: bool) -> Iterator[str]:
    """What goes, or went, and what stays of it.

    Args:
        found: the cleanup.
        done: it was carried out.
    """
    when = f"before {found.before:%Y-%m-%d %H:%M} UTC"
    if found.nothing:
        yield f"Nothing of {when} can be taken out of the history."
    else:
        yield f"{'Taken' if done else 'To be taken'} out of the history, of {when}:"
    if found.removed:
        yield f"  {counted(len(found.removed), 'run')} that changed nothing"
    if found.shortened:
        what = f"{counted(found.steps, 'step')} of {counted(len(found.shortened), 'run')}"
        yield f"  {what}, whose line stays, but which cannot be undone then"
    if found.kept:
        yield f"Kept whole, since an undo may need them: {counted(len(found.kept), 'run')}."
    if not done and not found.nothing:
        yield "Nothing was changed. --yes takes them out."


def _told(tally: Tally) -> str:
    average = f", {tally.average:.1f} s on average" if tally.average is not None else ""
    share = f" ({tally.success_rate:.0%})" if tally.success_rate is not None else ""
    return f"{counted(tally.runs, 'run')}, {tally.completed} completed{share}{average}"


def _failure(run: PastRun) -> str:
    return visible(f"{run.id}  {_when(run)}  {run.kind:<7}  {_state(run)}: {run.error or run.name}")


def _when(run: PastRun) -> str:
    return f"{run.started_at:%Y-%m-%d %H:%M:%S}"


def _state(run: PastRun) -> str:
    return _words(run.state)


def _words(state: str) -> str:
    return state.replace("_", " ")
