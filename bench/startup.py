"""What a server pays at launch when its database is in step, against Alembic's own comparison, in one run.

Each number is the CPU time of the cheapest of several fresh processes, so that imports count and noise does not. Prints
a table with the ratio to Alembic's ``compare_metadata``; the last column is the ratio without what importing the models
costs both.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
SIZES = (10, 100, 1000)

MODELS = """
from many_tables import models
metadata = models({tables})
"""

CREATE = """
from sqlalchemy import create_engine
from models import metadata
metadata.create_all(create_engine({url!r}))
"""

ALEMBIC = """
from sqlalchemy import create_engine
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from models import metadata
with create_engine({url!r}).connect() as connection:
    options = {{"compare_type": True, "compare_server_default": True}}
    compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
"""

FLOOR = """
import hashlib, sqlite3
rows = sqlite3.connect({path!r}).execute("SELECT * FROM sqlite_schema").fetchall()
hashlib.sha256(repr(rows).encode()).hexdigest()
"""


def best(command: list[str], directory: Path) -> float:
    """CPU seconds of the cheapest of several runs."""
    times = []
    for _ in range(ROUNDS):
        before = os.times()
        subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(times)


def measure(tables: int, directory: Path) -> None:
    shutil.copy(Path(__file__).with_name("many_tables.py"), directory)
    (directory / "models.py").write_text(MODELS.format(tables=tables))
    path = directory / "app.db"
    url = f"sqlite:///{path}"
    subprocess.run([sys.executable, "-c", CREATE.format(url=url)], cwd=directory, check=True)
    trueup = [sys.executable, "-m", "trueup", "--url", url, "--models", "models:metadata"]
    alembic = best([sys.executable, "-c", ALEMBIC.format(url=url)], directory)
    compared = best([*trueup, "--auto"], directory)
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX ix_0_kind")
    connection.close()
    subprocess.run([*trueup, "--auto", "--time-limit", "0"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    rows = {
        "trueup, known from the last run": best([*trueup, "--auto"], directory),
        "trueup, compared": compared,
        "importing the models only": best([sys.executable, "-c", "import models"], directory),
        "reading and hashing the schema": best([sys.executable, "-c", FLOOR.format(path=str(path))], directory),
    }
    models = rows["importing the models only"]
    print(f"{tables:>6} tables  {'Alembic compare_metadata':32} {alembic * 1000:8.0f} ms")
    for name, seconds in rows.items():
        beyond = f"{(alembic - models) / (seconds - models):6.1f} x" if seconds > models * 1.02 else ""
        print(f"{'':>14}{name:32} {seconds * 1000:8.0f} ms   {alembic / seconds:5.1f} x faster {beyond:>9}")


def main() -> None:
    for tables in SIZES:
        with tempfile.TemporaryDirectory() as directory:
            measure(tables, Path(directory))


if __name__ == "__main__":
    main()
