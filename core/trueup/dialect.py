"""The contract that every database fulfils. Stages know this and nothing of a concrete database.

A :class:`Dialect` is what can be said about a kind of database; a :class:`Connection` is one open database. Code that
must behave differently asks for :class:`Facts`, never for a name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Dialect as SQLAlchemyDialect

    from trueup.changes import AddColumn, AlterColumn, Change, RenameColumn, RenameTable
    from trueup.decisions import Delete
    from trueup.hazards import Probe
    from trueup.limits import Budget, Limits
    from trueup.plans import Deletion, Fill, Returning, Source, Step
    from trueup.run import Intent
    from trueup.schema import Schema, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a database can do, at the version that is in use."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonDefault:
    """A column's ``default`` as it would reach the database."""

    value: Any = None
    """The value, or nothing when it is computed anew for every row."""
    sql: str | None = None
    """An SQL expression that stands for it."""
    call: Callable[[], Any] | None = None
    """Computes a row's value."""
    problem: str = ""
    """Why it is worth nothing outside the ORM; then all else is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large a table is, as far as that can be known cheaply."""

    rows: int = 0
    widths: Mapping[str, float] = field(default_factory=dict)
    """Average bytes of a value, by the column's name in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a part of a table cost on this machine."""

    rows: int
    copying: float
    """Seconds."""
    indexing: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is done to the live data before its new schema counts, in this order."""

    renames: Sequence[RenameTable | RenameColumn] = ()
    """All else is in the names that objects have after these."""
    deletes: Sequence[Delete] = ()
    """Rows that go."""
    fills: Sequence[Fill] = ()
    """Values that columns get."""
    computed: Sequence[Fill] = ()
    """Values that columns have that are computed of others, after those got theirs."""
    returning: Sequence[Table] = ()
    """Tables that come back from the source, with their rows."""


@dataclass(frozen=True, slots=True)
class Script:
    """SQL that declares part of a schema besides the models' tables."""

    origin: str
    """Where it stands, for people."""
    text: str
    """CREATE statements."""


