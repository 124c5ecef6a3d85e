"""What takes time, and how much of it there is: the vocabulary of the estimates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Work(StrEnum):
    """What takes time. A machine has a pace of its own for each kind."""

    COPY = "copy"
    """Every row of a table is written to another one."""
    INDEX = "index"
    """An index is built."""
    SCAN = "scan"
    """Every row is read and looked at."""
    REWRITE = "rewrite"
    """Every row is written again where it is."""
    DROP = "drop"
    """Every page is given back."""
    BACKUP = "backup"
    """The whole database is copied, and the copy checked."""
    CHECK = "check"
    """What is looked at before the first step and after the last, and the commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What there is to do, in numbers that do not depend on the machine."""

    work: Work
    """What takes the most of the time."""
    rows: int = 0
    bytes: int = 0
    cost: float
    """Seconds on the machine that the constants of the estimates were measured on."""
