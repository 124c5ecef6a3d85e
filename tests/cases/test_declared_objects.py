"""Views, triggers and virtual tables that the models declare: created, changed and dropped; all others kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import DDL, Column, Connection, Integer, MetaData, event

from trueup import Drop, Keep, Policy, Run, Status, Verdict

from .mutations import ROWS, a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab

VIEW = "CREATE VIEW v AS SELECT id, a FROM t WHERE n > 0"
OTHER_VIEW = "CREATE VIEW v AS SELECT id, a, n FROM t WHERE n > 0"
TRIGGER = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = 'new' WHERE id = new.id; END"
OTHER_TRIGGER = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = 'newer' WHERE id = new.id; END"
SEARCH = "CREATE VIRTUAL TABLE search USING fts5(a)"


def base(*more: Any, without: str = "", **kw: Any) -> MetaData:
    columns = [column for column in (key(), a(), n()) if column.name != without]
    return t(*columns, *more, **kw)


def declaring(*statements: str, models: MetaData | None = None) -> MetaData:
    """Models that declare these besides their tables, as a list."""
    models = models if models is not None else base()
    models.info["trueup"] = {"objects": list(statements)}
    return models


# -- the ways to declare them ------------------------------------------------------------------------------------------


def on_metadata() -> MetaData:
    models = base()
    event.listen(models, "after_create", DDL(VIEW))
    return models


def on_the_table() -> MetaData:
    models = base()
    event.listen(models.tables["t"], "after_create", DDL(VIEW).execute_if(dialect="sqlite"))
    return models


def by_a_function() -> MetaData:
    models = base()

    def make(target: MetaData, connection: Connection, **kw: Any) -> None:
        if "v" not in sa.inspect(connection).get_view_names():
            connection.execute(sa.text(VIEW))

    event.listen(models, "after_create", make)
    return models


def for_another_database() -> MetaData:
    models = on_metadata()
    event.listen(models, "after_create", DDL("CREATE MATERIALIZED VIEW m AS SELECT 1").execute_if(dialect="postgresql"))
    return models


def as_a_list() -> MetaData:
    return declaring(VIEW)


WAYS = [on_metadata, on_the_table, by_a_function, for_another_database, as_a_list]


@pytest.mark.parametrize("declare", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("policy", [Policy.ADDITIVE, Policy.SAFE])
def test_created_where_it_is_missing(lab: Lab, declare: Callable[[], MetaData], policy: Policy) -> None:
    """However a view is declared: it is one difference, is created as it stands there, and then nothing differs."""
    lab.create(base())
    assert lab.found(declare()) == [("CreateView", "add view v")]
    assert lab.migrate(declare(), policy=policy).status is Status.MIGRATED
    assert lab.stored("v") == VIEW
    assert lab.found(declare()) == []
    assert lab.migrate(declare(), policy=policy).status is Status.IN_SYNC


@pytest.mark.parametrize("declare", [way for way in WAYS if way is not as_a_list], ids=lambda way: way.__name__)
def test_made_by_create_all(lab: Lab, declare: Callable[[], MetaData]) -> None:
    """A database that create_all made with its listeners is in step with the same models."""
    lab.create(declare())
    assert lab.found(declare()) == []


def test_files_of_statements(lab: Lab, tmp_path: Path) -> None:
    """Statements may stand in files that the settings name, with comments and several in one."""
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "views.sql").write_text(f"-- what is shown; and why\n{VIEW};\n\n{TRIGGER};\n")
    lab.create(base())
    settings = {"base": tmp_path, "objects": (Path("sql/views.sql"),)}
    assert lab.found(base(), **settings) == [("CreateView", "add view v"), ("CreateTrigger", "add trigger t.tr")]
    assert lab.migrate(base(), **settings).status is Status.MIGRATED
    assert (lab.stored("v"), lab.stored("tr")) == (VIEW, TRIGGER)


def test_a_class_mapped_to_a_declared_view(lab: Lab) -> None:
    """Where a class is mapped to a view that the list declares, the view is made and no table."""
    models = t(Column("id", Integer, primary_key=True), a(), name="v", metadata=base())
    assert lab.migrate(declaring(VIEW, models=models)).status is Status.MIGRATED
    assert (lab.names(), lab.names("view")) == (["migration_history", "t"], ["v"])
    assert lab.found(declaring(VIEW, models=models)) == []


# -- what is the same, and what is not ---------------------------------------------------------------------------------

SAME = [
    VIEW.lower().replace("create", "CREATE"),
    'create view "V" as\n\tselect [id], `a` from "t" where (n)>0'.replace("(n)", "n"),
    "CREATE VIEW v AS SELECT id, /* name */ a FROM t -- all\n WHERE n>0",
    "CREATE VIEW IF NOT EXISTS main.v AS SELECT id, a FROM t WHERE n > 0",
]


@pytest.mark.parametrize("sql", SAME)
def test_a_view_in_other_words(lab: Lab, sql: str) -> None:
    """Case, quotes, white space, comments and IF NOT EXISTS are no difference."""
    lab.create(base())
    lab.sql(sql)
    assert lab.found(declaring(VIEW)) == []
    assert lab.migrate(declaring(VIEW)).status is Status.IN_SYNC


def test_a_string_is_compared_by_the_letter(lab: Lab) -> None:
    """The case of a string in a view is a difference."""
    lab.create(base())
    lab.sql("CREATE VIEW v AS SELECT 'x' AS x")
    assert lab.found(declaring("CREATE VIEW v AS SELECT 'X' AS x")) == [("AlterView", "change view v")]


def test_a_change_says_what_differs(lab: Lab) -> None:
    """The sentence shows the words that differ, not the whole definition."""
    lab.create(base())
    lab.sql(VIEW)
    (found,) = lab.plan(declaring(OTHER_VIEW)).assessments
    assert found.change.sentence == "change view v: a -> a, n"


@pytest.mark.parametrize(("old", "new"), [(VIEW, OTHER_VIEW), (TRIGGER, OTHER_TRIGGER)])
def test_changed_under_safe(lab: Lab, old: str, new: str) -> None:
    """A view or a trigger holds no rows, so the policy safe changes it; the policy additive only shows it."""
    lab.create(base())
    lab.sql(old + ";" + ROWS)
    rows = lab.rows("SELECT * FROM t")
    assert lab.migrate(declaring(new), policy=Policy.ADDITIVE).status is Status.NEEDS_DECISION
    assert lab.migrate(declaring(new)).status is Status.MIGRATED
    assert lab.stored("v" if "VIEW" in new else "tr") == new
    assert lab.rows("SELECT * FROM t") == rows
    assert lab.found(declaring(new)) == []


def test_kept_by_a_decision(lab: Lab) -> None:
    """A view that a decision keeps stays as the database has it."""
    lab.create(base())
    lab.sql(VIEW)
    plan = lab.plan(declaring(OTHER_VIEW), decisions=[Keep(table="v")])
    assert (plan.with_verdict(Verdict.KEPT), plan.steps, plan.in_step) == (plan.assessments, (), True)


# -- what left the models ----------------------------------------------------------------------------------------------


def recorded(lab: Lab) -> Run:
    """A database whose view and trigger a run of trueup made."""
    lab.create(base())
    return lab.migrate(declaring(VIEW, TRIGGER))


def test_retired_under_safe(lab: Lab) -> None:
    """A view and a trigger that left the models are kept, and that is in step."""
    recorded(lab)
    run = lab.migrate(base())
    assert (run.status, lab.stored("v"), lab.stored("tr")) == (Status.IN_SYNC, VIEW, TRIGGER)
    assert [item.verdict for item in lab.plan(base()).assessments] == [Verdict.RETIRE, Verdict.RETIRE]


def test_dropped_under_full(lab: Lab) -> None:
    """The policy full drops them, and they are not asked for again."""
    recorded(lab)
    assert lab.found(base()) == [("DropView", "drop view v"), ("DropTrigger", "drop trigger t.tr")]
    assert lab.migrate(base(), policy=Policy.FULL).status is Status.MIGRATED
    assert (lab.names("view"), lab.names("trigger"), lab.found(base())) == ([], [], [])


def test_dropped_by_a_decision(lab: Lab) -> None:
    """A decision drops the one that it names, under the policy safe too."""
    recorded(lab)
    plan = lab.plan(base(), decisions=[Drop(table="t", column="tr")])
    assert [item.change.id for item in plan.with_verdict(Verdict.APPLY)] == ["drop trigger t.tr"]


def test_other_peoples_are_never_dropped(lab: Lab) -> None:
    """What no run knew as declared stays by every policy."""
    lab.create(base())
    lab.sql(f"{VIEW}; {TRIGGER};")
    assert lab.found(base(), policy=Policy.FULL, owned_tables=("*",)) == []


def test_a_trigger_goes_with_its_table(lab: Lab) -> None:
    """Where a table is dropped, so is its trigger, whatever the policy says of the trigger alone."""
    both = t(key(), name="u", metadata=base())
    lab.create(both)
    lab.migrate(declaring("CREATE TRIGGER tu AFTER INSERT ON u BEGIN SELECT 1; END", models=both))
    plan = lab.plan(base(), decisions=[Drop(table="u")])
    assert [item.verdict for item in plan.assessments] == [Verdict.APPLY, Verdict.APPLY]
    assert lab.migrate(base(), policy=Policy.FULL).status is Status.MIGRATED
    assert (lab.names(), lab.names("trigger")) == (["migration_history", "t"], [])


# -- together with their tables ----------------------------------------------------------------------------------------


def test_a_column_that_only_the_changing_view_mentions(lab: Lab) -> None:
    """The view gives way, the column is dropped in place, and the view is made anew."""
    lab.create(base())
    lab.sql(f"{OTHER_VIEW}; {ROWS}")
    models = declaring("CREATE VIEW v AS SELECT id, a FROM t", models=base(without="n"))
    plan = lab.plan(models, policy=Policy.FULL)
    assert [(step.form, step.sentence.split(":")[0]) for step in plan.steps] == [
        ("in place", "drop view v, to be made anew"),
        ("in place", "drop column t.n"),
        ("in place", "change view v"),
    ]
    assert lab.migrate(models, policy=Policy.FULL).status is Status.MIGRATED
    assert lab.value("SELECT count(*) FROM v") == 5


def test_a_column_that_both_the_table_and_the_view_get(lab: Lab) -> None:
    """A view that reads a new column is made after the column."""
    lab.create(base())
    lab.sql(f"{VIEW}; {ROWS}")
    models = declaring(
        "CREATE VIEW v AS SELECT id, extra FROM t",
        "CREATE TRIGGER tr AFTER UPDATE OF extra ON t BEGIN SELECT 1; END",
        models=base(Column("extra", Integer, nullable=False, default=5)),
    )
    assert lab.migrate(models).status is Status.MIGRATED
    assert lab.rows("SELECT DISTINCT extra FROM v") == [(5,)]


def test_a_rebuild_under_declared_objects(lab: Lab) -> None:
    """A table is rebuilt while its view and one trigger change and another person's trigger and view stay."""
    lab.create(base())
    theirs = (
        "CREATE VIEW theirs AS SELECT count(*) AS c FROM t",
        "CREATE TRIGGER their_trigger BEFORE DELETE ON t BEGIN SELECT 1; END",
    )
    lab.sql(f"{VIEW}; {TRIGGER}; {'; '.join(theirs)}; {ROWS}")
    models = declaring(OTHER_VIEW, OTHER_TRIGGER, models=t(key(), a(nullable=False), n(sa.String)))
    run = lab.migrate(models, policy=Policy.FULL)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert [lab.stored(name) for name in ("v", "tr", "theirs", "their_trigger")] == [OTHER_VIEW, OTHER_TRIGGER, *theirs]
    assert lab.found(models) == []


