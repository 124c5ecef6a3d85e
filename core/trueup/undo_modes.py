"""What the command "undo" does, from the settings to the exit code."""

from __future__ import annotations

from dataclasses import dataclass

from trueup.as_json import plan_of_undo_object, undo_object
from trueup.as_text import plan_of_undo_lines, undo_lines
from trueup.event_log import EventLog
from trueup.flow import plan_undo, undo
from trueup.limits import Limits
from trueup.modes import print_out, say, signals_cancel
from trueup.settings import Settings
from trueup.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """What the command line asked for; see :func:`trueup.undo`."""

    run_id: str | None
    steps: tuple[int, ...]
    dry_run: bool
    structure_only: bool
    accept_loss: bool


def undo_one(settings: Settings, asked: UndoRequest, *, as_json: bool) -> int:
    """Take back a run; 1 where a person must decide first."""
    target = Target.from_settings(settings, models=())
    if asked.dry_run:
        plan = plan_undo(target, asked.run_id, asked.steps, structure_only=asked.structure_only)
        print_out(plan_of_undo_object(plan) if as_json else plan_of_undo_lines(plan))
        return 1 if plan.blocked else 0
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = undo(
            target,
            asked.run_id,
            asked.steps,
            structure_only=asked.structure_only,
            accept_loss=asked.accept_loss,
            report=EventLog(),
            limits=limits,
        )
    if run.error is not None and not as_json:
        say(str(run.error))
    else:
        print_out(undo_object(run) if as_json else undo_lines(run))
    return run.exit_code
