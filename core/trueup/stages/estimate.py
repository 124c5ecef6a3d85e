"""How long will the steps take? From the number of rows and the size of the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from trueup.changes import AddColumn, AlterIndex, CreateIndex, DropColumn, DropTable
from trueup.plan import Step
from trueup.schema import Schema

_STATEMENT = 0.002
"""Seconds for a statement that touches the schema only."""
_COPIED_ROWS = 600_000
"""Rows a second through a rebuild with its proofs; the cautious end of what was measured."""
_INDEXED_ROWS = 700_000
_DROPPED_ROWS = 2_000_000
_BACKUP_BYTES = 100_000_000
"""Bytes a second for a copy, its checksum and its check."""


def estimate_steps(steps: Sequence[Step], live: Schema, rows: Callable[[str], int]) -> tuple[Step, ...]:
    """The steps with their estimates in seconds.

    Args:
        steps: in order.
        live: the schema before them.
        rows: counts the rows of a table, by its name in ``live``; 0 for one that does not exist yet.
    """
    return tuple(replace(step, estimate=_step(step, live, rows(step.table))) for step in steps)


def estimate_backup(size: int) -> float:
    """Seconds for a verified backup of so many bytes."""
    return 0.05 + size / _BACKUP_BYTES


def _step(step: Step, live: Schema, rows: int) -> float:
    seconds = _STATEMENT * len(step.statements)
    if step.form == "rebuild":
        table = live.table(step.table)
        indexes = len(table.indexes) + len(table.uniques) if table else 0
        return seconds + rows / _COPIED_ROWS + indexes * rows / _INDEXED_ROWS + rows / _DROPPED_ROWS
    for change in step.changes:
        if isinstance(change, CreateIndex | AlterIndex):
            seconds += rows / _INDEXED_ROWS
        elif isinstance(change, DropColumn):
            seconds += rows / _COPIED_ROWS
        elif isinstance(change, DropTable) or (isinstance(change, AddColumn) and change.new.computed):
            seconds += rows / _DROPPED_ROWS
    return seconds
