"""Questions about live data, answered with the rows they are about. Scratch values go to temporary tables only.

All questions of one plan share a budget of time. When it is spent, a question looks at the first rows only, and its
answer says so.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from trueup.dialects.sqlite.affinity import CONVERTED, STORED, affinity
from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.render import literal, name
from trueup.dialects.sqlite.sketch import fit_of
from trueup.dialects.sqlite.source import Query, Sources
from trueup.dialects.sqlite.tokens import Kind, closing, tokenize
from trueup.hazards import SAMPLES, Finding, Fit, Sample
from trueup.limits import Budget, Limits
from trueup.schema import Check, Column, ForeignKey, KeyPart, Sql

_NUMERIC = re.compile(r"int|real|floa|doub|numeric|decimal|bool")
"""Dates and times have numeric affinity too, but are text: https://www.sqlite.org/datatype3.html#affinity_name_examples"""
_DATE, _TIME = "dddd-dd-dd".replace("d", "[0-9]"), "dd:dd*".replace("d", "[0-9]")
_MOMENTS = {
    "date": ((_DATE,), "date({})"),
    "datetime": ((_DATE, f"{_DATE}[ T]{_TIME}"), "strftime('%Y-%m-%d %H:%M:%f', {})"),
    "timestamp": ((_DATE, f"{_DATE}[ T]{_TIME}"), "strftime('%Y-%m-%d %H:%M:%f', {})"),
    "time": ((_TIME,), "strftime('%H:%M:%f', {})"),
}
"""What SQLAlchemy reads of these types, as GLOB patterns, and what makes it of other texts that SQLite understands:
https://www.sqlite.org/lang_datefunc.html#time_values"""
_FIRST_ROWS = 100_000
"""Rows that a question looks at when there is no time for all."""
_SAMPLE = 200
"""Values that tell what a column holds."""
_REFERRED = "referred"
"""What the table is called that a foreign key refers to, which may be the same one."""
_SHORT = 40
"""Characters of a value that are worth showing."""

Clause = Callable[[str], str]
"""A FROM clause for the name of a table."""


