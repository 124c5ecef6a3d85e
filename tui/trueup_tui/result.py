"""What came of a run: the proof, what is left, the backup; or why nothing was changed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from trueup import Receipt, Run, TrueupError, Verdict, errors
from trueup_tui.session import Session
from trueup_tui.wording import count, number, plain, seconds, size

_AS_IT_WAS = ("the database is as it was", "nothing was changed", "was not touched")
_LEFT = {
    Verdict.RETIRE: "left the models; it is kept with its data",
    Verdict.KEPT: "kept by a decision",
    Verdict.LEFT_OUT: "skipped",
    Verdict.BEYOND_POLICY: "beyond the policy",
    Verdict.BLOCKED: "waits for a decision",
}


def outcome_of(session: Session) -> Content:
    """The text of the result pane."""
    progress = session.progress
    run = progress.run if progress else None
    if run is None:
        return Content("")
    parts = _failed(run.error) if run.error is not None else _done(run)
    return Content("\n").join([*parts, Content(""), *_backup(run), *_ways(run)])


def _done(run: Run) -> Iterator[Content]:
    if run.plan is not None and run.plan.undoes is not None:
        yield plain(f"Took back {run.plan.undoes.words}.", "bold")
    if run.receipt is not None:
        yield from proof_of(run.receipt)
    yield Content(f"{count(run.operations_executed, 'step')} in {seconds(run.seconds)}, committed.")
    plan = run.plan
    left = [item for item in plan.assessments if item.verdict is not Verdict.APPLY] if plan else []
    if left:
        yield Content("")
        yield Content.styled("Not part of this run:", "bold")
        yield from (plain(f"· {item.change.id}: {_LEFT[item.verdict]}") for item in left)


def proof_of(receipt: Receipt) -> Iterator[Content]:
    """What was checked before the commit."""
    left = receipt.remaining_differences
    yield Content.styled(f"Checked: {count(left, 'difference')} left.", "bold $diff-drop" if left else "bold $diff-add")
    if receipt.row_counts:
        tables, rows = count(len(receipt.row_counts), "table"), sum(receipt.row_counts.values())
        yield Content(f"{tables} with {count(rows, 'row')} counted before and after: equal.")
    if receipt.untouched_objects:
        yield Content(f"{count(receipt.untouched_objects, 'other object')} found byte for byte as before.")
    if receipt.proofs:
        yield Content(f"{count(len(receipt.proofs), 'proof')} by query while it ran.")
    broken = receipt.foreign_key_violations_after
    yield Content(f"Integrity {receipt.integrity}; {number(broken)} broken references.")


def _failed(error: TrueupError) -> Iterator[Content]:
    cancelled = isinstance(error, errors.Cancelled)
    yield Content.styled("Cancelled" if cancelled else "Not applied", "bold $diff-drop")
    yield plain(error)
    if not any(words in str(error).lower() for words in _AS_IT_WAS):
        yield Content("The database is as it was.")


def _backup(run: Run) -> Iterator[Content]:
    if run.backup is not None:
        yield plain(f"Backup {run.backup.path} ({size(run.backup.size)}, verified)")
    elif run.error is None:
        empty = run.plan is not None and not run.plan.live.tables
        yield Content("No backup: the database was empty." if empty else "No backup was made.")


def _ways(run: Run) -> Iterator[Content]:
    if isinstance(run.error, errors.SchemaMoved):
        yield Content.assemble(("d", "bold $key"), " reads again and shows what is different now")
    else:
        yield Content.assemble(("d", "bold $key"), " differences again · ", ("2", "bold $key"), " backups")
