"""Ask SQLite itself, on an empty database in memory: what do these models mean, and where do these statements lead?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trueup.dialects.sqlite.reader import read_schema
from trueup.errors import ModelsRejected
from trueup.plan import Fill
from trueup.schema import Schema

if TYPE_CHECKING:
    from sqlalchemy import MetaData

_ORDER = ("table", "virtual", "index", "view", "trigger")


def schema_of_models(metadatas: Sequence[MetaData], spec: str) -> Schema:
    """The schema of a database that ``create_all`` made from the models.

    Raises:
        ModelsRejected: SQLite or SQLAlchemy's compiler refuses one of the tables.
    """
    from sqlalchemy import create_engine  # what only shows the schema of a file does not pay for this import
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        for metadata in metadatas:
            metadata.create_all(engine, checkfirst=False)  # it is empty
        raw = engine.raw_connection()
        try:
            driver = raw.driver_connection
            if not isinstance(driver, sqlite3.Connection):
                raise TypeError(f"unexpected driver connection {driver!r}")
            return read_schema(driver)
        finally:
            raw.close()
    except SQLAlchemyError as error:
        raise ModelsRejected(spec=spec, problem=_first_line(error)) from error
    finally:
        engine.dispose()


def schema_after(live: Schema, statements: Iterable[str], fills: Sequence[Fill] = ()) -> Schema:
    """The schema that a database with the schema ``live`` has after the statements, found by running them on an empty
    copy of it.

    Raises:
        sqlite3.Error: a statement cannot work.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _build(connection, live)
        for fill in fills:
            if fill.function is not None:
                connection.create_function(fill.function[0], 0, fill.function[1])
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)
        return read_schema(connection)
    finally:
        connection.close()


def _build(connection: sqlite3.Connection, live: Schema) -> None:
    stored = [("table", table.sql) for table in live.tables]
    stored += [("index", index.sql) for table in live.tables for index in table.indexes]
    stored += [(stored_object.kind, stored_object.sql) for stored_object in live.objects]
    connection.execute("PRAGMA legacy_alter_table = ON")
    for _, sql in sorted(stored, key=lambda item: _ORDER.index(item[0])):
        try:
            connection.execute(sql)
        except sqlite3.OperationalError:
            continue  # an extension is missing here; what depends on the object fails where it is used
    if any(name.startswith("sqlite_stat") for name in live.internal):
        connection.execute("ANALYZE")
    connection.execute("PRAGMA legacy_alter_table = OFF")


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
