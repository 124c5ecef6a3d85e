"""The bundled example, for real: from its models and its database to a verified run, by keys alone."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.scenarios import NARROW, WIDE, armed, press, settled
from tests.tui.test_safety import text_of
from trueup import Policy, Rename, Status, Target, apply, load_settings, past_runs, plan, read_decisions
from trueup_tui.app import TrueupApp
from trueup_tui.session import Session
from trueup_tui.widgets.panes import TextPane

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "shop"


def make_shop(directory: Path) -> Path:
    """A copy of the example with a fresh database."""
    shop = directory / "shop"
    shutil.copytree(EXAMPLE, shop, ignore=shutil.ignore_patterns("*.db", ".trueup", "__pycache__", "*.trueup-lock"))
    subprocess.run([sys.executable, "make_database.py"], cwd=shop, check=True, capture_output=True)
    return shop


async def ended(pilot: Pilot[int]) -> None:
    """Until the run has ended and both sides have been read again."""
    for _ in range(600):
        await pilot.pause(0.05)
        progress = pilot.app.session.progress  # type: ignore[attr-defined]
        if progress is not None and progress.over:
            break
    await settled(pilot)


async def restored(pilot: Pilot[int]) -> None:
    """Until the restore has ended and both sides have been read again."""
    for _ in range(600):
        await pilot.pause(0.05)
        if not pilot.app.session.restoring:  # type: ignore[attr-defined]
            break
    await settled(pilot)


def database_has(shop: Path, column: str) -> bool:
    with closing(sqlite3.connect(shop / "shop.db")) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(customers)")]
    return column in names


async def test_shop_is_brought_in_step(tmp_path: Path) -> None:
    """The rename is answered, the plan applied and verified; what left the models stays; the answer is in the file."""
    shop = make_shop(tmp_path)
    settings = load_settings({}, environment={}, config=shop / "trueup.toml")
    app = TrueupApp(Session(settings=settings))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "p")
        assert "1 to decide" in text_of(pilot)
        await press(pilot, "n", "r", "y", "p", "A")
        await armed(pilot)
        await press(pilot, "y")
        await ended(pilot)
        assert "Checked: 0 differences left." in text_of(pilot)
        await press(pilot, "2")
        assert "✓ read back and checked" in text_of(pilot)
        await press(pilot, "2", "r")
        await armed(pilot)
        await press(pilot, *"restore", "tab", "y")
        await restored(pilot)
        assert "✓ restored as of" in text_of(pilot)
        assert database_has(shop, "fullname")
        await press(pilot, "1", "d", "p", "A")
        await armed(pilot)
        await press(pilot, "y")
        await ended(pilot)
        await press(pilot, "d")
        await press(pilot, "q")
    assert app.return_value == 0
    assert database_has(shop, "full_name")
    with closing(sqlite3.connect(shop / "shop.db")) as database:
        assert database.execute("SELECT count(*) FROM customers WHERE full_name <> ''").fetchone() == (420,)
        assert database.execute("SELECT count(gift_note) FROM orders").fetchone() == (183,)
    decisions = tomllib.loads((shop / "trueup.toml").read_text())["decisions"]
    assert decisions == [{"rename": "customers.fullname", "to": "full_name"}]


MODELS = """\
from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint
metadata = MetaData()
Table("people", metadata, Column("id", Integer, primary_key=True))
Table(
    "orders", metadata, Column("id", Integer, primary_key=True), Column("ref", String), Column("status", String),
    Column("owner", Integer, ForeignKey("people.id")), Column("currency", String, nullable=False),
    Column("total", Integer), UniqueConstraint("ref"), CheckConstraint("status IN ('open', 'paid')", name="known"),
)
"""
BEFORE = """
CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE orders (
    id INTEGER NOT NULL PRIMARY KEY, ref VARCHAR, status VARCHAR, owner INTEGER, currency VARCHAR, total VARCHAR
);
INSERT INTO people VALUES (1);
INSERT INTO orders VALUES (1, 'a', 'open', 1, NULL, '007'), (2, 'a', 'paid', 9, 'EUR', '12');
INSERT INTO orders VALUES (3, 'b', 'paied', 8, 'USD', '3');
"""
OURS = """\
models = "models_in_danger:metadata"
url = "sqlite:///shop.db"
# ours

