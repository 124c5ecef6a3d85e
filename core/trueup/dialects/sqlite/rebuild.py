"""Rebuild a table without losing anything.

The procedure is SQLite's own (https://www.sqlite.org/lang_altertable.html#otheralter): create the new table under
another name, copy, drop the old one, rename, and create indexes and triggers again. Added to it, each because its lack
loses something:

* ``legacy_alter_table`` while dropping and renaming, or any view and any other table's trigger that mentions the table
  makes the rename fail;
* the rowid is copied where it is not a column, since full-text indexes and others point to it;
* the AUTOINCREMENT counter goes along, so that no id is used twice;
* statistics of ANALYZE stay;
* generated columns are left out of the copy, which cannot write to them;
* before the old table is dropped, queries prove that every row and value is in the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trueup.dialects.sqlite.parse import table_name_span, unqualified
from trueup.dialects.sqlite.quoting import any_of, quote, string
from trueup.dialects.sqlite.reader import is_rowid_alias
from trueup.dialects.sqlite.render import create_index, create_table
from trueup.dialects.sqlite.rowids import batches, rowid_name
from trueup.plans import Fill, Parts, Statement
from trueup.schema import Column, Schema, Table
from trueup.work import Work

TEMPORARY_PREFIX = "_trueup_new_"


def rebuild_statements(
    old: Table, new: Table, live: Schema, fills: Sequence[Fill], inexact: Collection[str]
) -> tuple[Statement, ...]:
    """Every statement of the rebuild, to be run in one transaction with foreign keys off.

    Args:
        old: the table as it is.
        new: as it is to be.
        live: the schema around it.
        fills: values for its columns that must have one.
        inexact: names of its columns whose values a new type may alter.
    """
    temporary = _free_name(new, live)
    copy = _copy(old, new, temporary, fills, {quote(column).lower() for column in inexact})
    return (
        Statement(sql=_create_temporary(new, temporary)),
        Statement(sql=copy.insert(), work=Work.COPY, keys=_keys(new), parts=_batches(old, new, copy)),
        *copy.proofs(),
        *map(_plain, _carry_sequence(old, new, temporary)),
        *map(_plain, _statistics(live, old.name, temporary)),
        Statement(sql="PRAGMA legacy_alter_table = ON"),
        Statement(
            sql=f"DROP TABLE {quote(old.name)}",
            work=Work.DROP,
            keys=(*_keys(old), *(index.columns for index in old.indexes)),
        ),
        Statement(sql=f"ALTER TABLE {quote(temporary)} RENAME TO {quote(new.name)}"),
        Statement(sql="PRAGMA legacy_alter_table = OFF"),
        *map(_plain, _statistics(live, temporary, new.name)),
        *(fill.proof for fill in fills if fill.proof is not None),
        *(
            Statement(sql=create_index(index, new.name), work=Work.INDEX, keys=(index.columns,))
            for index in new.indexes
        ),
        *(Statement(sql=trigger.sql) for trigger in live.objects if _watches(trigger.table, trigger.kind, old)),
    )


@dataclass(frozen=True, slots=True)
class _Copy:
    """How the rows get from one table into the other.

    They are read from the table itself. SQLite would rather read an index that has all that is asked for, and
    quick_check does not tell whether an index has every row: https://www.sqlite.org/lang_indexedby.html
    """

    source: str
    temporary: str
    values: Mapping[str, str]
    """What is selected for each target column, in quoted names."""
    surviving: tuple[str, ...]
    """Columns whose values are the same in both tables, in quoted names."""
    filled: frozenset[str]
    """Those of them whose NULLs get a value."""
    retyped: frozenset[str]
    """Those of them that have another type: a number may have become its text."""
    key: tuple[str, ...]
    """What identifies a row on both sides; empty when nothing does."""

    def insert(self) -> str:
        targets, sources = ", ".join(self.values), ", ".join(self.values.values())
        if not self.values:
            return f"INSERT INTO {quote(self.temporary)} DEFAULT VALUES"
        return f"INSERT INTO {quote(self.temporary)} ({targets}) SELECT {sources} FROM {quote(self.source)} NOT INDEXED"

    def proofs(self) -> Iterator[Statement]:
        old, new = quote(self.source), quote(self.temporary)
        yield Statement(
            sql=f"SELECT (SELECT count(*) FROM {old} NOT INDEXED) - (SELECT count(*) FROM {new})",
            proves=f"every row of {self.source} was copied",
        )
        if self.key and self.surviving:
            joined = " AND ".join(f"n.{column} = o.{column}" for column in self.key)
            changed = any_of(map(self._changed, self.surviving))
            yield Statement(
                sql=f"SELECT (SELECT count(*) FROM {old} NOT INDEXED)"
                f" - (SELECT count(*) FROM {old} AS o NOT INDEXED JOIN {new} AS n"
                f" ON {joined} WHERE NOT ({changed}))",
                proves=f"every value of {self.source} that stays is as it was",
                work=Work.SCAN,
            )

    def _changed(self, column: str) -> str:
        """A value that there was must be the same; where there was none, a fill may have come in."""
        changed = f"n.{column} IS NOT o.{column}"
        if column in self.retyped:
            changed = f"({changed} AND CAST(n.{column} AS TEXT) IS NOT CAST(o.{column} AS TEXT))"
        return f"(o.{column} IS NOT NULL AND {changed})" if column in self.filled else changed


def _batches(old: Table, new: Table, copy: _Copy) -> Parts | None:
    """Columns that the copy does not name get their defaults."""
    if not copy.values:
        return None
    left_out = [column for column in new.columns if quote(column.name) not in copy.values]
    defaults = [column.default.text for column in left_out if column.default is not None]
    return batches(old, quote(old.name), [*copy.values.values(), *defaults])


def _free_name(new: Table, live: Schema) -> str:
    name = TEMPORARY_PREFIX + new.name
    while live.table(name) is not None:
        name += "_"
    return name


def _copy(old: Table, new: Table, temporary: str, fills: Sequence[Fill], inexact: Collection[str]) -> _Copy:
    filled = {quote(fill.column).lower(): fill for fill in fills}
    values: dict[str, str] = {}
    surviving: list[str] = []
    retyped: set[str] = set()
    rowid = _common_rowid(old, new)
    if rowid and not is_rowid_alias(new):
        values[rowid[1]] = rowid[0]
    for column in new.columns:
        if column.computed:
            continue
        name, before = quote(column.name), old.column(column.name)
        fill = filled.get(name.lower())
        if before is not None:
            values[name] = fill.value_for(name) if fill else name
            surviving += [] if before.computed or name.lower() in inexact or (fill and fill.replaces) else [name]
            retyped |= {name} if before.type != column.type else set()
        elif fill:
            values[name] = fill.sql
        elif rowid and is_rowid_alias(new) and _in_key(column, new):
            values[name] = rowid[0]
    return _Copy(
        source=old.name,
        temporary=temporary,
        values=values,
        surviving=tuple(surviving),
        filled=frozenset(name for name in surviving if name.lower() in filled),
        retyped=frozenset(retyped),
        key=_row_key(old, new, rowid),
    )


def _row_key(old: Table, new: Table, rowid: tuple[str, str] | None) -> tuple[str, ...]:
    if rowid and not is_rowid_alias(new):
        return ("rowid",) if rowid == ("rowid", "rowid") else ()
    key = old.primary_key.columns if old.primary_key else ()
    stays = all(new.column(column) is not None for column in key)
    return tuple(map(quote, key)) if stays and (is_rowid_alias(old) or old.without_rowid) else ()


def _common_rowid(old: Table, new: Table) -> tuple[str, str] | None:
    """Names under which the hidden rowid of both tables can be reached, when both have one."""
    if old.without_rowid or new.without_rowid:
        return None
    source, target = rowid_name(old), rowid_name(new)
    return (source, target) if source and target else None


def _in_key(column: Column, table: Table) -> bool:
    return table.primary_key is not None and table.primary_key.place_of(column.name) > 0


def _keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """The columns of each index that SQLite keeps by itself: https://www.sqlite.org/fileformat2.html#intschema"""
    primary = table.primary_key
    own = primary is not None and not is_rowid_alias(table) and not table.without_rowid
    uniques = tuple(unique.columns for unique in table.uniques)
    return (primary.columns, *uniques) if primary and own else uniques


