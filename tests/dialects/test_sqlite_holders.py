"""Who holds a database is named where the system tells, from its list of locks alone."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.reliability.children import Child, Say
from trueup.dialects.sqlite import holders
from trueup.dialects.sqlite.holders import name_holders

BOTH_MODES = pytest.mark.parametrize("journal_mode", ["WAL", "DELETE"])
READING, WRITING = "BEGIN; SELECT count(*) FROM t", "BEGIN IMMEDIATE"


def keep_open(say: Say, path: Path, script: str) -> None:
    """Open the database, do that, and stay."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in ("SELECT * FROM t", *script.split(";")):
            connection.execute(statement).fetchall()
        say("there")
        time.sleep(3600)


@pytest.fixture
def locks(lab: Lab, journal_mode: str) -> Lab:
    if sys.platform != "linux":
        pytest.skip("only Linux tells")
    lab.sql(f"PRAGMA journal_mode = {journal_mode}")
    lab.sql("CREATE TABLE t (v)")
    return lab


def opened(lab: Lab, script: str) -> Child:
    child = Child(keep_open, lab.path, script)
    assert child.hear() == "there"
    return child


@BOTH_MODES
def test_the_writer_is_named(locks: Lab) -> None:
    """A process in a write transaction is named before those that only read, by its number and its program."""
    reader, writer = opened(locks, READING), opened(locks, WRITING)
    try:
        assert name_holders(locks.path) == f"{writer.pid} ({Path(f'/proc/{writer.pid}/comm').read_text().strip()})"
    finally:
        reader.kill()
        writer.kill()
    assert name_holders(locks.path) == ""


@BOTH_MODES
def test_readers_are_named_where_nobody_writes(locks: Lab) -> None:
    """Some of many are named, and the others counted."""
    children = [opened(locks, READING) for _ in range(5)]
    try:
        named = name_holders(locks.path)
    finally:
        for child in children:
            child.kill()
    first, second, third, rest = named.split(", ")
    assert [int(name.split()[0]) for name in (first, second, third)] == sorted(child.pid for child in children)[:3]
    assert rest == "2 more"


@BOTH_MODES
def test_who_only_has_it_open_is_not_named(locks: Lab) -> None:
    """A connection that does nothing is in nobody's way; nor is this process itself told as another one."""
    idle = opened(locks, "SELECT 1")
    with closing(sqlite3.connect(locks.path, isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        assert name_holders(locks.path) == ""
    idle.kill()


@BOTH_MODES
def test_through_a_link(locks: Lab) -> None:
    """The locks are those of the file that the link leads to."""
    link = locks.path.parent / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(locks.path)
    writer = opened(locks, WRITING)
    try:
        assert name_holders(link).startswith(f"{writer.pid} (")
    finally:
        writer.kill()


@pytest.mark.parametrize("journal_mode", ["DELETE"])
@pytest.mark.parametrize(
    "text",
    [
        None,
        b"",
        b"\xff\xfe",
        b"1: POSIX  ADVISORY  WRITE %(me)d %(file)s 0 EOF\n",
        b"1: -> POSIX  ADVISORY  WRITE 1 %(file)s 0 EOF\n",
        b"1: FLOCK  ADVISORY  WRITE 1 %(file)s 0 EOF\n2: OFDLCK ADVISORY  WRITE -1 %(file)s 0 EOF\n",
    ],
    ids=["no list", "empty", "no text", "ourselves", "one who waits", "other locks"],
)
def test_what_tells_nothing(locks: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes | None) -> None:
    """Where the list is missing or names nobody who is in the way, nobody is named."""
    listed = tmp_path / "locks"
    if text is not None:
        listed.write_bytes(text % {b"me": os.getpid(), b"file": holders._identity(locks.path).encode()})
    monkeypatch.setattr(holders, "_LOCKS", listed)
    assert name_holders(locks.path) == ""
