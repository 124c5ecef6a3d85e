"""Store the values of some columns anew, where they lie, after an edit gave the columns another type.

SQLite gives a value the form of its column's affinity when it stores it
(https://www.sqlite.org/datatype3.html#type_affinity). So after the edit it is enough to write each value of these
columns once more: the other columns, their indexes, the rowids and the table itself stay. Indexes that hold the values
are made anew, which is faster than to change them row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from trueup.dialects.sqlite.layout import names_in
from trueup.dialects.sqlite.quoting import any_of, quote, string
from trueup.dialects.sqlite.render import create_index
from trueup.dialects.sqlite.rowids import batches, rowid_name
from trueup.plans import Statement
from trueup.schema import Index, Table
from trueup.work import Work

_KEPT, _ASIDE = "_trueup_kept_", "_trueup_aside_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyping:
    """The columns of one table whose values are to be stored anew.

    Args:
        table: as it is before the edit, with the indexes that it keeps. It has a rowid that can be reached.
        columns: their names.
        inexact: names, in lower case, of those whose values the new type may alter.
        internal: names of SQLite's own tables that the database has.
    """

    table: Table
    columns: Collection[str]
    inexact: Collection[str]
    internal: Collection[str]

    def before(self) -> Iterator[Statement]:
        """To be run before the edit: the values are kept, so that it can be proved what became of them.

        They go with the connection (https://www.sqlite.org/tempfiles.html); nothing could end a DROP TABLE of them.
        """
        if not self._proved:
            return
        values = ", ".join(map(quote, self._proved))
        source = quote(self.table.name)
        yield Statement(sql=f"CREATE TABLE {self._kept} (row INTEGER PRIMARY KEY, {', '.join(self._old)})")
        yield Statement(
            sql=f"INSERT INTO {self._kept} SELECT {self._rowid}, {values} FROM {source} NOT INDEXED",
            work=Work.SCAN,
            parts=batches(self.table, source, ()),
        )

    def after(self) -> Iterator[Statement]:
        """To be run when this connection knows the new definition."""
        name, held = quote(self.table.name), [index for index in self.table.indexes if self._holds(index)]
        yield from self._statistics(held, "", _ASIDE)
        yield from (Statement(sql=f"DROP INDEX {quote(index.name)}") for index in held)
        yield Statement(
            sql=f"UPDATE {name} NOT INDEXED SET {', '.join(f'{quote(each)} = {quote(each)}' for each in self.columns)}",
            work=Work.REWRITE,
            parts=batches(self.table, name, ()),
        )
        if self._proved:
            yield self._proof()
        for index in held:
            yield Statement(sql=create_index(index, self.table.name), work=Work.INDEX, keys=(index.columns,))
        yield from self._statistics(held, _ASIDE, "")

    @property
    def _rowid(self) -> str:
        return str(rowid_name(self.table))

    @property
    def _kept(self) -> str:
        return f"temp.{quote(_KEPT + self.table.name)}"

    @property
    def _proved(self) -> list[str]:
        return [name for name in self.columns if name.lower() not in self.inexact]

    @property
    def _old(self) -> list[str]:
        """Without a type, a column keeps every value as it is."""
        return [f"v{number}" for number, _ in enumerate(self._proved)]

    def _proof(self) -> Statement:
        """A number may have become its text, and a text the number that it spells."""
        changed = any_of(
            f"(n.{quote(name)} IS NOT o.{old} AND CAST(n.{quote(name)} AS TEXT) IS NOT CAST(o.{old} AS TEXT))"
            for name, old in zip(self._proved, self._old, strict=True)
        )
        joined = f"{self._kept} AS o LEFT JOIN {quote(self.table.name)} AS n NOT INDEXED ON n.{self._rowid} = o.row"
        return Statement(
            sql=f"SELECT count(*) FROM {joined} WHERE {changed}",
            proves=f"every value of {', '.join(self._proved)} in {self.table.name} is as it was",
            work=Work.SCAN,
        )

    def _holds(self, index: Index) -> bool:
        return not names_in([index.sql]).isdisjoint(name.lower() for name in self.columns)

    def _statistics(self, indexes: Collection[Index], old: str, new: str) -> Iterator[Statement]:
        """DROP INDEX takes those of ANALYZE away: https://www.sqlite.org/fileformat2.html#stat1tab"""
        for table in ("sqlite_stat1", "sqlite_stat4"):
            for index in indexes if table in self.internal else ():
                renamed = f"SET idx = {string(new + index.name)} WHERE idx = {string(old + index.name)}"
                yield Statement(sql=f"UPDATE {table} {renamed}")
