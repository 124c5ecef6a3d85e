"""A directory on a file system that can clone files, where this machine has one or lets us make one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trueup.dialects.sqlite import clone

_SIZE = 300_000_000
"""Bytes, nearly none of which are written; less than XFS, and more than Btrfs, wants."""


@dataclass(frozen=True)
class Place:
    """A directory for databases."""

    path: Path
    clones: bool
    """Whether its file system can."""


@contextmanager
def cloning_place(directory: Path) -> Iterator[Place]:
    """The directory itself where it can clone; else one on a file system of its own, for root on Linux; else itself.

    Args:
        directory: an empty one.
    """
    if _clones(directory):
        yield Place(directory, clones=True)
        return
    image, mounted = directory / "image", directory / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(_SIZE)
    there = _runs("mkfs.btrfs", "-q", image) and _runs("mount", "-o", "loop", image, mounted)
    try:
        yield Place(mounted, clones=_clones(mounted))
    finally:
        while there and not _runs("umount", mounted):
            time.sleep(0.1)  # somebody looks into it


def _clones(directory: Path) -> bool:
    source, copy = directory / "source", directory / "copy"
    source.write_bytes(b"a" * 10_000)
    able = _runs(*clone.COMMAND, source, copy)
    source.unlink()
    copy.unlink(missing_ok=True)
    return able


def _runs(*command: str | Path) -> bool:
    """Whether there is such a command, and it does its work."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
