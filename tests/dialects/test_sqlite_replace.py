"""The moment between the end of the standing transaction and the beginning of the copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.conftest import Lab
from trueup import Limits
from trueup.dialects.sqlite import SqliteDialect
from trueup.dialects.sqlite.connection import SqliteConnection
from trueup.errors import DatabaseBusy


@pytest.mark.parametrize("mode", ["wal", "delete", "truncate", "persist"])
def test_a_write_in_between_is_never_lost(lab: Lab, tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes in that moment is either refused by the lock, or makes the restore give way."""
    lab.sql(f"PRAGMA journal_mode = {mode}; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(lab.path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    lab.sql("INSERT INTO t VALUES (2)")
    wrote: list[bool] = []
    rollback = SqliteConnection.rollback

    def meanwhile(connection: SqliteConnection) -> None:
        rollback(connection)
        if not wrote:
            wrote.append(_write(lab.path))

    dialect = SqliteDialect(make_url(lab.url), Path())
    with dialect.standstill(0.2, Limits()) as still:
        monkeypatch.setattr(SqliteConnection, "rollback", meanwhile)
        if mode == "wal":
            with pytest.raises(DatabaseBusy):
                still.replace_with(copy, Limits(), lambda done, total: None)
        else:
            still.replace_with(copy, Limits(), lambda done, total: None)
    assert wrote == [mode == "wal"]
    assert lab.rows("SELECT x FROM t") == ([(1,), (2,), (3,)] if mode == "wal" else [(1,)])


def _write(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=0.1)) as connection:
        try:
            connection.execute("INSERT INTO t VALUES (3)")
            connection.commit()
        except sqlite3.OperationalError:
            return False
        return True
