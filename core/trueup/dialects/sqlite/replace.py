"""Put another file's content in place of a whole database while other processes have it open.

Only SQLite itself can do that: a file that is moved into place leaves the old -wal beside it, which SQLite then plays
over the new content, and other connections go on with the old file. The backup API writes the pages in one transaction
of the live database instead, so that others see the old content or the new, and a crash leaves one of the two:
https://www.sqlite.org/backup.html

The API wants to begin that transaction itself, so the one that has kept writers out until then must end just before.
In WAL mode a second connection tells whether anybody used that moment (https://www.sqlite.org/pragma.html#pragma_data_version);
in the other modes ``locking_mode = EXCLUSIVE`` keeps the lock when the transaction ends.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trueup.aside import aside
from trueup.dialects.sqlite.connection import PAGES_PER_BACKUP_STEP, SqliteConnection, busy
from trueup.errors import NotReplaceable
from trueup.limits import Limits


class SqliteStandstill:
    """Fulfils :class:`trueup.dialect.Standstill`.

    Args:
        connection: in an open write transaction that has written nothing.
        witness: another connection, in WAL mode.
        timeout: how long to wait for readers, in seconds.
    """

    def __init__(self, connection: SqliteConnection, witness: SqliteConnection | None, timeout: float) -> None:
        self.connection = connection
        self._witness = witness
        self._timeout = timeout

    @property
    def lasts(self) -> bool:
        return self._witness is None

    def replace_with(self, path: Path, limits: Limits, progress: Callable[[int, int], None]) -> None:
        """The pages go over in another thread, since nobody is called back while the last of them are committed."""
        before = self._writes_of_others()
        file = self.connection.path()  # while pages go there, it must not be asked anything
        deadline = time.monotonic() + self._timeout
        stopped = threading.Event()

        def note(status: int, remaining: int, total: int) -> None:
            limits.check()
            if stopped.is_set():
                raise InterruptedError
            held = status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            moved = status == sqlite3.SQLITE_OK and self._writes_of_others() != before
            if moved or (held and time.monotonic() > deadline):
                raise busy(self.connection.database, self._timeout, lambda: file)
            if not held:
                done[0] = total - remaining

        def replace() -> None:
            source.backup(self.connection.raw, pages=at_once, progress=note, sleep=0.01)

        uri = f"{path.absolute().as_uri()}?mode=ro"
        source = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            (pages,) = source.execute("PRAGMA page_count").fetchone()
            done = [0]
            at_once = max(1, min(PAGES_PER_BACKUP_STEP, pages - 1))  # two steps at least: after the first one is asked
            progress(0, pages)
            self.connection.rollback()
            self._refuse_another_kind(source)
            with limits.listening(lambda: progress(done[0], pages)):
                aside(replace, limits, stopped.set)
            progress(pages, pages)
        except sqlite3.Error as error:
            raise self.connection.translated(error, self._timeout) from error
        finally:
            source.close()

    def _refuse_another_kind(self, source: sqlite3.Connection) -> None:
        """Connections cannot go on with another encoding, and a -wal holds pages of one size:
        https://www.sqlite.org/c3ref/backup_finish.html#sqlite3backupstep

        Raises:
            NotReplaceable: the file differs in one of them.
        """
        if not self._value("page_count"):
            return
        for name in ("encoding", *(("page_size",) if self._witness else ())):
            (wanted,), found = source.execute(f"PRAGMA {name}").fetchone(), self._value(name)
            if wanted != found:
                problem = f"its {name.replace('_', ' ')} is {wanted}, that of the database {found}"
                raise NotReplaceable(database=self.connection.database, problem=problem)

    def _value(self, pragma: str) -> object:
        return self.connection.rows(f"PRAGMA {pragma}")[0][0]

    def _writes_of_others(self) -> int:
        return int(self._witness.rows("PRAGMA data_version")[0][0]) if self._witness else 0


@contextmanager
def standstill(connect: Callable[[], SqliteConnection], timeout: float, limits: Limits) -> Iterator[SqliteStandstill]:
    """Keep every other process from writing while the context is open.

    A connection in exclusive locking mode does not let go of its shared lock while it waits for a writer, who waits for
    just that to commit. So the mode is set when the wait is over.

    Args:
        connect: opens the database for writing.
        timeout: how long to wait for writers, in seconds.
        limits: are beaten, and can end it, while it waits.

    Raises:
        DatabaseBusy: one of them did not let go.
        Cancelled, TimeLimitReached: the limits ended the waiting.
    """
    with ExitStack() as stack:
        connection = connect()
        stack.callback(connection.close)
        with connection.limited(limits), limits.explaining():
            connection.begin(timeout)
        witness = None
        if connection.rows("PRAGMA journal_mode")[0][0] == "wal":
            witness = connect()
            stack.callback(witness.close)
        else:
            connection.rows("PRAGMA locking_mode = EXCLUSIVE")
        yield SqliteStandstill(connection, witness, timeout)
