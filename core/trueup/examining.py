"""Look at a database and at all that is kept of it, and say how well it is. Whatever is found, nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from trueup import catalogue
from trueup.clock import Now, utc_now
from trueup.dialect import Connection, Dialect
from trueup.errors import BackupsUnreadable, ConfigurationError, TrueupError, explained
from trueup.flow import past_runs
from trueup.health import Health, Look
from trueup.limits import Limits
from trueup.locating import position
from trueup.space import existing, free_bytes
from trueup.stages import history
from trueup.stages.leftovers import find_leftovers, without_copies
from trueup.stages.retention import storage_warning
from trueup.standing import Position, Standing, find_drift
from trueup.symptoms import diagnose
from trueup.target import Target
from trueup.throwaway import find_left


def get_system_health(target: Target, *, limits: Limits | None = None, now: Now = utc_now) -> Health:
    """Examine a database, its runs and its backups. What is wrong is a finding, never an exception.

    Args:
        target: the database; where it has models, also how the two stand to each other is told.
        limits: when to stop looking; the settings' time limit when not given.
        now: the clock.
    """
    settings = target.settings
    look = Look(database="", now=now(), backups_on=settings.backup, retention=settings.retention)
    try:
        patient = _Patient(target=target, dialect=target.dialect(), limits=limits or Limits(settings.time_limit))
    except TrueupError as error:
        return diagnose(replace(look, error=error))
    look = replace(look, database=patient.dialect.database)
    for see in _SIGHTS:
        look = _seen(see, look, patient)
    return diagnose(look)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    target: Target
    dialect: Dialect
    limits: Limits

    @property
    def directory(self) -> Path:
        return self.target.backup_directory(self.dialect)

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        connection = self.dialect.connect(write=False, timeout=self.target.settings.lock_timeout)
        try:
            with connection.limited(self.limits):
                yield connection
        finally:
            connection.close()


_Sight = Callable[[Look, _Patient], Look]


def _seen(see: _Sight, look: Look, patient: _Patient) -> Look:
    """What one sight adds. One that fails adds why, and the next ones go on, as long as there is time."""
    if patient.limits.over:
        return replace(look, cut_short=True)
    try:
        return see(look, patient)
    except Exception as error:
        if patient.limits.over:
            return replace(look, cut_short=True)
        return look if look.error is not None else replace(look, error=explained(error))


def _see_file(look: Look, patient: _Patient) -> Look:
    size = patient.dialect.size()
    places = {existing(place) for place in (patient.dialect.home.parent, patient.directory)}
    return replace(look, exists=size > 0, size=size, free={str(place): free_bytes(place) for place in sorted(places)})


def _see_backups(look: Look, patient: _Patient) -> Look:
    directory = patient.directory
    try:
        found = catalogue.list_backups(directory, patient.dialect)
        left = catalogue.find_leftovers(directory, patient.dialect)
        left += find_left([directory, patient.dialect.home.parent])
    except BackupsUnreadable as error:
        return replace(look, backups_problem=str(error))
    writable = os.access(existing(directory), os.W_OK | os.X_OK)
    return replace(
        look,
        backups=found,
        half_written=len(left),
        storage=storage_warning(found, patient.target.settings.retention),
        backups_problem="" if writable else f"{directory} is not writable for this user.",
    )


def _see_runs(look: Look, patient: _Patient) -> Look:
    return replace(look, runs=past_runs(patient.target))


def _see_damage(look: Look, patient: _Patient) -> Look:
    with patient.connected() as connection:
        return replace(look, complaints=connection.integrity())


def _see_references(look: Look, patient: _Patient) -> Look:
    with patient.connected() as connection:
        return replace(look, violations=connection.foreign_key_violations())


def _see_objects(look: Look, patient: _Patient) -> Look:
    """Of tables that other tools left, only those are recognized whose original is there."""
    with patient.connected() as connection:
        schema = connection.schema(leave_out=(patient.target.settings.history_table,))
        left = [item.sentence for item in find_leftovers(schema, without_copies(schema), connection.count)]
        return replace(look, broken=sorted(patient.dialect.broken(schema)), left_tables=left)


def _see_standing(look: Look, patient: _Patient) -> Look:
    if not look.exists:
        return look
    if patient.target.models in (None, ()):
        return replace(look, position=_drift(patient))
    try:
        found = position(patient.target)
        return replace(look, position=found, uncompared=found.standing is Standing.UNKNOWN)
    except ConfigurationError as error:
        return replace(look, models_problem=str(error), position=_drift(patient))


def _drift(patient: _Patient) -> Position:
    table = patient.target.settings.history_table
    with patient.connected() as connection:
        marks = history.read_marks(connection, table)
        return find_drift(marks, schema=connection.fingerprint(leave_out=(table,)))


_SIGHTS: tuple[_Sight, ...] = (
    _see_file,
    _see_backups,
    _see_runs,
    _see_standing,
    _see_damage,
    _see_references,
    _see_objects,
)
"""What takes longest comes last."""
