"""Names, texts and long conditions in SQL: https://www.sqlite.org/lang_keywords.html"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 100
"""Conditions in a row. SQLite takes each for one level more and refuses 1000 levels; a table may have 2000 columns:
https://www.sqlite.org/limits.html#max_expr_depth"""


def unquote(text: str) -> str:
    """The name inside any of the four kinds of quotes that SQLite knows."""
    if len(text) >= 2 and text[0] in "\"`'" and text[-1] == text[0]:
        return text[1:-1].replace(text[0] * 2, text[0])
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1]
    return text


def quote(name: str) -> str:
    """As an identifier, whatever it is."""
    return '"' + name.replace('"', '""') + '"'


def string(value: str) -> str:
    """As a literal."""
    return "'" + value.replace("'", "''") + "'"


def any_of(conditions: Iterable[str]) -> str:
    """True where one of them is."""
    return _chain(conditions, " OR ")


def all_of(conditions: Iterable[str]) -> str:
    """True where each of them is."""
    return _chain(conditions, " AND ")


def _chain(conditions: Iterable[str], word: str) -> str:
    links = list(conditions)
    while len(links) > _LONGEST:
        groups = (links[start : start + _LONGEST] for start in range(0, len(links), _LONGEST))
        links = [f"({word.join(group)})" for group in groups]
    return word.join(links)
