"""Backups that are packed: the file of one is ``<id>.db``, or ``<id>.db.zst`` where it is packed.

Which of the two there is tells the directory alone, so that no description can disagree with it. Each of them has its
name only when it is whole, on the disk, and the backup by its checksum. Where there are both, the plain one counts: it
was unpacked for an undo, or is about to go.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trueup import zstd
from trueup.catalogue import as_it_lies, partial_ending
from trueup.checksums import ALGORITHMS, checksum_of, sync
from trueup.dialect import Dialect
from trueup.errors import UnpackingFailed
from trueup.limits import Limits
from trueup.run import PACKED, Backup
from trueup.space import refuse_too_little
from trueup.throwaway import Kind, throwaway
from trueup.zstd import Unreadable


def write_plain(backup: Backup, path: Path, limits: Limits) -> None:
    """Write the database that the backup holds to a file.

    Raises:
        OSError: one of them cannot be read or written.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    lies = as_it_lies(backup)
    try:
        zstd.unpack(lies.path, path, limits)
    except FileNotFoundError:
        if as_it_lies(backup).path == lies.path:
            raise
        write_plain(backup, path, limits)  # somebody packed it in this moment


@contextmanager
def plain(backup: Backup, limits: Limits) -> Iterator[Path]:
    """The database that the backup holds, as a file to read. One that is unpacked for it is gone in the end.

    Raises:
        Unreadable: the packed file is damaged, or this Python cannot read it.
        NotEnoughSpace, UnpackingFailed: there is no place to unpack it to.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    lies = as_it_lies(backup)
    if not lies.packed:
        yield lies.path
        return
    with _unpacked(lies, limits) as scratch:
        yield scratch


def put_back(backup: Backup, limits: Limits) -> Path:
    """Unpack a backup beside the packed file, for somebody who needs the database in a place that stays.

    Any number of processes may do so at once.

    Returns:
        The plain file, which was there already if the backup was not packed.

    Raises:
        Unreadable: as :func:`plain`, or it is not what the backup was.
        NotEnoughSpace, UnpackingFailed, Cancelled, TimeLimitReached: as :func:`plain`.
    """
    lies = as_it_lies(backup)
    if lies.packed:
        with _unpacked(lies, limits) as scratch:
            if not _holds(scratch, lies, limits):
                raise Unreadable("the file changed since it was made")
            sync(scratch)
            scratch.rename(lies.plain_path)
            sync(lies.path.parent)
    return lies.plain_path


def pack(backup: Backup, dialect: Dialect, limits: Limits) -> None:
    """Pack a backup; the plain file goes when the packed one was read back. Only for who holds the migrator lock.

    Raises:
        Unreadable: what was read back is not what the backup was, so the plain file stays.
        OSError: it cannot be written, or read; the plain file stays.
        Cancelled, TimeLimitReached: the limits ended it.
    """
    path, packed = backup.plain_path, backup.packed_path
    partial = path.with_name(f"{path.name}{partial_ending(dialect)}{PACKED}")
    try:
        if not (packed.exists() and _holds(packed, backup, limits)):
            partial.touch(mode=0o600)
            zstd.pack(path, partial, limits)
            sync(partial)
            if not _holds(partial, backup, limits):
                raise Unreadable("what was read back is not what the backup holds")
            partial.rename(packed)
            sync(packed.parent)
        path.unlink()
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _unpacked(backup: Backup, limits: Limits) -> Iterator[Path]:
    """A file of its own with what is in a packed one; gone in the end unless renamed."""
    directory = backup.path.parent
    refuse_too_little("Unpacking the backup", [(directory, backup.size)])
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(throwaway(Kind.UNPACKED, directory)) / backup.plain_path.name
            scratch.touch(mode=0o600)
            zstd.unpack(backup.path, scratch, limits)
        except Unreadable:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            raise UnpackingFailed(backup=backup.id, directory=directory, reason=reason) from error
        yield scratch


def _holds(path: Path, backup: Backup, limits: Limits) -> bool:
    """Whether a file, packed or not, has the database that the backup is."""
    algorithm = backup.checksum.partition(":")[0]
    if algorithm not in ALGORITHMS:
        return False
    try:
        with zstd.opened(path) as file:
            return checksum_of(file, algorithm, limits) == backup.checksum
    except Unreadable:
        return False
