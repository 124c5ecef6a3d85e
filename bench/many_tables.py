"""The models that the benchmarks of comparing use: any number of tables with a bit of everything."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    func,
)


def models(tables: int) -> MetaData:
    """Tables of six columns, two indexes and three rules, each of which points to the one before."""
    metadata = MetaData()
    for number in range(tables):
        Table(
            f"table_{number:04}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("name", String(50), nullable=False),
            Column("price", Numeric(10, 2), server_default="0"),
            Column("created_at", DateTime, server_default=func.now()),
            Column("parent_id", ForeignKey(f"table_{max(number - 1, 0):04}.id")),
            Column("kind", String(10)),
            CheckConstraint("price >= 0", name=f"ck_{number}"),
            Index(f"ix_{number}_name", "name"),
            Index(f"ix_{number}_kind", "kind", "created_at"),
        )
    return metadata
