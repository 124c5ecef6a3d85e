"""The table of keys is the truth: what stands in it acts, and nothing else is claimed anywhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.data import (
    BACKUPS,
    ENDANGERED,
    HISTORY,
    LOSING,
    NOT_FIT,
    OPEN,
    READY,
    UNFILLED,
    FakeCore,
    session_of,
    up_to_step,
)
from tests.tui.scenarios import NARROW, armed, press, running, start
from trueup_tui.app import TrueupApp
from trueup_tui.commands import COMMANDS, PLACES, Command, as_markdown, bar_of, bindings_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "keys.md"
TOGETHER = {
    "diff": ("app", "diff", "list"),
    "preview": ("app", "preview", "text"),
    "apply": ("app", "apply", "text"),
    "backups": ("app", "backups", "list"),
    "history": ("app", "history", "list"),
    "health": ("app", "health", "list"),
    "undo": ("app", "undo", "text"),
}
BEFORE: dict[str, tuple[str, ...]] = {
    "list": ("j", "j", "j"),
    "list.up": ("j", "j", "j"),
    "list.top": ("j", "j", "j"),
    "list.page_up": ("G",),
    "list.unfold": ("h",),
    "diff.next": ("j",),
    "diff.previous": ("j",),
    "text": ("p", "j", "j"),
    "text.bottom": ("p",),
    "app.drift": ("2",),
    "rename": ("r",),
    "filter": ("slash", "o"),
    "preview": ("p",),
    "backups": ("2",),
    "history": ("3",),
    "health": ("4",),
    "undo": ("3", "u"),
    "palette": ("ctrl+p",),
    "help": ("question_mark",),
}
PLANS = {"diff.rename": OPEN, "diff.next": OPEN, "diff.previous": OPEN, "diff.fill": UNFILLED, "rename": OPEN}
PLANS |= {"ask": READY, "confirm": LOSING, "decide": ENDANGERED}


def session_for(command: Command) -> FakeCore:
    plan = PLANS.get(command.id, PLANS.get(command.place, READY))
    return FakeCore(plan=plan, backups=BACKUPS, runs=HISTORY, health=NOT_FIT, examining=command.id == "health.cancel")


async def go_to(command: Command, pilot: Pilot[int]) -> None:
    """Where the command holds, in a state in which it can be seen to act."""
    if command.place == "apply":
        await running(*up_to_step(READY, 3, 7.0))(pilot)
    elif command.place == "confirm":
        await press(pilot, "p", "A")
        await armed(pilot)
        await press(pilot, *"coupons", "tab")
    elif command.place == "ask":
        await press(pilot, "p", "t")
        await armed(pilot)
        await press(pilot, *"90")
    elif command.place in ("decide", "palette"):
        await press(pilot, *BEFORE.get(command.place, ("d",)))
        await armed(pilot)
    else:
        await press(pilot, *BEFORE.get(command.id, BEFORE.get(command.place, ())))


def picture(pilot: Pilot[int]) -> object:
    """All that a person or the session could tell apart."""
    app = pilot.app
    lines = app.screen._compositor.render_strips()
    text = "\n".join("".join(segment.text for segment in line) for line in lines)
    cursor = getattr(app.focused, "cursor_line", None)
    where = (app.focused and app.focused.id, app.current_mode, len(app.screen_stack), cursor)
    return text, where, len(app._notifications), app._exit, getattr(app.focused, "scroll_offset", None)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
async def test_key_acts(command: Command) -> None:
    """The key does something, or the app says why it does not."""
    core = session_for(command)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await go_to(command, pilot)
        before = picture(pilot), core.calls
        await pilot.press(command.keys.split(",")[0])
        for _ in range(200):
            await pilot.pause(0.05)
            if (picture(pilot), core.calls) != before:
                return
        raise AssertionError(picture(pilot))


async def refused(pilot: Pilot[int], key: str) -> str:
    """What the app says to the key."""
    seen = {notification.identity for notification in pilot.app._notifications}
    await press(pilot, key)
    said = [item.message for item in pilot.app._notifications if item.identity not in seen]
    return said[-1] if said else ""


@pytest.mark.parametrize(
    ("keys", "key", "words"),
    [
        ((), "z", "no choice to take back"),
        ((), "w", "no answer to write"),
        ((), "r", "Nothing here looks like a rename"),
        ((), "f", "Only a column can be filled"),
        ((), "n", "No question is open"),
        ((), "a", "Nothing ran yet"),
        (("3",), "u", "no run to undo"),
        (("3",), "s", "no run to count"),
        (("3",), "c", "Nothing goes on here"),
        (("2",), "c", "Nothing goes on here"),
        (("4",), "c", "Nothing is being examined"),
        (("3",), "a", "Nothing ran in this visit"),
        (("g",), "space", "Move to a change first"),
        ((), "i", "d takes a decision back"),
        ((), "space", "decisions file or the models say"),
    ],
)
async def test_key_is_refused(keys: tuple[str, ...], key: str, words: str) -> None:
    """A key that cannot act now says why."""
    app = TrueupApp(session_of(FakeCore(plan=READY)))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, *keys)
        assert words in await refused(pilot, key)


async def test_preview_is_refused_while_a_question_is_open() -> None:
    """Preview needs every question answered or skipped, and says how to get to the open one."""
    app = TrueupApp(session_of(FakeCore(plan=OPEN)))
    async with app.run_test(size=NARROW) as pilot:
        assert await refused(pilot, "p") == "1 question is open: n goes there. Answer, or skip with ␣."


@pytest.mark.parametrize("key", ["space", "r", "d", "f", "i", "p", "R"])
async def test_choices_wait_for_the_run(key: str) -> None:
    """While a run is on, no choice is made and nothing is read."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await start(pilot)
        await press(pilot, "escape")
        asked = len(core.asked)
        assert "A run is on" in await refused(pilot, key)
        assert len(core.asked) == asked


@pytest.mark.parametrize("place", TOGETHER, ids=str)
def test_no_key_means_two_things(place: str) -> None:
    """Where several parts of the table hold at once, each key stands in one of them only, or in the nearer one."""
    keys = Counter(key for part in TOGETHER[place] for binding in bindings_of(part) for key in binding.key.split(","))
    assert {key: count for key, count in keys.items() if count > 1} == {}


@pytest.mark.parametrize("place", TOGETHER, ids=str)
def test_bar_fits(place: str) -> None:
    """The bar of every place fits 80 columns, help first and quit last."""
    bar = bar_of(place)
    assert 2 + len("  ".join(f"{item.shown.split()[0]} {item.label}" for item in bar)) <= 80
    assert (bar[0].id, bar[-1].id) == ("app.help", "app.quit")


def test_every_command_has_a_place() -> None:
    """Ids are unique and begin with a known place."""
    assert len({command.id for command in COMMANDS}) == len(COMMANDS)
    assert {command.place for command in COMMANDS} == set(PLACES)


def test_document_is_the_table() -> None:
    """``docs/keys.md`` is what the table says; ``python tests/tui/screenshots.py`` writes it again."""
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown()


async def test_click_on_the_bar_does_the_same() -> None:
    """A click on a key in the bar acts like the key."""
    app = TrueupApp(session_of(FakeCore(plan=READY)))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot)
        await pilot.click(".keys", offset=(2, 0))
        await pilot.pause()
        assert type(app.screen).__name__ == "HelpScreen"
