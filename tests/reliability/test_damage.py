"""Files that are damaged anywhere: refused with a sentence, or harmless; never a crash, never a worse file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, Table, Text, UniqueConstraint

from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.pages import KINDS, PAGE, pages_by_kind
from trueup import Policy, Run, Status, find_backup, migrate, past_runs, restore

T = TypeVar("T")
TRIALS = times(5, nightly=300)
"""Of each kind of page and damage."""


def one_bit(page: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(page)
    damaged[chance.randrange(len(page))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def noise(page: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(len(page))


def nothing(page: bytes, _chance: random.Random) -> bytes:
    return bytes(len(page))


def another_page(page: bytes, chance: random.Random) -> bytes:
    """As a disk that wrote a sector to the wrong place: the beginning of a page of rows, and the rest as it was."""
    return bytes([13, 0, 0, 0, 3, 1]) + page[6:]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank in small pages, so that there are some of every kind, with a backup that an earlier run made.

    Its directory was moved, so the backups are those of every copy of it.
    """
    lab = Lab(tmp_path_factory.mktemp("bank") / "app.db")
    bank.found_bank(lab, transfers=300)
    lab.sql(f"PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    assert lab.migrate(earlier(), policy=Policy.ADDITIVE).success
    lab.sql("CREATE TABLE big (x); INSERT INTO big VALUES (zeroblob(40000)); DROP TABLE big")
    return lab.path.parent.rename(lab.path.parent.with_name("moved"))


def earlier() -> MetaData:
    """What the run before this one was for."""
    metadata = MetaData()
    for table in bank.OLD.tables.values():
        table.to_metadata(metadata)
    metadata.tables["transfers"].append_column(Column("fee", Integer))
    return metadata


def kept(lab: Lab) -> list[list[tuple[object, ...]]]:
    """Every value that stays, read from the tables alone, whatever the indexes say."""
    queries = ("id, owner, balance FROM accounts", "id, giver, taker, amount FROM transfers", "* FROM audit")
    return [sorted(lab.rows(f"SELECT {query} NOT INDEXED"), key=repr) for query in queries]


def complaints(lab: Lab) -> set[str]:
    return {line for (line,) in lab.rows("PRAGMA integrity_check(1000)")} - {"ok"}


def asked(question: Callable[[], T]) -> T | None:
    """The answer, or nothing where SQLite cannot read the file."""
    try:
        return question()
    except sqlite3.Error:
        return None


@pytest.mark.parametrize("damage", [one_bit, noise, nothing, another_page])
@pytest.mark.parametrize("kind", KINDS)
def test_damage(sound: Path, tmp_path: Path, kind: str, damage: Callable[[bytes, random.Random], bytes]) -> None:
    """What cannot be read is refused and not touched, and a backup brings it back; what is done is not worse after."""
    lab, chance = Lab(tmp_path / "copy" / "app.db"), random.Random(f"{kind} {damage.__name__}")
    whole = (sound / "app.db").read_bytes()
    pages = pages_by_kind(whole)[kind]
    for trial in range(TRIALS):
        shutil.rmtree(lab.path.parent, ignore_errors=True)
        shutil.copytree(sound, lab.path.parent)
        begin = (chance.choice(pages) - 1) * PAGE
        page = damage(whole[begin : begin + PAGE], chance)
        content = whole[:begin] + page + whole[begin + PAGE :]
        lab.path.write_bytes(content)
        rows, wrong = asked(lambda: kept(lab)), asked(lambda: complaints(lab))
        lab.path.write_bytes(content)
        run = migrate(bank.target(lab, backup=bool(trial % 2)))
        if run.success:
            assert rows is not None
            assert kept(lab) == rows
            after = asked(lambda: complaints(lab))  # of indexes, into which quick_check does not look
            assert wrong is None or (after is not None and len(after) <= len(wrong))
        else:
            check_refusal(lab, run, content)
            bring_back(lab)


def check_refusal(lab: Lab, run: Run, content: bytes) -> None:
    """Nothing was written, and the sentence says why."""
    assert lab.path.read_bytes() == content
    if run.status is not Status.NEEDS_DECISION:  # a name in the schema that is another one now
        assert run.status in (Status.DAMAGED, Status.UNREADABLE), run.error
        assert "that trueup does not know" not in str(run.error)
        assert find_backup(bank.target(lab), "latest").id in str(run.error)


def bring_back(lab: Lab) -> None:
    """The backup that the sentence names takes the place of the damaged file."""
    run = restore(find_backup(bank.target(lab), "latest"), bank.target(lab))
    assert run.error is None
    assert lab.healthy()
    assert not bank.missing_money(lab.path)


def people(*items: object) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", Text, index=True), *items)  # type: ignore[arg-type]
    return metadata


def redefine(lab: Lab, index: str, ending: str) -> None:
    """Behind SQLite's back."""
    lab.sql(f"""
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = 'CREATE INDEX {index} ON people (name)' || '{ending}' WHERE name = '{index}'
    """)


def test_an_index_that_lacks_rows(lab: Lab) -> None:
    """quick_check does not see it, and SQLite would copy from it; a rebuild copies the table, and makes it anew."""
    lab.create(people(Column("note", Text)))
    redefine(lab, "ix_people_name", " WHERE 0")
    lab.sql("INSERT INTO people (name, note) VALUES ('a', 'x'), ('b', 'y'), ('c', 'z')")
    redefine(lab, "ix_people_name", "")
    assert not lab.healthy()
    strict = people(CheckConstraint("id > 0"), UniqueConstraint("name", "id"))
    assert lab.migrate(strict, policy=Policy.FULL).error is None
    assert lab.rows("SELECT * FROM people NOT INDEXED") == [(1, "a"), (2, "b"), (3, "c")]
    assert lab.healthy()


def test_a_history_that_cannot_be_read(sound: Path, tmp_path: Path) -> None:
    """Damage there does not keep a backup from being restored; the history of the backup goes on."""
    lab = Lab(shutil.copytree(sound, tmp_path / "copy") / "app.db")
    root = lab.value("SELECT rootpage FROM sqlite_schema WHERE name = 'migration_history'")
    content = bytearray(lab.path.read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = b"\x55" * PAGE
    lab.path.write_bytes(content)
    run = restore(find_backup(bank.target(lab), "latest"), bank.target(lab))
    assert run.error is None
    assert "the history of the damaged database cannot be read" in " ".join(run.warnings)
    assert [past.kind for past in past_runs(bank.target(lab))] == ["restore"]
    assert lab.healthy()


def test_a_history_that_is_half_there(sound: Path, tmp_path: Path) -> None:
    """Of its records those are carried over that are whole."""
    lab = Lab(shutil.copytree(sound, tmp_path / "copy") / "app.db")
    lab.sql("""
        PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'migration_history'
    """)
    lab.sql("UPDATE migration_history SET kind = NULL WHERE step = 1")
    run = restore(find_backup(bank.target(lab), "latest"), bank.target(lab))
    assert run.error is None
    assert lab.rows("SELECT kind, step FROM migration_history") == [("auto", 0), ("restore", 0)]
