"""Read a schema: four queries for the whole database, whatever the number of tables.

``sqlite_schema`` is joined with the table-valued ``pragma_*`` functions, and the stored text tells the rest. Text and
pragmas must agree on every table; where they do not, the table is *unsupported* rather than guessed at.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from trueup.dialects.sqlite.affinity import equivalent
from trueup.dialects.sqlite.parse import NotUnderstood, parse_definition, parse_index, parse_table
from trueup.dialects.sqlite.stored import StoredRow, fingerprint, is_internal, read_objects
from trueup.schema import Column, ForeignKey, Index, KeyPart, PrimaryKey, Schema, StoredObject, Table, Unique, Unread

_KINDS = "SELECT name, type FROM pragma_table_list WHERE schema = 'main'"
_COLUMNS = """
    SELECT t.name, c.name, c."notnull", c.pk, c.hidden
    FROM sqlite_schema AS t JOIN pragma_table_xinfo(t.name, 'main') AS c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.sql NOT LIKE 'CREATE VIRTUAL%'
    ORDER BY t.rowid, c.cid
"""
_FOREIGN_KEYS = """
    SELECT t.name, count(DISTINCT k.id)
    FROM sqlite_schema AS t JOIN pragma_foreign_key_list(t.name, 'main') AS k
    WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' GROUP BY t.name
"""

_Key = TypeVar("_Key", Index, PrimaryKey, Unique)
_Xinfo = tuple[str, int, int, int]


def read_schema(connection: sqlite3.Connection, leave_out: Collection[str] = ()) -> Schema:
    """The schema of the main database.

    Args:
        connection: may be in a transaction.
        leave_out: names of trueup's own tables, which are not part of the schema.
    """
    objects = read_objects(connection, leave_out)
    kinds = connection.execute(_KINDS).fetchall()
    foreign = tuple(sorted(name for name, kind in kinds if kind in ("virtual", "shadow")))
    return Schema(
        tables=tuple(_tables(objects, foreign, connection)),
        objects=tuple(_stored_objects(objects, foreign)),
        foreign=foreign,
        internal=tuple(name for kind, name, _, _ in objects if kind == "table" and is_internal(name)),
        fingerprint=fingerprint(objects),
    )


def _tables(objects: Iterable[StoredRow], foreign: Collection[str], connection: sqlite3.Connection) -> Iterator[Table]:
    """Every table of ours, unread: what SQLite says of it is at hand, its text is read when somebody asks."""
    catalog = _Catalog(columns=_columns(connection), foreign_keys=dict(connection.execute(_FOREIGN_KEYS).fetchall()))
    for kind, name, table, sql in objects:
        if kind == "index" and sql:
            catalog.indexes[table.lower()][name] = sql
        elif kind == "table" and not is_internal(name) and name not in foreign:
            catalog.tables[name.lower()] = (name, sql or "")
    return (catalog.unread(name) for name in catalog.tables)


def _stored_objects(objects: Iterable[StoredRow], foreign: Collection[str]) -> Iterator[StoredObject]:
    for kind, name, table, sql in objects:
        if kind in ("view", "trigger"):
            yield StoredObject(kind=kind, name=name, table=table, definition=parse_definition(sql or ""))
        elif name in foreign and (sql or "")[:20].upper().startswith("CREATE VIRTUAL"):
            yield StoredObject(kind="virtual", name=name, table=table, definition=parse_definition(sql or ""))


def _columns(connection: sqlite3.Connection) -> Mapping[str, list[_Xinfo]]:
    found: defaultdict[str, list[_Xinfo]] = defaultdict(list)
    for table, *column in connection.execute(_COLUMNS):
        found[table].append((column[0], column[1], column[2], column[3]))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalog:
    """What SQLite told of all tables at one moment."""

    columns: Mapping[str, list[_Xinfo]]
    foreign_keys: Mapping[str, int]
    """How many each table has."""
    tables: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Name and text, by the name in lower case."""
    indexes: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Name and text of each table's indexes, by the table's name in lower case."""

    def unread(self, folded: str) -> Table:
        name, sql = self.tables[folded]
        indexes = self.indexes[folded]
        return Table.unread(name, sql, Unread((sql, *indexes.values()), tuple(indexes), partial(self.read, folded)))

    def read(self, folded: str) -> Table:
        """The whole table; with the reason in ``unsupported`` where its text is not understood."""
        name, sql = self.tables[folded]
        try:
            table = self._parsed(folded)
        except NotUnderstood as error:
            return Table(name=name, sql=sql, unsupported=f"its definition is not understood: {error}")
        try:
            indexes = _by_name(map(parse_index, self.indexes[folded].values()))
        except NotUnderstood as error:
            return replace(table, unsupported=f"one of its indexes is not understood: {error}")
        return replace(table, indexes=tuple(_plain(index, table) for index in indexes))

    def _parsed(self, folded: str) -> Table:
        name, sql = self.tables[folded]
        table = parse_table(sql)
        _agree(table, self.columns[name], self.foreign_keys.get(name, 0))
        return replace(
            table,
            name=name,
            primary_key=_numbered(table),
            uniques=tuple(_plain(unique, table) for unique in table.uniques),
            columns=tuple(_columns_of(table)),
            foreign_keys=tuple(map(self._resolved, table.foreign_keys)),
        )

    def _resolved(self, key: ForeignKey) -> ForeignKey:
        """A foreign key that names no columns of its parent means the parent's primary key."""
        parent = self.tables.get(key.referred_table.lower())
        if key.referred_columns or parent is None:
            return key
        try:
            primary_key = parse_table(parent[1]).primary_key
        except NotUnderstood:
            return key
        return replace(key, referred_columns=primary_key.columns if primary_key else ())


