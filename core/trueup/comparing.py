"""Hold a backup against the database as it is now, or against what a restore for trial makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from trueup import catalogue
from trueup.dialect import Connection, Dialect
from trueup.errors import BackupNotUsable, TrialImpossible, TrueupError
from trueup.flow import restore
from trueup.limits import Limits
from trueup.packing import plain, write_plain
from trueup.run import Backup, BackupComparison, RowsMoved
from trueup.schema import Schema
from trueup.space import refuse_too_little
from trueup.stages.compare import compare
from trueup.target import Target
from trueup.text import counted
from trueup.throwaway import Kind, throwaway
from trueup.zstd import Unreadable

_TRIAL = 4
"""A trial restore writes the backup's copy, the working copy of a restore, the database and its journal."""


def compare_backup(backup: Backup, target: Target, *, limits: Limits | None = None) -> BackupComparison:
    """What changed in the database since a backup was taken: the schema, and how many rows tables have.

    Values that changed in rows that stayed are not looked for.

    Args:
        backup: from :func:`list_backups` or :func:`find_backup`.
        target: the database; its models are not read.
        limits: when to stop; never when not given.

    Raises:
        BackupNotUsable: the backup cannot be read.
        NotEnoughSpace, UnpackingFailed: it is packed, and there is no place to unpack it to.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
        Cancelled, TimeLimitReached: the limits say so.
    """
    limits, dialect = limits or Limits(), target.dialect()
    limits.phase = "comparing with the backup"
    own = (target.settings.history_table,)
    live = dialect.connect(write=False, timeout=target.settings.lock_timeout)
    try:
        with _opened(backup, dialect, limits) as copy, copy.limited(limits), live.limited(limits), limits.explaining():
            before, after = copy.schema(leave_out=own), live.schema(leave_out=own)
            then = {table.name: _rows_then(backup, copy, table.name) for table in before.tables}
            now = {table.name: live.count(table.name) for table in after.tables}
    finally:
        live.close()
    return BackupComparison(backup=backup, changes=compare(before, after, _everything(before)), rows=_moved(then, now))


def try_restoring(backup: Backup, target: Target, limits: Limits) -> str:
    """Why a restore would not bring back what the backup holds; empty when it does.

    Args:
        backup: one that passed its check.
        target: the database, which is not touched.
        limits: when to stop.

    Raises:
        NotEnoughSpace, TrialImpossible: the trial could not be made.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    with _scratch(backup, target, limits) as (copy, scratch):
        run = restore(copy, scratch, limits=limits)
        limits.check()
        if run.error is not None:
            return f"a trial restore failed: {run.error}"
        found = compare_backup(copy, scratch, limits=limits)
    if found.changes:
        return f"a trial restore brought another schema: {found.changes[0].sentence}"
    return "".join(
        f"a trial restore brought {counted(row.now)} of {row.table}, not {row.then}" for row in found.rows[:1]
    )


@contextmanager
def _scratch(backup: Backup, target: Target, limits: Limits) -> Iterator[tuple[Backup, Target]]:
    """A copy of the backup, and a database that is not there yet, in a directory that is gone afterwards."""
    dialect, place = target.dialect(), backup.path.parent
    refuse_too_little("The trial restore", [(place, _TRIAL * backup.size)])
    with ExitStack() as stack:
        try:
            directory = stack.enter_context(throwaway(Kind.TRIAL, place))
            copy = replace(backup, path=directory / backup.plain_path.name)
            write_plain(backup, copy.path, limits)
        except OSError as error:
            reason = error.strerror or str(error)
            raise TrialImpossible(backup=backup.id, directory=place, reason=reason) from error
        settings = replace(target.settings, backup=False, backup_dir=directory, time_limit=None)
        yield copy, Target(url=dialect.url_of(directory / "scratch.db"), models=(), settings=settings)


@contextmanager
def _opened(backup: Backup, dialect: Dialect, limits: Limits) -> Iterator[Connection]:
    """The backup as a database, to read."""
    if not catalogue.as_it_lies(backup).path.is_file():
        raise BackupNotUsable(backup=backup.id, problem=catalogue.GONE)
    with ExitStack() as stack:
        try:
            path = stack.enter_context(plain(backup, limits))
        except Unreadable as error:
            raise BackupNotUsable(backup=backup.id, problem=str(error)) from error
        try:
            copy = dialect.open_copy(path)
        except TrueupError as error:
            raise BackupNotUsable(backup=backup.id, problem=str(error)) from error
        stack.callback(copy.close)
        yield copy


def _rows_then(backup: Backup, copy: Connection, table: str) -> int:
    return backup.row_counts[table] if table in backup.row_counts else copy.count(table)


def _everything(schema: Schema) -> frozenset[tuple[str, str]]:
    """Whatever is gone counts, whoever declared it."""
    tables = (("table", table.name.lower()) for table in schema.tables)
    return frozenset((*tables, *(item.key for item in schema.objects)))


def _moved(then: Mapping[str, int], now: Mapping[str, int]) -> tuple[RowsMoved, ...]:
    """Of the tables that are on both sides."""
    return tuple(RowsMoved(name, count, now[name]) for name, count in then.items() if now.get(name, count) != count)
