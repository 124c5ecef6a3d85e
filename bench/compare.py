"""How fast it is known that nothing differs, or what does, beside Alembic's own comparison and the least possible.

All in one process, so without imports (``startup.py`` has those); CPU time; the best of several rounds, in each of
which everything has its turn. The least possible is to read what SQLite stores and to hash it. A plan is more than
Alembic's comparison: dangers are counted on the data, and its steps are tried on an empty copy of the schema.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from many_tables import models
from sqlalchemy import Engine, MetaData, create_engine

from trueup import Policy, Target, migrate, plan

ROUNDS = 5
SIZES = (10, 100, 1000)
FLOOR = "the least: reading and hashing"
KNOWN = "trueup, known from the last run"
IN_STEP = "trueup, compared, in step"
ALEMBIC_IN_STEP = "Alembic, in step"
DIFFERENT = "trueup, compared, 5 differences"
PLANNED = "trueup, planned and tried"
ALEMBIC_DIFFERENT = "Alembic, 5 differences"
DIFFERENCES = """
    DROP INDEX ix_0_kind; DROP INDEX ix_1_name; CREATE INDEX by_hand ON table_0002 (price);
    ALTER TABLE table_0003 ADD COLUMN extra INT; DROP INDEX ix_4_kind; ALTER TABLE table_0004 RENAME kind TO sort;
"""
CONTEXT = {"compare_type": True, "compare_server_default": True}


def measure(tables: int, directory: Path) -> dict[str, float]:
    """CPU seconds of everything, at one number of tables."""
    metadata = models(tables)
    same = _database(directory / "same.db", metadata)
    other = _database(directory / "other.db", metadata)
    _run(same, "DROP INDEX ix_0_kind")
    migrate(_target(same, metadata))  # a run, to have something to know from
    _run(other, DIFFERENCES)
    tasks: dict[str, Callable[[], object]] = {
        FLOOR: lambda: _read_and_hash(same),
        KNOWN: lambda: migrate(_target(same, metadata)),
        IN_STEP: lambda: plan(_target(same, metadata)),
        ALEMBIC_IN_STEP: lambda: _alembic(same, metadata),
        DIFFERENT: lambda: plan(_target(other, metadata), policy=Policy.CHECK),
        PLANNED: lambda: plan(_target(other, metadata)),
        ALEMBIC_DIFFERENT: lambda: _alembic(other, metadata),
    }
    rounds = [{name: _seconds(task) for name, task in tasks.items()} for _ in range(ROUNDS)]
    return {name: min(times[name] for times in rounds) for name in tasks}


def _seconds(task: Callable[[], object]) -> float:
    began = time.process_time()
    task()
    return time.process_time() - began


def _database(path: Path, metadata: MetaData) -> Engine:
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    return engine


def _target(engine: Engine, metadata: MetaData) -> Target:
    return Target(url=str(engine.url), models=metadata)


def _run(engine: Engine, script: str) -> None:
    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        connection.executescript(script)


def _alembic(engine: Engine, metadata: MetaData) -> None:
    with engine.connect() as connection:
        compare_metadata(MigrationContext.configure(connection, opts=CONTEXT), metadata)


def _read_and_hash(engine: Engine) -> None:
    with closing(sqlite3.connect(str(engine.url.database))) as connection:
        rows = connection.execute("SELECT * FROM sqlite_schema").fetchall()
    hashlib.sha256(repr(rows).encode()).hexdigest()


def main() -> None:
    found: dict[int, dict[str, float]] = {}
    for tables in SIZES:
        with tempfile.TemporaryDirectory() as directory:
            found[tables] = measure(tables, Path(directory))
    peers = {KNOWN: ALEMBIC_IN_STEP, IN_STEP: ALEMBIC_IN_STEP, DIFFERENT: ALEMBIC_DIFFERENT, PLANNED: ALEMBIC_DIFFERENT}
    print(f"{'CPU ms, in one process':32}" + "".join(f"{tables:>8} tables" for tables in SIZES) + "   100 -> 1000")
    for name in found[SIZES[0]]:
        times = [found[tables][name] for tables in SIZES]
        growth = f"{times[2] / times[1]:>8.1f} x"
        print(f"{name:32}" + "".join(f"{seconds * 1000:>15.1f}" for seconds in times) + growth)
        if name in peers:
            ratios = [found[tables][peers[name]] / found[tables][name] for tables in SIZES]
            print(f"{'  faster than Alembic':32}" + "".join(f"{ratio:>13.1f} x" for ratio in ratios))


if __name__ == "__main__":
    main()
