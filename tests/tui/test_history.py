"""The runs that were, and the way back from one: what is told, what is asked, and what is carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.data import (
    AN_UNDO,
    BACKUPS,
    BLOCKED_UNDO,
    FAILED_RUN,
    HISTORY,
    KILLED_RUN,
    NOT_UNDOABLE,
    PAST_RUN,
    READY,
    RESTORED,
    SECRET,
    TIER_BACK,
    UNDO,
    UNDO_STEPS,
    URL,
    FakeCore,
    failed_run,
    session_of,
    up_to_step,
    whole_run,
)
from tests.tui.scenarios import NARROW, WIDE, armed, press, restore, send, start, undo, undo_typed
from tests.tui.test_flow import said
from tests.tui.test_safety import text_of
from trueup import Plan, errors, events
from trueup.plans import Returning
from trueup_tui.app import TrueupApp
from trueup_tui.history_words import cells_of, statistics_of
from trueup_tui.messages import UndoPlanned
from trueup_tui.screens.apply import ApplyScreen
from trueup_tui.screens.diff import DiffScreen
from trueup_tui.screens.history import HistoryScreen
from trueup_tui.screens.undo import UndoScreen
from trueup_tui.undo import lines_of
from trueup_tui.widgets.panes import TextPane
from trueup_tui.wording import TAB


def app_of(**given: Any) -> TrueupApp:
    return TrueupApp(session_of(FakeCore(**{"plan": READY, "runs": HISTORY} | given)))


def details(pilot: Pilot[int]) -> str:
    return pilot.app.screen.query_one("#details", TextPane).shown.plain


def words(plan: Plan) -> str:
    return "\n".join(line.plain for line in lines_of(plan))


# -- the list ----------------------------------------------------------------------------------------------------------


def test_a_line_for_each_run() -> None:
    """Id, time, kind, status with the run that took it back, changes, and seconds; a dash for what nobody knows."""
    lines = [" | ".join(str(cell) for cell in cells_of(run)) for run in HISTORY]
    assert lines == [
        "0d77c1e2b3a4 | 2025-12-04 14:12 | plan file | partly undone | 6 | 2:11",
        "91aa02be7714 | 2025-12-13 14:12 | auto | ✗ interrupted | – | –",
        "3be51a90c7f2 | 2025-12-26 14:12 | auto | undone by c04d11 | 3 | 12 s",
        "c04d1187aa3e | 2025-12-27 14:12 | undo | ✓ completed | 1 | 3.0 s",
        "7f3a91c2d001 | 2026-01-03 14:09 | manual | ✓ completed | 6 | 58 s",
    ]


def test_changes_that_an_earlier_version_did_not_count() -> None:
    """Where one step does not tell its changes, no number is claimed."""
    steps = (replace(PAST_RUN.steps[0], made=None), *PAST_RUN.steps[1:])
    assert str(list(cells_of(replace(PAST_RUN, steps=steps)))[4]) == "–"


def test_the_runs_in_one_line() -> None:
    """How many, how many of them were completed, what those took on average, and when the last one was."""
    session = session_of(FakeCore())
    assert statistics_of(session).plain == ""
    session.history = (PAST_RUN, replace(PAST_RUN, seconds=1.6), KILLED_RUN)
    assert statistics_of(session).plain == " 3 runs · 2 completed (67%) · 30 s on average · last one 3 min ago"
    session.history = (KILLED_RUN,)
    assert statistics_of(session).plain == " 1 run · 0 completed (0%) · last one a month ago"


async def test_the_newest_run_is_first() -> None:
    """``3`` leads there; the cursor is on the newest, and the text follows the cursor."""
    async with app_of().run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "run 7f3a91c2d001" in details(pilot)
        await press(pilot, "j")
        assert "run c04d1187aa3e" in details(pilot)
        assert "took back run 3be51a90c7f2" in details(pilot)
        await press(pilot, "j")
        assert "Undone by the run c04d1187aa3e." in details(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, DiffScreen)


async def test_everything_about_a_run() -> None:
    """Who, where, which backup, the proof, and each step with its form, its seconds and its SQL."""
    async with app_of().run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        told = details(pilot)
    for part in (
        "when      2026-01-03 14:09, 3 min ago",
        "kind      manual, policy safe",
        "by        ada@web1 (process 4711)",
        "backup    shop-20260103-141231",
        "2 tables with 1 388 353 rows counted before and after: equal.",
        "· every row of orders was copied",
        "Integrity ok; 0 broken references.",
    ):
        assert part in told
    for step in PAST_RUN.steps:
        assert f"{step.number:2} {step.sentence}\n   {step.form}, 0.4 s\n{step.sql.expandtabs(TAB)}" in told


async def test_what_takes_a_step_back() -> None:
    """Its script stands below its SQL; a step without one says nothing of it."""
    async with app_of().run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "taken back by" not in details(pilot)
        await press(pilot, "j")
        assert f"{UNDO_STEPS[1].sql}\n   taken back by\n{TIER_BACK}" in details(pilot)


async def test_a_killed_run_says_what_is_left_of_it() -> None:
    """It has no steps and no proof; the database is as it was."""
    async with app_of().run_test(size=WIDE) as pilot:
        await press(pilot, "3", "G", "k")
        assert "✗ interrupted: killed before its commit, so nothing of it is in the database" in details(pilot)
        assert "Checked" not in details(pilot)


async def test_a_run_that_goes_on() -> None:
    """One of another process stands first, counted neither as a success nor as a failure."""
    running = replace(KILLED_RUN, id="aaaa00000003", name="it goes on", status="running")
    async with app_of(runs=(PAST_RUN, running)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "▶ running: it goes on" in details(pilot)
        assert "1 run · 1 completed (100%)" in text_of(pilot)


async def test_a_run_that_was_rolled_back_says_why() -> None:
    """Its error stands in place of what it did, and the list says in words how it ended."""
    async with app_of(runs=(*HISTORY, FAILED_RUN)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert f"✗ rolled back: {FAILED_RUN.error}" in details(pilot)
        assert "✗ rolled back " in text_of(pilot)


async def test_each_step_of_it_says_how_far_it_came() -> None:
    """Done and rolled back, failed, or never begun, which took no time; none of them counts as a change."""
    async with app_of(runs=(*HISTORY, FAILED_RUN)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        told = details(pilot)
    words = {"rolled_back": "0.4 s, rolled back", "failed": "0.4 s, failed", "pending": "pending"}
    for step in FAILED_RUN.steps:
        assert f"{step.number:2} {step.sentence}\n   {step.form}, {words[step.status]}\n" in told
    assert str(list(cells_of(FAILED_RUN))[4]) == "–"


async def test_a_baseline_and_its_note() -> None:
    """It stands in the list with its kind; the text has its name and its note."""
    taken = replace(PAST_RUN, kind="baseline", name="before trueup", note="by hand until now", steps=(), receipt=None)
    async with app_of(runs=(taken,)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "✓ completed: before trueup" in details(pilot)
        assert "note      by hand until now" in details(pilot)
        assert "baseline" in text_of(pilot)


async def test_a_run_that_found_another_schema() -> None:
    """That others changed it since the run before is told."""
    async with app_of(runs=(replace(PAST_RUN, drifted_since="c04d1187aa3e"),)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "drift     somebody else had changed the schema since run c04d1187aa3e" in details(pilot)


async def test_a_step_that_was_taken_back_alone() -> None:
    """The step says which run took it back."""
    async with app_of().run_test(size=WIDE) as pilot:
        await press(pilot, "3", "G")
        assert details(pilot).count("undone by the run c04d1187aa3e") == 1


async def test_a_history_that_cannot_be_read() -> None:
    """An error in place of the list, asked for once; ``R`` tries again."""
    core = FakeCore(plan=READY, runs=PermissionError("no permission"))
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert "no permission" in text_of(pilot)
        await pilot.pause(0.2)
        assert core.recalled <= 2
        core.runs = HISTORY
        await press(pilot, "R")
        assert "7f3a91c2d001" in text_of(pilot)


async def test_backups_that_cannot_be_listed_are_asked_for_once() -> None:
    """A list that failed is not asked for again and again."""
    core = FakeCore(plan=READY, backups=PermissionError("no permission"))
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        await pilot.pause(0.2)
        assert core.listed <= 2


async def test_the_history_follows_what_is_done() -> None:
    """After a run and after a restore it is read again."""
    core = FakeCore(plan=READY, runs=HISTORY, backups=BACKUPS)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "1")
        await start(pilot)
        send(pilot, *whole_run(READY))
        core.runs = (*HISTORY, replace(PAST_RUN, id="aaaa00000001"))
        await press(pilot, "3")
        assert "aaaa00000001" in text_of(pilot)
        await restore(pilot)
        send(pilot, events.Finished(elapsed=3.0, run=RESTORED))
        core.runs = (*core.runs, replace(PAST_RUN, id="aaaa00000002", kind="restore", steps=()))
        await press(pilot, "3")
        assert "aaaa00000002" in text_of(pilot)


# -- what an undo would do ---------------------------------------------------------------------------------------------


def test_what_an_undo_says() -> None:
    """Losses with their numbers first, then each change with its dangers, then where values come from."""
    assert words(UNDO).splitlines() == [
        "DATA Deletes the values of 184 022 rows in customers.loyalty_tier.",
        "» rename column customers.full_name to fullname",
        "    Programs that still use the name customers.full_name fail.",
        "- drop column customers.loyalty_tier",
        "",
        "Values come back from the backup shop-20260103-141231.",
        "Models that still want what was taken back make it again at the next trueup --auto.",
    ]


def test_rows_that_come_back_are_counted() -> None:
    """Rows that a decision deleted are told with their number."""
    returning = (
        Returning(table="orders", statements=(), rows=1204, lost=0),
        Returning(table="coupons", statements=(), rows=1, lost=0),
    )
    told = words(replace(UNDO, returning=returning))
    assert "1 204 rows of orders come back that a decision deleted." in told
    assert "1 row of coupons comes back that a decision deleted." in told


async def test_the_plan_of_the_run_under_the_cursor() -> None:
    """``u`` plans for that run; the SQL on the screen is the plan's script to the letter, and nothing is done yet."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "j", "u")
        assert core.undos == [AN_UNDO.id]
        assert pilot.app.screen.query_one("#script", TextPane).shown.plain == UNDO.script
        assert "deletes data" in text_of(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert core.started == []


async def test_an_undo_that_is_refused_says_why() -> None:
    """Core's sentence stands there; nothing can be started, and ``R`` plans anew."""
    core = FakeCore(plan=READY, runs=HISTORY, undo=NOT_UNDOABLE)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "j", "j", "u")
        assert "the later run 7f3a91c2d001 changed the same" in text_of(pilot)
        await press(pilot, "A")
        assert "There is no plan" in said(pilot)
        core.undo = UNDO
        await press(pilot, "R")
        assert "To take back run 7f3a91c2d001:" in text_of(pilot)
        assert core.undos == ["3be51a90c7f2", "3be51a90c7f2"]


