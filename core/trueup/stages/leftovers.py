"""Tables that another tool left behind when it was interrupted: copies that it would have renamed to the original.

Each tool's name for its copy is in its source or manual, as https://alembic.sqlalchemy.org/en/latest/batch.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from trueup.schema import Schema
from trueup.text import counted

_COPIES = (
    (re.compile(r"_alembic_tmp_(.+)", re.IGNORECASE), "Alembic's batch mode"),
    (re.compile(r"new__(.+)", re.IGNORECASE), "Django's migrations"),
    (re.compile(r"__(?:new|old_push)_(.+)", re.IGNORECASE), "Drizzle Kit"),
    (re.compile(r"(.+)_dbconform_new", re.IGNORECASE), "dbconform"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    table: str
    original: str
    tool: str
    rows: int
    alone: bool
    """The original is not there: it was dropped, and these are its rows."""

    @property
    def sentence(self) -> str:
        """For one beside its original."""
        return (
            f"table {self.table} ({counted(self.rows)}) is what {self.tool} leaves behind when it is interrupted; it is"
            f" left alone. Look whether it has anything that {self.original} lacks, and drop it then"
        )

    @property
    def reason(self) -> str:
        """Why the original is not made anew."""
        return f"its rows are in {self.table} ({counted(self.rows)}), which {self.tool} left when it was interrupted"

    @property
    def remedy(self) -> str:
        return f'decide rename = "{self.table}" with to = "{self.original}"'


def find_leftovers(live: Schema, wanted: Schema, rows: Callable[[str], int]) -> Iterator[Leftover]:
    """Those of tables that the models declare.

    Args:
        live: the schema of the database.
        wanted: that of the models.
        rows: counts the rows of a table.
    """
    for table in live.tables:
        for pattern, tool in _COPIES:
            found = pattern.fullmatch(table.name)
            original = wanted.table(found[1]) if found else None
            if original is not None and wanted.table(table.name) is None:
                alone = live.table(original.name) is None
                yield Leftover(table=table.name, original=original.name, tool=tool, rows=rows(table.name), alone=alone)


def without_copies(schema: Schema) -> Schema:
    """The schema without tables that are named as such copies are, for where no models tell which tables are meant."""
    tables = (table for table in schema.tables if not any(name.fullmatch(table.name) for name, _ in _COPIES))
    return replace(schema, tables=tuple(tables))
