"""One run: from the lock to the commit, or back to where it began."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from trueup import catalogue
from trueup._version import __version__
from trueup.aside import aside
from trueup.clock import Now
from trueup.damage import in_full
from trueup.dialect import Connection, Dialect
from trueup.errors import (
    BackupNeeded,
    DatabaseDamaged,
    SchemaMoved,
    TrueupError,
    explained,
)
from trueup.events import (
    BackedUp,
    BackupProgress,
    Checked,
    CrashFound,
    Event,
    Locked,
    RolledBack,
    StepFinished,
    StepStarted,
    Verified,
    Verifying,
    Waiting,
    Working,
)
from trueup.history_rows import Ended
from trueup.killed import clean_up
from trueup.limits import Limits
from trueup.noting import note_failure
from trueup.plans import Plan
from trueup.reporting import Listener
from trueup.reversing import WayBack, find_way_back
from trueup.run import Backup, Intent, Measured, Receipt, Run, Status
from trueup.sourcing import bring
from trueup.space import refuse_too_little
from trueup.stages import backups, failing, history, recording
from trueup.stages.compare import find_unlike
from trueup.stages.execute import execute_steps
from trueup.stages.verify import look_before, verify
from trueup.target import Target
from trueup.tidying import pack_backups, tidy_backups
from trueup.work import Work

_COMMITTING = 0.1
"""A commit cannot be interrupted. It takes about a twentieth of the time that the rows took to be written."""


@dataclass(slots=True, kw_only=True)
class Running:
    """One run while it goes on: what it works with, and what it has so far."""

    plan: Plan
    target: Target
    report: Listener
    limits: Limits
    kind: str
    now: Now
    started_at: datetime
    id: str = field(default_factory=lambda: os.urandom(6).hex())
    backup: Backup | None = None
    receipt: Receipt | None = None
    step_seconds: list[float] = field(default_factory=list)
    """Of the steps that were done."""
    step_began: float | None = None
    """When the step that goes on did, in seconds from the beginning."""
    other_seconds: dict[Work, float] = field(default_factory=dict)
    """How long the backup and the checks took."""
    way_back: WayBack = WayBack()
    """For the history: what takes the structure back."""
    warnings: list[str] = field(default_factory=list)
    needed: tuple[str, ...] | None = None
    """Ids of runs whose backups must stay; none while the history was not read."""
    removed: tuple[Backup, ...] = ()
    begun: bool = False
    """Whether all was ready for the first step."""

    def foregone(self) -> Run | None:
        """The outcome where there is nothing to carry out, or nothing that may be."""
        if self.plan.blocked:
            return self.outcome(Status.NEEDS_DECISION)
        if not self.plan.steps:
            return self.outcome(Status.IN_SYNC if self.plan.in_step else Status.NEEDS_DECISION)
        return None

    def carry_out(self) -> Run:
        try:
            self.plan.refuse_too_long(self.limits.seconds, backup=self.target.settings.backup)
            if self.plan.deletions and not self.target.settings.backup:
                raise BackupNeeded(rows=sum(deletion.rows for deletion in self.plan.deletions))
            self.limits.phase = "writing down the way back"
            with self.limits.listening(self._beat):
                self.way_back = aside(partial(find_way_back, self.plan, self.target.dialect()), self.limits)
                self._locked()
        except Exception as error:
            return self._failed(explained(error))
        return self.outcome(Status.UNDONE if self.plan.undoes else Status.MIGRATED)

    def _failed(self, error: TrueupError) -> Run:
        if isinstance(error, DatabaseDamaged):
            error = in_full(error, self.target)
        self.report(RolledBack(elapsed=self.limits.elapsed, error=error))
        return self.outcome(Status(error.status), error)

    def outcome(self, status: Status, error: TrueupError | None = None) -> Run:
        done = status in (Status.MIGRATED, Status.UNDONE)
        return Run(
            id=self.id,
            status=status,
            started_at=self.started_at,
            seconds=self.limits.elapsed,
            position=self.plan.position,
            plan=self.plan,
            operations_executed=len(self.plan.steps) if done else 0,
            backup=self.backup,
            receipt=self.receipt if done else None,
            step_seconds=tuple(self.step_seconds),
            measured=self._measured(),
            error=error,
            removed_backups=self.removed,
            warnings=(*self.plan.warnings, *self.warnings),
        )

    def _locked(self) -> None:
        dialect, settings = self.target.dialect(), self.target.settings
        self.limits.phase = "waiting for another migrator"
        intent = recording.intent(self.id, self.kind, self.now())
        with dialect.lock(intent, self.limits.within(settings.lock_timeout), self._waiting, self.limits) as killed:
            self.limits.check()
            try:
                self._connected(dialect, killed)
            except Exception:
                if self.backup is not None:
                    self.backup = catalogue.mark_failed(self.backup)
                raise
            else:
                self._pack(dialect)
            finally:
                self._tidy(dialect)

    def _connected(self, dialect: Dialect, killed: Intent | None) -> None:
        timeout = self.target.settings.lock_timeout
        if self.plan.source is not None:
            bring(self.plan.source, self.limits)
        connection = dialect.connect(write=True, timeout=timeout, source=self.plan.source)
        try:
            with connection.limited(self.limits), self.limits.explaining():
                self._in_transaction(connection, dialect, killed)
            self.limits.phase = "committing"
            self.report.too_late = True
            aside(partial(connection.commit, self.target.settings.lock_timeout, self.limits), self.limits)
            self.needed = (self.id,)
        except Exception as error:
            failed_after = None if self.step_began is None else self.limits.elapsed - self.step_began
            aside(connection.rollback, self.limits)
            self._record_failure(connection, explained(error), failed_after)
            raise
        finally:
            aside(connection.close, self.limits)

    def _in_transaction(self, connection: Connection, dialect: Dialect, killed: Intent | None) -> None:
        settings = self.target.settings
        own = (settings.history_table,)
        self.limits.phase = "waiting for other writers"
        connection.begin(self.limits.within(settings.lock_timeout))
        self._tell(Locked)
        completed = history.read_completed(connection, settings.history_table)
        self.needed = history.read_last_change(connection, settings.history_table)
        self.warnings += history.tell_takeover(connection, settings.history_table)
        if killed is not None:
            self._found_killed(killed, completed, dialect)
        if connection.schema(leave_out=own).fingerprint != self.plan.live.fingerprint:
            raise SchemaMoved()
        self._check_space(dialect)
        if self._makes_backup:
            with self._timed(Work.BACKUP):
                self._back_up(connection, dialect)  # whose copy is checked, and so the database
        else:
            self._check(connection)
        with self._timed(Work.CHECK):
            before = look_before(connection, self.plan)
        self.begun = True
        connection.define(self.plan.fills)
        proofs = execute_steps(connection, self.plan.steps, self.limits, self._note)
        self.limits.phase = "verifying the result"
        self._tell(Verifying)
        with self._timed(Work.CHECK):
            self.receipt = receipt = verify(connection, self.plan, before, proofs, own, find_unlike)
        self.report(Verified(elapsed=self.limits.elapsed, receipt=receipt))
        if killed is not None and killed.run_id not in completed:
            failing.record_interrupted(connection, settings.history_table, killed, self.now())
        self._record(connection, receipt)
        self.limits.release()
        self.limits.check(ahead=_COMMITTING * sum(self.step_seconds))

    def _found_killed(self, killed: Intent, completed: Collection[str], dialect: Dialect) -> None:
        sentence = clean_up(killed, completed, self.target, dialect)
        self.warnings.append(sentence)
        self.report(CrashFound(elapsed=self.limits.elapsed, sentence=sentence))
        self._tidy(dialect)

    def _tidy(self, dialect: Dialect) -> None:
        """Whatever came of the run, its backup is one more. It may be committed, so nothing here makes it fail.

        One that ended before it could read the history made none, and cannot tell what an undo needs.
        """
        if self.needed is None:
            return
        try:
            tidied = tidy_backups(self.target, dialect, self.needed, self.now())
            self.removed = tidied.removed
            self.warnings += [tidied.warning] if tidied.warning else []
        except Exception as error:
            self.warnings.append(f"old backups could not be removed: {error}")

    def _pack(self, dialect: Dialect) -> None:
        """The run is done and committed, whatever happens here."""
        try:
            self.warnings += pack_backups(self.target, dialect, self.needed or (), self.now(), self.limits)
        except Exception as error:
            self.warnings.append(f"older backups were not packed: {error}")

    def _check_space(self, dialect: Dialect) -> None:
        """For the backup; for the rows that are written; and for a journal that may take all of them once more.

        A backup that shares its blocks with the database needs its room as soon as the run writes to these.
        """
        written = sum(step.load.bytes for step in self.plan.steps if step.load and step.writes_rows)
        needs = [(dialect.home.parent, 2 * written)]
        if self._makes_backup:
            needs.append((self.target.backup_directory(dialect), dialect.size()))
        refuse_too_little("The run", needs)

    @property
    def _makes_backup(self) -> bool:
        """A database without a table has nothing that could be lost."""
        return self.target.settings.backup and bool(self.plan.live.tables)

    def _check(self, connection: Connection) -> None:
        self.limits.phase = "checking the database"
        complaints = connection.integrity()
        if complaints:
            raise DatabaseDamaged(database=self.plan.database, reason=complaints[0])
        self._tell(Checked)

    def _back_up(self, connection: Connection, dialect: Dialect) -> None:
        self.limits.phase = "making the backup"
        order = backups.Order(
            connection=connection,
            dialect=dialect,
            directory=self.target.backup_directory(dialect),
            now=self.now(),
            run_id=self.id,
            version=__version__,
            limits=self.limits,
            progress=lambda done, total: self.report(
                BackupProgress(elapsed=self.limits.elapsed, done=done, total=total)
            ),
        )
        self.backup = backups.make_backup(order, thorough=self.target.settings.backup_full_check)
        self.report(BackedUp(elapsed=self.limits.elapsed, backup=self.backup))

    def _record(self, connection: Connection, receipt: Receipt) -> None:
        recording.record_run(
            connection,
            self.target.settings.history_table,
            self._ended(),
            plan=self.plan,
            schema_after=connection.fingerprint(leave_out=(self.target.settings.history_table,)),
            step_seconds=self.step_seconds,
            measured=self._measured(),
            backup=self.backup,
            receipt=receipt,
            undo_sql=self.way_back.script,
            step_undo_sql=self.way_back.steps,
        )

    def _ended(self) -> Ended:
        return Ended(
            run_id=self.id,
            kind=self.kind,
            started_at=self.started_at,
            finished_at=self.now(),
            version=__version__,
        )

    def _record_failure(self, connection: Connection, error: TrueupError, failed_after: float | None) -> None:
        """Only what went wrong when all was ready: before that, nothing was to be undone."""
        if not self.begun:
            return
        record = partial(
            failing.record_failed,
            connection,
            self.target.settings.history_table,
            self._ended(),
            plan=self.plan,
            error=str(error),
            step_seconds=self.step_seconds,
            failed_after=failed_after,
            backup=self.backup,
        )
        self.warnings += note_failure(connection, error, record)

    def _waiting(self, holder: str) -> None:
        self.report(Waiting(elapsed=self.limits.elapsed, holder=holder))

    def _beat(self) -> None:
        self.report(Working(elapsed=self.limits.elapsed, phase=self.limits.phase))

    def _tell(self, event: type[Locked | Checked | Verifying]) -> None:
        self.report(event(elapsed=self.limits.elapsed))

    def _note(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.step_began = event.elapsed
        if isinstance(event, StepFinished):
            self.step_began = None
            self.step_seconds.append(event.seconds)
        self.report(event)

    @contextmanager
    def _timed(self, work: Work) -> Iterator[None]:
        began = self.limits.elapsed
        yield
        self.other_seconds[work] = self.other_seconds.get(work, 0.0) + self.limits.elapsed - began

    def _measured(self) -> tuple[Measured, ...]:
        seconds = self.other_seconds
        return tuple(
            Measured(load=load, seconds=seconds[load.work]) for load in self.plan.loads if load.work in seconds
        )
