"""A disk that is full at any write: the old database or the new one, a sentence, nothing left behind."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, fill_up_at, run_out_of_room
from tests.reliability.sites import UNDERTAKINGS, Site, Undertaking, check_nothing_left, prepare
from trueup import migrate

SIZES = times(8, nightly=1000)
MOMENTS = times(5, nightly=1000)
"""Of each undertaking, in each journal mode."""
_FIRST = (0, 60, 150, 4096)
"""Bytes at which the small files fail: the note in the lock file, the description of a backup."""

EVERY_UNDERTAKING = pytest.mark.parametrize("undertaking", UNDERTAKINGS.values(), ids=UNDERTAKINGS)
BOTH_MODES = pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])


@EVERY_UNDERTAKING
@BOTH_MODES
def test_no_file_grows_beyond_a_size(tmp_path: Path, undertaking: Undertaking, journal_mode: str) -> None:
    """Whichever write it is that fails, the database is as it was, and the run says that it could not write."""
    site = prepare(tmp_path, undertaking, journal_mode)
    largest = 2 * max(path.stat().st_size for path in tmp_path.rglob("*.db"))
    spread = range(4096, largest, max(4096, largest // SIZES))
    failed = [try_once(site, partial(Child, run_out_of_room, site.work, size)) for size in (*_FIRST, *spread)]
    assert any(failed)
    assert not all(failed)


@EVERY_UNDERTAKING
@BOTH_MODES
def test_nothing_can_be_written_any_more(tmp_path: Path, undertaking: Undertaking, journal_mode: str) -> None:
    """From a moment on every write fails, those of the roll-back too: the next one who opens the database does it."""
    site = prepare(tmp_path, undertaking, journal_mode)
    chance, every = random.Random(journal_mode), range(len(site.moments))
    for number in sorted(chance.sample(every, min(MOMENTS, len(every)))):
        try_once(site, partial(Child, fill_up_at, site.work, number))


def test_the_sentence(lab: Lab) -> None:
    """It says what could not be written and what to do, whatever the driver calls it."""
    bank.found_bank(lab)
    work = partial(migrate, bank.target(lab, backup=False))
    status, error = Child(run_out_of_room, work, lab.path.stat().st_size).hear_all()[-1]
    assert status == "failed"
    assert f"{lab.url} could not be written: " in error
    assert "the database is as it was. Make room on its file system" in error


def try_once(site: Site, begin: partial[Child]) -> bool:
    """Returns whether the undertaking failed; when it did, the database is as it was, and all goes well with room."""
    site.reset()
    status, error = begin().hear_all()[-1]
    found = bank.content(site.as_left())
    assert found == (site.begin if error else site.end), error
    assert "that trueup does not know" not in error
    assert not error or status in ("failed", "unreadable"), status
    run = migrate(bank.target(site.lab))
    assert (run.error, run.warnings) == (None, run.plan.warnings if run.plan else ())
    assert bank.content(site.lab) == site.new
    check_nothing_left(site.lab)
    return bool(error)
