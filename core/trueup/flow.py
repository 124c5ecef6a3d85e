"""The two verbs. ``plan`` reads both sides and says what would be done; ``apply`` does it or changes nothing.

What a step of them means stands in ``planning.py`` and ``applying.py``, and in the stage of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trueup.applying import Running
from trueup.choosing import find_taken
from trueup.clock import Now, utc_now
from trueup.decisions import Decision
from trueup.decisions_file import read_decisions, refuse_contradictions
from trueup.declaring import declare
from trueup.events import Finished, RestoreStarted, Started
from trueup.job import Job
from trueup.killed import find_unfinished
from trueup.limits import Limits
from trueup.locating import reading
from trueup.past import PastRun, read_runs
from trueup.planning import compose, judge, spare
from trueup.plans import Plan
from trueup.policy import Policy
from trueup.reporting import Listener, Report, ignore
from trueup.restoring import Restoring
from trueup.run import Backup, Run, Status
from trueup.sourcing import find_source
from trueup.stages import history
from trueup.stages.models import forget
from trueup.surveying import survey_sides
from trueup.target import Target
from trueup.undoing import Undoing, compose_undo


def plan(
    target: Target,
    *,
    policy: Policy | None = None,
    decisions: Sequence[Decision] | None = None,
    leave_out: Collection[str] = (),
    limits: Limits | None = None,
) -> Plan:
    """Compare the database with the models and say what would be done. Writes nothing to the database.

    Args:
        target: the database and the models.
        policy: what may be applied without a person; the settings' when not given.
        decisions: what people decided; read from the decisions file when not given.
        leave_out: ids of changes that are not to be made this time.
        limits: when to stop; never when not given. Where time is short, less of the data is looked at.

    Raises:
        ConfigurationError: the models, the URL, the decisions or the name of the history cannot be used.
        RenameRefused: a rename that was decided cannot be done.
        PlanNotProved: the steps do not lead to the models on an empty copy; a mistake in trueup.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
        Cancelled, TimeLimitReached: the limits say so.
    """
    settings, limits = target.settings, limits or Limits()
    policy = Policy(policy or settings.policy)
    dialect = target.dialect()
    declared = declare(target, dialect)
    decided = read_decisions(settings.decisions) if decisions is None else tuple(decisions)
    if decisions is not None:
        refuse_contradictions(decided, "the decisions given")
    limits.phase = "comparing and looking at the data"
    with reading(target) as connection, limits.explaining(), connection.limited(limits):
        found = survey_sides(connection, dialect, declared, decided, settings, limits.budget(settings.probe_limit))
        judgements = spare(found, judge(found, policy, leave_out))
        composed = compose(found, judgements, policy)
    limits.check()
    return composed


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
        kind: ``"manual"`` or ``"auto"``, for the history; the plan of an undo is ``"undo"`` there, whoever applies it.
        now: the clock.

    Returns:
        The outcome. A failure is one too: it says why, and that the database is as it was.
    """
    limits = limits or Limits(target.settings.time_limit)
    kind = "undo" if plan.undoes else kind
    told = Listener(report)
    run = Running(plan=plan, target=target, report=told, limits=limits, kind=kind, now=now, started_at=now())
    told(Started(elapsed=limits.elapsed, run_id=run.id, plan=plan, time_limit=limits.seconds))
    outcome = run.foregone() or run.carry_out()
    told(Finished(elapsed=limits.elapsed, run=outcome))
    return outcome


def start(plan: Plan, target: Target, *, limits: Limits | None = None, now: Now = utc_now) -> Job:
    """Like :func:`apply`, in a thread of its own. The job is already running when this returns."""
    limits = limits or Limits(target.settings.time_limit)
    job = Job(lambda report, limits: apply(plan, target, report=report, limits=limits, now=now), limits)
    job.start()
    return job


def restore(
    backup: Backup,
    target: Target,
    *,
    report: Report = ignore,
    limits: Limits | None = None,
    now: Now = utc_now,
) -> Run:
    """Put a backup in place of the database. The present database is backed up first, and its history goes on.

    Other processes may have the database open: they see the old content or the new.

    Args:
        backup: from :func:`trueup.list_backups` or :func:`trueup.find_backup`; it is verified first.
        target: the database; its models are not read.
        report: is told every move, in the calling thread.
        limits: when to stop; the settings' time limit when not given.
        now: the clock.

    Returns:
        The outcome; ``backup`` is that of the database as it was before. A failure is an outcome too.
    """
    limits = limits or Limits(target.settings.time_limit)
    told = Listener(report)
    work = Restoring(backup=backup, target=target, report=told, limits=limits, now=now, started_at=now())
    told(RestoreStarted(elapsed=limits.elapsed, run_id=work.id, backup=backup, time_limit=limits.seconds))
    outcome = work.carry_out()
    told(Finished(elapsed=limits.elapsed, run=outcome))
    return outcome


