"""The way through the app: choices, the run that outlives its screen, refusals of core, and leaving."""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from rich.style import Style
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets.tree import TreeNode

from tests.tui.data import (
    ADD_TIER,
    AMBIGUOUS,
    BACKUPS,
    ENDANGERED,
    IN_STEP,
    LOSING,
    NOTHING_TAKEN,
    OPEN,
    READY,
    REPAIRED,
    RESTORED,
    UNFILLED,
    FakeCore,
    column,
    failed_run,
    judged,
    plan_of,
    rehearsed,
    run_of,
    session_of,
    up_to_step,
    whole_run,
)
from tests.tui.scenarios import NARROW, WIDE, armed, press, restore, send, settled, start
from tests.tui.test_safety import text_of
from trueup import Backfill, Cast, Drop, Ignore, Keep, Plan, Rename, Status, errors, events
from trueup_tui.app import TrueupApp
from trueup_tui.screens.apply import ApplyScreen
from trueup_tui.screens.confirm import ConfirmScreen
from trueup_tui.screens.decide import DecideScreen
from trueup_tui.screens.diff import DiffScreen
from trueup_tui.screens.help import HelpScreen
from trueup_tui.widgets.change_tree import ChangeTree, Item


def asking(decisions: tuple[object, ...] = (), leave_out: frozenset[str] = frozenset()) -> Plan:
    """A plan that follows the answers, as core's would."""
    answered = any(isinstance(item, Rename | Keep) for item in decisions) or leave_out
    taken = LOSING if any(isinstance(item, Drop) for item in decisions) else READY
    return taken if answered else OPEN


def said(pilot: Pilot[int]) -> str:
    return "\n".join(item.message for item in pilot.app._notifications)


def app_of(core: FakeCore, **settings: Any) -> TrueupApp:
    return TrueupApp(session_of(core, **settings))


# -- choices -----------------------------------------------------------------------------------------------------------


async def test_read_again_reads_edited_models() -> None:
    """``R`` reads the models' files anew; an answer makes only the plan anew."""
    core = FakeCore(plan=asking)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "n", "r", "y")
        assert core.forgotten == []
        await press(pilot, "R")
        assert len(core.forgotten) == 1


async def test_rename_is_answered_in_place() -> None:
    """``r`` then ``y`` decides the rename, and the plan is made anew with it."""
    core = FakeCore(plan=asking)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "n", "r", "y")
        assert core.asked[-1]["decisions"] == (Rename(table="customers", column="fullname", to="full_name"),)
        assert app.session.plan is READY
        assert core.written == []


async def test_any_candidate_can_be_chosen() -> None:
    """Where two names are possible both are named, and ``o`` turns to the other one."""
    core = FakeCore(plan=lambda decisions, leave_out: READY if decisions else AMBIGUOUS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await press(pilot, "r")
        assert "or customers.fullname » display_name, 76% alike" in text_of(pilot)
        await press(pilot, "o", "y")
        assert core.asked[-1]["decisions"] == (Rename(table="customers", column="fullname", to="display_name"),)


@pytest.mark.parametrize(("key", "kind"), [("n", Keep), ("d", Drop)])
async def test_not_a_rename(key: str, kind: type) -> None:
    """The other answers keep or drop the old column."""
    core = FakeCore(plan=asking)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "r", key)
        assert core.asked[-1]["decisions"] == (kind(table="customers", column="fullname"),)


async def test_question_can_be_skipped() -> None:
    """``␣`` on an open rename leaves both halves out of this run."""
    core = FakeCore(plan=asking)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "space")
        assert core.asked[-1]["leave_out"] == {
            "drop column customers.fullname",
            "add column customers.full_name",
        }


async def test_drop_can_be_taken_and_given_back() -> None:
    """``␣`` on what left the models decides to drop it; ``z`` takes that back."""
    core = FakeCore(plan=lambda decisions, leave_out: LOSING if decisions else READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "G", "k", "k", "k", "space")
        assert core.asked[-1]["decisions"] == (Drop(table="coupons"),)
        assert "1 deletes data" in text_of(pilot)
        await press(pilot, "z")
        assert core.asked[-1]["decisions"] == ()


