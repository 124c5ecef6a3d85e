"""What holds for every database and every models, said once for all tests that make some."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trueup import Plan, Policy, Run, Status, Verdict

from ..conftest import Lab
from . import witness
from .generators import Upgrade


@contextmanager
def built(upgrade: Upgrade) -> Iterator[Lab]:
    """A laboratory with the database that the old models made."""
    with tempfile.TemporaryDirectory() as directory:
        lab = Lab(Path(directory) / "app.db")
        witness.build(lab, upgrade.old, upgrade.content)
        yield lab


def migrate(lab: Lab, upgrade: Upgrade, policy: Policy) -> Run:
    """A run that did not fail: either it was done, or it was refused and nothing was changed."""
    before = lab.path.read_bytes()
    run = lab.migrate(upgrade.new.metadata(), policy=policy, owned_tables=names(upgrade))
    if run.error is not None:
        raise run.error
    if run.plan is not None and run.plan.blocked:
        assert run.status is Status.NEEDS_DECISION
        assert all(item.reason and item.remedy for item in run.plan.blocked)
    if run.operations_executed == 0:
        assert lab.path.read_bytes() == before
    return run


def names(upgrade: Upgrade) -> tuple[str, ...]:
    """The tables that were the models'; a pattern would not take a name with brackets as it is."""
    return tuple(table.name for table in upgrade.old.tables)


def full_leads_to_the_models(upgrade: Upgrade) -> None:
    """Under full a run makes the database the models', or asks and changes nothing; what stays is as it was."""
    with built(upgrade) as lab, tempfile.TemporaryDirectory() as directory:
        before, around = witness.look(lab.path), witness.others(lab, upgrade.declared, upgrade.gone)
        run = migrate(lab, upgrade, Policy.FULL)
        if run.status is Status.NEEDS_DECISION:
            return
        fresh = Lab(Path(directory) / "fresh.db")
        fresh.create(upgrade.new.metadata())
        after = witness.look(lab.path)
        for table in upgrade.new.tables:
            name = table.name.lower()
            if name in before:
                assert witness.lost(before[name], after[name], witness.as_stored(after[name], before[name])) == []
            assert _spelt_alike(lab.structure()[table.name]) == _spelt_alike(fresh.structure()[table.name])
        rows = [(upgrade.new, upgrade.trial), (upgrade.old, upgrade.content)]
        assert witness.behaviour(lab, upgrade.new, rows) == witness.behaviour(fresh, upgrade.new, rows)
        assert witness.others(lab, upgrade.declared, upgrade.gone) == around
        assert lab.rows("PRAGMA integrity_check") == [("ok",)]
        _stays_in_step(lab, upgrade)


def _spelt_alike(structure: dict[str, Any]) -> dict[str, Any]:
    """A column that somebody declared REAL stays so, where models say FLOAT: SQLite stores the same in both."""
    columns = {
        name: ["FLOAT" if type_ == "REAL" else type_, *rest] for name, (type_, *rest) in structure["columns"].items()
    }
    return structure | {"columns": columns}


def _stays_in_step(lab: Lab, upgrade: Upgrade) -> None:
    again = lab.plan(upgrade.new.metadata(), policy=Policy.FULL, owned_tables=names(upgrade))
    assert (again.assessments, again.steps, again.in_step) == ((), (), True)
    assert migrate(lab, upgrade, Policy.FULL).status is Status.IN_SYNC


def safe_loses_nothing(upgrade: Upgrade) -> None:
    """Under safe every value of every table and column is still there, and nothing that it may do is left."""
    with built(upgrade) as lab:
        before, around = witness.look(lab.path), witness.others(lab, upgrade.declared)
        run = migrate(lab, upgrade, Policy.SAFE)
        after = witness.look(lab.path)
        for name, held in before.items():
            assert held.types.keys() <= after[name].types.keys()
            assert witness.lost(held, after[name], witness.lossless(after[name], held)) == []
        assert witness.others(lab, upgrade.declared) == around
        assert lab.rows("PRAGMA integrity_check") == [("ok",)]
        again = lab.plan(upgrade.new.metadata(), policy=Policy.SAFE, owned_tables=names(upgrade))
        assert run.status is Status.NEEDS_DECISION or again.steps == ()


def plans_are_kept(upgrade: Upgrade) -> None:
    """To plan writes nothing and says the same twice; a wider policy does all that a narrower one does; --check tells
    whether a run under full would do or ask anything."""
    with built(upgrade) as lab:
        before = lab.path.read_bytes()
        plans = {policy: _planned_twice(lab, upgrade, policy) for policy in Policy}
        assert lab.path.read_bytes() == before
        assert plans[Policy.CHECK].steps == ()
        assert _applied(plans[Policy.ADDITIVE]) <= _applied(plans[Policy.SAFE]) <= _applied(plans[Policy.FULL])
        full = plans[Policy.FULL]
        assert plans[Policy.CHECK].in_step == (not full.steps and not full.blocked)


def _planned_twice(lab: Lab, upgrade: Upgrade, policy: Policy) -> Plan:
    once, twice = (lab.plan(upgrade.new.metadata(), policy=policy, owned_tables=names(upgrade)) for _ in range(2))
    assert (once.checksum, once.script) == (twice.checksum, twice.script)
    return once


def _applied(plan: Plan) -> set[str]:
    return {item.change.id for item in plan.with_verdict(Verdict.APPLY)}
