"""Changes to the file of decisions, which people write as well: all else that stands in it stays, to the letter."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trueup.decisions import Decision
from trueup.decisions_file import HEADER, as_toml, entry_of, parse_entry, read_entries

_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def write_decision(path: Path, decision: Decision) -> None:
    """Put the decision into the file: in the place of an earlier one that answers the same, or after all others.

    Comments, order and formatting of the file are kept, and so is its mode; a file that does not exist is made. Whoever
    reads meanwhile sees the old file or the new one.

    Args:
        path: the file.
        decision: what it is to say from now on.

    Raises:
        DecisionsError: what is in the file now is not understood.
        OSError: it cannot be written; it is then as it was.
    """
    text = _with_tables(_read(path))
    earlier = _answering(text, decision.question, path)
    for start, end in reversed(earlier[1:]):
        text = _without(text, start, end)
    for start, end in earlier[:1]:
        text = text[:start] + _lines_like(text, _rewritten(text[start:end], entry_of(decision))) + text[end:]
    _replace(path.resolve(), text if earlier else _with(text, as_toml(decision)))


def remove_decision(path: Path, decision: Decision) -> None:
    """Take the decision out of the file, and whatever else answers the same; a file without it stays as it is.

    Args:
        path: the file.
        decision: as it was read, or any other one that answers the same.

    Raises:
        DecisionsError: what is in the file is not understood.
        OSError: it cannot be written; it is then as it was.
    """
    text = _with_tables(_read(path))
    spans = _answering(text, decision.question, path)
    for start, end in reversed(spans):
        text = _without(text, start, end)
    if spans:
        _replace(path.resolve(), text)


# -- where entries stand -----------------------------------------------------------------------------------------------


def _answering(text: str, question: str, path: Path) -> list[tuple[int, int]]:
    """Where the entries stand that answer the question."""
    return [(start, end) for start, end in _spans(text) if _question(text[start:end], path) == question]


def _question(entry: str, path: Path) -> str:
    import tomllib  # only whoever edits pays for the import

    return parse_entry(tomllib.loads(entry)["decisions"][0], path).question


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """From each entry's header to the end of its last value; what follows that speaks of something else."""
    for start, end in _tables(text):
        if HEADER.match(text, start):
            yield start, _end_of_values(text, start, end)


def _tables(text: str) -> Iterator[tuple[int, int]]:
    """The parts of the file from one header to the next; a line in a text or a list may look like a header."""
    start = 0
    for end in (*(found.start() for found in _TABLE.finditer(text)), len(text)):
        if start < end and _is_whole(text[start:end]):
            yield start, end
            start = end


def _is_whole(part: str) -> bool:
    import tomllib

    try:
        tomllib.loads(part)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _end_of_values(text: str, start: int, end: int) -> int:
    lines = text[start:end].split("\n")
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return min(end, start + len("\n".join(lines)) + 1)


# -- the text with a change --------------------------------------------------------------------------------------------


def _with(text: str, entry: str) -> str:
    """The text with one more entry, a blank line before and after it."""
    place = max((end for _, end in _spans(text)), default=len(text))
    before, after = text[:place], text[place:]
    if before and not before.endswith("\n"):
        before += _line_end(text)
    gap = _line_end(text) if before.strip() else ""
    rest = _line_end(text) if after.strip() and after.lstrip(" \t\r")[:1] != "\n" else ""
    return f"{before}{gap}{_lines_like(text, entry)}{_line_end(text)}{rest}{after}"


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    blank = re.match(r"[ \t]*\r?\n", after)
    if blank and (not before or re.search(r"\n[ \t]*\r?\n\Z", before)):
        after = after[blank.end() :]
    return before + after


def _rewritten(entry: str, given: dict[str, Any]) -> str:
    """The entry with other values; comments at what stays are kept."""
    import tomlkit

    document = tomlkit.parse(entry)
    table: Any = document["decisions"]
    for key in [key for key in table[0] if key not in given]:
        del table[0][key]
    for key, value in given.items():
        table[0][key] = value
    return tomlkit.dumps(document)


def _with_tables(text: str) -> str:
    """Entries that stand in one list become tables, which others can be put beside."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.parse(text)
    listed = document.get("decisions")
    if listed is None or isinstance(listed, AoT):
        return text
    entries = tomlkit.aot()
    for earlier in listed.unwrap():
        entries.append(tomlkit.item(earlier))
    document["decisions"] = entries
    return tomlkit.dumps(document)


def _lines_like(text: str, lines: str) -> str:
    return lines.replace("\r\n", "\n").replace("\n", _line_end(text))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


# -- the file ----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    return read_entries(path)[0] if path.exists() else ""


def _replace(path: Path, text: str) -> None:
    """A crash leaves the old file or the new one."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            new.chmod(path.stat().st_mode)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
