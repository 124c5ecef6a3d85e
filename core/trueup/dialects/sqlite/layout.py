"""How a table lies on the disk: what SQLite derives from its definition in order to read and write the rows.

Two definitions with the same layout can stand for the same pages, so that one may take the place of the other in
``sqlite_schema`` without a row being touched. No list of kinds of changes says which parts of a definition matter: both
are made in memory, and SQLite itself tells what it made of them. The file format is
https://www.sqlite.org/fileformat2.html#representation_of_sql_tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.tokens import tokenize
from trueup.schema import Table

_VIRTUAL = 2
"""What PRAGMA table_xinfo says as ``hidden`` of a generated column that is not stored:
https://www.sqlite.org/pragma.html#pragma_table_xinfo"""
_SAME_STORAGE = {"INT": "NUM"}
"""Both keep the same values; they differ in CAST only: https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""

_Terms = tuple[tuple[Any, ...], ...]
"""Of each term of an index: the column, whether it descends, its collation, and whether it belongs to the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredColumn:
    """A column that takes a place in every row."""

    name: str
    affinity: str
    collation: str
    key: int
    """Its position in the primary key, from 1; 0 when it is none."""
    expression: str
    """What a stored generated column holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    columns: tuple[StoredColumn, ...]
    virtual: Mapping[str, str]
    """The expressions of columns that take no place; an index may hold their values all the same."""
    without_rowid: bool
    autoincrement: bool
    automatic: tuple[tuple[str, _Terms], ...]
    """The indexes of PRIMARY KEY and UNIQUE with their origin, which are found by their number alone. A key without one
    is the rowid."""
    explicit: Mapping[str, _Terms]
    mentioned: frozenset[str]
    """Every name in the text of indexes and generated columns, whose values depend on how these columns compare."""


def read_layout(connection: sqlite3.Connection, table: Table) -> Layout | None:
    """The layout of a table that was made in a database in memory, or nothing where it could not be made.

    Args:
        connection: the database; scratch objects are made in it.
        table: the values of the table, with the indexes that are to stay.
    """
    listed = connection.execute(f"SELECT wr FROM pragma_table_list({string(table.name)}) WHERE schema = 'main'")
    found = listed.fetchone()
    if found is None:
        return None
    columns = connection.execute(f"SELECT name, pk, hidden FROM pragma_table_xinfo({string(table.name)})").fetchall()
    generated = {column.name.lower(): column.computed.expression.text for column in table.columns if column.computed}
    affinities, collations = _affinities(connection, table), _collations(connection, table)
    indexes = _indexes(connection, table)
    return Layout(
        columns=tuple(
            StoredColumn(
                name=name.lower(),
                affinity=affinity,
                collation=collation,
                key=key,
                expression=generated.get(name.lower(), ""),
            )
            for (name, key, hidden), affinity, collation in zip(columns, affinities, collations, strict=True)
            if hidden != _VIRTUAL
        ),
        virtual={name.lower(): generated[name.lower()] for name, _, hidden in columns if hidden == _VIRTUAL},
        without_rowid=bool(found[0]),
        autoincrement=table.primary_key is not None and table.primary_key.autoincrement,
        automatic=tuple((origin, terms) for origin, _, terms in indexes if origin != "c"),
        explicit={name: terms for origin, name, terms in indexes if origin == "c"},
        mentioned=names_in([*(index.sql for index in table.indexes), *generated.values()]),
    )


def difference(old: Layout, new: Layout, retyped: Collection[str] = ()) -> str:
    """What is stored in another way, in words; empty when nothing is.

    Args:
        old: the layout of the rows that are there.
        new: the layout that they are to have.
        retyped: names of columns whose affinity may differ.
    """
    same = {column.name: column.affinity for column in new.columns if column.name in retyped}
    columns = tuple(replace(column, affinity=same.get(column.name, column.affinity)) for column in old.columns)
    return next(_differences(replace(old, columns=columns), new), "")


def find_retyped(old: Layout, new: Layout) -> tuple[str, ...]:
    """Columns of another affinity whose values can be stored anew where they lie, each for itself.

    The values are read under the new definition. Of a REAL column that would not do: it holds whole numbers as integers
    (https://www.sqlite.org/datatype3.html#storage_classes_and_datatypes), and only its affinity makes them REAL again.
    Nor would it where something that SQLite keeps by itself holds the value as well.
    """
    kept = {name for _, terms in (*old.automatic, *new.automatic) for name, *_ in terms}
    computed = [column.expression for column in (*old.columns, *new.columns)]
    kept |= names_in([*computed, *old.virtual.values(), *new.virtual.values()])
    affinities = {column.name: column.affinity for column in new.columns if not column.key}
    return tuple(
        column.name
        for column in old.columns
        if not old.without_rowid
        and not column.key
        and not column.expression
        and column.affinity != "REAL"
        and column.name not in kept
        and affinities.get(column.name, column.affinity) != column.affinity
    )


def _differences(old: Layout, new: Layout) -> Iterator[str]:
    if [column.name for column in old.columns] != [column.name for column in new.columns]:
        yield "the columns or their order"
        return
    mentioned = old.mentioned | new.mentioned
    for before, after in zip(old.columns, new.columns, strict=True):
        yield from _column_differences(before, after, mentioned)
    for name in old.virtual.keys() | new.virtual.keys():
        if old.virtual.get(name) != new.virtual.get(name) and name in mentioned:
            yield f"the values of the generated column {name}, from which something is computed"
    if old.without_rowid != new.without_rowid:
        yield "WITHOUT ROWID"
    if old.autoincrement != new.autoincrement:
        yield "the AUTOINCREMENT counter"
    if old.automatic != new.automatic:
        yield "the indexes of its keys and UNIQUE constraints"
    if old.explicit != new.explicit:
        yield "what its indexes hold"


def _column_differences(old: StoredColumn, new: StoredColumn, mentioned: frozenset[str]) -> Iterator[str]:
    if old.affinity != new.affinity:
        yield f"the type affinity of {old.name}"
    if old.key != new.key:
        yield "the primary key"
    if old.expression != new.expression:
        yield f"the values of the generated column {old.name}"
    if old.collation != new.collation and old.name in mentioned:
        yield f"the collation of {old.name}, by which something is sorted or computed"


def names_in(texts: Iterable[str]) -> frozenset[str]:
    """Every name in these pieces of SQL, in lower case."""
    return frozenset(token.name.lower() for text in texts for token in tokenize(text))


def _affinities(connection: sqlite3.Connection, table: Table) -> list[str]:
    """CREATE TABLE AS writes each column's affinity: https://www.sqlite.org/lang_createtable.html#create_table_as_select_statements"""
    connection.execute(f"CREATE TEMP TABLE _trueup_affinities AS SELECT * FROM main.{quote(table.name)}")
    found = connection.execute("SELECT type FROM pragma_table_info('_trueup_affinities', 'temp')").fetchall()
    connection.execute("DROP TABLE temp._trueup_affinities")
    return [_SAME_STORAGE.get(affinity, affinity) for (affinity,) in found]


def _collations(connection: sqlite3.Connection, table: Table) -> list[str]:
    """No pragma tells the collation of a column, but an index takes it over."""
    listed = ", ".join(quote(column.name) for column in table.columns)
    connection.execute(f"CREATE INDEX _trueup_collations ON {quote(table.name)} ({listed})")
    found = connection.execute("SELECT upper(coll) FROM pragma_index_xinfo('_trueup_collations') WHERE key").fetchall()
    connection.execute("DROP INDEX _trueup_collations")
    return [collation for (collation,) in found]


def _indexes(connection: sqlite3.Connection, table: Table) -> list[tuple[str, str, _Terms]]:
    """Origin, name and terms of each index, the automatic ones in the order of their numbers."""
    listed = connection.execute(f"SELECT origin, name FROM pragma_index_list({string(table.name)})").fetchall()
    ordered = sorted(listed, key=lambda row: int(row[1].rpartition("_")[2]) if row[0] != "c" else 0)
    return [(origin, name, _terms(connection, name)) for origin, name in ordered]


def _terms(connection: sqlite3.Connection, index: str) -> _Terms:
    query = f'SELECT lower(name), "desc", upper(coll), key FROM pragma_index_xinfo({string(index)})'
    return tuple(connection.execute(query).fetchall())
