"""What must never happen: a yes that nobody gave, other SQL than is shown, text that acts, a secret that is printed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events as textual_events
from textual.pilot import Pilot
from textual.widgets import Button, Input

from tests.tui.data import (
    BACKUP,
    HOSTILE,
    LOSING,
    PAST_RUN,
    READY,
    SECRET,
    URL,
    FakeCore,
    hostile_plan,
    session_of,
    undo_of,
    up_to_step,
    whole_run,
)
from tests.tui.scenarios import NARROW, WIDE, armed, press, send, settled, start
from trueup import BackupComparison, errors
from trueup.run import RowsMoved
from trueup_tui.app import TrueupApp
from trueup_tui.screens.confirm import ConfirmScreen, PatientScreen
from trueup_tui.widgets.panes import TextPane
from trueup_tui.wording import TAB, visible

ROOT = Path(__file__).resolve().parents[2]


def text_of(pilot: Pilot[int]) -> str:
    """All characters on the screen."""
    lines = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


# -- confirming --------------------------------------------------------------------------------------------------------


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody had time to read a question, however slow the machine."""
    monkeypatch.setattr(PatientScreen, "patience", 3600.0)


@pytest.mark.usefixtures("unseen")
async def test_queued_enters_confirm_nothing() -> None:
    """Three Enters right behind the A apply nothing."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p")
        await pilot.press("A", "enter", "enter", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        app.screen.arm()
        await press(pilot, "enter", "enter", "enter")
        assert core.started == []


@pytest.mark.usefixtures("unseen")
async def test_yes_that_was_queued_does_not_count() -> None:
    """A y pressed before the question could be read is not an answer."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p")
        await pilot.press("A", "y", "y")
        await settled(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert core.started == []


async def test_safe_answer_has_the_focus() -> None:
    """Enter on a question goes back."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p", "A")
        await armed(pilot)
        assert app.focused is app.screen.query_one("#no")
        await press(pilot, "enter")
        assert not isinstance(app.screen, ConfirmScreen)
        assert core.started == []


@pytest.mark.parametrize("typed", ["", "coupon", "Coupons", " coupons", "coupons "])
async def test_name_is_compared_exactly(typed: str) -> None:
    """Anything but the exact name leaves no way to say yes."""
    core = FakeCore(plan=LOSING)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p", "A")
        await armed(pilot)
        app.screen.query_one(Input).value = typed
        await pilot.pause()
        assert app.screen.query_one("#yes", Button).disabled == (typed != "coupons")
        await press(pilot, "tab", "y")
        assert core.started == []


async def test_typed_name_then_yes_applies() -> None:
    """The exact name, tab and y apply the plan that was shown."""
    core = FakeCore(plan=LOSING)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p", "A")
        await armed(pilot)
        await press(pilot, *"coupons", "enter")
        assert core.started == []
        await press(pilot, "tab", "y")
        assert [plan for plan, _ in core.started] == [LOSING]


async def test_paste_presses_no_keys() -> None:
    """What is pasted is text: none of it is taken for a key, and more than the name does not fit."""
    core = FakeCore(plan=LOSING)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "p")
        app.post_message(textual_events.Paste("A\ny\nq"))
        await pilot.pause(0.1)
        assert not isinstance(app.screen, ConfirmScreen)
        await press(pilot, "A")
        await armed(pilot)
        app.screen.query_one(Input).post_message(textual_events.Paste("coupons and more"))
        await pilot.pause(0.1)
        assert app.screen.query_one("#yes", Button).disabled
        assert core.started == []


# -- what is shown is what runs ----------------------------------------------------------------------------------------


async def test_preview_shows_the_script() -> None:
    """The SQL on the screen is the plan's script to the letter, and that plan is the one that is applied."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "p")
        shown = app.screen.query_one("#script", TextPane).shown.plain
        assert shown == READY.script.expandtabs(TAB)
        assert "CHECK (ref GLOB '[a-z]*[0-9]')" in text_of(pilot)
        await press(pilot, "A")
        await armed(pilot)
        await press(pilot, "y")
        assert core.started[0][0] is READY


# -- text from a database ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_names_only_show(name: str) -> None:
    """On every screen a name is shown, never obeyed: no markup, no escape sequence, no turned text, no crash."""
    plan = hostile_plan(name)
    backup = BACKUP.__class__(
        **{field: getattr(BACKUP, field) for field in BACKUP.__slots__}
        | {"row_counts": {name: 1}, "problem": name, "database": name}
    )
    done = replace(PAST_RUN.steps[0], sentence=name, sql=name, form=name, undone_by=name)
    run = replace(PAST_RUN, name=name, performed_by=name, backup_id=name, undoes={name: ()}, steps=(done,))
    failed = replace(run, status="failed", kind=name, error=name, undoes={})
    core = FakeCore(plan=lambda **asked: plan, backups=(backup,), runs=(failed, run), undo=undo_of(plan))
    core.compared = BackupComparison(
        backup=backup, changes=tuple(item.change for item in plan.assessments), rows=(RowsMoved(name, 1, 2),)
    )
    app = TrueupApp(session_of(core))
    seen = []
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot)
        seen.append(text_of(pilot))
        for keys in (
            ("j",),
            ("n",),
            ("n", "r"),
            ("escape", "g"),
            ("G",),
            ("slash", "x", "escape"),
            ("2",),
            ("d",),
            ("x",),
            ("escape", "3"),
            ("s",),
            ("escape", "j"),
            ("escape", "3", "u"),
            ("1",),
        ):
            await press(pilot, *keys)
            seen.append(text_of(pilot))
        core.plan = lambda **asked: READY_OF(plan)
        await press(pilot, "R", "p")
        seen.append(text_of(pilot))
        await press(pilot, "A")
        await armed(pilot)
        seen.append(text_of(pilot))
        await press(pilot, "escape")
        app.runner.apply(READY_OF(plan))
        await pilot.pause()
        send(pilot, *up_to_step(READY_OF(plan), 2, 7.0))
        await press(pilot)
        seen.append(text_of(pilot))
        failed = errors.StatementFailed(sentence=name, reason=name)
        send(pilot, *_ended(READY_OF(plan), failed))
        await press(pilot)
        seen.append(text_of(pilot))
        core.plan = errors.DatabaseDamaged(database=name, reason=name)
        await press(pilot, "d")
        seen.append(text_of(pilot))
    everything = "\n".join(seen)
    assert not set(everything) & {"\x1b", "\x07", "\u202e", "\u202c", "\ufeff", "\u200d", "\t"}
    if 0 < len(name) < 20:
        assert visible(name)[:12] in everything


