"""What the command line takes: options, commands and their help."""

from __future__ import annotations

import argparse
from pathlib import Path

from trueup._version import __version__

_DESCRIPTION = "Keep a live database true to its SQLAlchemy models."
_EPILOG = """\
exit codes:
  0  in step, or brought in step
  1  differences remain that need a person or a wider policy
  2  wrong use or configuration
  3  failed, or a plan file does not fit any more; the database is unchanged
  4  time limit; the database is unchanged
  5  another migrator or writer holds the database
  6  the database is unreadable or damaged

The models, the database, the policy, the limits and how backups are kept can also be set as TRUEUP_<NAME> in the
environment, in trueup.toml, or in [tool.trueup] of pyproject.toml.
"""

_UNDO = """\
Take back a run: the structure as it was before, dropped values from the run's backup, and every row that was written
since. What cannot come back is said first, and needs --yes."""

_BACKUPS = "List the backups, newest first; or do something with them. Exit code 1 when one of those told is not good."
_BACKUP_COMMANDS = {
    "make": "Back the database up now",
    "verify": "Read a backup again and check it",
    "statistics": "Count the backups",
    "diff": "Tell what changed in the database since a backup; exit code 1 when something did",
    "export": "Copy a backup to a new file, verified there",
    "delete": "Delete a backup",
}
_CLEANUP = """\
Take old records out of the history: runs that changed nothing, and the steps, the SQL and the proof of those that no
undo needs any more. A line of each run that changed something stays."""

_BASELINE = """\
Record the database as it is, so that from now on it is known what moved and which tables are the models'.
Differences to the models are told, and stay."""

_NOT_GIVEN = argparse.SUPPRESS