def test_triggers_of_a_view_survive_its_change(lab: Lab) -> None:
    """Dropping a view drops its triggers; those of other people are made again, byte for byte."""
    theirs = "CREATE TRIGGER into_v instead of insert on v BEGIN INSERT INTO t (a) VALUES (new.a); END"
    declared = "CREATE TRIGGER out_of_v INSTEAD OF DELETE ON v BEGIN DELETE FROM t WHERE id = old.id; END"
    lab.create(base())
    lab.sql(f"{VIEW}; {theirs}; CREATE TRIGGER out_of_v INSTEAD OF DELETE ON v BEGIN SELECT 1; END")
    assert lab.migrate(declaring(OTHER_VIEW, declared)).status is Status.MIGRATED
    assert (lab.stored("into_v"), lab.stored("out_of_v")) == (theirs, declared)


def test_views_of_views(lab: Lab) -> None:
    """Views that read one another are created and changed in one run, in whatever order they are declared."""
    upper = "CREATE VIEW upper_v AS SELECT a FROM v WHERE id > 1"
    lab.create(base())
    assert lab.migrate(declaring(upper, VIEW)).status is Status.MIGRATED
    assert lab.migrate(declaring(upper.replace("> 1", "> 2"), OTHER_VIEW)).status is Status.MIGRATED
    assert lab.rows("SELECT * FROM upper_v") == []


