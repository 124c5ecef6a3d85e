"""An undo takes back what a run did and nothing else: structure and values, and not a row that was written since."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tests.cases import test_mutation_keys, test_mutation_matrix, test_mutation_rules
from tests.cases.mutations import Mutation
from tests.conftest import Lab
from trueup import Policy, Rename, Run, Status, apply, find_backup, past_runs, plan, plan_undo, restore, start, undo
from trueup.errors import AlreadyUndone, NoSuchRun, NotUndoable, SchemaMoved, ValuesGone


def models(*columns: Any, name: str = "t", metadata: MetaData | None = None, **options: Any) -> MetaData:
    """Models with one table that has the key ``id``; with ``metadata``, one table more."""
    metadata = metadata if metadata is not None else MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True), *columns, **options)
    return metadata


def migrate(lab: Lab, wanted: MetaData, *decisions: Any, **settings: Any) -> Run:
    """Everything that the models want, drops included."""
    target = lab.target(wanted, owned_tables=("*",), **settings)
    run = apply(plan(target, policy=Policy.FULL, decisions=decisions), target)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    return run


def take_back(lab: Lab, *arguments: Any, **options: Any) -> Run:
    """Undo, whatever is lost, and see that it is done."""
    run = undo(lab.target(()), *arguments, accept_loss=True, **options)
    blocked = [(item.change.id, item.reason) for item in run.plan.blocked] if run.plan else []
    assert (run.status, run.error, blocked) == (Status.UNDONE, None, [])
    assert lab.healthy()
    return run


def sentences(lab: Lab, *arguments: Any, **options: Any) -> str:
    """All that the plan of an undo says of dangers and hindrances."""
    found = plan_undo(lab.target(()), *arguments, **options)
    said = [hazard.sentence for item in found.assessments for hazard in item.hazards]
    return "\n".join([*said, *(f"{item.reason}; {item.remedy}" for item in found.blocked)])


def states(lab: Lab) -> list[tuple[str, str]]:
    return [(run.kind, run.state) for run in past_runs(lab.target(()))]


# -- whatever the change was -------------------------------------------------------------------------------------------


def mutations() -> Iterator[Mutation]:
    for module in (test_mutation_matrix, test_mutation_keys, test_mutation_rules):
        for value in vars(module).values():
            if isinstance(value, list) and value and isinstance(value[0], Mutation):
                yield from value


def _build(case: Mutation, lab: Lab) -> None:
    if case.ddl:
        lab.sql(case.ddl)
    else:
        lab.create(case.old)
    lab.sql(case.rows)


def _content(case: Mutation, lab: Lab) -> dict[str, list[Any]]:
    return {name: lab.content(name, [column.name for column in table.c]) for name, table in case.old.tables.items()}


@pytest.mark.parametrize("case", list(mutations()), ids=str)
def test_every_kind_of_change(case: Mutation, lab: Lab) -> None:
    """Whatever the change was: after the undo the structure and every value are as before, and a run makes it again."""
    _build(case, lab)
    structure, content = lab.structure(), _content(case, lab)
    lab.migrate(case.new, policy=Policy.FULL, **case.settings)
    take_back(lab)
    assert lab.structure() == structure
    assert _content(case, lab) == content
    assert lab.migrate(case.new, policy=Policy.FULL, **case.settings).status is Status.MIGRATED


@pytest.mark.parametrize("case", list(mutations()), ids=str)
def test_the_undo_of_every_undo(case: Mutation, lab: Lab) -> None:
    """Whatever the change was: an undo that is undone leaves the database as the run left it."""
    _build(case, lab)
    lab.migrate(case.new, policy=Policy.FULL, **case.settings)
    structure, content = lab.structure(), {name: lab.content(name, ["id"]) for name in case.new.tables}
    undone = take_back(lab)
    take_back(lab, undone.id)
    assert lab.structure() == structure
    assert {name: lab.content(name, ["id"]) for name in case.new.tables} == content
    assert states(lab)[-3:] == [("auto", "completed"), ("undo", "undone"), ("undo", "completed")]


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def dropped(lab: Lab) -> Lab:
    """A run dropped a column with values; then a row was written, one was changed and one was deleted."""
    lab.create(models(Column("a", Text), Column("b", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'one', 'x'), (2, 'two', NULL), (3, 'three', 'z')")
    migrate(lab, models(Column("a", Text)))
    lab.sql("INSERT INTO t VALUES (4, 'four'); UPDATE t SET a = 'uno' WHERE id = 1; DELETE FROM t WHERE id = 3")
    return lab


def test_dropped_values_come_back_and_later_rows_stay(dropped: Lab) -> None:
    """A dropped column has its old values again, by key; what was written, changed and deleted since stays so."""
    run = take_back(dropped)
    assert dropped.rows("SELECT id, a, b FROM t") == [(1, "uno", "x"), (2, "two", None), (4, "four", None)]
    assert run.receipt is not None
    assert "every value of t.b that the backup has for a row is back" in run.receipt.proofs


def test_what_later_rows_get_is_said_before(dropped: Lab) -> None:
    """The plan says how many rows were written since, and what they get; nothing is lost, so nobody has to agree."""
    assert "1 row written since the run gets NULL for t.b" in sentences(dropped)
    assert undo(dropped.target(())).status is Status.UNDONE


def test_a_plan_of_an_undo_writes_nothing(dropped: Lab) -> None:
    """To plan an undo changes nothing in the database."""
    before = dropped.dump()
    plan_undo(dropped.target(()))
    assert dropped.dump() == before


@pytest.mark.parametrize("given", ['value = "new"', """sql = "'n' || 'ew' -- they are few\""""])
def test_rows_written_since_need_a_value(lab: Lab, given: str) -> None:
    """Where the column must have a value, later rows hold the undo up until somebody decides on one, as a value or in
    SQL."""
    lab.create(models(Column("b", Text, nullable=False)))
    lab.sql("INSERT INTO t VALUES (1, 'x')")
    migrate(lab, models())
    lab.sql("INSERT INTO t VALUES (2), (3)")
    run = undo(lab.target(()), accept_loss=True)
    assert run.status is Status.NEEDS_DECISION
    assert "2 rows written since the run have no value for t.b" in sentences(lab)
    decided = lab.path.with_name("trueup.toml")
    decided.write_text(f'[[decisions]]\nfill = "t.b"\n{given}\n')
    assert undo(lab.target((), decisions=decided)).status is Status.UNDONE
    assert lab.rows("SELECT id, b FROM t") == [(1, "x"), (2, "new"), (3, "new")]


