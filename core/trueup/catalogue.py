"""The catalogue of backups: which there are, each a file with JSON beside it that describes it.

Several processes read and write it at once, and each of them may be killed at any moment. So a description is replaced
as a whole; a file that has none, or one that cannot be read, is told and never taken for a good backup.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from trueup.dialect import Dialect
from trueup.errors import BackupsUnreadable, NoSuchBackup
from trueup.run import PACKED, Backup

PARTIAL = ".partial"
GONE = "the file is gone"
UNREADABLE = "this user cannot read the file"
_STALE = 3600.0
"""Seconds after which nobody is still writing a description."""
_TOO_MANY = 2**63
"""Bytes and rows that no database has."""
_OF_THE_DIRECTORY = ("packed_size",)
"""What no description knows, since it is seen."""


def list_backups(directory: Path, dialect: Dialect) -> tuple[Backup, ...]:
    """The database's backups in the directory, newest first; those of another one that shares it are left out.

    One whose file or description is missing, or whose description cannot be read, has a ``problem``. One that is being
    made at this moment is not among them.

    Raises:
        BackupsUnreadable: what is in the directory cannot be told.
    """
    found = sorted(_found(directory, dialect), key=lambda backup: (backup.created_at, backup.id), reverse=True)
    return tuple(found)


def find_backup(directory: Path, dialect: Dialect, identifier: str) -> Backup:
    """The backup of that id; the newest good one for ``"latest"``.

    Where the database has none of its own, that is one of a database that had its name and is gone: it may have moved.

    Raises:
        NoSuchBackup: there is none.
        BackupsUnreadable: what is in the directory cannot be told.
    """
    found = list_backups(directory, dialect)
    good = [backup for backup in found if not backup.problem]
    own = [backup for backup in good if is_own(backup, dialect)]
    newest = next(iter(own or (backup for backup in good if _named(dialect).fullmatch(backup.id))), None)
    if identifier == "latest" and newest:
        return newest
    for backup in found:
        if backup.id == identifier:
            return backup
    known = ", ".join(backup.id for backup in found) or "none"
    raise NoSuchBackup(backup=identifier, directory=directory, known=known)


def is_own(backup: Backup, dialect: Dialect) -> bool:
    """Whether it was surely taken of this database, and not of one that is gone and may have been another."""
    return backup.origin in ("", dialect.origin)


def name_good(directory: Path, dialect: Dialect) -> str:
    """Ids of the good ones, for a sentence; empty where there is none, or nobody can tell."""
    try:
        return ", ".join(backup.id for backup in list_backups(directory, dialect) if not backup.problem)
    except BackupsUnreadable:
        return ""


def delete_backup(backup: Backup) -> None:
    """Remove a backup; its description goes last, so that no file is ever without one.

    Raises:
        OSError: it cannot be removed.
    """
    for path in (*_files(backup), backup.plain_path.with_suffix(".json")):
        path.unlink(missing_ok=True)


def read_backup(path: Path) -> Backup:
    """The backup whose file this is, while it is not packed; with a ``problem`` where its description is gone."""
    return _with_file(_read_description(path.with_suffix(".json")))


def as_it_lies(backup: Backup) -> Backup:
    """The backup with the file that it has now: others may have packed or unpacked it since somebody looked.

    A file is there at every moment: the plain one goes after the packed one has come, and the packed one stays.
    """
    sizes = {path: size for path in _files(backup) if (size := _size(path)) is not None}
    path = next(iter(sizes), backup.plain_path)
    return replace(backup, path=path, packed_size=0 if [*sizes] in ([], [backup.plain_path]) else sum(sizes.values()))


def reach(backup: Backup) -> tuple[Backup, str]:
    """The backup as it lies, and why its file cannot be read; nothing where it can."""
    lies = as_it_lies(backup)
    if os.access(lies.path, os.R_OK):
        return lies, ""
    problem = UNREADABLE if lies.path.exists() else GONE
    packed_meanwhile = as_it_lies(lies).path != lies.path
    return reach(backup) if packed_meanwhile else (lies, problem)


def mark_failed(backup: Backup) -> Backup:
    """Note that the run it was taken for left the database as it was; on a full disk it counts as any other."""
    marked = replace(backup, run_failed=True)
    try:
        write_description(marked)
    except OSError:
        return backup
    return marked


def note_check(backup: Backup) -> None:
    """Keep what a check found; of a backup that somebody deleted meanwhile, or on a full disk, nothing is kept."""
    if backup.plain_path.with_suffix(".json").exists():
        with suppress(OSError):
            _write(backup, f".{os.urandom(4).hex()}{PARTIAL}")


def write_description(backup: Backup) -> None:
    """Put the backup's JSON in its place, as a whole. Only for who holds the migrator lock.

    What a killed writer leaves is therefore known for what it is by the next one who holds the lock.

    Raises:
        OSError: it cannot be written; nothing of it stays.
    """
    _write(backup, _ending(backup.origin))


def _write(backup: Backup, ending: str) -> None:
    path = backup.plain_path.with_suffix(".json")
    temporary = path.with_name(f"{path.name}{ending}")
    fields = {name: getattr(backup, name) for name in Backup.__slots__ if name not in _OF_THE_DIRECTORY}
    fields["path"] = backup.plain_path.name
    try:
        temporary.write_text(json.dumps(fields, default=_plain, indent=1), encoding="utf-8")
        temporary.chmod(0o600)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def find_leftovers(directory: Path, dialect: Dialect) -> list[Path]:
    """What killed runs left half-written, if nobody makes a backup of the database now."""
    return [path for path in _entries(directory) if partial_ending(dialect) in path.name]


def remove_leftovers(directory: Path, dialect: Dialect) -> list[Path]:
    """Remove what killed runs left half-written. Only for who holds the migrator lock: then nobody writes them now.

    Returns:
        The files that were removed.
    """
    partials = find_leftovers(directory, dialect)
    for partial in partials:
        # its description is written just before it gets its name
        directory.joinpath(f"{identifier_of(partial, dialect)}.json").unlink(missing_ok=True)
        partial.unlink(missing_ok=True)
    return [*partials, *_remove_stale_descriptions(directory)]


def partial_ending(dialect: Dialect) -> str:
    """Half-written files of one database are told from those of another one that shares the directory."""
    return _ending(dialect.origin)


def _ending(origin: str) -> str:
    return f".{crc32(origin.encode('utf-8', 'surrogateescape')):08x}{PARTIAL}"


def identifier_of(partial: Path, dialect: Dialect) -> str:
    """The id of the backup that a half-written file is to become."""
    return partial.name.partition(partial_ending(dialect))[0]


def stem_of(database: str) -> str:
    """What the ids of a database's backups begin with.

    Args:
        database: its :attr:`Dialect.name`.
    """
    return database.removesuffix(".db")


def _found(directory: Path, dialect: Dialect) -> Iterator[Backup]:
    entries = _entries(directory)
    named = _named(dialect)
    described = [path for path in entries if path.suffix == ".json"]
    for path in described:
        backup = _read_description(path)
        ours = dialect.may_be(backup.origin) if backup.origin else named.fullmatch(path.stem)
        if ours and not path.with_name(f"{path.stem}{partial_ending(dialect)}").exists():
            yield _with_file(backup)
    files = {path.name.removesuffix(PACKED) for path in entries}
    without = {name.removesuffix(".db") for name in files if name.endswith(".db")} - {path.stem for path in described}
    yield from (_undescribed(directory / f"{stem}.db") for stem in sorted(without) if named.fullmatch(stem))


def _named(dialect: Dialect) -> re.Pattern[str]:
    """What the ids of the database's backups look like."""
    return re.compile(rf"{re.escape(stem_of(dialect.name))}-\d{{8}}-\d{{6}}(-\d+)?")


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not directory.is_symlink():
            return []
        raise BackupsUnreadable(directory=directory, reason=error.strerror or str(error)) from error


