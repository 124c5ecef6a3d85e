"""What must hold when machines, disks and other processes do what they like."""

from __future__ import annotations

from hypothesis import settings


def times(few: int, *, nightly: int) -> int:
    """How often something is tried: in `make test`, and in `make nightly`."""
    return nightly if settings.default == settings.get_profile("nightly") else few
