"""What each mode of the command line does, from the settings to the exit code."""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from trueup import events
from trueup.as_json import error_object, plan_object, run_object
from trueup.as_text import diff_lines, run_lines
from trueup.errors import TrueupError
from trueup.events import Event
from trueup.flow import plan
from trueup.limits import Limits
from trueup.plan import Policy
from trueup.run import Run
from trueup.settings import Settings
from trueup.standing import Standing
from trueup.startup import migrate
from trueup.target import Target
from trueup.text import visible

log = logging.getLogger("trueup")


def auto(settings: Settings, *, as_json: bool) -> int:
    """Migrate without a person."""
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = migrate(Target.from_settings(settings), report=log_event, limits=limits)
    print_run(run, as_json=as_json)
    return run.exit_code


def check(settings: Settings, *, as_json: bool) -> int:
    """Only compare."""
    found = plan(Target.from_settings(settings), policy=Policy.CHECK)
    print_out(plan_object(found) if as_json else diff_lines(found))
    return 0 if found.in_step and found.position.standing is not Standing.MODELS_OLDER else 1


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
    """One JSON object, or lines of text."""
    print(json.dumps(told, ensure_ascii=True) if isinstance(told, Mapping) else "\n".join(told))


def say(sentence: str) -> None:
    print(f"trueup: {visible(sentence)}", file=sys.stderr)


def log_event(event: Event) -> None:
    """Every move at --verbose, and what a log of a server should always have."""
    match event:
        case events.Waiting(holder=holder):
            log.info("Waiting for another migrator: %s", holder)
        case events.BackedUp(backup=backup):
            log.info("Backup written and checked: %s", backup.path)
        case events.StepStarted(number=number, step=step):
            log.info("Step %d: %s", number, step.sentence)
        case events.StatementStarted(sql=sql):
            log.debug("%s", sql)
        case events.RolledBack(error=error) if error.__cause__ is not None:
            log.debug("Rolled back", exc_info=error.__cause__)
        case events.Verified():
            log.info("Verified")
        case _:
            log.debug("%s", type(event).__name__)
