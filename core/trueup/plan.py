"""What a run would do: every difference with its verdict, and the ordered steps for those that may be applied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trueup.changes import Change
from trueup.hazards import Hazard
from trueup.schema import Schema
from trueup.text import visible


class Policy(StrEnum):
    """What may be applied without a person, from nothing to everything."""

    CHECK = "check"
    ADDITIVE = "additive"
    SAFE = "safe"
    FULL = "full"


class Verdict(StrEnum):
    APPLY = "apply"
    """A step of the plan does it."""
    RETIRE = "retire"
    """It left the models, but its data stays; where it would block inserts it is relaxed."""
    BEYOND_POLICY = "beyond policy"
    """A wider policy, or a decision, would apply it."""
    BLOCKED = "blocked"
    """Only a person can say how to go on; while one change is blocked, nothing is applied."""
    KEPT = "kept"
    """A decision says that it stays as the database has it."""
    LEFT_OUT = "left out"
    """A person left it out of this run; it stays a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameCandidate:
    """A drop and an addition that look like one rename, with the evidence for it."""

    table: str
    column: str | None
    to: str
    score: float
    """Between 0 and 1."""
    probable: bool
    """The evidence is so good that nothing is done to the data before somebody answered."""
    evidence: tuple[str, ...]

    @property
    def object(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One difference, judged."""

    change: Change
    verdict: Verdict
    reason: str = ""
    """Why the verdict is not ``APPLY``, as a sentence."""
    remedy: str = ""
    """What a person can do about it."""
    hazards: tuple[Hazard, ...] = ()
    candidates: tuple[RenameCandidate, ...] = ()
    """Renames that this drop or addition may really be, best first."""
    rows: int = 0
    """Rows in the table, at the time of planning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What rows get for a NOT NULL column that has nothing for them."""

    table: str
    column: str
    sql: str
    """The SQL expression. May call ``function``."""
    source: str
    """Where the value comes from, for people: ``"the models' default"``."""
    function: tuple[str, Callable[[], Any]] | None = None
    """Name of an SQL function without arguments, and what it calls; for defaults that differ from row to row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    sql: str
    proves: str = ""
    """Not empty for a query that must count 0: the sentence it proves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the database is told to do."""

    table: str
    sentence: str
    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]
    form: str
    """How it is done: ``"in place"`` or ``"rebuild"``."""
    why: str
    """Why in this form."""
    estimate: float = 0.0
    """Seconds."""

    @property
    def sql(self) -> str:
        return "\n".join(f"{statement.sql};" for statement in self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ordered steps, and all that a reviewer or a server must know about them."""

    database: str
    """The database, for people: its URL with the password masked."""
    models: str
    policy: Policy
    assessments: tuple[Assessment, ...]
    steps: tuple[Step, ...]
    live: Schema
    """The schema that the plan was made for."""
    expected: Schema
    """The schema after it."""
    wanted: Schema
    """The schema that the models declare."""
    managed: tuple[str, ...] = ()
    """Names of the tables that the models declare."""
    fills: tuple[Fill, ...] = ()
    """What rows get for columns that must have a value."""
    unmanaged: tuple[str, ...] = ()
    """Tables that the models never declared; they are left alone."""
    unsupported: tuple[str, ...] = ()
    """A sentence for each table that cannot be read and is therefore left alone."""
    warnings: tuple[str, ...] = ()
    stamp: str = ""
    """What the run may note, so that the next start knows by one comparison that the models are the same; empty when
    differences stay."""
    preamble: tuple[str, ...] = ()
    """What is sent before the first step, such as ``BEGIN IMMEDIATE``."""
    backup_estimate: float = 0.0
    """Seconds for the backup and its verification."""

    def with_verdict(self, *verdicts: Verdict) -> tuple[Assessment, ...]:
        return tuple(item for item in self.assessments if item.verdict in verdicts)

    @property
    def blocked(self) -> tuple[Assessment, ...]:
        return self.with_verdict(Verdict.BLOCKED)

    @property
    def in_step(self) -> bool:
        """Nothing differs, or what differs was retired or is kept by a decision."""
        settled = all(item.verdict in (Verdict.RETIRE, Verdict.KEPT) for item in self.assessments)
        return settled and not self.unsupported

    @property
    def leaves_differences(self) -> bool:
        """After the run there is still something that needs a person or a wider policy."""
        open_ = self.with_verdict(Verdict.BLOCKED, Verdict.BEYOND_POLICY, Verdict.LEFT_OUT)
        return bool(open_ or self.unsupported)

    @property
    def loses_data(self) -> bool:
        return any(hazard.severity == "loses" for item in self.with_verdict(Verdict.APPLY) for hazard in item.hazards)

    @property
    def estimate(self) -> float:
        """Seconds for all steps, without the backup."""
        return sum(step.estimate for step in self.steps)

    @property
    def script(self) -> str:
        """The SQL, exactly as it will be sent; a name with a line end cannot leave its comment."""
        lines = [f"{line};" for line in self.preamble]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"-- {number}. {visible(step.sentence)}", step.sql]
        return "\n".join([*lines, "", "COMMIT;"]) if self.steps else ""

    @property
    def checksum(self) -> str:
        """The same for the same SQL on the same schema."""
        return hashlib.sha256(f"{self.live.fingerprint}\n{self.script}".encode()).hexdigest()[:16]