def _by_name(indexes: Iterable[Index]) -> tuple[Index, ...]:
    """SQLAlchemy creates the indexes of a table in another order each time; a plan must be the same each time."""
    return tuple(sorted(indexes, key=lambda index: index.name))


def _agree(table: Table, columns: list[_Xinfo], foreign_keys: int) -> None:
    """The text was read rightly when it tells what SQLite tells; otherwise raise :class:`NotUnderstood`."""
    if [column.name.lower() for column in table.columns] != [name.lower() for name, *_ in columns]:
        raise NotUnderstood("its columns differ from those that PRAGMA table_xinfo lists")
    for column, (_, not_null, position, hidden) in zip(table.columns, columns, strict=True):
        if (hidden in (2, 3)) != (column.computed is not None):
            raise NotUnderstood(f"whether {column.name} is a generated column")
        if bool(not_null) == column.nullable and not position:
            raise NotUnderstood(f"whether {column.name} is NOT NULL")
    key = [name.lower() for name, _, position, _ in sorted(columns, key=lambda row: row[2]) if position]
    if [name.lower() for name in (table.primary_key.columns if table.primary_key else ())] != key:
        raise NotUnderstood("its primary key")
    if len(table.foreign_keys) != foreign_keys:
        raise NotUnderstood("its foreign keys")


def is_rowid_alias(table: Table) -> bool:
    """Whether the primary key is the rowid itself: https://www.sqlite.org/lang_createtable.html#rowid"""
    key = table.primary_key
    if key is None or len(key.parts) != 1 or key.parts[0].descending or table.without_rowid:
        return False
    column = table.column(key.columns[0])
    return column is not None and column.type.canonical == "integer"


def _numbered(table: Table) -> PrimaryKey | None:
    key = table.primary_key
    return replace(_plain(key, table), numbered=is_rowid_alias(table)) if key else None


def _plain(key: _Key, table: Table) -> _Key:
    """Without the collations that its columns have anyway: https://www.sqlite.org/lang_createindex.html#collations"""
    return replace(key, parts=tuple(_plain_part(part, table) for part in key.parts))


def _plain_part(part: KeyPart, table: Table) -> KeyPart:
    column = table.column(part.column) if part.column and part.collation else None
    same = column is not None and part.collation == (column.collation or "BINARY")
    return replace(part, collation=None) if same else part


def _columns_of(table: Table) -> Iterator[Column]:
    """A rowid cannot be NULL, nor can a key of a WITHOUT ROWID or STRICT table, whether or not NOT NULL is written."""
    rowid = is_rowid_alias(table)
    for column in table.columns:
        in_key = table.primary_key is not None and table.primary_key.place_of(column.name) > 0
        if in_key and (rowid or table.without_rowid or table.strict):
            column = replace(column, nullable=False)
        yield equivalent(column, rowid=rowid and in_key)
