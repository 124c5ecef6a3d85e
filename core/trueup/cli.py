"""The command line, from what was asked for to the exit code. What a mode needs is imported only for that mode."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trueup.arguments import make_parser, refuse_what_does_not_go_together

if TYPE_CHECKING:
    from trueup.backup_modes import BackupRequest
    from trueup.settings import Settings
    from trueup.undo_modes import UndoRequest

_SETTINGS = (
    *("models", "url", "policy", "time_limit", "lock_timeout", "probe_limit", "backup_dir", "backup"),
    "accept_older_models",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; those of the process when not given.

    Returns:
        The exit code.
    """
    parser = make_parser()
    options = parser.parse_args(arguments)
    refuse_what_does_not_go_together(parser, options)
    _set_up_output(verbose=options.verbose)
    from trueup.errors import Cancelled, TrueupError, explained

    failure: TrueupError
    try:
        return _dispatch(options)
    except Exception as error:  # Python's own exit code for what nobody foresaw says here that differences remain
        failure = explained(error)
        if failure is not error:
            logging.getLogger("trueup").debug("What went wrong:", exc_info=error)
    except KeyboardInterrupt:  # who writes hears of it in another way; see modes.signals_cancel
        failure = Cancelled(phase="getting ready")
    from trueup.modes import fail

    return fail(failure, as_json=options.json)


def _set_up_output(*, verbose: bool) -> None:
    """Logs go to stderr, never to stdout; a character that a terminal cannot show never ends the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("trueup").setLevel(logging.DEBUG if verbose else logging.INFO)


def _dispatch(options: argparse.Namespace) -> int:
    from trueup.settings import load_settings

    settings = load_settings({name: getattr(options, name) for name in _SETTINGS}, config=options.config)
    if options.command == "backups":
        from trueup import backup_modes

        return backup_modes.manage(settings, _backup_request(options), as_json=options.json)
    if options.command == "restore":
        from trueup import backup_modes

        return backup_modes.restore_one(settings, options.backup_id, as_json=options.json)
    if options.command == "health":
        from trueup import health_modes

        return health_modes.tell_health(settings, as_json=options.json)
    if options.command == "history":
        return _history(settings, options)
    if options.command == "baseline":
        from trueup import history_modes

        name, note = getattr(options, "name", ""), getattr(options, "note", "")
        return history_modes.take_baseline(settings, name, note, as_json=options.json)
    if options.command == "undo":
        from trueup import undo_modes

        return undo_modes.undo_one(settings, _undo_request(options), as_json=options.json)
    headless = (options.auto, options.check, options.rehearse, options.apply_plan, options.plan_out, options.json)
    if not any(headless) and _is_terminal():
        from trueup_tui import run_app

        return run_app(settings)
    return _without_the_app(settings, options)


def _history(settings: Settings, options: argparse.Namespace) -> int:
    from trueup import history_modes

    action = getattr(options, "of_history", None)
    if action == "statistics":
        return history_modes.tell_statistics(settings, as_json=options.json)
    if action == "show":
        return history_modes.show_run(settings, options.shown_id, as_json=options.json)
    if action == "cleanup":
        days, agreed = getattr(options, "older_than", None), getattr(options, "yes", False)
        return history_modes.clean_up(settings, days, agreed=agreed, as_json=options.json)
    return history_modes.list_runs(settings, as_json=options.json)


def _without_the_app(settings: Settings, options: argparse.Namespace) -> int:
    as_json = options.json
    if options.auto and not options.dry_run:
        from trueup.modes import auto

        return auto(settings, as_json=as_json)
    from trueup import plan_modes

    if options.auto:
        return plan_modes.dry_run(settings, as_json=as_json)
    if options.apply_plan:
        return plan_modes.apply_plan(settings, options.apply_plan, as_json=as_json)
    if options.rehearse:
        return plan_modes.rehearse_plan(settings, options.plan_out, as_json=as_json)
    if options.plan_out:
        return plan_modes.write_plan(settings, options.plan_out, as_json=as_json)
    return plan_modes.check(settings, as_json=as_json)


def _backup_request(options: argparse.Namespace) -> BackupRequest:
    from trueup.backup_modes import BackupRequest

    otherwise = "verify" if getattr(options, "verify", False) else "list"
    return BackupRequest(
        action=getattr(options, "of_backups", None) or otherwise,
        identifier=getattr(options, "backup_id", None),
        path=getattr(options, "path", None),
        thorough=getattr(options, "full", False),
        trial=getattr(options, "trial", False),
        accept_loss=getattr(options, "yes", False),
    )


def _undo_request(options: argparse.Namespace) -> UndoRequest:
    from trueup.undo_modes import UndoRequest

    return UndoRequest(
        run_id=getattr(options, "undone_id", None),
        steps=getattr(options, "steps", ()),
        dry_run=getattr(options, "dry_run", False),
        structure_only=getattr(options, "structure_only", False),
        accept_loss=getattr(options, "yes", False),
    )


def _is_terminal() -> bool:
    """Textual draws through stderr, so that counts as well."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
