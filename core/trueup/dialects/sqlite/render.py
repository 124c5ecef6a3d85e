"""Values back into DDL. A value that still has the text it was read from is written with that text."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.tokens import Kind, tokenize
from trueup.schema import Check, Column, ForeignKey, Index, KeyPart, PrimaryKey, Sql, Table, Unique


def create_table(table: Table) -> str:
    """The statement that creates the table, without its indexes."""
    if table.sql:
        return table.sql
    items = [column_definition(column) + _own_key(column, table) for column in table.columns]
    items += _constraints(table)
    options = [word for word, on in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid)) if on]
    body = ",\n\t".join(items)
    return f"CREATE TABLE {name(table.name)} (\n\t{body}\n){' ' if options else ''}{', '.join(options)}"


def create_index(index: Index, table: str) -> str:
    if index.sql:
        return index.sql
    where = f" WHERE {index.where}" if index.where else ""
    unique = "UNIQUE " if index.unique else ""
    return f"CREATE {unique}INDEX {name(index.name)} ON {name(table)} {_parts(index.parts)}{where}"


def column_definition(column: Column) -> str:
    words = [name(column.name), column.type.text]
    if column.computed:
        stored = "STORED" if column.computed.stored else "VIRTUAL"
        words.append(f"GENERATED ALWAYS AS ({column.computed.expression}) {stored}")
    if column.default is not None:
        words.append(f"DEFAULT {default_value(column.default)}")
    if not column.nullable:
        words.append("NOT NULL" + conflict_clause(column.on_conflict))
    if column.collation:
        words.append(f"COLLATE {name(column.collation)}")
    return " ".join(word for word in words if word)


def reference(key: ForeignKey) -> str:
    """A foreign key as a constraint of its own column."""
    return f"{_named(key.name)}{_references(key)}"


def check_constraint(check: Check) -> str:
    return f"{_named(check.name)}CHECK ({check.expression})"


def conflict_clause(action: str | None) -> str:
    return f" ON CONFLICT {action}" if action else ""


def default_value(default: Sql) -> str:
    """A literal stands alone; every other expression needs parentheses."""
    tokens = tokenize(default.text)
    bare = len(tokens) == 1 and tokens[0].kind != Kind.QUOTED
    signed = len(tokens) == 2 and tokens[0].text in "+-" and tokens[1].kind == Kind.NUMBER
    return default.text if bare or signed else f"({default.text})"


def is_constant(default: Sql) -> bool:
    """Whether ADD COLUMN takes the default."""
    tokens = tokenize(default.text)
    if len(tokens) == 2 and tokens[0].text in "+-":
        tokens = tokens[1:]
    return len(tokens) == 1 and (
        tokens[0].kind in (Kind.STRING, Kind.NUMBER, Kind.BLOB) or tokens[0].keyword in ("TRUE", "FALSE")
    )


def name(identifier: str) -> str:
    """The identifier, in quotes where it needs them."""
    return identifier if identifier.isidentifier() and not _keyword(identifier) else quote(identifier)


def literal(value: Any) -> str:
    """A Python value that SQLite can store, as SQL text."""
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(int(value))
        case float():
            return _real(value)
        case bytes() | bytearray() | memoryview():
            return f"X'{bytes(value).hex()}'"
        case _:
            return _text(str(value))


def _real(value: float) -> str:
    """SQLite has no word for what is infinite, and keeps no NaN: https://www.sqlite.org/floatingpoint.html"""
    if value != value:
        return "NULL"
    return repr(value).replace("inf", "9e999")


def _text(value: str) -> str:
    """A statement cannot hold a NUL, nor bytes that are no UTF-8, and a value can."""
    data = value.encode("utf-8", "surrogateescape")
    plain = b"\x00" not in data and data.decode("utf-8", "replace") == value
    return string(value) if plain else f"CAST(X'{data.hex()}' AS TEXT)"


def _constraints(table: Table) -> Iterator[str]:
    if table.primary_key and not _needs_column(table.primary_key, table):
        yield _primary_key(table.primary_key)
    yield from map(_unique, table.uniques)
    yield from map(check_constraint, table.checks)
    yield from map(_foreign_key, table.foreign_keys)


def _own_key(column: Column, table: Table) -> str:
    key = table.primary_key
    if key is None or not _needs_column(key, table) or key.parts[0].column != column.name:
        return ""
    return f" {_named(key.name)}PRIMARY KEY DESC{conflict_clause(key.on_conflict)}"


def _needs_column(key: PrimaryKey, table: Table) -> bool:
    """Only as a constraint of its column does a descending INTEGER key not become the rowid."""
    column = table.column(key.columns[0]) if len(key.parts) == 1 else None
    return column is not None and column.type.canonical == "integer" and key.parts[0].descending


def _primary_key(key: PrimaryKey) -> str:
    """AUTOINCREMENT is allowed in a table constraint too, after the column's name."""
    parts = _parts(key.parts)
    if key.autoincrement:
        parts = f"{parts[:-1]} AUTOINCREMENT)"
    return f"{_named(key.name)}PRIMARY KEY {parts}{conflict_clause(key.on_conflict)}"


def _unique(unique: Unique) -> str:
    return f"{_named(unique.name)}UNIQUE {_parts(unique.parts)}{conflict_clause(unique.on_conflict)}"


def _foreign_key(key: ForeignKey) -> str:
    columns = ", ".join(map(name, key.columns))
    return f"{_named(key.name)}FOREIGN KEY ({columns}) {_references(key)}"


def _references(key: ForeignKey) -> str:
    words = [f"REFERENCES {name(key.referred_table)}"]
    words += [f"({', '.join(map(name, key.referred_columns))})"] if key.referred_columns else []
    words += [f"ON DELETE {key.on_delete}"] if key.on_delete != "NO ACTION" else []
    words += [f"ON UPDATE {key.on_update}"] if key.on_update != "NO ACTION" else []
    words += [f"MATCH {key.match}"] if key.match else []
    words += [f"DEFERRABLE INITIALLY {key.deferrable}"] if key.deferrable else []
    return " ".join(words)


def _parts(parts: tuple[KeyPart, ...]) -> str:
    return f"({', '.join(map(_part, parts))})"


def _part(part: KeyPart) -> str:
    term = name(part.column) if part.column else str(part.expression)
    collation = f" COLLATE {name(part.collation)}" if part.collation else ""
    return f"{term}{collation}{' DESC' if part.descending else ''}"


def _named(constraint: str | None) -> str:
    return f"CONSTRAINT {name(constraint)} " if constraint else ""


@lru_cache(maxsize=4096)
def _keyword(identifier: str) -> bool:
    """SQLite's keywords, as far as SQLAlchemy knows them: https://www.sqlite.org/lang_keywords.html"""
    from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer

    return identifier.lower() in SQLiteIdentifierPreparer.reserved_words
