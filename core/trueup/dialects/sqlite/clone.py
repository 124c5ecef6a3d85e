"""Clone the file of a live database: some file systems (btrfs, XFS, APFS) make a copy that shares the blocks of what it
was copied from until one of the two is written to, and that takes milliseconds, whatever the size.

Another process does it. One that opens and closes a database file by itself drops all locks that SQLite holds there for
it: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_

To copy the files of a database that is in use is wrong unless nobody commits meanwhile. So the caller holds the write
lock, and has written nothing:

* In the rollback modes nobody then writes to the file: https://www.sqlite.org/lockingv3.html
* In WAL mode nobody adds to the -wal or begins it anew, which only a writer does. But whoever has the database open
  may bring pages from it into the file at any moment (https://www.sqlite.org/wal.html#checkpointing). So as many as
  possible are brought there first. Where readers of older states keep some back, the -wal is cloned as well, and after
  the file: a page that somebody was writing to meanwhile is then whole in the clone's -wal, where SQLite reads it.
* Of the -wal only what SQLite counts belongs to the database. A process that was killed in its COMMIT may have left a
  transaction behind that, which nobody sees and the next writer overwrites.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path

from trueup.aside import aside
from trueup.limits import Limits

COMMAND = ("cp", "-c") if sys.platform == "darwin" else ("cp", "--reflink=always")
"""Is called with two files."""
BY_NAME = sys.platform == "darwin"
"""Whether the tool makes the second file anew. Else it writes to the one that we hold open: a tool that outlives its
killed caller then cannot bring back a file that the next run has removed. (That of macOS is one system call.)"""
WORTHWHILE = 8_000_000
"""Bytes of a database. Measured, a smaller one is copied in less than 20 ms; a process costs some, also where it is for
nothing."""
_SLICE = 0.05
"""Seconds between two looks at the limits."""
_WAL_HEADER, _FRAME_HEADER = 32, 24
"""Bytes: https://www.sqlite.org/fileformat2.html#the_write_ahead_log"""


def clone(database: Path, path: Path, limits: Limits) -> bool:
    """Make a clone that is one file, needs no others beside it, and has the content of this moment.

    Args:
        database: the file; see above for what the caller has to see to.
        path: an empty file that becomes the clone.
        limits: when to stop.

    Returns:
        Whether it did; where the tool or the file system cannot, or for any other reason, the file is empty again.

    Raises:
        Cancelled, TimeLimitReached: the limits ended it.
    """
    if not _worthwhile(database, path):
        return False
    try:
        if _clone_files(database, path, limits):
            _make_one_file(path, limits)
            return True
    except (OSError, sqlite3.Error):
        limits.check()  # what was interrupted did not fail
    for left in (path, _wal(path)):
        left.unlink(missing_ok=True)
    path.touch(mode=0o600)
    return False


def _worthwhile(database: Path, path: Path) -> bool:
    """Two file systems share no blocks."""
    stat = database.stat()
    return stat.st_size >= WORTHWHILE and stat.st_dev == path.stat().st_dev


def _clone_files(database: Path, path: Path, limits: Limits) -> bool:
    uri = f"{database.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)) as other:
        ((page_size,),) = other.execute("PRAGMA page_size").fetchall()
        checkpoint = "PRAGMA wal_checkpoint(PASSIVE)"  # -1 of -1 in other modes than WAL
        busy, counted, moved = aside(lambda: other.execute(checkpoint).fetchone(), limits, other.interrupt)
    if busy or not _clone_file(database, path, limits):
        return False
    if moved < counted:
        if not _clone_file(_wal(database), _wal(path), limits):
            return False
        os.truncate(_wal(path), _WAL_HEADER + counted * (_FRAME_HEADER + page_size))
    return True


def _clone_file(source: Path, path: Path, limits: Limits) -> bool:
    import subprocess  # who has a small database, or none to back up, does not pay for this import

    quiet = subprocess.DEVNULL
    path.touch(mode=0o600)
    with (
        path.open("wb") as file,
        subprocess.Popen(
            [*COMMAND, source, path if BY_NAME else f"/dev/fd/{file.fileno()}"],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            pass_fds=[file.fileno()],
        ) as process,
    ):
        try:
            while process.poll() is None:
                limits.check()
                limits.beat()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_SLICE)
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        path.chmod(0o600)  # that of macOS makes the file anew, with the permissions of its source
    return process.returncode == 0


def _make_one_file(path: Path, limits: Limits) -> None:
    """SQLite recovers the clone as after a crash: https://www.sqlite.org/walformat.html#recovery"""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # who keeps it brings it to the disk
        aside(lambda: copy.execute("PRAGMA journal_mode = DELETE").fetchall(), limits, copy.interrupt)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
