"""Bring back a backup: the whole database as it was, with the present one saved first and the history kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from trueup import catalogue
from trueup._version import __version__
from trueup.aside import aside
from trueup.clock import Now
from trueup.dialect import Connection, Dialect, Standstill
from trueup.errors import (
    BackupNotGood,
    DatabaseDamaged,
    RestoreNotProved,
    TrueupError,
    explained,
)
from trueup.events import (
    BackedUp,
    BackupProgress,
    Checked,
    CrashFound,
    Locked,
    RestoreProgress,
    RolledBack,
    Verifying,
    Waiting,
    Working,
)
from trueup.history_rows import Ended
from trueup.killed import clean_up
from trueup.limits import Limits
from trueup.noting import note_failure
from trueup.reporting import Listener
from trueup.run import Backup, Intent, Run, Status
from trueup.space import refuse_too_little
from trueup.stages import backups, failing, history, recheck, recording
from trueup.target import Target
from trueup.text import counted

Records = Sequence[Mapping[str, Any]]
"""Rows of the history."""


@dataclass(slots=True, kw_only=True)
class Restoring:
    """One restore while it goes on."""

    backup: Backup
    target: Target
    report: Listener
    limits: Limits
    now: Now
    started_at: datetime
    id: str = field(default_factory=lambda: os.urandom(6).hex())
    saved: Backup | None = None
    promised: str = ""
    """Fingerprint of the schema that the database is to have, without the history."""
    warnings: list[str] = field(default_factory=list)

    def carry_out(self) -> Run:
        try:
            with self.limits.listening(self._beat):
                self._locked(self.target.dialect())
        except Exception as error:
            known = explained(error)
            self.report(RolledBack(elapsed=self.limits.elapsed, error=known))
            return self._outcome(Status(known.status), known)
        return self._outcome(Status.RESTORED)

    def _outcome(self, status: Status, error: TrueupError | None = None) -> Run:
        return Run(
            id=self.id,
            status=status,
            started_at=self.started_at,
            seconds=self.limits.elapsed,
            backup=self.saved,
            restored=self.backup if error is None else None,
            error=error,
            warnings=tuple(self.warnings),
        )

    def _locked(self, dialect: Dialect) -> None:
        timeout = self.target.settings.lock_timeout
        self.limits.phase = "waiting for another migrator"
        intent = recording.intent(self.id, "restore", self.now())
        with dialect.lock(intent, self.limits.within(timeout), self._waiting, self.limits) as killed:
            try:
                self._alone(dialect, killed)
            except Exception as error:
                self._record_failure(dialect, explained(error))
                raise

    def _alone(self, dialect: Dialect, killed: Intent | None) -> None:
        self._check_backup(dialect)
        self._check_space(dialect)
        self._make_way(dialect)
        self.limits.phase = "waiting for other writers"
        timeout = self.limits.within(self.target.settings.lock_timeout)
        with dialect.standstill(timeout, self.limits) as still:
            self.report(Locked(elapsed=self.limits.elapsed))
            records = self._read_history(still.connection)
            if killed is not None:
                self._found_killed(killed, records, dialect)
            self._replace(still, dialect, records, killed)

    def _record_failure(self, dialect: Dialect, error: TrueupError) -> None:
        """In whatever database there is now: the one from before, or that of the backup where its proof failed."""
        if not dialect.size():
            return
        try:
            connection = dialect.connect(write=True, timeout=self.target.settings.lock_timeout)
        except TrueupError:  # nothing can be written there, and the restore's own error is what must be told
            return
        record = partial(
            failing.record_failed_restore,
            connection,
            self.target.settings.history_table,
            self._ended(),
            restored=self.backup,
            saved=self.saved,
            error=str(error),
        )
        try:
            self.warnings += note_failure(connection, error, record)
        finally:
            connection.close()

    def _found_killed(self, killed: Intent, records: Records, dialect: Dialect) -> None:
        completed = [record["run_id"] for record in records if record["status"] == "completed"]
        sentence = clean_up(killed, completed, self.target, dialect)
        self.warnings.append(sentence)
        self.report(CrashFound(elapsed=self.limits.elapsed, sentence=sentence))

    def _check_backup(self, dialect: Dialect) -> None:
        self.limits.phase = "checking the backup"
        checked = recheck.verify_backup(self.backup, dialect, self.now(), self.limits)
        if checked.problem:
            good = catalogue.name_good(self.target.backup_directory(dialect), dialect) or "none"
            raise BackupNotGood(backup=self.backup.id, problem=checked.problem, good=good)
        self.report(Checked(elapsed=self.limits.elapsed))

    def _check_space(self, dialect: Dialect) -> None:
        """The working copy and the saved present one lie beside the backups, the journal beside the database."""
        present = dialect.size()
        beside = (self.backup.path.parent, self.backup.size + present)
        refuse_too_little("The restore", [beside, (dialect.home.parent, self.backup.size)])

    def _make_way(self, dialect: Dialect) -> None:
        """What is no database at all cannot be replaced through the database; it is kept under another name."""
        try:
            dialect.connect(write=True, timeout=self.target.settings.lock_timeout).close()
        except DatabaseDamaged:
            kept = dialect.move_aside(f"damaged-{self.now():%Y%m%d-%H%M%S}")
            self.warnings.append(f"the file that was no database any more is kept as {kept}")

    def _replace(self, still: Standstill, dialect: Dialect, records: Records, killed: Intent | None) -> None:
        own = (self.target.settings.history_table,)
        with still.connection.limited(self.limits), self.limits.explaining():
            self.saved = self._save_present(still.connection, dialect)
        with self._prepared(dialect, records, killed) as path:
            self.limits.phase = "replacing the database"
            self.report.too_late = True
            still.replace_with(path, self.limits, self._replacing)
        self.limits.phase = "verifying the result"
        self.report(Verifying(elapsed=self.limits.elapsed))
        problem = aside(lambda: self._first_problem(still, own), self.limits)  # too late to end anything
        if problem:
            saved = self.saved.id if self.saved else "none"
            raise RestoreNotProved(backup=self.backup.id, problem=problem, saved=saved)

    def _save_present(self, connection: Connection, dialect: Dialect) -> Backup | None:
        if not self.target.settings.backup or not dialect.size():
            return None
        self.limits.phase = "saving the present database"
        order = backups.Order(
            connection=connection,
            dialect=dialect,
            directory=self.target.backup_directory(dialect),
            now=self.now(),
            run_id=self.id,
            version=__version__,
            limits=self.limits,
            progress=self._saving,
        )
        saved = backups.keep_damaged(order) if self._is_damaged(connection) else backups.make_backup(order)
        self.report(BackedUp(elapsed=self.limits.elapsed, backup=saved))
        return saved

    @contextmanager
    def _prepared(self, dialect: Dialect, records: Records, killed: Intent | None) -> Iterator[Path]:
        """The backup's content with the history of the present database, and with this restore noted in it.

        So the history never loses what happened since, and one transaction brings the content and its record.
        """
        name = self.target.settings.history_table
        self.limits.phase = "copying the backup"
        with backups.working_copy(self.backup, dialect, self.now(), self.limits) as path:
            copy = dialect.open_copy(path, write=True)
            try:
                copy.begin(0.0)
                taken_back = recording.carry_over(copy, name, records)
                if killed is not None and killed.run_id not in history.read_completed(copy, name):
                    failing.record_interrupted(copy, name, killed, self.now())
                recording.record_restore(
                    copy,
                    name,
                    self._ended(),
                    restored=self.backup,
                    saved=self.saved,
                    taken_back=taken_back,
                    schema_after=copy.fingerprint(leave_out=(name,)),
                )
                aside(copy.commit, self.limits)
                self.promised = copy.fingerprint(leave_out=(name,))
            finally:
                copy.close()
            yield path

    def _ended(self) -> Ended:
        return Ended(
            run_id=self.id,
            kind="restore",
            started_at=self.started_at,
            finished_at=self.now(),
            version=__version__,
        )

    def _read_history(self, present: Connection) -> Records:
        """Damage there is no reason to keep the whole database as it is."""
        try:
            return history.read_records(present, self.target.settings.history_table)
        except DatabaseDamaged:
            self.warnings.append("the history of the damaged database cannot be read; that of the backup goes on")
            return []

    def _first_problem(self, still: Standstill, own: tuple[str, ...]) -> str | None:
        """That something cannot be read is one, too: nothing can be rolled back any more."""
        try:
            return next(self._problems(still, own), None)
        except Exception as error:
            return f"it cannot be read ({error})"

    def _problems(self, still: Standstill, own: tuple[str, ...]) -> Iterator[str]:
        """What differs from the backup. Rows are counted only where nobody can have written in between."""
        live = still.connection
        if live.fingerprint(leave_out=own) != self.promised:
            yield "its schema is another one"
        yield from live.integrity()
        tables = [name for name in self.backup.row_counts if name not in own] if still.lasts else []
        for table in tables:
            if live.count(table) != self.backup.row_counts[table]:
                yield f"{table} has {counted(live.count(table))}, not {self.backup.row_counts[table]}"

    def _is_damaged(self, connection: Connection) -> bool:
        try:
            return bool(connection.integrity())
        except TrueupError:
            self.limits.check()  # a check that was ended tells nothing
            return True

    def _beat(self) -> None:
        self.report(Working(elapsed=self.limits.elapsed, phase=self.limits.phase))

    def _waiting(self, holder: str) -> None:
        self.report(Waiting(elapsed=self.limits.elapsed, holder=holder))

    def _saving(self, done: int, total: int) -> None:
        self.report(BackupProgress(elapsed=self.limits.elapsed, done=done, total=total))

    def _replacing(self, done: int, total: int) -> None:
        self.report(RestoreProgress(elapsed=self.limits.elapsed, done=done, total=total))
