"""Text from a database or from somebody's models, made safe to put before people."""

from __future__ import annotations

_DIRECTIONAL = {*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x061C, 0xFEFF}
"""Invisible characters that change the order in which a terminal shows the others."""


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
    return code < 0x20 or 0x7F <= code < 0xA0 or code in _DIRECTIONAL or 0xD800 <= code <= 0xDFFF


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
