"""Prove, before the commit, that the run did what its plan says and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from trueup.changes import Change, DropTable, ObjectChange, RenameTable
from trueup.dialect import Connection
from trueup.errors import VerificationFailed
from trueup.plans import Plan
from trueup.run import Receipt
from trueup.schema import Schema
from trueup.text import counted


@dataclass(frozen=True, slots=True)
class Before:
    """What must be known of the database before the first step, to judge it after the last."""

    row_counts: Mapping[str, int]
    violations: Mapping[tuple[str, str], int]
    broken: Collection[str]


def look_before(connection: Connection, plan: Plan) -> Before:
    """Read what :func:`verify` will compare with."""
    touched = [name for name in _survivors(plan) if plan.live.table(name)]
    return Before(
        row_counts={name: connection.count_stored(name) for name in touched},
        violations=connection.foreign_key_violations(),
        broken=connection.broken_objects(),
    )


def verify(
    connection: Connection,
    plan: Plan,
    before: Before,
    proofs: tuple[str, ...],
    leave_out: Sequence[str],
    find_unlike: Callable[[Schema, Schema], Sequence[Change]],
) -> Receipt:
    """Read the database again, inside the transaction, and compare it with the promise of the plan.

    Args:
        connection: with the transaction of the run open.
        plan: what was run.
        before: from :func:`look_before`.
        proofs: sentences that the steps proved.
        leave_out: names of trueup's own tables.
        find_unlike: finds every difference between a schema and what it was to become.

    Raises:
        VerificationFailed: something is not as promised; the caller rolls back.
    """
    after = connection.schema(leave_out=leave_out)
    remaining = find_unlike(after, plan.expected)
    if remaining:
        _fail(f"still to do after the last step: {remaining[0].sentence}")
    names = {change.table.lower(): change.to for change in _changes(plan) if isinstance(change, RenameTable)}
    counts = {name: connection.count_stored(names.get(name.lower(), name)) for name in before.row_counts}
    _check_counts(plan, before, counts, names)
    broken = connection.broken_objects() - set(before.broken)
    if broken:
        _fail(f"the view or trigger {min(broken)} worked before and does not now")
    touched = [names.get(name.lower(), name) for name in _survivors(plan)]
    complaints = connection.integrity(touched)
    if complaints:
        _fail(complaints[0])
    return Receipt(
        remaining_differences=0,
        untouched_objects=_untouched(after, plan),
        row_counts=counts,
        proofs=proofs,
        foreign_key_violations_before=sum(before.violations.values()),
        foreign_key_violations_after=_violations(connection, before, names),
        integrity="ok",
    )


def _check_counts(plan: Plan, before: Before, counts: Mapping[str, int], names: Mapping[str, str]) -> None:
    """As many rows as before, without exactly those that were to go, and with those that were to come back."""
    for name, count in counts.items():
        now = names.get(name.lower(), name).lower()
        gone = sum(deletion.rows for deletion in plan.deletions if deletion.table.lower() == now)
        back = sum(returning.rows for returning in plan.returning if returning.table.lower() == now)
        if count != before.row_counts[name] - gone + back:
            to_go = f", {gone} of which were to go," if gone else f", and {back} were to come back," if back else ""
            _fail(f"{name} had {counted(before.row_counts[name])}{to_go} and has {count}")


def _fail(problem: str) -> None:
    raise VerificationFailed(problem=problem)


def _changes(plan: Plan) -> list[Change]:
    return [change for step in plan.steps for change in step.changes]


def _survivors(plan: Plan) -> list[str]:
    """Tables that the plan touches, and that exist after it, by the name they have before it."""
    old_names = {change.to.lower(): change.table for change in _changes(plan) if isinstance(change, RenameTable)}
    dropped = {change.table.lower() for change in _changes(plan) if isinstance(change, DropTable)}
    changes = [change for change in _changes(plan) if not isinstance(change, ObjectChange)]
    afterwards = (change.to if isinstance(change, RenameTable) else change.table for change in changes)
    names = dict.fromkeys(old_names.get(name.lower(), name) for name in afterwards if name.lower() not in dropped)
    return list(names)


def _untouched(after: Schema, plan: Plan) -> int:
    """How many stored objects the plan does not touch.

    Every object, in the plan or not, must be stored as the plan foresaw it, byte for byte: the plan ran on an empty
    copy of this very schema before.
    """
    expected, found = _stored(plan.expected), _stored(after)
    for kind, name in sorted(expected.keys() | found.keys()):
        if expected.get((kind, name)) != found.get((kind, name)):
            _fail(f"the {kind} {name} is not stored as the plan foresaw it")
    touched = {name for change in _changes(plan) for name in _names(change)}
    tables = [table for table in after.tables if table.name.lower() not in touched]
    objects = set(after.objects) & set(plan.live.objects)
    return len(objects) + sum(len(table.statements) for table in tables)


def _names(change: Change) -> tuple[str, ...]:
    return (change.table.lower(), change.to.lower()) if isinstance(change, RenameTable) else (change.table.lower(),)


def _stored(schema: Schema) -> dict[tuple[str, str], frozenset[str]]:
    stored = {("table", table.name): frozenset(table.statements) for table in schema.tables}
    return stored | {(item.kind, item.name): frozenset([item.sql]) for item in schema.objects}


def _violations(connection: Connection, before: Before, names: Mapping[str, str]) -> int:
    old = {
        (names.get(child.lower(), child).lower(), names.get(parent.lower(), parent).lower()): count
        for (child, parent), count in before.violations.items()
    }
    after = connection.foreign_key_violations()
    for (child, parent), count in after.items():
        if count > old.get((child.lower(), parent.lower()), 0):
            _fail(f"{count} rows of {child} point to rows that {parent} does not have")
    return sum(after.values())