def READY_OF(plan: object) -> object:  # noqa: N802
    """The same plan with nothing left to decide."""
    return replace(plan, assessments=plan.assessments[:3])  # type: ignore[attr-defined, type-var]


def _ended(plan: object, error: errors.TrueupError) -> list[object]:
    from tests.tui.data import failed_run

    return failed_run(READY, error)[-2:]  # type: ignore[return-value]


# -- secrets -----------------------------------------------------------------------------------------------------------


async def test_password_is_on_no_screen() -> None:
    """Not even an error that quotes the URL shows its password."""
    core = FakeCore(plan=RuntimeError(f"cannot connect to {URL}"))
    app = TrueupApp(session_of(core))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot)
        assert "cannot connect to" in text_of(pilot)
        assert SECRET not in text_of(pilot)


CRASH = """
import sys
sys.path[:0] = [{root!r}, {root!r} + "/core", {root!r} + "/tui"]
from tests.tui.data import FakeCore, URL, session_of
from trueup_tui.app import TrueupApp

class Broken(TrueupApp):
    def on_mount(self):
        local = URL
        raise RuntimeError("it broke with " + local)

Broken(session_of(FakeCore())).run(headless=True)
"""


def run_script(path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own, from a file, so that a traceback can quote it."""
    path.write_text(script.format(root=str(ROOT)), encoding="utf-8")
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False)


def test_crash_prints_no_password(tmp_path: Path) -> None:
    """An error that nobody expected says where it was, without any value of any variable and without the password."""
    ended = run_script(tmp_path / "crash.py", CRASH)
    said = ended.stdout + ended.stderr
    assert "RuntimeError: it broke with" in said
    assert "on_mount" in said
    assert SECRET not in said


def test_fatal_handler_is_still_where_it_was() -> None:
    """The handler that is replaced is a private one of Textual; this fails when it gets another name."""
    from textual.app import App

    assert callable(App._fatal_error)


# -- the first picture -------------------------------------------------------------------------------------------------

FIRST = """
import sys
sys.path[:0] = [{root!r} + "/core", {root!r} + "/tui"]
import trueup_tui
assert "textual" not in sys.modules
from trueup import Settings
from trueup_tui.app import TrueupApp
from trueup_tui.session import Session

class Watched(TrueupApp):
    def read(self):
        drawn = self.screen.query_one("#notice").region.height > 0
        slow = ("sqlalchemy", "alembic", "humanize", "pygments")
        print("drawn", drawn, [name for name in slow if name in sys.modules])
        self.exit(0)

Watched(Session(settings=Settings(url="sqlite:///x.db", models="m:Base"))).run(headless=True)
"""


def test_first_picture_needs_no_sqlalchemy(tmp_path: Path) -> None:
    """The app is drawn before SQLAlchemy, the models or anything else that is slow is loaded."""
    ended = run_script(tmp_path / "first.py", FIRST)
    assert ended.stdout.strip() == "drawn True []", ended.stderr


async def test_done_says_so_with_proof() -> None:
    """A finished run shows what was checked, never a bare tick."""
    app = TrueupApp(session_of(FakeCore(plan=READY)))
    async with app.run_test(size=WIDE) as pilot:
        await start(pilot)
        send(pilot, *whole_run(READY))
        await press(pilot)
        assert "Checked: 0 differences left." in text_of(pilot)
