"""How far a run may go without a person."""

from __future__ import annotations

from enum import StrEnum


class Policy(StrEnum):
    """What may be applied without a person, from nothing to everything."""

    CHECK = "check"
    ADDITIVE = "additive"
    SAFE = "safe"
    FULL = "full"
