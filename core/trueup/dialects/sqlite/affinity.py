"""What SQLite makes of a declared type: https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""

from __future__ import annotations

import re
from dataclasses import replace

from trueup.dialects.sqlite.quoting import string
from trueup.schema import Column, Sql

_RULES = (
    ("integer", ("int",)),
    ("text", ("char", "clob", "text")),
    ("blob", ("blob",)),
    ("real", ("real", "floa", "doub")),
)
_ORDINARY = {
    "integer": "int integer bigint smallint tinyint mediumint int2 int4 int8 unsigned signed big",
    "text": "char character varchar nchar nvarchar varying native national text clob tinytext mediumtext longtext",
    "blob": "blob tinyblob mediumblob longblob",
    "real": "real float double precision float4 float8",
}
"""Words that say no more than their affinity. ``POINT`` has that of an integer by accident."""
_SYNONYMS = {"bool": "boolean", "dec": "numeric", "decimal": "numeric", "timestamp": "datetime"}
"""Of numeric affinity, where a word means something to the application: ``DATE`` and ``DATETIME`` are two texts."""
_GENERIC = "bigint blob boolean char date datetime double float integer numeric smallint text time varchar"
"""What SQLAlchemy's own types are called: https://docs.sqlalchemy.org/en/20/core/type_basics.html#generic-camelcase-types"""
STORED = ("integer", "real", "text", "blob")
"""What ``typeof`` says of a value that is not NULL."""
CONVERTED = {
    "integer": ("real", "text"),
    "numeric": ("real", "text"),
    "real": ("integer", "text"),
    "text": ("real",),
    "blob": (),
}
"""Values that a column of this affinity stores otherwise, and perhaps not whole; an integer is whole as a text, too:
https://www.sqlite.org/datatype3.html#type_affinity"""
_NUMBER = re.compile(r"(?:0|-?[1-9]\d{0,14}|-?\d{1,7}\.\d{1,7})\Z")
"""With no more digits than SQLite and Python both keep; ``-0`` is 0 as a number, but not as a text."""


def affinity(type_: Sql) -> str:
    """The class of values that a column of this type prefers."""
    words = type_.canonical
    found = next((name for name, parts in _RULES if any(part in words for part in parts)), "numeric")
    return found if words else "blob"


def equivalent(column: Column, *, rowid: bool) -> Column:
    """The column with what its type and default come to, where that is less than what they say.

    Args:
        column: of any table; a STRICT one knows a few of these types only.
        rowid: it is the table's rowid, which only ``INTEGER`` can be.
    """
    kind = "rowid" if rowid else _kind(column.type)
    chosen = _name(column.type) in _GENERIC.split()
    return replace(column, kind=kind, chosen=chosen, default=_stored(column.default, column.type))


def _stored(default: Sql | None, type_: Sql) -> Sql | None:
    """The default with a number as the column stores it: https://www.sqlite.org/datatype3.html#type_affinity

    Where numbers are stored, ``'5'``, ``5`` and ``5.0`` are one value; where texts are, ``'5'`` and ``5`` are. A column
    of the type ANY in a STRICT table keeps all apart, and so does one without affinity.
    """
    if default is None or affinity(type_) == "blob" or type_.canonical == "any":
        return default
    quoted = default.canonical.startswith("'")
    digits = default.canonical.strip("'") if quoted else default.canonical.replace("- ", "-")
    if not _NUMBER.match(digits):
        return default
    if affinity(type_) != "text":
        return Sql(default.text, repr(float(digits)))
    return Sql(default.text, string(digits)) if quoted or "." not in digits else default


def _kind(type_: Sql) -> str:
    """Affinity and length, where the words say no more; the width of an integer is for showing only."""
    found = affinity(type_)
    name = _name(type_)
    _, bracket, arguments = type_.canonical.partition("(")
    if found == "numeric":
        return f"{_SYNONYMS.get(name, name)}{bracket}{arguments}"
    if not set(name.split()) <= set(_ORDINARY[found].split()):
        return type_.canonical
    return found if found == "integer" else f"{found}{bracket}{arguments}"


def _name(type_: Sql) -> str:
    """Without its arguments."""
    return type_.canonical.partition("(")[0].strip()
