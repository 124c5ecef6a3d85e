"""A short text that stands for the models, so that the next start can know by one comparison that nothing moved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Dialect as SQLAlchemyDialect


def fingerprint_models(
    metadatas: Iterable[MetaData], dialect: SQLAlchemyDialect, circumstances: Iterable[object]
) -> str:
    """The hash of the DDL that the models compile to, and of all else that a verdict depends on.

    Args:
        metadatas: the models.
        dialect: compiles them.
        circumstances: whatever makes another comparison when it changes: versions and settings.
    """
    digest = hashlib.sha256()
    for text in (*_ddl(metadatas, dialect), *map(repr, circumstances)):
        digest.update(text.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()


def _ddl(metadatas: Iterable[MetaData], dialect: SQLAlchemyDialect) -> Iterator[str]:
    from sqlalchemy.schema import CreateIndex, CreateTable

    for metadata in metadatas:
        for table in metadata.tables.values():
            yield str(CreateTable(table).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda item: str(item.name)):
                yield str(CreateIndex(index).compile(dialect=dialect))
