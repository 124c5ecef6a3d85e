"""One migrator at a time: a lock file beside the database, for the long phases in which nothing is written yet.

The operating system frees the lock when its holder ends, however it ends, so it can never be stale. The file stays:
removing it would let two processes hold "the" lock on two different files. It is not the database file, because
closing any descriptor of that drops SQLite's own POSIX locks: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from trueup.errors import AnotherMigrator, ReadOnlyDatabase


@contextmanager
def migrator_lock(path: Path, database: str, timeout: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file while the context is open.

    Raises:
        AnotherMigrator: the holder did not let go within ``timeout`` seconds.
        ReadOnlyDatabase: the directory does not allow the lock file.
    """
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting(_holder(path))
            lock.acquire(timeout=timeout)
        path.write_text(_describe_self(), encoding="utf-8")
    except Timeout as error:
        raise AnotherMigrator(holder=_holder(path), database=database, timeout=timeout) from error
    except OSError as error:
        raise ReadOnlyDatabase(database=database) from error
    try:
        yield
    finally:
        lock.release()


def _describe_self() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n"


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "unknown"
    except OSError:
        return "unknown"
