"""Find what rows get for a column that must have a value: a decision, the server's default, or the models' own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from trueup.decisions import Backfill, Decision
from trueup.dialect import PythonDefault
from trueup.plans import Fill
from trueup.schema import Schema
from trueup.text import object_name

_LONGEST = 120
"""Characters of a function's name."""


def find_fill(
    table: str,
    column: str,
    *,
    decisions: Sequence[Decision],
    wanted: Schema,
    python_default: Callable[[str, str], PythonDefault | None],
    literal: Callable[[Any], str],
) -> Fill | None:
    """The value, or nothing where only a person can say.

    Args:
        table: name of the table.
        column: name of the column, which is NOT NULL in the models.
        decisions: what people decided.
        wanted: the schema that the models declare, for its server defaults.
        python_default: the default that the models give in Python.
        literal: writes a value in SQL.
    """
    name = object_name(table, column).lower()
    for decision in decisions:
        if isinstance(decision, Backfill) and decision.object.lower() == name:
            sql = decision.expression if decision.sql is not None else f"({literal(decision.value)})"
            return Fill(table=table, column=column, sql=sql, source="a decision")
    declared = wanted.table(table)
    found = declared.column(column) if declared else None
    if found is not None and found.default is not None:
        return Fill(table=table, column=column, sql=f"({found.default})", source="the server default")
    default = python_default(table, column)
    return _from_models(default, table, column, literal) if default else None


def _from_models(default: PythonDefault, table: str, column: str, literal: Callable[[Any], str]) -> Fill | None:
    if default.call is not None:
        function = _function_name(table, column)
        return Fill(
            table=table,
            column=column,
            sql=f"{function}()",
            source="the models' default, row by row",
            function=(function, default.call),
        )
    if default.sql is None and default.value is None:
        return None
    sql = default.sql if default.sql is not None else literal(default.value)
    return Fill(table=table, column=column, sql=f"({sql})", source="the models' default")


def _function_name(table: str, column: str) -> str:
    """A plain name for an SQL function, short enough for every database; the names' own where they are so."""
    name = f"trueup_default_{table}_{column}"
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)[:_LONGEST]
    return name if plain == name else f"{plain}_{crc32(name.encode()):08x}"
