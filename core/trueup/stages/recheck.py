"""Read a backup again: is it still what it was when it was made?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from trueup.catalogue import GONE, UNREADABLE, note_check
from trueup.checksums import ALGORITHMS, beside, checksum
from trueup.dialect import Dialect
from trueup.errors import TrueupError
from trueup.limits import Limits
from trueup.run import Backup


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
    if algorithm not in ALGORITHMS:
        yield f"whether it changed cannot be told: its checksum is by {algorithm}"
        return
    try:
        with beside(limits, checksum, backup.path, algorithm, limits) as computed:
            found = list(_complaints(backup, dialect, limits, thorough))
    except OSError as error:
        yield f"the file cannot be read: {error.strerror}"
        return
    if computed.result() != backup.checksum:
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
