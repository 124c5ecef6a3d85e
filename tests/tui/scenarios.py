"""The states that pictures are made of: each a session, a size, and the keys that lead there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from tests.tui.data import (
    AMBIGUOUS,
    BACKUPS,
    BASELINE_RUN,
    BLOCKED_UNDO,
    CHANGED,
    COPYING,
    DAMAGED,
    ENDANGERED,
    EVERY_KIND,
    FAILED_RUN,
    HISTORY,
    IN_STEP,
    INSERTING,
    LARGE,
    LOSING,
    NOT_FIT,
    NOT_UNDOABLE,
    NOTHING_TAKEN,
    OLD,
    OPEN,
    READY,
    REPAIRED,
    RESTORED,
    TAKEN_FOR,
    UNCHANGED,
    UNDO,
    UNFILLED,
    FakeCore,
    beginning,
    failed_run,
    rehearsed,
    session_of,
    up_to_step,
    whole_run,
)
from trueup import Plan, Status, errors, events
from trueup_tui.app import TrueupApp
from trueup_tui.session import Session

Walk = Callable[[Pilot[int]], Awaitable[None]]
NARROW, WIDE = (80, 24), (120, 40)


@dataclass(frozen=True)
class Scenario:
    """One picture."""

    core: Callable[[], FakeCore]
    walk: Walk
    seen: str
    """What must be seen, as a sentence."""

    def app(self) -> TrueupApp:
        return TrueupApp(session_of(self.core()))


async def settled(pilot: Pilot[int]) -> None:
    """Until nothing is read any more, and everything is drawn."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 30
    while loop.time() < end:
        await pilot.pause()
        session = pilot.app.session  # type: ignore[attr-defined]
        if session.readings and not _waits(session):
            break
        await pilot.pause(0.01)
    await pilot.pause()


def _waits(session: Session) -> bool:
    """Some thread has not answered."""
    planning = session.undo is not None and session.undo.planning
    held = getattr(getattr(session.core.health, "__self__", None), "examining", False)
    examining = session.examining is not None and (session.stopped or not held)
    working = session.at_a_task and not getattr(session.job, "held", False)
    return session.reading or session.listing or session.recalling or planning or working or examining


