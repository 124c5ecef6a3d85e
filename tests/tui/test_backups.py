"""What can be done with backups in the app, on real databases and files: make, check, compare, export, delete."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.tui.data import BACKUPS, READY, SECRET, URL, FakeCore, session_of
from tests.tui.scenarios import NARROW, WIDE, armed, press, settled, start
from tests.tui.test_flow import said
from tests.tui.test_safety import text_of
from trueup import Backup, Limits, Settings, Target, errors, list_backups, make_backup, verify_backup
from trueup.run import Intent
from trueup_tui.app import TrueupApp
from trueup_tui.screens.backups import BackupsScreen
from trueup_tui.screens.confirm import AskScreen, ConfirmScreen
from trueup_tui.session import Session

SCHEMA = "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name TEXT);"


class Desk:
    """A database with its models, and the app over it."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.database = directory / "people.db"
        models = directory / "schema.sql"
        models.write_text(SCHEMA, encoding="utf-8")
        self.sql(SCHEMA + "INSERT INTO people VALUES (1, 'Ada'), (2, 'Bo');")
        self.settings = Settings(url=f"sqlite:///{self.database}", models=str(models), **settings)
        self.target = Target.from_settings(self.settings)

    def sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(script)

    @contextmanager
    def held(self, how: str = "IMMEDIATE") -> Iterator[None]:
        """Somebody else writes, and does not end."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute(f"BEGIN {how}")
            yield

    def intent(self, kind: str) -> Intent:
        return Intent(run_id="aa00bb11cc22", kind=kind, process=4711, host="web1", since="2026-01-03 14:00:00")

    def migrator(self) -> AbstractContextManager[Intent | None]:
        """Another migrator is at work while the context is open."""
        return self.target.dialect().lock(self.intent("auto"), 1.0, lambda _holder: None, Limits())

    def app(self) -> TrueupApp:
        return TrueupApp(Session(settings=self.settings))

    @property
    def backups(self) -> tuple[Backup, ...]:
        return list_backups(self.target)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, lock_timeout=0.2)


async def typed(pilot: Pilot[int], text: str, *keys: str) -> None:
    """Fill the field of the dialog, and press the keys."""
    await armed(pilot)
    pilot.app.screen.query_one(Input).value = text
    await press(pilot, *keys)


# -- make --------------------------------------------------------------------------------------------------------------


async def test_a_backup_is_made_now(desk: Desk) -> None:
    """``b`` makes one, also where there is none yet; it is read back, listed and counted."""
    async with desk.app().run_test(size=NARROW) as pilot:
        await press(pilot, "2")
        assert "No backups yet." in text_of(pilot)
        await press(pilot, "b")
        (made,) = desk.backups
        assert f"✓ Made {made.id}" in text_of(pilot)
        assert "1 backup · 1 good" in text_of(pilot)
    assert verify_backup(made, desk.target).problem == ""
    assert made.row_counts["people"] == 2


async def test_a_writer_stands_in_the_way(desk: Desk) -> None:
    """It is said who cannot be waited for any longer; when the writer has ended, the same key makes the backup."""
    async with desk.app().run_test(size=NARROW) as pilot:
        await press(pilot, "2")
        with desk.held():
            await press(pilot, "b")
            assert "Another process holds" in text_of(pilot)
            assert not desk.backups
        await press(pilot, "b")
        assert "✓ Made" in text_of(pilot)


async def test_waiting_is_shown_and_can_be_cancelled(tmp_path: Path) -> None:
    """While a writer is waited for the place says so; ``c`` ends it, and nothing is left behind."""
    desk = Desk(tmp_path, lock_timeout=20.0)
    async with desk.app().run_test(size=NARROW) as pilot:
        await press(pilot, "2")
        with desk.held():
            await pilot.press("b")
            await shown(pilot, "waiting for other writers")
            assert "c cancels" in text_of(pilot)
            await pilot.press("c")
            await settled(pilot)
        assert "✗ Cancelled while waiting for other writers" in text_of(pilot)
        assert not desk.backups
        assert not list((tmp_path / ".trueup" / "backups").glob("*"))


async def shown(pilot: Pilot[int], words: str) -> None:
    """Until these words are on the screen."""
    for _ in range(500):
        await pilot.pause(0.02)
        if words in " ".join(text_of(pilot).split()):
            return
    raise AssertionError(text_of(pilot))


@pytest.mark.parametrize("keys", [("b",), ("x", "y")], ids=["make", "delete"])
async def test_another_migrator_is_named(tmp_path: Path, keys: tuple[str, ...]) -> None:
    """Who is at work on the database stands there while that is waited for; afterwards it goes on by itself."""
    desk = Desk(tmp_path, lock_timeout=60.0)
    make_backup(desk.target)
    make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", *keys[:-1])
        await armed(pilot) if len(keys) > 1 else None
        with desk.migrator():
            await pilot.press(keys[-1])
            await shown(pilot, "waiting for another migrator: process 4711 on web1")
            assert len(desk.backups) == 2
        await settled(pilot)
        assert len(desk.backups) == (3 if keys == ("b",) else 1)


async def test_who_waits_for_a_migrator_can_stop(tmp_path: Path) -> None:
    """``c`` ends the waiting at once, however long it was to be."""
    desk = Desk(tmp_path, lock_timeout=600.0)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        with desk.migrator():
            await pilot.press("b")
            await shown(pilot, "waiting for another migrator")
            await pilot.press("c")
            await settled(pilot)
            assert "✗ Cancelled while waiting for another migrator" in text_of(pilot)
    assert not desk.backups


async def test_a_run_that_was_killed_before_is_told(desk: Desk) -> None:
    """Whoever comes first finds out, and says so beside what it was asked for."""
    lock = desk.database.with_name(f"{desk.database.name}.trueup-lock")
    lock.write_text(json.dumps(asdict(desk.intent("auto"))), encoding="utf-8")
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "b")
        assert "✓ Made" in text_of(pilot)
        assert "4711" in text_of(pilot)


@pytest.mark.parametrize(
    "error",
    [
        errors.NotEnoughSpace(what="The backup", needed=48, directory="/srv/shop/.trueup/backups", free=3),
        errors.BackupFailed(directory="/srv/shop/.trueup/backups", reason="No space left on device"),
        errors.ReadOnlyDatabase(database="sqlite:///shop.db"),
        RuntimeError("something else"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_why_no_backup_was_made(error: Exception) -> None:
    """Whatever stands in the way is a sentence in its place, and the list is still there."""
    core = FakeCore(plan=READY, backups=BACKUPS, made=error)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "b")
        shown = " ".join(text_of(pilot).split())
        assert f"✗ {' '.join(str(error).split()[:5])}" in shown or "✗ Something unexpected" in shown
        assert BACKUPS[0].id in shown


async def test_much_room_is_told(tmp_path: Path) -> None:
    """From the size of the settings on, a line says that the backups take much room."""
    desk = Desk(tmp_path, backup_warning_megabytes=0.001)
    make_backup(desk.target)
    async with desk.app().run_test(size=NARROW) as pilot:
        await press(pilot, "2")
        assert "Large backup storage usage - consider cleanup (1 backup" in text_of(pilot)


# -- verify ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "words"), [("v", "the database's own check"), ("f", "every index holds"), ("t", "into a scratch file")]
)
async def test_a_backup_is_checked_again(desk: Desk, key: str, words: str) -> None:
    """Quick, with every index, or by a trial restore: what was found, and by what."""
    made = make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", key)
        assert f"✓ {made.id} is good." in text_of(pilot)
        assert words in text_of(pilot)
        assert desk.backups[0].verified_at != made.verified_at
    assert not list(made.path.parent.glob(".trueup-*"))


@pytest.mark.parametrize("key", ["v", "f", "t"])
async def test_a_backup_that_somebody_changed(desk: Desk, key: str) -> None:
    """Every check finds it; the list says that it is broken, and it is not restored."""
    made = make_backup(desk.target)
    with made.path.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"!")
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", key)
        assert f"✗ {made.id} cannot be used: The file changed since it was made" in text_of(pilot)
        assert "✗ broken" in text_of(pilot)
        await press(pilot, "r")
        assert "It cannot be restored" in said(pilot)


async def test_somebody_deleted_the_file_meanwhile(desk: Desk) -> None:
    """A check finds that it is gone, and so does everything else that needs it."""
    made = make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2")
        made.path.unlink()
        await press(pilot, "d")
        assert f"✗ The backup {made.id} cannot be used" in text_of(pilot)
        await press(pilot, "v")
        assert f"✗ {made.id} cannot be used" in text_of(pilot)


# -- compare -----------------------------------------------------------------------------------------------------------


async def test_what_changed_since(desk: Desk) -> None:
    """Nothing at first; then the schema's changes, and the tables with more or fewer rows, with both numbers."""
    made = make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "d")
        assert f"✓ Nothing changed since {made.id}." in text_of(pilot)
        assert "neither the schema nor the number of rows changed" in text_of(pilot)
        desk.sql("ALTER TABLE people ADD COLUMN age INTEGER; INSERT INTO people VALUES (3, 'Cy', 7);")
        await press(pilot, "d")
        assert f"Since {made.id}: 1 change, other row counts in 1 table." in text_of(pilot)
        assert "+ add column people.age: INTEGER" in text_of(pilot)
        assert "~ people: 3 rows now, 2 then (+1)" in text_of(pilot)


