"""The two verbs. ``plan`` reads both sides and says what would be done; ``apply`` does it or changes nothing.

This file composes the stages and reads like the picture in docs/architecture.md; what a step of it means stands in the
stage of that name.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from trueup._version import __version__
from trueup.changes import Change, DropColumn, DropTable, RenameColumn, RenameTable
from trueup.decisions import Decision, Rename, read_decisions
from trueup.dialect import Connection, Dialect, PythonDefault
from trueup.dialects import dialect_for
from trueup.errors import (
    DatabaseDamaged,
    EstimateTooLong,
    NoTarget,
    PlanNotProved,
    SchemaMoved,
    TrueupError,
    Unexpected,
)
from trueup.events import (
    BackedUp,
    BackupProgress,
    Checked,
    Event,
    Finished,
    Locked,
    Report,
    RolledBack,
    Started,
    StepFinished,
    Verified,
    Verifying,
    Waiting,
    ignore,
)
from trueup.job import Job
from trueup.limits import Limits
from trueup.plan import Assessment, Fill, Plan, Policy, RenameCandidate, Step, Verdict
from trueup.run import Backup, Receipt, Run, Status
from trueup.schema import Schema, StoredObject, Table
from trueup.settings import Settings
from trueup.stages import backups, history
from trueup.stages.assess import Circumstances, Judgement, assess
from trueup.stages.compare import compare
from trueup.stages.estimate import estimate_backup, estimate_steps
from trueup.stages.evolve import evolve
from trueup.stages.execute import execute_steps
from trueup.stages.fills import find_fill
from trueup.stages.models import Models, load_models, python_default, renames_in_models
from trueup.stages.renames import find_renames
from trueup.stages.settle import settle
from trueup.stages.verify import look_before, verify

Now = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A database and the models it is to be true to.

    Args:
        url: any SQLAlchemy URL; never shown with its password.
        models: ``"package.module:Base"``, ``"path/to/file.py:Base"``, or an object: a ``MetaData``, a declarative base,
            an SQLModel class, or a list of these.
        settings: everything else.
    """

    url: str = field(repr=False)
    models: object
    settings: Settings = Settings()

    @classmethod
    def from_settings(cls, settings: Settings, models: object = None) -> Target:
        """The target that the settings name.

        Args:
            settings: name the database, and the models unless these are given.
            models: instead of those that the settings name.

        Raises:
            NoTarget: they name no database or no models.
        """
        looked = (
            "the command line, TRUEUP_* and DATABASE_URL in the environment, trueup.toml and pyproject.toml in"
            f" {settings.base} and above"
        )
        if not settings.url:
            raise NoTarget(what="database", looked=looked, option="--url sqlite:///app.db")
        if models is None and not settings.models:
            raise NoTarget(what="models", looked=looked, option="--models package.module:Base")
        return cls(url=settings.url, models=settings.models if models is None else models, settings=settings)

    def dialect(self) -> Dialect:
        return dialect_for(self.url, self.settings.base)

    def backup_directory(self, dialect: Dialect) -> Path:
        given = self.settings.backup_dir
        return self.settings.base / given if given else dialect.home / "backups"


# -- plan --------------------------------------------------------------------------------------------------------------


def plan(
    target: Target,
    *,
    policy: Policy | None = None,
    decisions: Sequence[Decision] | None = None,
    leave_out: Collection[str] = (),
) -> Plan:
    """Compare the database with the models and say what would be done. Writes nothing to the database.

    Args:
        target: the database and the models.
        policy: what may be applied without a person; the settings' when not given.
        decisions: what people decided; read from the decisions file when not given.
        leave_out: ids of changes that are not to be made this time.

    Raises:
        ConfigurationError: the models, the URL or the decisions cannot be used.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
    """
    settings = target.settings
    policy = Policy(policy or settings.policy)
    dialect = target.dialect()
    models = load_models(target.models, settings.base)
    wanted = dialect.wanted(models.metadatas, models.spec)
    decided = tuple(decisions) if decisions is not None else read_decisions(settings.decisions)
    connection = dialect.connect(write=False, timeout=settings.lock_timeout)
    try:
        survey = _survey(connection, dialect, models, wanted, decided, settings)
        judgements = _spare(survey, _judge(survey, policy, leave_out))
        return _compose(survey, judgements, policy)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    """What was found on both sides, before any verdict."""

    connection: Connection
    dialect: Dialect
    models: Models
    settings: Settings
    decisions: tuple[Decision, ...]
    live: Schema
    wanted: Schema
    renames: tuple[RenameTable | RenameColumn, ...]
    base: Schema
    """The live schema as it is after the renames."""
    changes: tuple[Change, ...]


