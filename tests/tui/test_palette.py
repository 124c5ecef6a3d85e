"""The list of everything that can be done in a place: complete, found by words, and done as by the key."""

from __future__ import annotations

import pytest

from tests.tui.data import BACKUPS, READY, FakeCore, session_of
from tests.tui.scenarios import NARROW, press
from tests.tui.test_flow import said
from tests.tui.test_safety import text_of
from trueup_tui.app import TrueupApp
from trueup_tui.commands import PLACES, commands_of
from trueup_tui.screens.backups import BackupsScreen
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.history import HistoryScreen
from trueup_tui.screens.palette import PaletteScreen, found


@pytest.mark.parametrize("place", PLACES)
def test_everything_is_in_it(place: str) -> None:
    """All commands of the place, and the ways to the other places."""
    here = {command.id for command in found(place, "")}
    assert here >= {command.id for command in commands_of(place)} - {"app.palette", "app.interrupt"}
    assert here >= {"app.help", "app.drift", "app.backups", "app.history", "app.quit"}


def test_words_in_any_order_and_case() -> None:
    """Every word must be in the command's own words; what nobody says finds nothing."""
    assert [command.id for command in found("backups", "TRIAL scratch")] == ["backups.trial"]
    assert found("backups", "kangaroo") == ()


async def test_a_command_is_done_as_by_its_key() -> None:
    """What asks when its key is pressed asks here as well."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "2", "ctrl+p", *"delete", "enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await press(pilot, "escape", "ctrl+p", *"whole", "enter")
        assert "is good" in text_of(pilot)
        await press(pilot, "ctrl+p", *"runs", "enter")
        assert isinstance(pilot.app.screen, HistoryScreen)


async def test_the_arrows_choose() -> None:
    """Down and up go round; Enter takes the one that is marked."""
    async with TrueupApp(session_of(FakeCore(plan=READY))).run_test(size=NARROW) as pilot:
        await press(pilot, "2", "ctrl+p", "up", "down", "down", "enter")
        assert "There is no backup to verify" in said(pilot)


async def test_nothing_is_done_without_enter() -> None:
    """``esc`` goes back; so it is where no command has the words, whatever is pressed."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "2", "ctrl+p", *"xyzzy", "enter")
        assert isinstance(pilot.app.screen, PaletteScreen)
        assert "Nothing that can be done here" in text_of(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, BackupsScreen)
        assert core.tasks == 0