# -- export ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["copy.db", ""], ids=["file", "directory"])
async def test_a_backup_is_exported(desk: Desk, where: str) -> None:
    """To a new file, or into a directory under the backup's own name; the copy is the backup, byte for byte."""
    made = make_backup(desk.target)
    place = desk.directory / "out"
    place.mkdir()
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "e")
        await typed(pilot, str(place / where), "enter")
        assert f"✓ Exported {made.id} to" in text_of(pilot)
    (copy,) = place.iterdir()
    assert copy.name == (where or made.path.name)
    assert copy.read_bytes() == made.path.read_bytes()


async def test_no_place_for_a_copy(desk: Desk) -> None:
    """No path, a file that exists, a directory that does not: said while typing and at Enter, and nothing is begun."""
    make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "e", "enter")
        assert "A path is missing." in text_of(pilot)
        for text, words in (
            (str(desk.database), "is there already, and nothing is overwritten."),
            (str(desk.directory / "nowhere" / "copy.db"), "There is no directory"),
            ("~nobody-of-this-name/copy.db", "That is no place for a file"),
            ("x" * 5000, "That is no place for a file"),
        ):
            await typed(pilot, text, "enter")
            assert words in text_of(pilot)
            assert isinstance(pilot.app.screen, AskScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, BackupsScreen)
        assert pilot.app.session.task is None  # type: ignore[attr-defined]


