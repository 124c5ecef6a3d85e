"""Who holds a lock on a database, where the system tells: Linux does, in /proc/locks.

To ask for the lock itself would tell as well, but whoever closes the file after that loses all locks of its process:
https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

_LOCKS = Path("/proc/locks")
_LOCK = re.compile(
    r"\d+: POSIX +\w+ +(?P<kind>READ|WRITE) (?P<pid>\d+) (?P<file>[0-9a-f]+:[0-9a-f]+:\d+) (?P<first>\d+) \w+"
)
"""One that somebody waits for has an arrow behind its number: https://man7.org/linux/man-pages/man5/proc_locks.5.html"""
_OPEN = "128"
"""The byte of the -shm that everybody locks who has the database open in WAL mode. They all share a lock of the file,
too; what counts there are other bytes of the -shm: https://www.sqlite.org/walformat.html#wal_locks"""
_MOST = 3
"""Processes that a sentence names."""


def name_holders(database: Path) -> str:
    """Who holds it: those that write, or where nobody does, those that read.

    Args:
        database: the file.

    Returns:
        Numbers and names of processes, for people; empty where nobody knows, or only this process holds it.
    """
    try:
        held = set(_held(_LOCKS.read_text(encoding="ascii"), database))
    except (OSError, ValueError):
        return ""
    writers = {pid for kind, pid in held if kind == "WRITE"}
    pids = sorted(writers or {pid for _, pid in held})
    more = [f"{len(pids) - _MOST} more"] if len(pids) > _MOST else []
    return ", ".join([*(f"{pid}{_name(pid)}" for pid in pids[:_MOST]), *more])


def _held(locks: str, database: Path) -> Iterator[tuple[str, int]]:
    """What kind of lock, and whose; of other processes only."""
    real = database.resolve()  # as SQLite does, so its other files are beside that one
    file, index = _identity(real), _identity(real.with_name(f"{real.name}-shm"))
    found = [lock for lock in _LOCK.finditer(locks) if lock["file"] in (file, index)]
    in_wal_mode = {lock["pid"] for lock in found if lock["file"] == index}
    for lock in found:
        of_the_file = lock["file"] == file
        idle = lock["kind"] == "READ" and lock["pid"] in in_wal_mode if of_the_file else lock["first"] == _OPEN
        if not idle and int(lock["pid"]) not in (0, os.getpid()):
            yield lock["kind"], int(lock["pid"])


def _identity(path: Path) -> str:
    """As /proc/locks writes it; empty where there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"


def _name(pid: int) -> str:
    try:
        return f" ({Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()})"
    except OSError:
        return ""