def _survey(
    connection: Connection,
    dialect: Dialect,
    models: Models,
    wanted: Schema,
    decisions: tuple[Decision, ...],
    settings: Settings,
) -> _Survey:
    live = connection.schema(leave_out=(settings.history_table,))
    managed = history.read_managed(connection, settings.history_table)
    renames = tuple(_renames(live, wanted, decisions, models))
    base = live
    if renames:
        statements = [item.sql for step in dialect.write(live, live, renames) for item in step.statements]
        base = dialect.after(live, statements)
    owned = [
        table.name
        for table in base.tables
        if table.name in managed
        or any(fnmatchcase(table.name.lower(), pattern.lower()) for pattern in settings.owned_tables)
    ]
    return _Survey(
        connection=connection,
        dialect=dialect,
        models=models,
        settings=settings,
        decisions=decisions,
        live=live,
        wanted=wanted,
        renames=renames,
        base=base,
        changes=compare(base, wanted, owned),
    )


def _renames(
    live: Schema, wanted: Schema, decisions: Sequence[Decision], models: Models
) -> Iterator[RenameTable | RenameColumn]:
    """Renames that were decided, in the file or in the models, and are still to be done; tables first."""
    asked = [(item.table, item.column, item.to) for item in decisions if isinstance(item, Rename)]
    asked += renames_in_models(models)
    moved: dict[str, str] = {}
    for table, column, to in asked:
        if column is None and live.table(table) and not live.table(to) and wanted.table(to) and not wanted.table(table):
            moved[to.lower()] = table
            yield RenameTable(table=table, to=to)
    done: set[tuple[str, str]] = set()
    for table, column, to in asked:
        new, old = wanted.table(table), live.table(moved.get(table.lower(), table))
        if column is None or new is None or old is None or (table.lower(), to.lower()) in done:
            continue
        if old.column(column) and not old.column(to) and new.column(to) and not new.column(column):
            done.add((table.lower(), to.lower()))
            yield RenameColumn(table=table, column=column, to=to)


def _judge(survey: _Survey, policy: Policy, leave_out: Collection[str]) -> list[Judgement]:
    here = Circumstances(
        live=survey.base,
        wanted=survey.wanted,
        policy=policy,
        decisions=survey.decisions,
        candidates=[item for item in find_renames(survey.changes) if _open_question(item, survey)],
        left_out=leave_out,
    )
    probe = survey.connection.probe(survey.renames)
    fills = partial(
        find_fill,
        decisions=survey.decisions,
        wanted=survey.wanted,
        python_default=_defaults_of(survey),
        literal=survey.dialect.literal,
    )
    return [assess(change, here, probe, fills) for change in survey.changes]


def _open_question(candidate: RenameCandidate, survey: _Survey) -> bool:
    """Nobody answered it yet, and there are values that a rename would save."""
    if any(decision.object.lower() == candidate.object.lower() for decision in survey.decisions):
        return False
    probe = survey.connection.probe(survey.renames)
    if candidate.column:
        return probe.not_null(candidate.table, candidate.column) > 0
    return probe.rows(candidate.table) > 0


