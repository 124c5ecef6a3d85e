"""Models of people, for tests that are not about what is known of these."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text


def models(*names: str) -> MetaData:
    """One table, with an id and a text of each of these names."""
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *(Column(name, Text) for name in names))
    return metadata
