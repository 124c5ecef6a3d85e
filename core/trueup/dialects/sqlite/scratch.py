"""Ask SQLite itself, on an empty database in memory: what do these models mean, and where do these statements lead?"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.dialect import Script
from trueup.dialects.sqlite.dependents import broken_objects
from trueup.dialects.sqlite.parse import table_name_span
from trueup.dialects.sqlite.quoting import quote
from trueup.dialects.sqlite.reader import read_schema
from trueup.dialects.sqlite.script import ScriptRefused, mapped_views, run_script
from trueup.dialects.sqlite.source import SOURCE
from trueup.errors import ModelsRejected
from trueup.plans import Fill, Source
from trueup.schema import Schema, StoredObject, Table

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy import Table as SQLAlchemyTable

_MISSING = re.compile(r"(?:no such|unknown) (?P<kind>function|collation)(?: sequence)?: (?P<name>[^()]+)")


def schema_of_models(
    metadatas: Sequence[MetaData], scripts: Sequence[Script], spec: str, known: Sequence[Table] = ()
) -> Schema:
    """The schema of a database that ``create_all`` made from the models, and after it their scripts.

    Args:
        metadatas: the models.
        scripts: what they declare in SQL.
        spec: their name, for people.
        known: what need not be made, because it is known to be what comes of it.

    Raises:
        ModelsRejected: SQLite or SQLAlchemy's compiler refuses one of the tables, or a statement of a script.
    """
    made = {table.name.lower() for table in known}.union(*map(mapped_views, scripts))
    tables = [[table for table in metadata.tables.values() if table.name.lower() not in made] for metadata in metadatas]
    if not any(tables) and not scripts:
        return Schema(tables=tuple(known))
    raw = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        if any(tables):
            _create_all(raw, metadatas, tables, spec)
        raw.isolation_level = None
        for script in scripts:
            run_script(raw, script)
        schema = read_schema(raw)
        return replace(schema, tables=(*known, *schema.tables))
    except ScriptRefused as error:
        raise ModelsRejected(spec=spec, problem=str(error)) from error
    finally:
        raw.close()


def _create_all(
    raw: sqlite3.Connection, metadatas: Sequence[MetaData], tables: Sequence[Sequence[SQLAlchemyTable]], spec: str
) -> None:
    """Some tables of each; what listens to their making does its part."""
    from sqlalchemy import create_engine  # who has no models in Python does not pay for this import
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    try:
        for metadata, some in zip(metadatas, tables, strict=True):
            metadata.create_all(engine, tables=some, checkfirst=False)  # it is empty
    except SQLAlchemyError as error:
        raise ModelsRejected(spec=spec, problem=_first_line(error)) from error


class EmptyCopy:
    """A database in memory with the schema of a live one and no rows, on which statements can be tried.

    Functions and collations that only the application has are replaced by some that do nothing: with no rows they are
    never called.

    Args:
        live: the schema.
        fills: whose functions the statements call.
        source: a backup that the statements read from; it is empty here as well.
    """

    def __init__(self, live: Schema, fills: Sequence[Fill] = (), source: Source | None = None) -> None:
        self.raw = sqlite3.connect(":memory:", isolation_level=None)
        self.replaced: set[str] = set()
        self._missing: list[StoredObject] = []
        self._build(live)
        if source is not None:
            self._attach(source.schema)
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

    def run_regardless(self, statements: Iterable[str]) -> dict[str, str]:
        """Run the statements without the views and triggers over which SQLite refuses one.

        Returns:
            SQLite's reason for each of these, by name.

        Raises:
            sqlite3.Error: one of them cannot work for another reason.
        """
        broken: dict[str, str] = {}
        for statement in statements:
            broken |= self._without_broken(statement)
        return broken

    def _without_broken(self, statement: str) -> dict[str, str]:
        try:
            self._with_replacements(statement)
        except sqlite3.OperationalError as error:
            kind, name = self._refused_over(str(error))
            if not name:
                raise
            self.raw.execute(f"DROP {kind} {quote(name)}")
            return {name: str(error)} | self._without_broken(statement)
        return {}

    def _refused_over(self, message: str) -> tuple[str, str]:
        """The kind and the name of what an ALTER TABLE found broken; two empty words where it is about none."""
        found = self.raw.execute("SELECT type, name FROM sqlite_schema WHERE type IN ('view', 'trigger')").fetchall()
        named = [(kind, name) for kind, name in found if message.startswith(f"error in {kind} {name}")]
        return max(named, key=lambda item: len(item[1]), default=("", ""))

    def schema(self) -> Schema:
        """As it is now; what an extension is missing for here stays as it was, since no step names it."""
        schema = read_schema(self.raw)
        return replace(schema, objects=(*schema.objects, *self._missing))

    def broken(self) -> dict[str, str]:
        return broken_objects(lambda query: self.raw.execute(query).fetchall())

    def _build(self, live: Schema) -> None:
        self.raw.execute("PRAGMA legacy_alter_table = ON")
        for table in live.tables:
            self._try(table.sql)
        virtual = [item for item in live.objects if item.kind == "virtual"]
        self._missing = [item for item in virtual if not self._try(item.sql)]
        for index in (sql for table in live.tables for sql in table.statements[1:]):
            self._try(index)
        for item in sorted(live.objects, key=lambda item: item.kind == "trigger"):
            if item.kind != "virtual":
                self._try(item.sql)
        if any(name.startswith("sqlite_stat") for name in live.internal):
            self.raw.execute("ANALYZE")
        self.raw.execute("PRAGMA legacy_alter_table = OFF")

    def _try(self, sql: str) -> bool:
        """An extension may be missing here; what depends on the object fails where it is used."""
        try:
            self._with_replacements(sql)
        except sqlite3.OperationalError:
            return False
        return True

    def _attach(self, schema: Schema) -> None:
        self.raw.execute(f"ATTACH ':memory:' AS {SOURCE}")
        for table in schema.tables:
            start, _ = table_name_span(table.sql)
            self._with_replacements(f"{table.sql[:start]}{SOURCE}.{table.sql[start:]}")

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
