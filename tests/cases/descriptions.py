"""Models as frozen descriptions, which can be drawn, changed, printed, and pasted into a named case.

Whatever a description says of a column that its table does not have is left out. So a description can be changed in one
place without the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import MetaData, Table
from sqlalchemy.types import TypeEngine, UserDefinedType


class Anything(UserDefinedType[Any]):
    """The type of STRICT tables that takes everything as it is: https://www.sqlite.org/stricttables.html"""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "ANY"


TYPES: dict[str, TypeEngine[Any]] = {
    "text": sa.Text(),
    "varchar": sa.String(20),
    "longer": sa.String(60),
    "nocase": sa.String(20, collation="NOCASE"),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "numeric": sa.Numeric(8, 2),
    "float": sa.Float(),
    "real": sa.REAL(),
    "blob": sa.LargeBinary(),
    "json": sa.JSON(),
    "date": sa.Date(),
    "datetime": sa.DateTime(),
    "uuid": sa.Uuid(),
    "enum": sa.Enum("x", "y", name="letters", create_constraint=True),
    "any": Anything(),
}
STRICT_TYPES = ("text", "integer", "real", "blob", "any")

DEFAULTS: dict[str, Any] = {
    "empty": "",
    "quote": "it's",
    "colon": ":x %s",
    "five": sa.text("5"),
    "negative": sa.text("-1.5"),
    "sum": sa.text("(1 + 1)"),
    "now": sa.func.current_timestamp(),
    "blob": sa.text("x'00ff'"),
    "json": '{"a": [1, "b"]}',
}

COMPUTED = {"joined": "{0} || '!'", "length": "length({0})", "is null": "{0} IS NULL"}
CHECKS = {
    "not this": "{0} <> 'a:b'",
    "positive": "{0} > 0",
    "short": "length({0}) < 30",
    "one of": "{0} IN ('x', 'X', 1)",
    "qualified": "{1}.{0} IS NOT 'no'",
}
WHERE = {"not null": "{0} IS NOT NULL", "positive": "{0} > 0"}
TERMS = ("plain", "descending", "lower", "nocase")


@dataclass(frozen=True)
class Col:
    """A column that is not the key's."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    """A key of DEFAULTS: what the database puts in."""
    supplied: bool = True
    """Whether the models have a default in Python."""
    computed: str | None = None
    """A key of COMPUTED, of the column ``of``."""
    of: str = ""
    stored: bool = False


@dataclass(frozen=True)
class Uniq:
    columns: tuple[str, ...]
    name: str | None = None


@dataclass(frozen=True)
class Rule:
    """A CHECK."""

    column: str
    kind: str
    name: str | None = None


@dataclass(frozen=True)
class Idx:
    terms: tuple[tuple[str, str], ...]
    """Columns, each with one of TERMS."""
    name: str
    unique: bool = False
    where: str | None = None
    """A key of WHERE, of the first column."""


@dataclass(frozen=True)
class Ref:
    """A foreign key to the whole primary key of another table, or of its own."""

    columns: tuple[str, ...]
    to: str
    ondelete: str | None = None
    deferred: bool = False
    name: str | None = None


@dataclass(frozen=True)
class Tab:
    name: str
    key: str = "integer"
    """A key of KEYS."""
    columns: tuple[Col, ...] = ()
    uniques: tuple[Uniq, ...] = ()
    rules: tuple[Rule, ...] = ()
    indexes: tuple[Idx, ...] = ()
    references: tuple[Ref, ...] = ()
    strict: bool = False
    without_rowid: bool = False


KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "integer": (("id", "integer"),),
    "counter": (("id", "integer"),),
    "bigint": (("id", "bigint"),),
    "text": (("id", "text"),),
    "pair": (("id", "integer"), ("k", "text")),
    "turned": (("k", "text"), ("id", "integer")),
    "none": (),
}
"""Columns of each primary key, with types; ``counter`` is AUTOINCREMENT. A table without a key has an ``id`` too."""


@dataclass(frozen=True)
class Described:
    """All models of an application."""

    tables: tuple[Tab, ...]

    def metadata(self) -> MetaData:
        """The models themselves."""
        metadata = MetaData()
        for table in self.tables:
            Table(table.name, metadata, *_items(table), **_options(table))
        for table in self.tables:
            _add_references(metadata, table, self)
            _add_indexes(metadata.tables[table.name], table)
        return metadata

    def table(self, name: str) -> Tab | None:
        return next((table for table in self.tables if table.name.lower() == name.lower()), None)


def key_columns(table: Tab) -> tuple[str, ...]:
    return tuple(name for name, _ in KEYS[key_of(table)])


def value_columns(table: Tab) -> list[tuple[str, str]]:
    """Names and types of the columns that hold values of their own, the key's first."""
    plain = [(column.name, column.type) for column in table.columns if column.computed is None]
    return [*(KEYS[key_of(table)] or (("id", "integer"),)), *plain]