# -- delete ------------------------------------------------------------------------------------------------------------


async def test_a_backup_is_deleted_when_somebody_says_yes(desk: Desk) -> None:
    """``esc`` and Enter leave it; ``y`` removes the file and its description, and the list shows the others."""
    older, newer = make_backup(desk.target), make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "j", "x", "escape")
        await press(pilot, "x", "enter")
        assert len(desk.backups) == 2
        await press(pilot, "x", "y")
        assert f"✓ Deleted {older.id}." in text_of(pilot)
        assert [backup.id for backup in desk.backups] == [newer.id]
        assert "1 backup · 1 good" in text_of(pilot)


async def test_a_backup_that_is_needed_wants_its_name(desk: Desk) -> None:
    """The core's reason is shown, and only the exact id deletes it all the same; who goes back has it still."""
    made = make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "x", "y")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert "It was not deleted: it is the only good one." in text_of(pilot)
        await typed(pilot, made.id[:-1], "tab", "y")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, BackupsScreen)
        assert "✗ It was not deleted: it is the only good one." in text_of(pilot)
        assert len(desk.backups) == 1
        await press(pilot, "x", "y")
        await typed(pilot, made.id, "tab", "y")
        assert f"✓ Deleted {made.id}." in text_of(pilot)
        assert "No backups yet." in text_of(pilot)
    assert desk.backups == ()