def start_restore(backup: Backup, target: Target, *, limits: Limits | None = None, now: Now = utc_now) -> Job:
    """Like :func:`restore`, in a thread of its own. The job is already running when this returns."""
    limits = limits or Limits(target.settings.time_limit)
    job = Job(lambda report, limits: restore(backup, target, report=report, limits=limits, now=now), limits)
    job.start()
    return job


def plan_undo(
    target: Target,
    run_id: str | None = None,
    steps: Sequence[int] = (),
    *,
    structure_only: bool = False,
    limits: Limits | None = None,
    now: Now = utc_now,
) -> Plan:
    """What would take back a run, or single steps of it: the structure as it was, the values from the run's backup.

    Rows that were written since stay, and so does what others changed. What cannot come back is said in the plan's
    hazards. Writes nothing to the database.

    Args:
        target: the database; its models are not read.
        run_id: the newest run that still holds, and is no undo itself, when not given.
        steps: numbers of the run's steps; all that still hold when there are none.
        structure_only: do without the backup.
        limits: when to stop; never when not given. Where time is short, less of the data is looked at.
        now: the clock.

    Raises:
        NoSuchRun, AlreadyUndone, NotUndoable, RenameRefused: the run cannot be undone.
        ValuesGone, BackupsUnreadable: the backup has values that must come back, and cannot be used.
        NotEnoughSpace, UnpackingFailed: it is packed, and there is no place to unpack it to.
        PlanNotProved: the steps do not lead back on an empty copy; a mistake in trueup.
        ConfigurationError: the URL, the decisions or the name of the history cannot be used.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
        Cancelled, TimeLimitReached: the limits say so.
    """
    settings, dialect, limits = target.settings, target.dialect(), limits or Limits()
    taken = find_taken(past_runs(target), run_id, steps, dialect)
    source = None if structure_only else find_source(taken, target, now(), limits)
    limits.phase = "comparing and looking at the data"
    budget, decisions = limits.budget(settings.probe_limit), read_decisions(settings.decisions)
    with reading(target, source) as connection, limits.explaining(), connection.limited(limits):
        composed = compose_undo(
            Undoing(
                connection=connection,
                dialect=dialect,
                taken=taken,
                source=source,
                settings=settings,
                decisions=decisions,
                budget=budget,
            )
        )
    limits.check()
    return composed


def undo(
    target: Target,
    run_id: str | None = None,
    steps: Sequence[int] = (),
    *,
    structure_only: bool = False,
    accept_loss: bool = False,
    report: Report = ignore,
    limits: Limits | None = None,
    now: Now = utc_now,
) -> Run:
    """Take back a run: :func:`plan_undo`, and :func:`apply` when nothing is lost by it.

    An undo is a run with a backup like any other, so it can be undone as well.

    Args:
        target: as in :func:`plan_undo`, like ``run_id``, ``steps`` and ``structure_only``.
        accept_loss: go on where the plan says that something is lost.
        report: is told every move, in the calling thread.
        limits: when to stop; the settings' time limit when not given.
        now: the clock.

    Returns:
        The outcome. Its status is ``needs_decision`` where a change is blocked, or where something would be lost that
        nobody accepted; its plan says what, and nothing was changed.

    Raises:
        TrueupError: there is no plan to apply; see :func:`plan_undo`. What goes wrong later is in the outcome.
    """
    limits = limits or Limits(target.settings.time_limit)
    found = plan_undo(target, run_id, steps, structure_only=structure_only, limits=limits, now=now)
    if found.loses_data and not accept_loss and not found.blocked:
        return Run(id="", status=Status.NEEDS_DECISION, started_at=now(), seconds=limits.elapsed, plan=found)
    return apply(found, target, report=report, limits=limits, now=now)


def past_runs(target: Target) -> tuple[PastRun, ...]:
    """The runs that the history tells of, oldest first; then one that goes on, or that was killed and is not recorded.

    Raises:
        ConfigurationError: the URL, or the name of the history, cannot be used.
        DatabaseUnreadable, DatabaseDamaged, DatabaseBusy: the database cannot be read.
    """
    unfinished = find_unfinished(target.dialect())
    with reading(target) as connection:
        recorded = read_runs(history.read_records(connection, target.settings.history_table))
    if unfinished is None or any(run.id == unfinished.id for run in recorded):
        return recorded
    return (*recorded, unfinished)


def forget_models(target: Target) -> None:
    """Let the next :func:`plan` read the models' files again, for a program that stays open while they are edited."""
    forget(target.settings.base)