async def test_answers_outrank_the_file() -> None:
    """An answer stands in place of what the decisions file says about the same object."""
    kept = (Keep(table="customers", column="fullname"), Keep(table="orders", column="legacy"))
    core = FakeCore(plan=OPEN, kept=kept)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "r", "y")
        assert core.asked[-1]["decisions"] == (
            Keep(table="orders", column="legacy"),
            Rename(table="customers", column="fullname", to="full_name"),
        )


async def test_fill_value_is_asked_for() -> None:
    """``f`` takes a value in the column's own type, or an expression after ``=``."""
    core = FakeCore(plan=UNFILLED)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "f")
        await armed(pilot)
        await press(pilot, *"EUR", "enter")
        assert core.asked[-1]["decisions"] == (Backfill(table="orders", column="currency", value="EUR"),)
        await press(pilot, "f")
        await armed(pilot)
        await press(pilot, "=", *"upper(c)", "enter")
        assert core.asked[-1]["decisions"] == (Backfill(table="orders", column="currency", sql="upper(c)"),)


async def test_keep_for_good_is_shown_and_chosen() -> None:
    """``i`` shows the entry, Enter chooses it, ``z`` takes it back, and ``w`` writes it."""
    core = FakeCore(plan=READY)
    kept = Keep(table="customers", column="loyalty_tier")
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "j", "i")
        await armed(pilot)
        assert 'keep = "customers.loyalty_tier"' in text_of(pilot)
        await press(pilot, "enter")
        assert core.asked[-1]["decisions"] == (kept,)
        await press(pilot, "z")
        assert core.asked[-1]["decisions"] == ()
        await press(pilot, "i", "enter")
        assert core.written == []
        await press(pilot, "w")
        assert core.written == [kept]


# -- what to decide ----------------------------------------------------------------------------------------------------


async def test_an_offer_is_chosen_with_keys() -> None:
    """``d`` shows the danger with its rows and the offers; the arrows choose, and Enter gives the answer."""
    core = FakeCore(plan=lambda decisions, leave_out: REPAIRED if decisions else ENDANGERED)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "d")
        assert "'[b]'" in text_of(pilot)
        await press(pilot, "down", "enter")
        assert core.asked[-1]["decisions"] == (REPAIRED.decisions[0],)
        assert isinstance(pilot.app.screen, DiffScreen)
        assert "Decided: delete orders." in text_of(pilot)


async def test_an_offer_that_asks_is_typed_first() -> None:
    """Enter goes into the field, what is typed is seen in the entry, and Enter again gives the answer."""
    core = FakeCore(plan=ENDANGERED)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "j", "d", "k", "enter", *"ours", "enter")
        assert core.asked[-1]["decisions"] == (Ignore(rule="altered-values", on="orders.total", reason="ours"),)


async def test_nothing_typed_is_no_answer() -> None:
    """An empty reason is refused where it is typed; escape goes back to the offers, and then to the differences."""
    core = FakeCore(plan=ENDANGERED)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "j", "d", "k", "enter", "enter")
        assert "A reason is missing." in text_of(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, DecideScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, DiffScreen)
        assert len(core.asked) == 1


def wrong(decisions: tuple[object, ...], leave_out: frozenset[str]) -> Plan:
    """A core that cannot follow any expression."""
    if any(isinstance(item, Cast) for item in decisions):
        raise errors.DecisionsError(path="trueup.toml", problem="no such column: x")
    return ENDANGERED


async def test_an_answer_that_cannot_be_followed_is_explained() -> None:
    """The sentence stands beside what was typed, nothing is chosen, and another text may be tried."""
    core = FakeCore(plan=wrong)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "j", "d", "enter", "ctrl+u", *"x", "enter")
        assert "no such column: x. Nothing was written." in text_of(pilot)
        assert isinstance(app.screen, DecideScreen)
        assert (app.session.choices.unwritten, app.session.plan) == (0, ENDANGERED)
        await press(pilot, "backspace", "enter")
        assert "An SQL expression is missing." in text_of(pilot)
        await press(pilot, "escape", "escape", "w")
        assert "There is no answer to write." in said(pilot)
        assert core.written == []


