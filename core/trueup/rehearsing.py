"""Carry a plan out on a copy of the real database, by the very code of a real run, and see what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from trueup.applying import Running
from trueup.clock import Now, utc_now
from trueup.dialect import Dialect
from trueup.errors import EstimateTooLong, NotSettled, RehearsalFailed, TrueupError, explained
from trueup.events import CopyProgress, Event, Finished, RehearsalStarted, Rehearsed, Started
from trueup.flow import apply, plan
from trueup.job import Job
from trueup.limits import Limits
from trueup.plans import Assessment, Plan
from trueup.reporting import Listener, Report, ignore
from trueup.run import Rehearsal, Run, Status
from trueup.space import existing, refuse_too_little
from trueup.target import Target
from trueup.throwaway import Kind, throwaway

_GROWTH = 2.3
"""What a rebuild needs beside a database, journal included, in sizes of the database; measured."""


def rehearse(
    plan: Plan,
    target: Target,
    *,
    report: Report = ignore,
    limits: Limits | None = None,
    now: Now = utc_now,
) -> Rehearsal:
    """Copy the database, apply the plan to the copy, plan again for it, and take the copy away, whatever happens.

    The database itself is only read: neither a row nor its history changes, and nobody is kept from writing for long.

    Args:
        plan: from :func:`trueup.plan`, for the same target.
        target: the database and the models.
        report: is told every move, in the calling thread; the last event is :class:`~trueup.events.Rehearsed`.
        limits: when to stop; no time limit when not given, since to know how long it takes is what it is for.
        now: the clock.

    Returns:
        What would happen. A failure is one too: it says why.
    """
    limits = limits or Limits()
    report(RehearsalStarted(elapsed=limits.elapsed, plan=plan))
    outcome = _Rehearsing(plan=plan, target=target, report=report, limits=limits, now=now).carry_out()
    report(Rehearsed(elapsed=limits.elapsed, rehearsal=outcome))
    return outcome


def start_rehearsal(plan: Plan, target: Target, *, limits: Limits | None = None) -> Job:
    """Like :func:`rehearse`, in a thread of its own. The job is already running when this returns."""
    limits = limits or Limits()
    job = Job(lambda report, limits: rehearse(plan, target, report=report, limits=limits), limits)
    job.start()
    return job


@dataclass(slots=True, kw_only=True)
class _Rehearsing:
    """One rehearsal while it goes on."""

    plan: Plan
    target: Target
    report: Report
    limits: Limits
    now: Now
    copying: float = 0.0
    remaining: tuple[Assessment, ...] = field(default=())

    def carry_out(self) -> Rehearsal:
        run = self._run_on_copy()
        measured = self._with_measured(run) if run.success and run.step_seconds else self.plan
        return Rehearsal(
            run=run,
            plan=measured,
            remaining=self.remaining,
            copying=self.copying,
            error=run.error or (self._too_long(measured) if run.success else None),
        )

    def _run_on_copy(self) -> Run:
        started = Running(
            plan=self.plan,
            target=self.target,
            report=Listener(ignore),
            limits=self.limits,
            kind="rehearsal",
            now=self.now,
            started_at=self.now(),
        )
        foregone = started.foregone()
        if foregone is not None:
            return foregone
        try:
            with self._copy() as copy:
                run = apply(self.plan, copy, report=self._pass_on, limits=self.limits, kind="rehearsal", now=self.now)
                if run.error is None:
                    self._look_again(copy)
                return run
        except Exception as error:
            known = explained(error)
            return started.outcome(Status(known.status), known)

    @contextmanager
    def _copy(self) -> Iterator[Target]:
        """The same models with a copy of the database, in a directory that is gone afterwards."""
        dialect, settings = self.target.dialect(), self.target.settings
        place = existing(self.target.backup_directory(dialect))
        self.limits.phase = "copying the database"
        try:
            self._check_space(place, dialect)
            with throwaway(Kind.REHEARSAL, place) as directory:
                path = directory / dialect.name
                self._copy_to(path, dialect)
                alone = replace(settings, backup=False, backup_dir=path.parent / "backups", time_limit=None)
                yield replace(self.target, url=dialect.url_of(path), settings=alone)
        except OSError as error:
            raise RehearsalFailed(directory=place, reason=error.strerror or str(error)) from error

    def _copy_to(self, path: Path, dialect: Dialect) -> None:
        if not dialect.size():
            return  # the run makes it, as it would the database
        began = self.limits.elapsed
        connection = dialect.connect(write=False, timeout=self.target.settings.lock_timeout)
        try:
            connection.copy_to(path, self.limits, self._copied, alone=False)
        finally:
            connection.close()
        self.copying = self.limits.elapsed - began

    def _check_space(self, place: Path, dialect: Dialect) -> None:
        rewrites = any(step.writes_rows for step in self.plan.steps)
        refuse_too_little("The rehearsal", [(place, int(dialect.size() * (1 + _GROWTH if rewrites else 1.1)))])

    def _look_again(self, copy: Target) -> None:
        """The copy is sound, and a second plan for it has nothing to do."""
        connection = copy.dialect().connect(write=False, timeout=copy.settings.lock_timeout)
        try:
            complaints = connection.integrity()
        finally:
            connection.close()
        again = plan(copy, policy=self.plan.policy, decisions=self.plan.decisions, leave_out=self.plan.left_out)
        if complaints or again.steps:
            raise NotSettled(problem=complaints[0] if complaints else f"still to do: {again.steps[0].sentence}")
        self.remaining = again.assessments

    def _with_measured(self, run: Run) -> Plan:
        """The plan with what was measured in place of the estimates; the backup alone was not made."""
        seconds = run.step_seconds
        steps = [replace(step, estimate=took) for step, took in zip(self.plan.steps, seconds, strict=True)]
        checks = max(0.0, run.seconds - self.copying - sum(seconds))
        return replace(self.plan, steps=tuple(steps), check_estimate=checks)

    def _too_long(self, measured: Plan) -> TrueupError | None:
        settings = self.target.settings
        try:
            measured.refuse_too_long(settings.time_limit, backup=settings.backup)
        except EstimateTooLong as error:
            return error
        return None

    def _copied(self, done: int, total: int) -> None:
        self.report(CopyProgress(elapsed=self.limits.elapsed, done=done, total=total))

    def _pass_on(self, event: Event) -> None:
        """A rehearsal begins and ends with events of its own."""
        if not isinstance(event, Started | Finished):
            self.report(event)
