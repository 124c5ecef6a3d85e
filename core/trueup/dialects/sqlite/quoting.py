"""Names and texts in SQL: https://www.sqlite.org/lang_keywords.html"""

from __future__ import annotations


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
