"""Send the steps to the database, inside the transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trueup.dialect import Connection
from trueup.errors import StatementFailed, TrueupError, VerificationFailed
from trueup.events import Event, StatementStarted, StepFinished, StepStarted
from trueup.limits import Limits
from trueup.plan import Statement, Step, Work


def execute_steps(
    connection: Connection, steps: Sequence[Step], limits: Limits, report: Callable[[Event], None]
) -> tuple[str, ...]:
    """Run every statement of every step.

    A DROP TABLE cannot be ended while it gives back the pages of the table, so none is begun when less time is
    left than it will take.

    Returns:
        The sentences that the steps' own queries proved.

    Raises:
        StatementFailed: the database refused a statement.
        VerificationFailed: a proof did not hold.
        Cancelled, TimeLimitReached: the limits ended the run.
    """
    proofs: list[str] = []
    for number, step in enumerate(steps, 1):
        limits.phase = f"in step {number} of {len(steps)} ({step.sentence})"
        began = limits.elapsed
        report(StepStarted(elapsed=began, number=number, step=step))
        for statement in step.statements:
            limits.check(ahead=statement.estimate if statement.work is Work.DROP else 0.0)
            report(StatementStarted(elapsed=limits.elapsed, number=number, sql=statement.sql))
            _run(connection, statement, step, limits)
            proofs += [statement.proves] if statement.proves else []
        report(StepFinished(elapsed=limits.elapsed, number=number, step=step, seconds=limits.elapsed - began))
    return tuple(proofs)


def _run(connection: Connection, statement: Statement, step: Step, limits: Limits) -> None:
    try:
        if statement.proves:
            difference = connection.rows(statement.sql)[0][0]
        else:
            difference = 0
            connection.execute(statement.sql)
    except TrueupError:
        raise
    except Exception as error:
        limits.check()  # an interrupted statement is the limits' doing, not the database's
        raise StatementFailed(sentence=step.sentence, reason=f"{error} (while running: {statement.sql})") from error
    if difference:
        raise VerificationFailed(problem=f"not proved for {step.table}: {statement.proves} ({difference} differ)")
