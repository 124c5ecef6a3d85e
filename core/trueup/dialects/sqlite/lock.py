"""One migrator at a time: a lock file beside the database, for the long phases in which nothing is written yet.

The operating system frees the lock when its holder ends, however it ends, so it can never be stale. The file stays:
removing it would let two processes hold "the" lock on two different files. It is not the database file, because
closing any descriptor of that drops SQLite's own POSIX locks: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks

While the lock is held, the file says by whom and for what; who lets go empties it. So what the next holder finds in it
was left by one that was killed. A holder that fails leaves that there again, since nothing it recorded has stayed.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.errors import AnotherMigrator, DiskFailed, LockFileRefused, ReadOnlyDatabase, TrueupError
from trueup.limits import Limits
from trueup.run import Intent

if TYPE_CHECKING:
    from filelock import BaseFileLock

_FORBIDDEN = (errno.EACCES, errno.EPERM)
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_SLICE = 0.1
"""Seconds between two signs of life of one who waits."""


@contextmanager
def migrator_lock(
    path: Path, database: str, intent: Intent, timeout: float, waiting: Callable[[str], None], limits: Limits
) -> Iterator[Intent | None]:
    """Hold the lock file while the context is open.

    Raises:
        Cancelled, TimeLimitReached: the limits ended the waiting.
        AnotherMigrator: the holder did not let go within ``timeout`` seconds.
        ReadOnlyDatabase: the directory does not allow the lock file.
        LockFileRefused: it is there, and this user may not write to it, as when another one migrated first; or there
            can be none.
        DiskFailed: there is no room for it.
    """
    from filelock import FileLock, Timeout  # a start that finds nothing to do takes no lock

    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting(_holder(path))
            _wait(lock, timeout, limits)
        left = killed = read_intent(path)
    except Timeout as error:
        raise AnotherMigrator(holder=_holder(path), database=database, timeout=timeout) from error
    except OSError as error:
        raise _refused(error, path, database) from error
    except NotImplementedError as error:  # the file lock's word for it
        raise LockFileRefused(path=path, reason="its file system has no locks") from error
    try:
        _note(path, intent, database)
        yield killed
        left = None
    finally:
        with suppress(TrueupError):  # what ended the context is more important
            _note(path, left, database)
        lock.release()


def _wait(lock: BaseFileLock, timeout: float, limits: Limits) -> None:
    """In short slices, so that it can be told that this one still waits, and that it can be cancelled."""
    from filelock import Timeout

    deadline = time.monotonic() + timeout
    while True:
        try:
            lock.acquire(timeout=min(_SLICE, max(0.0, deadline - time.monotonic())))
            return
        except Timeout:
            if time.monotonic() >= deadline:
                raise
        limits.beat()
        limits.check()


def is_locked(path: Path) -> bool | None:
    """Whether somebody holds the lock now; nothing for who may not try it.

    Only a try tells: what the file says may be from one that was killed.
    """
    if not path.exists():
        return False
    from filelock import FileLock, Timeout  # who asks where no run ever was does not pay for this import

    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return None


def _note(path: Path, intent: Intent | None, database: str) -> None:
    """All of it, or nothing: half a note tells nothing."""
    try:
        path.write_text(json.dumps(asdict(intent)) if intent else "", encoding="utf-8")
    except OSError as error:
        with suppress(OSError):  # where not even that can be written, nothing of the note is there
            path.write_text("", encoding="utf-8")
        raise _refused(error, path, database) from error


def _refused(error: OSError, path: Path, database: str) -> TrueupError:
    reason = error.strerror or str(error)
    if error.errno == errno.EROFS or (error.errno in _FORBIDDEN and not path.exists()):
        return ReadOnlyDatabase(database=database)
    if error.errno in _DISK:
        return DiskFailed(database=database, reason=reason)
    return LockFileRefused(path=path, reason=reason)


def _holder(path: Path) -> str:
    return str(read_intent(path) or "unknown")


def read_intent(path: Path) -> Intent | None:
    """What the file says; nothing when it is empty, half-written by one that was killed at this very moment, or of
    somebody else's."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        found = Intent(**{field.name: noted[field.name] for field in fields(Intent)})
        datetime.fromisoformat(found.since)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (found.run_id, found.kind, found.host)
    return found if all(isinstance(text, str) for text in texts) and isinstance(found.process, int) else None
