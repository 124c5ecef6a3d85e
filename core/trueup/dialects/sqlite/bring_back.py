"""Bring rows and values back from a backup that is attached beside the live database, to be read only.

A row of the backup and a row of the live table are the same where they have the same primary key, else the same unique
key. Where no key says so, they are the same when their rowids and all values that both have are equal: a rowid alone
may have been given to another row since, and VACUUM gives new ones (https://www.sqlite.org/rowidtable.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.changes import AddColumn, AlterColumn, RenameColumn, RenameTable
from trueup.dialect import Outlook
from trueup.dialects.sqlite.affinity import affinity
from trueup.dialects.sqlite.quoting import all_of, quote, string
from trueup.dialects.sqlite.reader import is_rowid_alias
from trueup.dialects.sqlite.rebuild import autoincrements
from trueup.dialects.sqlite.rowids import batches, rowid_name
from trueup.dialects.sqlite.source import SOURCE, Query, Sources
from trueup.dialects.sqlite.tokens import tokenize
from trueup.plans import Fill, Returning, Source, Statement
from trueup.schema import Column, Schema, Sql, Table
from trueup.work import Work

_THERE = quote("the backup")


class SqliteBeside:
    """Fulfils :class:`trueup.dialect.Beside`.

    Args:
        query: runs a query on the live database, with the backup attached, and returns its rows.
        source: the backup.
        base: the live schema after the renames.
        renames: those.
    """

    def __init__(
        self, query: Query, source: Source, base: Schema, renames: Sequence[RenameTable | RenameColumn]
    ) -> None:
        self._query = query
        self._then = source.schema
        self._later = source.renames
        self._base = base
        self._sources = Sources(query, Outlook(renames=renames))

    def fill(self, change: AddColumn | AlterColumn, otherwise: str, filled: str, cast: str) -> Fill | None:
        same = self._same_row(change.table)
        then = self._then.table(change.table)
        if not same or then is None or change.new.computed or _is_alias(change.new, then):
            return None
        if isinstance(change, AddColumn):
            return self._fill(change, same, f"ELSE {otherwise or 'NULL'}", replaces=False)
        here = f"{quote(change.table)}.{quote(change.old.name)}"
        kept = f"ELSE coalesce({here}, {otherwise})" if otherwise else f"ELSE {here}"
        if change.old.computed:
            return self._fill(change, same, kept, replaces=True)
        if affinity(change.old.type) == affinity(change.new.type) and not (filled or cast):
            return None
        untouched = _untouched(here, f"{_THERE}.{quote(change.new.name)}", change.old.type, filled)
        if cast:
            untouched = f"{here} COLLATE BINARY IS {self._then_of(cast, then)}"
        return self._fill(change, f"{same} AND ({untouched})", kept, replaces=True)

    def _fill(self, change: AddColumn | AlterColumn, found: str, otherwise: str, *, replaces: bool) -> Fill:
        there, column = f"{SOURCE}.{quote(change.table)} AS {_THERE}", quote(change.new.name)
        value = f"(SELECT {_THERE}.{column} FROM {there} WHERE {found})"
        proof = Statement(
            sql=f"SELECT count(*) FROM {quote(change.table)} JOIN {there} ON {found}"
            f" WHERE {quote(change.table)}.{column} IS NOT {_THERE}.{column}",
            proves=f"every value of {change.table}.{change.new.name} that the backup has for a row is back",
        )
        return Fill(
            table=change.table,
            column=change.new.name,
            sql=f"(CASE WHEN EXISTS (SELECT 1 FROM {there} WHERE {found}) THEN {value} {otherwise} END)",
            source="the backup",
            replaces=replaces,
            proof=None if replaces else proof,
        )

    def returning(self, table: Table, where: str) -> Returning | None:
        """As rows that are inserted: what triggers keep of the table follows."""
        then, live = self._then.table(table.name), self._base.table(table.name)
        if then is None or live is None:
            return None
        same = list(_alike(live, then))
        if not same:
            return None
        gone = f"{self._then_of(where, then)} IS TRUE"
        there, here, like = f"{SOURCE}.{quote(then.name)} AS {_THERE}", quote(table.name), " OR ".join(same)
        free = f"NOT EXISTS (SELECT 1 FROM {here} WHERE {like})"
        free_now = f"NOT EXISTS (SELECT 1 FROM {self._sources.clause(table.name)} WHERE {like})"
        all_of_them = self._count(f"SELECT count(*) FROM {there} WHERE {gone}")
        back = self._count(f"SELECT count(*) FROM {there} WHERE {gone} AND {free_now}") if _fits(then, table) else 0
        listed = ", ".join(
            quote(column.name) for column in table.columns if _plain(column) and then.column(column.name)
        )
        insert = f"INSERT INTO {here} ({listed}) SELECT {listed} FROM {there} WHERE {gone} AND {free}"
        return Returning(
            table=table.name, statements=(Statement(sql=insert, work=Work.SCAN),), rows=back, lost=all_of_them - back
        )

    def _then_of(self, sql: str, table: Table) -> str:
        """The SQL of a decision, asked about a row of the backup in the names and the surroundings of the run."""
        words = {token.name.lower() for token in tokenize(sql)}
        around = [item for item in self._then.tables if self._later_name(item).lower() in words and "select" in words]
        shadows = ", ".join(
            f"{quote(self._later_name(item))} AS (SELECT {self._row(item)} FROM {SOURCE}.{quote(item.name)})"
            for item in around
        )
        row = f"(SELECT {self._row(table, f'{_THERE}.')}) AS {quote(self._later_name(table))}"
        return f"({f'WITH {shadows} ' if shadows else ''}SELECT {sql} FROM {row})"

    def _row(self, table: Table, prefix: str = "") -> str:
        """All columns, and the rowid where there is one, under the names that the run gave them."""
        renamed = {
            item.column.lower(): item.to
            for item in self._later
            if isinstance(item, RenameColumn) and item.table.lower() == self._later_name(table).lower()
        }
        terms = [
            f"{prefix}{quote(column.name)} AS {quote(renamed.get(column.name.lower(), column.name))}"
            for column in table.columns
        ]
        rowid = None if table.without_rowid else rowid_name(table)
        return ", ".join([*terms, *([f"{prefix}{rowid} AS {rowid}"] if rowid else [])])

    def _later_name(self, table: Table) -> str:
        renamed = (item.to for item in self._later if isinstance(item, RenameTable) and _same(item.table, table.name))
        return next(renamed, table.name)

    def knows_rows(self, table: str) -> bool:
        return bool(self._same_row(table))

    def strangers(self, table: str) -> int:
        there = f"SELECT 1 FROM {SOURCE}.{quote(table)} AS {_THERE} WHERE {self._same_row(table)}"
        return self._count(f"SELECT count(*) FROM {self._sources.clause(table)} WHERE NOT EXISTS ({there})")

    def rows(self, table: str) -> int:
        return self._count(f"SELECT count(*) FROM {SOURCE}.{quote(table)}")

    def values(self, table: str, column: str) -> int:
        return self._count(f"SELECT count({quote(column)}) FROM {SOURCE}.{quote(table)}")

    def _same_row(self, table: str) -> str:
        live, then = self._base.table(table), self._then.table(table)
        return same_row(live, then) if live is not None and then is not None else ""

    def _count(self, sql: str) -> int:
        return int(self._query(sql)[0][0])


def same_row(live: Table, then: Table) -> str:
    """A condition on a row of the live table and one of the backup, or nothing where no row can be recognized."""
    here, unchanged = quote(live.name), _unchanged_row(live, then)
    keys = [key for key in _unique_keys(then) if all(_plain(live.column(name)) for name in key)]
    for key in sorted(keys, key=lambda key: len(_optional(key, then))):
        same = " AND ".join(f"{_THERE}.{quote(name)} = {here}.{quote(name)}" for name in key)
        absent = " OR ".join(f"{_THERE}.{name} IS NULL" for name in _optional(key, then))
        return f"({same} OR (({absent}) AND {unchanged}))" if absent and unchanged else same
    return unchanged


def _optional(key: Sequence[str], table: Table) -> list[str]:
    """The key's columns that may be NULL, quoted: a row with a NULL shares its key with none."""
    columns = filter(None, map(table.column, key))
    return [quote(column.name) for column in columns if column.nullable]