# kept for the law
[[decisions]]
keep = "people"
"""


async def test_every_danger_is_decided_by_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NULLs, altered values, orphans, duplicates, CHECK violators: each is decided, written, applied and verified."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models_in_danger.py").write_text(MODELS)
    file = tmp_path / "trueup.toml"
    file.write_text(OURS)
    with closing(sqlite3.connect("shop.db")) as database:
        database.executescript(BEFORE)
    app = TrueupApp(Session(settings=load_settings({}, environment={}, config=file)))
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "d", "enter", *"CHF", "enter")
        await press(pilot, "j", "d", "k", "enter", *"just numbers", "enter")
        await press(pilot, "n", "d", "enter")
        await press(pilot, "n", "d", "enter")
        await press(pilot, "n", "d", "j", "j", "enter")
        await press(pilot, *["left"] * 4, *["backspace"] * 4)
        await press(pilot, *"'paid'", "enter")
        assert "5 will run" in text_of(pilot), text_of(pilot)
        assert file.read_text() == OURS
        await press(pilot, "w")
        assert file.read_text().startswith(OURS)
        assert len(read_decisions(file)) == 6
        await press(pilot, "p", "A")
        await armed(pilot)
        await press(pilot, *"orders", "tab", "y")
        await ended(pilot)
        assert "Checked: 0 differences left." in text_of(pilot)
    with closing(sqlite3.connect("shop.db")) as database:
        rows = database.execute("SELECT id, ref, status, owner, currency, total FROM orders ORDER BY id").fetchall()
    assert rows == [(1, "a", "open", 1, "CHF", 7), (3, "b", "paid", None, "USD", 3)]


async def test_a_run_is_taken_back(tmp_path: Path) -> None:
    """The history tells of a run that dropped values; its undo brings them back and keeps what was written since."""
    shop = make_shop(tmp_path)
    settings = load_settings({}, environment={}, config=shop / "trueup.toml")
    target = Target.from_settings(settings)
    renamed = Rename(table="customers", column="fullname", to="full_name")
    run = apply(plan(target, policy=Policy.FULL, decisions=(renamed,)), target)
    assert run.status is Status.MIGRATED
    with closing(sqlite3.connect(shop / "shop.db")) as database, database:
        database.execute("UPDATE customers SET full_name = 'Ada' WHERE id = 1")
    app = TrueupApp(Session(settings=settings))
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "3")
        assert f"run {run.id}" in text_of(pilot)
        assert "Checked: 0 differences left." in text_of(pilot)
        await press(pilot, "u")
        told = pilot.app.screen.query_one("#back", TextPane).shown.plain
        assert "Deletes the values of 420 rows in customers.locale." in told
        assert "+ add column orders.gift_note: TEXT" in told
        await press(pilot, "A")
        await armed(pilot)
        await press(pilot, *"undo", "tab", "y")
        await ended(pilot)
        assert f"Took back run {run.id}." in text_of(pilot)
        await press(pilot, "escape")
        assert f"undone by {past_runs(target)[-1].id[:6]}" in text_of(pilot)
        await press(pilot, "j", "u")
        assert "was taken back already" in text_of(pilot)
    undone, by = past_runs(target)
    assert (undone.undone_by, by.kind, by.status) == (by.id, "undo", "completed")
    with closing(sqlite3.connect(shop / "shop.db")) as database:
        assert database.execute("SELECT count(gift_note) FROM orders").fetchone() == (183,)
        assert database.execute("SELECT fullname FROM customers WHERE id = 1").fetchone() == ("Ada",)
