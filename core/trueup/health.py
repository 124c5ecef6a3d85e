"""How well a database and what trueup keeps of it are: what was seen, what is wrong with it, and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trueup.errors import TrueupError
from trueup.past import PastRun
from trueup.run import Backup
from trueup.settings import Retention
from trueup.standing import Position

_OF_THE_FILE = ("database-missing", "database-unreadable", "database-damaged")


class HealthLevel(StrEnum):
    """How much a finding weighs."""

    NOTE = "note"
    """Worth knowing."""
    WARNING = "warning"
    """Somebody should do something about it."""
    CRITICAL = "critical"
    """Data is lost, or can be lost at any moment."""


class HealthState(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"


_BANDS = {HealthLevel.NOTE: (97, 80), HealthLevel.WARNING: (79, 60), HealthLevel.CRITICAL: (59, 0)}
"""The most and the least of a score, by the worst finding."""
_POINTS = {HealthLevel.NOTE: 1, HealthLevel.WARNING: 5, HealthLevel.CRITICAL: 20}
"""What each further finding takes away."""
_STATES = dict(zip(HealthLevel, HealthState, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """One thing that is not as it should be."""

    rule: str
    """Its id."""
    level: HealthLevel
    sentence: str
    recommendation: str
    """What to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a database. What could not be seen is empty, and ``error`` says why."""

    database: str
    """For people: its URL with the password masked."""
    now: datetime
    exists: bool = True
    error: TrueupError | None = None
    """Why the database could not be read."""
    complaints: Sequence[str] = ()
    """What the database's own check says."""
    cut_short: bool = False
    """The time did not suffice for everything."""
    violations: Mapping[tuple[str, str], int] | None = None
    """Rows that point to nothing, by child and parent table."""
    broken: Sequence[str] = ()
    """Views and triggers that do not work."""
    models_problem: str = ""
    """Why the models cannot be used, where some were named."""
    position: Position = Position()
    uncompared: bool = False
    """Models are named, and no run tells how the database stands to them."""
    runs: Sequence[PastRun] = ()
    """Oldest first."""
    backups: Sequence[Backup] = ()
    """Newest first."""
    backups_on: bool = True
    """The settings let a run make one."""
    backups_problem: str = ""
    """Why the directory of backups cannot be read or written."""
    retention: Retention = Retention()
    storage: str = ""
    """Where the backups take much room."""
    half_written: int = 0
    """Files that killed runs left in the directory of backups."""
    left_tables: Sequence[str] = ()
    """What is to be said of tables that other tools left."""
    free: Mapping[str, int] | None = None
    """Free bytes, by directory."""
    size: int = 0
    """Bytes of the database."""

    @property
    def newest_good(self) -> Backup | None:
        return next((backup for backup in self.backups if not backup.problem), None)

    @property
    def ended(self) -> Sequence[PastRun]:
        return [run for run in self.runs if not run.running]

    @property
    def way_back(self) -> str:
        """What to do where the content of the database is lost."""
        good = self.newest_good
        salvage = (
            "there is no good backup; copy the file away, and salvage what can be read, as with .recover of sqlite3"
        )
        return f"restore the newest good backup: trueup restore {good.id}" if good else salvage


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What came of an examination."""

    database: str
    checked_at: datetime
    findings: tuple[HealthFinding, ...]
    """What weighs most comes first."""

    @property
    def score(self) -> int:
        """From 0 to 100; the worst finding decides the band: 80 and more is healthy, less than 60 critical."""
        if not self.findings:
            return 100
        top, least = _BANDS[self.findings[0].level]
        return max(least, top - sum(_POINTS[finding.level] for finding in self.findings[1:]))

    @property
    def state(self) -> HealthState:
        """What the worst finding makes of it."""
        return _STATES[self.findings[0].level] if self.findings else HealthState.HEALTHY

    @property
    def recommendations(self) -> tuple[str, ...]:
        """What to do, without repetition."""
        return tuple(dict.fromkeys(finding.recommendation for finding in self.findings if finding.recommendation))

    @property
    def exit_code(self) -> int:
        """0 when healthy, 6 when the database cannot be read or is damaged, 1 otherwise."""
        if any(finding.rule in _OF_THE_FILE for finding in self.findings):
            return 6
        return 0 if self.state is HealthState.HEALTHY else 1
