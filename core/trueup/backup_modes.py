"""What the commands about backups do, from the settings to the exit code."""

from __future__ import annotations

from trueup.as_json import backups_object, restore_object
from trueup.as_text import backup_lines, restore_lines
from trueup.flow import find_backup, list_backups, restore, verify_backup
from trueup.limits import Limits
from trueup.modes import log_event, print_out, say, signals_cancel
from trueup.settings import Settings
from trueup.target import Target


def list_all(settings: Settings, *, verify: bool, as_json: bool) -> int:
    """List the backups, checked once more when asked for; 1 when one of them is not good."""
    target = Target.from_settings(settings, models=())
    found = list_backups(target)
    if verify:
        found = tuple(verify_backup(backup, target) for backup in found)
    print_out(backups_object(found) if as_json else backup_lines(found))
    return 1 if any(backup.problem for backup in found) else 0


def restore_one(settings: Settings, identifier: str, *, as_json: bool) -> int:
    """Put a backup in place of the database."""
    target = Target.from_settings(settings, models=())
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = restore(find_backup(target, identifier), target, report=log_event, limits=limits)
    if run.error is not None and not as_json:
        say(str(run.error))
    else:
        print_out(restore_object(run) if as_json else restore_lines(run))
    return run.exit_code