async def test_somebody_else_deleted_it_first(desk: Desk) -> None:
    """Its absence is a sentence, and the list is as the directory is."""
    make_backup(desk.target)
    gone = make_backup(desk.target)
    async with desk.app().run_test(size=WIDE) as pilot:
        await press(pilot, "2", "x")
        for file in gone.path.parent.glob(f"{gone.id}*"):
            file.unlink()
        await press(pilot, "y")
        assert f"✗ There is no backup {gone.id}" in text_of(pilot)
        assert "1 backup · 1 good" in text_of(pilot)


# -- one thing at a time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["b", "v", "f", "t", "d", "e", "x", "r"])
async def test_one_thing_at_a_time(key: str) -> None:
    """While something goes on nothing else is begun, and the place that shows it is named."""
    core = FakeCore(plan=READY, backups=BACKUPS, held=True)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "v", key)
        assert said(pilot) == "trueup is checking a backup; 2 shows it."
        assert core.tasks == 1


async def test_a_run_comes_first() -> None:
    """During a run no backup is made by hand."""
    core = FakeCore(plan=READY, backups=BACKUPS)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await start(pilot)
        await press(pilot, "2", "b")
        assert "A run is on" in said(pilot)
        assert core.tasks == 0


@pytest.mark.parametrize("key", ["v", "f", "t", "d", "e", "x", "r", "c"])
async def test_without_a_backup_the_keys_say_so(key: str) -> None:
    """There is nothing to check, compare, export, delete, restore or stop."""
    async with TrueupApp(session_of(FakeCore(plan=READY))).run_test(size=WIDE) as pilot:
        await press(pilot, "2", key)
        assert "There is no backup to" in said(pilot) or "Nothing goes on here" in said(pilot)


async def test_leaving_stops_what_goes_on() -> None:
    """``q`` asks; who says yes is out when it has ended, and not before."""
    core = FakeCore(plan=READY, backups=BACKUPS, held=True)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "2", "t", "q")
        assert "trueup is checking a backup" in text_of(pilot)
        await press(pilot, "escape", "ctrl+c")
        assert "Stop it?" in text_of(pilot)
        await press(pilot, "escape")
        assert core.job is not None
        assert not core.job.cancelled
        await press(pilot, "q", "y")
        assert core.job.cancelled
        assert app.return_value is None
        core.job.finish()
        await settled(pilot)
    assert app.return_value == 1


async def test_what_cannot_be_stopped_is_waited_for() -> None:
    """A deletion takes a moment; ``c`` says so, and leaving waits for its end."""
    core = FakeCore(plan=READY, backups=BACKUPS, held=True)
    app = TrueupApp(session_of(core))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "2", "j", "x", "y", "c")
        assert "It cannot be stopped" in said(pilot)
        await press(pilot, "q")
        assert "ends in a moment" in text_of(pilot)
        await press(pilot, "y")
        assert core.job is not None
        core.job.finish()
        await settled(pilot)
    assert app.return_value == 1
    assert core.deleted == [BACKUPS[1]]


async def test_what_goes_on_is_seen_from_elsewhere() -> None:
    """The line on top names it in every place, and coming back shows how far it is."""
    core = FakeCore(plan=READY, backups=BACKUPS, held=True)
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "t", "1")
        assert "▶ checking a backup" in text_of(pilot)
        assert core.job is not None
        core.job.finish()
        await settled(pilot)
        assert "▶" not in text_of(pilot)
        await press(pilot, "2")
        assert f"✓ {BACKUPS[0].id} is good." in text_of(pilot)


async def test_an_error_shows_no_password() -> None:
    """Whatever a thread says, the URL in it has no password."""
    core = FakeCore(plan=READY, backups=BACKUPS, made=RuntimeError(f"cannot open {URL}"))
    async with TrueupApp(session_of(core)).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "b")
        assert "cannot open" in text_of(pilot)
        assert SECRET not in text_of(pilot)
