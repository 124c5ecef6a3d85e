"""kill -9 at any moment of a run, a restore or an undo: the old or the new database, and the next start ends it."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, Work, tell_events
from trueup import find_backup, list_backups, migrate, restore, undo, verify_backup

KILLS = times(25, nightly=1000)
"""Of each undertaking, in each journal mode."""


@dataclass(frozen=True)
class Undertaking:
    """Something that is killed."""

    migrated: bool
    """Whether it begins with the new schema."""
    work: Callable[[Lab], Work]


def restoring(lab: Lab) -> Work:
    return partial(restore, find_backup(bank.target(lab), "latest"), bank.target(lab))


UNDERTAKINGS = {
    "run": Undertaking(False, lambda lab: partial(migrate, bank.target(lab))),
    "run without a backup": Undertaking(False, lambda lab: partial(migrate, bank.target(lab, backup=False))),
    "restore": Undertaking(True, restoring),
    "undo": Undertaking(True, lambda lab: partial(undo, bank.target(lab), accept_loss=True)),
}


@dataclass(frozen=True)
class Site:
    """A database and its backups, put back in place each time before the same thing is begun on them."""

    lab: Lab
    work: Work
    begin: str
    """The database's content before the undertaking."""
    end: str
    """And after it."""
    moments: list[tuple[str, float]]
    """Every event of an undisturbed undertaking, and for how many seconds nothing else was told."""

    @property
    def place(self) -> Path:
        return self.lab.path.parent

    def reset(self) -> None:
        shutil.rmtree(self.place)
        shutil.copytree(self.place.with_name("pristine"), self.place)

    def crash(self, chance: random.Random) -> str:
        """Kill the undertaking somewhere after one of its events; returns the name of that one."""
        name, pause = self.moments[number := chance.randrange(len(self.moments))]
        child = Child(tell_events, self.work)
        for _ in range(number + 1):
            child.hear()
        time.sleep(chance.uniform(0, 1.2 * pause))
        child.kill()
        return name

    def as_left(self) -> Lab:
        """A copy of the database and its journals, to look at without healing what the next start is to heal."""
        seen = self.place.with_name("seen")
        shutil.rmtree(seen, ignore_errors=True)
        seen.mkdir()
        for path in self.place.glob("app.db*"):
            shutil.copyfile(path, seen / path.name)
        return Lab(seen / "app.db")

    def intent(self) -> dict[str, str] | None:
        """What the killed process had noted of itself."""
        path = self.lab.path.with_name("app.db.trueup-lock")
        text = path.read_text() if path.exists() else ""
        return json.loads(text) if text else None


def prepare(place: Path, undertaking: Undertaking, journal_mode: str) -> Site:
    """The bank as the undertaking finds it, and how it goes when nobody kills it."""
    (place / "site").mkdir()
    lab = Lab(place / "site" / "app.db")
    bank.found_bank(lab, journal_mode=journal_mode)
    if undertaking.migrated:
        assert migrate(bank.target(lab)).success
    begin = bank.content(lab)
    shutil.copytree(place / "site", place / "pristine")
    work = undertaking.work(lab)
    *events, (_status, error) = Child(tell_events, work).hear_all()
    assert error == ""
    ends = [elapsed for _, elapsed in events[1:]] + [events[-1][1] + 0.005]
    moments = [(name, end - elapsed) for (name, elapsed), end in zip(events, ends, strict=True)]
    return Site(lab, work, begin, bank.content(lab), moments)


@pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
@pytest.mark.parametrize("undertaking", UNDERTAKINGS.values(), ids=UNDERTAKINGS)
def test_killed_at_any_moment(tmp_path: Path, undertaking: Undertaking, journal_mode: str) -> None:
    """The database is the old or the new one with every row; the next start says what happened, and cleans up."""
    site, chance, in_the_middle = prepare(tmp_path, undertaking, journal_mode), random.Random(journal_mode), 0
    new = site.begin if undertaking.migrated else site.end
    server = partial(migrate, bank.target(site.lab))
    for attempt in range(KILLS):
        site.reset()
        moment = site.crash(chance)
        seen = site.as_left()
        found = bank.content(seen)
        assert found in (site.begin, site.end), moment
        assert seen.healthy(), moment
        left = site.intent()
        again = bool(attempt % 2) and found == site.begin
        run = site.work() if again else server()
        assert run.error is None, moment
        assert bank.content(site.lab) == (site.end if again else new), moment
        told = [warning for warning in run.warnings if "was killed" in warning]
        assert len(told) == (left is not None), moment
        assert not told or ("after its commit" in told[0]) == (found == site.end), moment
        check_nothing_left(site.lab)
        in_the_middle += left is not None
    assert in_the_middle > KILLS / 3


def check_nothing_left(lab: Lab) -> None:
    """No half-written file, no journal, and only backups that are good; the killed run is told once."""
    assert sorted(path.name for path in lab.path.parent.glob("app.db*")) == ["app.db", "app.db.trueup-lock"]
    assert lab.path.with_name("app.db.trueup-lock").read_text() == ""
    listed = list_backups(bank.target(lab))
    assert [verify_backup(backup, bank.target(lab)).problem for backup in listed] == [""] * len(listed)
    files = {path.name for path in (lab.path.parent / ".trueup" / "backups").glob("*")}
    assert files == {f"{backup.id}.{ending}" for backup in listed for ending in ("db", "json")}
