"""The statements that make the models' tables, and a short text that stands for them.

With the statements, a table that is stored as the models would make it is known to be the same without making it; with
the short text, the next start knows by one comparison that the models did not move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Index, MetaData, Table
    from sqlalchemy.engine import Dialect as SQLAlchemyDialect

Statements = Mapping[str, frozenset[str]]
"""What ``create_all`` runs for each table, its indexes included, by the table's name in lower case."""


def compile_models(metadatas: Sequence[MetaData], dialect: SQLAlchemyDialect) -> Statements:
    """What ``create_all`` would run; none where only running it tells.

    That is so when code of the user's runs along with it, when some statement depends on the connection, when two
    indexes have one name, and when there is an error, so that it is reported like that of the database itself.
    """
    from sqlalchemy.exc import SQLAlchemyError

    tables = [table for metadata in metadatas for table in metadata.tables.values()]
    indexes = [index for table in tables for index in table.indexes]
    if _have_listeners((*metadatas, *tables, *indexes)) or _have_conditions(tables, indexes):
        return {}
    try:
        return {table.name.lower(): frozenset(_compiled(table, dialect)) for table in tables}
    except SQLAlchemyError:
        return {}


def _compiled(table: Table, dialect: SQLAlchemyDialect) -> Iterator[str]:
    from sqlalchemy.schema import CreateIndex, CreateTable

    yield str(CreateTable(table).compile(dialect=dialect)).strip()
    yield from (str(CreateIndex(index).compile(dialect=dialect)).strip() for index in table.indexes)


def fingerprint(statements: Iterable[str], circumstances: Iterable[object] = ()) -> str:
    """The hash of the statements, in whatever order they are, and of whatever else makes another comparison."""
    digest = hashlib.sha256()
    for text in (*sorted(statements), *map(repr, circumstances)):
        digest.update(text.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()


def _have_conditions(tables: Iterable[Table], indexes: Sequence[Index]) -> bool:
    """https://docs.sqlalchemy.org/en/20/core/ddl.html#controlling-ddl-generation-of-constraints-and-indexes

    From SQLAlchemy 2.1 a table can also bring a statement of its own, such as a view's.
    """
    names = [str(index.name).lower() for index in indexes]
    return (
        len(names) > len(set(names))
        or any(index._ddl_if is not None for index in indexes)
        or any(getattr(table, "_creator_ddl", None) is not None for table in tables)
    )


def _have_listeners(targets: Iterable[MetaData | Table | Index]) -> bool:
    """Whether anybody listens to the making of these besides SQLAlchemy itself."""
    return any(not _is_sqlalchemys(listener) for target in targets for listener in _listeners(target.dispatch))


def _listeners(dispatch: Any) -> Iterator[object]:
    yield from dispatch.before_create
    yield from dispatch.after_create


def _is_sqlalchemys(listener: object) -> bool:
    """A type with a name, such as Enum, listens so that it is made before the tables that use it."""
    from sqlalchemy.types import SchemaType

    method = getattr(listener, "func", listener)  # of a functools.partial
    return isinstance(getattr(method, "__self__", None) or getattr(method, "target", None), SchemaType)
