"""Send the steps to the database, inside the transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.dialect import Connection
from trueup.errors import StatementFailed, TrueupError, VerificationFailed
from trueup.events import StatementStarted, StepFinished, StepProgress, StepStarted
from trueup.limits import Limits
from trueup.plans import Parts, Statement, Step
from trueup.reporting import Report
from trueup.work import Work

_FEW_ROWS = 20_000
"""No more than that are not worth batches; the first batch has so many."""
_BATCH_SECONDS = 0.15
"""What a batch should take: shorter than the time between two signs of life that is promised."""
_MOST_GROWTH = 2.0
"""A batch has at most so many times the rows of the one before it, and at least that part of them."""
_TOO_EARLY = 0.05
"""The share of a step before which its pace says nothing."""
_ROLL_BACK = 0.5
"""What it takes to bring back a table that was dropped, as a share of what it took to drop it. Measured in
rollback-journal mode, where every page of it is read from the journal; in WAL mode it takes no time."""
_ALMOST = 0.95
"""The share that a statement has behind it when it takes longer than estimated."""


def execute_steps(connection: Connection, steps: Sequence[Step], limits: Limits, report: Report) -> tuple[str, ...]:
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
        going = _Going(connection=connection, step=step, number=number, limits=limits, report=report)
        proofs += going.carry_out()
    return tuple(proofs)


@dataclass(slots=True, kw_only=True)
class _Going:
    """One step while it goes on."""

    connection: Connection
    step: Step
    number: int
    limits: Limits
    report: Report
    began: float = 0.0
    behind: float = 0.0
    """Seconds that those statements were estimated to take that are done."""
    statement: Statement = Statement(sql="")
    statement_began: float = 0.0
    rows: int = 0
    total: int = 0

    def carry_out(self) -> list[str]:
        """Run the step's statements, and return what they proved."""
        self.began = self.limits.elapsed
        self.report(StepStarted(elapsed=self.began, number=self.number, step=self.step))
        with self.limits.listening(self._tell):
            for statement in self.step.statements:
                self.limits.check(ahead=statement.estimate if statement.work is Work.DROP else 0.0)
                self._begin(statement)
                self._run(statement)
                self.behind += statement.estimate
                if statement.work is Work.DROP:
                    self.limits.reserve(_ROLL_BACK * (self.limits.elapsed - self.statement_began))
        seconds = self.limits.elapsed - self.began
        self.report(StepFinished(elapsed=self.limits.elapsed, number=self.number, step=self.step, seconds=seconds))
        return [statement.proves for statement in self.step.statements if statement.proves]

    def _begin(self, statement: Statement) -> None:
        self.statement, self.statement_began, self.rows, self.total = statement, self.limits.elapsed, 0, 0
        self.report(StatementStarted(elapsed=self.limits.elapsed, number=self.number, sql=statement.sql))

    def _run(self, statement: Statement) -> None:
        difference = 0
        try:
            if statement.proves:
                difference = self.connection.rows(statement.sql)[0][0]
            elif statement.parts is not None and self.step.rows > _FEW_ROWS:
                self._run_in_batches(statement.sql, statement.parts)
            else:
                self.connection.execute(statement.sql)
        except TrueupError:
            raise
        except Exception as error:
            self.limits.check()  # an interrupted statement is the limits' doing, not the database's
            reason = f"{error} (while running: {statement.sql})"
            raise StatementFailed(sentence=self.step.sentence, reason=reason) from error
        if difference:
            problem = f"not proved for {self.step.table}: {statement.proves} ({difference} differ)"
            raise VerificationFailed(problem=problem)

    def _run_in_batches(self, sql: str, parts: Parts) -> None:
        """Each as large as the pace of the one before it allows."""
        self.total = self.step.rows
        start, size = parts.first, _FEW_ROWS
        while start <= parts.last:
            self.limits.check()
            began = self.limits.elapsed
            found = self.connection.rows(parts.end, (start, size - 1))
            end = found[0][0] if found else parts.last
            self.connection.execute(sql + parts.condition, (start, end))
            self.rows = self.rows + size if found else max(self.rows, self.total)
            self.total = max(self.rows, self.total)
            self._tell()
            pace = _BATCH_SECONDS / max(self.limits.elapsed - began, 0.001)
            size = int(size * min(_MOST_GROWTH, max(1 / _MOST_GROWTH, pace))) + 1
            start = end + 1

    def _tell(self) -> None:
        self.report(
            StepProgress(
                elapsed=self.limits.elapsed, number=self.number, rows=self.rows, total=self.total, left=self._left()
            )
        )

    def _left(self) -> float:
        """What is left of the step's estimate, at the pace so far."""
        now, estimate = self.limits.elapsed, self.statement.estimate
        took = now - self.statement_began
        share = self.rows / self.total if self.total else min(_ALMOST, took / estimate) if estimate else 0.0
        behind = self.behind + share * estimate
        whole = sum(statement.estimate for statement in self.step.statements)
        pace = (now - self.began) / behind if behind > _TOO_EARLY * whole else 1.0
        return (whole - behind) * pace
