"""How a database stands to its models, without comparing them: all that a start in step has to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trueup.damage import naming_damage
from trueup.declaring import Declared, declare
from trueup.stages import history
from trueup.standing import Position, find_position

if TYPE_CHECKING:
    from trueup.dialect import Connection
    from trueup.plans import Source
    from trueup.settings import Settings
    from trueup.target import Target


def position(target: Target) -> Position:
    """How the database stands to the models: one read of the schema and one of the history.

    Raises:
        ConfigurationError: the models or the URL cannot be used.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
    """
    settings, dialect = target.settings, target.dialect()
    declared = declare(target, dialect)
    with reading(target) as connection:
        return locate(connection, declared, settings, connection.fingerprint(leave_out=(settings.history_table,)))


def locate(connection: Connection, declared: Declared, settings: Settings, schema: str) -> Position:
    """How the database stands to the models.

    Args:
        connection: to the database.
        declared: the models.
        settings: name the history.
        schema: the schema's fingerprint.
    """
    marks = history.read_marks(connection, settings.history_table)
    return find_position(marks, schema=schema, models=declared.fingerprint, versions=declared.versions)


@contextmanager
def reading(target: Target, source: Source | None = None) -> Iterator[Connection]:
    """The database, open to be looked at; what is raised about damage says all that is known of it."""
    with naming_damage(target):
        connection = target.dialect().connect(write=False, timeout=target.settings.lock_timeout, source=source)
        try:
            yield connection
        finally:
            connection.close()
