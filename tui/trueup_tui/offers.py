"""What can be decided about a change: the ready decisions of core, to leave it alone, and to take a decision back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from trueup import Backfill, Cast, Decision, Delete, Ignore, Keep, Plan, Rename, Skip, as_toml
from trueup_tui import answers
from trueup_tui.answers import Refused
from trueup_tui.choices import Choices
from trueup_tui.rows import Row


@dataclass(frozen=True, slots=True)
class Offer:
    """One answer that a person may give."""

    label: str
    decision: Decision
    asks: str = ""
    """What must be typed before it can be given: ``"value"``, ``"sql"`` or ``"reason"``; empty where nothing must."""
    back: bool = False
    """The decision was made, and is to be taken back."""

    @property
    def entry(self) -> str:
        """The lines of the decisions file that come, or go."""
        return as_toml(self.decision)

    @property
    def example(self) -> str:
        """What stands in the field at first."""
        match self.decision:
            case Backfill(sql=str(sql)):
                return f"= {sql}"
            case Backfill(value=value):
                return "" if value is None else str(value)
            case Cast(sql=sql):
                return sql
            case _:
                return ""

    def typed(self, row: Row, text: str) -> Offer:
        """The offer with what a person typed.

        Raises:
            ValueError: it is no such value; the message says why.
        """
        decision = self.decision
        if isinstance(decision, Backfill):
            if not text:
                raise ValueError("A value is missing.")
            return replace(self, decision=answers.fill(row, text))
        if not text.strip():
            raise ValueError("A reason is missing." if self.asks == "reason" else "An SQL expression is missing.")
        if isinstance(decision, Ignore):
            return replace(self, decision=replace(decision, reason=text.strip()))
        return replace(self, decision=replace(decision, sql=text.strip())) if isinstance(decision, Cast) else self

    def chosen(self, choices: Choices) -> Choices:
        """The choices with this answer."""
        return choices.take_back(self.decision) if self.back else choices.decide(self.decision)


def offers_of(row: Row, plan: Plan) -> tuple[Offer, ...]:
    """Everything that can be decided about the row, what was decided first; a possible rename has its own question."""
    if row.candidates:
        return ()
    made = decided_about(row, plan.decisions)
    back = [Offer(f"take back what was decided: {item.verb} {item.object}", item, back=True) for item in made]
    if any(isinstance(item, Keep | Skip | Rename) for item in made):
        return tuple(back)
    offered = [item for item in (*repairs_of(row), *_fill(row)) if item.decision not in made]
    return (*back, *_distinct(offered), *_leave(row))


def repairs_of(row: Row) -> Iterator[Offer]:
    """The ready decisions of the hazards that nobody accepted."""
    for hazard in row.assessment.hazards:
        if not hazard.accepted:
            yield from (Offer(item.label, item.decision, item.asks) for item in hazard.repairs)


def fill_of(row: Row, plan: Plan) -> Offer | Refused:
    """The offer to give rows a value that have none."""
    column = answers.column_to_fill(row)
    if isinstance(column, Refused):
        return column
    return next((item for item in offers_of(row, plan) if item.asks == "value"), Refused("It was decided; d shows it."))


def leave_of(row: Row) -> Offer | Refused:
    """The offer to leave it as the database has it, for good."""
    decision = answers.keep_for_good(row)
    return decision if isinstance(decision, Refused) else Offer("leave the database as it is, for good", decision)


def decided_about(row: Row, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """The decisions that this row is as it is because of."""
    return tuple(item for item in decisions if _is_about(item, row))


def _is_about(decision: Decision, row: Row) -> bool:
    match decision:
        case Skip(change=change):
            return change.lower() in (id_.lower() for id_ in row.ids)
        case Ignore(on=on):
            return on.lower() in row.objects
    acts = any(f"{decision.verb} {decision.object}" in hazard.accepted for hazard in row.assessment.hazards)
    if isinstance(decision, Delete | Cast) and acts and decision.table.lower() == row.table.lower():
        return True
    return not isinstance(decision, Delete) and decision.object.lower() in row.objects


def _fill(row: Row) -> Iterator[Offer]:
    """Rows that get a value from the models may get another one."""
    column = answers.column_to_fill(row)
    if not isinstance(column, Refused):
        example = Backfill(table=row.table, column=row.change.label, value="")
        yield Offer("give these rows a value", example, asks="value")


def _leave(row: Row) -> Iterator[Offer]:
    offer = leave_of(row)
    if isinstance(offer, Offer) and not any(isinstance(item.decision, Keep | Skip) for item in repairs_of(row)):
        yield offer


def _distinct(offers: Iterable[Offer]) -> Iterator[Offer]:
    """Two dangers may have the same way out; the first to name it has the better example."""
    found: dict[tuple[str, str], Offer] = {}
    for offer in offers:
        found.setdefault((offer.label, offer.decision.question), offer)
    yield from found.values()
