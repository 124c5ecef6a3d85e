"""One open SQLite database: errors in trueup's words, one explicit transaction, interruptible statements.

A start that is in step opens one as well, so what only a plan or a run asks is imported where it is asked.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.statements import Statements
from trueup.dialects.sqlite.stored import fingerprint, read_objects
from trueup.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseUnreadable,
    DiskFailed,
    ReadOnlyDatabase,
    TrueupError,
)

if TYPE_CHECKING:
    from trueup.changes import RenameColumn, RenameTable
    from trueup.dialect import Extent, Outlook, Sample
    from trueup.dialects.sqlite.bring_back import SqliteBeside
    from trueup.dialects.sqlite.probes import SqliteProbe
    from trueup.limits import Budget, Limits
    from trueup.plans import Fill, Source
    from trueup.schema import Schema

PREAMBLE = ("PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE")
PAGES_PER_BACKUP_STEP = 1000
_SMALL_CACHE = "PRAGMA cache_size = -200"
"""Each page is needed once; measured, a cache that stays in the processor's copies a third faster than the default."""
_MILLISECONDS_BETWEEN_COMMITS = 100
"""SQLite's own wait for readers hears of no limits."""
_READING = frozenset(
    (
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    )
)
_WRITING_PRAGMAS = frozenset(
    ("application_id", "incremental_vacuum", "journal_mode", "schema_version", "user_version", "writable_schema")
)
"""With a value these change the file, or open the way to it: https://www.sqlite.org/pragma.html"""
_MISSING_COLLATION = re.compile(r"no such collation sequence: (?P<name>.+)")
_RENAME = re.compile(r"ALTER TABLE .* RENAME (COLUMN .* )?TO ", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Check:
    """One of SQLite's own checks."""

    pragma: str
    complaint: Callable[[tuple[Any, ...]], Any]
    """What counts of a row of the answer."""


_QUICK = _Check("quick_check", itemgetter(0))
_INTEGRITY = _Check("integrity_check", itemgetter(0))
_FOREIGN_KEYS = _Check("foreign_key_check", itemgetter(0, 2))  # child and parent


class SqliteConnection:
    """Fulfils :class:`trueup.dialect.Connection`.

    Args:
        raw: the driver's connection; is taken over, put into autocommit mode, and closed in the end.
        database: for people.
    """

    def __init__(self, raw: sqlite3.Connection, database: str) -> None:
        raw.isolation_level = None  # the driver begins no transaction of its own
        raw.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        self.raw = raw
        self.database = database
        self._statements = Statements(raw)

    def attach(self, path: Path) -> None:
        """Read another file as the schema ``trueup_backup``; it cannot be written to."""
        with self._errors():
            self.raw.execute(attach_statement(path))

    def forbid_writing(self) -> None:
        """From now on only temporary tables can be written."""
        self.raw.set_authorizer(_reading_only)

    def schema(self, *, leave_out: Sequence[str] = ()) -> Schema:
        from trueup.dialects.sqlite.reader import read_schema

        with self._errors(), self._one_moment():
            return self._statements.run(lambda: read_schema(self.raw, leave_out))

    def fingerprint(self, *, leave_out: Sequence[str] = ()) -> str:
        with self._errors():
            return self._statements.run(lambda: fingerprint(read_objects(self.raw, leave_out)))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._rows(sql, parameters)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """With the driver's own errors."""
        return self._statements.run(lambda: self.raw.execute(sql, parameters).fetchall(), sql)

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {quote(table)}")[0][0])

    def count_stored(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {quote(table)} NOT INDEXED")[0][0])

    def columns(self, table: str) -> tuple[str, ...]:
        try:
            return tuple(name for (name,) in self.rows("SELECT name FROM pragma_table_info(?, 'main')", (table,)))
        except sqlite3.OperationalError as error:
            if "no such" not in str(error):
                raise
            return ()  # a view that does not work has none

    def size(self) -> int:
        return int(self._pragma("page_count") * self._pragma("page_size"))

    def extent(self, table: str, limits: Limits) -> Extent:
        from trueup.dialects.sqlite.sizes import measure

        with self._errors():
            return measure(self.rows, table, self.size(), limits, self.limited)

    def sample(self, table: str, rows: int, limits: Limits) -> Sample | None:
        from trueup.dialects.sqlite.sizes import time_sample

        with self._errors():
            return time_sample(self.raw, table, rows, limits, self.limited)

    def probe(self, budget: Budget, outlook: Outlook) -> SqliteProbe:
        from trueup.dialects.sqlite.probes import SqliteProbe
        from trueup.dialects.sqlite.source import Sources

        return SqliteProbe(self.rows, self.limited, budget, Sources(self.rows, outlook))

    def beside(self, source: Source, base: Schema, renames: Sequence[RenameTable | RenameColumn]) -> SqliteBeside:
        from trueup.dialects.sqlite.bring_back import SqliteBeside

        return SqliteBeside(self.rows, source, base, renames)

    def begin(self, timeout: float) -> None:
        """Foreign keys are switched off first, since inside a transaction that has no effect, and a rebuild with them
        on deletes the children of ON DELETE CASCADE: https://www.sqlite.org/pragma.html#pragma_foreign_keys"""
        *first, begin = PREAMBLE
        with self._errors(timeout):
            for statement in first:
                self._rows(statement)
            self._statements.run_patiently(lambda: self.raw.execute(begin).fetchall(), timeout)
        self.raw.execute(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
        if self._pragma("foreign_keys") != 0:
            self.rollback()
            raise DatabaseUnreadable(database=self.database, reason="foreign_keys cannot be switched off")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """SQLite ends the whole transaction when it interrupts a statement; a following one would commit by itself."""
        if not self.raw.in_transaction:
            raise RuntimeError("the transaction has ended")
        with self._errors():
            try:
                return self._statements.run(lambda: self.raw.execute(sql, parameters).rowcount, sql)
            except sqlite3.OperationalError as error:
                missing = _MISSING_COLLATION.search(str(error))
                if missing is None or not _RENAME.match(sql):
                    raise
                return self._rename_without(missing["name"], sql)

    def _rename_without(self, collation: str, sql: str) -> int:
        """To rename something, SQLite compiles the indexes of all tables, without comparing a single value."""
        self.raw.create_collation(collation, lambda left, right: (left > right) - (left < right))
        try:
            return self.execute(sql)
        finally:
            self.raw.create_collation(collation, None)

    def commit(self, timeout: float = 5.0, limits: Limits | None = None) -> None:
        """Outside WAL mode an open reader makes COMMIT busy, and the transaction stays open: try again for a while."""
        deadline = time.monotonic() + timeout
        self.raw.execute(f"PRAGMA busy_timeout = {_MILLISECONDS_BETWEEN_COMMITS}")
        while True:
            try:
                self.raw.execute("COMMIT")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise self.translated(error, timeout) from error
            if limits is not None:
                limits.phase = "waiting for readers to let it commit"
                limits.check()

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")

    def close(self) -> None:
        self.rollback()
        self.raw.close()

    def limited(self, limits: Limits) -> AbstractContextManager[None]:
        return self._statements.limited(limits)

    def define(self, fills: Sequence[Fill]) -> None:
        for fill in fills:
            if fill.function is not None:
                self._statements.define(*fill.function)

    def integrity(self, tables: Sequence[str] = (), *, thorough: bool = False) -> list[str]:
        """https://www.sqlite.org/pragma.html#pragma_integrity_check"""
        check = _INTEGRITY if thorough else _QUICK
        try:
            found = [text for table in tables for text in self._check(check, table)]
            return [text for text in (found if tables else self._check_all(check)) if text != "ok"]
        except DatabaseDamaged as error:
            return list(self._damaged_tables()) or [error.facts["reason"]]

    def foreign_key_violations(self) -> Mapping[tuple[str, str], int]:
        return self._check_all(_FOREIGN_KEYS)

    def broken_objects(self) -> frozenset[str]:
        from trueup.dialects.sqlite.dependents import broken_objects

        return frozenset(broken_objects(self.rows))

    def clone_to(self, path: Path, limits: Limits) -> bool:
        from trueup.dialects.sqlite.clone import clone

        return self.raw.in_transaction and clone(self.path(), path, limits)

    def copy_to(self, path: Path, limits: Limits, progress: Callable[[int, int], None], *, alone: bool = True) -> None:
        """Through the backup API, from a second connection that pins one snapshot by an open read transaction.

        Without the pin a backup in chunks starts again with every commit of a writer and never ends; on a connection
        that holds a write transaction it is busy for ever. https://www.sqlite.org/c3ref/backup_finish.html
        Of a new file nothing has to be rolled back, so it needs no journal; who keeps it brings it to the disk.
        """

        def report(_status: int, remaining: int, total: int) -> None:
            limits.check()
            progress(total - remaining, total)

        with (
            closing(sqlite3.connect(f"{self.path().as_uri()}?mode=ro", uri=True, isolation_level=None)) as source,
            closing(sqlite3.connect(path, isolation_level=None)) as target,
            self._errors(),
        ):
            source.execute(_SMALL_CACHE)
            for pragma in (_SMALL_CACHE, "PRAGMA synchronous = OFF", "PRAGMA journal_mode = OFF"):
                target.execute(pragma)
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            source.backup(target, pages=PAGES_PER_BACKUP_STEP, progress=report, sleep=0.01)
            if alone:
                target.execute("PRAGMA journal_mode = DELETE")

    def _check_all(self, check: _Check) -> Counter[Any]:
        """What cannot be checked in one table ends a check of everything; then table by table."""
        try:
            return self._count(f"PRAGMA main.{check.pragma}", check)
        except sqlite3.OperationalError as error:
            if not _of_one_table_only(error):
                raise
        return sum((self._check(check, name) for name in self._tables()), Counter())

    def _check(self, check: _Check, table: str) -> Counter[Any]:
        try:
            return self._count(f"PRAGMA main.{check.pragma}({quote(table)})", check)
        except sqlite3.OperationalError as error:
            if not _of_one_table_only(error):
                raise
            return Counter()

    def _count(self, sql: str, check: _Check) -> Counter[Any]:
        """A table may have as many complaints as rows, so none is kept."""
        with self._errors():
            return self._statements.run(lambda: Counter(map(check.complaint, self.raw.execute(sql))))

    def _damaged_tables(self) -> Iterator[str]:
        """A check that ends with an error has said nothing; which tables end it is found one by one."""
        for name in self._tables():
            try:
                yield from (f"table {name}: {text}" for text in self._check(_QUICK, name) if text != "ok")
            except DatabaseDamaged as error:
                yield f"table {name}: {error.facts['reason']}"

    def _tables(self) -> list[str]:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        return [name for (name,) in self.rows(query)]

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """All that is read while the context is open is of one moment, whatever others commit meanwhile."""
        if self.raw.in_transaction:
            yield
            return
        self.raw.execute("BEGIN")
        try:
            yield
        finally:
            self.raw.execute("COMMIT")

    def _pragma(self, name: str) -> int:
        return int(self.rows(f"PRAGMA {name}")[0][0])

    @contextmanager
    def _errors(self, timeout: float = 0.0) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            translated = self.translated(error, timeout)
            if translated is error:
                raise
            raise translated from error

    def translated(self, error: sqlite3.Error, timeout: float) -> TrueupError | sqlite3.Error:
        """See :func:`translate`."""
        return translate(error, self.database, timeout, self.path)

    def path(self) -> Path:
        """Of the file; asked without a lock, unlike any SELECT."""
        return Path(self.raw.execute("PRAGMA database_list").fetchone()[2])


def attach_statement(path: Path) -> str:
    """https://www.sqlite.org/lang_attach.html"""
    from trueup.dialects.sqlite.source import SOURCE

    return f"ATTACH {string(f'{path.absolute().as_uri()}?mode=ro')} AS {SOURCE}"


def _reading_only(action: int, name: str | None, value: str | None, database: str | None, _inner: str | None) -> int:
    """https://www.sqlite.org/c3ref/c_alter_table.html lists the actions.

    To declare a table-valued function SQLite asks for an update of sqlite_master, which no statement can really do
    while ``writable_schema`` cannot be switched on.
    """
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_DENY if value is not None and name in _WRITING_PRAGMAS else sqlite3.SQLITE_OK
    declares = action == sqlite3.SQLITE_UPDATE and name == "sqlite_master"
    return sqlite3.SQLITE_OK if action in _READING or database == "temp" or declares else sqlite3.SQLITE_DENY


def _of_one_table_only(error: sqlite3.Error) -> bool:
    """What is missing here, or a foreign key that fits no key of its parent, which is no row's fault.

    https://www.sqlite.org/foreignkeys.html#fk_indexes
    """
    from trueup.dialects.sqlite.dependents import only_the_application_knows

    return only_the_application_knows(error) or "foreign key mismatch" in str(error)


def translate(
    error: sqlite3.Error, database: str, timeout: float, path: Callable[[], Path]
) -> TrueupError | sqlite3.Error:
    """What the error means to a user, or the error itself where it is about one statement only.

    Args:
        error: the driver's.
        database: for people.
        timeout: how long was waited, in seconds.
        path: finds the file.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return busy(database, timeout, path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseDamaged(database=database, reason=str(error))
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return DiskFailed(database=database, reason=str(error))
        case sqlite3.SQLITE_READONLY:
            return ReadOnlyDatabase(database=database)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return DatabaseUnreadable(database=database, reason=str(error))
    return error


def busy(database: str, timeout: float, path: Callable[[], Path]) -> DatabaseBusy:
    """Somebody holds the database, and was waited for; the arguments are those of :func:`translate`."""
    from trueup.dialects.sqlite.holders import name_holders

    names = name_holders(path())
    return DatabaseBusy(database=database, timeout=timeout, who=f": {names}" if names else "")
