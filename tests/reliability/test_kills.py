"""kill -9 at any moment of a run, a restore or an undo: the old or the new database, and the next start ends it."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import pytest

from tests.reliability import bank, times
from tests.reliability.children import Child, tell_events
from tests.reliability.sites import UNDERTAKINGS, Site, Undertaking, check_nothing_left, prepare
from trueup import migrate

KILLS = times(25, nightly=1000)
"""Of each undertaking, in each journal mode."""


def crash(site: Site, chance: random.Random) -> str:
    """Kill the undertaking somewhere after one of its events; returns the name of that one."""
    name, pause = site.moments[number := chance.randrange(len(site.moments))]
    child = Child(tell_events, site.work)
    for _ in range(number + 1):
        child.hear()
    time.sleep(chance.uniform(0, 1.2 * pause))
    child.kill()
    return name


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("undertaking", UNDERTAKINGS.values(), ids=UNDERTAKINGS)
def test_killed_at_any_moment(tmp_path: Path, undertaking: Undertaking, journal_mode: str) -> None:
    """The database is the old or the new one with every row; the next start says what happened, and cleans up."""
    site, chance, in_the_middle = prepare(tmp_path, undertaking, journal_mode), random.Random(journal_mode), 0
    server = partial(migrate, bank.target(site.lab))
    for attempt in range(KILLS):
        site.reset()
        moment = crash(site, chance)
        seen = site.as_left()
        found = bank.content(seen)
        assert found in (site.begin, site.end), moment
        assert seen.healthy(), moment
        left = site.intent()
        again = bool(attempt % 2) and found == site.begin
        run = site.work() if again else server()
        assert run.error is None, moment
        assert bank.content(site.lab) == (site.end if again else site.new), moment
        told = [warning for warning in run.warnings if "was killed" in warning]
        assert len(told) == (left is not None), moment
        assert not told or ("after its commit" in told[0]) == (found == site.end), moment
        check_nothing_left(site.lab)
        in_the_middle += left is not None
    assert in_the_middle > KILLS / 3