async def test_a_choice_that_cannot_be_followed_is_taken_back() -> None:
    """A choice without a dialog is told, and the differences stay as they were."""
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "G", "k", "k", "k")
        core.plan = errors.DecisionsError(path="trueup.toml", problem="drop and keep")
        await press(pilot, "space")
        assert "drop and keep" in said(pilot)
        assert (app.session.choices.decisions, app.session.plan, app.session.error) == ((), READY, None)


async def test_a_decision_is_taken_back_and_out_of_the_file() -> None:
    """Taking back what was decided makes the plan anew without it, and ``w`` takes it out of the file."""
    core = FakeCore(plan=lambda decisions, leave_out: REPAIRED if decisions else ENDANGERED, kept=REPAIRED.decisions)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "d", "enter")
        assert core.asked[-1]["decisions"] == REPAIRED.decisions[1:]
        assert core.removed == []
        await press(pilot, "w")
        assert core.removed == [REPAIRED.decisions[0]]
        assert app.session.choices.unwritten == 0


async def test_a_possible_rename_is_answered_first() -> None:
    """Nothing else can be decided about what may be a rename, and the keys say so."""
    core = FakeCore(plan=OPEN)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "d", "i")
        assert said(pilot).count("It may be a rename") == 2


async def test_answers_are_written_before_the_run() -> None:
    """The decisions file holds what the run rests on before the run begins."""
    core = FakeCore(plan=asking)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "r", "y")
        await start(pilot)
        assert core.written == [Rename(table="customers", column="fullname", to="full_name")]
        assert len(core.started) == 1
        assert app.session.choices.decisions == ()


async def test_choices_made_while_reading_count() -> None:
    """A choice made during a reading leads to one more reading, with the choice."""
    wait = threading.Event()
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "j")
        core.wait = wait
        await pilot.press("R")
        await pilot.press("space", "space", "space")
        wait.set()
        await settled(pilot)
        assert core.asked[-1]["leave_out"] == {"add column customers.loyalty_tier"}
        assert len(core.asked) == 3


async def test_reading_is_not_started_twice() -> None:
    """``R`` during a reading is refused."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot)
        core.wait = threading.Event()
        await pilot.press("R", "R", "R")
        await pilot.pause()
        assert len(core.asked) == 2
        core.wait.set()


# -- running -----------------------------------------------------------------------------------------------------------


async def test_run_outlives_its_screen() -> None:
    """Leaving the run and coming back shows the same, and nothing that happened meanwhile is lost."""
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=WIDE) as pilot:
        await start(pilot)
        made = up_to_step(READY, 3, 7.0)
        send(pilot, *made[:-2])
        await press(pilot, "escape", "2", "1")
        assert "▶ applying 2/5" in text_of(pilot)
        send(pilot, *made[-2:])
        await press(pilot, "a")
        left = text_of(pilot)
        await press(pilot, "escape", "a")
        assert isinstance(app.screen, ApplyScreen)
        assert text_of(pilot) == left
        assert "Applying, step 3 of 5" in left


async def test_backup_and_limit_are_what_was_chosen() -> None:
    """``b`` and ``t`` on the preview hold for the run."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "p", "b", "t")
        await armed(pilot)
        await press(pilot, *["backspace"] * 3, *"90", "enter", "A")
        await armed(pilot)
        assert "No backup is made." in text_of(pilot)
        await press(pilot, "y")
        assert core.started[0][1].settings.backup is False
        assert core.job is not None
        assert core.job.limits.seconds == 90


async def test_more_time() -> None:
    """``t`` during a run moves its end."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await start(pilot)
        send(pilot, *up_to_step(READY, 2, 7.0))
        await press(pilot, "t")
        assert core.job is not None
        assert core.job.limits.seconds == 600
        assert "at 10:00 it stops" in text_of(pilot)


async def test_cancel_asks_and_tells() -> None:
    """``c`` asks; then the run is told to stop, and the screen says so until it has."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await start(pilot)
        send(pilot, *up_to_step(READY, 2, 7.0))
        await press(pilot, "c")
        await armed(pilot)
        assert core.job is not None
        assert not core.job.cancelled
        await press(pilot, "y")
        assert core.job.cancelled
        assert "▶ cancelling …" in text_of(pilot)


