"""How long a plan will take here: the sizes of its tables, and the pace of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trueup.changes import Change, RenameTable
from trueup.dialect import Connection, Extent
from trueup.limits import Limits
from trueup.plans import Step
from trueup.stages import history
from trueup.stages.estimate import (
    SAMPLE_ROWS,
    Paces,
    estimate_steps,
    learn,
    load_of_backup,
    load_of_checks,
    measured_by,
)
from trueup.work import Load

_COUNTING = 0.3
"""Seconds that may be spent on counting rows."""
_SAMPLING = 0.5
"""Seconds that a sample may take."""
_WORTH_A_SAMPLE = 0.5
"""Seconds of work under which nobody waits for a better estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The steps with their estimates, and what else there is to do."""

    steps: tuple[Step, ...]
    backup: float = 0.0
    """Seconds."""
    checks: float = 0.0
    """Seconds."""
    loads: tuple[Load, ...] = ()


def forecast(connection: Connection, history_table: str, steps: Sequence[Step], renames: Sequence[Change]) -> Forecast:
    """Estimate every step, the backup and the checks, in less than a second.

    Args:
        connection: the live database.
        history_table: the name of trueup's own table, where earlier runs left what they measured.
        steps: in order, without estimates.
        renames: what the steps do first; the live tables have the old names.
    """
    if not steps:
        return Forecast(steps=())
    extents = _extents(connection, steps, renames)
    paces = learn(history.read_measured(connection, history_table))
    rough = estimate_steps(steps, extents, paces)
    if not paces.known and sum(step.estimate for step in rough) > _WORTH_A_SAMPLE:
        paces = _sampled(connection, rough, extents, _old_names(renames))
        rough = estimate_steps(steps, extents, paces)
    size = connection.size()
    backup, checks = load_of_backup(size), load_of_checks(size, rough)
    return Forecast(steps=rough, backup=paces.seconds(backup), checks=paces.seconds(checks), loads=(backup, checks))


def _old_names(renames: Sequence[Change]) -> Mapping[str, str]:
    return {change.to.lower(): change.table for change in renames if isinstance(change, RenameTable)}


def _extents(connection: Connection, steps: Sequence[Step], renames: Sequence[Change]) -> dict[str, Extent]:
    """Of the tables whose rows a step goes through; no others are looked at."""
    old_names, limits = _old_names(renames), Limits(_COUNTING)
    names = dict.fromkeys(step.table for step in steps if any(item.work for item in step.statements))
    return {name: connection.extent(old_names.get(name.lower(), name), limits) for name in names}


def _sampled(
    connection: Connection, steps: Sequence[Step], extents: Mapping[str, Extent], old_names: Mapping[str, str]
) -> Paces:
    """The pace with the rows of the table that there is the most to do with."""
    name = max(steps, key=lambda step: step.estimate).table
    sample = connection.sample(old_names.get(name.lower(), name), SAMPLE_ROWS, Limits(_SAMPLING))
    return learn(measured_by(sample, extents[name])) if sample else Paces()