class Connection(Protocol):
    """One open database. Closing it rolls back what was not committed."""

    database: str
    """For people: the URL with the password masked."""

    def schema(self, *, leave_out: Sequence[str] = ()) -> Schema:
        """Read the schema.

        Args:
            leave_out: names of trueup's own tables.
        """

    def fingerprint(self, *, leave_out: Sequence[str] = ()) -> str:
        """The :attr:`Schema.fingerprint` of :meth:`schema`, without reading the rest."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...
    def count(self, table: str) -> int:
        """Rows, from wherever they are counted fastest, such as an index."""

    def count_stored(self, table: str) -> int:
        """Rows of the table itself: an index may be damaged and not have all of them."""

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of the table's or view's columns; none when there is no such thing, or the view does not work."""

    def size(self) -> int:
        """Bytes."""

    def extent(self, table: str, limits: Limits) -> Extent:
        """How large the table is; one that does not exist has no rows.

        Args:
            table: its name.
            limits: for counting; when they are over, rows are guessed from what is known without.
        """

    def sample(self, table: str, rows: int, limits: Limits) -> Sample | None:
        """Copy so many rows of the table into a temporary one, index them, and tell how long it took.

        Returns:
            Nothing when the limits ended it.
        """

    def probe(self, budget: Budget, outlook: Outlook) -> Probe:
        """Asks the live data.

        Args:
            budget: the time for all questions.
            outlook: questions are asked about the data as it is after this.
        """

    def beside(self, source: Source, base: Schema, renames: Sequence[RenameTable | RenameColumn]) -> Beside:
        """What the source has that the live database has not.

        Args:
            source: the one that :meth:`Dialect.connect` opened.
            base: the live schema after the renames.
            renames: questions are asked in the names that objects have after these.
        """

    def begin(self, timeout: float) -> None:
        """Open the one transaction of a run, which keeps every other writer out until it ends.

        Args:
            timeout: how long to wait for other writers, in seconds.
        """

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement inside the transaction and return how many rows it touched."""

    def commit(self, timeout: float = 5.0, limits: Limits | None = None) -> None:
        """Make all that was done since :meth:`begin` last.

        Args:
            timeout: how long to wait for readers that stand in the way, in seconds.
            limits: can end that waiting, and hear what it is; nothing ends the commit itself.

        Raises:
            DatabaseBusy: a reader did not let go; the transaction is still open.
            Cancelled, TimeLimitReached: the limits ended the waiting; the transaction is still open.
        """

    def rollback(self) -> None: ...
    def close(self) -> None: ...

    def limited(self, limits: Limits) -> AbstractContextManager[None]:
        """While the context is open, a running statement is interrupted when these limits, or outer ones, say so."""

    def define(self, fills: Sequence[Fill]) -> None:
        """Make the functions that the fills call known to this connection."""

    def integrity(self, tables: Sequence[str] = (), *, thorough: bool = False) -> list[str]:
        """What the database's own check complains about; nothing when all is well.

        Args:
            tables: check only these; all when empty.
            thorough: hold every index against its table as well, which takes many times as long.
        """

    def foreign_key_violations(self) -> Mapping[tuple[str, str], int]:
        """Number of violating rows for each pair of child and parent table that has any."""

    def broken_objects(self) -> frozenset[str]:
        """Names of the views and triggers that do not work, because something they mention is missing."""

    def clone_to(self, path: Path, limits: Limits) -> bool:
        """Let a file share the blocks of the database on the disk, where the file system can and it is worth while.

        Args:
            path: an empty file. It becomes one that :meth:`copy_to` could have written, or stays empty.
            limits: raises where it must stop.

        Returns:
            Whether it did. Never outside of :meth:`begin`'s transaction, in which nothing must be written yet.
        """

    def copy_to(self, path: Path, limits: Limits, progress: Callable[[int, int], None], *, alone: bool = True) -> None:
        """Write a consistent copy of the database to a new file, as it is at the start of the call.

        Args:
            path: the file; must not exist.
            limits: raises where the copy must stop.
            progress: called with the pages done and the pages in all.
            alone: the copy is one file that needs no others beside it; otherwise it works as the database does.
        """


class Beside(Protocol):
    """A source beside the live database. Rows of the two are the same where they have the same key."""

    def fill(self, change: AddColumn | AlterColumn, otherwise: str, filled: str, cast: str) -> Fill | None:
        """How the column's values come back, or nothing where none have to.

        Args:
            change: what is done to the column.
            otherwise: SQL of the value for rows that the source does not have.
            filled: SQL of the value that rows without one had got since; empty when there is none.
            cast: SQL of the value that every row had got since; empty when there is none.
        """

    def returning(self, table: Table, where: str) -> Returning | None:
        """How rows that were deleted come back; nothing where no row can be recognized.

        Args:
            table: as it is after everything else.
            where: the SQL condition that was true for them.
        """

    def knows_rows(self, table: str) -> bool:
        """Whether something identifies the table's rows on both sides."""

    def strangers(self, table: str) -> int:
        """Rows of the live table that the source does not have."""

    def rows(self, table: str) -> int:
        """Rows of the source."""

    def values(self, table: str, column: str) -> int:
        """Rows of the source that have a value for the column."""


class Standstill(Protocol):
    """A database that no other process can write to, so that all of it can be replaced."""

    @property
    def connection(self) -> Connection:
        """In a write transaction, until :meth:`replace_with`."""

    def replace_with(self, path: Path, limits: Limits, progress: Callable[[int, int], None]) -> None:
        """Put the content of a file in place of everything, in one transaction. Others see the old or the new.

        Args:
            path: a complete database that nobody has open.
            limits: raises where it must stop; the database is then the old one.
            progress: called with the pages done and the pages in all.

        Raises:
            DatabaseBusy: a reader did not let go, or somebody wrote in the moment between; nothing was replaced.
            NotReplaceable: the file is of another kind than what others have open.
        """

    @property
    def lasts(self) -> bool:
        """Whether nobody can write after :meth:`replace_with` either, until the standstill ends."""