async def armed(pilot: Pilot[int]) -> None:
    """Until the dialog on top listens."""
    for _ in range(200):
        await pilot.pause(0.02)
        if isinstance(pilot.app.screen, ModalScreen) and getattr(pilot.app.screen, "armed", True):
            break
    await pilot.pause()


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press the keys, each when what the one before it began has ended."""
    await settled(pilot)
    for key in keys:
        if isinstance(pilot.app.screen, ModalScreen):
            await armed(pilot)
        await pilot.press(key)
        await settled(pilot)


def keys(*pressed: str) -> Walk:
    async def walk(pilot: Pilot[int]) -> None:
        await press(pilot, *pressed)

    return walk


def running(*made: events.Event, also: tuple[str, ...] = (), at: float | None = None) -> Walk:
    """Apply, and let these events happen."""

    async def walk(pilot: Pilot[int]) -> None:
        await start(pilot)
        send(pilot, *made)
        if at is not None:
            pilot.app.session.job.elapsed = at  # type: ignore[attr-defined]
        await press(pilot, *also)
        if isinstance(pilot.app.screen, ModalScreen):
            await armed(pilot)

    return walk


async def start(pilot: Pilot[int]) -> None:
    """From the differences to a run that has begun."""
    await press(pilot, "p", "A")
    await armed(pilot)
    await press(pilot, "y")


def send(pilot: Pilot[int], *made: events.Event) -> None:
    pilot.app.session.job.send(*made)  # type: ignore[attr-defined]


def restoring(*made: events.Event) -> Walk:
    """Say yes to the restore of the first backup, and let these events happen."""

    async def walk(pilot: Pilot[int]) -> None:
        await restore(pilot)
        send(pilot, *made)
        await press(pilot)

    return walk


def rehearsing(*made: events.Event) -> Walk:
    """Rehearse from the preview, and let these events happen."""

    async def walk(pilot: Pilot[int]) -> None:
        await press(pilot, "p", "h")
        send(pilot, *made)
        await press(pilot)

    return walk


def working(key: str, *made: events.Event, phase: str, at: float = 3.0) -> Walk:
    """Begin a task on the backups with the key, and let these events happen."""

    async def walk(pilot: Pilot[int]) -> None:
        await press(pilot, "2", key)
        job = pilot.app.session.job  # type: ignore[attr-defined]
        job.send(*made)
        job.limits.phase, job.elapsed = phase, at
        pilot.app.changed()  # type: ignore[attr-defined]
        await press(pilot)

    return walk


def exporting(path: str) -> Walk:
    """Ask for the export of the first backup to that path."""

    async def walk(pilot: Pilot[int]) -> None:
        await press(pilot, "2", "e")
        await armed(pilot)
        await press(pilot, *(_KEYS.get(character, character) for character in path))

    return walk


_KEYS = {"/": "slash", ".": "full_stop", "-": "minus", "~": "tilde"}


async def cleaning_up(pilot: Pilot[int]) -> None:
    """Ask for the cleanup of the history, and see what would go."""
    await press(pilot, "3", "x", "enter")
    await armed(pilot)


async def cleaned_up(pilot: Pilot[int]) -> None:
    """Type the words, and say yes."""
    await cleaning_up(pilot)
    await press(pilot, *"clean", "space", *"up", "tab", "y")


def naming(title: str, note: str, *pressed: str) -> Walk:
    """Ask for a baseline with that title and note."""

    async def walk(pilot: Pilot[int]) -> None:
        await press(pilot, "3", "b")
        for text in (title, note):
            await armed(pilot)
            pilot.app.screen.query_one(Input).value = text
            await press(pilot, "enter")
        await armed(pilot)
        await press(pilot, *pressed)

    return walk


async def insisting(pilot: Pilot[int]) -> None:
    """Say yes to the deletion of a backup that is needed, and begin to type its name."""
    await press(pilot, "2", "x", "y")
    await armed(pilot)


async def restore(pilot: Pilot[int]) -> None:
    """From the differences to a restore that has begun."""
    await press(pilot, "2", "r")
    await armed(pilot)
    await press(pilot, *"restore", "tab", "y")


def undoing(*made: events.Event, at: float = 0.0) -> Walk:
    """Say yes to the undo of the newest run, and let these events happen."""

    async def walk(pilot: Pilot[int]) -> None:
        await undo(pilot)
        send(pilot, *made)
        pilot.app.session.job.elapsed = at  # type: ignore[attr-defined]
        await press(pilot)

    return walk


async def undo(pilot: Pilot[int]) -> None:
    """From the differences to an undo that has begun."""
    await undo_typed(pilot)
    await press(pilot, "tab", "y")


async def undo_typed(pilot: Pilot[int]) -> None:
    await press(pilot, "3", "u", "A")
    await armed(pilot)
    await press(pilot, *"undo")


async def typed_name(pilot: Pilot[int]) -> None:
    await press(pilot, "p", "A")
    await armed(pilot)
    await press(pilot, *"coupons")


async def only_asked(pilot: Pilot[int]) -> None:
    await press(pilot, "p", "A")
    await armed(pilot)


async def no_match(pilot: Pilot[int]) -> None:
    await press(pilot, "slash", *"nowhere")


async def fill_asked(pilot: Pilot[int]) -> None:
    await press(pilot, "f")
    await armed(pilot)
    await press(pilot, *"EUR")


async def nothing(pilot: Pilot[int]) -> None:
    await pilot.pause()


def core(plan: Plan | Exception = READY, **more: object) -> Callable[[], FakeCore]:
    return lambda: FakeCore(plan=plan, **more)  # type: ignore[arg-type]


def _models_error() -> FakeCore:
    error = errors.ModelsError(spec="app.models:Base", problem="ImportError: cannot import name 'Base' from 'app'")
    return FakeCore(plan=error)


def _unless_decided() -> FakeCore:
    """Refuses every answer."""

    def plan(decisions: tuple[object, ...], leave_out: frozenset[str]) -> Plan:
        if decisions:
            raise _WRONG_SQL
        return ENDANGERED

    return FakeCore(plan=plan)


def _reading() -> FakeCore:
    import threading

    return FakeCore(wait=threading.Event())


_BUSY = errors.DatabaseBusy(database="sqlite:///shop.db", timeout=10.0, who="")
_NO_TARGET = errors.NoTarget(what="models", looked="trueup.toml", option="--models package.module:Base")
_DAMAGED = errors.DatabaseDamaged(database="sqlite:///shop.db", reason="database disk image is malformed")
_WRONG_SQL = errors.DecisionsError(
    path="/srv/shop/trueup.toml",
    problem="cast orders.total cannot use 'x' for a row of orders (no such column: x)",
)
_REFUSED = errors.StatementFailed(sentence="add index orders.ix_orders_created_at", reason="no such column: created_at")
_STAYS = errors.StatementFailed(sentence="drop column customers.loyalty_tier", reason="error in view best_customers")
_CANCELLED = errors.Cancelled(phase="in step 4 of 5 (add index orders.ix_orders_created_at)")

SCENARIOS: dict[str, Scenario] = {
    "start-reading": Scenario(_reading, nothing, "Before anything is read the app says what it is doing."),
    "start-models-error": Scenario(_models_error, keys(), "Models that do not load: the sentence, and R tries again."),
    "start-database-error": Scenario(core(_DAMAGED), keys(), "A damaged database: the sentence, and R tries again."),
    "diff-question": Scenario(core(OPEN), keys(), "One question is open and shown first: the pair with its evidence."),
    "diff-change": Scenario(core(OPEN), keys("j", "j", "j"), "A changed column: both sides, rows, time and SQL."),
    "diff-brackets": Scenario(core(READY), keys("slash", *"ck_", "enter"), "A CHECK with [a-z] in it, to the letter."),
    "diff-deletes": Scenario(core(READY), keys("G", "k", "k", "k"), "A table that left the models: DATA, and skipped."),
    "diff-every-kind": Scenario(core(EVERY_KIND), keys("G"), "Every kind of change has its sign and its mark."),
    "diff-table": Scenario(core(READY), keys("g", "j", "j", "j"), "On a table's name: all that happens to it."),
    "diff-folded": Scenario(core(READY), keys("h"), "A folded table says how many changes it hides."),
    "diff-rename": Scenario(core(OPEN), keys("r"), "The rename is asked in place, with its evidence and its keys."),
    "diff-rename-others": Scenario(core(AMBIGUOUS), keys("r"), "Two names are possible: both are shown, o moves on."),
    "diff-filter": Scenario(core(READY), keys("slash", *"index", "enter"), "Only the changes with the text in them."),
    "diff-no-match": Scenario(core(READY), no_match, "A filter that nothing matches says so, and how to leave."),
    "diff-no-value": Scenario(core(UNFILLED), keys(), "Rows without a value: what is missing, and f."),
    "diff-fill": Scenario(core(UNFILLED), fill_asked, "What is typed is explained before it is taken."),
    "diff-danger": Scenario(core(ENDANGERED), keys(), "Rows stand against it: what and which, and d."),
    "diff-altered": Scenario(core(ENDANGERED), keys("j"), "Values would change: which, and what they are."),
    "diff-decided": Scenario(core(REPAIRED), keys(), "It was decided which rows go, and the row says so."),
    "decide-offers": Scenario(core(ENDANGERED), keys("d"), "The danger, the offers, and the entry of the file."),
    "decide-typing": Scenario(
        core(ENDANGERED), keys("d", "j", "j", "enter"), "An expression is typed, and seen in the entry."
    ),
    "decide-refused": Scenario(
        _unless_decided, keys("j", "d", "enter", "ctrl+u", *"x", "enter"), "Why it cannot be followed."
    ),
    "decide-reason": Scenario(core(ENDANGERED), keys("j", "d", "k", "enter"), "A reason is asked for."),
    "decide-taken-back": Scenario(core(REPAIRED), keys("d"), "What was decided can be taken back."),
    "decide-keep": Scenario(core(READY), keys("j", "i"), "What leaves the database as it is, before it is chosen."),
    "diff-in-step": Scenario(core(IN_STEP), keys(), "No differences: what matches what."),
    "preview-safe": Scenario(core(READY), keys("p"), "Steps, price and the exact SQL."),
    "preview-deletes": Scenario(core(LOSING), keys("p"), "The lost data stands above the steps."),
    "preview-no-backup": Scenario(core(READY), keys("p", "b"), "Without a backup the screen says so."),
    "preview-rehearsing": Scenario(
        core(READY), rehearsing(events.CopyProgress(elapsed=0.4, done=300, total=4000)), "How far the copy is."
    ),
    "preview-rehearsed": Scenario(core(READY), rehearsing(rehearsed()), "All worked; the seconds were measured."),
    "preview-nothing": Scenario(core(NOTHING_TAKEN), keys("p"), "Nothing is taken: what to do."),
    "confirm-safe": Scenario(core(READY), only_asked, "y applies, the safe answer has the focus."),
    "confirm-empty": Scenario(core(LOSING), only_asked, "The name is not typed yet: no way to say yes."),
    "confirm-right": Scenario(core(LOSING), typed_name, "The name is typed: tab, then y."),
    "apply-backup": Scenario(core(READY), running(*beginning(READY)), "The backup is being copied."),
    "apply-step": Scenario(core(READY), running(*up_to_step(READY, 3, 7.0), at=28.0), "Step 3 and its statement."),
    "apply-cancel-asked": Scenario(
        core(READY), running(*up_to_step(READY, 3, 7.0), at=28.0, also=("c",)), "Cancelling is asked."
    ),
    "apply-cancelling": Scenario(
        core(READY),
        running(*up_to_step(READY, 3, 7.0), at=28.0, also=("c", "y")),
        "Being cancelled, not yet done.",
    ),
    "apply-cancelled": Scenario(
        core(READY), running(*failed_run(READY, _CANCELLED, Status.CANCELLED)), "Cancelled: all is as it was."
    ),
    "apply-rows": Scenario(
        core(READY),
        running(*up_to_step(READY, 3, 7.0), INSERTING, COPYING, at=19.0),
        "How many of the rows are copied; the bar and the time that is left go by them.",
    ),
    "apply-done": Scenario(core(READY), running(*whole_run(READY)), "0 differences left, the proof, the backup."),
    "apply-failed": Scenario(core(READY), running(*failed_run(READY, _REFUSED)), "The step that failed, and why."),
    "diff-while-running": Scenario(
        core(READY),
        running(*up_to_step(READY, 3, 7.0), at=28.0, also=("escape",)),
        "The run is seen from elsewhere.",
    ),
    "backups-list": Scenario(core(READY, backups=BACKUPS), keys("2"), "The backups and what the first one holds."),
    "backups-broken": Scenario(core(READY, backups=BACKUPS), keys("2", "G"), "A broken one says what is wrong."),
    "backups-empty": Scenario(core(READY), keys("2"), "None yet: where they will go."),
    "backups-restore": Scenario(core(READY, backups=BACKUPS), keys("2", "r"), "What a restore does; a word is typed."),
    "backups-restoring": Scenario(
        core(READY, backups=BACKUPS),
        restoring(events.RestoreProgress(elapsed=2.0, done=5800, total=11770)),
        "How far a restore is.",
    ),
    "backups-restored": Scenario(
        core(READY, backups=BACKUPS), restoring(events.Finished(elapsed=3.1, run=RESTORED)), "Where the old content is."
    ),
    "backups-large": Scenario(
        core(READY, backups=BACKUPS, warning=LARGE), keys("2", "j"), "How many, how good, how large; that it is much."
    ),
    "backups-making": Scenario(
        core(READY, backups=BACKUPS, held=True),
        working("b", events.BackupProgress(elapsed=3.0, done=5800, total=11770), phase="making the backup"),
        "How far a backup is, and how to stop it.",
    ),
    "backups-first": Scenario(
        core(READY, held=True),
        working("b", phase="waiting for other writers", at=4.0),
        "The first one, while it waits.",
    ),
    "backups-made": Scenario(core(READY, backups=BACKUPS), keys("2", "b"), "It was made, and checked."),
    "backups-locked": Scenario(core(READY, backups=BACKUPS, made=_BUSY), keys("2", "b"), "Somebody else writes."),
    "backups-checking": Scenario(
        core(READY, backups=BACKUPS, held=True),
        working("t", phase="restoring the backup for trial", at=12.0),
        "A trial restore goes on.",
    ),
    "backups-checked": Scenario(core(READY, backups=BACKUPS), keys("2", "j", "t"), "It is good, and by what."),
    "backups-changed": Scenario(
        core(READY, backups=BACKUPS, compared=CHANGED), keys("2", "d"), "What is different in the database since."
    ),
    "backups-unchanged": Scenario(core(READY, backups=BACKUPS, compared=UNCHANGED), keys("2", "d"), "Nothing is."),
    "backups-export": Scenario(
        core(READY, backups=BACKUPS), exporting("/shop-copy.db"), "Where the copy will be, before it is made."
    ),
    "backups-export-refused": Scenario(
        core(READY, backups=BACKUPS), exporting("/nowhere/shop.db"), "No place for a file, and why."
    ),
    "backups-delete": Scenario(core(READY, backups=BACKUPS), keys("2", "j", "x"), "What goes; y deletes it."),
    "backups-needed": Scenario(
        core(READY, backups=BACKUPS, needed=TAKEN_FOR), insisting, "Who needs it, and what is typed all the same."
    ),
    "backups-deleted": Scenario(core(READY, backups=BACKUPS), keys("2", "G", "x", "y"), "It is gone."),
    "palette": Scenario(core(READY, backups=BACKUPS), keys("2", "ctrl+p"), "Everything that can be done here."),
    "palette-found": Scenario(
        core(READY, backups=BACKUPS), keys("2", "ctrl+p", *"restore"), "What has the word in it."
    ),
    "history-list": Scenario(core(READY, runs=HISTORY), keys("3"), "The runs, and all that the newest did."),
    "history-steps": Scenario(
        core(READY, runs=HISTORY), keys("3", "tab", "G"), "The last step with its form, its seconds and its SQL."
    ),
    "history-undone": Scenario(core(READY, runs=HISTORY), keys("3", "j", "j"), "Which run took this one back."),
    "history-undo": Scenario(core(READY, runs=HISTORY), keys("3", "j"), "Which run an undo took back."),
    "history-killed": Scenario(core(READY, runs=HISTORY), keys("3", "G", "k"), "A killed run: what is left of it."),
    "history-failed": Scenario(core(READY, runs=(*HISTORY, FAILED_RUN)), keys("3"), "Why a run was rolled back."),
    "history-baseline": Scenario(
        core(READY, runs=(*HISTORY, BASELINE_RUN)),
        keys("3"),
        "A database recorded as it was: its name, note and drift.",
    ),
    "history-statistics": Scenario(
        core(READY, runs=(*HISTORY, FAILED_RUN)), keys("3", "s"), "The runs of each kind, and the last failures."
    ),
    "history-days": Scenario(core(READY, runs=HISTORY), keys("3", "x"), "How old is old, and what that means."),
    "history-clean": Scenario(
        core(READY, runs=HISTORY, cleanup=OLD), cleaning_up, "What would go, what stays, and the words to type."
    ),
    "history-cleaned": Scenario(core(READY, runs=HISTORY, cleanup=OLD), cleaned_up, "What was taken out."),
    "history-nothing-old": Scenario(core(READY, runs=HISTORY), keys("3", "x", "enter"), "Nothing may go."),
    "history-title": Scenario(core(READY, runs=HISTORY), keys("3", "b"), "A title for the starting point."),
    "history-baseline-asked": Scenario(
        core(READY, runs=HISTORY), naming("before the new year", "by hand until now"), "What a baseline means."
    ),
    "history-baselined": Scenario(
        core(READY, runs=HISTORY), naming("", "", "y"), "It was recorded, and what stays different."
    ),
    "history-empty": Scenario(core(READY), keys("3"), "No run yet."),
    "history-error": Scenario(core(READY, runs=_DAMAGED), keys("3"), "The sentence, and R tries again."),
    "health-fit": Scenario(core(READY), keys("4"), "Nothing is wrong, and what that rests on."),
    "health-findings": Scenario(
        core(READY, health=NOT_FIT), keys("4"), "What is wrong, the worst first, what to do, and where."
    ),
    "health-note": Scenario(core(READY, health=NOT_FIT), keys("4", "G"), "The last finding, and its way."),
    "health-damaged": Scenario(
        core(READY, health=DAMAGED), keys("4"), "Damage, the way back, and that not everything could be seen."
    ),
    "health-examining": Scenario(core(READY, examining=True), keys("4"), "What goes on, and how to stop it."),
    "health-stopped": Scenario(core(READY, examining=True), keys("4", "c"), "It was stopped, and R examines again."),
    "health-error": Scenario(core(READY, health=_NO_TARGET), keys("4"), "The sentence, and R tries again."),
    "health-changed": Scenario(
        core(READY, health=NOT_FIT, backups=BACKUPS), keys("4", "2", "v", "4"), "Something was done since."
    ),
    "undo-plan": Scenario(core(READY, runs=HISTORY), keys("3", "u"), "What is lost, what comes back, and the SQL."),
    "undo-blocked": Scenario(
        core(READY, runs=HISTORY, undo=BLOCKED_UNDO), keys("3", "u"), "What stands in the way, and what to do."
    ),
    "undo-refused": Scenario(
        core(READY, runs=HISTORY, undo=NOT_UNDOABLE), keys("3", "j", "j", "u"), "Why a run cannot be taken back."
    ),
    "undo-asked": Scenario(core(READY, runs=HISTORY), undo_typed, "The losses, and the word that is typed."),
    "undo-running": Scenario(core(READY, runs=HISTORY), undoing(*up_to_step(UNDO, 2, 7.0), at=8.0), "Step 2 of 2."),
    "undo-done": Scenario(core(READY, runs=HISTORY), undoing(*whole_run(UNDO)), "What was taken back, and the proof."),
    "undo-failed": Scenario(core(READY, runs=HISTORY), undoing(*failed_run(UNDO, _STAYS)), "Why not, and all is well."),
    "help-diff": Scenario(core(READY), keys("question_mark"), "The keys of the differences."),
    "help-preview": Scenario(core(READY), keys("p", "question_mark"), "The keys of the preview."),
}
