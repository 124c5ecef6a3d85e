"""What stands for a table in a query, when questions are asked about the data as it will be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from trueup.changes import RenameColumn, RenameTable
from trueup.decisions import Delete
from trueup.dialect import Outlook
from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.rowids import ROWID_NAMES
from trueup.plans import Fill

Query = Callable[[str], list[tuple[Any, ...]]]
T = TypeVar("T", Fill, Delete)

SOURCE = "trueup_backup"
"""The name under which a backup is attached."""


class Sources:
    """Finds a FROM clause for each table of the live database.

    Args:
        query: runs a query on the live database and returns its rows.
        outlook: questions are asked about the data as it is after this, and in the names of then.
    """

    def __init__(self, query: Query, outlook: Outlook) -> None:
        self._query = query
        self._outlook = outlook
        self._returning = {table.name.lower(): table for table in outlook.returning}
        tables = [item for item in outlook.renames if isinstance(item, RenameTable)]
        self._old_names = {item.table.lower(): "" for item in tables} | {item.to.lower(): item.table for item in tables}
        self._columns = [item for item in outlook.renames if isinstance(item, RenameColumn)]
        self.key = cache(self._key)
        self.columns = cache(self._names)
        self.rowid = cache(self._rowid)

    def clause(self, table: str, first: int | None = None) -> str:
        """The table under its own name, with its columns under their new names.

        Args:
            table: its name after the renames.
            first: only so many rows of it.
        """
        limit = f" LIMIT {first}" if first is not None else ""
        if table.lower() in self._returning:
            return f"(SELECT * FROM {SOURCE}.{quote(table)}{limit}) AS {quote(table)}"
        gone = " OR ".join(f"{item.condition} IS TRUE" for item in _ours(self._outlook.deletes, table))
        fills = _ours(self._outlook.fills, table)
        clause = f"{quote(self._old_name(table))} AS {quote(table)}"
        terms = self._terms(table)
        if terms != "*" or limit or self.key(table) == (self.rowid(table),):
            clause = f"(SELECT {terms}{self._with_rowid(table)} FROM {clause}{limit}) AS {quote(table)}"
        if gone:
            clause = f"(SELECT *{self._with_rowid(table)} FROM {clause} WHERE NOT ({gone})) AS {quote(table)}"
        names = [name for name, _ in self._info(table)] if fills or self._computed(table) else []
        for some in filter(None, (fills, self._computed(table))):
            shown = ", ".join(_filled(table, names, some))
            clause = f"(SELECT {shown}{self._with_rowid(table)} FROM {clause}) AS {quote(table)}"
            names += [fill.column for fill in some if fill.column.lower() not in map(str.lower, names)]
        return clause

    def _computed(self, table: str) -> list[Fill]:
        return _ours(self._outlook.computed, table)

    def _terms(self, table: str) -> str:
        """Names may have been swapped, so no column is selected under its old one."""
        renamed = self._renamed(table)
        info = (
            self._query(f"SELECT name FROM pragma_table_xinfo({string(self._old_name(table))}, 'main')")
            if renamed
            else []
        )
        names = [str(name) for (name,) in info]
        return ", ".join(f"{quote(name)} AS {quote(renamed.get(name.lower(), name))}" for name in names) or "*"

    def exists(self, table: str) -> bool:
        if table.lower() in self._returning:
            return True
        found = f"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = {string(self._old_name(table))}"
        return bool(self._query(f"{found} COLLATE NOCASE"))

    def _old_name(self, table: str) -> str:
        """Nothing has an empty name, so a table that gave its name away is not found under it."""
        return self._old_names.get(table.lower(), table)

    def _renamed(self, table: str) -> dict[str, str]:
        """New names of the table's columns by their old ones, in lower case."""
        return {item.column.lower(): item.to for item in self._columns if item.table.lower() == table.lower()}

    def _info(self, table: str) -> list[tuple[str, int]]:
        """Name and place in the primary key, or 0, of each column that is there."""
        returning = self._returning.get(table.lower())
        if returning is not None:
            key = returning.primary_key
            return [(item.name, key.place_of(item.name) if key else 0) for item in returning.columns]
        renamed = self._renamed(table)
        rows = self._query(f"SELECT name, pk FROM pragma_table_xinfo({string(self._old_name(table))}, 'main')")
        return [(renamed.get(str(name).lower(), str(name)), int(place)) for name, place in rows]

    def _names(self, table: str) -> frozenset[str]:
        """Names of the table's columns, in lower case."""
        filled = (fill.column for fill in (*_ours(self._outlook.fills, table), *self._computed(table)))
        return frozenset(name.lower() for name in (*(name for name, _ in self._info(table)), *filled))

    def brought(self, table: str) -> frozenset[str]:
        """Names of the columns that the fills bring or complete, in lower case: no row can be told by them today."""
        completed = {fill.column.lower() for fill in _ours(self._outlook.fills, table) if not fill.replaces}
        computed = {fill.column.lower() for fill in self._computed(table)}
        return (self.columns(table) - {name.lower() for name, _ in self._info(table)}) | completed | computed

    def _key(self, table: str) -> tuple[str, ...]:
        """Names of the columns that identify a row, or of the rowid where only that does; nothing without a table."""
        parts = sorted((place, name) for name, place in self._info(table) if place)
        rowid = self.rowid(table)
        return tuple(name for _, name in parts) if parts else (rowid,) if rowid else ()

    def _rowid(self, table: str) -> str:
        """The name under which the rowid can be reached, if there is one; a column of the same name hides it.

        https://www.sqlite.org/rowidtable.html
        """
        listed = f"SELECT wr FROM pragma_table_list({string(self._old_name(table))}) WHERE schema = 'main'"
        if [row[0] for row in self._query(listed)] != [0]:
            return ""
        return next((name for name in ROWID_NAMES if name not in self.columns(table)), "")

    def _with_rowid(self, table: str) -> str:
        """A subquery has no rowid but the one that it selects."""
        rowid = self.rowid(table)
        return f", {rowid} AS {rowid}" if rowid else ""


def _filled(table: str, names: Sequence[str], fills: Sequence[Fill]) -> Iterator[str]:
    """The columns that are there and those that the fills bring, with the values of then."""
    given = {fill.column.lower(): fill for fill in fills}
    for name in names:
        fill = given.pop(name.lower(), None)
        value = f"{quote(table)}.{quote(name)}"
        yield quote(name) if fill is None else f"{fill.value_for(value)} AS {quote(name)}"
    yield from (f"{fill.sql} AS {quote(fill.column)}" for fill in given.values())


def _ours(items: Sequence[T], table: str) -> list[T]:
    return [item for item in items if item.table.lower() == table.lower()]