class SqliteProbe:
    """Fulfils :class:`trueup.hazards.Probe`.

    A question about a table or column that the live database does not have finds nothing: nothing there can be in
    danger.

    Args:
        query: runs a query on the live database and returns its rows.
        limited: while its context is open, a query is interrupted when the limits say so.
        budget: the time for all questions.
        sources: what stands for a table in a query.
    """

    def __init__(
        self,
        query: Query,
        limited: Callable[[Limits], AbstractContextManager[None]],
        budget: Budget,
        sources: Sources,
    ) -> None:
        self._query = query
        self._limited = limited
        self._budget = budget
        self._sources = sources
        self._rows: dict[str, int] = {}

    def rows(self, table: str) -> int:
        """Counting is quick, and everything rests on it, so it is not part of the budget."""
        if table not in self._rows:
            exists = self._sources.exists(table)
            counted = self._query(f"SELECT count(*) FROM {self._sources.clause(table)}") if exists else [(0,)]
            self._rows[table] = int(counted[0][0])
        return self._rows[table]

    def nulls(self, table: str, column: str) -> Finding:
        return self._where(table, f"{_of(table, column)} IS NULL")

    def not_null(self, table: str, column: str) -> Finding:
        return self._find(
            table, lambda clause: f"SELECT count(*) FROM {clause(table)} WHERE {_of(table, column)} IS NOT NULL"
        )

    def duplicates(self, table: str, parts: tuple[KeyPart, ...], where: Sql | None) -> Finding:
        """Rows that share all their values with another one; a row with a NULL among them shares with none."""
        terms = ", ".join(_term(table, part) for part in parts)
        conditions = [f"{_term(table, part)} IS NOT NULL" for part in parts] + ([f"({where})"] if where else [])
        filled = " AND ".join(conditions)
        value = _of(table, parts[0].column) if len(parts) == 1 and parts[0].column else "NULL"
        found = self._find(
            table,
            lambda clause: (
                f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {clause(table)}"
                f" WHERE {filled} GROUP BY {terms} HAVING count(*) > 1)"
            ),
            lambda clause: (
                f"SELECT {self._key_terms(table)}, v FROM (SELECT {self._key_terms(table)}, {value} AS v,"
                f" count(*) OVER (PARTITION BY {terms}) AS n FROM {clause(table)} WHERE {filled}) WHERE n > 1"
            ),
        )
        key = self._sources.rowid(table) or next(iter(self._sources.key(table)), "")
        firsts = f"SELECT min({name(key)}) FROM {name(table)} WHERE {filled} GROUP BY {terms}"
        told = self._one_key(table) and not self._sources.brought(table) & {
            (part.column or "").lower() for part in parts
        }
        return replace(found, where=f"{filled} AND {name(key)} NOT IN ({firsts})" if told else "")

    def _one_key(self, table: str) -> bool:
        """Whether one value identifies a row."""
        return bool(self._sources.rowid(table)) or len(self._sources.key(table)) == 1

    def pointing(self, table: str, key: ForeignKey) -> Finding:
        return self._where(table, _points(table, key))

    def orphans(self, table: str, key: ForeignKey, retyped: Mapping[str, Sql] | None = None) -> Finding:
        condition = _points(table, key)
        if self._sources.exists(key.referred_table):
            pairs = zip(key.referred_columns, key.columns, strict=False)
            types = retyped or {}
            joined = " AND ".join(
                f"{_as(_of(_REFERRED, there), types.get(there))} = {_of(table, here)}" for there, here in pairs
            )
            clause = self._sources.clause(key.referred_table)
            plain = clause == f"{quote(key.referred_table)} AS {quote(key.referred_table)}"
            referred = f"{name(key.referred_table) if plain else f'(SELECT * FROM {clause})'} AS {_REFERRED}"
            condition += f" AND NOT EXISTS (SELECT 1 FROM {referred} WHERE {joined})"
        return self._where(table, condition, key.columns[0] if len(key.columns) == 1 else "")

    def violators(self, table: str, check: Check) -> Finding:
        """A CHECK is violated where it is false; NULL satisfies it: https://www.sqlite.org/lang_createtable.html#ckconst"""
        if self._unknown_names(table, check.expression):
            return Finding()
        mentioned = self._sources.columns(table) & {token.name.lower() for token in tokenize(check.expression.text)}
        return self._where(table, f"NOT ({check.expression})", next(iter(mentioned)) if len(mentioned) == 1 else "")

    def _unknown_names(self, table: str, expression: Sql) -> bool:
        """SQLite takes a quoted name that it does not know for a string: https://www.sqlite.org/quirks.html#dblquote"""
        quoted = {token.name.lower() for token in tokenize(expression.text) if token.kind == Kind.QUOTED}
        return bool(quoted) and not quoted <= self._sources.columns(table) | {table.lower()}

    def not_integers(self, table: str, column: str) -> Finding:
        value = _of(table, column)
        return self._where(
            table,
            f"{value} IS NULL OR typeof({value}) = 'blob'"
            f" OR CAST({value} AS TEXT) <> CAST(CAST({value} AS INTEGER) AS TEXT)",
            column,
        )

    def matching(self, table: str, where: str) -> Finding:
        return self._where(table, f"({where}) IS TRUE")

    def problem_of(self, table: str, sql: str) -> str:
        """The expression is compiled, where only a single value of one row can stand, and never evaluated."""
        tokens = tokenize(sql)
        try:
            if not tokens or closing(tokenize(f"({sql}\n)"), 0) != len(tokens) + 1:
                return "it is not one expression"
            self._query(f"SELECT 1 FROM {self._sources.clause(table)} WHERE ({sql}\n) IS NULL LIMIT 0")
        except (ValueError, sqlite3.Error, sqlite3.Warning) as error:
            return str(error)
        return ""

    def longer_than(self, table: str, column: str, length: int) -> Finding:
        value = _of(table, column)
        return self._where(table, f"typeof({value}) = 'text' AND length({value}) > {length}", column)

    def other_than(self, table: str, column: str, words: Collection[str]) -> Finding:
        return self._where(table, f"{_of(table, column)} NOT IN ({', '.join(map(string, words))})", column)

    def altered_by_type(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value would not be the same after being stored under the type."""
        kinds = CONVERTED[affinity(type_)]
        if not kinds:
            return Finding()
        found = self._stored(
            table,
            column,
            type_,
            kinds,
            "CASE WHEN typeof(old) = 'real' THEN CAST(new AS REAL) <> old"
            " WHEN typeof(old) = 'integer' THEN CAST(new AS INTEGER) <> old"
            " ELSE CAST(old AS TEXT) IS NOT CAST(new AS TEXT) END",
        )
        return replace(found, column=column, current=name(column))

    def unfit_for_type(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value would stay text or a blob under a numeric type.

        Text that is a number equals what it is as a number: https://www.sqlite.org/datatype3.html#affinity_of_operands
        """
        if not _NUMERIC.search(type_.canonical):
            return Finding()
        value = _of(table, column)
        number = f"typeof({value}) <> 'blob' AND CAST({value} AS TEXT) = CAST({value} AS NUMERIC)"
        found = self._stored(table, column, type_, ("text", "blob"), "typeof(new) IN ('text', 'blob')")
        where = f"{value} IS NOT NULL AND NOT ({number})"
        return replace(found, where=where, column=column, cleared=f"CASE WHEN {number} THEN {value} ELSE NULL END")

    def unreadable_as(self, table: str, column: str, type_: Sql) -> Finding:
        moment = _MOMENTS.get(type_.canonical.partition("(")[0].strip())
        if moment is None:
            return Finding()
        value, (patterns, made) = _of(table, column), moment
        readable = " OR ".join(f"{value} GLOB {string(pattern)}" for pattern in patterns)
        found = self._where(table, f"{value} IS NOT NULL AND (typeof({value}) <> 'text' OR NOT ({readable}))", column)
        read = f"CASE WHEN {readable} THEN {value} WHEN typeof({value}) = 'text' THEN {made.format(value)} END"
        return replace(found, cleared=read) if found.cleared else found

    def fit(self, table: str, column: str, other: Column, words: Collection[str]) -> Fit:
        value, source = _of(table, column), self._sources.clause(table, _FIRST_ROWS)
        rows = self._query(f"SELECT {value} FROM {source} WHERE {value} IS NOT NULL LIMIT {_SAMPLE}")
        return fit_of([found for (found,) in rows], other.type.canonical, words)

    def unfit_for_strict(self, table: str, column: str, type_: Sql) -> Finding:
        """Rows whose value a STRICT table would refuse: https://www.sqlite.org/stricttables.html"""
        wanted = {"int": "integer"}.get(type_.canonical, type_.canonical)
        if wanted == "any":
            return Finding()
        found = self._stored(table, column, type_, STORED, f"typeof(new) <> {string(wanted)}")
        return replace(found, column=column, current=name(column))

    # -- how a question is asked ---------------------------------------------------------------------------------------

    def _where(self, table: str, condition: str, column: str = "") -> Finding:
        """Rows that satisfy the condition, with their value of the column."""
        found = self._find(
            table,
            lambda clause: f"SELECT count(*) FROM {clause(table)} WHERE {condition}",
            lambda clause: (
                f"SELECT {self._key_terms(table)}, {_of(table, column) if column else 'NULL'}"
                f" FROM {clause(table)} WHERE {condition}"
            ),
        )
        cleared = f"CASE WHEN ({condition}) IS NOT TRUE THEN {_of(table, column)} ELSE NULL END" if column else ""
        if self._sources.brought(table) & {token.name.lower() for token in tokenize(condition)}:
            return found  # no decision about today's rows can speak of it
        return replace(found, where=condition, column=column, cleared=cleared)

    def _stored(self, table: str, column: str, type_: Sql, kinds: Sequence[str], condition: str) -> Finding:
        """The values of these kinds are really stored, in a temporary table, so that the answer is SQLite's own."""
        keys = [f"k{place}" for place, _ in enumerate(self._sources.key(table))]
        columns = "".join(f", {key} BLOB" for key in keys)

        def fill(clause: Clause) -> str:
            self._query("DROP TABLE IF EXISTS temp._trueup_probe")
            self._query(f"CREATE TEMP TABLE _trueup_probe (old BLOB, new {type_}{columns})")
            value, terms = _of(table, column), [_of(table, part) for part in self._sources.key(table)]
            self._query(
                f"INSERT INTO temp._trueup_probe SELECT {', '.join([value, value, *terms])} FROM {clause(table)}"
                f" WHERE typeof({value}) IN ({', '.join(map(string, kinds))})"
            )
            return f"SELECT count(*) FROM temp._trueup_probe WHERE {condition}"

        selected = ", ".join([*keys, "old"])
        samples = f"SELECT {selected} FROM temp._trueup_probe WHERE {condition}"
        try:
            return self._find(table, fill, lambda _: samples)
        finally:
            self._query("DROP TABLE IF EXISTS temp._trueup_probe")

    def _find(
        self, table: str, count: Callable[[Clause], str], samples: Callable[[Clause], str] | None = None
    ) -> Finding:
        """The answer from every row, or from the first ones where the budget does not reach."""
        try:
            with self._budget.spend() as limits:
                return self._ask(table, self._sources.clause, limits, count, samples)
        except TimeoutError:
            first = self._first(table)
        try:
            found = self._ask(table, first, Limits(self._budget.glance), count, samples)
        except TimeoutError:
            return Finding(seen=0)
        return replace(found, seen=_FIRST_ROWS)

    def _first(self, table: str) -> Clause:
        """Only the rows of the one table are cut; what they are compared with is looked up as a whole."""
        return lambda other: self._sources.clause(other, _FIRST_ROWS if other == table else None)

    def _ask(
        self,
        table: str,
        clause: Clause,
        limits: Limits,
        count: Callable[[Clause], str],
        samples: Callable[[Clause], str] | None,
    ) -> Finding:
        try:
            with self._limited(limits):
                rows = int(self._query(count(clause))[0][0])
                key = self._sources.key(table)
                found = self._query(f"{samples(clause)} LIMIT {SAMPLES}") if samples and rows and key else []
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TimeoutError from error
            if "no such column" in str(error) or "no such table" in str(error):
                return Finding()
            if "no such" in str(error):  # a function or a collation that only the application has
                return Finding(seen=0)
            if "syntax error" in str(error):
                raise
            return Finding(seen=0, failure=str(error))
        return Finding(rows=rows, samples=tuple(map(_sample, found)), key=_listed(key))

    def _key_terms(self, table: str) -> str:
        return ", ".join(map(name, self._sources.key(table))) or "NULL"


def _of(table: str, column: str) -> str:
    return f"{name(table)}.{name(column)}"


def _points(table: str, key: ForeignKey) -> str:
    """A row that has NULL among the columns points to nothing: https://www.sqlite.org/foreignkeys.html#fk_basics"""
    return " AND ".join(f"{_of(table, column)} IS NOT NULL" for column in key.columns)


def _as(value: str, type_: Sql | None) -> str:
    """The value as a column of the type compares; one without affinity takes that away, as ``+`` does."""
    if type_ is None:
        return value
    kind = affinity(type_)
    return f"+{value}" if kind == "blob" else f"CAST({value} AS {kind})"


def _term(table: str, part: KeyPart) -> str:
    """A key's column without a collation compares by the bytes, whatever the column does so far."""
    if part.column is None:
        return f"({part.expression})" + (f" COLLATE {name(part.collation)}" if part.collation else "")
    return f"{_of(table, part.column)} COLLATE {name(part.collation or 'BINARY')}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"({', '.join(names)})" if names else ""


def _sample(row: tuple[object, ...]) -> Sample:
    """The last value of the row is the one in danger; what stands before it is the key."""
    *key, value = row
    shown = "" if value is None else literal(value)
    return Sample(key=_listed([_short(literal(part)) for part in key]), value=shown if len(shown) <= _SHORT else "")


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
