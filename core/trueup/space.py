"""Whether there is room for what is going to be written."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from trueup.errors import NotEnoughSpace

_MEGABYTE = 1_000_000


def refuse_too_little(what: str, needs: Iterable[tuple[Path, int]]) -> None:
    """Ask the file systems before anything is written; what is for one of them counts together.

    Args:
        what: is going to write, for the sentence.
        needs: directories, which need not exist yet, and the bytes to be written in each.

    Raises:
        NotEnoughSpace: one of the file systems has less free.
    """
    needed: dict[int, tuple[Path, int]] = {}
    for directory, size in needs:
        place = existing(directory)
        device = place.stat().st_dev
        first, already = needed.get(device, (place, 0))
        needed[device] = (first, already + size)
    for place, size in needed.values():
        free = free_bytes(place)
        if free < size:
            raise NotEnoughSpace(what=what, needed=size // _MEGABYTE + 1, directory=place, free=free // _MEGABYTE)


def free_bytes(place: Path) -> int:
    """What the file system has left for this user."""
    return shutil.disk_usage(place).free


def existing(directory: Path) -> Path:
    """The directory, or the nearest one above it that is there and can be looked at."""
    return next(place for place in (directory, *directory.absolute().parents) if _can_be_seen(place))


def _can_be_seen(place: Path) -> bool:
    try:
        return place.exists()
    except PermissionError:
        return False