def make_parser() -> argparse.ArgumentParser:
    """The parser of everything that the command line takes."""
    parser = argparse.ArgumentParser(
        prog="trueup",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--auto", action="store_true", help="migrate without a person, as far as the policy goes")
    mode.add_argument("--check", action="store_true", help="only compare; exit code 1 when there are differences")
    mode.add_argument(
        "--rehearse", action="store_true", help="carry the plan out on a copy of the database, which is deleted then"
    )
    mode.add_argument(
        "--apply-plan", metavar="FILE", type=Path, help="carry out a plan file, if it still fits the database"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --auto: print the SQL instead, and exit as the run would"
    )
    parser.add_argument(
        "--plan-out", metavar="FILE", type=Path, help="write the plan into a file; also after --rehearse"
    )
    parser.add_argument(
        "--models",
        metavar="SPEC",
        help="package.module:Base, path/to/file.py:Base, schema.sql, or the URL of another database",
    )
    parser.add_argument("--policy", choices=("check", "additive", "safe", "full"), help="what may be applied (safe)")
    parser.add_argument(
        "--accept-older-models",
        action="store_const",
        const="true",
        help="migrate with --auto also to models that an earlier run was for",
    )
    _add_shared(parser)
    parser.add_argument("--version", action="version", version=f"trueup {__version__}")
    _add_commands(parser)
    return parser


def refuse_what_does_not_go_together(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """What is more than a choice of one; ends the program with exit code 2."""
    mode = next((name for name in ("auto", "check", "apply_plan") if getattr(options, name)), None)
    if options.dry_run and mode != "auto" and options.command != "undo":
        parser.error("--dry-run goes with --auto, and with the command undo")
    if options.plan_out and mode is not None:
        parser.error(f"--plan-out goes with --rehearse or alone, not with --{mode.replace('_', '-')}")
    if options.command and (mode or options.rehearse or options.plan_out):
        parser.error(f"the command {options.command} is a mode of its own")


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_backups(
        commands.add_parser("backups", help="list the backups", description=_BACKUPS, argument_default=_NOT_GIVEN)
    )
    restoring = commands.add_parser(
        "restore",
        help="put a backup in place of the database",
        description="Put a backup in place of the database. The present database is backed up first.",
        argument_default=_NOT_GIVEN,
    )
    restoring.add_argument("backup_id", metavar="BACKUP", help='its id from "trueup backups", or "latest"')
    _add_shared(restoring)
    examining = commands.add_parser(
        "health",
        help="examine the database, its runs and its backups",
        description="Examine the database, its runs and its backups; exit code 0 when healthy, 6 when damaged, else 1.",
        argument_default=_NOT_GIVEN,
    )
    examining.add_argument("--models", metavar="SPEC", help="tell also how the database stands to them")
    _add_shared(examining)
    _add_history(commands.add_parser("history", help="list the runs", argument_default=_NOT_GIVEN))
    _add_baseline(
        commands.add_parser(
            "baseline", help="take the database as it is for the starting point", argument_default=_NOT_GIVEN
        )
    )
    _add_undo(commands.add_parser("undo", help="take back a run", description=_UNDO, argument_default=_NOT_GIVEN))


def _add_history(parser: argparse.ArgumentParser) -> None:
    parser.description = "List the runs, newest first; or tell all of one, or count them, or take old ones out."
    _add_shared(parser)
    commands = parser.add_subparsers(dest="of_history", metavar="COMMAND", title="commands")
    showing = commands.add_parser(
        "show",
        help="tell all that is known of one run",
        description="Tell all that is known of one run: its steps, their SQL and the SQL that takes them back.",
        argument_default=_NOT_GIVEN,
    )
    showing.add_argument("shown_id", metavar="RUN", help='its id from "trueup history"')
    _add_shared(showing)
    counting = commands.add_parser(
        "statistics",
        help="how many runs there were, how they ended, how long they took",
        description="Tell how many runs there were, how they ended and how long they took; all, and each kind.",
        argument_default=_NOT_GIVEN,
    )
    _add_shared(counting)
    cleaning = commands.add_parser(
        "cleanup", help="take old records out", description=_CLEANUP, argument_default=_NOT_GIVEN
    )
    cleaning.add_argument("--older-than", metavar="DAYS", type=_days, help="only what is older (90)")
    cleaning.add_argument("--yes", action="store_true", help="take it out; otherwise it is only said what would go")
    _add_shared(cleaning)


def _add_backups(parser: argparse.ArgumentParser) -> None:
    """Without a further word the backups are listed."""
    parser.add_argument("--verify", action="store_true", help='the same as "trueup backups verify"')
    _add_shared(parser)
    commands = parser.add_subparsers(dest="of_backups", metavar="COMMAND", title="commands")
    found = {}
    for name, help_ in _BACKUP_COMMANDS.items():
        found[name] = commands.add_parser(name, help=help_, description=f"{help_}.", argument_default=_NOT_GIVEN)
        if name not in ("make", "statistics"):
            nargs, which = ("?", "its id (all of them)") if name == "verify" else (None, 'its id, or "latest"')
            found[name].add_argument("backup_id", metavar="BACKUP", nargs=nargs, help=which)
        _add_shared(found[name])
    for name in ("make", "verify"):
        found[name].add_argument("--full", action="store_true", help="hold every index against its table as well")
    found["verify"].add_argument(
        "--trial", action="store_true", help="also restore it into a scratch file, and compare"
    )
    found["export"].add_argument("path", metavar="PATH", type=Path, help="the new file, or a directory for it")
    found["delete"].add_argument("--yes", action="store_true", help="also the last good one, and one an undo needs")


def _days(text: str) -> float:
    from trueup.settings import parse_days  # only who gives the option pays for this import

    try:
        return parse_days(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _add_baseline(parser: argparse.ArgumentParser) -> None:
    parser.description = _BASELINE
    parser.add_argument("--models", metavar="SPEC", help="as above, before the command")
    parser.add_argument("--name", help="what the history calls it")
    parser.add_argument("--note", metavar="TEXT", help="what the history keeps beside it")
    _add_shared(parser)


def _add_undo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("undone_id", metavar="RUN", nargs="?", help='its id from "trueup history" (the newest)')
    parser.add_argument("--steps", metavar="N,N", type=_numbers, help="only these steps of the run")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done, with its SQL")
    parser.add_argument("--structure-only", action="store_true", help="bring back no values; needs no backup")
    parser.add_argument("--yes", action="store_true", help="accept what the undo loses")
    _add_shared(parser)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError("they are told by their numbers, as in 2,3") from error


def _add_shared(parser: argparse.ArgumentParser) -> None:
    """Options of every command; one that a command is not given leaves what stands before the command."""
    parser.add_argument("--url", help="the database, as an SQLAlchemy URL: sqlite:///app.db")
    parser.add_argument("--time-limit", metavar="SECONDS", help="from lock to commit; 0 for none (30)")
    parser.add_argument(
        "--lock-timeout", metavar="SECONDS", help="how long to wait for other migrators and writers (10)"
    )
    parser.add_argument("--probe-limit", metavar="SECONDS", help="for looking at the data; 0 for no limit (10)")
    parser.add_argument("--backup-dir", metavar="DIR", help="where backups go (.trueup/backups beside the database)")
    parser.add_argument("--no-backup", dest="backup", action="store_const", const="false", help="make no backup")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--config", metavar="FILE", type=Path, help="read this configuration file")
    parser.add_argument("--verbose", action="store_true", help="say more on stderr")
