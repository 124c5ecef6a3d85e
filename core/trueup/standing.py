"""How a database and its models stand to each other, as far as the runs that the history tells of show it.

A schema and a set of models are known by their fingerprints. So it costs almost nothing to know what moved since the
last run, but not in what it moved: that is found by comparing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BASELINE = "baseline"
"""The kind of a record that only says how the database was."""


class Standing(StrEnum):
    """What moved since the last run."""

    UNMOVED = "unmoved"
    """Nothing: the database and the models are those of the last run."""
    DRIFTED = "drifted"
    """The database: somebody else changed it. The models are those of the last run."""
    MODELS_NEWER = "models newer"
    """The models: no run before was for them."""
    BOTH_MOVED = "models newer, database drifted"
    """Both, and each by itself."""
    MODELS_OLDER = "models older"
    """The models are those of a run before the last one: the database moved on, and a server went back."""
    UNKNOWN = "unknown"
    """No recorded run tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a run noted, so that later ones know what moved."""

    run_id: str
    kind: str
    finished_at: str
    """ISO 8601, UTC."""
    schema: str
    """Fingerprint of the schema after the run."""
    models: str = ""
    """Fingerprint of the models that it was for; none when it was for none, such as a restore."""
    versions: str = ""
    """What compared them: trueup, SQLAlchemy and the database."""
    differences_left: int = 0
    """Whatever still differed after the run, on purpose or not."""

    def __str__(self) -> str:
        what = self.kind if self.kind == BASELINE else "run"
        return f"{what} {self.run_id} of {self.finished_at[:16].replace('T', ' ')} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The standing, and what it was seen from."""

    standing: Standing = Standing.UNKNOWN
    since: Mark | None = None
    """The run since when it stands so: the last one, or the one with which the database left older models behind."""
    settled: bool = False
    """Nothing can differ: nothing moved since a run that left no difference, and the same versions would compare."""

    @property
    def sentence(self) -> str:
        """The standing for people; nothing when it is not known."""
        match self.standing:
            case Standing.UNMOVED:
                return f"Nothing moved since the last {self.since}."
            case Standing.DRIFTED:
                return f"Somebody else changed the database since the last {self.since}."
            case Standing.MODELS_NEWER:
                return f"The models changed since the last {self.since}."
            case Standing.BOTH_MOVED:
                return f"The models changed since the last {self.since}, and somebody else changed the database."
            case Standing.MODELS_OLDER:
                return f"The models are older than the database, which moved on with the {self.since}."
            case Standing.UNKNOWN:
                return ""


def find_position(marks: Sequence[Mark], *, schema: str, models: str, versions: str) -> Position:
    """Where a database and its models are.

    Args:
        marks: of all runs, newest first.
        schema: fingerprint of the schema now.
        models: fingerprint of the models now.
        versions: what would compare them now.
    """
    marks = _not_taken_back(marks)
    if not marks:
        return Position()
    last, drifted = marks[0], schema != marks[0].schema
    if models == last.models:
        settled = not drifted and not last.differences_left and versions == last.versions
        return Position(standing=Standing.DRIFTED if drifted else Standing.UNMOVED, since=last, settled=settled)
    earlier = next((number for number, mark in enumerate(marks) if mark.models == models), None)
    if earlier is not None:
        return Position(standing=Standing.MODELS_OLDER, since=marks[earlier - 1])
    return Position(standing=Standing.BOTH_MOVED if drifted else Standing.MODELS_NEWER, since=last)


def find_drift(marks: Sequence[Mark], *, schema: str) -> Position:
    """What can be told without models: whether somebody else changed the database since the last run.

    Args:
        marks: of all runs, newest first.
        schema: fingerprint of the schema now.
    """
    marks = _not_taken_back(marks)
    if not marks:
        return Position()
    return Position(standing=Standing.UNMOVED if schema == marks[0].schema else Standing.DRIFTED, since=marks[0])


def _not_taken_back(marks: Sequence[Mark]) -> Sequence[Mark]:
    """A restore brings back the schema of an earlier run, and with it what was known of the models then."""
    if not marks or marks[0].models:
        return marks
    known = (number for number, mark in enumerate(marks) if mark.models and mark.schema == marks[0].schema)
    return marks[next(known, len(marks)) :]
