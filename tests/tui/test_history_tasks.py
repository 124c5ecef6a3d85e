"""What can be done with the history in the app, on real databases: count it, clean it up, record a starting point."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.data import BACKUPS, FAILED_RUN, HISTORY, OLD, READY, FakeCore, session_of
from tests.tui.scenarios import NARROW, WIDE, armed, cleaning_up, naming, press, start
from tests.tui.test_backups import SCHEMA, Desk, typed
from tests.tui.test_flow import said
from tests.tui.test_safety import text_of
from trueup import Status, apply, errors, past_runs, plan
from trueup_tui.app import TrueupApp
from trueup_tui.days import days_of
from trueup_tui.screens.confirm import AskScreen, ConfirmScreen
from trueup_tui.screens.diff import DiffScreen
from trueup_tui.screens.history import HistoryScreen


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lock_timeout=0.2)


def live(desk: Desk, *names: str) -> None:
    """Runs that add a column each; then the backups are gone, so nothing can bring their values back."""
    for count in range(1, len(names) + 1):
        columns = "".join(f", {name} TEXT" for name in names[:count])
        (desk.directory / "schema.sql").write_text(SCHEMA.replace(");", f"{columns});"), encoding="utf-8")
        assert apply(plan(desk.target), desk.target).success
    shutil.rmtree(desk.directory / ".trueup")


def words(pilot: Pilot[int]) -> str:
    """What is on the screen, wherever its lines end."""
    return " ".join(text_of(pilot).split())


async def old(pilot: Pilot[int], days: str = "0") -> None:
    """Ask what is older than so many days."""
    await press(pilot, "3", "x")
    await typed(pilot, days, "enter")


# -- statistics --------------------------------------------------------------------------------------------------------


async def test_the_runs_of_each_kind() -> None:
    """``s`` counts them, all and of each kind, and names the last failures with their reason."""
    core = FakeCore(plan=READY, runs=(*HISTORY, FAILED_RUN))
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "s")
        shown = words(pilot)
        assert "all 6 4 (67%) 51 s" in shown
        assert "auto 3 1 (33%) 12 s" in shown
        assert "2026-01-03 14:11 5e0c41d9ab37 auto, ✗ rolled back" in shown
        assert "(2 changes) failed: CHECK constraint failed:" in shown
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)


async def test_no_run_to_count() -> None:
    """The key says why it does nothing."""
    async with TrueupApp(session_of(FakeCore(plan=READY))).run_test(size=NARROW) as pilot:
        await press(pilot, "3", "s")
        assert "There is no run to count." in said(pilot)


# -- cleanup -----------------------------------------------------------------------------------------------------------


async def test_what_is_old_is_taken_out_when_the_words_are_typed(desk: Desk) -> None:
    """First it is told what would go; going back changes nothing; the exact words take it out, and the lines stay."""
    live(desk, "a", "b", "c")
    before = past_runs(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await old(pilot)
        assert "2 runs with 2 steps: a line stays of each" in text_of(pilot)
        assert "1 run of that time stays whole" not in text_of(pilot)
        await typed(pilot, "cleanup", "tab", "y")
        await press(pilot, "escape")
        assert past_runs(desk.target) == before
        assert "✓ Of what is older than 0 days may go: 2 steps of 2 runs." in text_of(pilot)
        await old(pilot)
        await typed(pilot, "clean up", "tab", "y")
        assert "✓ Taken out: 2 steps of 2 runs." in text_of(pilot)
    after = past_runs(desk.target)
    assert [(run.id, len(run.steps)) for run in after] == [(run.id, place // 2) for place, run in enumerate(before)]


async def test_nothing_is_old(desk: Desk) -> None:
    """It is said, and nobody is asked."""
    live(desk, "a", "b")
    async with desk.app().run_test(size=WIDE) as pilot:
        await old(pilot, "90")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert "✓ Nothing that is older than 90 days may go." in text_of(pilot)


async def test_what_an_undo_needs_stays() -> None:
    """It is told with its number, and what goes is what was asked about."""
    core = FakeCore(plan=READY, runs=HISTORY, cleanup=OLD)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await cleaning_up(pilot)
        assert "1 run of that time stays whole, since an undo may need it." in text_of(pilot)
        await typed(pilot, "clean up", "tab", "y")
        assert core.days == [90.0]
        assert core.cleaned == [90.0]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "A number of days is missing."),
        ("soon", "That is no number."),
        ("-1", "from 0 to 100000"),
        ("nan", "from 0 to 100000"),
        ("1e99", "from 0 to 100000"),
    ],
)
async def test_no_number_of_days(text: str, wrong: str) -> None:
    """What is no number is said, and nothing is looked at."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await old(pilot, text)
        assert wrong in text_of(pilot)
        assert isinstance(pilot.app.screen, AskScreen)
        await press(pilot, "escape")
        assert core.tasks == 0


def test_parts_of_a_day() -> None:
    """They count."""
    assert days_of(" 0.5 ") == 0.5


