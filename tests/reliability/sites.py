"""Things that trueup undertakes with a database, begun again and again, and disturbed each time in another way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.conftest import Lab
from tests.reliability import bank
from tests.reliability.children import Child, Work, tell_events
from trueup import find_backup, list_backups, migrate, restore, undo, verify_backup


@dataclass(frozen=True)
class Undertaking:
    """What is disturbed."""

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
    undertaking: Undertaking
    work: Work
    begin: str
    """The database's content before the undertaking."""
    end: str
    """And after it."""
    moments: list[tuple[str, float]]
    """Every event of an undisturbed undertaking, and for how many seconds nothing else was told."""

    @property
    def new(self) -> str:
        """What the models of the server want."""
        return self.begin if self.undertaking.migrated else self.end

    @property
    def place(self) -> Path:
        return self.lab.path.parent

    def reset(self) -> None:
        shutil.rmtree(self.place)
        shutil.copytree(self.place.with_name("pristine"), self.place)

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
    """The bank as the undertaking finds it, and how it goes undisturbed."""
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
    return Site(lab, undertaking, work, begin, bank.content(lab), moments)


def check_nothing_left(lab: Lab) -> None:
    """No half-written file, no journal, and only backups that are good; the killed run is told once."""
    assert sorted(path.name for path in lab.path.parent.glob("app.db*")) == ["app.db", "app.db.trueup-lock"]
    assert lab.path.with_name("app.db.trueup-lock").read_text() == ""
    listed = list_backups(bank.target(lab))
    assert [verify_backup(backup, bank.target(lab)).problem for backup in listed] == [""] * len(listed)
    files = {path.name for path in (lab.path.parent / ".trueup" / "backups").glob("*")}
    assert files == {f"{backup.id}.{ending}" for backup in listed for ending in ("db", "json")}, files
