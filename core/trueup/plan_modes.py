"""What each mode does that only compares, or works with a plan, from the settings to the exit code."""

from __future__ import annotations

from pathlib import Path

from trueup.as_json import dry_run_object, plan_object, rehearsal_object, run_object
from trueup.as_text import diff_lines, dry_run_lines, rehearsal_lines, run_lines
from trueup.event_log import EventLog
from trueup.flow import apply, plan
from trueup.limits import Limits
from trueup.modes import print_out, print_run, say, signals_cancel
from trueup.planfile import load_plan, save_plan
from trueup.rehearsing import rehearse
from trueup.settings import Settings
from trueup.standing import Standing
from trueup.startup import left_alone
from trueup.target import Target


def check(settings: Settings, *, as_json: bool) -> int:
    """Only compare, and tell what a run would do."""
    found = plan(Target.from_settings(settings))
    print_out(plan_object(found) if as_json else diff_lines(found))
    return 1 if found.differs or found.position.standing is Standing.MODELS_OLDER else 0


def dry_run(settings: Settings, *, as_json: bool) -> int:
    """Print what a run would send, and answer what it would answer."""
    target = Target.from_settings(settings)
    ahead = left_alone(target)
    if ahead is not None:
        print_out(run_object(ahead) if as_json else (f"-- {line}" for line in run_lines(ahead)))
        return ahead.exit_code
    found = plan(target)
    if not found.blocked:
        found.refuse_too_long(settings.time_limit, backup=settings.backup)
    exit_code = 1 if found.leaves_differences else 0
    print_out(dry_run_object(found) if as_json else dry_run_lines(found, exit_code))
    return exit_code


def rehearse_plan(settings: Settings, plan_out: Path | None, *, as_json: bool) -> int:
    """Carry out on a copy what a run would do; write the plan with what was measured where it is asked for."""
    target, limits = Target.from_settings(settings), Limits()
    ahead = left_alone(target)
    if ahead is not None:
        print_run(ahead, as_json=as_json)
        return ahead.exit_code
    with signals_cancel(limits):
        rehearsal = rehearse(plan(target, limits=limits), target, report=EventLog(), limits=limits)
    if plan_out is not None and rehearsal.success:
        save_plan(rehearsal.plan, plan_out)
    if rehearsal.error is not None and not as_json:
        say(str(rehearsal.error))
    if as_json or rehearsal.run.error is None:
        print_out(rehearsal_object(rehearsal) if as_json else rehearsal_lines(rehearsal))
    return rehearsal.exit_code


def write_plan(settings: Settings, path: Path, *, as_json: bool) -> int:
    """Write what a person may review, and another machine carry out, into a file."""
    found = plan(Target.from_settings(settings))
    if not found.blocked:
        save_plan(found, path)
    print_out(plan_object(found) if as_json else diff_lines(found))
    return 1 if found.leaves_differences else 0


def apply_plan(settings: Settings, path: Path, *, as_json: bool) -> int:
    """Carry out a plan that was made elsewhere, if it still fits."""
    target, limits = Target.from_settings(settings), Limits(settings.time_limit)
    with signals_cancel(limits):
        found = load_plan(path, target)
        run = apply(found, target, report=EventLog(), limits=limits, kind="plan file")
        print_run(run, as_json=as_json)
    return run.exit_code
