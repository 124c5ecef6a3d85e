"""What can be wrong with a database and with what trueup keeps of it.

Each rule is one small function that looks at what was seen and says at most one thing; the table at the end has all of
them. So a rule can be read, tested and explained alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from trueup.errors import DatabaseBusy, DatabaseDamaged
from trueup.health import Health, HealthFinding, HealthLevel, Look
from trueup.standing import Standing
from trueup.statistics import Tally
from trueup.text import counted

_RECENT = timedelta(days=30)
_LONG = timedelta(hours=1)
"""No run that somebody waits for takes so long."""
_ENOUGH = 0.9
"""The share of the recent runs that should have done what they were to do."""
_REBUILT = 3
"""What a run that rebuilds every table writes, in sizes of the database: the backup, the new rows and their journal."""
_NAMED = 3
"""So many of a kind are named in a sentence."""
_NOTE, _WARNING, _CRITICAL = HealthLevel
_Said = tuple[HealthLevel, str, str]
"""Level, sentence and recommendation."""


def diagnose(look: Look) -> Health:
    """What is wrong with what was seen."""
    found = [(rule, said) for rule, ask in _RULES.items() if (said := ask(look)) is not None]
    weight = list(reversed(HealthLevel))
    findings = [
        HealthFinding(rule=rule, level=level, sentence=sentence, recommendation=recommendation)
        for rule, (level, sentence, recommendation) in sorted(found, key=lambda item: weight.index(item[1][0]))
    ]
    return Health(database=look.database, checked_at=look.now, findings=tuple(findings))


# -- the database ------------------------------------------------------------------------------------------------------


def _missing(look: Look) -> _Said | None:
    if look.exists or look.error is not None or not look.backups:
        return None
    return _CRITICAL, f"There is no database, but {counted(len(look.backups), 'backup')} of it.", look.way_back


def _not_there_yet(look: Look) -> _Said | None:
    if look.exists or look.error is not None or look.backups:
        return None
    return _NOTE, "There is no database yet.", "trueup --auto makes it from the models"


def _unreadable(look: Look) -> _Said | None:
    if look.error is None or isinstance(look.error, DatabaseBusy):
        return None
    lost = isinstance(look.error, DatabaseDamaged)
    return _CRITICAL, str(look.error), look.way_back if lost else "mend that; nothing else can be told before"


def _busy(look: Look) -> _Said | None:
    if not isinstance(look.error, DatabaseBusy):
        return None
    return _WARNING, str(look.error), "look which process keeps a transaction open"


def _damaged(look: Look) -> _Said | None:
    if not look.complaints:
        return None
    more = f", and {len(look.complaints) - 1} more" if len(look.complaints) > 1 else ""
    return _CRITICAL, f"The database is damaged: {look.complaints[0]}{more}.", look.way_back


def _cut_short(look: Look) -> _Said | None:
    if not look.cut_short:
        return None
    return _NOTE, "The time did not suffice to check everything.", "allow more with --time-limit, or 0 for none"


def _foreign_keys(look: Look) -> _Said | None:
    if not look.violations:
        return None
    named = [f"{counted(rows)} of {child} to {parent}" for (child, parent), rows in look.violations.items()]
    return _WARNING, f"Rows point to rows that are not there: {_some(named)}.", "correct or delete these rows"


def _broken_objects(look: Look) -> _Said | None:
    if not look.broken:
        return None
    return _WARNING, f"Views or triggers do not work: {_some(look.broken)}.", "mend or drop them"


def _space(look: Look) -> _Said | None:
    needs = look.size * _REBUILT
    short = [f"{place} has {free // 1_000_000} MB" for place, free in (look.free or {}).items() if free < needs]
    if not short:
        return None
    needed = f"A rebuild of all tables with a backup takes about {needs // 1_000_000} MB"
    return _WARNING, f"{needed}, and {_some(short)} left.", "make room"


# -- how it stands -----------------------------------------------------------------------------------------------------


def _models(look: Look) -> _Said | None:
    return (_WARNING, look.models_problem, "correct the models, or their name") if look.models_problem else None


def _drift(look: Look) -> _Said | None:
    standing = look.position.standing
    if standing in (Standing.UNMOVED, Standing.UNKNOWN):
        return None
    if standing is Standing.MODELS_OLDER:
        return _NOTE, look.position.sentence, "roll the server forward, or see --accept-older-models"
    return _WARNING, look.position.sentence, "see what differs: trueup --check"


def _differences(look: Look) -> _Said | None:
    since = look.position.since
    if look.position.standing is not Standing.UNMOVED or since is None or not since.differences_left:
        return None
    sentence = f"The last {since} left differences to the models."
    return _NOTE, sentence, "see which, and decide what becomes of them: trueup --check"


def _uncompared(look: Look) -> _Said | None:
    if not look.uncompared:
        return None
    return _NOTE, "No run tells how the database stands to the models.", "see what differs: trueup --check"


def _left_tables(look: Look) -> _Said | None:
    if not look.left_tables:
        return None
    return _NOTE, f"{'. '.join(look.left_tables)}.", "see what other tools left behind, and drop it"


# -- the runs ----------------------------------------------------------------------------------------------------------


def _last_run(look: Look) -> _Said | None:
    last = look.ended[-1] if look.ended else None
    if last is None or last.completed:
        return None
    when = f"{last.started_at:%Y-%m-%d %H:%M} UTC"
    ended = last.state if last.state == "failed" else f"was {last.state.replace('_', ' ')}"
    sentence = f"The last run ({last.kind}, {when}) {ended}"
    return _WARNING, f"{sentence}: {last.error or last.name}", "see trueup history, mend the cause, and run again"


def _failures(look: Look) -> _Said | None:
    recent = Tally.of([run for run in look.runs if look.now - run.started_at <= _RECENT])
    if recent.success_rate is None or recent.success_rate >= _ENOUGH or recent.runs - recent.completed < 2:
        return None
    sentence = f"Of {recent.runs} runs in {_RECENT.days} days, {recent.completed} did what they were to do."
    return _WARNING, sentence, "see how they failed: trueup history statistics"


def _running(look: Look) -> _Said | None:
    run = next((run for run in look.runs if run.running), None)
    if run is None:
        return None
    sentence = f"A run ({run.kind}) by {run.performed_by} goes on since {run.started_at:%Y-%m-%d %H:%M:%S} UTC."
    if look.now - run.started_at > _LONG:
        return _WARNING, sentence, "look whether that process still does anything; its end frees the lock"
    return _NOTE, sentence, "wait for its end"


# -- the backups -------------------------------------------------------------------------------------------------------


def _backups_problem(look: Look) -> _Said | None:
    if not look.backups_problem:
        return None
    return _WARNING, f"Backups cannot be made: {look.backups_problem}", "mend that, or name another --backup-dir"


def _backups_off(look: Look) -> _Said | None:
    return None if look.backups_on else (_WARNING, "Runs make no backups.", "allow them: backup = true")


def _no_good_backup(look: Look) -> _Said | None:
    made = any(run.backup_id for run in look.runs)
    untold = look.backups_problem and not look.backups
    if not look.exists or not made or untold or look.newest_good is not None:
        return None
    return _WARNING, "There is no good backup.", "the next run makes one; look where the earlier ones are"


def _old_backup(look: Look) -> _Said | None:
    good = look.newest_good
    if good is None or look.now - good.created_at <= timedelta(days=look.retention.days):
        return None
    days = (look.now - good.created_at).days
    return _NOTE, f"The newest good backup is {days} days old.", "make copies by other means as well, if rows matter"


def _bad_backups(look: Look) -> _Said | None:
    bad = [f"{backup.id} ({backup.problem})" for backup in look.backups if backup.problem]
    if not bad:
        return None
    sentence = f"{counted(len(bad), 'backup')} cannot be used: {_some(bad)}."
    return _WARNING, sentence, "look at them, and delete them: trueup backups delete ID"


def _unchecked(look: Look) -> _Said | None:
    good = look.newest_good
    if good is None or (good.verified_at is not None and look.now - good.verified_at <= _RECENT):
        return None
    told = f"not read again since {good.verified_at:%Y-%m-%d}" if good.verified_at else "never read again"
    return _NOTE, f"The backup {good.id} was {told}.", "trueup backups verify --trial"


def _storage(look: Look) -> _Said | None:
    if not look.storage:
        return None
    return _WARNING, f"{look.storage}.", "let less of them stay: backup_days, backup_count, backup_megabytes"


def _half_written(look: Look) -> _Said | None:
    if not look.half_written or any(run.running for run in look.runs):
        return None
    count = counted(look.half_written, "half-written file")
    return _NOTE, f"Killed runs left {count} beside the backups.", "nothing; the next run removes what is no backup"


_RULES: dict[str, Callable[[Look], _Said | None]] = {
    "database-missing": _missing,
    "no-database-yet": _not_there_yet,
    "database-unreadable": _unreadable,
    "database-damaged": _damaged,
    "database-busy": _busy,
    "not-all-checked": _cut_short,
    "foreign-keys": _foreign_keys,
    "broken-objects": _broken_objects,
    "disk-space": _space,
    "models": _models,
    "drift": _drift,
    "differences-left": _differences,
    "not-compared": _uncompared,
    "tables-left-behind": _left_tables,
    "last-run": _last_run,
    "failures": _failures,
    "run-goes-on": _running,
    "backups-impossible": _backups_problem,
    "backups-off": _backups_off,
    "no-good-backup": _no_good_backup,
    "old-backup": _old_backup,
    "bad-backups": _bad_backups,
    "backup-not-verified": _unchecked,
    "backup-storage": _storage,
    "half-written": _half_written,
}


def _some(named: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"