def _unchanged_row(live: Table, then: Table) -> str:
    """The same for rows that no key tells apart: nothing of them may have changed."""
    here = quote(live.name)
    shared = [column for column in then.columns if _plain(column) and _plain(live.column(column.name))]
    rowids = (rowid_name(then), rowid_name(live))
    if then.without_rowid or live.without_rowid or not all(rowids) or not shared:
        return ""
    alike = [_as_the_run_left_it(column, live) for column in shared]
    return all_of([f"{_THERE}.{rowids[0]} = {here}.{rowids[1]}", *alike])


def _as_the_run_left_it(column: Column, live: Table) -> str:
    """Whether the live value is the backup's, or what another type or NOT NULL may have made of it."""
    now = live.column(column.name) or column
    there, here = f"{_THERE}.{quote(column.name)}", f"{quote(live.name)}.{quote(now.name)}"
    same = _untouched(here, there, now.type, "")
    return f"({same} OR {there} IS NULL)" if column.nullable and not now.nullable else f"({same})"


def _alike(live: Table, then: Table) -> Iterator[str]:
    """Conditions on a row of each; where one is true, they cannot both be in the table."""
    keys = [key for key in _unique_keys(then) if all(_plain(live.column(name)) for name in key)]
    here = quote(live.name)
    for key in keys:
        yield " AND ".join(f"{_THERE}.{quote(name)} = {here}.{quote(name)}" for name in key)
    if not keys and same_row(live, then):
        yield same_row(live, then)


