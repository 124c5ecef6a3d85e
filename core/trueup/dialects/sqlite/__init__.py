"""SQLite, the embedded default.

A start that is in step pays for this module, so what only a plan or a run needs is imported where it is used.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.dialect import Facts
from trueup.dialects.sqlite.connection import PREAMBLE, SqliteConnection, attach_statement, translate
from trueup.dialects.sqlite.lock import is_locked, migrator_lock, read_intent
from trueup.errors import ConfigurationError, DatabaseUnreadable, ReadOnlyDatabase

if TYPE_CHECKING:
    from sqlalchemy import URL, MetaData
    from sqlalchemy.engine import Dialect as SQLAlchemyDialect

    from trueup.changes import Change
    from trueup.dialect import Script
    from trueup.dialects.sqlite.replace import SqliteStandstill
    from trueup.limits import Limits
    from trueup.plans import Deletion, Fill, Returning, Source, Step
    from trueup.run import Intent
    from trueup.schema import Schema, Table

_OLDEST = (3, 37, 0)
"""The first with PRAGMA table_list: https://www.sqlite.org/pragma.html#pragma_table_list"""


class SqliteDialect:
    """Fulfils :class:`trueup.dialect.Dialect` for one database file.

    Args:
        url: its URL.
        base: the directory that a relative path starts from.

    Raises:
        ConfigurationError: the URL names no file, or the SQLite library is too old.
    """

    def __init__(self, url: URL, base: Path) -> None:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise ConfigurationError(
                problem=f"trueup needs SQLite 3.37 or newer; this Python has {sqlite3.sqlite_version}"
            )
        self.facts = Facts(version=sqlite3.sqlite_version)
        self.path = base / _file_of(url)
        self.database = url.render_as_string(hide_password=True)
        self._url = url
        self._read_only = _opens_read_only(url)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def origin(self) -> str:
        return str(self.path.resolve())

    def may_be(self, origin: str) -> bool:
        return origin == self.origin or not Path(origin).exists()

    @property
    def home(self) -> Path:
        return self.path.parent / ".trueup"

    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def connect(self, *, write: bool, timeout: float, source: Source | None = None) -> SqliteConnection:
        """A missing file is an empty database: reading does not create it, writing does.

        Also to read, the file is opened for writing: only so can SQLite roll back what a crash left half-written, and
        take away its -wal and -shm files in the end. https://www.sqlite.org/fileformat2.html#hot_journals
        In WAL mode it needs these files to read; where it may not make them and there are none, nobody writes, and the
        file is read as it lies: https://www.sqlite.org/wal.html#read_only_databases
        """
        if write and self._read_only:
            problem = f"{self.database} allows no writing. Nothing was changed; leave out mode=ro and immutable."
            raise ConfigurationError(problem=problem)
        if not self._exists() and not write:
            return SqliteConnection(sqlite3.connect(":memory:"), self.database)
        with ExitStack() as stack:
            connection = self._open(self.path, "rwc", timeout) if write else self._open_to_read(timeout)
            stack.callback(connection.close)
            if source is not None:
                connection.attach(source.path)
            if not write:
                connection.forbid_writing()
            stack.pop_all()
        return connection

    def _open_to_read(self, timeout: float) -> SqliteConnection:
        try:
            return self._open(self.path, "rw", timeout)
        except (ReadOnlyDatabase, DatabaseUnreadable):
            if self.path.with_name(f"{self.path.name}-wal").exists():
                raise
            return self._open(self.path, "ro&immutable=1", timeout)

    def _exists(self) -> bool:
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError as error:
            if not self.path.parent.is_dir():
                reason = f"{self.path.parent} is not a directory"
                raise DatabaseUnreadable(database=self.database, reason=reason) from error
            return False
        except OSError as error:
            raise DatabaseUnreadable(database=self.database, reason=error.strerror or str(error)) from error
        if not stat.S_ISREG(mode):
            raise DatabaseUnreadable(database=self.database, reason=f"{self.path} is not a file")
        return True

    def url_of(self, path: Path) -> str:
        return self._url.set(database=str(path.absolute()), query={}).render_as_string(hide_password=False)

    def open_copy(self, path: Path, *, write: bool = False) -> SqliteConnection:
        return self._open(path, "rw" if write else "ro", 0.0)

    def standstill(self, timeout: float, limits: Limits) -> AbstractContextManager[SqliteStandstill]:
        from trueup.dialects.sqlite.replace import standstill

        return standstill(lambda: self.connect(write=True, timeout=timeout), timeout, limits)

    def move_aside(self, mark: str) -> Path:
        """A -wal or -journal must not stay: it would be played over the next file of this name."""
        for ending in ("-wal", "-shm", "-journal", ""):
            path = self.path.with_name(self.path.name + ending)
            if path.exists():
                path.rename(self.path.with_name(f"{self.path.name}.{mark}{ending}"))
        return self.path.with_name(f"{self.path.name}.{mark}")

    def remains(self, path: Path) -> list[Path]:
        beside = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal"))
        return [item for item in beside if item.exists()]

    def wanted(
        self, metadatas: Sequence[MetaData], scripts: Sequence[Script], spec: str, known: Sequence[Table] = ()
    ) -> Schema:
        from trueup.dialects.sqlite.scratch import schema_of_models

        return schema_of_models(metadatas, scripts, spec, known)

    def after(
        self, live: Schema, statements: Sequence[str], fills: Sequence[Fill] = (), source: Source | None = None
    ) -> Schema:
        from trueup.dialects.sqlite.scratch import EmptyCopy

        with EmptyCopy(live, fills, source) as copy:
            copy.run(statements)
            return copy.schema()

    def breaks(
        self, live: Schema, statements: Sequence[str], fills: Sequence[Fill] = (), source: Source | None = None
    ) -> Mapping[str, str]:
        from trueup.dialects.sqlite.scratch import EmptyCopy

        with EmptyCopy(live, fills, source) as copy:
            before = copy.broken()
            broken = copy.run_regardless(statements) | copy.broken()
            return {name: reason for name, reason in broken.items() if name not in before}

    def broken(self, live: Schema) -> Mapping[str, str]:
        from trueup.dialects.sqlite.scratch import EmptyCopy

        with EmptyCopy(live) as copy:
            return copy.broken()

    def write(
        self,
        live: Schema,
        expected: Schema,
        changes: Sequence[Change],
        fills: Sequence[Fill] = (),
        inexact: Collection[tuple[str, str]] = (),
        deletions: Sequence[Deletion] = (),
        source: Source | None = None,
        returning: Sequence[Returning] = (),
    ) -> list[Step]:
        from trueup.dialects.sqlite.abilities import abilities
        from trueup.dialects.sqlite.ddl import StepWriter

        return StepWriter(
            live=live,
            expected=expected,
            fills=fills,
            inexact=inexact,
            able=abilities(),
            deletions=deletions,
            source=source,
            returning=returning,
            drops_columns=_can_drop_in_place(live, changes),
        ).write(changes)

    def write_apart(self, live: Schema, expected: Schema, groups: Sequence[Sequence[Change]]) -> list[list[Step]]:
        from trueup.dialects.sqlite.abilities import abilities
        from trueup.dialects.sqlite.ddl import StepWriter

        drops_columns = _can_drop_in_place(live, [change for group in groups for change in group])
        writer = StepWriter(live=live, expected=expected, able=abilities(), drops_columns=drops_columns)
        return [writer.write(group) for group in groups]

    def sqlalchemy_dialect(self) -> SQLAlchemyDialect:
        from sqlalchemy.dialects.sqlite.pysqlite import dialect

        return dialect()

    def preamble(self, source: Source | None = None) -> tuple[str, ...]:
        return PREAMBLE if source is None else (attach_statement(source.path), *PREAMBLE)

    def literal(self, value: Any) -> str:
        from trueup.dialects.sqlite.render import literal

        return literal(value)

    def lock(
        self, intent: Intent, timeout: float, waiting: Callable[[str], None], limits: Limits
    ) -> AbstractContextManager[Intent | None]:
        return migrator_lock(self._lock_file, self.database, intent, timeout, waiting, limits)

    def noted(self) -> Intent | None:
        return read_intent(self._lock_file)

    def locked(self) -> bool | None:
        return is_locked(self._lock_file)

    @property
    def _lock_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.trueup-lock")

    def _open(self, path: Path, mode: str, timeout: float) -> SqliteConnection:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        try:
            with ExitStack() as stack:
                raw = sqlite3.connect(uri, uri=True, timeout=timeout, check_same_thread=False)
                stack.callback(raw.close)
                raw.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                stack.pop_all()
        except sqlite3.Error as error:
            translated = translate(error, self.database, timeout, lambda: path)
            if translated is error:
                translated = DatabaseUnreadable(database=self.database, reason=str(error))
            raise translated from error
        return SqliteConnection(raw, self.database)