class Dialect(Protocol):
    facts: Facts

    database: str
    """For people: the URL with the password masked."""

    def connect(self, *, write: bool, timeout: float, source: Source | None = None) -> Connection:
        """Open the database.

        Args:
            write: False gives a connection that cannot change anything.
            timeout: how long a read waits for a writer that is about to finish, in seconds.
            source: a backup to read beside it.

        Raises:
            DatabaseUnreadable, DatabaseDamaged, ReadOnlyDatabase: it cannot be opened.
        """

    def url_of(self, path: Path) -> str:
        """The URL of this kind of database in another place."""

    def open_copy(self, path: Path, *, write: bool = False) -> Connection:
        """Open a file that :meth:`Connection.copy_to` wrote."""

    def standstill(self, timeout: float, limits: Limits) -> AbstractContextManager[Standstill]:
        """Keep every other process from writing while the context is open.

        Args:
            timeout: how long to wait for writers, and later for readers, in seconds.
            limits: are beaten, and can end it, while it waits for writers.

        Raises:
            Cancelled, TimeLimitReached: the limits ended the waiting.
            DatabaseBusy: one of them did not let go.
            DatabaseDamaged: what is there is no database at all.
        """

    def move_aside(self, mark: str) -> Path:
        """Give a file that is no database another name, with ``mark`` in it, and return that."""

    def remains(self, path: Path) -> list[Path]:
        """What an earlier database at that place left beside it, and would be played over a new one put there."""

    def wanted(
        self, metadatas: Sequence[MetaData], scripts: Sequence[Script], spec: str, known: Sequence[Table] = ()
    ) -> Schema:
        """What the database itself would say of a fresh database made from these models.

        Args:
            metadatas: their tables, and whatever listens to the making of these.
            scripts: what they declare in SQL.
            spec: the models' name, for people.
            known: tables that need not be made, because it is known that these would come of it. None where there are
                scripts, which may build on any of them.

        Raises:
            ModelsRejected: the database does not accept the models' tables.
        """

    def after(
        self, live: Schema, statements: Sequence[str], fills: Sequence[Fill] = (), source: Source | None = None
    ) -> Schema:
        """Where the statements lead: found by running them on an empty copy of the schema, never on the live database.

        Raises:
            Exception: the driver's own error for a statement that cannot work.
        """

    def breaks(
        self, live: Schema, statements: Sequence[str], fills: Sequence[Fill] = (), source: Source | None = None
    ) -> Mapping[str, str]:
        """The views and triggers that do not work after the statements, and did before or were not there, with the
        database's reason; found in the same way."""

    def broken(self, live: Schema) -> Mapping[str, str]:
        """The views and triggers that do not work, with the database's reason; found on an empty copy, too."""

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
        """The steps that lead from one schema to the other, in an order that works, without estimates.

        Args:
            live: the schema now.
            expected: the schema after the steps.
            changes: the differences between the two.
            fills: values for columns that must have one.
            inexact: table and column of values that a new type may alter, which was agreed to.
            deletions: rows that go before the tables are changed.
            source: where the rows of new tables come from, as far as it has them.
            returning: rows that come back after the tables were changed.
        """

    def write_apart(self, live: Schema, expected: Schema, groups: Sequence[Sequence[Change]]) -> list[list[Step]]:
        """As :meth:`write` for each of several groups of changes alone, none of which builds on another one."""

    def sqlalchemy_dialect(self) -> SQLAlchemyDialect:
        """For the processing that column types do to values."""

    def preamble(self, source: Source | None = None) -> tuple[str, ...]:
        """What is sent before the first step, for showing."""

    def literal(self, value: Any) -> str:
        """A value as it is written in SQL."""

    def lock(
        self, intent: Intent, timeout: float, waiting: Callable[[str], None], limits: Limits
    ) -> AbstractContextManager[Intent | None]:
        """Keep other migrators out while the context is open; it gives the intent of one that was killed, if any.

        Args:
            intent: what the caller is about to do, for those who wait and for who comes after a crash.
            timeout: how long to wait for another one, in seconds.
            waiting: called with who holds it, as soon as there is something to wait for.
            limits: are beaten while it waits.

        Raises:
            AnotherMigrator: it did not finish in time.
            Cancelled, TimeLimitReached: the limits ended the waiting.
        """

    def noted(self) -> Intent | None:
        """What the holder of :meth:`lock` noted, or one that was killed; nothing when neither is there."""

    def locked(self) -> bool | None:
        """Whether somebody holds :meth:`lock` now; nothing where this user may not know."""

    def size(self) -> int:
        """Bytes that the database takes; 0 when there is none yet."""

    @property
    def origin(self) -> str:
        """Tells this database from every other one, wherever it is asked from; no password is in it."""

    def may_be(self, origin: str) -> bool:
        """Whether what came from there may be this database's own: it is the same, or that place is no more."""

    @property
    def home(self) -> Path:
        """The directory for backups and other files of trueup's when the settings name none."""

    @property
    def name(self) -> str:
        """A short name of the database, used in file names."""
