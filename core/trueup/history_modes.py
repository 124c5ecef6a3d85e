"""What the commands about the history do, from the settings to the exit code."""

from __future__ import annotations

from trueup.as_json import baseline_object
from trueup.as_text import baseline_lines
from trueup.baselining import baseline
from trueup.choosing import find_run
from trueup.cleaning import clean_history, plan_cleanup
from trueup.flow import past_runs
from trueup.limits import Limits
from trueup.modes import print_out, say, signals_cancel
from trueup.past_json import cleanup_object, run_object, runs_object, statistics_object
from trueup.past_text import cleanup_lines, past_run_details, past_run_lines, statistics_lines
from trueup.settings import Settings
from trueup.statistics import Statistics
from trueup.target import Target


def list_runs(settings: Settings, *, as_json: bool) -> int:
    """List the runs, newest first."""
    found = past_runs(Target.from_settings(settings, models=()))[::-1]
    print_out(runs_object(found) if as_json else past_run_lines(found))
    return 0


def show_run(settings: Settings, run_id: str, *, as_json: bool) -> int:
    """Tell all that is known of one run."""
    target = Target.from_settings(settings, models=())
    found = find_run(past_runs(target), run_id, target.dialect().database)
    print_out(run_object(found) if as_json else past_run_details(found))
    return 0


def take_baseline(settings: Settings, name: str, note: str, *, as_json: bool) -> int:
    """Take the database as it is for the starting point."""
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        run = baseline(Target.from_settings(settings), name=name, note=note, limits=limits)
    if run.error is not None and not as_json:
        say(str(run.error))
    else:
        print_out(baseline_object(run, name, note) if as_json else baseline_lines(run))
    return run.exit_code


def clean_up(settings: Settings, days: float | None, *, agreed: bool, as_json: bool) -> int:
    """Take out of the history what is old; without agreement only say what; 1 where that is something."""
    target = Target.from_settings(settings, models=())
    found = (clean_history if agreed else plan_cleanup)(target, days=days)
    print_out(cleanup_object(found, done=agreed) if as_json else cleanup_lines(found, done=agreed))
    return 0 if agreed or found.nothing else 1


def tell_statistics(settings: Settings, *, as_json: bool) -> int:
    """Tell what the runs come to together."""
    found = Statistics.of(past_runs(Target.from_settings(settings, models=())))
    print_out(statistics_object(found) if as_json else statistics_lines(found))
    return 0
