"""What it costs to apply, beside Alembic's batch mode and the least possible, on one table of a million rows.

Each row of the table is one change, made on a copy of the same file: by trueup with everything that it does around it
(backup, checks of the whole database, checksums, the history), by its steps and proofs alone, by Alembic, which does
nothing of that, and by the bare statements: one ``INSERT .. SELECT`` and its indexes, or the bare edit. Wall clock;
the best of several rounds, in each of which everything has its turn.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
)

from trueup import Policy, Run, Settings, Target, apply, plan
from trueup.work import Work

ROWS = 1_000_000
ROUNDS = 3
BACKUPS = 7
TRUEUP, STEPS, ALEMBIC, FLOOR = "trueup, all of it", "trueup, no backup", "Alembic batch", "the bare statements"
COPY = (
    "CREATE TABLE copy (id INTEGER NOT NULL PRIMARY KEY, customer {customer}, state VARCHAR(12), note TEXT{more})",
    "INSERT INTO copy SELECT * FROM orders",
    "DROP TABLE orders",
    "ALTER TABLE copy RENAME TO orders",
    "CREATE INDEX ix_customer ON orders (customer)",
    "CREATE INDEX ix_state ON orders (state)",
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One change, in everybody's words."""

    models: MetaData
    batch: Callable[[BatchOperations], object]
    bare: tuple[str, ...]
    aim: float
    """How many times faster than Alembic trueup is to be."""


def orders(
    customer: Column[int] | Column[str] | None = None,
    *more: CheckConstraint | UniqueConstraint,
    state: Column[str] | None = None,
) -> MetaData:
    metadata = MetaData()
    Table(
        "orders",
        metadata,
        Column("id", Integer, primary_key=True),
        customer if customer is not None else Column("customer", Integer),
        state if state is not None else Column("state", String(12)),
        Column("note", Text),
        *more,
        Index("ix_customer", "customer"),
        Index("ix_state", "state"),
    )
    return metadata


def edited(old: str, new: str) -> tuple[str, ...]:
    return (
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_schema SET sql = replace(sql, '{old}', '{new}') WHERE name = 'orders'",
        "PRAGMA writable_schema = RESET",
    )


CASES = {
    "UNIQUE: rebuild": Case(
        models=orders(None, UniqueConstraint("id", "customer", name="uq_orders")),
        batch=lambda batch: batch.create_unique_constraint("uq_orders", ["id", "customer"]),
        bare=tuple(
            statement.format(customer="INTEGER", more=", CONSTRAINT uq_orders UNIQUE (id, customer)")
            for statement in COPY
        ),
        aim=1,
    ),
    "another type": Case(
        models=orders(Column("customer", Text)),
        batch=lambda batch: batch.alter_column("customer", type_=Text(), existing_type=Integer()),
        bare=tuple(statement.format(customer="TEXT", more="") for statement in COPY),
        aim=1,
    ),
    "NOT NULL": Case(
        models=orders(Column("customer", Integer, nullable=False)),
        batch=lambda batch: batch.alter_column("customer", nullable=False, existing_type=Integer()),
        bare=("SELECT 1 FROM orders WHERE customer IS NULL", *edited("customer INTEGER", "customer INTEGER NOT NULL")),
        aim=20,
    ),
    "a default": Case(
        models=orders(state=Column("state", String(12), server_default="new")),
        batch=lambda batch: batch.alter_column("state", server_default="new", existing_type=String(12)),
        bare=edited("VARCHAR(12)", "VARCHAR(12) DEFAULT ''new''"),
        aim=20,
    ),
    "a CHECK": Case(
        models=orders(None, CheckConstraint("customer >= 0", name="ck_customer")),
        batch=lambda batch: batch.create_check_constraint("ck_customer", "customer >= 0"),
        bare=(
            "SELECT 1 FROM orders WHERE NOT (customer >= 0)",
            *edited("note TEXT", "note TEXT, CONSTRAINT ck_customer CHECK (customer >= 0)"),
        ),
        aim=20,
    ),
}


