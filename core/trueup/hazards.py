"""Dangers that a change has on the data that is there, as frozen values, and the questions that find them.

What the dangers are stands in the table of :mod:`trueup.rules`. A :class:`Finding` is what the live data answered to
one question; a :class:`Hazard` is what that means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trueup.decisions import Decision
from trueup.schema import Check, Column, ForeignKey, KeyPart, Sql
from trueup.text import counted, number

SAMPLES = 5
"""How many rows a finding names at most."""


class Severity(StrEnum):
    BLOCKS = "blocks"
    """The change cannot succeed on the data that is there."""
    LOSES = "loses"
    """The change would destroy or alter values."""
    WARNS = "warns"
    """Worth knowing; it never decides whether a change is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One row that a finding is about, as SQL."""

    key: str
    """The values of its key: ``"7"``, ``"'EUR'"``, ``"(7, 'x')"``."""
    value: str = ""
    """The value that is in danger; empty where it says nothing or is long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the live data answered: how many rows, and some of them."""

    rows: int = 0
    """Rows that were found."""
    samples: tuple[Sample, ...] = ()
    """The first few of them."""
    key: str = ""
    """What identifies them: ``"id"``, ``"(a, b)"``, ``"rowid"``."""
    seen: int | None = None
    """How many rows were looked at, where time did not allow to look at all."""
    where: str = ""
    """An SQL condition for the rows that must go for the danger to be over, where there is one."""
    column: str = ""
    """The one column that it is about, where there is one."""
    cleared: str = ""
    """An SQL expression: the column's value, and NULL for these rows."""
    current: str = ""
    """An SQL expression: the column's value as it is."""
    failure: str = ""
    """What the database said when it could not compute an expression for some row."""

    @property
    def nothing(self) -> bool:
        """It is certain that there is no such row."""
        return self.rows == 0 and self.seen is None

    @property
    def words(self) -> str:
        """The number of rows, as the subject of a sentence."""
        if self.seen is None:
            return counted(self.rows)
        if self.failure:
            return f"perhaps some rows ({self.failure})"
        first = f"the first {number(self.seen)}"
        if self.rows:
            return f"at least {counted(self.rows)} among {first}"
        return (
            f"perhaps some rows (none of {first})" if self.seen else "perhaps some rows (they could not be looked at)"
        )

    @property
    def keys(self) -> str:
        """The rows by their keys: ``"id 7, 12, 40"``; empty when none is known."""
        return self._listed([sample.key for sample in self.samples])

    @property
    def examples(self) -> str:
        """The same with their values: ``"id 7 ('x'), 12 (NULL)"``."""
        return self._listed(
            [f"{sample.key} ({sample.value})" if sample.value else sample.key for sample in self.samples]
        )

    def agree(self, verb: str) -> str:
        """The verb, in the form that goes with :attr:`words`."""
        return {"have": "has", "do": "does"}.get(verb, f"{verb}s") if self.rows == 1 else verb

    def _listed(self, samples: Sequence[str]) -> str:
        more = ", …" if self.rows > len(samples) else ""
        return f"{self.key} {', '.join(samples)}{more}" if samples else ""


@dataclass(frozen=True, slots=True)
class Repair:
    """A ready decision that takes the danger away."""

    label: str
    """What it does, for a person who chooses."""
    decision: Decision
    asks: str = ""
    """The entry of the decision in which an example stands until a person says better: ``"value"``, ``"sql"`` or
    ``"reason"``. Empty where the decision can be taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A danger: what would happen, in which rows, and the way out."""

    rule: str
    """Its name in the table of rules."""
    severity: Severity
    sentence: str
    """Says no values and no keys, so that it may stand in a log."""
    finding: Finding = Finding()
    remedy: str
    repairs: tuple[Repair, ...] = ()
    """Ready decisions, the most likely first."""
    accepted: str = ""
    """The decision that accepts it, with its reason; then it no longer withholds the change."""

    @property
    def rows(self) -> int:
        return self.finding.rows

    @property
    def shown(self) -> str:
        """The sentence with the rows' keys and values, for whoever looks at the data anyway."""
        examples = self.finding.examples
        return f"{self.sentence}: {examples}" if examples else self.sentence


class Fit(StrEnum):
    """How the values of one column go with another column."""

    NONE = "none"
    """Some of them cannot be in it."""
    PLAIN = "plain"
    """They could be in it, as they could in many others."""
    TELLING = "telling"
    """They are just what it is for, as text that holds nothing but dates is for a column of dates."""


class Probe(Protocol):
    """Questions about the live data, in the words of the live schema. Each answer is about the rows that are named."""

    def rows(self, table: str) -> int:
        """How many there are."""

    def nulls(self, table: str, column: str) -> Finding:
        """Rows that have no value for the column."""

    def not_null(self, table: str, column: str) -> Finding:
        """Rows that have one."""

    def duplicates(self, table: str, parts: tuple[KeyPart, ...], where: Sql | None) -> Finding:
        """Rows that share all their values of a key with another one; of those only for which ``where`` is true."""

    def pointing(self, table: str, key: ForeignKey) -> Finding:
        """Rows that point to something through the key, whether it is there or not."""

    def orphans(self, table: str, key: ForeignKey, retyped: Mapping[str, Sql] | None = None) -> Finding:
        """Rows that point to nothing.

        Args:
            table: the table that points.
            key: how.
            retyped: the types that columns of the other table are to have, by name.
        """

    def violators(self, table: str, check: Check) -> Finding:
        """Rows for which the CHECK is false."""

    def not_integers(self, table: str, column: str) -> Finding:
        """Rows whose value is no whole number, or is missing."""

    def altered_by_type(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value would be another one when it is stored under the type."""

    def unfit_for_type(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value would stay text or a blob under a type of numbers; none for other types."""

    def unreadable_as(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value SQLAlchemy cannot make a date or a time of; none for other types."""

    def unfit_for_strict(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value a STRICT table would refuse under the type."""

    def longer_than(self, table: str, column: str, length: int) -> Finding:
        """Rows whose text has more characters than that."""

    def other_than(self, table: str, column: str, words: Collection[str]) -> Finding:
        """Rows whose value is none of the words; NULL is none that counts."""

    def fit(self, table: str, column: str, other: Column, words: Collection[str]) -> Fit:
        """How some of the column's values go with another column, which may hold these words only (any when empty)."""

    def matching(self, table: str, where: str) -> Finding:
        """Rows for which an SQL condition is true."""

    def problem_of(self, table: str, sql: str) -> str:
        """Why the text is no SQL expression over a row of the table; empty for one that is."""
