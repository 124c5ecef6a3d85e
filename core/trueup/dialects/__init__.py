"""The databases that trueup knows. They do not know one another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trueup.errors import ConfigurationError, UnsupportedDatabase

if TYPE_CHECKING:
    from trueup.dialect import Dialect


_ENCRYPTED = ("sqlite+pysqlcipher",)
"""Drivers of files that SQLite itself cannot read; one that is not there yet would be made without encryption."""


def dialect_for(url: str, base: Path) -> Dialect:
    """The dialect for one database.

    Args:
        url: any SQLAlchemy URL.
        base: the directory that a relative path in it starts from.

    Raises:
        ConfigurationError: the URL cannot be read.
        UnsupportedDatabase: trueup has no dialect for it.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            problem="The database URL cannot be read; it must look like sqlite:///path/to/file.db."
        ) from error
    backend = parsed.get_backend_name()
    if parsed.drivername in _ENCRYPTED:
        raise UnsupportedDatabase(backend=parsed.drivername)
    if backend == "sqlite":
        from trueup.dialects.sqlite import SqliteDialect

        return SqliteDialect(parsed, base)
    raise UnsupportedDatabase(backend=backend)
