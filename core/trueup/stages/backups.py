"""Make and verify backups: files that opened, passed the check and were counted.

The check of a file, its checksum and its way to the disk have no need of one another. The database's check is what
takes longest, so the other two are done beside it, in threads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from trueup.catalogue import (
    GONE,
    PARTIAL,
    UNREADABLE,
    identifier_of,
    note_check,
    partial_ending,
    stem_of,
    write_description,
)
from trueup.dialect import Connection, Dialect
from trueup.errors import BackupFailed, DatabaseDamaged, DiskFailed, TrueupError
from trueup.limits import Limits
from trueup.run import Backup

if TYPE_CHECKING:
    from concurrent.futures import Future


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


P = ParamSpec("P")
T = TypeVar("T")
_ALGORITHMS: dict[str, Callable[[], _Digest]] = {
    "sha256": hashlib.sha256,
    "blake2b": lambda: hashlib.blake2b(digest_size=32),  # of backups that were made before
}
_ALGORITHM = "sha256"
"""Processors have instructions for it, and ``sha256sum`` computes the same without trueup."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a good copy holds."""

    fingerprint: str = ""
    row_counts: dict[str, int] = field(default_factory=dict)


def make_backup(
    connection: Connection,
    dialect: Dialect,
    directory: Path,
    *,
    now: datetime,
    run_id: str | None,
    version: str,
    limits: Limits,
    progress: Callable[[int, int], None],
    thorough: bool = False,
) -> Backup:
    """Copy the database, check the copy, and only then give it its name.

    Args:
        connection: the database, kept from changing by the caller's transaction.
        dialect: opens the copy.
        directory: for backups; made when missing, for the owner only.
        now: names the backup.
        run_id: the run that it is taken for.
        version: of trueup.
        limits: when to stop.
        progress: called with the pages done and the pages in all.
        thorough: check every index of the copy against its table as well.

    Raises:
        BackupFailed: the directory cannot be written, the disk is full, or the copy is not good.
        DatabaseDamaged: the copy is as damaged as the database.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    with _partial_file(directory, dialect, now) as partial:
        connection.copy_to(partial, limits, progress)
        with _beside(_sync, partial), _beside(_checksum, partial, _ALGORITHM, limits) as checksum:
            content = _check_copy(partial, connection, dialect, limits, thorough=thorough)
        backup = replace(
            _described(partial, connection, dialect, now, content),
            checksum=checksum.result(),
            run_id=run_id,
            verified_at=now,
            trueup_version=version,
        )
        _keep(partial, backup)
    return backup


def keep_damaged(
    connection: Connection,
    dialect: Dialect,
    directory: Path,
    *,
    now: datetime,
    run_id: str | None,
    version: str,
    limits: Limits,
    progress: Callable[[int, int], None],
) -> Backup:
    """Copy a database that does not pass its own check, for whoever wants to salvage something from it.

    The arguments and errors are those of :func:`make_backup`.

    Returns:
        A backup whose ``problem`` says that it is damaged.
    """
    with _partial_file(directory, dialect, now) as partial:
        connection.copy_to(partial, limits, progress)
        _sync(partial)
        backup = replace(
            _described(partial, connection, dialect, now, _Content()),
            checksum=_checksum(partial, _ALGORITHM, limits),
            run_id=run_id,
            problem="it was taken of a damaged database",
            trueup_version=version,
        )
        _keep(partial, backup)
    return backup


def export(backup: Backup, path: Path, limits: Limits) -> None:
    """Copy the backup's file to a new one, which appears only when it is whole, and is the backup by its checksum.

    Raises:
        FileExistsError: there is one of this name.
        OSError: it cannot be written, or the copy is another one.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    partial = path.with_name(f"{path.name}.{os.urandom(4).hex()}{PARTIAL}")
    try:
        partial.touch(mode=0o600, exist_ok=False)
        with backup.path.open("rb") as source, partial.open("wb") as copy:
            while chunk := source.read(_CHUNK):
                limits.check()
                copy.write(chunk)
        _sync(partial)
        if _checksum(partial, backup.checksum.partition(":")[0], limits) != backup.checksum:
            raise OSError("what was written there is not what the backup holds")
        _name(partial, path)
        _sync(path.parent)
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
def working_copy(backup: Backup, dialect: Dialect, now: datetime) -> Iterator[Path]:
    """A copy of the backup's file that may be written to; it is gone when the context ends.

    Raises:
        BackupFailed: there is no room for it.
    """
    with _partial_file(backup.path.parent, dialect, now) as partial:
        shutil.copyfile(backup.path, partial)
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


