"""How long will it take? What there is to do, times the pace of this machine.

The costs are those of one machine; how another one compares with it is its *pace*, a factor for each kind of work. It
is learned from what earlier runs measured, or from a short sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2

from trueup.dialect import Extent, Sample
from trueup.plans import Statement, Step
from trueup.run import Measured
from trueup.work import Load, Work

SAMPLE_ROWS = 20_000
_STATEMENT = 0.0005
"""Seconds for a statement that touches the schema only."""
_MICROSECOND = 1e-6
_USUAL_WIDTH = 12.0
"""Bytes of a value that nothing is known of."""
_CACHE = 2_000_000
"""Bytes that SQLite keeps in memory unless told otherwise; an index beyond it is filled from the disk."""
_RECENT = 0.85
"""What a measurement still counts when one newer is there."""
_NOISE = 0.02
"""Seconds; what took less says nothing of the machine."""
_TEMPORARY = 0.75
"""What copying into a temporary table costs, of what it costs in the database, with its journal."""
_SLOWEST, _FASTEST = 20.0, 0.05
"""Bounds of a pace, against a measurement that something else disturbed."""


@dataclass(frozen=True, slots=True)
class Paces:
    """How slow this machine is for each kind of work: 2 takes twice as long as the costs say."""

    known: Mapping[Work, float] = field(default_factory=dict)

    def of(self, work: Work) -> float:
        """That of the kind; of the others together where it is unknown."""
        return self.known.get(work) or (sum(self.known.values()) / len(self.known) if self.known else 1.0)

    def seconds(self, load: Load) -> float:
        return load.cost * self.of(load.work)


def learn(measured: Sequence[Measured]) -> Paces:
    """The pace of each kind: the middle of what was measured, in which recent measurements weigh more.

    Args:
        measured: newest first.
    """
    found: dict[Work, list[float]] = {}
    for item in measured:
        if item.seconds >= _NOISE and item.load.cost > 0:
            pace = min(_SLOWEST, max(_FASTEST, item.seconds / item.load.cost))
            found.setdefault(item.load.work, []).append(pace)
    return Paces({work: _weighted_median(paces) for work, paces in found.items()})


def estimate_steps(steps: Sequence[Step], extents: Mapping[str, Extent], paces: Paces) -> tuple[Step, ...]:
    """The steps with what they have to do, and how long it will take.

    Args:
        steps: in order.
        extents: of the tables that they work on, by the name that the step uses.
        paces: of this machine.
    """
    return tuple(_estimated(step, extents.get(step.table, Extent()), paces) for step in steps)


def load_of_backup(size: int) -> Load:
    """A verified copy of so many bytes."""
    return Load(work=Work.BACKUP, bytes=size, cost=0.03 + size * 0.007 * _MICROSECOND)


def load_of_checks(size: int, steps: Sequence[Step]) -> Load:
    """The check of the touched tables, and the commit; the whole database is checked by the copy that the backup is."""
    touched = min(size, sum(step.load.bytes for step in steps if step.load))
    return Load(work=Work.CHECK, bytes=touched, cost=0.01 + touched * 0.004 * _MICROSECOND)


def measured_by(sample: Sample, extent: Extent) -> tuple[Measured, ...]:
    """What a sample says of the machine."""
    part = replace(extent, rows=sample.rows)
    last = next(reversed(list(extent.widths)), "")
    copy = Load(work=Work.COPY, rows=part.rows, cost=_TEMPORARY * _copy(part))
    index = Load(work=Work.INDEX, rows=part.rows, cost=_index(part, (last,)))
    return (Measured(load=copy, seconds=sample.copying), Measured(load=index, seconds=sample.indexing))


def _weighted_median(values: Sequence[float]) -> float:
    weighted = sorted((value, _RECENT**age) for age, value in enumerate(values))
    half, passed = sum(weight for _, weight in weighted) / 2, 0.0
    for value, weight in weighted:
        passed += weight
        if passed >= half:
            return value
    return 1.0


def _estimated(step: Step, extent: Extent, paces: Paces) -> Step:
    costs = [(_cost(statement, extent), statement.work) for statement in step.statements if statement.work]
    schema_only = _STATEMENT * len(step.statements)
    if not costs or not extent.rows:
        return replace(step, estimate=schema_only)
    load = Load(
        work=max(costs)[1],
        rows=extent.rows,
        bytes=round(extent.rows * _row_width(extent)),
        cost=sum(cost for cost, _ in costs),
    )
    statements = tuple(
        replace(statement, estimate=_cost(statement, extent) * paces.of(statement.work))
        if statement.work
        else statement
        for statement in step.statements
    )
    return replace(step, statements=statements, load=load, estimate=schema_only + paces.seconds(load))


# -- costs, in seconds -------------------------------------------------------------------------------------------------


def _cost(statement: Statement, extent: Extent) -> float:
    match statement.work:
        case Work.COPY:
            return _copy(extent) + sum(_fill(extent, key) for key in statement.keys)
        case Work.INDEX:
            return sum(_index(extent, key) for key in statement.keys)
        case Work.SCAN:
            return _for_each_row(extent, 0.25, 0.0022)
        case Work.REWRITE:
            return _for_each_row(extent, 0.5, 0.012)
        case Work.DROP:
            return _for_each_row(extent, 0.0, 0.008) + sum(_bytes(extent, key) for key in statement.keys) * 8e-9
    return 0.0


def _copy(extent: Extent) -> float:
    return _for_each_row(extent, 0.35, 0.0055)


def _index(extent: Extent, key: Sequence[str]) -> float:
    """Sorting costs n log n."""
    row = 0.045 * log2(max(2, extent.rows)) + 0.02 * _key_width(extent, key)
    return extent.rows * row * _MICROSECOND


def _fill(extent: Extent, key: Sequence[str]) -> float:
    """An index that is there while rows come in takes each at its own place: beyond the cache that is a read."""
    return extent.rows * (6.0 if _bytes(extent, key) > _CACHE else 1.0) * _MICROSECOND


def _for_each_row(extent: Extent, row: float, byte: float) -> float:
    """Microseconds for each row and for each of its bytes."""
    return extent.rows * (row + byte * _row_width(extent)) * _MICROSECOND


def _row_width(extent: Extent) -> float:
    return sum(extent.widths.values())


def _bytes(extent: Extent, key: Sequence[str]) -> float:
    return extent.rows * (_key_width(extent, key) + 8)


def _key_width(extent: Extent, key: Sequence[str]) -> float:
    return sum(extent.widths.get(column.lower(), _USUAL_WIDTH) for column in key)
