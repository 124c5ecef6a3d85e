"""What a run leaves behind: its outcome, the proof that nothing was lost, and the backup taken before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.standing import Position

if TYPE_CHECKING:
    from trueup.changes import Change
    from trueup.errors import TrueupError
    from trueup.plans import Assessment, Plan
    from trueup.work import Load

PACKED = ".zst"
"""What the name of a packed file ends with."""


class Status(StrEnum):
    IN_SYNC = "in_sync"
    MIGRATED = "migrated"
    MODELS_OLDER = "models_older"
    """The models are those of an earlier run, so nothing was done: the database is ahead of this server."""
    RESTORED = "restored"
    """A backup took the place of the database."""
    UNDONE = "undone"
    """What an earlier run did was taken back."""
    BASELINED = "baselined"
    """The database was recorded as it is."""
    NEEDS_DECISION = "needs_decision"
    DIFFERENT = "different"
    """Differences were found and only compared."""
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOCKED = "locked"
    UNREADABLE = "unreadable"
    DAMAGED = "damaged"
    MISCONFIGURED = "misconfigured"


_DONE = (Status.IN_SYNC, Status.MIGRATED, Status.MODELS_OLDER, Status.RESTORED, Status.UNDONE, Status.BASELINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a process is about to do to a database, noted where the next one finds it when this one is killed."""

    run_id: str
    kind: str
    """``"auto"``, ``"manual"``, ``"restore"`` or ``"undo"``."""
    process: int
    host: str
    since: str
    """UTC, to the second."""

    def __str__(self) -> str:
        return f"process {self.process} on {self.host} since {self.since} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A verified copy of a database. Kept as a JSON file beside the copy."""

    id: str
    path: Path
    database: str
    """The database it is a copy of, for people: its URL with the password masked."""
    created_at: datetime
    """UTC."""
    size: int
    """Bytes of the database in it."""
    checksum: str
    """``algorithm:hex`` of the database in it."""
    schema_fingerprint: str
    row_counts: dict[str, int] = field(default_factory=dict)
    """Rows of each table."""
    run_id: str | None = None
    """The run it was taken for; nothing when it was made by hand."""
    origin: str = ""
    """Where the database is that it was taken of, to tell it from others that share the directory."""
    run_failed: bool = False
    """That run ended with the database as it was, which is what this backup holds."""
    verified_at: datetime | None = None
    """When its file was read again last, in UTC; nothing where it never was."""
    problem: str = ""
    """Why it cannot be used; empty for a good one."""
    cloned: bool = False
    """It was made by the file system, and shares with the database the blocks on the disk that nobody wrote to since:
    a disk that loses one of them loses it for both."""
    trueup_version: str = ""
    database_version: str = ""
    packed_size: int = 0
    """Bytes that it takes on the disk, where it was packed; with what was unpacked for an undo."""

    @property
    def packed(self) -> bool:
        """Whether its file has to be unpacked to be a database."""
        return self.path.suffix == PACKED

    @property
    def plain_path(self) -> Path:
        """The file while it is not packed."""
        return self.path.with_suffix("") if self.packed else self.path

    @property
    def packed_path(self) -> Path:
        """The file while it is packed."""
        return self.plain_path.with_name(f"{self.plain_path.name}{PACKED}")

    @property
    def disk_size(self) -> int:
        """Bytes that it takes on the disk."""
        return self.packed_size or self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStatistics:
    """The backups of a database, counted."""

    count: int
    good: int
    """Those without a problem."""
    size: int
    """Bytes that all of them take on the disk."""
    oldest: datetime | None
    """When it was made, in UTC; nothing where there is none."""
    newest: datetime | None
    """The same of the newest."""
    outcomes: dict[str, int]
    """For each state of the runs that they were taken for, how many there are; ``"no run"`` for those made by hand."""
    warning: str
    """Where they take much room; empty otherwise."""


@dataclass(frozen=True, slots=True)
class RowsMoved:
    """A table that has more or fewer rows than it had."""

    table: str
    then: int
    """Rows that the backup has."""
    now: int
    """Rows that the database has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupComparison:
    """What changed in a database since a backup was taken of it."""

    backup: Backup
    changes: tuple[Change, ...]
    """From the backup's schema to the present one; a rename is told as one name gone and another one there."""
    rows: tuple[RowsMoved, ...]
    """The tables of both that have more or fewer rows."""

    @property
    def same(self) -> bool:
        """Neither the schema nor the number of rows differs."""
        return not self.changes and not self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The proof that a run did what its plan said and nothing else, taken before the commit."""

    remaining_differences: int
    """Between the schema read again inside the transaction and the one the plan promised."""
    untouched_objects: int
    """Objects that the plan did not name, found byte for byte as they were."""
    row_counts: dict[str, int]
    """Rows of every table that the plan touched and that was there before; equal before and after."""
    proofs: tuple[str, ...]
    """Sentences that a query proved while the steps ran."""
    foreign_key_violations_before: int
    foreign_key_violations_after: int
    integrity: str
    """What the database's own check answered for the touched tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long something took on this machine. The history keeps it for the next estimates."""

    load: Load
    """What there was to do."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One application of a plan."""

    id: str
    status: Status
    started_at: datetime
    """UTC."""
    seconds: float
    """From the beginning to the end, waiting included."""
    position: Position = Position()
    """How the database and the models stood to each other before."""
    plan: Plan | None = None
    operations_executed: int = 0
    """Steps that were done and stay; 0 where they were rolled back."""
    backup: Backup | None = None
    """Of the database as it was before."""
    restored: Backup | None = None
    """The backup that took its place."""
    receipt: Receipt | None = None
    step_seconds: tuple[float, ...] = ()
    """How long each step took, of those that were finished."""
    measured: tuple[Measured, ...] = ()
    """How long the backup and the checks took."""
    removed_backups: tuple[Backup, ...] = ()
    """Older backups that had served their time."""
    error: TrueupError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        """Everything that was to be done was done."""
        return self.status in _DONE and self.error is None

    @property
    def migration_needed(self) -> bool:
        """There were differences, and it was for this run to remove them."""
        return self.plan is not None and not self.plan.in_step and self.status is not Status.MODELS_OLDER

    @property
    def exit_code(self) -> int:
        """0 in step, or nothing was to be changed; 1 differences remain; otherwise the error's own code."""
        if self.error is not None:
            return self.error.exit_code
        if self.status in (Status.MODELS_OLDER, Status.BASELINED):
            return 0
        complete = self.success and not (self.plan and self.plan.leaves_differences)
        return 0 if complete else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What came of a plan on a copy of the database; the copy is gone, and the database as it was."""

    run: Run
    """What happened to the copy. Its plan has the estimates."""
    plan: Plan
    """The plan with what was measured in place of the estimates."""
    remaining: tuple[Assessment, ...] = ()
    """What a second plan for the copy still found: kept on purpose, or for a wider policy."""
    copying: float = 0.0
    """Seconds that the copy took."""
    error: TrueupError | None = None
    """Why a run would fail; also when it would take longer than the settings allow."""

    @property
    def success(self) -> bool:
        """A run would do everything that is to be done."""
        return self.error is None and self.run.success

    @property
    def exit_code(self) -> int:
        """That of ``--auto``, if it ran now."""
        return self.error.exit_code if self.error is not None else self.run.exit_code
