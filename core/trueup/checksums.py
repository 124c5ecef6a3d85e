"""Checksums of files, and their way to the disk, computed beside something else that takes longer."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from trueup.aside import aside
from trueup.limits import Limits

if TYPE_CHECKING:
    from concurrent.futures import Future


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


P = ParamSpec("P")
T = TypeVar("T")
ALGORITHMS: dict[str, Callable[[], _Digest]] = {
    "sha256": hashlib.sha256,
    "blake2b": lambda: hashlib.blake2b(digest_size=32),  # of backups that were made before
}
ALGORITHM = "sha256"
"""Processors have instructions for it, and ``sha256sum`` computes the same without trueup."""
CHUNK = 1 << 20


@contextmanager
def beside(limits: Limits, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[T]]:
    """Do the task in a thread while the context does something else; it is done when the context ends.

    Args:
        limits: are beaten where the task takes longer than the context.
        task: is called with all that follows.

    Raises:
        Exception: what the task raised.
    """
    from concurrent.futures import ThreadPoolExecutor  # a start that finds nothing to do makes no backup

    with ThreadPoolExecutor(max_workers=1) as thread:
        future = thread.submit(task, *args, **kwargs)
        yield future
        aside(future.result, limits)


def checksum(path: Path, algorithm: str, limits: Limits) -> str:
    """``algorithm:hex`` of the file.

    Args:
        path: the file.
        algorithm: one of :data:`ALGORITHMS`.
        limits: when to stop.

    Raises:
        OSError: the file cannot be read.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    with path.open("rb") as file:
        return checksum_of(file, algorithm, limits)


def checksum_of(file: IO[bytes], algorithm: str, limits: Limits) -> str:
    """:func:`checksum` of what is left to read of an open file."""
    digest = ALGORITHMS[algorithm]()
    while chunk := file.read(CHUNK):
        limits.check()
        digest.update(chunk)
    return f"{algorithm}:{digest.hexdigest()}"


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
