"""The models of a target, loaded and compiled once: what both the up-to-date start and a plan begin with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from trueup._version import __version__
from trueup.dialects import dialect_for
from trueup.errors import ModelsError
from trueup.stages.fingerprint import Statements, compile_models, fingerprint
from trueup.stages.models import Models, load_models, sqlalchemy_version

if TYPE_CHECKING:
    from trueup.dialect import Dialect
    from trueup.schema import Schema, Table
    from trueup.settings import Settings
    from trueup.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the models declare."""

    models: Models
    statements: Statements
    """What makes their tables; none where only running it tells."""
    made: Schema | None
    """What came of running it, where only that tells."""
    fingerprint: str
    """Of the statements that the database would store, and of the settings that say what else is the models'."""
    versions: str
    """What compares: trueup, SQLAlchemy and the database."""

    def wanted(self, live: Schema, dialect: Dialect) -> Schema:
        """The schema that the models declare; tables that the live one stores alike are taken from there."""
        if self.made is not None:
            return self.made
        models = self.models
        known = () if models.scripts else tuple(self._stored_alike(live))
        return dialect.wanted(models.metadatas, models.scripts, models.spec, known)

    def _stored_alike(self, live: Schema) -> Iterator[Table]:
        for table in live.tables:
            if self.statements.get(table.name.lower()) == frozenset(table.statements):
                yield table


def declare(target: Target, dialect: Dialect) -> Declared:
    """Load the target's models and compile them; a target that was given what this returned before keeps it.

    Raises:
        ModelsError: they cannot be loaded, or declare nothing.
        ModelsRejected: the database does not accept the models' tables.
    """
    if isinstance(target.models, Declared):
        return target.models
    settings = target.settings
    models = load_models(target.models, settings.base, settings.objects)
    statements = compile_models(models.metadatas, dialect.sqlalchemy_dialect())
    made = None if statements else _made(models, dialect, settings)
    stored = made.statements if made else chain.from_iterable(statements.values())
    return Declared(
        models=models,
        statements=statements,
        made=made,
        fingerprint=fingerprint(stored, (*settings.owned_tables, *models.scripts)),
        versions=f"trueup {__version__}, SQLAlchemy {sqlalchemy_version()}, database {dialect.facts.version}",
    )


def _made(models: Models, dialect: Dialect, settings: Settings) -> Schema:
    """What comes of the models when they are run, or what another database has; without trueup's own table in it."""
    if models.url:
        schema = _schema_of(models.url, dialect, settings)
    else:
        schema = dialect.wanted(models.metadatas, models.scripts, models.spec)
    own = settings.history_table.lower()
    schema = replace(schema, tables=tuple(table for table in schema.tables if table.name.lower() != own))
    if not schema.tables:
        raise ModelsError(spec=models.spec, problem="they declare no tables")
    return schema


def _schema_of(url: str, dialect: Dialect, settings: Settings) -> Schema:
    """Read only, and by the reader that reads the target."""
    other = dialect_for(url, settings.base)
    if type(other) is not type(dialect):
        raise ModelsError(spec=other.database, problem=f"only a database of the same kind as {dialect.database} fits")
    connection = other.connect(write=False, timeout=settings.lock_timeout)
    try:
        return connection.schema(leave_out=(settings.history_table,))
    finally:
        connection.close()