def _defaults_of(survey: _Survey) -> Callable[[str, str], PythonDefault | None]:
    def default(table: str, column: str) -> PythonDefault | None:
        return python_default(survey.models, table, column, survey.dialect.sqlalchemy_dialect())

    return default


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What would be run for a set of verdicts."""

    assessments: tuple[Assessment, ...]
    steps: tuple[Step, ...]
    fills: tuple[Fill, ...]
    target: Schema

    @property
    def statements(self) -> list[str]:
        return [statement.sql for step in self.steps for statement in step.statements]


def _work(survey: _Survey, judgements: Sequence[Judgement]) -> _Work:
    assessments = settle([item.assessment for item in judgements])
    applied = [item.change for item in assessments if item.verdict is Verdict.APPLY]
    left = [item.change for item in assessments if item.verdict is not Verdict.APPLY]
    relaxations = [item.relaxation for item in judgements if item.relaxation is not None]
    fills = tuple(item.fill for item in judgements if item.fill is not None and item.assessment.change in applied)
    target = evolve(survey.base, survey.wanted, [*applied, *relaxations], left)
    changes = [*survey.renames, *applied, *relaxations]
    steps = survey.dialect.write(survey.base, target, changes, fills, _inexact(assessments))
    return _Work(assessments=assessments, steps=tuple(steps), fills=fills, target=target)


def _inexact(assessments: Sequence[Assessment]) -> set[tuple[str, str]]:
    """Columns whose values a new type alters, which the policy allows."""
    return {
        (item.change.table, item.change.label)
        for item in assessments
        if item.verdict is Verdict.APPLY and any(hazard.rule == "altered-values" for hazard in item.hazards)
    }


def _spare(survey: _Survey, judgements: Sequence[Judgement]) -> list[Judgement]:
    """The same judgements, with every drop blocked that would break a view or a trigger."""
    drops = [item for item in judgements if isinstance(item.assessment.change, DropColumn | DropTable)]
    if not survey.live.objects or not any(item.assessment.verdict is Verdict.APPLY for item in drops):
        return list(judgements)
    work = _work(survey, judgements)
    try:
        names = survey.dialect.breaks(survey.live, work.statements, work.fills)
    except Exception as error:
        raise PlanNotProved(problem=str(error)) from error
    broken = [item for item in survey.base.objects if item.name in names]
    return [_spared(item, broken) for item in judgements]


def _spared(judgement: Judgement, broken: Sequence[StoredObject]) -> Judgement:
    change = judgement.assessment.change
    if not isinstance(change, DropColumn | DropTable) or judgement.assessment.verdict is not Verdict.APPLY:
        return judgement
    name = (change.label or change.table).lower()
    needed_by = next((item for item in broken if name in item.sql.lower()), None)
    if needed_by is None:
        return judgement
    blocked = replace(
        judgement.assessment,
        verdict=Verdict.BLOCKED,
        reason=f"the {needed_by.kind} {needed_by.name} needs it",
        remedy=f"drop or change the {needed_by.kind} {needed_by.name} first, or keep what it needs",
    )
    return Judgement(blocked)


def _compose(survey: _Survey, judgements: Sequence[Judgement], policy: Policy) -> Plan:
    work = _work(survey, judgements) if policy is not Policy.CHECK else _nothing(survey, judgements)
    assessments = (*_judged_renames(survey, policy), *work.assessments)
    return Plan(
        database=survey.dialect.database,
        models=survey.models.spec,
        policy=policy,
        assessments=assessments,
        steps=estimate_steps(work.steps, survey.base, survey.connection.probe(survey.renames).rows),
        fills=work.fills,
        live=survey.live,
        expected=_prove(survey, work),
        wanted=survey.wanted,
        managed=tuple(table.name for table in survey.wanted.tables),
        unmanaged=tuple(_unmanaged(survey)),
        unsupported=tuple(_unsupported(survey)),
        warnings=tuple(_warnings(assessments)),
        preamble=survey.dialect.preamble(),
        backup_estimate=estimate_backup(survey.connection.size()),
    )


def _nothing(survey: _Survey, judgements: Sequence[Judgement]) -> _Work:
    """Only compared: even a rename that was decided is not made."""
    return _Work(assessments=tuple(item.assessment for item in judgements), steps=(), fills=(), target=survey.live)


def _prove(survey: _Survey, work: _Work) -> Schema:
    """The schema that the steps lead to, found by running them on an empty copy of the live one."""
    if not work.steps:
        return survey.live
    try:
        expected = survey.dialect.after(survey.live, work.statements, work.fills)
    except Exception as error:
        raise PlanNotProved(problem=str(error)) from error
    differences = [*compare(work.target, expected), *compare(expected, work.target)]
    broken = [
        table.unsupported for table in expected.tables if table.unsupported and not _was_unsupported(table, survey)
    ]
    if differences or broken:
        raise PlanNotProved(problem=differences[0].sentence if differences else broken[0])
    return expected


def _was_unsupported(table: Table, survey: _Survey) -> bool:
    sides = (survey.live.table(table.name), survey.wanted.table(table.name))
    return any(side is not None and side.unsupported is not None for side in sides)


def _judged_renames(survey: _Survey, policy: Policy) -> list[Assessment]:
    verdict = Verdict.BEYOND_POLICY if policy is Policy.CHECK else Verdict.APPLY
    return [Assessment(change=change, verdict=verdict) for change in survey.renames]


def _unmanaged(survey: _Survey) -> Iterator[str]:
    known = {change.table.lower() for change in survey.changes if change.kind == "DropTable"}
    known |= {table.name.lower() for table in survey.wanted.tables}
    yield from (table.name for table in survey.base.tables if table.name.lower() not in known)
    yield from (item.name for item in survey.live.objects if item.kind == "virtual")


def _unsupported(survey: _Survey) -> Iterator[str]:
    for side, schema in (("database", survey.live), ("models", survey.wanted)):
        for table in schema.tables:
            if table.unsupported and survey.wanted.table(table.name):
                yield f"table {table.name} is left alone: in the {side} {table.unsupported}"


def _warnings(assessments: Sequence[Assessment]) -> Iterator[str]:
    for item in assessments:
        if item.verdict is Verdict.APPLY:
            yield from (
                f"{item.change.sentence}: {hazard.sentence}" for hazard in item.hazards if hazard.severity == "loses"
            )
        elif item.verdict is Verdict.RETIRE:
            yield f"{item.change.sentence}: {item.reason}"


# -- apply -------------------------------------------------------------------------------------------------------------


def apply(
    plan: Plan,
    target: Target,
    *,
    report: Report = ignore,
    limits: Limits | None = None,
    kind: str = "manual",
    now: Now = utc_now,
) -> Run:
    """Carry out the plan in one transaction: locked, backed up, verified before the commit, recorded.

    Args:
        plan: from :func:`plan`, for the same target.
        target: the database and the models.
        report: is told every move, in the calling thread.
        limits: when to stop; the settings' time limit when not given.
        kind: ``"manual"`` or ``"auto"``, for the history.
        now: the clock.

    Returns:
        The outcome. A failure is one too: it says why, and that the database is as it was.
    """
    limits = limits or Limits(target.settings.time_limit)
    run = _Running(plan=plan, target=target, report=report, limits=limits, kind=kind, now=now, started_at=now())
    report(Started(elapsed=limits.elapsed, run_id=run.id, plan=plan, time_limit=limits.seconds))
    if plan.blocked:
        outcome = run.outcome(Status.NEEDS_DECISION)
    elif not plan.steps:
        outcome = run.outcome(Status.IN_SYNC if plan.in_step else Status.NEEDS_DECISION)
    else:
        outcome = run.carry_out()
    report(Finished(elapsed=limits.elapsed, run=outcome))
    return outcome


def start(plan: Plan, target: Target, *, limits: Limits | None = None, now: Now = utc_now) -> Job:
    """Like :func:`apply`, in a thread of its own. The job is already running when this returns."""
    limits = limits or Limits(target.settings.time_limit)
    job = Job(lambda report, limits: apply(plan, target, report=report, limits=limits, now=now), limits)
    job.start()
    return job


@dataclass(kw_only=True)
class _Running:
    """One run while it goes on: what it works with, and what it has so far."""

    plan: Plan
    target: Target
    report: Report
    limits: Limits
    kind: str
    now: Now
    started_at: datetime
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    backup: Backup | None = None
    receipt: Receipt | None = None
    step_seconds: list[float] = field(default_factory=list)

    def carry_out(self) -> Run:
        try:
            if self.limits.seconds is not None and self.plan.estimate > self.limits.seconds:
                raise EstimateTooLong(estimate=self.plan.estimate, limit=self.limits.seconds)
            self._locked()
        except TrueupError as error:
            return self._failed(error)
        except Exception as error:
            unexpected = Unexpected(reason=f"{type(error).__name__}: {error}")
            unexpected.__cause__ = error
            return self._failed(unexpected)
        return self.outcome(Status.MIGRATED)

    def _failed(self, error: TrueupError) -> Run:
        self.report(RolledBack(elapsed=self.limits.elapsed, error=error))
        return self.outcome(Status(error.status), error)

    def outcome(self, status: Status, error: TrueupError | None = None) -> Run:
        done = status is Status.MIGRATED
        return Run(
            id=self.id,
            status=status,
            started_at=self.started_at,
            seconds=self.limits.elapsed,
            plan=self.plan,
            operations_executed=len(self.plan.steps) if done else 0,
            backup=self.backup,
            receipt=self.receipt if done else None,
            error=error,
            warnings=self.plan.warnings,
        )

    def _locked(self) -> None:
        dialect, settings = self.target.dialect(), self.target.settings
        self.limits.phase = "waiting for another migrator"
        with dialect.lock(self.limits.within(settings.lock_timeout), self._waiting):
            self.limits.check()
            connection = dialect.connect(write=True, timeout=settings.lock_timeout)
            try:
                with connection.limited(self.limits), self._interruptions():
                    self._in_transaction(connection, dialect)
                connection.commit()
            finally:
                connection.close()

    def _in_transaction(self, connection: Connection, dialect: Dialect) -> None:
        settings = self.target.settings
        own = (settings.history_table,)
        self.limits.phase = "waiting for other writers"
        connection.begin(self.limits.within(settings.lock_timeout))
        self._tell(Locked)
        if connection.schema(leave_out=own).fingerprint != self.plan.live.fingerprint:
            raise SchemaMoved()
        self.limits.phase = "checking the database"
        complaints = connection.integrity()
        if complaints:
            raise DatabaseDamaged(database=self.plan.database, reason=complaints[0])
        self._tell(Checked)
        if settings.backup and self.plan.live.tables:
            self._back_up(connection, dialect)
        before = look_before(connection, self.plan)
        connection.define(self.plan.fills)
        proofs = execute_steps(connection, self.plan.steps, self.limits, self._note)
        self.limits.phase = "verifying the result"
        self._tell(Verifying)
        self.receipt = verify(connection, self.plan, before, proofs, own, compare)
        self.report(Verified(elapsed=self.limits.elapsed, receipt=self.receipt))
        self._record(connection)
        self.limits.check()

    def _back_up(self, connection: Connection, dialect: Dialect) -> None:
        self.limits.phase = "making the backup"
        self.backup = backups.make_backup(
            connection,
            dialect,
            self.target.backup_directory(dialect),
            now=self.now(),
            run_id=self.id,
            version=__version__,
            limits=self.limits,
            progress=lambda done, total: self.report(
                BackupProgress(elapsed=self.limits.elapsed, done=done, total=total)
            ),
        )
        self.report(BackedUp(elapsed=self.limits.elapsed, backup=self.backup))

    def _record(self, connection: Connection) -> None:
        assert self.receipt is not None
        history.record_run(
            connection,
            self.target.settings.history_table,
            run_id=self.id,
            kind=self.kind,
            plan=self.plan,
            started_at=self.started_at,
            finished_at=self.now(),
            step_seconds=self.step_seconds,
            backup=self.backup,
            receipt=self.receipt,
            version=__version__,
        )

    def _waiting(self, holder: str) -> None:
        self.report(Waiting(elapsed=self.limits.elapsed, holder=holder))

    def _tell(self, event: type[Locked | Checked | Verifying]) -> None:
        self.report(event(elapsed=self.limits.elapsed))

    def _note(self, event: Event) -> None:
        if isinstance(event, StepFinished):
            self.step_seconds.append(event.seconds)
        self.report(event)

    @contextmanager
    def _interruptions(self) -> Iterator[None]:
        """An interrupted statement raises the driver's error; what it means is that the limits ended the run."""
        try:
            yield
        except TrueupError:
            raise
        except Exception:
            self.limits.check()
            raise


# -- backups -----------------------------------------------------------------------------------------------------------


def list_backups(target: Target) -> tuple[Backup, ...]:
    """The backups of the target's database, newest first."""
    return backups.list_backups(target.backup_directory(target.dialect()))


def verify_backup(backup: Backup, target: Target, *, now: Now = utc_now) -> Backup:
    """Read a backup again and check it; the answer is also kept beside it.

    Returns:
        The backup, with ``problem`` empty when it is good.
    """
    return backups.verify_backup(backup, target.dialect(), now())
