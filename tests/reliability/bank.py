"""A small bank: money moves between accounts, and whatever happens, none of it is lost.

Its database has two states that tests may find, the one of ``OLD`` and the one of ``NEW``; between them lie a rebuild,
an edit of a definition, a column that comes with values, and one that goes with its values.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, Text, UniqueConstraint

from tests.conftest import Lab
from trueup import Policy, Target

ACCOUNTS = 50
START = 1000
"""What every account begins with."""


def _models(*accounts: object, transfers: tuple[object, ...]) -> MetaData:
    metadata = MetaData()
    Table("accounts", metadata, Column("id", Integer, primary_key=True), *accounts)  # type: ignore[arg-type]
    Table(
        "transfers",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("giver", Integer, index=True),
        Column("taker", Integer),
        *transfers,  # type: ignore[arg-type]
    )
    return metadata


OLD = _models(
    Column("owner", String(20)), Column("balance", Integer), transfers=(Column("amount", Integer), Column("note", Text))
)
NEW = _models(
    Column("owner", String(20), nullable=False),
    Column("balance", Integer),
    Column("currency", String(3), nullable=False, server_default="EUR"),
    UniqueConstraint("owner", name="uq_owner"),
    transfers=(Column("amount", Integer), CheckConstraint("amount > 0", name="ck_amount")),
)
THEIRS = """
    CREATE VIEW rich AS SELECT owner FROM accounts WHERE balance > 1000;
    CREATE TABLE audit (what TEXT);
    CREATE INDEX theirs ON audit (what);
    CREATE TRIGGER noted AFTER DELETE ON accounts BEGIN INSERT INTO audit VALUES (old.owner); END;
"""
"""What the application has besides its models."""


def found_bank(lab: Lab, *, journal_mode: str = "DELETE", transfers: int = 4000, note: int = 600) -> None:
    """Make the bank as ``OLD`` says, after so many transfers, with so many letters in the note of each."""
    lab.sql(f"PRAGMA journal_mode = {journal_mode}")
    lab.create(OLD)
    lab.sql(f"""
        {THEIRS}
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {ACCOUNTS})
        INSERT INTO accounts SELECT x, 'owner ' || x, {START} FROM n;
        WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {transfers})
        INSERT INTO transfers
            SELECT x, 1 + x % {ACCOUNTS}, 1 + (x * 7) % {ACCOUNTS}, 1 + x % 9, hex(zeroblob({note // 2})) FROM n;
        UPDATE accounts SET balance = balance
            + (SELECT total(amount) FROM transfers WHERE taker = accounts.id)
            - (SELECT total(amount) FROM transfers WHERE giver = accounts.id);
    """)


def target(lab: Lab, **settings: object) -> Target:
    """To be true to ``NEW``."""
    return lab.target(NEW, **({"policy": Policy.FULL, "time_limit": None} | settings))


def missing_money(path: Path) -> list[tuple[int, int, int]]:
    """Accounts that do not have what their transfers say: id, balance, and what it should be."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return connection.execute(f"""
            SELECT id, balance, should FROM (
                SELECT id, balance, {START}
                    + (SELECT total(amount) FROM transfers WHERE taker = accounts.id)
                    - (SELECT total(amount) FROM transfers WHERE giver = accounts.id) AS should
                FROM accounts
            ) WHERE balance IS NOT should
        """).fetchall()


def transfer(connection: sqlite3.Connection, chance: random.Random) -> None:
    """One transaction of three statements, between which the money is not where it should be."""
    giver, taker = chance.sample(range(1, ACCOUNTS + 1), 2)
    amount = chance.randrange(1, 100)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE accounts SET balance = balance - ? WHERE id = ?", (amount, giver))
    connection.execute("INSERT INTO transfers (giver, taker, amount) VALUES (?, ?, ?)", (giver, taker, amount))
    connection.execute("UPDATE accounts SET balance = balance + ? WHERE id = ?", (amount, taker))
    connection.execute("COMMIT")


def content(lab: Lab) -> str:
    """Everything in the database but trueup's own history."""
    own = ("('table', 'migration_history'", "('index', 'sqlite_autoindex_migration_history", "migration_history: ")
    return "\n".join(line for line in lab.dump().splitlines() if not line.startswith(own))
