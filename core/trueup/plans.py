"""What a run would do: every difference with its verdict, and the ordered steps for those that may be applied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from trueup.changes import Change, RenameColumn, RenameTable
from trueup.decisions import Decision
from trueup.errors import EstimateTooLong
from trueup.hazards import Hazard, Severity
from trueup.policy import Policy
from trueup.schema import Schema
from trueup.standing import Position
from trueup.text import object_name, visible
from trueup.work import Load, Work


class Complexity(StrEnum):
    """See :attr:`Plan.complexity`."""

    SIMPLE = "SIMPLE"
    MODERATE = "MODERATE"
    COMPLEX = "COMPLEX"


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


class Form(StrEnum):
    """How a step is done, from the cheapest form to the dearest."""

    IN_PLACE = "in place"
    """By what the database has for it: its DDL, or an UPDATE or a DELETE of the rows concerned."""
    SCHEMA_EDIT = "schema edit"
    """The rows stay as they are stored; only the stored definition of the table is written anew."""
    REBUILD = "rebuild"
    """The table is made anew and every row is copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One thing that speaks for a rename."""

    sentence: str
    weight: float
    """What it adds to the score."""

    def __str__(self) -> str:
        return f"{self.sentence} (+{self.weight:.2f})"


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
    evidence: tuple[Evidence, ...]

    @property
    def object(self) -> str:
        return object_name(self.table, self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameClash:
    """A rename that was decided and cannot be made, while the object with the old name is still there."""

    object: str
    """``table`` or ``table.column``, in lower case."""
    reason: str
    remedy: str


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
class Deletion:
    """Rows that go because somebody decided it, before anything else is done to their table."""

    table: str
    where: str
    """The SQL condition that is true for them."""
    rows: int
    """How many there were when the plan was made; a run that finds another number rolls back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """How a statement that goes through the rows of a large table is done in batches, one after the other.

    Each takes the rows whose number lies in a range; together they do what the statement would do alone.
    """

    by: str
    """What numbers the rows, for people."""
    condition: str
    """What is appended to the statement, with two parameters: the first and the last number."""
    end: str
    """Finds the last number of a batch, by two parameters: a number, and how many rows from it on lie before that last
    one. Nothing is found when there are not so many."""
    first: int
    last: int
    """No number is outside of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    sql: str
    proves: str = ""
    """Not empty for a query that must count 0: the sentence it proves."""
    work: Work | None = None
    """What it does with every row of the step's table; nothing when it touches the schema only."""
    keys: tuple[tuple[str, ...], ...] = ()
    """The columns of each index that it fills or gives back."""
    estimate: float = 0.0
    """Seconds, on this machine; 0 for what touches the schema only."""
    parts: Parts | None = None
    """Nothing where it must be done as a whole."""


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
    replaces: bool = False
    """Every row gets it in place of its value, not only the rows that have none."""
    proof: Statement | None = None
    """Asked when the rows have their values."""

    def value_for(self, value: str) -> str:
        """SQL of what a row gets that has a value already, which may be NULL."""
        return self.sql if self.replaces else f"coalesce({value}, {self.sql})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the database is told to do."""

    table: str
    sentence: str
    statements: tuple[Statement, ...]
    changes: tuple[Change, ...]
    form: Form
    why: str
    """Why in this form and in no cheaper one, for a reviewer."""
    estimate: float = 0.0
    """Seconds, on this machine."""
    load: Load | None = None
    """What it has to do with rows; nothing when it touches the schema only."""
    deletion: Deletion | None = None
    """For the step that deletes rows."""

    @property
    def rows(self) -> int:
        """Rows that it reads or writes, as far as they could be counted cheaply."""
        return self.load.rows if self.load else 0

    @property
    def writes_rows(self) -> bool:
        """Whether it needs room for the rows of its table, or for the keys of an index."""
        return any(statement.work in (Work.COPY, Work.INDEX, Work.REWRITE) for statement in self.statements)

    @property
    def batches_by(self) -> str:
        """What its batches are numbered by, where it goes through many rows in batches; otherwise nothing."""
        return next((statement.parts.by for statement in self.statements if statement.parts), "")

    @property
    def sql(self) -> str:
        return "\n".join(f"{statement.sql};" for statement in self.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A verified backup whose rows and values the steps bring back; it is opened beside the database, to be read."""

    id: str
    path: Path
    schema: Schema
    renames: tuple[RenameTable | RenameColumn, ...] = ()
    """Those of the run that it was made for; what was decided about rows speaks in the names that they gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returning:
    """Rows that a run deleted and that come back from the source, when everything else was done to their table."""

    table: str
    statements: tuple[Statement, ...]
    rows: int
    """How many; a run that finds another number rolls back."""
    lost: int
    """How many more there were, which have no place any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What a plan takes back."""

    run_id: str
    steps: tuple[int, ...] = ()
    """Numbers of its steps; none of them means the run as a whole."""

    @property
    def words(self) -> str:
        """``"run a1b2"``, ``"steps 2, 3 of run a1b2"``."""
        listed = ", ".join(map(str, self.steps))
        return f"step{'s' * (len(self.steps) > 1)} {listed} of run {self.run_id}" if listed else f"run {self.run_id}"


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
    casts: tuple[Fill, ...] = ()
    """Those of the fills that somebody decided in place of the values that are there."""
    deletions: tuple[Deletion, ...] = ()
    unmanaged: tuple[str, ...] = ()
    """Tables that the models never declared; they are left alone."""
    unsupported: tuple[str, ...] = ()
    """A sentence for each table that cannot be read and is therefore left alone."""
    spellings: tuple[str, ...] = ()
    """Sentences about what is spelt in two ways and means the same; there is nothing to do."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Those of the warnings that are about decisions, such as one that has nothing left to do."""
    position: Position = Position()
    """How the database and the models stand to each other, seen from the recorded runs."""
    models_fingerprint: str = ""
    """A hash of what the models declare; equal means that they did not move."""
    versions: str = ""
    """What compared: trueup, SQLAlchemy and the database."""
    decisions: tuple[Decision, ...] = ()
    """What people decided, as far as it was known to the plan."""
    undoes: Undone | None = None
    """For the plan of an undo."""
    source: Source | None = None
    """Where values come back from; none where no value has to."""
    returning: tuple[Returning, ...] = ()
    preamble: tuple[str, ...] = ()
    """What is sent before the first step, such as ``BEGIN IMMEDIATE``."""
    backup_estimate: float = 0.0
    """Seconds for the backup and its verification."""
    check_estimate: float = 0.0
    """Seconds for the checks before the first step and after the last one, and for the commit."""
    loads: tuple[Load, ...] = ()
    """What the backup and the checks have to do."""

    def with_verdict(self, *verdicts: Verdict) -> tuple[Assessment, ...]:
        return tuple(item for item in self.assessments if item.verdict in verdicts)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Ids of the changes that a person left out."""
        return tuple(item.change.id for item in self.with_verdict(Verdict.LEFT_OUT))

    @property
    def blocked(self) -> tuple[Assessment, ...]:
        return self.with_verdict(Verdict.BLOCKED)

    @property
    def in_step(self) -> bool:
        """Nothing differs, or what differs was retired or is kept by a decision."""
        settled = all(item.verdict in (Verdict.RETIRE, Verdict.KEPT) for item in self.assessments)
        return settled and not self.unsupported

    @property
    def differs(self) -> bool:
        """There is any difference at all that no decision keeps."""
        return any(item.verdict is not Verdict.KEPT for item in self.assessments) or bool(self.unsupported)

    @property
    def differences_left(self) -> int:
        """How much differs after the run, on purpose or not, and how much could not be compared."""
        return sum(item.verdict is not Verdict.APPLY for item in self.assessments) + len(self.unsupported)

    @property
    def leaves_differences(self) -> bool:
        """After the run there is still something that needs a person or a wider policy."""
        open_ = self.with_verdict(Verdict.BLOCKED, Verdict.BEYOND_POLICY, Verdict.LEFT_OUT)
        return bool(open_ or self.unsupported)

    @property
    def losses(self) -> tuple[str, ...]:
        """A sentence for everything that the run would lose."""
        applied = self.with_verdict(Verdict.APPLY)
        return tuple(
            hazard.sentence for item in applied for hazard in item.hazards if hazard.severity is Severity.LOSES
        )

    @property
    def loses_data(self) -> bool:
        return bool(self.losses)

    @property
    def estimate(self) -> float:
        """Seconds for all steps, without the backup and the checks."""
        return sum(step.estimate for step in self.steps)

    def total_estimate(self, *, backup: bool) -> float:
        """Seconds from lock to commit, as far as nobody else holds the database.

        Args:
            backup: one is made first; an empty database needs none.
        """
        copying = self.backup_estimate if backup and self.live.tables else 0.0
        return self.estimate + self.check_estimate + copying if self.steps else 0.0

    def refuse_too_long(self, limit: float | None, *, backup: bool) -> None:
        """Raise when it would not be done in time.

        Args:
            limit: seconds from lock to commit; ``None`` for none.
            backup: one is made first.

        Raises:
            EstimateTooLong: so it is.
        """
        estimate = self.total_estimate(backup=backup)
        if limit is not None and estimate > limit:
            raise EstimateTooLong(estimate=estimate, limit=limit)

    @property
    def complexity(self) -> Complexity:
        """How much there is to review and to do.

        ``COMPLEX``: more than 50 steps, more than 5 tables written anew, or more than a million rows to go through.
        ``SIMPLE``: at most 10 steps, none of which writes a table anew, and at most 100 000 rows to go through.
        ``MODERATE``: everything between.
        """
        steps, rows = len(self.steps), sum(step.rows for step in self.steps)
        anew = sum(step.load is not None and step.load.work in (Work.COPY, Work.REWRITE) for step in self.steps)
        if steps > 50 or anew > 5 or rows > 1_000_000:
            return Complexity.COMPLEX
        return Complexity.SIMPLE if steps <= 10 and not anew and rows <= 100_000 else Complexity.MODERATE

    @property
    def script(self) -> str:
        """The SQL as it will be sent, but in one statement what a large table gets in batches.

        A name with a line end cannot leave its comment.
        """
        lines = [f"{line};" for line in self.preamble]
        for number, step in enumerate(self.steps, 1):
            batches = [f"-- many rows are written in batches, by {visible(step.batches_by)}"] if step.batches_by else []
            lines += ["", f"-- {number}. {visible(step.sentence)}", *batches, step.sql]
        return "\n".join([*lines, "", "COMMIT;"]) if self.steps else ""

    @property
    def checksum(self) -> str:
        """The same for the same SQL on the same schema."""
        return hashlib.sha256(f"{self.live.fingerprint}\n{self.script}".encode()).hexdigest()[:16]
