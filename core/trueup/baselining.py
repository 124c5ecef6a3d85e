"""Take an existing database as it is for the starting point: nothing but the history is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime

from trueup._version import __version__
from trueup.clock import Now, utc_now
from trueup.dialect import Connection
from trueup.errors import DatabaseDamaged, NothingToTake, SchemaMoved, TrueupError, explained
from trueup.flow import plan
from trueup.history_rows import Ended
from trueup.limits import Limits
from trueup.plans import Plan
from trueup.policy import Policy
from trueup.run import Run, Status
from trueup.stages import history, recording
from trueup.standing import BASELINE
from trueup.target import Target
from trueup.text import counted


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
    limits = limits or Limits(target.settings.time_limit)
    return _Baselining(target=target, name=name, note=note, limits=limits, now=now, started_at=now()).carry_out()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Baselining:
    """What it works with."""

    target: Target
    name: str
    note: str
    limits: Limits
    now: Now
    started_at: datetime
    id: str = field(default_factory=lambda: os.urandom(6).hex())

    def carry_out(self) -> Run:
        try:
            found = plan(self.target, policy=Policy.CHECK, limits=self.limits)
            if not found.live.tables:
                raise NothingToTake(database=found.database)
            told = self._recorded(found)
        except Exception as error:
            return self._failed(explained(error))
        return Run(
            id=self.id,
            status=Status.BASELINED,
            started_at=self.started_at,
            seconds=self.limits.elapsed,
            position=found.position,
            plan=found,
            warnings=(*found.warnings, *told),
        )

    def _failed(self, error: TrueupError) -> Run:
        seconds = self.limits.elapsed
        return Run(id="", status=Status(error.status), started_at=self.started_at, seconds=seconds, error=error)

    def _recorded(self, found: Plan) -> tuple[str, ...]:
        """Record it, and return what there is to tell about the history itself."""
        timeout = self.target.settings.lock_timeout
        connection = self.target.dialect().connect(write=True, timeout=timeout)
        try:
            with connection.limited(self.limits), self.limits.explaining():
                self.limits.phase = "waiting for other writers"
                connection.begin(self.limits.within(timeout))
                told = history.tell_takeover(connection, self.target.settings.history_table)
                self._check(connection, found)
                self._record(connection, found)
            connection.commit(timeout, self.limits)
            return told
        finally:
            connection.close()

    def _check(self, connection: Connection, found: Plan) -> None:
        """Inside the transaction, so that nobody changes the schema between this look at it and the row about it."""
        self.limits.phase = "checking the database"
        if connection.fingerprint(leave_out=(self.target.settings.history_table,)) != found.live.fingerprint:
            raise SchemaMoved()
        complaints = connection.integrity()
        if complaints:
            raise DatabaseDamaged(database=found.database, reason=complaints[0])

    def _record(self, connection: Connection, found: Plan) -> None:
        recording.record_baseline(
            connection,
            self.target.settings.history_table,
            Ended(
                run_id=self.id,
                kind=BASELINE,
                started_at=self.started_at,
                finished_at=self.now(),
                version=__version__,
            ),
            plan=found,
            title=self.name or f"{counted(len(found.live.tables), 'table')} as they were",
            note=self.note,
        )