async def test_database_that_moved_is_read_again() -> None:
    """When the database changed since the review, nothing was applied and the differences are read again."""
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await start(pilot)
        asked = len(core.asked)
        send(pilot, *failed_run(READY, errors.SchemaMoved()))
        await press(pilot)
        assert isinstance(app.screen, DiffScreen)
        assert len(core.asked) == asked + 1
        assert "The database changed since you looked" in text_of(pilot)


async def test_failure_says_that_all_is_as_it_was() -> None:
    """Every failure ends in the state of the database."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await start(pilot)
        failed = errors.StatementFailed(sentence="add index i", reason="disk I/O error")
        send(pilot, *failed_run(READY, failed))
        await press(pilot)
        assert "the database is as it was" in " ".join(text_of(pilot).replace("│", "").split())


# -- leaving -----------------------------------------------------------------------------------------------------------


async def leave(pilot: Pilot[int]) -> int | None:
    await press(pilot, "q")
    return pilot.app.return_value


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (IN_STEP, 0),
        (NOTHING_TAKEN, 0),
        (READY, 1),
        (errors.DatabaseDamaged(database="d", reason="r"), 6),
        (errors.NoTarget(what="database", looked="here", option="--url"), 2),
        (RuntimeError("unheard of"), 3),
    ],
    ids=["in step", "retired only", "differences", "damaged", "no target", "unexpected"],
)
async def test_exit_code(plan: Any, code: int) -> None:
    """The exit code is that of the last reading."""
    async with app_of(FakeCore(plan=plan)).run_test(size=NARROW) as pilot:
        assert await leave(pilot) == code


async def test_exit_code_after_a_run() -> None:
    """After a run that settled everything the code is 0."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await start(pilot)
        core.plan = IN_STEP
        send(pilot, *whole_run(READY))
        assert await leave(pilot) == 0


async def test_quit_during_a_run_asks() -> None:
    """Leaving during a run cancels it first, and waits for what came of it."""
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await start(pilot)
        send(pilot, *up_to_step(READY, 2, 7.0))
        await press(pilot, "q")
        await armed(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert core.job is not None
        await press(pilot, "y")
        assert core.job.cancelled
        assert not app._exit
        send(pilot, *failed_run(READY, errors.Cancelled(phase="in step 2"), Status.CANCELLED)[-2:])
        await pilot.pause()
        assert app.return_value == 3


async def test_interrupt_never_kills_a_run() -> None:
    """Ctrl-C during a run opens the question, from every place."""
    core = FakeCore(plan=READY)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await start(pilot)
        send(pilot, *up_to_step(READY, 2, 7.0))
        for place in ("escape", "2"):
            await press(pilot, place, "ctrl+c")
            await armed(pilot)
            assert isinstance(app.screen, ConfirmScreen)
            await press(pilot, "escape")
        assert core.job is not None
        assert not core.job.cancelled


async def test_unwritten_answers_are_asked_about() -> None:
    """Leaving with answers that are in no file asks."""
    app = app_of(FakeCore(plan=asking))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "r", "y", "q")
        await armed(pilot)
        assert "1 answer is not in the decisions file yet" in text_of(pilot)
        await press(pilot, "escape", "w", "q")
        assert app.return_value == 1


# -- backups -----------------------------------------------------------------------------------------------------------


async def test_verify_renews_the_line() -> None:
    """``v`` reads a backup again, and the list shows the answer."""
    core = FakeCore(plan=READY, backups=BACKUPS, checked=lambda backup: replace(backup, problem="the file is gone"))
    async with app_of(core).run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        assert "✗ It cannot be used" not in text_of(pilot)
        await press(pilot, "v")
        assert "✗ It cannot be used: the file is gone" in text_of(pilot)


async def test_backups_that_cannot_be_listed() -> None:
    """An error in place of the list, and ``R`` tries again."""
    core = FakeCore(plan=READY, backups=PermissionError("no permission"))
    async with app_of(core).run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        assert "no permission" in text_of(pilot)
        core.backups = BACKUPS
        await press(pilot, "R")
        assert "shop-20260103-141231" in text_of(pilot)