async def test_an_error_that_nobody_knows_shows_no_password() -> None:
    """An error of any kind is a sentence, and the URL in it has no password."""
    async with app_of(undo=RuntimeError(f"cannot open {URL}")).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "u")
        assert "cannot open" in text_of(pilot)
        assert SECRET not in text_of(pilot)


async def test_what_stands_in_the_way_is_said() -> None:
    """A blocked change says why and what to do, and nothing is started."""
    core = FakeCore(plan=READY, runs=HISTORY, undo=BLOCKED_UNDO)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "u")
        assert "The view best_customers needs it." in text_of(pilot)
        assert "Drop or mend the view, then undo again." in text_of(pilot)
        await press(pilot, "A")
        assert "Something stands in the way" in said(pilot)
        assert core.started == []


async def test_nothing_is_left_of_a_run() -> None:
    """A run whose changes are all gone says so."""
    async with app_of(undo=replace(UNDO, assessments=(), steps=())).run_test(size=WIDE) as pilot:
        await press(pilot, "3", "u")
        assert "Nothing is left of run 7f3a91c2d001." in text_of(pilot)
        await press(pilot, "A")
        assert "Nothing is left of that run" in said(pilot)


# -- carrying it out ---------------------------------------------------------------------------------------------------


async def test_an_undo_asks_for_a_word() -> None:
    """Only the word, tab and ``y`` begin it; what is lost stands in the question."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=NARROW) as pilot:
        await press(pilot, "3", "u", "A")
        await armed(pilot)
        assert "Deletes the values of 184 022 rows in customers.loyalty_tier." in text_of(pilot)
        await press(pilot, "tab", "y", "escape")
        assert core.started == []
        await press(pilot, "A")
        await armed(pilot)
        await press(pilot, *"undo", "enter")
        assert core.started == []
        await press(pilot, "tab", "y")
        assert [plan for plan, _ in core.started] == [UNDO]


async def test_an_undo_is_followed_to_its_end() -> None:
    """The steps with their progress, then the result; the history and both sides are read again, ``d`` shows them."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await undo(pilot)
        send(pilot, *up_to_step(UNDO, 2, 7.0))
        await press(pilot)
        assert "Undoing, step 2 of 2" in text_of(pilot)
        assert "▶ undoing 2/2" in text_of(pilot)
        readings, recalled = len(core.asked), core.recalled
        send(pilot, *whole_run(UNDO)[-4:])
        await press(pilot)
        assert "Took back run 7f3a91c2d001." in text_of(pilot)
        assert len(core.asked) == readings + 1
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, HistoryScreen)
        assert core.recalled > recalled
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, ApplyScreen)
        await press(pilot, "d")
        assert isinstance(pilot.app.screen, DiffScreen)
        await press(pilot, "3")
        assert isinstance(pilot.app.screen, HistoryScreen)


