"""What a look at the live data goes by, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from trueup.decisions import Cast, Decision, Delete
from trueup.hazards import Finding, Probe
from trueup.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that a rule can look at besides the change."""

    probe: Probe
    """Asks about the rows that the decisions leave, and the values that they give."""
    unfilled: Probe
    """Asks about the same before columns that are there get the values that they lack."""
    untouched: Probe
    """Asks about the rows as they are."""
    live: Schema
    """As it is after the renames that were decided."""
    wanted: Schema
    missing: Callable[[str, str], str | None]
    """Why rows that have no value in a table's column get none, as far as known; nothing when they get one."""
    words: Callable[[str, str], Sequence[str]] = lambda _table, _column: ()
    """The only texts that the models can load from a table's column; none where they can load all."""
    decisions: Sequence[Decision] = ()
    acting: Mapping[str, Sequence[Cast | Delete]] = field(default_factory=dict)
    """For a change's id the decisions about data that act for it."""
    given: Collection[tuple[str, str]] = ()
    """Table and column, in lower case, of what rows get that lack a value, as far as it is known before the run."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: which rows, and what would happen to them."""

    finding: Finding
    sentence: str
    accepted: str = ""
    """The decision that asks for exactly this."""
