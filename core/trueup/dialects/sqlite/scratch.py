"""Ask SQLite itself, on an empty database in memory: what do these models mean, and where do these statements lead?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.dialects.sqlite.dependents import broken_objects
from trueup.dialects.sqlite.reader import read_schema
from trueup.errors import ModelsRejected
from trueup.plan import Fill
from trueup.schema import Schema, Table

if TYPE_CHECKING:
    from sqlalchemy import MetaData

_MISSING = re.compile(r"(?:no such|unknown) (?P<kind>function|collation)(?: sequence)?: (?P<name>[^()]+)")
_ORDER = ("table", "virtual", "index", "view", "trigger")


def schema_of_models(metadatas: Sequence[MetaData], spec: str, known: Sequence[Table] = ()) -> Schema:
    """The schema of a database that ``create_all`` made from the models.

    Args:
        metadatas: the models.
        spec: their name, for people.
        known: what need not be made, because it is known to be what comes of it.

    Raises:
        ModelsRejected: SQLite or SQLAlchemy's compiler refuses one of the tables.
    """
    names = {table.name for table in known}
    tables = [[table for table in metadata.tables.values() if table.name not in names] for metadata in metadatas]
    if not any(tables):
        return Schema(tables=tuple(known))
    from sqlalchemy import create_engine  # what only shows the schema of a file does not pay for this import
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        for metadata, unknown in zip(metadatas, tables, strict=True):
            metadata.create_all(engine, tables=unknown, checkfirst=False)  # it is empty
        raw = engine.raw_connection()
        try:
            driver = raw.driver_connection
            if not isinstance(driver, sqlite3.Connection):
                raise TypeError(f"unexpected driver connection {driver!r}")
            schema = read_schema(driver)
            return replace(schema, tables=(*known, *schema.tables))
        finally:
            raw.close()
    except SQLAlchemyError as error:
        raise ModelsRejected(spec=spec, problem=_first_line(error)) from error
    finally:
        engine.dispose()


class EmptyCopy:
    """A database in memory with the schema of a live one and no rows, on which statements can be tried.

    Functions and collations that only the application has are replaced by some that do nothing: with no rows they are
    never called.

    Args:
        live: the schema.
        fills: whose functions the statements call.
    """

    def __init__(self, live: Schema, fills: Sequence[Fill] = ()) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.replaced: set[str] = set()
        self._build(live)
        for fill in fills:
            if fill.function is not None:
                self.raw.create_function(fill.function[0], 0, fill.function[1])
        self.raw.execute("PRAGMA foreign_keys = OFF")

    def __enter__(self) -> EmptyCopy:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()

    def run(self, statements: Iterable[str]) -> None:
        """Run the statements.

        Raises:
            sqlite3.Error: one of them cannot work.
        """
        for statement in statements:
            self._with_replacements(statement)

    def schema(self) -> Schema:
        return read_schema(self.raw)

    def broken(self) -> frozenset[str]:
        return broken_objects(lambda query: self.raw.execute(query).fetchall())

    def _build(self, live: Schema) -> None:
        stored = [("table", table.sql) for table in live.tables]
        stored += [("index", sql) for table in live.tables for sql in table.statements[1:]]
        stored += [(stored_object.kind, stored_object.sql) for stored_object in live.objects]
        self.raw.execute("PRAGMA legacy_alter_table = ON")
        for _, sql in sorted(stored, key=lambda item: _ORDER.index(item[0])):
            try:
                self._with_replacements(sql)
            except sqlite3.OperationalError:
                continue  # an extension is missing here; what depends on the object fails where it is used
        if any(name.startswith("sqlite_stat") for name in live.internal):
            self.raw.execute("ANALYZE")
        self.raw.execute("PRAGMA legacy_alter_table = OFF")

    def _with_replacements(self, sql: str) -> None:
        while True:
            try:
                self.raw.execute(sql)
                return
            except sqlite3.OperationalError as error:
                missing = _MISSING.search(str(error))
                if missing is None or missing["name"] in self.replaced:
                    raise
                self._replace(missing["kind"], missing["name"])

    def _replace(self, kind: str, name: str) -> None:
        self.replaced.add(name)
        if kind == "function":
            self.raw.create_function(name, -1, lambda *_: None, deterministic=True)
        else:
            self.raw.create_collation(name, lambda left, right: (left > right) - (left < right))


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
