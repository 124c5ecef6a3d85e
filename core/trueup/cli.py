"""The command line: flags, text and JSON, exit codes. The app is imported only when it is to be shown."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup._version import __version__

if TYPE_CHECKING:
    from trueup.events import Event
    from trueup.limits import Limits
    from trueup.plan import Assessment, Plan
    from trueup.run import Run
    from trueup.settings import Settings

_DESCRIPTION = "Keep a live database true to its SQLAlchemy models."
_EPILOG = """\
exit codes:
  0  in step, or brought in step
  1  differences remain that need a person or a wider policy
  2  wrong use or configuration
  3  failed; the database is unchanged
  4  time limit; the database is unchanged
  5  another migrator or writer holds the database
  6  the database is unreadable or damaged

Every option can also be set as TRUEUP_<OPTION> in the environment, in trueup.toml, or in [tool.trueup] of
pyproject.toml.
"""

log = logging.getLogger("trueup")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; those of the process when not given.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    _set_up_output(verbose=options.verbose)
    from trueup.errors import TrueupError

    try:
        return _dispatch(options)
    except TrueupError as error:
        return _fail(error, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trueup",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--auto", action="store_true", help="migrate without a person, as far as the policy goes")
    mode.add_argument("--check", action="store_true", help="only compare; exit code 1 when there are differences")
    parser.add_argument("--models", metavar="SPEC", help="package.module:Base, or path/to/file.py:Base")
    parser.add_argument("--url", help="the database, as an SQLAlchemy URL: sqlite:///app.db")
    parser.add_argument("--policy", choices=("check", "additive", "safe", "full"), help="what may be applied (safe)")
    parser.add_argument("--time-limit", metavar="SECONDS", help="from lock to commit; 0 for none (30)")
    parser.add_argument(
        "--lock-timeout", metavar="SECONDS", help="how long to wait for other migrators and writers (10)"
    )
    parser.add_argument("--backup-dir", metavar="DIR", help="where backups go (.trueup/backups beside the database)")
    parser.add_argument("--no-backup", dest="backup", action="store_const", const="false", help="make no backup")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--config", metavar="FILE", type=Path, help="read this configuration file")
    parser.add_argument("--verbose", action="store_true", help="say more on stderr")
    parser.add_argument("--version", action="version", version=f"trueup {__version__}")
    return parser


def _set_up_output(*, verbose: bool) -> None:
    """Logs go to stderr, never to stdout; a character that a terminal cannot show never ends the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("trueup").setLevel(logging.DEBUG if verbose else logging.INFO)


def _dispatch(options: argparse.Namespace) -> int:
    from trueup.settings import load_settings

    names = ("models", "url", "policy", "time_limit", "lock_timeout", "backup_dir", "backup")
    settings = load_settings({name: getattr(options, name) for name in names}, config=options.config)
    if options.auto:
        return _auto(settings, as_json=options.json)
    if options.check or options.json or not _is_terminal():
        return _check(settings, as_json=options.json)
    from trueup_tui import run_app

    return run_app(settings)


def _is_terminal() -> bool:
    """Textual draws through stderr, so that counts as well."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def _auto(settings: Settings, *, as_json: bool) -> int:
    from trueup.limits import Limits
    from trueup.startup import migrate
    from trueup.target import Target

    limits = Limits(settings.time_limit)
    with _signals_cancel(limits):
        run = migrate(Target.from_settings(settings), report=_log_event, limits=limits)
    _print_run(run, as_json=as_json)
    return run.exit_code


def _check(settings: Settings, *, as_json: bool) -> int:
    from trueup.flow import plan
    from trueup.plan import Policy
    from trueup.target import Target

    found = plan(Target.from_settings(settings), policy=Policy.CHECK)
    if as_json:
        _print_json(_check_json(found))
    else:
        print("\n".join(_diff_lines(found)))
    return 0 if found.in_step else 1


@contextmanager
def _signals_cancel(limits: Limits) -> Iterator[None]:
    """Ctrl-C and a service manager's SIGTERM end the run cleanly: rolled back, and said so."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    previous = {kind: signal.signal(kind, lambda *_: limits.cancel()) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in previous.items():
            signal.signal(kind, handler)


# -- what is printed ---------------------------------------------------------------------------------------------------


def _print_run(run: Run, *, as_json: bool) -> None:
    if as_json:
        _print_json(_run_json(run))
        return
    if run.error is not None:
        _say(str(run.error))
        return
    print("\n".join(_run_lines(run)))


