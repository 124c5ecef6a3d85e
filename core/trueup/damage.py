"""A database that is damaged: the error says what of it, and which backups are good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trueup.errors import DatabaseDamaged, TrueupError
from trueup.limits import Limits

if TYPE_CHECKING:
    from trueup.target import Target

_LOOK = 10.0
"""Seconds for finding out what is damaged; a large database may take longer, and is then only said to be damaged."""


@contextmanager
def naming_damage(target: Target) -> Iterator[None]:
    """Let what is raised inside say all that a person needs.

    Raises:
        DatabaseDamaged: in place of one that says less.
    """
    try:
        yield
    except DatabaseDamaged as error:
        raise in_full(error, target) from error


def in_full(error: DatabaseDamaged, target: Target) -> DatabaseDamaged:
    """The same, with the table that is damaged, and the good backups."""
    from trueup import catalogue  # a database that is whole does without

    dialect = target.dialect()
    good = catalogue.name_good(target.backup_directory(dialect), dialect) or "there is none"
    reason = _first_complaint(target) or error.facts["reason"]
    return DatabaseDamaged(database=error.facts["database"], reason=reason, good=good)


def _first_complaint(target: Target) -> str:
    """What the database's own check says, as far as it can be asked."""
    try:
        connection = target.dialect().connect(write=False, timeout=0.0)
    except TrueupError:
        return ""
    try:
        with connection.limited(Limits(_LOOK)):
            return next(iter(connection.integrity()), "")
    except Exception:  # it is damaged, and that has been said already
        return ""
    finally:
        connection.close()