async def test_a_rehearsal_is_followed_to_its_end() -> None:
    """``h`` on the preview rehearses the plan that is shown; meanwhile nothing runs; then its seconds are shown."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "p", "h")
        assert core.rehearsed == [app.session.plan]
        assert "▶ rehearsing on a copy: copying the database" in text_of(pilot)
        await press(pilot, "escape", "p", "A")
        assert "A rehearsal is on" in said(pilot)
        send(pilot, events.StepStarted(elapsed=1.0, number=2, step=READY.steps[1]))
        await press(pilot)
        assert f"step 2 of {len(READY.steps)}" in text_of(pilot)
        send(pilot, rehearsed())
        await press(pilot)
        assert "✓ rehearsed on a copy: all worked" in text_of(pilot)
        assert "in place, ~1.0 s" in text_of(pilot)
        assert not app.session.running


async def test_a_rehearsal_that_failed_says_why() -> None:
    """The reason is that of the run that would fail, and the plan stays as it was."""
    app = TrueupApp(session_of(FakeCore(plan=READY)))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "p", "h")
        send(pilot, rehearsed(errors.EstimateTooLong(estimate=35, limit=15)))
        await press(pilot)
        assert "✗ rehearsed on a copy" in text_of(pilot)
        assert "(35s)" in text_of(pilot)
        assert app.session.plan == READY


async def test_a_rehearsal_can_be_cancelled() -> None:
    """Ctrl-C asks, and the job is told."""
    core = FakeCore(plan=READY)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "p", "h", "ctrl+c")
        await armed(pilot)
        await press(pilot, "y")
        assert core.job is not None
        assert core.job.cancelled
        assert "rehearsing on a copy: cancelling" in text_of(pilot)


async def test_a_restore_asks_for_a_word() -> None:
    """Only when the word is typed the restore begins, and with the backup that the cursor is on."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "r")
        await armed(pilot)
        await press(pilot, "tab", "y", "escape")
        assert core.restored == []
        await press(pilot, "j", "r")
        await armed(pilot)
        await press(pilot, *"restore", "tab", "y")
        assert core.restored == [BACKUPS[1]]


async def test_a_restore_is_followed_to_its_end() -> None:
    """Progress, then the result; meanwhile nothing else can be begun, afterwards both sides are read again."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await restore(pilot)
        send(pilot, events.RestoreProgress(elapsed=1.0, done=50, total=100))
        await press(pilot)
        assert "▶ replacing the database · 50 of 100 pages" in text_of(pilot)
        await press(pilot, "1", "p")
        assert "A restore is on" in said(pilot)
        readings, lists = len(core.asked), core.listed
        send(pilot, events.Finished(elapsed=3.0, run=RESTORED))
        await press(pilot, "2")
        assert "✓ restored as of" in text_of(pilot)
        assert len(core.asked) == readings + 1
        assert core.listed > lists


async def test_a_restore_can_be_cancelled() -> None:
    """``c`` asks the restore to stop, and its place says so."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await restore(pilot)
        await press(pilot, "c")
        assert core.job is not None
        assert core.job.cancelled
        assert "cancelling" in text_of(pilot)