async def test_a_run_that_is_on_stands_in_the_way() -> None:
    """While a run is on no undo is planned, and ``a`` shows the run."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await start(pilot)
        await press(pilot, "3", "u")
        assert "A run is on" in said(pilot)
        assert core.undos == []
        await press(pilot, "a")
        assert isinstance(pilot.app.screen, ApplyScreen)


async def test_an_undo_can_be_cancelled() -> None:
    """``c`` asks, and the job is told."""
    core = FakeCore(plan=READY, runs=HISTORY)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await undo(pilot)
        await press(pilot, "c")
        await armed(pilot)
        await press(pilot, "y")
        assert core.job is not None
        assert core.job.cancelled


async def test_an_undo_that_failed_says_that_all_is_as_it_was() -> None:
    """The sentence, and that the database is as it was."""
    failed = failed_run(UNDO, errors.StatementFailed(sentence="drop column t.a", reason="the view v needs it"))
    async with app_of().run_test(size=WIDE) as pilot:
        await undo(pilot)
        send(pilot, *failed)
        await press(pilot)
        assert "Not applied" in text_of(pilot)
        assert "the database is as it was" in text_of(pilot)


async def test_a_database_that_moved_since_is_left_alone() -> None:
    """The plan that was shown does not fit any more: it is said, and the runs are there to look again."""
    async with app_of().run_test(size=WIDE) as pilot:
        await undo(pilot)
        send(pilot, *failed_run(UNDO, errors.SchemaMoved()))
        await press(pilot)
        assert "The database changed since you looked" in said(pilot)
        assert isinstance(pilot.app.screen, HistoryScreen)


@pytest.mark.parametrize("backup", [True, False])
async def test_the_question_says_whether_there_will_be_a_backup(backup: bool) -> None:
    """The backup is the one that was switched on or off on the preview."""
    core = FakeCore(plan=READY, runs=HISTORY)
    app = TrueupApp(session_of(core, backup=backup))
    async with app.run_test(size=WIDE) as pilot:
        await undo_typed(pilot)
        assert ("A verified backup is made first." if backup else "No backup is made.") in text_of(pilot)
        await press(pilot, "tab", "y")
        assert core.started[0][1].settings.backup is backup


async def test_an_answer_for_another_run_is_not_shown() -> None:
    """Who asks for another run before the first answer came sees the plan of the second one."""
    app = app_of()
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "3", "u")
        app.post_message(UndoPlanned("0d77c1e2b3a4", error=NOT_UNDOABLE))
        await press(pilot)
        assert isinstance(app.screen, UndoScreen)
        assert "To take back run 7f3a91c2d001:" in text_of(pilot)
