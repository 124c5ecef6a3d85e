"""The file that keeps what people decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from trueup import (
    Backfill,
    Cast,
    Decision,
    Delete,
    Drop,
    Ignore,
    Keep,
    Rename,
    Skip,
    as_toml,
    read_decisions,
    remove_decision,
    write_decision,
)
from trueup.errors import DecisionsError

ALL: tuple[Decision, ...] = (
    Rename(table="customers", column="fullname", to="full_name"),
    Rename(table="old", to="new"),
    Backfill(table="orders", column="currency", value="EUR"),
    Backfill(table="orders", column="weight", value=2.5),
    Backfill(table="orders", column="placed", sql="CURRENT_TIMESTAMP"),
    Drop(table="coupons"),
    Keep(table="orders", column="legacy"),
    Cast(table="orders", column="total", sql="total / 100.0"),
    Delete(table="orders", where="customer_id NOT IN (SELECT id FROM customers)"),
    Delete(table="orders", where='note = "two\nlines" -- and \\ more'),
    Skip(change="add index orders.ix_total"),
    Ignore(rule="altered-values", on="orders.ref", reason="only the zeros in front go"),
    Drop(table="a.b", column="c.d"),
    Keep(table='with "quotes"'),
    Backfill(table="orders", column="paid", value=True),
    Backfill(table="orders", column="limit", value=float("-inf")),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every kind of decision comes back from the file as it was."""
    path = tmp_path / "trueup.toml"
    for decision in ALL:
        write_decision(path, decision)
    assert read_decisions(path) == ALL


def test_what_is_to_be_pasted_is_read(tmp_path: Path) -> None:
    """The text of an entry, as it is printed to be pasted, is the same decision."""
    path = tmp_path / "trueup.toml"
    path.write_text("\n\n".join(map(as_toml, ALL)), encoding="utf-8")
    assert read_decisions(path) == ALL


def test_the_file_keeps_its_mode_and_its_line_ends(tmp_path: Path) -> None:
    """A file that others may not read stays so, one with other line ends keeps them, and a link stays a link."""
    real, path = tmp_path / "real.toml", tmp_path / "trueup.toml"
    real.write_bytes(b'models = "app:Base"\r\n')
    real.chmod(0o640)
    path.symlink_to(real)
    write_decision(path, Drop(table="c"))
    assert (path.is_symlink(), real.stat().st_mode & 0o777) == (True, 0o640)
    assert real.read_bytes().startswith(b'models = "app:Base"\r\n')
    assert read_decisions(path) == (Drop(table="c"),)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["real.toml", "trueup.toml"]


def test_decisions_in_one_line_stay(tmp_path: Path) -> None:
    """Entries that a person wrote as a list are kept when another one is added."""
    path = tmp_path / "trueup.toml"
    path.write_text('decisions = [{drop = "a"}, {keep = "b"}]\n')
    write_decision(path, Drop(table="c"))
    assert read_decisions(path) == (Drop(table="a"), Keep(table="b"), Drop(table="c"))


def test_dates_are_text(tmp_path: Path) -> None:
    """A date or a time that TOML knows is the text that SQLite keeps."""
    path = tmp_path / "trueup.toml"
    path.write_text('[[decisions]]\nfill = "a.b"\nvalue = 2024-01-31 10:00:00\n')
    assert read_decisions(path) == (Backfill(table="a", column="b", value="2024-01-31 10:00:00"),)


def test_comments_and_order_stay(tmp_path: Path) -> None:
    """Writing a decision leaves the rest of the file as a person wrote it."""
    path = tmp_path / "trueup.toml"
    text = '# ours\nmodels   = "app:Base"  # the models\n\n[[decisions]]\n# because of the law\nkeep = "a.b"\n'
    path.write_text(text)
    write_decision(path, Drop(table="c"))
    assert path.read_text() == f'{text}\n[[decisions]]\ndrop = "c"\n'


def test_a_new_answer_replaces_the_old_one(tmp_path: Path) -> None:
    """Deciding again about the same object leaves one decision about it, in the place of the old one."""
    path = tmp_path / "trueup.toml"
    for decision in (Drop(table="a", column="b"), Drop(table="c"), Rename(table="a", column="b", to="d")):
        write_decision(path, decision)
    assert read_decisions(path) == (Rename(table="a", column="b", to="d"), Drop(table="c"))


WRITTEN = """\
# ours

# about a
[[decisions]]
drop = "a"   # no longer needed

# about b; the next lines look like an entry
[[decisions]]
# the law wants it
ignore = "altered-values"
on = "b.c"
reason = '''
[[decisions]]
drop = "a"
'''   # see above

# about d
[[decisions]]
drop = "d"
# the end of the decisions
[tool]
lists = [
  ["x"],
]
"""
B = Ignore(rule="altered-values", on="b.c", reason='[[decisions]]\ndrop = "a"\n')


