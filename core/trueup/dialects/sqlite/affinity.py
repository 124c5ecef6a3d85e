"""What SQLite makes of a declared type: https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""

from __future__ import annotations

import re
from dataclasses import replace

from trueup.schema import Column, Sql

_RULES = (
    ("integer", ("int",)),
    ("text", ("char", "clob", "text")),
    ("blob", ("blob",)),
    ("real", ("real", "floa", "doub")),
)
_SYNONYMS = {"bool": "boolean", "dec": "numeric", "decimal": "numeric", "timestamp": "datetime"}
"""Words for the same that no rule knows; all else of numeric affinity means something of its own to the application."""
_DIGITS = re.compile(r"'(0|[1-9]\d{0,17})'\Z")


def affinity(type_: Sql) -> str:
    """The class of values that a column of this type prefers."""
    words = type_.canonical
    found = next((name for name, parts in _RULES if any(part in words for part in parts)), "numeric")
    return found if words else "blob"


def equivalent(column: Column, *, rowid: bool) -> Column:
    """The column with what its type and default come to, where that is less than what they say.

    Args:
        column: of a table that is not STRICT, in which every type is another one.
        rowid: it is the table's rowid, which only ``INTEGER`` can be.
    """
    kind = "rowid" if rowid else _kind(column.type)
    number = _DIGITS.match(column.default.canonical) if column.default and affinity(column.type) != "blob" else None
    if column.default is None or number is None:
        return replace(column, kind=kind)
    return replace(column, kind=kind, default=Sql(column.default.text, number[1]))


def _kind(type_: Sql) -> str:
    """Affinity and length; the width of an integer is for showing only, and a word without affinity is its own kind."""
    found = affinity(type_)
    words, bracket, arguments = type_.canonical.partition("(")
    if found == "integer":
        return found
    name = _SYNONYMS.get(words.strip(), words.strip()) if found == "numeric" else found
    return f"{name}{bracket}{arguments}"
