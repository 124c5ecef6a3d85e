"""What the mode for servers does, from the settings to the exit code, and what all modes have in common."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from trueup.as_json import error_object, run_object
from trueup.as_text import run_lines
from trueup.event_log import EventLog
from trueup.limits import Limits
from trueup.startup import migrate
from trueup.target import Target
from trueup.text import visible

if TYPE_CHECKING:
    from trueup.errors import TrueupError
    from trueup.run import Run
    from trueup.settings import Settings

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def auto(settings: Settings, *, as_json: bool) -> int:
    """Migrate without a person."""
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = migrate(Target.from_settings(settings), report=EventLog(), limits=limits)
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
    """Ctrl-C, a service manager's SIGTERM and the end of the terminal end the run cleanly: rolled back, and said so.

    What whoever began the process has it ignore stays ignored, as under nohup:
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/nohup.html
    """
    heard = [kind for kind in _ENDING if signal.getsignal(kind) != signal.SIG_IGN]
    previous = {kind: signal.signal(kind, lambda *_: limits.cancel()) for kind in heard}
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

    Whoever reads them may have seen enough before the end, as ``head`` has, or have no room for them; what was done is
    not less done for that: https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    try:
        print(json.dumps(told, ensure_ascii=True) if isinstance(told, Mapping) else "\n".join(told), flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            say(f"What there is to tell could not be written ({error.strerror or error}). The exit code is right.")


def say(sentence: str) -> None:
    """One sentence on stderr; none where that takes nothing."""
    with suppress(OSError):
        print(f"trueup: {visible(sentence)}", file=sys.stderr)