async def test_a_writer_stands_in_the_way_of_a_cleanup(desk: Desk) -> None:
    """What would go can be told all the same; taking it out has to wait, and says for whom."""
    live(desk, "a", "b", "c")
    before = past_runs(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot)
        with desk.held():
            await old(pilot)
            await typed(pilot, "clean up", "tab", "y")
            assert "✗ Another process holds" in text_of(pilot)
    assert past_runs(desk.target) == before


# -- baseline ----------------------------------------------------------------------------------------------------------


async def test_the_database_is_recorded_as_it_is(desk: Desk) -> None:
    """Title and note are asked for; the question says what it means; then it stands in the list, and nothing else
    changed."""
    desk.sql("ALTER TABLE people ADD COLUMN extra TEXT")
    async with desk.app().run_test(size=WIDE) as pilot:
        await naming("as it was", "by hand until now")(pilot)
        assert "1 difference to the models stays as it is." in text_of(pilot)
        assert "Title: as it was" in text_of(pilot)
        assert past_runs(desk.target) == ()
        await press(pilot, "y")
        assert "✓ Recorded the database as it is: baseline" in text_of(pilot)
        assert "✓ completed: as it was" in text_of(pilot)
    (run,) = past_runs(desk.target)
    assert (run.kind, run.name, run.note) == ("baseline", "as it was", "by hand until now")


@pytest.mark.parametrize("back", [0, 1, 2], ids=["at the title", "at the note", "at the question"])
async def test_esc_records_nothing(desk: Desk, back: int) -> None:
    """At every point."""
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "3", "b")
        for _ in range(back):
            await typed(pilot, "text", "enter")
        await armed(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert pilot.app.session.task is None  # type: ignore[attr-defined]
    assert past_runs(desk.target) == ()


async def test_a_baseline_without_words() -> None:
    """Neither a title nor a note is needed, and Enter on the question records nothing."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "b")
        assert "Empty: the number of tables is its title." in text_of(pilot)
        await press(pilot, "escape")
        await naming("", "")(pilot)
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await press(pilot, "enter")
        assert core.baselines == []
        await naming("", " ", "y")(pilot)
        assert core.baselines == [("", "")]


async def test_why_there_is_no_baseline(tmp_path: Path) -> None:
    """A database without tables has nothing to take, and a writer is waited for in vain."""
    desk = Desk(tmp_path, lock_timeout=0.2)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot)
        with desk.held():
            await naming("", "", "y")(pilot)
            assert "✗ Another process holds" in text_of(pilot)
        desk.sql("DROP TABLE people")
        await naming("", "", "y")(pilot)
        assert "has no tables, so there is nothing to take" in words(pilot)
    assert past_runs(desk.target) == ()


async def test_a_baseline_is_followed_by_a_reading() -> None:
    """How the database stands to the models is another afterwards."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot)
        readings = len(core.asked)
        await naming("", "", "y")(pilot)
        assert len(core.asked) == readings + 1
        core.baselined = type(core.baselined)(
            id="", status=Status.FAILED, started_at=core.baselined.started_at, seconds=0.1, error=errors.SchemaMoved()
        )
        await naming("", "", "y")(pilot)
        assert "✗ The database changed after the plan was made" in text_of(pilot)
        assert len(core.asked) == readings + 1


# -- one thing at a time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["x", "b", "u"])
async def test_one_thing_at_a_time(key: str) -> None:
    """While a backup is checked, nothing is done with the history; ``c`` here stops nothing of another place."""
    core = FakeCore(plan=READY, runs=HISTORY, backups=BACKUPS, held=True)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "2", "t", "3", key)
        assert said(pilot) == "trueup is checking a backup; 2 shows it."
        await press(pilot, "c")
        assert "Nothing goes on here" in said(pilot)
        assert core.job is not None
        assert not core.job.cancelled


async def test_a_run_comes_first() -> None:
    """During a run neither is begun."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await start(pilot)
        await press(pilot, "3", "x", "b")
        assert said(pilot).count("A run is on") == 2
        assert core.tasks == 0


async def test_a_baseline_can_be_stopped() -> None:
    """``c`` asks it to, and its place says so; what is looked for in the history ends by itself."""
    core = FakeCore(plan=READY, runs=HISTORY, held=True)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await naming("", "", "y")(pilot)
        assert "▶ recording the database" in text_of(pilot)
        await press(pilot, "c")
        assert core.job is not None
        assert core.job.cancelled
        assert "▶ cancelling" in text_of(pilot)


async def test_who_went_elsewhere_is_asked_when_he_comes_back() -> None:
    """A question never opens over another place."""
    core = FakeCore(plan=READY, runs=HISTORY, cleanup=OLD, held=True)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "x", "enter", "c")
        assert "It cannot be stopped" in said(pilot)
        await press(pilot, "1")
        assert core.job is not None
        core.job.finish()
        await press(pilot)
        assert isinstance(pilot.app.screen, DiffScreen)
        await press(pilot, "3")
        assert "Take this out of the history?" in text_of(pilot)
        await press(pilot, "escape", "1", "3")
        assert isinstance(pilot.app.screen, HistoryScreen)
