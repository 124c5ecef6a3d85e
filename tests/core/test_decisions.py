"""The file that keeps what people decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup import Backfill, Decision, Drop, Keep, Rename, read_decisions, write_decision
from trueup.errors import DecisionsError

ALL: tuple[Decision, ...] = (
    Rename(table="customers", column="fullname", to="full_name"),
    Rename(table="old", to="new"),
    Backfill(table="orders", column="currency", value="EUR"),
    Backfill(table="orders", column="weight", value=2.5),
    Backfill(table="orders", column="placed", sql="CURRENT_TIMESTAMP"),
    Drop(table="coupons"),
    Keep(table="orders", column="legacy"),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every kind of decision comes back from the file as it was."""
    path = tmp_path / "trueup.toml"
    for decision in ALL:
        write_decision(path, decision)
    assert read_decisions(path) == ALL


def test_comments_and_order_stay(tmp_path: Path) -> None:
    """Writing a decision leaves the rest of the file as a person wrote it."""
    path = tmp_path / "trueup.toml"
    text = '# ours\nmodels   = "app:Base"  # the models\n\n[[decisions]]\n# because of the law\nkeep = "a.b"\n'
    path.write_text(text)
    write_decision(path, Drop(table="c"))
    assert path.read_text().startswith(text)
    assert read_decisions(path) == (Keep(table="a", column="b"), Drop(table="c"))


def test_a_new_answer_replaces_the_old_one(tmp_path: Path) -> None:
    """Deciding again about the same object leaves one decision about it."""
    path = tmp_path / "trueup.toml"
    for decision in (Drop(table="a", column="b"), Drop(table="c"), Rename(table="a", column="b", to="d")):
        write_decision(path, decision)
    assert read_decisions(path) == (Drop(table="c"), Rename(table="a", column="b", to="d"))


def test_no_file_is_no_decision(tmp_path: Path) -> None:
    """A file that is not there holds nothing."""
    assert read_decisions(tmp_path / "trueup.toml") == ()
    assert read_decisions(None) == ()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('drop = "a"\nkeep = "b"', "exactly one of"),
        ('destroy = "a"', "exactly one of"),
        ("drop = 3", "is not understood"),
        ('drop = "a"\nto = "b"', "is not understood"),
        ('rename = "a.b"', "needs rename"),
        ('fill = "a.b"', "either value = ... or sql = ..."),
        ('fill = "a.b"\nvalue = 1\nsql = "2"', "either value = ... or sql = ..."),
        ('drop = "a.b"\n[[decisions]]\nkeep = "A.B"', "two answers, drop and keep"),
        ('drop = "a', "not valid TOML"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: str, sentence: str) -> None:
    """An entry that is not understood, or contradicts another one, is an error with the file's name."""
    path = tmp_path / "trueup.toml"
    path.write_text(f"[[decisions]]\n{entry}\n")
    with pytest.raises(DecisionsError, match=r"trueup\.toml") as caught:
        read_decisions(path)
    assert sentence in str(caught.value)
