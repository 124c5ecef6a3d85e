"""What each mode of the command line does, from the settings to the exit code."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from trueup.as_json import dry_run_object, error_object, plan_object, rehearsal_object, run_object
from trueup.as_text import diff_lines, dry_run_lines, rehearsal_lines, run_lines
from trueup.errors import TrueupError
from trueup.event_log import EventLog
from trueup.flow import apply, plan
from trueup.limits import Limits
from trueup.planfile import load_plan, save_plan
from trueup.rehearsing import rehearse
from trueup.run import Run
from trueup.settings import Settings
from trueup.standing import Standing
from trueup.startup import left_alone, migrate
from trueup.target import Target
from trueup.text import visible


def auto(settings: Settings, *, as_json: bool) -> int:
    """Migrate without a person."""
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = migrate(Target.from_settings(settings), report=EventLog(), limits=limits)
    print_run(run, as_json=as_json)
    return run.exit_code


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


def fail(error: TrueupError, *, as_json: bool) -> int:
    """Tell what is wrong."""
    if as_json:
        print_out(error_object(error))
    else:
        say(str(error))
    return error.exit_code


@contextmanager
def signals_cancel(limits: Limits) -> Iterator[None]:
    """Ctrl-C and a service manager's SIGTERM end the run cleanly: rolled back, and said so."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    previous = {kind: signal.signal(kind, lambda *_: limits.cancel()) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)


def print_run(run: Run, *, as_json: bool) -> None:
    if run.error is not None and not as_json:
        say(str(run.error))
    else:
        print_out(run_object(run) if as_json else run_lines(run))


def print_out(told: Mapping[str, object] | Iterable[str]) -> None:
    """One JSON object, or lines of text.

    Whoever reads them may have seen enough before the end, as ``head`` has; what was done is not less done for that:
    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    try:
        print(json.dumps(told, ensure_ascii=True) if isinstance(told, Mapping) else "\n".join(told), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(sentence: str) -> None:
    print(f"trueup: {visible(sentence)}", file=sys.stderr)
