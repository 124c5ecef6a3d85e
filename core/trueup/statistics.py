"""What the runs of a history come to together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.past import PastRun

_RECENT = 5
"""So many failures are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Some runs, counted. One that goes on is not among them: nobody knows yet how it ends."""

    runs: int
    """That ended, however they did."""
    completed: int
    """Also those that were taken back later."""
    seconds: float
    """That the completed ones took together, waiting included."""

    @classmethod
    def of(cls, runs: Sequence[PastRun]) -> Tally:
        ended = [run for run in runs if not run.running]
        completed = [run for run in ended if run.completed]
        return cls(runs=len(ended), completed=len(completed), seconds=sum(run.seconds for run in completed))

    @property
    def success_rate(self) -> float | None:
        """From 0 to 1; none where there are no runs."""
        return self.completed / self.runs if self.runs else None

    @property
    def average(self) -> float | None:
        """Seconds that a completed run took; none where there is no such run."""
        return self.seconds / self.completed if self.completed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A history, counted."""

    all: Tally
    kinds: dict[str, Tally]
    """For each kind of run that there was, the most frequent first."""
    recent_failures: tuple[PastRun, ...]
    """Newest first."""

    @classmethod
    def of(cls, runs: Sequence[PastRun]) -> Statistics:
        """Count runs.

        Args:
            runs: from :func:`past_runs`, oldest first.
        """
        ended = [run for run in runs if not run.running]
        kinds = {
            kind: Tally.of([run for run in ended if run.kind == kind]) for kind in sorted({run.kind for run in ended})
        }
        failed = [run for run in reversed(ended) if not run.completed]
        return cls(
            all=Tally.of(ended),
            kinds=dict(sorted(kinds.items(), key=lambda item: -item[1].runs)),
            recent_failures=tuple(failed[:_RECENT]),
        )
