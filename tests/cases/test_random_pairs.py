"""Pairs of models that nobody thought of: whatever they are, the promise of the mutation matrix holds for them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from trueup import Policy, Status

from ..conftest import Lab

NAMES = ("a", "b", "desc", "Group", 'x "y"', "größe")
TYPES = (sa.String(20), sa.Text(), sa.Integer(), sa.Numeric(8, 2), sa.String(20, collation="NOCASE"))
DEFAULTS = (None, "", "it's", ":x", sa.text("5"), sa.text("(1 + 1)"), sa.func.current_timestamp())
EXTRAS = ("unique", "check", "index", "partial", "descending", "computed", "foreign key")

Spec = dict[str, Any]

columns = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES), "nullable": st.booleans(), "default": st.sampled_from(DEFAULTS)}
)
tables: st.SearchStrategy[Spec] = st.fixed_dictionaries(
    {
        "columns": st.dictionaries(st.sampled_from(NAMES), columns, min_size=1, max_size=4),
        "extras": st.lists(st.tuples(st.sampled_from(EXTRAS), st.integers(0, 9), st.booleans()), max_size=4),
        "autoincrement": st.booleans(),
    }
)
objects = st.lists(st.sampled_from(("view", "trigger", "index", "child", "history")), unique=True)


def models(spec: Spec) -> MetaData:
    """Models with a parent ``p`` and the table ``t`` that the values describe."""
    metadata = MetaData()
    Table("p", metadata, Column("id", Integer, primary_key=True))
    table = Table("t", metadata, Column("id", Integer, primary_key=True), sqlite_autoincrement=spec["autoincrement"])
    for name, column in spec["columns"].items():
        table.append_column(
            Column(name, column["type"], nullable=column["nullable"], server_default=column["default"], default="0")
        )
    wanted = [
        (kind, list(spec["columns"])[which % len(spec["columns"])], named) for kind, which, named in spec["extras"]
    ]
    for kind, column, named in {item[:2]: item for item in wanted}.values():
        _extra(table, kind, column, named)
    return metadata


def _extra(table: Table, kind: str, column: str, named: bool) -> None:
    term, name = table.c[column], f"{kind} of {column}"
    match kind:
        case "unique":
            table.append_constraint(sa.UniqueConstraint(column, "id", name=name if named else None))
        case "check":
            table.append_constraint(sa.CheckConstraint(term != "a:b", name=name if named else None))
        case "index":
            sa.Index(name, term, unique=False)
        case "partial":
            sa.Index(name, term, sqlite_where=table.c.id > int(named))
        case "descending":
            sa.Index(name, sa.func.lower(term).desc(), "id" if named else term)
        case "computed":
            table.append_column(Column(name, sa.Text, sa.Computed(term + "!", persisted=named)))
        case "foreign key":
            options = {"ondelete": "CASCADE", "name": name} if named else {}
            table.append_column(Column(name, ForeignKey("p.id", **options)))


def populate(lab: Lab, spec: Spec, around: list[str]) -> None:
    """Three rows, and the objects of other people that stand around the table."""
    terms = [f'"{name}"'.replace('x "y"', 'x ""y""') for name in spec["columns"]]
    script = "INSERT INTO p (id) VALUES (1);"
    for row in (1, 2, 7):
        script += f"INSERT INTO t (id, {', '.join(terms)}) VALUES ({row}{', 1' * len(terms)});"
    statements = {
        "view": "CREATE VIEW v AS SELECT * FROM t;",
        "trigger": "CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.id); END;",
        "index": "CREATE INDEX by_hand ON t (id DESC) WHERE id > 5;",
        "child": "CREATE TABLE child (t_id REFERENCES t ON DELETE CASCADE); INSERT INTO child VALUES (1), (7);",
        "history": "",
    }
    lab.sql("CREATE TABLE log (x);" + script + "".join(statements[item] for item in around))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(old=tables, new=tables, around=objects, policy=st.sampled_from([Policy.ADDITIVE, Policy.SAFE, Policy.FULL]))
def test_any_pair_of_models(old: Spec, new: Spec, around: list[str], policy: Policy) -> None:
    """No pair of models makes a run fail, lose a row, or find something left to do that it could have done."""
    note(f"{policy}: {old} -> {new} with {around}")
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory) / "app.db")
        lab.create(models(old))
        populate(lab, old, around)
        before = _kept(lab, around, old, new)
        run = lab.migrate(models(new), policy=policy)
        assert run.error is None
        assert run.status in (Status.MIGRATED, Status.IN_SYNC, Status.NEEDS_DECISION)
        assert _kept(lab, around, old, new) == before
        assert lab.healthy()
        again = lab.plan(models(new), policy=policy)
        assert run.status is Status.NEEDS_DECISION or again.steps == ()
        assert run.status is Status.NEEDS_DECISION or policy is not Policy.FULL or again.in_step


def _kept(lab: Lab, around: list[str], old: Spec, new: Spec) -> Any:
    """Everything that must be the same before and after."""
    shared = ['"' + name.replace('"', '""') + '"' for name in old["columns"] if name in new["columns"]]
    rows = lab.rows(f"SELECT {', '.join(['id', *(f'CAST({name} AS TEXT)' for name in shared)])} FROM t ORDER BY id")
    children = lab.rows("SELECT * FROM child") if "child" in around else []
    names = [name for kind in ("view", "trigger") for name in lab.names(kind)]
    return rows, children, names, lab.rows("SELECT * FROM log")
