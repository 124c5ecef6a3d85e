"""Text from a database or from somebody's models, made safe to put before people."""

from __future__ import annotations

import re

_UNSEEN = {*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x061C, 0xFEFF}
"""Characters that are not seen themselves, and change how a terminal shows the others, such as their order."""


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every character that a terminal would act on written out, such as ``\\x1b``.

    Args:
        text: from anywhere.
        lines: line ends and tabs stay what they are.
    """
    kept = "\n\t" if lines else ""
    return "".join(char if char in kept or not _acts(char) else _escape(char) for char in text)


def _acts(char: str) -> bool:
    code = ord(char)
    return code < 0x20 or 0x7F <= code < 0xA0 or code in _UNSEEN or 0xD800 <= code <= 0xDFFF


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def counted(value: int, noun: str = "row") -> str:
    """How many there are, in words: ``"1 row"``, ``"12 480 rows"``."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def number(value: int) -> str:
    """As people read it: ``"12 480"``."""
    return f"{value:,}".replace(",", " ")


_QUOTE = '"'
_FIRST_PART = re.compile(r'(?:"((?:[^"]|"")+)"|([^".]+))(?:\.(.+))?', re.DOTALL)


def object_name(table: str, column: str | None = None) -> str:
    """How a decision names a table, or something in it: ``orders.total``.

    A table with a dot or a quote in its name stands in SQL's quotes: ``"a.b".total``.
    """
    first = _quoted(table) if "." in table or _QUOTE in table else table
    if not column:
        return first
    return f"{first}.{_quoted(column) if column.startswith(_QUOTE) else column}"


def split_name(name: str) -> tuple[str, str | None]:
    """The table and what is named in it, or nothing for the table itself; the reverse of :func:`object_name`.

    Raises:
        ValueError: it is no such name.
    """
    found = _FIRST_PART.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} names no table")
    quoted, plain, rest = found.groups()
    return plain or _unquoted(quoted), _unquoted(rest[1:-1]) if rest and _is_quoted(rest) else rest


def _quoted(part: str) -> str:
    return f"{_QUOTE}{part.replace(_QUOTE, _QUOTE * 2)}{_QUOTE}"


def _unquoted(part: str) -> str:
    return part.replace(_QUOTE * 2, _QUOTE)


def _is_quoted(part: str) -> bool:
    return len(part) > 2 and part.startswith(_QUOTE) and part.endswith(_QUOTE)