async def test_a_broken_backup_is_not_restored() -> None:
    """The key says why it does nothing."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "G", "r")
        assert "It cannot be restored" in said(pilot)
        assert core.restored == []


async def test_a_database_that_cannot_be_read_can_be_restored() -> None:
    """Where reading failed, a restore is what a person came for."""
    core = FakeCore(plan=errors.DatabaseDamaged(database="sqlite:///shop.db", reason="malformed"), backups=BACKUPS)
    async with app_of(core).run_test(size=WIDE) as pilot:
        await restore(pilot)
        assert core.restored == [BACKUPS[0]]


# -- any size, any speed -----------------------------------------------------------------------------------------------


async def test_too_small_says_so() -> None:
    """Under 40x10 there is one line."""
    async with app_of(FakeCore(plan=READY)).run_test(size=(30, 8)) as pilot:
        await press(pilot)
        assert text_of(pilot).strip() == "Needs 40x10, has 30x8"


@pytest.mark.parametrize(
    "keys", [(), ("r",), ("p",), ("p", "A"), ("2",), ("2", "e"), ("4",), ("question_mark",)], ids=" ".join
)
async def test_every_size_is_survived(keys: tuple[str, ...]) -> None:
    """Nothing breaks at any size from 1x1 on, in any place."""
    random = Random(7)
    async with app_of(FakeCore(plan=OPEN if keys == ("r",) else READY, backups=BACKUPS)).run_test() as pilot:
        await press(pilot, *keys)
        for _ in range(8):
            await pilot.resize_terminal(random.randint(1, 250), random.randint(1, 70))
        await pilot.resize_terminal(*NARROW)
        await pilot.pause()
        assert text_of(pilot).strip()


async def test_slow_core_does_not_hold_the_screen() -> None:
    """While core takes its time, the app goes on drawing and answering."""
    core = FakeCore(plan=READY, wait=threading.Event())
    async with app_of(core).run_test(size=NARROW) as pilot:
        await pilot.pause()
        assert "Reading" in text_of(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        assert core.wait is not None
        assert not core.wait.is_set()
        core.wait.set()


async def test_run_without_differences_left_is_said_once() -> None:
    """The receipt's own number is shown, whatever it is."""
    core = FakeCore(plan=READY)
    made = whole_run(READY)
    run = run_of(READY)
    assert run.receipt is not None
    left = replace(run, receipt=replace(run.receipt, remaining_differences=1))
    async with app_of(core).run_test(size=WIDE) as pilot:
        await start(pilot)
        send(pilot, *made[:-1], replace(made[-1], run=left))
        await press(pilot)
        assert "Checked: 1 difference left." in text_of(pilot)


async def test_filter_that_found_its_end_is_cleared() -> None:
    """When a new reading holds nothing that the filter looks for, everything is shown again."""
    core = FakeCore(plan=READY)
    async with app_of(core).run_test(size=NARROW) as pilot:
        await press(pilot, "slash", *"coupons", "enter")
        core.plan = UNFILLED
        await press(pilot, "R")
        assert "currency" in text_of(pilot)
        await press(pilot, "q")
        assert pilot.app.return_value == 1


async def test_only_what_is_seen_of_many_changes_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who walks through four hundred changes waits for the lines on the screen, not for all of them."""
    many = [
        judged(replace(ADD_TIER, table=f"t{number // 4}", new=column(f"c{number}", "TEXT"))) for number in range(400)
    ]
    async with app_of(FakeCore(plan=plan_of(many))).run_test(size=NARROW) as pilot:
        await press(pilot)
        assert "400 differences" in text_of(pilot)
        drawn: list[object] = []
        draw = ChangeTree.render_label

        def counted(tree: ChangeTree, node: TreeNode[Item], base_style: Style, style: Style) -> Text:
            drawn.append(node.data)
            return draw(tree, node, base_style, style)

        monkeypatch.setattr(ChangeTree, "render_label", counted)
        await press(pilot, "G", "ctrl+u", "k", "g")
        assert 0 < len(drawn) < 4 * 2 * NARROW[1]


@pytest.mark.parametrize("first", [errors.DatabaseDamaged(database="d", reason="r"), IN_STEP], ids=["error", "in step"])
async def test_keys_work_after_a_reading_without_a_list(first: Any) -> None:
    """When there is something to review again, the list has the keys again."""
    core = FakeCore(plan=first)
    app = app_of(core)
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "tab")
        core.plan = READY
        await press(pilot, "R", "j", "space")
        assert core.asked[-1]["leave_out"] == {"add column customers.loyalty_tier"}


async def test_a_run_of_very_many_steps_is_not_drawn_for_each() -> None:
    """Thousands of events are drawn a few times, so that the run keeps the processor, and the end is always drawn."""
    many = replace(READY, steps=READY.steps * 60)
    core = FakeCore(plan=many)
    app = app_of(core)
    async with app.run_test(size=WIDE) as pilot:
        await start(pilot)
        before = app.revision
        made = whole_run(many)
        send(pilot, *made[:-1])
        await pilot.pause()
        assert app.revision - before < 10
        send(pilot, made[-1])
        await settled(pilot)
        assert "Checked: 0 differences left." in text_of(app)
    assert len(made) > 600