def test_rows_written_since_get_the_default(lab: Lab) -> None:
    """A column that has a default gives it to the later rows; a NULL from before stays NULL."""
    lab.create(models(Column("b", Text, server_default="new")))
    lab.sql("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    migrate(lab, models())
    lab.sql("INSERT INTO t VALUES (3)")
    take_back(lab)
    assert lab.rows("SELECT id, b FROM t") == [(1, "x"), (2, None), (3, "new")]


def test_values_that_a_type_altered_come_back(lab: Lab) -> None:
    """What a narrower type made of a value is replaced by the value from before, unless somebody changed it since."""
    lab.create(models(Column("a", Text)))
    lab.sql("INSERT INTO t VALUES (1, '007'), (2, '1e3'), (3, 'x'), (4, NULL), (5, '008')")
    migrate(lab, models(Column("a", Integer)))
    lab.sql("UPDATE t SET a = 9 WHERE id = 5; INSERT INTO t VALUES (6, 6)")
    take_back(lab)
    assert lab.rows("SELECT * FROM t") == [(1, "007"), (2, "1e3"), (3, "x"), (4, None), (5, "9"), (6, "6")]


def test_numbers_that_became_text_come_back_with_all_digits(lab: Lab) -> None:
    """A number that lost digits as text has them again."""
    lab.sql("CREATE TABLE t (id INTEGER PRIMARY KEY, a FLOAT); INSERT INTO t VALUES (1, 0.1 + 0.2), (2, 1e300)")
    before = lab.content("t", ["a"])
    migrate(lab, models(Column("a", Text)))
    take_back(lab)
    assert lab.content("t", ["a"]) == before


def test_a_filled_null_is_null_again(lab: Lab) -> None:
    """Rows that the run gave a value because they had none have none again, unless somebody gave them another."""
    lab.create(models(Column("a", Text)))
    lab.sql("INSERT INTO t VALUES (1, NULL), (2, 'x'), (3, NULL)")
    migrate(lab, models(Column("a", Text, nullable=False, server_default="filled")))
    assert lab.value("SELECT count(*) FROM t WHERE a = 'filled'") == 2
    lab.sql("UPDATE t SET a = 'mine' WHERE id = 3")
    take_back(lab)
    assert lab.rows("SELECT * FROM t") == [(1, None), (2, "x"), (3, "mine")]


def test_a_column_that_became_computed_has_its_values_again(lab: Lab) -> None:
    """The plain values of a column that a run made computed come back; later rows keep what was computed."""
    lab.create(models(Column("n", Integer), Column("c", Integer)))
    lab.sql("INSERT INTO t VALUES (1, 1, 100), (2, 2, NULL)")
    migrate(lab, models(Column("n", Integer), Column("c", Integer, Computed("n * 2"))))
    lab.sql("INSERT INTO t (id, n) VALUES (3, 3)")
    take_back(lab)
    assert lab.rows("SELECT * FROM t") == [(1, 1, 100), (2, 2, None), (3, 3, 6)]


# -- which row is which ------------------------------------------------------------------------------------------------

KEYS = {
    "a key of two columns": ("CREATE TABLE t (a TEXT, k INTEGER, b TEXT, PRIMARY KEY (a, k))", {"a", "k"}, {}),
    "a key without rowid": (
        "CREATE TABLE t (a TEXT PRIMARY KEY, k INTEGER, b TEXT) WITHOUT ROWID",
        {"a"},
        {"sqlite_with_rowid": False},
    ),
    "a unique key": ("CREATE TABLE t (a TEXT, k INTEGER, b TEXT, UNIQUE (a))", set(), {}),
    "no key at all": ("CREATE TABLE t (a TEXT, k INTEGER, b TEXT)", set(), {}),
}


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_recognized(lab: Lab, key: str) -> None:
    """By the primary key, else by a unique one, else by the rowid of a row that is as it was."""
    ddl, primary, options = KEYS[key]
    lab.sql(ddl + "; INSERT INTO t VALUES ('x', 1, 'one'), ('y', 2, 'two'), ('z', 3, NULL)")
    metadata = MetaData()
    unique = [UniqueConstraint("a")] if key == "a unique key" else []
    columns = [Column(name, type_, primary_key=name in primary) for name, type_ in (("a", Text), ("k", Integer))]
    Table("t", metadata, *columns, *unique, **options)
    migrate(lab, metadata)
    lab.sql("INSERT INTO t VALUES ('w', 4); DELETE FROM t WHERE a = 'z'")
    take_back(lab)
    assert lab.rows("SELECT a, k, b FROM t ORDER BY k") == [("x", 1, "one"), ("y", 2, "two"), ("w", 4, None)]


def test_a_rowid_that_another_row_got_is_not_taken_for_the_old_row(lab: Lab) -> None:
    """Without a key, a new row with the rowid of a deleted one gets nothing of it."""
    lab.sql("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('x', 'one'), ('y', 'two')")
    metadata = MetaData()
    Table("t", metadata, Column("a", Text))
    migrate(lab, metadata)
    lab.sql("DELETE FROM t WHERE a = 'y'; INSERT INTO t VALUES ('new')")
    take_back(lab)
    assert lab.rows("SELECT a, b FROM t") == [("x", "one"), ("new", None)]


def test_a_key_that_the_run_added_is_no_hindrance(lab: Lab) -> None:
    """Rows of a table that had no key before the run are recognized by their rowids, which the key took over."""
    lab.sql("CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('x', 'one'), ('y', 'two')")
    migrate(lab, models(Column("a", Text)))
    take_back(lab)
    assert lab.rows("SELECT rowid, a, b FROM t") == [(1, "x", "one"), (2, "y", "two")]


def test_nothing_tells_the_rows_apart(lab: Lab) -> None:
    """Where no row can be recognized, the plan says how many values do not come back, and wants a clear yes."""
    lab.sql("CREATE TABLE t (b TEXT); INSERT INTO t VALUES ('one'), (NULL)")
    metadata = MetaData()
    Table("t", metadata, Column("c", Text))
    migrate(lab, metadata)
    assert "1 row had a value for t.b that does not come back" in sentences(lab)
    assert undo(lab.target(())).status is Status.NEEDS_DECISION
    take_back(lab)
    assert lab.rows("SELECT b FROM t") == [(None,), (None,)]


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def family(lab: Lab) -> Lab:
    """Parents with numbered keys, children that point to them, an index, a trigger; then both tables are dropped."""
    lab.sql(
        """
        CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
        CREATE TABLE child (parent_id INTEGER REFERENCES parent ON DELETE CASCADE, n INTEGER,
            twice INTEGER GENERATED ALWAYS AS (n * 2) STORED);
        CREATE INDEX child_n ON child (n DESC) WHERE n > 1;
        CREATE TABLE log (x INTEGER);
        CREATE TRIGGER tr AFTER INSERT ON child BEGIN INSERT INTO log VALUES (new.n); END;
        INSERT INTO parent VALUES (1, 'a'), (7, 'b'), (9, 'c');
        DELETE FROM parent WHERE id = 9;
        INSERT INTO child (rowid, parent_id, n) VALUES (5, 1, 10), (6, 7, 20), (8, NULL, NULL);
        """
    )
    metadata = MetaData()
    Table("log", metadata, Column("x", Integer))
    target = lab.target(metadata, owned_tables=("parent", "child"))
    assert apply(plan(target, policy=Policy.FULL), target).status is Status.MIGRATED
    return lab


def test_dropped_tables_come_back_with_everything(family: Lab) -> None:
    """Rows, hidden rowids, indexes, triggers, the next number: a dropped table is as if it had never gone."""
    assert family.names() == ["log", "migration_history"]
    take_back(family)
    assert family.rows("SELECT rowid, * FROM child") == [(5, 1, 10, 20), (6, 7, 20, 40), (8, None, None, None)]
    assert family.rows("SELECT * FROM parent") == [(1, "a"), (7, "b")]
    assert family.rows("SELECT x FROM log") == [(10,), (20,), (None,)]
    assert family.names("index") == ["child_n"]
    family.sql("INSERT INTO parent (name) VALUES ('next'); INSERT INTO child (n) VALUES (1)")
    assert family.value("SELECT max(id) FROM parent") == 10
    assert family.value("SELECT count(*) FROM log") == 4


def test_a_table_of_that_name_is_there_again(family: Lab) -> None:
    """A dropped table whose name somebody took since does not come back, and the refusal says so."""
    family.sql("CREATE TABLE child (other)")
    with pytest.raises(NotUndoable, match="dropped the table child, and there is one of that name again"):
        plan_undo(family.target(()))


def test_a_name_that_was_taken_since(family: Lab) -> None:
    """An index name that somebody took since holds the undo up, with the name."""
    family.sql("CREATE INDEX child_n ON log (x)")
    assert "something else has the name child_n now" in sentences(family)


def test_rows_that_come_back_need_their_parents(lab: Lab) -> None:
    """Rows of a dropped table that point to rows which were deleted since hold the undo up, with their number."""
    lab.create(models(Column("p", ForeignKey("p.id")), metadata=models(name="p")))
    lab.sql("INSERT INTO p VALUES (1), (2); INSERT INTO t VALUES (1, 1), (2, 2), (3, 2)")
    migrate(lab, models(name="p"))
    lab.sql("DELETE FROM p WHERE id = 2")
    assert "2 rows that come back in t point through (p) to nothing in p" in sentences(lab)
    assert undo(lab.target(()), accept_loss=True).status is Status.NEEDS_DECISION


def test_a_created_table_goes_with_a_yes_only(lab: Lab) -> None:
    """Rows written into a table that the run made are lost by its undo: counted, and not without consent."""
    lab.create(models())
    migrate(lab, models(name="u", metadata=models()))
    lab.sql("INSERT INTO u VALUES (1), (2)")
    assert "deletes 2 rows in table u" in sentences(lab)
    run = undo(lab.target(()))
    assert (run.status, run.exit_code) == (Status.NEEDS_DECISION, 1)
    assert "u" in lab.names()
    take_back(lab)
    assert "u" not in lab.names()


def test_a_created_table_that_others_point_to(lab: Lab) -> None:
    """A table that the run made does not go while one that somebody made since points to it."""
    lab.create(models())
    migrate(lab, models(name="u", metadata=models()))
    lab.sql("CREATE TABLE mine (u_id REFERENCES u)")
    assert "the foreign key (u_id) of mine needs it" in sentences(lab)


# -- renames -----------------------------------------------------------------------------------------------------------


def test_renames_are_taken_back_with_their_values(lab: Lab) -> None:
    """Table and column have their old names again, around other changes of the same table, and keep every row."""
    lab.create(models(Column("a", Text), Column("b", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'x', 'y'); CREATE VIEW v AS SELECT a FROM t")
    before = lab.structure()
    wanted = models(Column("new_a", Text), Column("c", Integer), name="new_t")
    migrate(lab, wanted, Rename(table="t", to="new_t"), Rename(table="new_t", column="a", to="new_a"))
    lab.sql("INSERT INTO new_t VALUES (2, 'since', 5)")
    take_back(lab)
    assert lab.structure() == before
    assert lab.rows("SELECT * FROM t") == [(1, "x", "y"), (2, "since", None)]
    assert lab.rows("SELECT * FROM v") == [("x",), ("since",)]


def test_swapped_names_are_swapped_back(lab: Lab) -> None:
    """Two columns that changed names with each other have their old names again, and so have two tables."""
    old = models(Column("a", Text), metadata=models(Column("x", Text), Column("y", Text), name="u"))
    Table("w", old, Column("id", Integer, primary_key=True), Column("c", Text), Column("d", Integer))
    lab.create(old)
    lab.sql("INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1, 'x', 'y'); INSERT INTO w VALUES (1, 'c', 5)")
    before = lab.structure()
    wanted = models(Column("x", Text), Column("y", Text), metadata=models(Column("a", Text), name="u"))
    Table("w", wanted, Column("id", Integer, primary_key=True), Column("c", Integer), Column("d", Text))
    swaps = [Rename(table="t", to="u"), Rename(table="u", to="t")]
    swaps += [Rename(table="w", column="c", to="d"), Rename(table="w", column="d", to="c")]
    migrate(lab, wanted, *swaps)
    assert lab.rows("SELECT a FROM u") == [("a",)]
    assert lab.rows("SELECT d, c FROM w") == [("c", 5)]
    take_back(lab)
    assert lab.structure() == before
    assert lab.rows("SELECT a FROM t") == [("a",)]
    assert lab.rows("SELECT x, y FROM u") == [("x", "y")]
    assert lab.rows("SELECT c, d FROM w") == [("c", 5)]


def test_declared_views_and_triggers_go_and_come_back(lab: Lab) -> None:
    """What a run made of views and triggers goes with its undo, and what it dropped or changed is as before."""
    old, new = models(Column("a", Text)), models(Column("a", Text))
    trigger = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END"
    old.info["trueup"] = {"objects": ["CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW w AS SELECT id FROM t", trigger]}
    new.info["trueup"] = {"objects": ["CREATE VIEW v AS SELECT id, a FROM t", "CREATE VIEW x AS SELECT id FROM v"]}
    lab.migrate(old)
    lab.sql("INSERT INTO t VALUES (1, 'x')")
    before = [lab.stored(name) for name in ("v", "w", "tr")]
    migrate(lab, new)
    assert (lab.names("view"), lab.names("trigger")) == (["v", "x"], [])
    take_back(lab)
    assert (lab.names("view"), lab.names("trigger")) == (["v", "w"], ["tr"])
    assert [lab.stored(name) for name in ("v", "w", "tr")] == before
    assert lab.plan(old).in_step


def test_a_step_on_a_renamed_table_needs_the_rename(lab: Lab) -> None:
    """A single step on a table that the same run renamed is undone together with the rename."""
    lab.create(models(Column("a", Text)))
    migrate(lab, models(name="new_t"), Rename(table="t", to="new_t"))
    with pytest.raises(NotUndoable, match="rename table t"):
        plan_undo(lab.target(()), steps=[2])


# -- single steps, and what others did ---------------------------------------------------------------------------------


@pytest.fixture
def several(lab: Lab) -> Lab:
    """A run of three steps on three tables."""
    old = models(Column("a", Text), metadata=models(Column("b", Text), name="u"))
    lab.create(old)
    lab.sql("INSERT INTO t VALUES (1, 'x'); INSERT INTO u VALUES (1, 'y')")
    migrate(lab, models(metadata=models(name="u", metadata=models(name="w"))))
    return lab


def test_single_steps(several: Lab) -> None:
    """A step is taken back alone; the others hold, and can be taken back later."""
    numbers = {step.sentence: step.number for step in past_runs(several.target(()))[-1].steps}
    take_back(several, None, [numbers["drop column t.a"]])
    assert several.rows("SELECT * FROM t") == [(1, "x")]
    assert several.rows("SELECT * FROM u") == [(1,)]
    assert states(several) == [("manual", "partly undone"), ("undo", "completed")]
    with pytest.raises(AlreadyUndone, match="was taken back already"):
        plan_undo(several.target(()), steps=[numbers["drop column t.a"]])
    take_back(several)
    assert several.rows("SELECT * FROM u") == [(1, "y")]
    assert "w" not in several.names()
    assert [state for _, state in states(several)] == ["undone", "completed", "completed"]


def test_a_step_that_is_named_twice(several: Lab) -> None:
    """It is taken back once, and as many other steps as it was named hold as before."""
    take_back(several, None, [1, 1, 1])
    (steps,) = [run.steps for run in past_runs(several.target(())) if run.kind == "manual"]
    assert [bool(step.undone_by) for step in steps] == [True, False, False]
    assert states(several)[0] == ("manual", "partly undone")


def test_a_step_that_another_one_needs(lab: Lab) -> None:
    """A column does not go while an index that another step made stands on it."""
    lab.create(models())
    migrate(lab, models(Column("a", Text), Index("t_a", "a")))
    assert "the index t_a of t needs it; undo the step that made it as well" in sentences(lab, steps=[1])
    take_back(lab)


def test_what_others_changed_stays(several: Lab) -> None:
    """A table, a column and an index that somebody made since are not touched."""
    several.sql("ALTER TABLE t ADD COLUMN mine TEXT; CREATE INDEX i ON u (id); CREATE TABLE other (x)")
    several.sql("UPDATE t SET mine = 'm'")
    take_back(several)
    assert several.rows("SELECT id, a, mine FROM t") == [(1, "x", "m")]
    assert several.rows("SELECT * FROM u") == [(1, "y")]
    assert several.names() == ["migration_history", "other", "t", "u"]
    assert several.names("index") == ["i"]


def test_what_others_changed_again_is_not_lost(lab: Lab) -> None:
    """A column that somebody changed after the run is not changed back: the undo says what it is and what it was."""
    lab.create(models(Column("a", String(10))))
    migrate(lab, models(Column("a", String(20))))
    lab.sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '20', '30') WHERE name = 't'")
    assert "it left VARCHAR(20), now it is VARCHAR(30)" in sentences(lab)


def test_what_a_later_run_changed_again_goes_back_first(lab: Lab) -> None:
    """A run whose changes a later one changed again waits for the undo of that one; others do not."""
    lab.create(models(Column("a", String(10)), metadata=models(name="u")))
    first = migrate(lab, models(Column("a", String(20)), metadata=models(Column("b", Text), name="u")))
    later = migrate(lab, models(Column("a", String(30)), metadata=models(Column("b", Text), name="u")))
    with pytest.raises(NotUndoable, match=f"the later run {later.id} changed the same .change column t.a"):
        plan_undo(lab.target(()), first.id)
    number = next(step.number for step in past_runs(lab.target(()))[0].steps if "u.b" in step.sentence)
    take_back(lab, first.id, [number])
    take_back(lab, later.id)
    take_back(lab, first.id)
    assert "VARCHAR(10)" in lab.stored("t")
    assert [state for _, state in states(lab)[:2]] == ["undone", "undone"]


def test_a_view_that_somebody_made_since(lab: Lab) -> None:
    """A column that the run added does not go while a view reads it."""
    lab.create(models())
    migrate(lab, models(Column("a", Text)))
    lab.sql("CREATE VIEW v AS SELECT a FROM t")
    assert "the view v needs it" in sentences(lab)


def test_rules_that_later_rows_break(lab: Lab) -> None:
    """A unique key and a CHECK that come back are asked about the rows as they would be, with values from before."""
    old = models(Column("a", Text, server_default="d"), UniqueConstraint("a"), CheckConstraint("a <> 'no'"))
    lab.create(old)
    lab.sql("INSERT INTO t VALUES (1, 'x')")
    migrate(lab, models())
    lab.sql("INSERT INTO t VALUES (2), (3)")
    assert "2 rows in t share their values of (a)" in sentences(lab)
    assert undo(lab.target(()), accept_loss=True).status is Status.NEEDS_DECISION


def test_the_way_out_is_one(lab: Lab) -> None:
    """Where rows stand against an undo, it does not send anybody to decisions that do not act in one."""
    rules = UniqueConstraint("a"), CheckConstraint("b > 0"), Column("c", Text, nullable=False)
    lab.create(models(Column("a", Text), Column("b", Integer), *rules))
    migrate(lab, models(Column("a", Text), Column("b", Integer), Column("c", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'x', -1, NULL), (2, 'x', 1, 'y')")
    blocked = {item.change.noun: item for item in plan_undo(lab.target(())).blocked}
    assert blocked.keys() == {"column", "check", "unique"}
    assert blocked["column"].remedy == 'decide: fill = "t.c" with value = ... or sql = "..."'
    for noun in ("check", "unique"):
        assert blocked[noun].remedy == "correct these rows first; no decision changes or deletes rows for an undo"
        assert [hazard.repairs for hazard in blocked[noun].hazards] == [()]


def test_triggers_and_views_around_stay(lab: Lab) -> None:
    """Triggers do not fire while values come back, and they and the views are as they were."""
    lab.create(models(Column("a", Text), Column("b", Text)))
    lab.sql(
        "CREATE TABLE log (x); CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES (1, 'x', 'y');"
        "CREATE TRIGGER up AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (new.id); END;"
        "CREATE TRIGGER ins AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END;"
    )
    lab.migrate(models(Column("a", Text)), policy=Policy.FULL)
    take_back(lab)
    assert lab.rows("SELECT * FROM t") == [(1, "x", "y")]
    assert (lab.rows("SELECT * FROM log"), lab.names("trigger"), lab.names("view")) == ([], ["ins", "up"], ["v"])


# -- the history -------------------------------------------------------------------------------------------------------


def test_which_run_is_undone(several: Lab) -> None:
    """Without a name it is the newest run that holds and is no undo; one that was undone is not undone again."""
    first = past_runs(several.target(()))[-1].id
    second = migrate(several, models(Column("n", Integer), metadata=models(name="u", metadata=models(name="w"))))
    assert take_back(several).plan.undoes.run_id == second.id  # type: ignore[union-attr]
    undone = take_back(several)
    assert undone.plan.undoes.run_id == first  # type: ignore[union-attr]
    with pytest.raises(AlreadyUndone, match=f"trueup undo {undone.id}"):
        plan_undo(several.target(()), first)
    with pytest.raises(NoSuchRun, match="no run that could be undone"):
        plan_undo(several.target(()))
    with pytest.raises(NoSuchRun, match=f"The newest are: {undone.id}"):
        plan_undo(several.target(()), "x")
    with pytest.raises(NoSuchRun, match="no step 9"):
        plan_undo(several.target(()), migrate(several, models(name="more")).id, [9])


def test_an_undo_is_undone_as_a_whole(several: Lab) -> None:
    """Single steps of an undo are refused; the undo of it takes back all."""
    undone = take_back(several)
    with pytest.raises(NotUndoable, match="an undo is taken back as a whole"):
        plan_undo(several.target(()), undone.id, [1])


def test_after_an_undo_a_server_migrates_again(dropped: Lab) -> None:
    """The undo says that the next start would make the same changes again; so it does."""
    run = take_back(dropped)
    assert any("make it again at the next trueup --auto" in warning for warning in run.warnings)
    assert dropped.migrate(models(Column("a", Text)), policy=Policy.FULL).status is Status.MIGRATED


def test_a_table_that_came_back_can_be_dropped_again(lab: Lab) -> None:
    """A table that was the models' own before it was dropped is theirs again."""
    lab.create(models())
    migrate(lab, models(name="u", metadata=models()))
    assert lab.migrate(models(), policy=Policy.FULL).status is Status.MIGRATED
    take_back(lab)
    assert lab.found(models()) == [("DropTable", "drop table u")]


def test_a_restore_takes_runs_back_as_well(several: Lab) -> None:
    """Runs that a restore took back are not undone once more; the restore itself is taken back by its own backup."""
    run = past_runs(several.target(()))[-1]
    restored = restore(find_backup(several.target(()), "latest"), several.target(()))
    assert restored.error is None
    assert states(several) == [("manual", "undone"), ("restore", "completed")]
    with pytest.raises(AlreadyUndone):
        plan_undo(several.target(()), run.id)
    with pytest.raises(NotUndoable, match="trueup restore"):
        plan_undo(several.target(()), restored.id)
    assert restored.backup is not None
    restore(restored.backup, several.target(()))
    assert states(several)[0] == ("manual", "completed")
    take_back(several, run.id)


def test_the_history_tells_all_of_a_run(several: Lab) -> None:
    """How each step was done and with which SQL, the proof, and who it was."""
    run = migrate(several, models(Column("n", Text)))
    assert run.plan is not None
    told = past_runs(several.target(()))[-1]
    assert told.receipt == run.receipt
    steps = [(step.sentence, step.sql, step.form) for step in told.steps]
    assert steps == [(step.sentence, step.sql, step.form) for step in run.plan.steps] != []
    assert f"(process {os.getpid()})" in told.performed_by


def test_the_plan_of_an_undo_is_an_undo_whoever_applies_it(several: Lab) -> None:
    """A program that shows the plan first starts exactly that plan, and the history calls it an undo."""
    run = start(plan_undo(several.target(())), several.target(())).wait()
    assert run is not None
    assert run.status is Status.UNDONE
    assert states(several) == [("manual", "undone"), ("undo", "completed")]


def test_the_history_of_an_earlier_version(several: Lab) -> None:
    """A history without the columns that an undo needs is read, told from, and gets them with the next run."""
    run = past_runs(several.target(()))[-1]
    for column in ("changes", "undoes", "objects_before", "form"):
        several.sql(f"ALTER TABLE migration_history DROP COLUMN {column}")
    assert states(several) == [("manual", "completed")]
    with pytest.raises(NotUndoable, match="an older version"):
        plan_undo(several.target(()))
    migrate(several, models(Column("n", Integer)))
    take_back(several)
    with pytest.raises(NotUndoable, match=f"Restore its backup instead: {run.backup_id}"):
        plan_undo(several.target(()))


# -- the backup --------------------------------------------------------------------------------------------------------


def test_a_backup_that_is_gone(dropped: Lab) -> None:
    """Without the backup the undo says what would not come back, and does the rest when told to."""
    find_backup(dropped.target(()), "latest").path.unlink()
    with pytest.raises(ValuesGone, match=r"the file is gone.*the values of t.b would not come back.*--structure-only"):
        undo(dropped.target(()))
    assert "the values that t.b had do not come back" in sentences(dropped, structure_only=True)
    assert undo(dropped.target(()), structure_only=True).status is Status.NEEDS_DECISION
    take_back(dropped, structure_only=True)
    assert dropped.rows("SELECT id, b FROM t") == [(1, None), (2, None), (4, None)]


def test_a_backup_that_was_damaged(dropped: Lab) -> None:
    """A backup that is not what it was gives nothing back."""
    path = find_backup(dropped.target(()), "latest").path
    path.write_bytes(path.read_bytes()[:-100] + b"x" * 100)
    with pytest.raises(ValuesGone, match="is not good: the file changed"):
        plan_undo(dropped.target(()))


def test_a_run_without_a_backup(lab: Lab) -> None:
    """What needs no values is undone without a backup; what does, says so."""
    lab.create(models(Column("a", Text)))
    lab.sql("INSERT INTO t VALUES (1, 'x')")
    migrate(lab, models(Column("a", Text), Column("b", Text)), backup=False)
    take_back(lab)
    assert lab.rows("SELECT * FROM t") == [(1, "x")]
    migrate(lab, models(), backup=False)
    with pytest.raises(ValuesGone, match="none was made for it"):
        plan_undo(lab.target(()))


def test_tables_come_back_empty_without_their_backup(family: Lab) -> None:
    """Where nothing has the rows of a dropped table it comes back empty; that is said, and has to be agreed to."""
    for backup in Path(family.path.parent / ".trueup" / "backups").glob("*.db"):
        backup.unlink()
    with pytest.raises(ValuesGone, match="the rows of table parent"):
        plan_undo(family.target(()))
    assert "the rows that child had do not come back" in sentences(family, structure_only=True)
    take_back(family, structure_only=True)
    assert family.rows("SELECT * FROM child") == []


def test_an_undo_of_the_first_run(lab: Lab) -> None:
    """A run that filled an empty database is undone down to the empty database."""
    assert lab.migrate(models()).status is Status.MIGRATED
    take_back(lab)
    assert lab.names() == ["migration_history"]


# -- safety ------------------------------------------------------------------------------------------------------------

KILLED = """
import sys
from trueup import Settings, Target, undo
print("started", flush=True)
undo(Target(url=sys.argv[1], models=(), settings=Settings()), accept_loss=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment(lab: Lab, seed: int) -> None:
    """After kill -9 in an undo everything is as before it or as after it, and it can be done again."""
    lab.create(models(Column("a", Text), Column("b", Text), metadata=models(Column("x", Text), name="u")))
    many = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) INSERT INTO"
    lab.sql(f"{many} t SELECT i, i, i FROM n; {many} u SELECT i, hex(zeroblob(40)) FROM n")
    before = lab.structure()
    migrate(lab, models(Column("a", Text), Column("c", Text)))
    after = lab.structure()
    process = subprocess.Popen([sys.executable, "-c", KILLED, lab.url], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.1, 1.2))
    process.kill()
    process.wait()
    process.stdout.close()
    undone = lab.structure() == before
    assert undone or lab.structure() == after
    last = past_runs(lab.target(()))[-1]
    assert (last.kind == "undo" and last.completed) == undone
    if not undone:
        take_back(lab)
    assert lab.rows("SELECT count(*), count(b), min(length(b)) FROM t") == [(20000, 20000, 1)]
    assert lab.value("SELECT count(*) FROM u WHERE length(x) = 80") == 20000


def test_a_database_that_moved_meanwhile(dropped: Lab) -> None:
    """The plan of an undo is not applied to another schema than it was made for."""
    found = plan_undo(dropped.target(()))
    dropped.sql("CREATE TABLE other (x)")
    run = apply(found, dropped.target(()))
    assert isinstance(run.error, SchemaMoved)


def test_a_backup_that_was_changed_after_the_plan(dropped: Lab) -> None:
    """Values that are not those of the backup are never committed: the backup is read while the undo runs."""
    found = plan_undo(dropped.target(()))
    assert found.source is not None
    found.source.path.unlink()
    run = apply(found, dropped.target(()))
    assert run.status is Status.UNREADABLE
    assert "b" not in dropped.stored("t").split()
