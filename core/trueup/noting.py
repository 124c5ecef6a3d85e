"""Write into the history that something failed, and never at the price of the error that a person must get to read."""

from __future__ import annotations

from collections.abc import Callable

from trueup.dialect import Connection
from trueup.errors import DatabaseBusy, DatabaseDamaged, ReadOnlyDatabase, TrueupError

_PATIENCE = 1.0
"""Seconds to wait for writers."""


def note_failure(connection: Connection, error: TrueupError, record: Callable[[], None]) -> tuple[str, ...]:
    """Record it in a transaction of its own; where the database is damaged or held by others, it is let alone.

    Args:
        connection: in no transaction.
        error: what failed.
        record: writes the record.

    Returns:
        Why it could not be written, if so.
    """
    if isinstance(error, DatabaseDamaged | DatabaseBusy | ReadOnlyDatabase):
        return ()
    try:
        connection.begin(_PATIENCE)
        record()
        connection.commit(_PATIENCE / 2)
    except Exception as reason:
        connection.rollback()
        return (f"the failure could not be written into the history: {reason}",)
    return ()