def test_objects_of_a_new_table(lab: Lab) -> None:
    """A table, its view and its trigger are made in one run, on an empty database too."""
    assert lab.migrate(declaring(VIEW, TRIGGER)).status is Status.MIGRATED
    assert lab.found(declaring(VIEW, TRIGGER)) == []


def test_a_withheld_column_withholds_its_view(lab: Lab) -> None:
    """What is declared on a column that a decision keeps out is not made either."""
    lab.create(base())
    models = declaring("CREATE VIEW v AS SELECT extra FROM t", models=base(Column("extra", Integer)))
    plan = lab.plan(models, decisions=[Keep(table="t", column="extra")])
    assert [item.verdict for item in plan.assessments] == [Verdict.KEPT, Verdict.KEPT]
    assert plan.assessments[1].reason == "it needs: add column t.extra: INTEGER"


def test_a_trigger_beside_something_withheld(lab: Lab) -> None:
    """A trigger is made on a table of which something else is kept as it is."""
    lab.create(base())
    models = declaring(TRIGGER, models=base(Column("extra", Integer), Column("more", Integer)))
    plan = lab.plan(models, decisions=[Keep(table="t", column="extra")])
    assert [item.change.id for item in plan.with_verdict(Verdict.APPLY)] == ["add column t.more", "add trigger t.tr"]