def _fits(then: Table, table: Table) -> bool:
    """Whether a row of the one table has all that a row of the other must have."""
    needed = [column for column in table.columns if not column.nullable and column.default is None and _plain(column)]
    return all(_plain(then.column(column.name)) for column in needed)


def _same(name: str, other: str) -> bool:
    return name.lower() == other.lower()


def _unique_keys(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns that no two rows share, the primary key first."""
    if table.primary_key:
        yield table.primary_key.columns
    yield from (unique.columns for unique in table.uniques)
    for index in table.indexes:
        if index.unique and index.where is None and all(part.column for part in index.parts):
            yield index.columns


def _plain(column: Column | None) -> bool:
    return column is not None and column.computed is None


def _is_alias(column: Column, table: Table) -> bool:
    """The column is the rowid itself, which every form of a change keeps."""
    return is_rowid_alias(table) and table.primary_key is not None and table.primary_key.place_of(column.name) > 0


def _untouched(here: str, there: str, stored_as: Sql, filled: str) -> str:
    """Whether the live value still is what the type, or the fill, made of the backup's value.

    SQLite's comparison converts as storing does (https://www.sqlite.org/datatype3.html#comparisons); only a number that
    lost digits on the way has to be converted first.
    """
    conditions = [f"{here} COLLATE BINARY IS {there}"]
    if affinity(stored_as) in ("text", "real"):
        converted = f"CAST({there} AS {affinity(stored_as).upper()})"
        conditions.append(f"(typeof({there}) IN ('integer', 'real') AND {here} COLLATE BINARY IS {converted})")
    if filled:
        conditions.append(f"({there} IS NULL AND {here} COLLATE BINARY IS {filled})")
    return " OR ".join(conditions)


def restored_rows(table: Table) -> Iterator[Statement]:
    """What fills a new, empty table with the rows that the backup has of it, and proves that they are all there."""
    columns = [quote(column.name) for column in table.columns if column.computed is None]
    hidden = rowid_name(table) if not (table.without_rowid or is_rowid_alias(table)) else None
    listed = ", ".join([*([hidden] if hidden else []), *columns])
    here, there = quote(table.name), f"{SOURCE}.{quote(table.name)}"
    insert = f"INSERT INTO {here} ({listed}) SELECT {listed} FROM {there}"
    yield Statement(sql=insert, work=Work.COPY, parts=batches(table, there, ()))
    yield Statement(
        sql=f"SELECT (SELECT count(*) FROM {there}) - (SELECT count(*) FROM {here})",
        proves=f"every row of {table.name} is back",
    )
    yield Statement(
        sql=f"SELECT count(*) FROM (SELECT {listed} FROM {there} EXCEPT SELECT {listed} FROM {here})",
        proves=f"every row of {table.name} is as the backup has it",
    )
    if autoincrements(table):
        name = string(table.name)
        yield Statement(sql=f"DELETE FROM sqlite_sequence WHERE name = {name}")
        yield Statement(
            sql="INSERT INTO sqlite_sequence (name, seq)"
            f" SELECT name, seq FROM {SOURCE}.sqlite_sequence WHERE name = {name}"
        )