def _can_drop_in_place(live: Schema, changes: Sequence[Change]) -> bool:
    """DROP COLUMN reads the whole schema, and fails over what is broken and what only the application has."""
    if not any(change.kind == "DropColumn" for change in changes):
        return True
    from trueup.dialects.sqlite.abilities import abilities
    from trueup.dialects.sqlite.scratch import EmptyCopy

    with EmptyCopy(live) as copy:
        return abilities().drops_columns and not copy.replaced and not copy.broken()


def _file_of(url: URL) -> Path:
    """The path in a URL, which may itself be a ``file:`` URI: https://www.sqlite.org/uri.html"""
    name = url.database or ":memory:"
    if name.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        name = unquote(urlsplit(name).path)
    if not name or name == ":memory:" or _option(url, "mode") == "memory":
        raise ConfigurationError(
            problem="A database in memory ends with the process that made it; name a file, as in sqlite:///app.db."
        )
    return Path(name)


def _opens_read_only(url: URL) -> bool:
    return _option(url, "mode") == "ro" or _option(url, "immutable") not in ("", "0")


def _option(url: URL, name: str) -> str:
    """What the application's own connections ask of SQLite; empty where they ask nothing."""
    value = url.query.get(name, "") if "uri" in url.query else ""
    return value if isinstance(value, str) else value[0]
