"""Frozen values that describe a database as it is. Both sides of every comparison are made of these.

Two values are equal when the database would behave the same: SQL text is held as :class:`Sql`, which compares by its
canonical form and keeps the text as written for showing and for writing it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL: a type, a default, an expression, a whole statement."""

    text: str = field(compare=False)
    """As it was written."""
    canonical: str
    """The same with white space, case, quoting and redundant parentheses taken away, by the dialect that read it."""

    def __str__(self) -> str:
        return self.text

    @property
    def words(self) -> frozenset[str]:
        """Every word in it, in lower case: all names that it can mention are among them."""
        return frozenset(_WORD.findall(self.canonical.lower()))

    def mentions(self, name: str) -> bool:
        """Whether it can be about what has the name: all words of it are there."""
        return self.words.issuperset(_WORD.findall(name.lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    expression: Sql
    stored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    type: Sql
    nullable: bool = True
    default: Sql | None = None
    """What the database itself puts in when an INSERT leaves the column out (SQLAlchemy's ``server_default``)."""
    collation: str | None = None
    computed: Computed | None = None
    on_conflict: str | None = None
    """SQLite's conflict clause of the NOT NULL constraint."""
    kind: str = field(default="", compare=False)
    """What the database makes of the type: columns of one kind differ in the spelling of their types only. Empty where
    every type is a kind of its own."""
    chosen: bool = field(default=False, compare=False)
    """The type is spelt as SQLAlchemy spells one of its own: models that say another one made another choice."""

    def means_the_same(self, wish: Column) -> bool:
        """Whether the type of this column, which the database has, is but another spelling of what the models say."""
        return self.type == wish.type or bool(self.kind and self.kind == wish.kind and not self.chosen)

    @property
    def required(self) -> bool:
        """An INSERT that leaves it out is refused."""
        return not self.nullable and self.default is None and self.computed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """One term of a key or an index: a column or an expression, with its order."""

    expression: Sql
    column: str | None = None
    """The column's name where the term is a plain column."""
    descending: bool = False
    collation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryKey:
    parts: tuple[KeyPart, ...]
    name: str | None = None
    autoincrement: bool = False
    on_conflict: str | None = None
    numbered: bool = field(default=False, compare=False)
    """The database gives every row a key by itself, rows that are already there included."""

    @property
    def columns(self) -> tuple[str, ...]:
        return part_columns(self.parts)

    def place_of(self, column: str) -> int:
        """Where the column stands in it, from 1; 0 when it is none of its columns."""
        names = [name.lower() for name in self.columns]
        return names.index(column.lower()) + 1 if column.lower() in names else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    parts: tuple[KeyPart, ...]
    name: str | None = None
    on_conflict: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return part_columns(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    columns: tuple[str, ...]
    referred_table: str
    referred_columns: tuple[str, ...]
    name: str | None = None
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    match: str | None = None
    deferrable: str | None = None
    """``None`` (the constraint is immediate), ``"IMMEDIATE"`` or ``"DEFERRED"``: how a deferrable one starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    expression: Sql
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    name: str
    parts: tuple[KeyPart, ...]
    unique: bool = False
    where: Sql | None = None
    sql: str = field(default="", compare=False)
    """The statement that creates it, as stored."""

    @property
    def columns(self) -> tuple[str, ...]:
        return part_columns(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    columns: tuple[Column, ...] = ()
    primary_key: PrimaryKey | None = None
    foreign_keys: tuple[ForeignKey, ...] = ()
    uniques: tuple[Unique, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    without_rowid: bool = False
    strict: bool = False
    sql: str = field(default="", compare=False)
    """The statement that creates it, as stored; empty for a table that so far exists in a plan only."""
    unsupported: str | None = None
    """Why this table cannot be read completely; then it is shown and left alone."""
    _unread: Unread | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def unread(cls, name: str, sql: str, unread: Unread) -> Table:
        """A table of which only the text is known; what the text says is found out when somebody asks for it.

        So the tables that are stored alike on both sides of a comparison, which are most, need not be understood.
        """
        table = object.__new__(cls)
        for attribute, value in (("name", name), ("sql", sql), ("_unread", unread)):
            object.__setattr__(table, attribute, value)
        return table

    if not TYPE_CHECKING:

        def __getattr__(self, attribute: str) -> object:
            """Python asks here for what has no value yet."""
            if attribute == "_unread" or attribute not in self.__slots__ or self._unread is None:
                raise AttributeError(attribute)
            found = self._unread.read()
            for item in fields(self):
                if item.name not in ("name", "sql", "_unread"):
                    object.__setattr__(self, item.name, getattr(found, item.name))
            return getattr(self, attribute)

    @property
    def statements(self) -> tuple[str, ...]:
        """Everything that is stored about it: first what creates it, then what creates its indexes."""
        return self._unread.statements if self._unread else (self.sql, *(index.sql for index in self.indexes))

    @property
    def index_names(self) -> tuple[str, ...]:
        return self._unread.index_names if self._unread else tuple(index.name for index in self.indexes)

    def stored_like(self, other: Table) -> bool:
        """Whether both are the same text, which means the same, understood or not. What nothing stores is like none."""
        return bool(self.sql) and self.sql == other.sql and set(self.statements) == set(other.statements)

    def column(self, name: str) -> Column | None:
        folded = name.lower()
        return next((column for column in self.columns if column.name.lower() == folded), None)


@dataclass(frozen=True, slots=True)
class Unread:
    """What stands for the content of a table until somebody asks for it."""

    statements: tuple[str, ...]
    index_names: tuple[str, ...]
    read: Callable[[], Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A view, a trigger or a virtual table: one text, kept byte for byte unless the models say otherwise."""

    kind: str
    """``"view"``, ``"trigger"`` or ``"virtual"``."""
    name: str
    table: str
    """For a trigger the table it watches, for a view its own name."""
    definition: Sql
    """The statement that creates it, as stored."""

    @property
    def sql(self) -> str:
        return self.definition.text

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others, whatever the case of its name."""
        return self.kind, self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    tables: tuple[Table, ...] = ()
    objects: tuple[StoredObject, ...] = ()
    foreign: tuple[str, ...] = ()
    """Virtual tables and the shadow tables that belong to them: seen, never compared, never touched."""
    internal: tuple[str, ...] = ()
    """The database's own bookkeeping tables that exist (on SQLite ``sqlite_sequence``, ``sqlite_stat1``)."""
    fingerprint: str = field(default="", compare=False)
    """A hash of what the database stores about its schema; equal means that nothing moved."""

    @property
    def statements(self) -> tuple[str, ...]:
        """Everything that is stored in it."""
        tables = (sql for table in self.tables for sql in table.statements)
        return (*tables, *(item.sql for item in self.objects))

    @property
    def by_name(self) -> dict[str, Table]:
        """The tables by their names in lower case."""
        return {table.name.lower(): table for table in self.tables}

    @property
    def relations(self) -> tuple[StoredObject, ...]:
        """What can be read like a table and is none."""
        return tuple(item for item in self.objects if item.kind != "trigger")

    def table(self, name: str) -> Table | None:
        folded = name.lower()
        return next((table for table in self.tables if table.name.lower() == folded), None)


def part_columns(parts: tuple[KeyPart, ...]) -> tuple[str, ...]:
    return tuple(part.column if part.column is not None else part.expression.text for part in parts)
