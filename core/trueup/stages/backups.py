"""Make backups: files that opened, passed the check and were counted.

The check of a file, its checksum and its way to the disk have no need of one another. The database's check is what
takes longest, so the other two are done beside it, in threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from glob import escape
from pathlib import Path

from trueup.catalogue import (
    PARTIAL,
    identifier_of,
    partial_ending,
    stem_of,
    write_description,
)
from trueup.checksums import ALGORITHM, beside, checksum, sync
from trueup.dialect import Connection, Dialect
from trueup.errors import BackupFailed, DatabaseDamaged, DiskFailed
from trueup.limits import Limits
from trueup.packing import write_plain
from trueup.run import PACKED, Backup


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be copied, where to, and for whom."""

    connection: Connection
    """The database, kept from changing by the caller's transaction."""
    dialect: Dialect
    """Opens the copy."""
    directory: Path
    """For backups; made when missing, for the owner only."""
    now: datetime
    """Names the backup."""
    run_id: str | None
    """The run that it is taken for."""
    version: str
    """Of trueup."""
    limits: Limits
    progress: Callable[[int, int], None]
    """Called with the pages done and the pages in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What is known of what a copy holds."""

    fingerprint: str = ""
    row_counts: dict[str, int] = field(default_factory=dict)
    checked: bool = True
    problem: str = ""


_DAMAGED = _Content(checked=False, problem="it was taken of a damaged database")


def make_backup(order: Order, *, thorough: bool = False) -> Backup:
    """Copy the database, check the copy, and only then give it its name.

    Args:
        order: what is to be copied.
        thorough: check every index of the copy against its table as well.

    Raises:
        BackupFailed: the directory cannot be written, the disk is full, or the copy is not good.
        DatabaseDamaged: the copy is as damaged as the database.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    return _make(order, lambda partial: _check_copy(partial, order, thorough=thorough))


def keep_damaged(order: Order) -> Backup:
    """Copy a database that does not pass its own check, for whoever wants to salvage something from it.

    Args:
        order: what is to be copied.

    Returns:
        A backup whose ``problem`` says that it is damaged.

    Raises:
        BackupFailed: the directory cannot be written, or the disk is full.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    return _make(order, lambda _: _DAMAGED)


def _make(order: Order, look: Callable[[Path], _Content]) -> Backup:
    limits = order.limits
    with _partial_file(order.directory, order.dialect, order.now) as partial:
        cloned = _copy(order, partial)
        with beside(limits, sync, partial), beside(limits, checksum, partial, ALGORITHM, limits) as computed:
            content = look(partial)
        backup = replace(_described(partial, order, content), checksum=computed.result(), cloned=cloned)
        _keep(partial, backup)
    return backup


def export(backup: Backup, path: Path, limits: Limits) -> None:
    """Copy the backup's database to a new file, which appears only when it is whole, and the backup by its checksum.

    Raises:
        FileExistsError: there is one of this name.
        OSError: it cannot be written, or the copy is another one.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    partial = path.with_name(f"{path.name}.{os.urandom(4).hex()}{PARTIAL}")
    try:
        partial.touch(mode=0o600, exist_ok=False)
        write_plain(backup, partial, limits)
        with beside(limits, sync, partial):
            computed = checksum(partial, backup.checksum.partition(":")[0], limits)
        if computed != backup.checksum:
            raise OSError("what was written there is not what the backup holds")
        _name(partial, path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, path: Path) -> None:
    """A link never takes the place of a file, as a rename does; not every file system has links."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:
        if path.exists():
            raise FileExistsError(path) from None
        partial.rename(path)


@contextmanager
def working_copy(backup: Backup, dialect: Dialect, now: datetime, limits: Limits) -> Iterator[Path]:
    """A copy of the backup's database that may be written to; it is gone when the context ends.

    Raises:
        BackupFailed: there is no room for it.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    with _partial_file(backup.path.parent, dialect, now) as partial:
        write_plain(backup, partial, limits)
        yield partial


@contextmanager
def _partial_file(directory: Path, dialect: Dialect, now: datetime) -> Iterator[Path]:
    """An empty file for the owner only, under a name that no finished backup has; gone in the end unless renamed."""
    partial: Path | None = None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = directory / f"{_free_identifier(directory, dialect.name, now)}{partial_ending(dialect)}"
        partial.touch(mode=0o600, exist_ok=False)
        yield partial
    except OSError as error:
        raise BackupFailed(directory=directory, reason=error.strerror or str(error)) from error
    except DiskFailed as error:
        raise BackupFailed(directory=directory, reason=error.facts["reason"]) from error
    finally:
        if partial is not None:
            for path in directory.glob(f"{escape(partial.name)}*"):  # with what the database has beside it
                path.unlink(missing_ok=True)


def _copy(order: Order, partial: Path) -> bool:
    """Returns whether it is a clone."""
    cloned = order.connection.clone_to(partial, order.limits)
    if not cloned:
        order.connection.copy_to(partial, order.limits, order.progress)
    return cloned


def _keep(partial: Path, backup: Backup) -> None:
    write_description(backup)
    partial.rename(backup.path)
    sync(partial.parent)


def _check_copy(path: Path, order: Order, *, thorough: bool) -> _Content:
    """What the copy holds, which is what the live database holds.

    Raises:
        BackupFailed, DatabaseDamaged: it does not.
    """
    live, copy = order.connection, order.dialect.open_copy(path)
    try:
        with copy.limited(order.limits):
            complaints = copy.integrity(thorough=thorough)
            if complaints:
                _refuse_copy(live, path.parent, complaints[0], thorough=thorough)
            schema = copy.schema()
            counts = {table.name: copy.count(table.name) for table in schema.tables}
    finally:
        copy.close()
    wrong = [name for name, count in counts.items() if live.count(name) != count]
    if wrong or schema.fingerprint != live.fingerprint():
        reason = f"the copy differs from the database in {wrong or 'its schema'}"
        raise BackupFailed(directory=path.parent, reason=reason)
    return _Content(fingerprint=schema.fingerprint, row_counts=counts)


def _described(partial: Path, order: Order, content: _Content) -> Backup:
    """What is known of a copy before it has its name."""
    identifier = identifier_of(partial, order.dialect)
    return Backup(
        id=identifier,
        path=partial.with_name(f"{identifier}.db"),
        database=order.connection.database,
        created_at=order.now,
        size=partial.stat().st_size,
        checksum="",
        schema_fingerprint=content.fingerprint,
        row_counts=content.row_counts,
        run_id=order.run_id,
        origin=order.dialect.origin,
        verified_at=order.now if content.checked else None,
        problem=content.problem,
        trueup_version=order.version,
        database_version=order.dialect.facts.version,
    )


def _refuse_copy(live: Connection, directory: Path, complaint: str, *, thorough: bool) -> None:
    """A copy is as good as what it is a copy of."""
    if live.integrity(thorough=thorough):
        raise DatabaseDamaged(database=live.database, reason=complaint)
    raise BackupFailed(directory=directory, reason=complaint)


def _free_identifier(directory: Path, database: str, now: datetime) -> str:
    stem = f"{stem_of(database)}-{now:%Y%m%d-%H%M%S}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 10_000)))
    return next(
        name
        for name in names
        if not any((directory / f"{name}{end}").exists() for end in (".db", f".db{PACKED}", ".json"))
        and not any(directory.glob(f"{escape(name)}.*{PARTIAL}"))
    )
