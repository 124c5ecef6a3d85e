"""What the commands about the history do, from the settings to the exit code."""

from __future__ import annotations

from trueup.flow import past_runs
from trueup.modes import print_out
from trueup.past_json import runs_object, statistics_object
from trueup.past_text import past_run_lines, statistics_lines
from trueup.settings import Settings
from trueup.statistics import Statistics
from trueup.target import Target


def list_runs(settings: Settings, *, as_json: bool) -> int:
    """List the runs, newest first."""
    found = past_runs(Target.from_settings(settings, models=()))[::-1]
    print_out(runs_object(found) if as_json else past_run_lines(found))
    return 0


def tell_statistics(settings: Settings, *, as_json: bool) -> int:
    """Tell what the runs come to together."""
    found = Statistics.of(past_runs(Target.from_settings(settings, models=())))
    print_out(statistics_object(found) if as_json else statistics_lines(found))
    return 0