def test_a_trigger_moves_to_another_table(lab: Lab) -> None:
    """A trigger is known by its name, so one that watches another table is a change."""
    lab.create(t(key(), name="u", metadata=base()))
    lab.sql(TRIGGER)
    models = declaring(
        "CREATE TRIGGER tr AFTER INSERT ON u BEGIN SELECT 1; END", models=t(key(), name="u", metadata=base())
    )
    assert lab.found(models) == [("AlterTrigger", "change trigger u.tr")]
    assert lab.migrate(models).status is Status.MIGRATED


def test_a_renamed_column_in_a_view(lab: Lab) -> None:
    """SQLite renames a column in the views as well; what then is as the models declare it is no difference."""
    lab.create(base())
    lab.sql(f"{VIEW}; {ROWS}")
    models = declaring(
        "CREATE VIEW v AS SELECT id, label FROM t WHERE n > 0",
        models=t(key(), Column("label", sa.String(50), info={"trueup": {"renamed_from": "a"}}), n()),
    )
    run = lab.migrate(models)
    assert run.plan is not None
    assert [step.sentence for step in run.plan.steps] == ["rename column t.a to label"]
    assert lab.rows("SELECT label FROM v WHERE id = 1") == [("one",)]


# -- what cannot be done -----------------------------------------------------------------------------------------------


def blocked(lab: Lab, models: MetaData, policy: Policy = Policy.SAFE) -> list[tuple[str, str]]:
    plan = lab.plan(models, policy=policy)
    before = lab.dump()
    assert lab.migrate(models, policy=policy).status is Status.NEEDS_DECISION
    assert lab.dump() == before
    return [(item.change.id, item.reason) for item in plan.blocked]