@pytest.mark.parametrize(
    ("decision", "old", "new"),
    [
        (Keep(table="a"), 'drop = "a"   # no longer needed\n', 'keep = "a"\n'),
        (replace(B, reason="ours"), "'''\n[[decisions]]\ndrop = \"a\"\n'''", '"ours"'),
        (Rename(table="d", to="e"), 'drop = "d"\n', 'rename = "d"\nto = "e"\n'),
        (Drop(table="f"), "# the end of", '\n[[decisions]]\ndrop = "f"\n\n# the end of'),
    ],
    ids=lambda value: getattr(value, "object", ""),
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_an_answer_is_changed_where_it_stands(
    tmp_path: Path, decision: Decision, old: str, new: str, line_end: str
) -> None:
    """Comments stay beside what they speak of, and nothing else of the file changes."""
    path = tmp_path / "trueup.toml"
    path.write_text(WRITTEN, newline=line_end)
    write_decision(path, decision)
    assert path.read_bytes().decode() == WRITTEN.replace(old, new, 1).replace("\n", line_end)


@pytest.mark.parametrize(
    ("decision", "gone"),
    [
        (Keep(table="A"), '[[decisions]]\ndrop = "a"   # no longer needed\n'),
        (B, WRITTEN[WRITTEN.index("[[decisions]]\n# the law") : WRITTEN.index("\n# about d")]),
        (Drop(table="d"), '[[decisions]]\ndrop = "d"\n'),
        (Drop(table="nowhere"), "[[nothing]]"),
    ],
    ids=lambda value: getattr(value, "object", ""),
)
def test_a_decision_is_taken_out(tmp_path: Path, decision: Decision, gone: str) -> None:
    """What answers the question goes; the comments of the others, and those above it, stay."""
    path = tmp_path / "trueup.toml"
    path.write_text(WRITTEN)
    before = read_decisions(path)
    remove_decision(path, decision)
    assert path.read_text() == WRITTEN.replace(gone, "")
    assert read_decisions(path) == tuple(item for item in before if item.question != decision.question)


def test_what_was_written_alone_can_be_taken_out(tmp_path: Path) -> None:
    """Writing and removing leaves an empty file, and a file that is not there stays so."""
    path = tmp_path / "trueup.toml"
    remove_decision(path, Drop(table="a"))
    assert not path.exists()
    for decision in ALL:
        write_decision(path, decision)
    for decision in ALL:
        remove_decision(path, decision)
    assert path.read_text().strip() == ""


@pytest.mark.parametrize("content", [b"models = ", b"models = '\xff'", b"decisions = 3", b"decisions = [3]", None])
@pytest.mark.parametrize("work", [read_decisions, write_decision, remove_decision])
def test_a_file_that_is_not_understood_stays(
    tmp_path: Path, work: Callable[..., object], content: bytes | None
) -> None:
    """What is no file of decisions, or no file at all, is refused with its name, by whoever writes as by who reads."""
    path = tmp_path / "trueup.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(DecisionsError, match=r"trueup\.toml"):
        work(path) if work is read_decisions else work(path, ALL[0])
    assert path.is_dir() if content is None else path.read_bytes() == content


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
        ('drop = "a.b"\n\n[[decisions]]\nkeep = "A.B"', "(lines 1 and 4)"),
        ('drop = "a', "not valid TOML"),
        ('rename = "a.b"\nto = "d"\n[[decisions]]\nrename = "a.c"\nto = "D"', "cannot both be renamed to a.d"),
        ('drop = "a"\n[[decisions]]\nfill = "a.b"\nvalue = 1', "drop a leaves nothing for fill a.b to do"),
        ('delete = "a"\nwhere = "b"\n[[decisions]]\ndrop = "a"', "drop a leaves nothing for delete a to do"),
        ('cast = "a.b"\nsql = "b"\n[[decisions]]\nkeep = "a.b"', "two answers, cast and keep"),
        ('cast = "a"\nsql = "b"', "cast is about a column"),
        ('cast = "a.b"', 'needs cast = "..." and sql = "..."'),
        ('cast = "a.b"\nsql = 3', "is not understood"),
        ('delete = "a.b"\nwhere = "c"', "delete is about a table"),
        ('delete = "a"', 'needs delete = "..." and where = "..."'),
        ('ignore = "too-long"\non = "a.b"', 'needs ignore = "..." and on = "..." and reason = "..."'),
        ('ignore = "too-long"\non = "a.b"\nreason = ""', "is not understood"),
        ('fill = "a.b"\nvalue = [1]', "is not understood"),
        ('drop = ".b"', "names no table"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: str, sentence: str) -> None:
    """An entry that is not understood, or contradicts another one, is an error with the file's name."""
    path = tmp_path / "trueup.toml"
    path.write_text(f"[[decisions]]\n{entry}\n")
    with pytest.raises(DecisionsError, match=r"trueup\.toml") as caught:
        read_decisions(path)
    assert sentence in str(caught.value)
