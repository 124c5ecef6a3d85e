"""What some values of a column look like: could they stand in a column of another type?

SQLite stores nearly anything anywhere; here it matters what SQLAlchemy's types write and can read again:
https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#date-and-time-types
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from trueup.hazards import Fit

_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d(:\d\d(\.\d+)?)?"
_LENGTH = re.compile(r"(?:char|varchar|nchar|nvarchar|character varying)\w*\((\d+)\)")


def fit_of(values: Sequence[Any], type_: str, words: Collection[str]) -> Fit:
    """How the values go with a column.

    Args:
        values: some of a column's, none of them NULL.
        type_: the other column's declared type, in canonical form.
        words: the only ones that it allows; any when empty.
    """
    if not values:
        return Fit.PLAIN
    if words:
        return Fit.TELLING if all(value in words for value in values) else Fit.NONE
    for name, reads in _READERS:
        if re.match(name, type_):
            return _told(values) if all(map(reads, values)) else Fit.NONE
    length = _LENGTH.match(type_)
    if length and any(isinstance(value, str) and len(value) > int(length[1]) for value in values):
        return Fit.NONE
    return Fit.PLAIN


def _told(values: Sequence[Any]) -> Fit:
    """Text could be anything; numbers go with any column of numbers."""
    return Fit.TELLING if all(isinstance(value, str) for value in values) else Fit.PLAIN


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _whole(value: Any) -> bool:
    return isinstance(value, int) or _is_whole_text(value)


_is_whole_text = _matches(r"[+-]?\d+")
_is_number_text = _matches(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) or _is_number_text(value)


def _truth(value: Any) -> bool:
    return value in (0, 1) or (isinstance(value, str) and value.lower() in ("0", "1", "true", "false"))


def _json(value: Any) -> bool:
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return False
    return True


_READERS: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    (r"bool", _truth),
    (r"datetime|timestamp", _matches(rf"{_DATE}([ T]{_TIME})?(Z|[+-]\d\d:?\d\d)?")),
    (r"date", _matches(_DATE)),
    (r"time", _matches(_TIME)),
    (r"json", _json),
    (r"\w*int", _whole),
    (r"real|floa|doub|numeric|decimal", _number),
)
