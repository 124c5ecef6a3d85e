"""Primary and foreign keys, AUTOINCREMENT, and the options that decide what a row is known by (D4, D5, D10, D11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, PrimaryKeyConstraint, Text

from trueup import Status

from .mutations import ROWS, Mutation, a, key, n, prove, t

if TYPE_CHECKING:
    from ..conftest import Lab

pytestmark = pytest.mark.usefixtures("both_forms")
KEY = "AlterPrimaryKey change primary key t"


def pk(*columns: str, **kw: Any) -> MetaData:
    """The base table, all columns NOT NULL, with the primary key as a constraint of the table."""
    id_ = Column("id", Integer, nullable=False, autoincrement=False)
    key_ = [PrimaryKeyConstraint(*columns, **kw)] if columns else []
    return t(id_, a(nullable=False), n(nullable=False), *key_)


PRIMARY_KEYS = [
    Mutation(
        name="a column added to the key",
        old=pk("id"),
        new=pk("id", "n"),
        rows=ROWS,
        change=KEY,
        takes="INSERT INTO t (id, a, n) VALUES (1, 'again', 99)",
    ),
    Mutation(
        name="a column taken out of the key",
        old=pk("id", "n"),
        new=pk("id"),
        rows=ROWS,
        change=KEY,
        refuses="INSERT INTO t (id, a, n) VALUES (1, 'again', 99)",
    ),
    Mutation(name="the key in another order", old=pk("id", "n"), new=pk("n", "id"), rows=ROWS, change=KEY),
    Mutation(name="another column as the key", old=pk("id"), new=pk("n"), rows=ROWS, change=KEY),
    Mutation(name="a text column as the key", old=pk("id"), new=pk("a"), rows=ROWS, change=KEY),
    Mutation(name="the key removed", old=pk("id"), new=pk(), rows=ROWS, change=KEY),
    Mutation(
        name="a key added",
        old=pk(),
        new=pk("id"),
        rows=ROWS,
        change=KEY,
        refuses="INSERT INTO t (id, a, n) VALUES (1, 'again', 99)",
    ),
    Mutation(
        name="another name for the key", old=pk("id", name="pk_t"), new=pk("id", name="t_pkey"), rows=ROWS, change=KEY
    ),
    Mutation(name="a name for the key", old=pk("id", "n"), new=pk("id", "n", name="pk_t"), rows=ROWS, change=KEY),
    Mutation(
        name="a conflict clause for the key",
        old=pk("id", "n"),
        new=pk("id", "n", sqlite_on_conflict="REPLACE"),
        rows=ROWS,
        change=KEY,
        takes="INSERT INTO t (id, a, n) VALUES (1, 'again', 1)",
    ),
    Mutation(
        name="AUTOINCREMENT added",
        old=t(key(), a(), n()),
        new=t(key(), a(), n(), sqlite_autoincrement=True),
        change=KEY,
    ),
    Mutation(
        name="AUTOINCREMENT removed",
        old=t(key(), a(), n(), sqlite_autoincrement=True),
        new=t(key(), a(), n()),
        change=KEY,
    ),
]

OPTIONS = [
    Mutation(
        name="STRICT added",
        old=t(key(), a(Text), n()),
        new=t(key(), a(Text), n(), sqlite_strict=True),
        change="AlterTableOptions change options t",
        refuses="INSERT INTO t (id, n) VALUES (50, 'no number')",
    ),
    Mutation(
        name="STRICT removed",
        old=t(key(), a(Text), n(), sqlite_strict=True),
        new=t(key(), a(Text), n()),
        change="AlterTableOptions change options t",
        takes="INSERT INTO t (id, n) VALUES (50, 'no number')",
    ),
    Mutation(
        name="WITHOUT ROWID added",
        old=t(key(), a(), n()),
        new=t(key(), a(), n(), sqlite_with_rowid=False),
        change="AlterTableOptions change options t",
        refuses="SELECT rowid FROM t",
    ),
    Mutation(
        name="WITHOUT ROWID removed",
        old=t(key(), a(), n(), sqlite_with_rowid=False),
        new=t(key(), a(), n()),
        change="AlterTableOptions change options t",
        takes="SELECT rowid FROM t",
    ),
]


def family(*constraints: Any, **reference: Any) -> MetaData:
    """Two parents ``p`` and ``q``, and a child ``t`` whose column ``n`` may point to one of them."""
    metadata = MetaData()
    for parent in ("p", "q"):
        t(key(), Column("other", Integer, unique=True), name=parent, metadata=metadata)
    target = reference.pop("to", None)
    column = n(Integer, ForeignKey(target, **reference)) if target else n()
    return t(key(), a(), column, *constraints, metadata=metadata)


FAMILY = """
    INSERT INTO p (id, other) VALUES (1, 10), (2, 20), (10, 1), (20, 2);
    INSERT INTO q (id, other) VALUES (1, 10), (2, 20);
    INSERT INTO t (id, a, n) VALUES (1, 'one', 1), (2, 'zwölf', 2), (3, NULL, NULL);
