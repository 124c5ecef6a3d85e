"""How well the database is, in the app: what is found on real files, and where each finding leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.data import (
    BACKUPS,
    DAMAGED,
    FIT,
    HISTORY,
    HOSTILE,
    NOT_FIT,
    READY,
    SECRET,
    URL,
    FakeCore,
    health_of,
    session_of,
    whole_run,
)
from tests.tui.scenarios import NARROW, WIDE, press, send, settled, start
from tests.tui.test_backups import Desk
from tests.tui.test_flow import said
from tests.tui.test_safety import text_of
from trueup import HealthLevel, errors, make_backup
from trueup.symptoms import _RULES
from trueup_tui.app import TrueupApp
from trueup_tui.health_words import LEADS, areas_of, headline_of
from trueup_tui.screens.health import HealthScreen
from trueup_tui.widgets.finding_list import FindingList


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lock_timeout=0.2)


# -- real databases ----------------------------------------------------------------------------------------------------


async def test_a_database_that_nobody_compared_yet(desk: Desk) -> None:
    """It is healthy, with a note that leads to the differences."""
    async with desk.app().run_test(size=NARROW) as pilot:
        await press(pilot, "4")
        assert "✓ healthy · 97 of 100 · 1 finding" in text_of(pilot)
        assert "No run tells how the database stands to the models." in text_of(pilot)
        await press(pilot, "enter")
        assert pilot.app.current_mode == "drift"


async def test_a_damaged_database(desk: Desk) -> None:
    """Damage is critical, names the backup that is good, and leads to the backups."""
    made = make_backup(desk.target)
    with desk.database.open("r+b") as file:
        file.seek(4096)  # the page of people
        file.write(b"\xff" * 200)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "4")
        assert "✗ data is lost, or may be" in text_of(pilot)
        assert f"trueup restore {made.id}" in text_of(pilot)
        await press(pilot, "enter")
        assert pilot.app.current_mode == "backups"


async def test_rows_that_point_to_nothing(desk: Desk) -> None:
    """They are counted, and since no place of the app mends them, the key says so."""
    desk.sql("CREATE TABLE pets (owner INTEGER REFERENCES people); INSERT INTO pets VALUES (1), (7), (8);")
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "4")
        assert "! something should be done" in text_of(pilot)
        assert "Rows point to rows that are not there: 2 rows of pets to people." in text_of(pilot)
        await press(pilot, "g", "enter")
        assert "No place of the app helps with this" in said(pilot)


async def test_somebody_holds_the_database(desk: Desk) -> None:
    """That nothing could be read is a finding, and what could not be seen is not called well."""
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot)
        with desk.held("EXCLUSIVE"):
            await press(pilot, "4")
        assert "Another process holds" in text_of(pilot)
        assert "? runs      Not everything could be seen" in text_of(pilot)
        await press(pilot, "R")
        assert "✓ healthy" in text_of(pilot)


async def test_examined_once_and_when_asked(desk: Desk) -> None:
    """Coming back shows what was found; ``R`` looks again."""
    core = FakeCore(plan=READY, health=NOT_FIT)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "4", "1", "4")
        assert core.examined == 1
        core.health = FIT
        await press(pilot, "R")
        assert core.examined == 2
        assert "Nothing is wrong." in text_of(pilot)


# -- what is said ------------------------------------------------------------------------------------------------------


def test_the_line_on_top() -> None:
    """State, score, number and time."""
    session = session_of(FakeCore())
    assert headline_of(session).plain == ""
    session.health = FIT
    assert headline_of(session).plain == " ✓ healthy · 100 of 100 · examined 4 s ago"
    session.health = NOT_FIT
    assert headline_of(session).plain == " ! something should be done · 68 of 100 · 4 findings · examined 4 s ago"


def test_what_was_not_seen_is_not_well() -> None:
    """Where the examination could not see everything, no area without a finding gets a tick."""
    assert "✓" not in areas_of(DAMAGED).plain
    assert areas_of(FIT).plain.count("✓") == 4


@pytest.mark.parametrize("rule", LEADS)
def test_leads_are_of_rules_that_there_are(rule: str) -> None:
    """A rule that got another name would lead nowhere."""
    assert rule in _RULES


@pytest.mark.parametrize(
    ("rule", "place"),
    [("last-run", "history"), ("bad-backups", "backups"), ("drift", "drift"), ("backup-not-verified", "backups")],
)
async def test_a_finding_leads_somewhere(rule: str, place: str) -> None:
    """Enter goes to the place that the finding names."""
    health = health_of((rule, HealthLevel.WARNING, "Something.", "do something"))
    core = FakeCore(plan=READY, health=health, backups=BACKUPS, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "4", "enter")
        assert pilot.app.current_mode == place


async def test_nothing_to_go_on_from() -> None:
    """Where nothing is wrong, Enter says so."""
    async with TrueupApp(session_of(FakeCore(plan=READY))).run_test(size=NARROW) as pilot:
        await press(pilot, "4", "enter")
        assert "There is no finding to go on from." in said(pilot)
        await press(pilot, "c")
        assert "Nothing is being examined." in said(pilot)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_names_only_show(name: str) -> None:
    """A finding may quote any name; nothing of it acts."""
    core = FakeCore(plan=READY, health=health_of(("drift", HealthLevel.WARNING, f"Table {name}.", name)))
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "4")
        shown = text_of(pilot)
    assert "Table" in shown
    assert not set(shown) & {"\x1b", "\x07", "\u202e", "\u202c", "\ufeff", "\u200d", "\t"}


async def test_why_it_could_not_be_examined() -> None:
    """An error of any kind is a sentence without the password, and ``R`` tries again."""
    core = FakeCore(plan=READY, health=RuntimeError(f"cannot open {URL}"))
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "4")
        assert "cannot open" in text_of(pilot)
        assert SECRET not in text_of(pilot)
        core.health = errors.NoTarget(what="models", looked="trueup.toml", option="--models m:Base")
        await press(pilot, "R")
        assert "No models given." in text_of(pilot)
        core.health = FIT
        await press(pilot, "R")
        assert "Nothing is wrong." in text_of(pilot)


# -- while it goes on --------------------------------------------------------------------------------------------------


async def test_an_examination_can_be_stopped() -> None:
    """``c`` ends it; what was seen until then is not shown as a judgement, and ``R`` begins anew."""
    core = FakeCore(plan=READY, examining=True)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "4", "R")
        assert "It is being examined." in said(pilot)
        assert "▶ examining the database" in text_of(pilot)
        await press(pilot, "c")
        assert "Not examined" in text_of(pilot)
        core.examining = False
        await press(pilot, "1", "4")
        assert core.examined == 1
        await press(pilot, "R")
        assert "Nothing is wrong." in text_of(pilot)


async def test_a_run_ends_the_examination() -> None:
    """A commit would have to wait for it; during a run none is begun, and afterwards it is said to be out of date."""
    core = FakeCore(plan=READY, health=NOT_FIT)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "4")
        core.examining = True
        await press(pilot, "R", "1")
        await start(pilot)
        await settled(pilot)
        assert pilot.app.session.examining is None  # type: ignore[attr-defined]
        await press(pilot, "4", "R")
        assert "A run is on" in said(pilot)
        send(pilot, *whole_run(READY))
        await settled(pilot)
        assert isinstance(pilot.app.screen, HealthScreen)
        assert "out of date: R" in text_of(pilot)


async def test_the_cursor_stays_in_the_list() -> None:
    """Moving reaches the first and the last finding; fewer findings leave it on the last."""
    core = FakeCore(plan=READY, health=NOT_FIT)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "4", "G")
        findings = pilot.app.screen.query_one(FindingList)
        assert findings.highlighted == 3
        core.health = DAMAGED
        await press(pilot, "R")
        assert findings.highlighted == 1
        await press(pilot, "k", "h", "l", "g", "j")
        assert findings.highlighted == 1
