"""How much alike two names are, as a person would see it: by their words, not by their letters."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = re.compile(r"\d+|[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+")
_CONTAINED = 0.85
"""One name is the other and something more, such as ``name`` and ``full_name``."""
_PLURAL = 0.97
"""One word is the plural of the other, by its spelling."""
_ABBREVIATED = 0.9
"""One word is an abbreviation of the other, such as ``qty`` and ``quantity``."""
_OTHER_NUMBER = 0.4
"""The most that names with different numbers are alike: ``line_1`` is not what ``line_2`` was."""


def similarity(old: str, new: str) -> float:
    """Between 0 and 1."""
    before, after = (_words(name) for name in (old, new))
    if "".join(before) == "".join(after):
        return 1.0
    alike = _by_words(before, after)
    numbers = [[word for word in words if word.isdigit()] for words in (before, after)]
    return min(alike, _OTHER_NUMBER) if all(numbers) and numbers[0] != numbers[1] else alike


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)] or [name.lower()]


def _by_words(before: Sequence[str], after: Sequence[str]) -> float:
    """The words that are the same count whole, abbreviations nearly, the letters of all others as far as they agree."""
    rest_before, rest_after, common = list(before), list(after), 0.0
    for least in (1.0, _ABBREVIATED):
        for word in list(rest_before):
            partner = next((other for other in rest_after if _word(word, other) >= least), None)
            if partner is not None:
                common += _word(word, partner)
                rest_before.remove(word)
                rest_after.remove(partner)
    if common and not (rest_before and rest_after):
        return max(_CONTAINED * common / min(len(before), len(after)), common / max(len(before), len(after)))
    one, other = sorted(("".join(rest_before), "".join(rest_after)))  # the answer depends on their order
    from difflib import SequenceMatcher  # only a question about a rename pays for this import

    letters = SequenceMatcher(None, one, other, autojunk=False).ratio()
    count = max(len(before), len(after))
    return (common + letters * max(len(rest_before), len(rest_after))) / count


def _word(one: str, other: str) -> float:
    if one == other:
        return 1.0
    short, long = sorted((one, other), key=len)
    if long in (f"{short}s", f"{short}es") or (short.endswith("y") and long == f"{short[:-1]}ies"):
        return _PLURAL
    return _ABBREVIATED if _abbreviates(short, long) else 0.0


def _abbreviates(short: str, long: str) -> bool:
    """The beginning of a word, or its first letter and then others in their order with most of the vowels left out."""
    if len(short) < 2 or short[0] != long[0] or short.isdigit():
        return False
    if long.startswith(short):
        return len(short) >= 3
    letters = iter(long)
    in_order = all(letter in letters for letter in short)
    return in_order and len(short) <= len(long) - 2 and sum(letter in "aeiou" for letter in short[1:]) == 0