"""
ORPHAN = "INSERT INTO t (id, n) VALUES (50, 4711)"


def _reference(
    name: str, old: MetaData, new: MetaData, verb: str = "change", label: str = "(n)", **kw: Any
) -> Mutation:
    kind = {"change": "AlterForeignKey", "add": "AddForeignKey", "drop": "DropForeignKey"}[verb]
    return Mutation(name=name, old=old, new=new, rows=FAMILY, change=f"{kind} {verb} foreign key t.{label}", **kw)


FOREIGN_KEYS = [
    _reference("a foreign key added", family(), family(to="p.id"), "add", refuses=ORPHAN),
    _reference("a foreign key removed", family(to="p.id"), family(), "drop", takes=ORPHAN),
    _reference("another parent", family(to="p.id"), family(to="q.id")),
    _reference("another column of the parent", family(to="p.id"), family(to="p.other")),
    _reference(
        "ON DELETE added", family(to="p.id"), family(to="p.id", ondelete="CASCADE"), takes="DELETE FROM p WHERE id = 1"
    ),
    _reference(
        "ON DELETE removed",
        family(to="p.id", ondelete="SET NULL"),
        family(to="p.id"),
        refuses="DELETE FROM p WHERE id = 1",
    ),
    _reference("ON DELETE changed", family(to="p.id", ondelete="SET NULL"), family(to="p.id", ondelete="CASCADE")),
    _reference(
        "ON UPDATE added",
        family(to="p.id"),
        family(to="p.id", onupdate="CASCADE"),
        takes="UPDATE p SET id = 99 WHERE id = 1",
    ),
    _reference("ON UPDATE changed", family(to="p.id", onupdate="CASCADE"), family(to="p.id", onupdate="RESTRICT")),
    _reference(
        "DEFERRABLE added",
        family(to="p.id"),
        family(to="p.id", deferrable=True, initially="DEFERRED"),
        takes="INSERT INTO t (id, n) VALUES (50, 77); INSERT INTO p (id) VALUES (77)",
    ),
    _reference(
        "INITIALLY changed",
        family(to="p.id", deferrable=True, initially="DEFERRED"),
        family(to="p.id", deferrable=True, initially="IMMEDIATE"),
        refuses="INSERT INTO t (id, n) VALUES (50, 77); INSERT INTO p (id) VALUES (77)",
    ),
    _reference("MATCH added", family(to="p.id"), family(to="p.id", match="FULL")),
    _reference("MATCH removed", family(to="p.id", match="FULL"), family(to="p.id")),
    _reference(
        "a name added",
        family(ForeignKeyConstraint(["n"], ["p.id"])),
        family(ForeignKeyConstraint(["n"], ["p.id"], name="fk_t_p")),
        label="fk_t_p",
    ),
    _reference(
        "another name",
        family(ForeignKeyConstraint(["n"], ["p.id"], name="fk_old")),
        family(ForeignKeyConstraint(["n"], ["p.id"], name="fk_new")),
        label="fk_new",
    ),
]


@pytest.mark.parametrize("case", PRIMARY_KEYS, ids=str)
def test_primary_keys(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """The primary key's columns, their order, its name, its conflict clause and AUTOINCREMENT are each found."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", OPTIONS, ids=str)
def test_table_options(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """STRICT and WITHOUT ROWID are found in both directions."""
    prove(case, lab, make_lab)


@pytest.mark.parametrize("case", FOREIGN_KEYS, ids=str)
def test_foreign_keys(case: Mutation, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Everything that a foreign key can say is found when it comes, goes or changes."""
    prove(case, lab, make_lab)


def test_a_composite_foreign_key_is_compared_in_the_order_of_its_columns(lab: Lab) -> None:
    """Which column points to which is part of a foreign key, not only which columns there are."""

    def models(*columns: str) -> MetaData:
        metadata = t(Column("x", Integer, primary_key=True), Column("y", Integer, primary_key=True), name="p")
        return t(
            key(),
            Column("u", Integer),
            Column("v", Integer),
            ForeignKeyConstraint(["u", "v"], columns),
            metadata=metadata,
        )

    lab.create(models("p.x", "p.y"))
    assert [kind for kind, _ in lab.found(models("p.y", "p.x"))] == ["AlterForeignKey"]


def test_a_foreign_key_to_the_table_itself_survives_its_rebuild(lab: Lab) -> None:
    """A table that points to itself still does so after a rebuild, and its rows still fit."""

    def models(**kw: Any) -> MetaData:
        return t(key(), a(**kw), Column("parent", ForeignKey("t.id", ondelete="CASCADE")))

    lab.create(models())
    lab.sql("INSERT INTO t (id, parent) VALUES (1, NULL), (2, 1), (3, 2)")
    assert lab.migrate(models(server_default="x")).status is Status.MIGRATED
    lab.sql("DELETE FROM t WHERE id = 1")
    assert lab.rows("SELECT count(*) FROM t") == [(0,)]


def test_autoincrement_that_comes_knows_the_largest_id(lab: Lab) -> None:
    """AUTOINCREMENT starts from the ids that are there."""
    lab.create(t(key(), a(), n()))
    lab.sql("INSERT INTO t (id) VALUES (41)")
    lab.migrate(t(key(), a(), n(), sqlite_autoincrement=True))
    lab.sql("DELETE FROM t; INSERT INTO t (a) VALUES ('new')")
    assert lab.value("SELECT id FROM t") == 42


def test_two_tables_that_point_to_each_other_are_created(lab: Lab) -> None:
    """A cycle of foreign keys is no obstacle to new tables."""
    metadata = MetaData()
    t(key(), Column("b_id", ForeignKey("b.id", use_alter=True, name="fk_a_b")), name="a", metadata=metadata)
    t(key(), Column("a_id", ForeignKey("a.id")), name="b", metadata=metadata)
    assert lab.migrate(metadata).status is Status.MIGRATED
    assert lab.found(metadata) == []
