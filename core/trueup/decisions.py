"""What only a person can answer, as frozen values. The file that keeps them is the business of ``decisions_file``.

A decision names an object as :func:`trueup.text.object_name` writes it: ``orders.total`` for what is in a table,
``orders`` for the table. ``keep`` leaves an object as it is for good; next to a possible rename it also says "this is
not one".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, TypeAlias

from trueup.text import object_name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    table: str
    column: str | None = None

    verb: ClassVar[str]
    details: ClassVar[tuple[str, ...]] = ()
    """Names of the entries beside the verb."""

    @property
    def object(self) -> str:
        """What it is about, as it is written in the file."""
        return object_name(self.table, self.column)

    @property
    def question(self) -> str:
        """What it answers: of two decisions with the same question the newer one holds."""
        return self.object.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(_Decision):
    """The object goes on under the name ``to``; its data stays."""

    verb: ClassVar[str] = "rename"
    details: ClassVar[tuple[str, ...]] = ("to",)
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill(_Decision):
    """Rows that have nothing for a NOT NULL column get ``value``, or what the SQL expression ``sql`` gives."""

    verb: ClassVar[str] = "fill"
    details: ClassVar[tuple[str, ...]] = ("value", "sql")
    value: str | int | float | bool | None = None
    sql: str | None = None

    @property
    def expression(self) -> str:
        """The SQL, as it can stand beside other SQL; empty for a value."""
        return _in_parentheses(self.sql) if self.sql else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(_Decision):
    """Every row's value of the column becomes what the SQL expression ``sql`` gives, computed from the old row.

    It acts where the column's type changes, or where a change of the table is possible with it and not without it.
    """

    verb: ClassVar[str] = "cast"
    details: ClassVar[tuple[str, ...]] = ("sql",)
    sql: str

    @property
    def expression(self) -> str:
        """The SQL, as it can stand beside other SQL."""
        return _in_parentheses(self.sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_Decision):
    """Rows for which the SQL condition ``where`` is true are deleted, where a change of the table needs it."""

    verb: ClassVar[str] = "delete"
    details: ClassVar[tuple[str, ...]] = ("where",)
    where: str

    @property
    def condition(self) -> str:
        """The SQL, as it can stand beside other SQL."""
        return _in_parentheses(self.where)

    @property
    def question(self) -> str:
        return f"delete {self.object.lower()} where {self.where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(_Decision):
    """The object left the models and may be dropped; it was not renamed."""

    verb: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(_Decision):
    """Leave the object as the database has it, whatever the models say; it was not renamed."""

    verb: ClassVar[str] = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The change with this id stays a difference that nobody is asked about again."""

    verb: ClassVar[str] = "skip"
    details: ClassVar[tuple[str, ...]] = ()
    change: str

    @property
    def object(self) -> str:
        return self.change

    @property
    def question(self) -> str:
        return f"skip {self.change.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A hazard is accepted: it is shown with the reason, and withholds the change no more."""

    verb: ClassVar[str] = "ignore"
    details: ClassVar[tuple[str, ...]] = ("on", "reason")
    rule: str
    on: str
    """The object whose change has the hazard."""
    reason: str

    @property
    def object(self) -> str:
        return self.rule

    @property
    def question(self) -> str:
        return f"ignore {self.rule} on {self.on.lower()}"


Decision: TypeAlias = Rename | Backfill | Cast | Delete | Drop | Keep | Skip | Ignore


def contradictions(decisions: Sequence[Decision]) -> Iterator[tuple[Decision, Decision, str]]:
    """Pairs that cannot both be followed, with a sentence that names both."""
    for first, second in combinations(decisions, 2):
        why = _contradiction(first, second) or _contradiction(second, first)
        if why and first != second:
            yield first, second, why


def _contradiction(first: Decision, second: Decision) -> str:
    if first.question == second.question:
        return f"{first.object} has two answers, {first.verb} and {second.verb}"
    if isinstance(first, Skip | Ignore) or isinstance(second, Skip | Ignore):
        return ""
    if isinstance(first, Drop) and first.column is None and first.table.lower() == second.table.lower():
        return f"drop {first.object} leaves nothing for {second.verb} {second.object} to do"
    if isinstance(first, Rename) and isinstance(second, Rename) and _made(first).lower() == _made(second).lower():
        return f"{first.object} and {second.object} cannot both be renamed to {_made(first)}"
    return ""


def _in_parentheses(sql: str) -> str:
    """A comment at the end must not swallow what follows."""
    return f"({sql}\n)" if "--" in sql else f"({sql})"


def _made(rename: Rename) -> str:
    """The object's name after it."""
    return object_name(rename.table, rename.to) if rename.column else rename.to
