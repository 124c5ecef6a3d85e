"""Directories for copies that are thrown away, and those that killed processes left behind.

Who makes such a directory holds a lock file beside it, which the operating system frees when that process ends, however
it ends. So a directory whose lock is free is nobody's. One without a lock file proves nothing, and stays; a process
that is killed just when it makes one can leave that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

_PREFIX = ".trueup-"
_LOCK = ".lock"


class Kind(StrEnum):
    REHEARSAL = "rehearsal"
    TRIAL = "trial"
    UNPACKED = "unpacked"


@contextmanager
def throwaway(kind: Kind, place: Path) -> Iterator[Path]:
    """A directory for its owner only, gone when the context ends; what others left behind in its place goes before.

    Args:
        kind: what it is for.
        place: the directory that it is made in.

    Raises:
        OSError: it cannot be made, or removed.
    """
    from filelock import FileLock  # a server that starts makes no such directory

    remove_abandoned([place])
    directory = place / f"{_PREFIX}{kind}-{os.urandom(4).hex()}"
    lock = _lock_of(directory)
    try:
        with FileLock(lock):
            directory.mkdir(mode=0o700)
            try:
                yield directory
            finally:
                shutil.rmtree(directory)
    finally:
        with suppress(OSError):
            lock.unlink()


def find_left(places: Iterable[Path]) -> list[Path]:
    """What is in these directories and belongs to no process that is alive, as far as that can be told."""
    return [path for path in _ours(places) if _is_left(path)]


def remove_abandoned(places: Iterable[Path]) -> None:
    """Remove what killed processes left in these directories; what this user may not remove stays."""
    for lock in [path for path in _ours(places) if path.suffix == _LOCK]:
        directory = lock.with_suffix("")
        with suppress(OSError):
            with _free(lock) as free:
                if free:
                    shutil.rmtree(directory, ignore_errors=True)
            if free and not directory.exists():
                lock.unlink()


def _ours(places: Iterable[Path]) -> list[Path]:
    """The directories and their lock files."""
    return [path for place in set(places) for kind in Kind for path in place.glob(f"{_PREFIX}{kind}-*")]


def _is_left(path: Path) -> bool:
    """A lock file counts with its directory."""
    if path.suffix == _LOCK:
        return False
    lock = _lock_of(path)
    if not lock.exists():
        return True
    try:
        with _free(lock) as free:
            return free
    except OSError:
        return False


@contextmanager
def _free(lock: Path) -> Iterator[bool]:
    """Whether nobody had the lock; then nobody else gets it while the context is open."""
    from filelock import FileLock, Timeout  # most directories have none

    taken = FileLock(lock)
    try:
        taken.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        taken.release()


def _lock_of(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}{_LOCK}")
