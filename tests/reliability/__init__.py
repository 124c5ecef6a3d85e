"""What must hold when machines, disks and other processes do what they like."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")


def times(few: T, *, nightly: T) -> T:
    """How often something is tried, or how large it is: in `make test`, and in `make nightly`."""
    return nightly if settings.default == settings.get_profile("nightly") else few
