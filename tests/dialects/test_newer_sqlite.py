"""The same tests with a SQLite whose ALTER TABLE knows constraints, as the package pysqlite3 brings one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITH_NEWER = """
import sys
import pysqlite3
sys.modules["sqlite3"] = pysqlite3
import pytest
assert pysqlite3.sqlite_version_info >= (3, 53)
raise SystemExit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *sys.argv[1:]]))
"""
TESTS = (
    "tests/dialects/test_sqlite_forms.py",
    "tests/dialects/test_sqlite_layout.py",
    "tests/cases/test_mutation_matrix.py",
    "tests/cases/test_mutation_rules.py",
    "tests/cases/test_mutation_keys.py",
)


def test_a_newer_sqlite() -> None:
    """Every change and every form works where ALTER TABLE can change NOT NULL and CHECK in place."""
    command = [sys.executable, "-c", WITH_NEWER, *TESTS]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
