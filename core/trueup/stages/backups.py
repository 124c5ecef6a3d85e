"""Make, list and verify backups: files that opened, passed the check and were counted, each with JSON beside it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import Any
from zlib import crc32

from trueup.dialect import Connection, Dialect
from trueup.errors import BackupFailed, DatabaseDamaged, NoSuchBackup, TrueupError
from trueup.limits import Limits
from trueup.run import Backup

_PARTIAL = ".partial"
_ALGORITHM = "blake2b"
_CHUNK = 1 << 20


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

    Raises:
        BackupFailed: the directory cannot be written, the disk is full, or the copy is not good.
        DatabaseDamaged: the copy is as damaged as the database.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    with _partial_file(directory, dialect, now) as partial:
        connection.copy_to(partial, limits, progress)
        backup = _describe(partial, connection, dialect, now, run_id, version, limits)
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
        backup = Backup(
            id=_identifier(partial, dialect),
            path=partial.with_name(f"{_identifier(partial, dialect)}.db"),
            database=connection.database,
            created_at=now,
            size=partial.stat().st_size,
            checksum=_checksum(partial, limits),
            schema_fingerprint="",
            run_id=run_id,
            origin=dialect.origin,
            problem="it was taken of a damaged database",
            trueup_version=version,
            database_version=dialect.facts.version,
        )
        _keep(partial, backup)
    return backup


@contextmanager
def working_copy(backup: Backup, dialect: Dialect, now: datetime) -> Iterator[Path]:
    """A copy of the backup's file that may be written to; it is gone when the context ends.

    Raises:
        BackupFailed: there is no room for it.
    """
    with _partial_file(backup.path.parent, dialect, now) as partial:
        shutil.copyfile(backup.path, partial)
        yield partial


def find_backup(directory: Path, dialect: Dialect, identifier: str) -> Backup:
    """The backup of that id; the newest for ``"latest"``.

    Raises:
        NoSuchBackup: there is none.
    """
    found = list_backups(directory, dialect)
    good = [backup for backup in found if not backup.problem]
    if identifier == "latest" and good:
        return good[0]
    for backup in found:
        if backup.id == identifier:
            return backup
    known = ", ".join(backup.id for backup in found) or "none"
    raise NoSuchBackup(backup=identifier, directory=directory, known=known)


@contextmanager
def _partial_file(directory: Path, dialect: Dialect, now: datetime) -> Iterator[Path]:
    """An empty file for the owner only, under a name that no finished backup has; gone in the end unless renamed."""
    partial: Path | None = None
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = directory / f"{_free_identifier(directory, dialect.name, now)}{_partial_ending(dialect)}"
        partial.touch(mode=0o600, exist_ok=False)
        yield partial
    except OSError as error:
        raise BackupFailed(directory=directory, reason=error.strerror or str(error)) from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def _partial_ending(dialect: Dialect) -> str:
    """Half-written files of one database are told from those of another one that shares the directory."""
    return f".{crc32(dialect.origin.encode('utf-8', 'surrogateescape')):08x}{_PARTIAL}"


def _identifier(partial: Path, dialect: Dialect) -> str:
    return partial.name.partition(_partial_ending(dialect))[0]


def _keep(partial: Path, backup: Backup) -> None:
    _sync(partial)
    _write_metadata(backup)
    partial.rename(backup.path)
    _sync(partial.parent)


def list_backups(directory: Path, dialect: Dialect) -> tuple[Backup, ...]:
    """The database's backups in the directory, newest first; those of another one that shares it are left out.

    One whose file is gone, or whose description cannot be read, has a ``problem``.
    """
    found = [_read_metadata(path) for path in directory.glob("*.json")] if directory.is_dir() else []
    ours = [backup for backup in found if not backup.origin or dialect.may_be(backup.origin)]
    return tuple(sorted(ours, key=lambda backup: (backup.created_at, backup.id), reverse=True))


def delete_backup(backup: Backup) -> None:
    """Remove a backup; its description goes last, so that no file is ever without one.

    Raises:
        OSError: it cannot be removed.
    """
    backup.path.unlink(missing_ok=True)
    backup.path.with_suffix(".json").unlink(missing_ok=True)


def mark_failed(backup: Backup) -> Backup:
    """Note that the run it was taken for left the database as it was."""
    marked = replace(backup, run_failed=True)
    _write_metadata(marked)
    return marked


def remove_leftovers(directory: Path, dialect: Dialect) -> list[Path]:
    """Remove what killed runs left half-written. Only for who holds the migrator lock: then nobody writes them now.

    Returns:
        The files that were removed.
    """
    partials = sorted(directory.glob(f"*{_partial_ending(dialect)}*")) if directory.is_dir() else []
    for partial in partials:
        # its description is written just before it gets its name
        directory.joinpath(f"{_identifier(partial, dialect)}.json").unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return partials


def verify_backup(backup: Backup, dialect: Dialect, now: datetime, limits: Limits) -> Backup:
    """Read the whole file again: its checksum, the database's own check, and the number of rows in every table.

    Raises:
        Cancelled, TimeLimitReached: the limits ended it; nothing new is known of the file then.

    Returns:
        The backup with ``verified_at`` and ``problem`` renewed, as it is then kept on disk.
    """
    checked = replace(backup, verified_at=now, problem="; ".join(_problems(backup, dialect, limits)))
    _write_metadata(checked)
    return checked


def _problems(backup: Backup, dialect: Dialect, limits: Limits) -> Iterator[str]:
    if not backup.path.is_file():
        yield "the file is gone"
        return
    if _checksum(backup.path, limits) != backup.checksum:
        yield "the file changed since it was made"
    try:
        copy = dialect.open_copy(backup.path)
    except TrueupError as error:
        yield str(error)
        return
    try:
        with copy.limited(limits):
            yield from copy.integrity()[:1]
            counts = {table: copy.count(table) for table in backup.row_counts}
        wrong = {table: count for table, count in backup.row_counts.items() if counts[table] != count}
        yield from (f"{table} has {counts[table]} rows, not {count}" for table, count in wrong.items())
    except Exception as error:  # a damaged file fails in any way it likes
        limits.check()  # but one whose check was ended need not be damaged
        yield str(error)
    finally:
        copy.close()


def _describe(
    path: Path,
    live: Connection,
    dialect: Dialect,
    now: datetime,
    run_id: str | None,
    version: str,
    limits: Limits,
) -> Backup:
    copy = dialect.open_copy(path)
    try:
        with copy.limited(limits):
            complaints = copy.integrity()
            if complaints:
                _refuse_copy(live, path.parent, complaints[0])
            schema, expected = copy.schema(), live.schema()
            counts = {table.name: copy.count(table.name) for table in schema.tables}
        wrong = [name for name, count in counts.items() if live.count(name) != count]
    finally:
        copy.close()
    if wrong or schema.fingerprint != expected.fingerprint:
        raise BackupFailed(
            directory=path.parent, reason=f"the copy differs from the database in {wrong or 'its schema'}"
        )
    return Backup(
        id=_identifier(path, dialect),
        path=path.with_name(f"{_identifier(path, dialect)}.db"),
        database=live.database,
        created_at=now,
        size=path.stat().st_size,
        checksum=_checksum(path, limits),
        schema_fingerprint=schema.fingerprint,
        row_counts=counts,
        run_id=run_id,
        origin=dialect.origin,
        verified_at=now,
        trueup_version=version,
        database_version=dialect.facts.version,
    )


def _refuse_copy(live: Connection, directory: Path, complaint: str) -> None:
    """A copy is as good as what it is a copy of."""
    if live.integrity():
        raise DatabaseDamaged(database=live.database, reason=complaint)
    raise BackupFailed(directory=directory, reason=complaint)


def _free_identifier(directory: Path, database: str, now: datetime) -> str:
    stem = f"{database.removesuffix('.db')}-{now:%Y%m%d-%H%M%S}"
    names = (stem, *(f"{stem}-{number}" for number in range(2, 10_000)))
    return next(
        name
        for name in names
        if not any((directory / f"{name}{end}").exists() for end in (".db", ".json"))
        and not any(directory.glob(f"{escape(name)}.*{_PARTIAL}"))
    )


def _checksum(path: Path, limits: Limits) -> str:
    with path.open("rb") as file:
        digest = hashlib.blake2b(digest_size=32)
        while chunk := file.read(_CHUNK):
            limits.check()
            digest.update(chunk)
    return f"{_ALGORITHM}:{digest.hexdigest()}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_metadata(backup: Backup) -> None:
    path = backup.path.with_suffix(".json")
    temporary = path.with_suffix(f".json{_PARTIAL}")
    fields = {name: getattr(backup, name) for name in Backup.__slots__}
    fields["path"] = backup.path.name
    temporary.write_text(json.dumps(fields, default=_plain, indent=1), encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(path)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read_metadata(path: Path) -> Backup:
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fields["path"] = path.with_name(fields["path"])
        for name in ("created_at", "verified_at"):
            fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
        backup = Backup(**fields)
        gone = not backup.path.is_file() and not backup.problem
        return replace(backup, problem="the file is gone") if gone else backup
    except (OSError, ValueError, TypeError, KeyError) as error:
        return _unreadable(path, error)


def _unreadable(path: Path, error: Exception) -> Backup:
    stat = path.stat() if path.exists() else None
    return Backup(
        id=path.stem,
        path=path.with_suffix(".db"),
        database="",
        created_at=datetime.fromtimestamp(stat.st_mtime if stat else 0).astimezone(),
        size=0,
        checksum="",
        schema_fingerprint="",
        problem=f"its description {path.name} cannot be read: {error}",
    )
