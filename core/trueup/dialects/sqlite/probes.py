"""Questions about live data, answered with numbers of rows. They read only; scratch values go to temporary tables."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from trueup.changes import RenameColumn, RenameTable
from trueup.dialects.sqlite.tokens import Kind, quote, string, tokenize
from trueup.schema import Check, ForeignKey, KeyPart, Sql

_NUMERIC = re.compile(r"int|real|floa|doub|numeric|decimal|bool")
"""Dates and times have numeric affinity too, but are text: https://www.sqlite.org/datatype3.html#affinity_name_examples"""

Query = Callable[[str], list[tuple[Any, ...]]]


class SqliteProbe:
    """Fulfils :class:`trueup.hazards.Probe`.

    A question about a table or column that the live database does not have is answered with 0: nothing there can be
    in danger.

    Args:
        query: runs a query on the live database and returns its rows.
        renames: questions are asked in the names that objects have after these.
    """

    def __init__(self, query: Query, renames: Sequence[RenameTable | RenameColumn] = ()) -> None:
        self._query = query
        self._old_names = {item.to.lower(): item.table for item in renames if isinstance(item, RenameTable)}
        self._columns = [item for item in renames if isinstance(item, RenameColumn)]

    def rows(self, table: str) -> int:
        return self._count(f"SELECT count(*) FROM {self._source(table)}")

    def nulls(self, table: str, column: str) -> int:
        return self._count(f"SELECT count(*) FROM {self._source(table)} AS t WHERE t.{quote(column)} IS NULL")

    def not_null(self, table: str, column: str) -> int:
        return self._count(f"SELECT count(*) FROM {self._source(table)} AS t WHERE t.{quote(column)} IS NOT NULL")

    def duplicates(self, table: str, parts: tuple[KeyPart, ...], where: Sql | None) -> int:
        """Rows that share all their values with another one; a row with a NULL among them shares with none."""
        terms = [_term(part) for part in parts]
        conditions = [f"{term} IS NOT NULL" for term in terms] + ([f"({where})"] if where else [])
        return self._count(
            f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {self._source(table)} AS t"
            f" WHERE {' AND '.join(conditions)} GROUP BY {', '.join(terms)} HAVING count(*) > 1)"
        )

    def orphans(self, table: str, key: ForeignKey) -> int:
        filled = " AND ".join(f"c.{quote(column)} IS NOT NULL" for column in key.columns)
        orphans = f"SELECT count(*) FROM {self._source(table)} AS c WHERE {filled}"
        if not self._exists(key.referred_table):
            return self._count(orphans)
        pairs = zip(key.referred_columns, key.columns, strict=False)
        joined = " AND ".join(f"p.{quote(parent)} = c.{quote(child)}" for parent, child in pairs)
        return self._count(
            f"{orphans} AND NOT EXISTS (SELECT 1 FROM {self._source(key.referred_table)} AS p WHERE {joined})"
        )

    def violators(self, table: str, check: Check) -> int:
        """A CHECK is violated where it is false; NULL satisfies it: https://www.sqlite.org/lang_createtable.html#ckconst"""
        if self._unknown_names(table, check.expression):
            return 0
        return self._count(f"SELECT count(*) FROM {self._source(table)} WHERE NOT ({check.expression})")

    def _unknown_names(self, table: str, expression: Sql) -> bool:
        """SQLite takes a quoted name that it does not know for a string: https://www.sqlite.org/quirks.html#dblquote"""
        quoted = {token.name.lower() for token in tokenize(expression.text) if token.kind == Kind.QUOTED}
        if not quoted:
            return False
        known = self._query(f"SELECT name FROM pragma_table_xinfo({string(self._old_names.get(table.lower(), table))})")
        renamed = {item.to.lower() for item in self._columns if item.table.lower() == table.lower()}
        return not quoted <= {name.lower() for (name,) in known} | renamed | {table.lower()}

    def not_integers(self, table: str, column: str) -> int:
        value = f"t.{quote(column)}"
        return self._count(
            f"SELECT count(*) FROM {self._source(table)} AS t WHERE {value} IS NULL OR typeof({value}) = 'blob'"
            f" OR CAST({value} AS TEXT) <> CAST(CAST({value} AS INTEGER) AS TEXT)"
        )

    def altered_by_type(self, table: str, column: str, type_: Sql) -> int:
        """Rows whose value would not be the same after being stored under the type."""
        return self._count_stored(
            table,
            column,
            type_,
            "CASE WHEN typeof(old) = 'real' THEN CAST(new AS REAL) <> old"
            " WHEN typeof(old) = 'integer' THEN CAST(new AS INTEGER) <> old"
            " ELSE CAST(old AS TEXT) IS NOT CAST(new AS TEXT) END",
        )

    def unfit_for_type(self, table: str, column: str, type_: Sql) -> int:
        """Rows whose value would stay text or a blob under a numeric type."""
        if not _NUMERIC.search(type_.canonical):
            return 0
        return self._count_stored(table, column, type_, "typeof(new) IN ('text', 'blob')")

    def _count_stored(self, table: str, column: str, type_: Sql, condition: str) -> int:
        """The values are really stored once, in a temporary table, so that the answer is SQLite's own."""
        try:
            self._query("DROP TABLE IF EXISTS temp._trueup_probe")
            self._query(f"CREATE TEMP TABLE _trueup_probe (old BLOB, new {type_})")
            self._query(
                f"INSERT INTO temp._trueup_probe SELECT v, v FROM"
                f" (SELECT t.{quote(column)} AS v FROM {self._source(table)} AS t WHERE v IS NOT NULL)"
            )
            return self._count(f"SELECT count(*) FROM temp._trueup_probe WHERE {condition}")
        except sqlite3.OperationalError:
            return 0
        finally:
            self._query("DROP TABLE IF EXISTS temp._trueup_probe")

    def _source(self, table: str) -> str:
        """What stands for the table in a FROM clause: the table, or one with its columns under their new names too."""
        name = quote(self._old_names.get(table.lower(), table))
        renamed = [item for item in self._columns if item.table.lower() == table.lower()]
        aliases = "".join(f", {quote(item.column)} AS {quote(item.to)}" for item in renamed)
        return f"(SELECT *{aliases} FROM {name})" if aliases else name

    def _exists(self, table: str) -> bool:
        name = self._old_names.get(table.lower(), table)
        found = f"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = {string(name)} COLLATE NOCASE"
        return bool(self._query(found))

    def _count(self, sql: str) -> int:
        try:
            return int(self._query(sql)[0][0])
        except sqlite3.OperationalError as error:
            if "no such column" in str(error) or "no such table" in str(error):
                return 0
            raise


def _term(part: KeyPart) -> str:
    term = f"t.{quote(part.column)}" if part.column else f"({part.expression})"
    return f"{term} COLLATE {part.collation}" if part.collation else term
