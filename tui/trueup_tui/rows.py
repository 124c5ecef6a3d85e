"""The lines of the change tree: one for each difference, and one for the two halves of what may be a rename."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trueup import Assessment, Change, Plan, RenameCandidate, Severity, Verdict, changes

_OF_THEIR_OWN = ("table", "view", "virtual table")
"""Nouns of what has a name of its own, not one within a table."""
_SIGNS = {"add": "+", "drop": "-", "change": "~", "rename": "»"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: an assessment, or two that wait for the same answer."""

    assessments: tuple[Assessment, ...]
    candidates: tuple[RenameCandidate, ...] = ()
    """For what is so probably a rename that it is one line: to what, best first."""

    @property
    def assessment(self) -> Assessment:
        return self.assessments[0]

    @property
    def change(self) -> Change:
        return self.assessments[0].change

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(item.change.id for item in self.assessments)

    @property
    def object(self) -> str:
        """The name that a decision about it has."""
        return self.change.object

    @property
    def objects(self) -> frozenset[str]:
        """Every object that it is about."""
        return frozenset(item.change.object.lower() for item in self.assessments)

    @property
    def table(self) -> str:
        return self.change.table

    @property
    def verdict(self) -> Verdict:
        return self.assessment.verdict

    @property
    def open(self) -> bool:
        return self.verdict is Verdict.BLOCKED

    @property
    def taken(self) -> bool:
        return self.verdict is Verdict.APPLY

    @property
    def mark(self) -> str:
        return "?" if self.open else "✓" if self.taken else "·"

    @property
    def possible(self) -> tuple[RenameCandidate, ...]:
        """Renames that a person may name, the improbable ones as well."""
        return self.candidates or self.assessment.candidates

    @property
    def sign(self) -> str:
        return "»" if self.candidates else _SIGNS[self.change.verb]

    @property
    def loses(self) -> bool:
        """Values would go if it were done."""
        return not self.candidates and any(item.severity is Severity.LOSES for item in self.assessment.hazards)

    @property
    def title(self) -> str:
        """``column  fullname » full_name``."""
        return "  ".join(part for part in (self.change.noun, self.name, self.aspects) if part)

    @property
    def name(self) -> str:
        change = self.change
        if self.candidates:
            return f"{change.label or change.table} » {self.candidates[0].to}"
        if isinstance(change, changes.RenameColumn | changes.RenameTable):
            return f"{change.label or change.table} » {change.to}"
        return change.label or (change.table if change.noun in _OF_THEIR_OWN else "")

    @property
    def aspects(self) -> str:
        return ", ".join(self.change.aspects) if isinstance(self.change, changes.AlterColumn) else ""

    def matches(self, text: str) -> bool:
        wanted = text.casefold()
        return any(wanted in item.change.sentence.casefold() for item in self.assessments)


def rows_of(plan: Plan) -> tuple[Row, ...]:
    """The plan's differences as lines, in its order."""
    return tuple(_rows(plan.assessments))


def _rows(assessments: Sequence[Assessment]) -> Iterator[Row]:
    halves = _halves(assessments)
    seconds = {id(added) for added in halves.values()}
    for item in assessments:
        if id(item) in seconds:
            continue
        added = halves.get(id(item))
        pair = (item, added) if added else (item,)
        yield Row(assessments=pair, candidates=_best_first(item, added) if _asks(item) else ())


def _halves(assessments: Sequence[Assessment]) -> dict[int, Assessment]:
    """For a drop that may be a rename, the addition that it most probably became."""
    found: dict[int, Assessment] = {}
    used: set[int] = set()
    for item in assessments:
        if _asks(item):
            fitting = (other for candidate in item.candidates for other in assessments if _adds(other, candidate))
            added = next((other for other in fitting if id(other) not in used), None)
            if added is not None:
                found[id(item)] = added
                used.add(id(added))
    return found


def _asks(item: Assessment) -> bool:
    """A drop that waits for the answer whether it is a rename, or was left out with the question open."""
    drops = isinstance(item.change, changes.DropColumn | changes.DropTable)
    waits = item.verdict in (Verdict.BLOCKED, Verdict.LEFT_OUT)
    return drops and waits and any(candidate.probable for candidate in item.candidates)


def _adds(item: Assessment, candidate: RenameCandidate) -> bool:
    change = item.change
    if not candidate.probable or item.verdict not in (Verdict.BLOCKED, Verdict.LEFT_OUT):
        return False
    if isinstance(change, changes.AddColumn):
        same_table = change.table.lower() == candidate.table.lower()
        return candidate.column is not None and same_table and change.label.lower() == candidate.to.lower()
    return isinstance(change, changes.CreateTable) and not candidate.column and change.table == candidate.to


def _best_first(dropped: Assessment, added: Assessment | None) -> tuple[RenameCandidate, ...]:
    mine = (added.change.label or added.change.table) if added else ""
    return tuple(sorted(dropped.candidates, key=lambda item: item.to.lower() != mine.lower()))
