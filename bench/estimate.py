"""How true are the estimates? Each shape of table is migrated there and back, with the estimate held against the clock.

The first run of a database knows nothing of the machine but a sample of its own rows; the second one has the history of
the first. A ratio (estimate / real) between 0.5 and 2 is good; steps under 200 ms are too short to tell.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, create_engine

from trueup import Policy, Settings, Step, Target, apply, plan

GOOD = (0.5, 2.0)
SHORT = 0.2
"""Seconds."""
CUT = 52
"""Characters of a step's sentence."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One table, and what is done to it: unless said otherwise it gets a UNIQUE constraint, and is rebuilt for that."""

    rows: int
    integers: int = 3
    texts: int = 2
    width: int = 20
    """Characters of a text."""
    text_key: bool = False
    unique: bool = False
    indexes: int = 0
    journal: str = "DELETE"
    retypes: bool = False
    adds_indexes: bool = False
    drops_column: bool = False

    def models(self, *, newer: bool) -> MetaData:
        metadata = MetaData()
        rebuilt = newer and not (self.retypes or self.adds_indexes or self.drops_column)
        columns = [Column("id", String(16) if self.text_key else Integer, primary_key=True)]
        columns += [
            Column(f"i{n}", Text if newer and self.retypes and n == 0 else Integer) for n in range(self.integers)
        ]
        columns += [Column(f"t{n}", Text) for n in range(self.texts - (newer and self.drops_column))]
        constraints = [UniqueConstraint("t0")] if self.unique else []
        constraints += [UniqueConstraint("id", "i0")] if rebuilt else []
        table = Table("rows", metadata, *columns, *constraints)
        for n in range(self.indexes):
            Index(f"ix_{n}", *list(table.columns)[-1 - n : len(table.columns) - n])
        if newer and self.adds_indexes:
            Index("ix_integer", table.c.i1)
            Index("ix_text", table.c.t0)
            Index("ix_both", table.c.t1, table.c.i1)
        return metadata

    def make(self, path: Path) -> None:
        """Random values, so that no index is filled in its own order."""
        engine = create_engine(f"sqlite:///{path}")
        metadata = self.models(newer=False)
        indexes = [(index, table) for table in metadata.tables.values() for index in table.indexes]
        metadata.create_all(engine)
        text = f"substr(hex(randomblob({self.width // 2 + 1})), 1, {self.width})"
        key = "lower(hex(randomblob(8)))" if self.text_key else "n"
        values = [key, *["abs(random() % 1000000)"] * self.integers, *[text] * self.texts]
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode = {self.journal}")
            stored = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql LIKE '% INDEX %'")]
            for index, _ in indexes:
                connection.execute(f"DROP INDEX {index.name}")
            connection.execute(
                f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {self.rows})"
                f" INSERT INTO rows SELECT {', '.join(values)} FROM c"
            )
            for sql in stored:
                connection.execute(sql)
            connection.commit()
        engine.dispose()


SHAPES = {
    "narrow": Shape(rows=1_000_000, integers=2, texts=0),
    "middle": Shape(rows=500_000, texts=4),
    "middle, WAL": Shape(rows=500_000, texts=4, journal="WAL"),
    "wide": Shape(rows=300_000, texts=10, width=40),
    "many indexes": Shape(rows=300_000, integers=4, indexes=5),
    "text key": Shape(rows=300_000, text_key=True),
    "unique texts": Shape(rows=300_000, unique=True),
    "another type": Shape(rows=500_000, indexes=2, retypes=True),
    "new indexes": Shape(rows=500_000, adds_indexes=True),
    "dropped column": Shape(rows=500_000, texts=3, drops_column=True),
}


def measure(shape: Shape, directory: Path) -> Iterator[tuple[str, str, float, float]]:
    """Which run, what, the estimate and the clock, both in seconds."""
    path = directory / "app.db"
    shape.make(path)
    settings = Settings(time_limit=None, policy=Policy.FULL, owned_tables=("*",))
    for knows, newer in (("sample", True), ("history", False)):
        target = Target(url=f"sqlite:///{path}", models=shape.models(newer=newer), settings=settings)
        found = plan(target)
        run = apply(found, target)
        if run.error is not None:
            raise run.error
        yield from (
            (knows, _name(step), step.estimate, seconds)
            for step, seconds in zip(found.steps, run.step_seconds, strict=True)
        )
        yield knows, "in all, with backup and checks", found.total_estimate(backup=True), run.seconds


def _name(step: Step) -> str:
    sentence = step.sentence if len(step.sentence) <= CUT else f"{step.sentence[: CUT - 1]}…"
    return f"{sentence} ({step.form})"


def main() -> int:
    bad = long = 0
    print(f"{'shape':15}{'knows':9}{'what':66}{'estimate':>9}{'real':>9}{'ratio':>7}")
    for name in sys.argv[1:] or SHAPES:
        with tempfile.TemporaryDirectory() as directory:
            for knows, what, estimate, real in measure(SHAPES[name], Path(directory)):
                ratio = estimate / real if real else 1.0
                told = real >= SHORT
                good = GOOD[0] <= ratio <= GOOD[1]
                long += told
                bad += told and not good
                mark = "" if good or not told else "  <-"
                shown = f"{ratio:7.2f}" if told else f"{'':7}"
                print(f"{name:15}{knows:9}{what:66}{estimate:8.2f}s{real:8.2f}s{shown}{mark}", flush=True)
    print(f"{long - bad} of {long} estimates within {GOOD[0]:g} and {GOOD[1]:g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