def _files(backup: Backup) -> tuple[Path, Path]:
    """The plain one and the packed one. Where there are both, the first counts."""
    return backup.plain_path, backup.packed_path


def _size(path: Path) -> int | None:
    """Nothing where there is no file."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _with_file(backup: Backup) -> Backup:
    lies, problem = reach(backup)
    return replace(lies, problem=lies.problem or problem)


def _read_description(path: Path) -> Backup:
    try:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {name: fields[name] for name in Backup.__slots__ if name in fields}
        path.with_name(known["path"])  # a name alone, or this raises; which one does not matter
        known |= {"id": path.stem, "path": path.with_suffix(".db")}  # since somebody may have renamed both
        known["created_at"] = _moment(known["created_at"])
        known["verified_at"] = _moment(known["verified_at"]) if known.get("verified_at") else None
        return _plausible(Backup(**known))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return _undescribed(path.with_suffix(".db"), f"its description {path.name} cannot be read: {error}")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _plausible(backup: Backup) -> Backup:
    """Valid JSON can still hold anything.

    Raises:
        TypeError: a field is not what it should be.
    """
    texts = (backup.checksum, backup.origin, backup.problem, backup.schema_fingerprint, backup.database)
    numbers, flags = (backup.size, *backup.row_counts.values()), (backup.cloned, backup.run_failed)
    if (
        not all(isinstance(text, str) for text in texts)
        or not isinstance(backup.run_id, str | None)
        or not all(isinstance(number, int) and 0 <= number < _TOO_MANY for number in numbers)
        or not all(isinstance(flag, bool) for flag in flags)
    ):
        raise TypeError("a value is of the wrong kind")
    return backup


def _undescribed(path: Path, problem: str = "it has no description, so nobody knows what it is") -> Backup:
    """All that a file tells by itself."""
    unknown = Backup(
        id=path.stem,
        path=path,
        database="",
        created_at=datetime.fromtimestamp(0.0, UTC),
        size=_size(path) or 0,
        checksum="",
        schema_fingerprint="",
        problem=problem,
    )
    found = as_it_lies(unknown)
    return replace(found, created_at=datetime.fromtimestamp(_changed(found.path, 0.0), UTC))


def _remove_stale_descriptions(directory: Path) -> list[Path]:
    """What is left of descriptions whose writer was killed; younger ones may be somebody's who writes now."""
    now = datetime.now(UTC).timestamp()
    halves = (path for path in _entries(directory) if ".json." in path.name and path.name.endswith(PARTIAL))
    stale = [path for path in halves if now - _changed(path, now) > _STALE]
    for path in stale:
        path.unlink(missing_ok=True)
    return stale


def _changed(path: Path, otherwise: float) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return otherwise


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