def fill(path: Path, rows: int) -> None:
    engine = create_engine(f"sqlite:///{path}")
    orders().create_all(engine)
    engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            f"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT {rows}) INSERT INTO orders"
            " SELECT n, abs(random() % 50000), 'state ' || (n % 7), hex(randomblob(20)) FROM c"
        )
        connection.commit()


@contextmanager
def copied(source: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=source.parent) as directory:
        yield Path(copyfile(source, Path(directory) / "copy.db"))


def by_trueup(path: Path, case: Case, *, backup: bool) -> Run:
    settings = Settings(policy=Policy.FULL, time_limit=600, backup=backup)
    target = Target(url=f"sqlite:///{path}", models=case.models, settings=settings)
    run = apply(plan(target), target)
    assert run.success, run.error
    return run


def by_alembic(path: Path, case: Case) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("orders") as batch:
            case.batch(batch)
    engine.dispose()


def by_hand(path: Path, case: Case) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in case.bare:
            connection.execute(statement).fetchall()
        connection.execute("COMMIT")


def bare_backup(path: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(path.with_suffix(".bare"))) as copy:
        source.backup(copy)


def seconds(source: Path, task: Callable[[Path], object]) -> tuple[float, object]:
    with copied(source) as path:
        began = time.perf_counter()
        result = task(path)
        return time.perf_counter() - began, result


def measure(source: Path, case: Case) -> tuple[dict[str, float], Run]:
    """The best seconds of each way, and the last run with everything."""
    best: dict[str, float] = {}
    tasks: dict[str, Callable[[Path], object]] = {
        TRUEUP: lambda path: by_trueup(path, case, backup=True),
        STEPS: lambda path: by_trueup(path, case, backup=False),
        ALEMBIC: lambda path: by_alembic(path, case),
        FLOOR: lambda path: by_hand(path, case),
    }
    run: object = None
    for _ in range(ROUNDS):
        for name, task in tasks.items():
            took, result = seconds(source, task)
            best[name] = min(best.get(name, took), took)
            run = result if name == TRUEUP else run
    assert isinstance(run, Run)
    return best, run


def shares(run: Run) -> str:
    """Where the seconds of a whole run went."""
    spent = {measured.load.work: measured.seconds for measured in run.measured}
    parts = {
        "backup": spent.get(Work.BACKUP, 0.0),
        "steps": sum(run.step_seconds),
        "checks": spent.get(Work.CHECK, 0.0),
    }
    return ", ".join(f"{name} {100 * took / run.seconds:.0f} %" for name, took in parts.items())


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "source.db"
        fill(source, rows)
        print(f"{rows:,} rows, {source.stat().st_size / 1e6:.0f} MB, seconds")
        for title, case in CASES.items():
            found, run = measure(source, case)
            print(f"\n{title} ({run.plan.steps[0].form if run.plan else ''}; {shares(run)})")
            for name, took in found.items():
                ratio = found[ALEMBIC] / took
                aim = f"   aim {case.aim:g} x" if name == STEPS else ""
                print(f"    {name:22}{took:9.3f}   {ratio:7.1f} x Alembic's speed{aim}")
        print_backup(source)


def print_backup(source: Path) -> None:
    """The two take turns, so that whatever else this machine does is a burden to both."""
    case = CASES["a default"]
    pairs = []
    for _ in range(BACKUPS):
        _, run = seconds(source, lambda path: by_trueup(path, case, backup=True))
        assert isinstance(run, Run)
        made = next(measured.seconds for measured in run.measured if measured.load.work is Work.BACKUP)
        pairs.append((made, seconds(source, bare_backup)[0]))
    made, bare = (min(column) for column in zip(*pairs, strict=True))
    usual = statistics.median(made / bare for made, bare in pairs)
    print(f"\nbackup, read back, checked and on the disk {made:.3f} s, a bare backup call {bare:.3f} s")
    print(f"    best {made / bare:.1f} x, median of {BACKUPS} pairs {usual:.1f} x   aim 2 x")


if __name__ == "__main__":
    main()