def _keep(partial: Path, backup: Backup) -> None:
    write_description(backup)
    partial.rename(backup.path)
    _sync(partial.parent)


def verify_backup(backup: Backup, dialect: Dialect, now: datetime, limits: Limits, *, thorough: bool = False) -> Backup:
    """Read the whole file again: its checksum, the database's own check, and the number of rows in every table.

    Args:
        backup: from the catalogue.
        dialect: opens it.
        now: the time.
        limits: when to stop.
        thorough: check every index against its table as well.

    Raises:
        Cancelled, TimeLimitReached: the limits ended it; nothing new is known of the file then.

    Returns:
        The backup with ``verified_at`` and ``problem`` renewed, as it is then kept on disk. One that has no readable
        description is as it was: nobody knows what its file should be. That this user cannot read the file is told, and
        not kept.
    """
    if not backup.checksum:
        return backup
    if backup.path.is_file() and not os.access(backup.path, os.R_OK):
        return replace(backup, problem=UNREADABLE)
    checked = replace(backup, verified_at=now, problem="; ".join(_problems(backup, dialect, limits, thorough)))
    note_check(checked)
    return checked


def _problems(backup: Backup, dialect: Dialect, limits: Limits, thorough: bool) -> Iterator[str]:
    if not backup.path.is_file():
        yield GONE
        return
    algorithm = backup.checksum.partition(":")[0]
    if algorithm not in _ALGORITHMS:
        yield f"whether it changed cannot be told: its checksum is by {algorithm}"
        return
    try:
        with _beside(_checksum, backup.path, algorithm, limits) as checksum:
            found = list(_complaints(backup, dialect, limits, thorough))
    except OSError as error:
        yield f"the file cannot be read: {error.strerror}"
        return
    if checksum.result() != backup.checksum:
        yield "the file changed since it was made"
    yield from found


def _complaints(backup: Backup, dialect: Dialect, limits: Limits, thorough: bool) -> Iterator[str]:
    """What the database that the backup is says of itself."""
    try:
        copy = dialect.open_copy(backup.path)
    except TrueupError as error:
        yield str(error)
        return
    try:
        with copy.limited(limits):
            yield from copy.integrity(thorough=thorough)[:1]
            counts = {table: copy.count(table) for table in backup.row_counts}
        wrong = {table: count for table, count in backup.row_counts.items() if counts[table] != count}
        yield from (f"{table} has {counts[table]} rows, not {count}" for table, count in wrong.items())
    except Exception as error:  # a damaged file fails in any way it likes
        limits.check()  # but one whose check was ended need not be damaged
        yield str(error)
    finally:
        copy.close()


def _check_copy(path: Path, live: Connection, dialect: Dialect, limits: Limits, *, thorough: bool) -> _Content:
    """What the copy holds, which is what the live database holds.

    Raises:
        BackupFailed, DatabaseDamaged: it does not.
    """
    copy = dialect.open_copy(path)
    try:
        with copy.limited(limits):
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


def _described(partial: Path, live: Connection, dialect: Dialect, now: datetime, content: _Content) -> Backup:
    """What is known of a copy before it has its name."""
    identifier = identifier_of(partial, dialect)
    return Backup(
        id=identifier,
        path=partial.with_name(f"{identifier}.db"),
        database=live.database,
        created_at=now,
        size=partial.stat().st_size,
        checksum="",
        schema_fingerprint=content.fingerprint,
        row_counts=content.row_counts,
        origin=dialect.origin,
        database_version=dialect.facts.version,
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
        if not any((directory / f"{name}{end}").exists() for end in (".db", ".json"))
        and not any(directory.glob(f"{escape(name)}.*{PARTIAL}"))
    )


@contextmanager
def _beside(task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Iterator[Future[T]]:
    """Do the task in a thread while the context does something else; it is done when the context ends.

    Raises:
        Exception: what the task raised.
    """
    from concurrent.futures import ThreadPoolExecutor  # a start that finds nothing to do makes no backup

    with ThreadPoolExecutor(max_workers=1) as thread:
        future = thread.submit(task, *args, **kwargs)
        yield future
        future.result()


def _checksum(path: Path, algorithm: str, limits: Limits) -> str:
    digest = _ALGORITHMS[algorithm]()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            limits.check()
            digest.update(chunk)
    return f"{algorithm}:{digest.hexdigest()}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