def _run_lines(run: Run) -> Iterator[str]:
    from trueup.text import visible

    plan = run.plan
    if plan is None:
        yield "In step: nothing moved since the last run."
        return
    if run.operations_executed:
        count = run.operations_executed
        yield f"Migrated {plan.database}: {count} step{'' if count == 1 else 's'} in {run.seconds:.1f} s, verified."
        yield from (f"  {visible(step.sentence)}" for step in plan.steps)
        yield f"  backup {run.backup.path}" if run.backup else "  no backup was made"
    elif plan.in_step:
        yield f"{plan.database} is in step with {plan.models} ({len(plan.managed)} tables)."
    remaining = [item for item in plan.assessments if item.verdict in ("blocked", "beyond policy")]
    if remaining:
        yield "Nothing was changed; differences remain:" if plan.blocked else "Differences remain:"
        yield from (line for item in remaining for line in _item_lines(item))
    yield from (f"note: {visible(warning)}" for warning in (*run.warnings, *plan.unsupported))


def _diff_lines(plan: Plan) -> Iterator[str]:
    from trueup.text import visible

    count = len(plan.assessments)
    if not count:
        yield f"No differences. {plan.database} matches {plan.models} ({len(plan.managed)} tables)."
    else:
        yield f"{plan.database}: {count} difference{'' if count == 1 else 's'} to {plan.models}"
        yield from (line for item in plan.assessments for line in _item_lines(item))
    yield from (f"note: {visible(sentence)}" for sentence in plan.unsupported)
    if plan.unmanaged:
        yield f"Not declared by the models, left alone: {visible(', '.join(plan.unmanaged))}."


def _item_lines(item: Assessment) -> Iterator[str]:
    from trueup.text import visible

    sign = {"add": "+", "drop": "-", "change": "~", "rename": "»"}[item.change.verb]
    yield visible(f"  {sign} {item.change.sentence}")
    if item.verdict == "blocked":
        yield visible(f"      {item.reason}")
        yield visible(f"      {item.remedy}")
    else:
        yield from (visible(f"      {hazard.sentence}") for hazard in item.hazards)


def _check_json(plan: Plan) -> dict[str, Any]:
    return _json_object(status="in_sync" if plan.in_step else "different", success=True, plan=plan)


def _run_json(run: Run) -> dict[str, Any]:
    return _json_object(
        status=str(run.status),
        success=run.success,
        plan=run.plan,
        operations_executed=run.operations_executed,
        execution_time_ms=round(run.seconds * 1000),
        backup={"id": run.backup.id, "path": str(run.backup.path), "size": run.backup.size} if run.backup else None,
        run_id=run.id if run.operations_executed else None,
        error=_error_json(run.error) if run.error else None,
    )


def _json_object(*, status: str, success: bool, plan: Plan | None, **given: Any) -> dict[str, Any]:
    """The one object of ``--json``; every key is always there."""
    assessments = plan.assessments if plan else ()
    empty: dict[str, Any] = {
        "operations_executed": 0,
        "execution_time_ms": 0,
        "backup": None,
        "run_id": None,
        "error": None,
    }
    return {
        "status": status,
        "success": success,
        "migration_needed": bool(plan and not plan.in_step),
        "changes": [_change_json(item) for item in assessments if item.verdict not in ("retire", "kept")],
        "blocked": [_change_json(item) for item in assessments if item.verdict == "blocked"],
        "retired": [_change_json(item) for item in assessments if item.verdict == "retire"],
        "warnings": [*plan.warnings, *plan.unsupported] if plan else [],
        **empty,
        **given,
    }


def _change_json(item: Assessment) -> dict[str, Any]:
    return {
        "kind": item.change.kind,
        "id": item.change.id,
        "table": item.change.table,
        "name": item.change.label or None,
        "sentence": item.change.sentence,
        "verdict": str(item.verdict),
        "reason": item.reason or None,
        "remedy": item.remedy or None,
        "hazards": [{"rule": hazard.rule, "rows": hazard.rows, "sentence": hazard.sentence} for hazard in item.hazards],
    }


def _error_json(error: Exception) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": str(error)}


def _print_json(value: Mapping[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=True))


def _fail(error: Any, *, as_json: bool) -> int:
    if as_json:
        _print_json(_json_object(status=error.status, success=False, plan=None, error=_error_json(error)))
    else:
        _say(str(error))
    code: int = error.exit_code
    return code


def _say(sentence: str) -> None:
    from trueup.text import visible

    print(f"trueup: {visible(sentence)}", file=sys.stderr)


def _log_event(event: Event) -> None:
    """Every move at --verbose, and what a log of a server should always have."""
    from trueup import events

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