def _create_temporary(new: Table, temporary: str) -> str:
    """A CHECK may name its own table, which has another name for a while; without the name it means the same."""
    sql = unqualified(create_table(new), new.name)
    start, end = table_name_span(sql)
    return f"{sql[:start]}{quote(temporary)}{sql[end:]}"


def _carry_sequence(old: Table, new: Table, temporary: str) -> Iterator[str]:
    """https://www.sqlite.org/autoinc.html: the counter is a row of sqlite_sequence, which DROP TABLE deletes."""
    if not (autoincrements(old) and autoincrements(new)):
        return
    target, source = string(temporary), string(old.name)
    yield f"DELETE FROM sqlite_sequence WHERE name = {target}"
    yield f"INSERT INTO sqlite_sequence (name, seq) SELECT {target}, seq FROM sqlite_sequence WHERE name = {source}"


def autoincrements(table: Table) -> bool:
    return table.primary_key is not None and table.primary_key.autoincrement


def _statistics(live: Schema, source: str, target: str) -> Iterator[str]:
    """https://www.sqlite.org/fileformat2.html#stat1tab"""
    for name in live.internal:
        if name in ("sqlite_stat1", "sqlite_stat4"):
            yield f"UPDATE {name} SET tbl = {string(target)} WHERE tbl = {string(source)}"


def _watches(table: str, kind: str, old: Table) -> bool:
    return kind == "trigger" and table.lower() == old.name.lower()


def _plain(sql: str) -> Statement:
    return Statement(sql=sql)
