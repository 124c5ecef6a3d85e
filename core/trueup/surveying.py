"""Read both sides and find what differs between them, before any verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, partial

from trueup.changes import (
    Change,
    RenameColumn,
    RenameTable,
)
from trueup.decisions import Decision
from trueup.declaring import Declared
from trueup.dialect import Connection, Dialect, PythonDefault
from trueup.errors import RenameRefused
from trueup.limits import Budget
from trueup.locating import locate
from trueup.plans import Fill, Returning, Source
from trueup.schema import Schema
from trueup.settings import Settings
from trueup.sight import Sight
from trueup.sighting import Scene, take_sight
from trueup.stages import history
from trueup.stages.assess import FillFinder
from trueup.stages.compare import compare
from trueup.stages.decided import Decided, find_decided
from trueup.stages.fills import find_fill
from trueup.stages.models import Models, python_default, renames_in_models, words_in_models
from trueup.standing import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found on both sides, before any verdict."""

    connection: Connection
    dialect: Dialect
    declared: Declared
    position: Position
    settings: Settings
    answers: tuple[Decision, ...]
    """The decisions as people gave them."""
    decided: Decided
    live: Schema
    wanted: Schema
    base: Schema
    """The live schema as it is after the renames."""
    changes: tuple[Change, ...]
    fill: FillFinder
    sight: Sight
    """The live data, as the decisions about it leave it."""
    source: Source | None = None
    """A backup that is open beside the database, for values to come back from."""
    reverted: tuple[Fill, ...] = ()
    """Values that come back in columns that no change is about."""
    returning: tuple[Returning, ...] = ()
    """Rows that come back."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return self.decided.decisions

    @property
    def renames(self) -> tuple[RenameTable | RenameColumn, ...]:
        return self.decided.renames


def survey_sides(
    connection: Connection,
    dialect: Dialect,
    declared: Declared,
    decisions: tuple[Decision, ...],
    settings: Settings,
    budget: Budget,
) -> Survey:
    """Read the live database and find the differences, after the renames that were decided.

    Questions about the data take their time from the budget.
    """
    live = connection.schema(leave_out=(settings.history_table,))
    models = declared.models
    wanted = declared.wanted(live, dialect)
    managed = history.read_managed(connection, settings.history_table)
    made = history.read_renames(connection, settings.history_table)
    decided = find_decided(live, wanted, decisions, renames_in_models(models), made)
    base = renamed(live, decided.renames, dialect) if decided.renames else live
    owned = managed | {("table", name) for name in decided.claimed} | set(_owned(base, settings))
    changes = compare(base, wanted, owned)
    fill, missing = _values(dialect, models, wanted, decisions)
    scene = Scene(
        connection=connection,
        renames=decided.renames,
        base=base,
        wanted=wanted,
        changes=changes,
        decisions=decided.decisions,
        source=settings.decisions or "the decisions given",
        budget=budget,
        missing=missing,
        find_fill=fill,
        words=partial(words_in_models, models),
    )
    return Survey(
        connection=connection,
        dialect=dialect,
        declared=declared,
        position=locate(connection, declared, settings, live.fingerprint),
        settings=settings,
        answers=decisions,
        decided=decided,
        live=live,
        wanted=wanted,
        base=base,
        changes=changes,
        fill=fill,
        sight=take_sight(scene),
    )


def _values(
    dialect: Dialect, models: Models, wanted: Schema, decisions: Sequence[Decision]
) -> tuple[FillFinder, Callable[[str, str], str | None]]:
    """What finds the value for rows that have none, and what says why there is none.

    Each column is asked about once: the models' own default may be a function that does something.
    """

    @cache
    def default(table: str, column: str) -> PythonDefault | None:
        return python_default(models, table, column, dialect.sqlalchemy_dialect())

    @cache
    def fill(table: str, column: str) -> Fill | None:
        literal = dialect.literal
        return find_fill(table, column, decisions=decisions, wanted=wanted, python_default=default, literal=literal)

    def missing(table: str, column: str) -> str | None:
        found = default(table, column)
        return (found.problem if found else "") if fill(table, column) is None else None

    return fill, missing


def _owned(schema: Schema, settings: Settings) -> Iterator[tuple[str, str]]:
    """The tables that the settings say are the models'."""
    for name in (table.name.lower() for table in schema.tables):
        if any(fnmatchcase(name, pattern.lower()) for pattern in settings.owned_tables):
            yield "table", name


def renamed(live: Schema, renames: Sequence[RenameTable | RenameColumn], dialect: Dialect) -> Schema:
    """The database itself knows best what else a rename changes: foreign keys, indexes, views, triggers."""
    statements = [item.sql for step in dialect.write(live, live, renames) for item in step.statements]
    try:
        return dialect.after(live, statements)
    except Exception as error:
        raise RenameRefused(reason=str(error)) from error