def columns_of(table: Tab) -> list[Col]:
    """The columns that the table has in the end, without the key's."""
    plain = {column.name for column in table.columns if column.computed is None}
    return [column for column in table.columns if column.computed is None or column.of in plain]


def key_of(table: Tab) -> str:
    if table.without_rowid and table.key == "none":
        return "text"
    if (table.without_rowid and table.key == "counter") or (table.strict and table.key == "bigint"):
        return "integer"
    return table.key


def _type(name: str, table: Tab) -> TypeEngine[Any]:
    """A STRICT table takes a few types only, any other the rest."""
    if table.strict:
        return TYPES[name if name in STRICT_TYPES else "any"]
    return TYPES[name if name != "any" else "varchar"]


def _options(table: Tab) -> dict[str, Any]:
    return {
        "sqlite_strict": table.strict,
        "sqlite_with_rowid": not table.without_rowid,
        "sqlite_autoincrement": key_of(table) == "counter",
    }


def _items(table: Tab) -> Iterator[Any]:
    keys = key_columns(table)
    for name, type_ in value_columns(table)[: len(keys) or 1]:
        yield sa.Column(name, _type(type_, table), nullable=not keys)
    if keys:
        yield sa.PrimaryKeyConstraint(*keys)
    for column in columns_of(table):
        yield _column(column, table)
    present = {column.name for column in columns_of(table)} | {"id"}
    for unique in table.uniques:
        if present.issuperset(unique.columns):
            yield sa.UniqueConstraint(*unique.columns, name=unique.name)
    for rule in table.rules:
        if rule.column in present:
            yield sa.CheckConstraint(_text(CHECKS[rule.kind], rule.column, table.name), name=rule.name)


def _column(column: Col, table: Tab) -> sa.Column[Any]:
    if column.computed is not None:
        expression = _text(COMPUTED[column.computed], column.of)
        return sa.Column(column.name, _type(column.type, table), sa.Computed(expression, persisted=column.stored))
    type_ = _type(column.type, table)
    given = {"default": _python_default(type_)} if column.supplied else {}
    default = DEFAULTS[column.default] if column.default else None
    if default is not None and isinstance(type_, sa.Enum):
        default = "y"  # any other would contradict the models themselves
    return sa.Column(column.name, type_, nullable=column.nullable, server_default=default, **given)


def _python_default(type_: TypeEngine[Any]) -> Any:
    """A value of the type, written by hand where the type's own processing would want an object."""
    if isinstance(type_, sa.Enum):
        return "x"
    return (
        sa.text("'2020-02-02'")
        if isinstance(type_, sa.Date | sa.DateTime | sa.Uuid | Anything)
        else _plain_value(type_)
    )


def _plain_value(type_: TypeEngine[Any]) -> Any:
    match type_:
        case sa.Boolean():
            return True
        case sa.LargeBinary():
            return b"\x00\xff"
        case sa.JSON():
            return {"a": [1, None, "ß"]}
        case sa.Integer() | sa.Numeric() | sa.Float():
            return 7
        case _:
            return "given"


def _add_references(metadata: MetaData, described: Tab, models: Described) -> None:
    table = metadata.tables[described.name]
    for reference in described.references:
        parent = models.table(reference.to)
        target = key_columns(parent) if parent else ()
        if (
            parent
            and target
            and len(target) <= len(reference.columns)
            and set(reference.columns) <= set(table.c.keys())
        ):
            table.append_constraint(
                sa.ForeignKeyConstraint(
                    reference.columns[: len(target)],
                    [metadata.tables[parent.name].c[column] for column in target],
                    name=reference.name,
                    ondelete=reference.ondelete,
                    **({"deferrable": True, "initially": "DEFERRED"} if reference.deferred else {}),
                )
            )


def _add_indexes(table: Table, described: Tab) -> None:
    for index in described.indexes:
        if all(name in table.c for name, _ in index.terms):
            terms = [_term(table.c[name], how) for name, how in index.terms]
            where = sa.text(_text(WHERE[index.where], index.terms[0][0])) if index.where else None
            sa.Index(index.name, *terms, unique=index.unique, sqlite_where=where)


def _term(column: Any, how: str) -> Any:
    match how:
        case "descending":
            return column.desc()
        case "lower":
            return sa.func.lower(column)
        case "nocase" if isinstance(column.type, sa.String):
            return sa.collate(column, "NOCASE")
    return column


def _text(template: str, *names: str) -> str:
    return template.format(*('"' + name.replace('"', '""') + '"' for name in names)).replace(":", r"\:")
