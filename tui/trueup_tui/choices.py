"""What the reviewer chose since the app started: answers and skips, each of which can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from trueup import Decision


@dataclass(frozen=True, slots=True)
class Choices:
    """In memory until the plan is applied; an answer outranks an older one about the same object."""

    decisions: tuple[Decision, ...] = ()
    left_out: frozenset[str] = frozenset()
    """Ids of changes that are not to be made this time."""
    taken_back: tuple[Decision, ...] = ()
    """Decisions of the file that no longer hold."""
    before: Choices | None = None
    """How it was before the last choice."""

    def skip(self, ids: Collection[str]) -> Choices:
        return replace(self, left_out=self.left_out | set(ids), before=self)

    def take(self, ids: Collection[str]) -> Choices:
        return replace(self, left_out=self.left_out - set(ids), before=self)

    def decide(self, decision: Decision) -> Choices:
        held = tuple(item for item in self.taken_back if item.question != decision.question)
        return replace(self, decisions=(*self._others(decision.question), decision), taken_back=held, before=self)

    def take_back(self, decision: Decision) -> Choices:
        """Without the decision, wherever it stands."""
        return replace(
            self,
            decisions=self._others(decision.question),
            taken_back=(*self.taken_back, decision),
            before=self,
        )

    def withdraw(self, name: str) -> Choices:
        """Without the answer about the object of that name."""
        return replace(self, decisions=self._others(name.lower()), before=self)

    def undone(self) -> Choices:
        return self.before or self

    def written(self) -> Choices:
        """The answers are in the decisions file now; what was left out stays left out."""
        return Choices(left_out=self.left_out)

    @property
    def unwritten(self) -> int:
        """How many answers the file does not have yet."""
        return len(self.decisions) + len(self.taken_back)

    def answer(self, name: str) -> Decision | None:
        return next((item for item in self.decisions if item.question == name.lower()), None)

    def over(self, kept: Iterable[Decision]) -> tuple[Decision, ...]:
        """All decisions that hold: these, and those of the file that they do not replace."""
        answered = {item.question for item in (*self.decisions, *self.taken_back)}
        return (*(item for item in kept if item.question not in answered), *self.decisions)

    def _others(self, question: str) -> tuple[Decision, ...]:
        return tuple(item for item in self.decisions if item.question != question)
