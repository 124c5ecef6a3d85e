"""Take an existing database as it is for the starting point: nothing but the history is written."""

from __future__ import annotations

import os
from datetime import datetime

from trueup._version import __version__
from trueup.applying import Now, utc_now
from trueup.errors import DatabaseDamaged, NothingToTake, SchemaMoved, explained
from trueup.flow import plan
from trueup.limits import Limits
from trueup.plan import Plan, Policy
from trueup.run import Run, Status
from trueup.stages import history, recording
from trueup.target import Target


def baseline(
    target: Target, *, name: str = "", note: str = "", limits: Limits | None = None, now: Now = utc_now
) -> Run:
    """Record the database as it is, as the state that later runs start from.

    From then on trueup knows what moved, on which side, and which tables are the models'. Differences to the models are
    told in the outcome's plan, and stay.

    Args:
        target: the database and the models.
        name: for the history.
        note: for the history as well, however long.
        limits: when to stop; the settings' time limit when not given.
        now: the clock.

    Returns:
        The outcome; a failure is one too.
    """
    limits, started_at, id_ = limits or Limits(target.settings.time_limit), now(), os.urandom(6).hex()
    try:
        found = plan(target, policy=Policy.CHECK, limits=limits)
        if not found.live.tables:
            raise NothingToTake(database=found.database)
        told = _record(id_, found, target, (name, note), limits, started_at, now)
    except Exception as error:
        known = explained(error)
        return Run(id="", status=Status(known.status), started_at=started_at, seconds=limits.elapsed, error=known)
    return Run(
        id=id_,
        status=Status.BASELINED,
        started_at=started_at,
        seconds=limits.elapsed,
        position=found.position,
        plan=found,
        warnings=(*found.warnings, *told),
    )


def _record(
    id_: str, found: Plan, target: Target, words: tuple[str, str], limits: Limits, started_at: datetime, now: Now
) -> tuple[str, ...]:
    """In a transaction, so that nobody changes the schema between the last look at it and the row that tells of it.

    Returns:
        What there is to tell about the history itself.
    """
    settings = target.settings
    connection = target.dialect().connect(write=True, timeout=settings.lock_timeout)
    try:
        with connection.limited(limits), limits.explaining():
            limits.phase = "waiting for other writers"
            connection.begin(limits.within(settings.lock_timeout))
            limits.phase = "checking the database"
            if connection.fingerprint(leave_out=(settings.history_table,)) != found.live.fingerprint:
                raise SchemaMoved()
            complaints = connection.integrity()
            if complaints:
                raise DatabaseDamaged(database=found.database, reason=complaints[0])
            told = history.tell_takeover(connection, settings.history_table)
            recording.record_baseline(
                connection,
                settings.history_table,
                run_id=id_,
                plan=found,
                title=words[0] or f"{len(found.live.tables)} tables as they were",
                note=words[1],
                started_at=started_at,
                finished_at=now(),
                version=__version__,
            )
        connection.commit()
        return told
    finally:
        connection.close()
