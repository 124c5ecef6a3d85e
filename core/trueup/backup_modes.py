"""What the commands about backups do, from the settings to the exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trueup.archive import (
    backup_statistics,
    delete_backup,
    export_backup,
    find_backup,
    list_backups,
    make_backup,
    storage_note,
    verify_backup,
)
from trueup.as_json import backup_json, restore_object
from trueup.as_text import restore_lines
from trueup.comparing import compare_backup
from trueup.event_log import EventLog
from trueup.events import CrashFound, Event
from trueup.flow import restore
from trueup.limits import Limits
from trueup.modes import print_out, say, signals_cancel
from trueup.reporting import Report
from trueup.run import Backup
from trueup.settings import Settings
from trueup.target import Target
from trueup.telling_backups import (
    comparison_lines,
    comparison_object,
    list_lines,
    list_object,
    statistics_lines,
    statistics_object,
)
from trueup.text import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRequest:
    """What the command line asked for."""

    action: str
    """``"list"``, ``"make"``, ``"verify"``, ``"statistics"``, ``"diff"``, ``"export"`` or ``"delete"``."""
    identifier: str | None
    """Of one backup; all of them are verified when there is none."""
    path: Path | None
    """Where it is exported to."""
    thorough: bool
    trial: bool
    accept_loss: bool


def manage(settings: Settings, asked: BackupRequest, *, as_json: bool) -> int:
    """Do what was asked for about the backups."""
    limits = Limits(settings.time_limit if asked.action == "make" else None)  # writers wait only for that
    with signals_cancel(limits):
        return _ACTIONS[asked.action](Target.from_settings(settings, models=()), asked, limits, as_json)


def restore_one(settings: Settings, identifier: str, *, as_json: bool) -> int:
    """Put a backup in place of the database."""
    target = Target.from_settings(settings, models=())
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = restore(find_backup(target, identifier), target, report=EventLog(), limits=limits)
    if run.error is not None and not as_json:
        say(str(run.error))
    else:
        print_out(restore_object(run) if as_json else restore_lines(run))
    return run.exit_code


def _list(target: Target, _asked: BackupRequest, _limits: Limits, as_json: bool) -> int:
    """1 when one of them is not good."""
    found = list_backups(target)
    print_out((list_object if as_json else list_lines)(found, storage_note(found, target)))
    return 1 if any(backup.problem for backup in found) else 0


def _make(target: Target, asked: BackupRequest, limits: Limits, as_json: bool) -> int:
    settings = replace(target.settings, backup_full_check=asked.thorough or target.settings.backup_full_check)
    backup = make_backup(replace(target, settings=settings), report=_report(), limits=limits)
    print_out(_told("made", backup_json(backup)) if as_json else [visible(f"Made the backup {backup.path}, verified.")])
    return 0


def _verify(target: Target, asked: BackupRequest, limits: Limits, as_json: bool) -> int:
    """1 when one of them is not good now."""
    named = [find_backup(target, asked.identifier)] if asked.identifier else list_backups(target)
    checked = [
        verify_backup(backup, target, thorough=asked.thorough, trial=asked.trial, limits=limits) for backup in named
    ]
    print_out((list_object if as_json else list_lines)(checked, ""))
    return 1 if any(backup.problem for backup in checked) else 0


def _count(target: Target, _asked: BackupRequest, _limits: Limits, as_json: bool) -> int:
    found = backup_statistics(target)
    print_out(statistics_object(found) if as_json else statistics_lines(found))
    return 0


def _compare(target: Target, asked: BackupRequest, limits: Limits, as_json: bool) -> int:
    """1 when something differs."""
    found = compare_backup(_named(target, asked), target, limits=limits)
    print_out(comparison_object(found) if as_json else comparison_lines(found))
    return 0 if found.same else 1


def _export(target: Target, asked: BackupRequest, limits: Limits, as_json: bool) -> int:
    backup = _named(target, asked)
    path = export_backup(backup, target, asked.path or Path(), limits=limits)
    sentence = visible(f"Exported {backup.id} to {path}, verified.")
    print_out(_told("exported", backup_json(backup) | {"path": str(path)}) if as_json else [sentence])
    return 0


def _delete(target: Target, asked: BackupRequest, _limits: Limits, as_json: bool) -> int:
    backup = _named(target, asked)
    delete_backup(backup, target, accept_loss=asked.accept_loss, report=_report())
    print_out(_told("deleted", backup_json(backup)) if as_json else [visible(f"Deleted {backup.id}.")])
    return 0


def _report() -> Report:
    """A log; what has no place in the answer is said beside it."""
    log = EventLog()

    def report(event: Event) -> None:
        if isinstance(event, CrashFound):
            say(event.sentence)
        log(event)

    return report


def _named(target: Target, asked: BackupRequest) -> Backup:
    return find_backup(target, asked.identifier or "latest")


def _told(status: str, backup: Mapping[str, object]) -> dict[str, object]:
    return {"status": status, "success": True, "backup": backup, "error": None}


_ACTIONS: dict[str, Callable[[Target, BackupRequest, Limits, bool], int]] = {
    "list": _list,
    "make": _make,
    "verify": _verify,
    "statistics": _count,
    "diff": _compare,
    "export": _export,
    "delete": _delete,
}
