"""How large is a table, and how fast is this machine with it? Answered in milliseconds, whatever the size.

An exact answer would read everything (https://www.sqlite.org/dbstat.html does): rows are counted only as long as the
limits allow, and the widths of the columns are those of the first and the last rows.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from trueup.dialect import Extent, Sample
from trueup.dialects.sqlite.quoting import quote, string
from trueup.limits import Limits

_ENDS = 100
"""Rows that are looked at, at each end of the table."""
_ROW_OVERHEAD = 6
"""Bytes of a row besides its values: https://www.sqlite.org/fileformat2.html#record_format"""
_WIDTH = (
    "avg(CASE typeof({0}) WHEN 'text' THEN length({0}) WHEN 'blob' THEN length({0})"
    " WHEN 'real' THEN 8 WHEN 'integer' THEN 4 ELSE 0 END)"
)

Query = Callable[[str], list[tuple[Any, ...]]]
Limited = Callable[[Limits], AbstractContextManager[None]]


def measure(query: Query, table: str, size: int, limits: Limits, limited: Limited) -> Extent:
    """How many rows there are, and how wide.

    Args:
        query: runs a query and returns its rows.
        table: its name; one that does not exist has no rows.
        size: of the database, in bytes: no table is larger.
        limits: for the counting; when they are over the rest is guessed.
        limited: interrupts a query when the limits say so.
    """
    columns = _stored_columns(query, table)
    if not columns:
        return Extent()
    widths = _widths(query, table, columns)
    try:
        with limited(limits):
            rows = int(query(f"SELECT count(*) FROM {quote(table)}")[0][0])
    except sqlite3.OperationalError:
        rows = _guess(query, table, size // int(sum(widths.values()) + _ROW_OVERHEAD))
    return Extent(rows=rows, widths=widths)


def time_sample(raw: sqlite3.Connection, table: str, rows: int, limits: Limits, limited: Limited) -> Sample | None:
    """Copy so many rows into a temporary table and index them there, by the clock.

    Returns:
        How long it took; nothing when the limits ended it, a value cannot be computed here, or there is no such table.
    """
    columns = [quote(name) for name in _stored_columns(lambda sql: raw.execute(sql).fetchall(), table)]
    if not columns:
        return None
    names = ", ".join(columns)
    try:
        with limited(limits):
            began = time.perf_counter()
            raw.execute(f"CREATE TEMP TABLE _trueup_sample AS SELECT {names} FROM {quote(table)} LIMIT {rows}")
            copied = time.perf_counter()
            raw.execute(f"CREATE INDEX temp._trueup_sample_key ON _trueup_sample ({columns[-1]})")
            indexed = time.perf_counter()
            count = raw.execute("SELECT count(*) FROM temp._trueup_sample").fetchone()[0]
    except sqlite3.OperationalError:
        return None
    finally:
        raw.execute("DROP TABLE IF EXISTS temp._trueup_sample")
    return Sample(rows=count, copying=copied - began, indexing=indexed - copied)


def _stored_columns(query: Query, table: str) -> list[str]:
    """Columns that hold values; a virtual one is computed each time it is read."""
    found = query(f"SELECT name FROM pragma_table_xinfo({string(table)}) WHERE hidden IN (0, 3)")
    return [name for (name,) in found]


def _widths(query: Query, table: str, columns: list[str]) -> dict[str, float]:
    names = [quote(name) for name in columns]
    rows = f"SELECT {', '.join(names)} FROM {quote(table)}"
    ends = [f"SELECT * FROM ({rows} LIMIT {_ENDS})"]
    if _has_rowid(query, table):
        ends.append(f"SELECT * FROM ({rows} ORDER BY rowid DESC LIMIT {_ENDS})")
    averages = query(f"SELECT {', '.join(map(_WIDTH.format, names))} FROM ({' UNION ALL '.join(ends)})")[0]
    return {name.lower(): average or 0.0 for name, average in zip(columns, averages, strict=True)}


def _guess(query: Query, table: str, most: int) -> int:
    """The span of the rowids, but no more rows than the file can hold."""
    if not _has_rowid(query, table):
        return most
    name = quote(table)
    first, last = query(f"SELECT (SELECT min(rowid) FROM {name}), (SELECT max(rowid) FROM {name})")[0]
    return min(last - first + 1, most) if first is not None else 0


def _has_rowid(query: Query, table: str) -> bool:
    """A column of that name hides it; then its values would be taken for it."""
    listed = query(f"SELECT wr FROM pragma_table_list({string(table)}) WHERE schema = 'main'")
    return listed == [(0,)] and "rowid" not in (name.lower() for name in _stored_columns(query, table))
