"""Read a backup again: is it still what it was when it was made?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from trueup import zstd
from trueup.catalogue import UNREADABLE, as_it_lies, note_check, reach
from trueup.checksums import ALGORITHMS, beside, checksum
from trueup.dialect import Dialect
from trueup.errors import TrueupError
from trueup.limits import Limits
from trueup.packing import plain
from trueup.run import Backup
from trueup.text import counted


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
        NotEnoughSpace, UnpackingFailed: it is packed, and there is no place to unpack it to.

    Returns:
        The backup with ``verified_at`` and ``problem`` renewed, as it is then kept on disk. One that has no readable
        description is as it was: nobody knows what its file should be. That this user, or this Python, cannot read the
        file is told, and not kept.
    """
    backup, problem = reach(backup)
    if not backup.checksum:
        return backup
    if problem == UNREADABLE:
        return replace(backup, problem=problem)
    if backup.packed and not zstd.installed():
        return replace(backup, problem=zstd.MISSING)
    found = [problem] if problem else list(_problems(backup, dialect, limits, thorough))
    if found and as_it_lies(backup).packed != backup.packed:  # somebody packed it meanwhile
        return verify_backup(backup, dialect, now, limits, thorough=thorough)
    checked = replace(backup, verified_at=now, problem="; ".join(found))
    note_check(checked)
    return checked


def _problems(backup: Backup, dialect: Dialect, limits: Limits, thorough: bool) -> Iterator[str]:
    algorithm = backup.checksum.partition(":")[0]
    if algorithm not in ALGORITHMS:
        yield f"whether it changed cannot be told: its checksum is by {algorithm}"
        return
    try:
        with plain(backup, limits) as path, beside(limits, checksum, path, algorithm, limits) as computed:
            found = list(_complaints(path, backup, dialect, limits, thorough))
    except OSError as error:
        yield f"the file cannot be read: {error.strerror or error}"
        return
    if computed.result() != backup.checksum:
        yield "the file changed since it was made"
    yield from found


def _complaints(path: Path, backup: Backup, dialect: Dialect, limits: Limits, thorough: bool) -> Iterator[str]:
    """What the database that the backup is says of itself."""
    try:
        copy = dialect.open_copy(path)
    except TrueupError as error:
        yield str(error)
        return
    try:
        with copy.limited(limits):
            yield from copy.integrity(thorough=thorough)[:1]
            counts = {table: copy.count(table) for table in backup.row_counts}
        wrong = {table: count for table, count in backup.row_counts.items() if counts[table] != count}
        yield from (f"{table} has {counted(counts[table])}, not {count}" for table, count in wrong.items())
    except Exception as error:  # a damaged file fails in any way it likes
        limits.check()  # but one whose check was ended need not be damaged
        yield str(error)
    finally:
        copy.close()