def test_a_view_that_does_not_work(lab: Lab) -> None:
    """A declared view that would not work in this database is blocked with SQLite's own reason."""
    lab.create(base())
    assert blocked(lab, declaring("CREATE VIEW v AS SELECT zzz FROM t")) == [
        ("add view v", "it does not work in this database: no such column: zzz")
    ]


def test_a_trigger_that_does_not_work(lab: Lab) -> None:
    """A declared trigger that would make every INSERT fail is blocked."""
    lab.create(base())
    broken = "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO nowhere VALUES (1); END"
    assert blocked(lab, declaring(broken)) == [
        ("add trigger t.tr", "it does not work in this database: no such table: main.nowhere")
    ]


def test_a_view_on_what_only_the_database_has(lab: Lab) -> None:
    """A declared view may read a table that the models do not declare."""
    lab.create(base())
    lab.sql("CREATE TABLE other (x)")
    assert lab.migrate(declaring("CREATE VIEW v AS SELECT x FROM other")).status is Status.MIGRATED


def test_a_view_with_a_function_of_the_application(lab: Lab) -> None:
    """A declared view may call a function that only the application has."""
    lab.create(base())
    models = declaring("CREATE VIEW v AS SELECT my_function(a) AS x FROM t")
    assert lab.migrate(models).status is Status.MIGRATED
    assert lab.found(models) == []


def test_a_view_that_others_read(lab: Lab) -> None:
    """A declared view is not changed under another person's view that needs it as it is."""
    lab.create(base())
    lab.sql(f"{OTHER_VIEW}; CREATE VIEW theirs AS SELECT n FROM v")
    assert blocked(lab, declaring(VIEW)) == [("change view v", "the view theirs needs it")]


def test_a_dropped_view_that_others_read(lab: Lab) -> None:
    """Nor is it dropped under one."""
    recorded(lab)
    lab.sql("CREATE VIEW theirs AS SELECT a FROM v")
    assert blocked(lab, declaring(TRIGGER), policy=Policy.FULL) == [("drop view v", "the view theirs needs it")]


def test_a_view_where_a_table_is(lab: Lab) -> None:
    """Where the database has a table of the view's name, a person must say what becomes of the table."""
    lab.create(t(key(), name="v", metadata=base()))
    assert blocked(lab, declaring(VIEW)) == [("add view v", "the database has something else with the name v")]


def test_a_declared_view_becomes_a_table(lab: Lab) -> None:
    """A view that left the models gives its name to the table that the models declare now."""
    recorded(lab)
    models = declaring(TRIGGER, models=t(key(), name="v", metadata=base()))
    assert lab.migrate(models).status is Status.MIGRATED
    assert (lab.names(), lab.names("view")) == (["migration_history", "t", "v"], [])


# -- virtual tables ----------------------------------------------------------------------------------------------------


def test_a_virtual_table_is_created(lab: Lab) -> None:
    """A full-text index that the models declare is created, and its own tables are nobody's."""
    lab.create(base())
    models = declaring(SEARCH)
    assert lab.found(models) == [("CreateVirtualTable", "add virtual table search")]
    assert lab.migrate(models, policy=Policy.ADDITIVE).status is Status.MIGRATED
    lab.sql("INSERT INTO search VALUES ('some words')")
    assert lab.value("SELECT count(*) FROM search('words')") == 1
    assert (lab.found(models), lab.plan(models).unmanaged) == ([], ())


def test_a_virtual_table_is_never_changed(lab: Lab) -> None:
    """One that is declared otherwise is shown with the reason, keeps its content, and stops nothing else."""
    lab.create(base())
    lab.sql(f"{SEARCH}; INSERT INTO search VALUES ('some words')")
    models = declaring(SEARCH.replace("(a)", "(a, b)"), VIEW)
    run = lab.migrate(models, policy=Policy.FULL)
    assert (run.status, run.exit_code) == (Status.MIGRATED, 1)
    (left,) = lab.plan(models, policy=Policy.FULL).assessments
    assert (left.change.id, left.verdict) == ("change virtual table search", Verdict.BEYOND_POLICY)
    assert "what they hold would be lost" in left.reason
    assert lab.value("SELECT count(*) FROM search('words')") == 1
    assert lab.plan(models, decisions=[Keep(table="search")]).in_step


