"""The number that SQLite gives every row of most tables: https://www.sqlite.org/rowidtable.html

Rows lie in its order, so a range of it is found at once, and a statement can be done a range at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from trueup.dialects.sqlite.tokens import tokenize
from trueup.plans import Parts
from trueup.schema import Table

ROWID_NAMES = ("rowid", "_rowid_", "oid")
_LAST = 2**63 - 1
_OF_MORE_THAN_A_ROW = frozenset(("SELECT", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"))
"""Words of an expression that reads other rows, or the time, which is the same for all rows of one statement only:
https://www.sqlite.org/lang_datefunc.html"""
_FUNCTIONS_OF_MORE = frozenset(
    ("DATE", "TIME", "DATETIME", "JULIANDAY", "UNIXEPOCH", "STRFTIME", "TIMEDIFF", "CHANGES", "TOTAL_CHANGES")
) | {"LAST_INSERT_ROWID"}


def rowid_name(table: Table) -> str | None:
    """A column of the same name hides the rowid."""
    taken = {column.name.lower() for column in table.columns}
    return next((name for name in ROWID_NAMES if name not in taken), None)


def batches(table: Table, source: str, expressions: Iterable[str], joined: str = "WHERE") -> Parts | None:
    """How a statement that goes through all rows of a table is done in batches, or nothing where it must be a whole.

    Args:
        table: whose rows it reads or updates.
        source: the table as it stands in SQL.
        expressions: whose values the statement computes, in SQL; all must depend on their own row alone.
        joined: how a condition is appended: ``WHERE``, or ``AND`` behind another one.
    """
    rowid = rowid_name(table)
    if table.without_rowid or rowid is None or any(map(_needs_more_than_its_row, expressions)):
        return None
    return Parts(
        by=rowid,
        condition=f" {joined} {rowid} BETWEEN ? AND ?",
        end=f"SELECT {rowid} FROM {source} NOT INDEXED WHERE {rowid} >= ? ORDER BY {rowid} LIMIT 1 OFFSET ?",
        first=-_LAST - 1,
        last=_LAST,
    )


def _needs_more_than_its_row(expression: str) -> bool:
    tokens = tokenize(expression)
    called = (token.name.upper() for token, after in pairwise(tokens) if after.text == "(")
    return any(token.keyword in _OF_MORE_THAN_A_ROW for token in tokens) or not _FUNCTIONS_OF_MORE.isdisjoint(called)