def test_a_virtual_table_is_never_dropped(lab: Lab) -> None:
    """One that left the models stays, by every policy, and is listed as left alone."""
    lab.create(base())
    lab.migrate(declaring(SEARCH))
    plan = lab.plan(base(), policy=Policy.FULL, owned_tables=("*",))
    assert (plan.assessments, plan.unmanaged) == ((), ("search",))


# -- the start that compares nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("declare", WAYS, ids=lambda way: way.__name__)
def test_the_next_start_knows_by_the_stamp(lab: Lab, declare: Callable[[], MetaData]) -> None:
    """After a run that made everything the next start compares no schemas, with listeners too."""
    lab.migrate(declare())
    assert lab.migrate(declare()).plan is None


def test_a_changed_listener_is_noticed(lab: Lab) -> None:
    """When the code that listens makes another view, the next start finds it, though no table changed."""

    def models(sql: str) -> MetaData:
        made = base()
        event.listen(made, "after_create", lambda target, connection, **kw: connection.execute(sa.text(sql)))
        return made

    lab.migrate(models(VIEW))
    assert lab.migrate(models(OTHER_VIEW)).status is Status.MIGRATED
    assert lab.stored("v") == OTHER_VIEW


def test_a_changed_list_and_a_changed_file_are_noticed(lab: Lab, tmp_path: Path) -> None:
    """The same holds for statements in a list and in a file."""
    file = tmp_path / "more.sql"
    for view, trigger in ((VIEW, TRIGGER), (OTHER_VIEW, TRIGGER), (OTHER_VIEW, OTHER_TRIGGER)):
        file.write_text(trigger)
        assert lab.migrate(declaring(view), objects=(file,)).status is Status.MIGRATED
        assert (lab.stored("v"), lab.stored("tr")) == (view, trigger)


# -- statements that are none of ours ----------------------------------------------------------------------------------

REFUSED = {
    "INSERT INTO t (id) VALUES (1)": "only CREATE can stand in it",
    "DROP TABLE t": "only CREATE can stand in it",
    "ATTACH 'other.db' AS other": "only CREATE can stand in it",
    "PRAGMA foreign_keys = ON": "only CREATE can stand in it",
    "CREATE TEMP VIEW v AS SELECT 1": "only CREATE can stand in it",
    "ALTER TABLE t ADD COLUMN x": "only CREATE can stand in it",
    "SELECT load_extension('x')": "not authorized",
    "VACUUM INTO 'copy.db'": "only CREATE can stand in it",
    "CREAT VIEW v AS SELECT 1": 'near "CREAT": syntax error',
    "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1": "incomplete input",
    "CREATE TRIGGER tr AFTER INSERT ON nowhere BEGIN SELECT 1; END": "no such table: main.nowhere",
}


@pytest.mark.parametrize(("sql", "problem"), REFUSED.items())
def test_refused_statements(lab: Lab, sql: str, problem: str) -> None:
    """Whatever is not CREATE, or is wrong, is told with its place, and nothing is done."""
    lab.create(base())
    run = lab.migrate(declaring(VIEW, f"\n{sql};"))
    assert run.exit_code == 2
    assert f"statement 2 of MetaData, line 2: {problem}" in str(run.error)
    assert lab.names("view") == []


def test_a_missing_file(lab: Lab, tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    run = lab.migrate(base(), objects=(tmp_path / "none.sql",))
    assert (run.exit_code, f"{tmp_path / 'none.sql'} cannot be read" in str(run.error)) == (2, True)


def test_something_else_than_a_list(lab: Lab) -> None:
    """A list that is none is told."""
    models = base()
    models.info["trueup"] = {"objects": [DDL(VIEW)]}
    assert "must be a list of CREATE statements" in str(lab.migrate(models).error)
