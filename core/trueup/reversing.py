"""The SQL that takes a plan's structure back, step by step, for the history: to be read, and for a day without trueup.

An undo is planned anew, on the data and the schema as they are then, and brings values back; this brings back none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from trueup.changes import Change, ObjectChange, RenameColumn, RenameTable
from trueup.dialect import Dialect
from trueup.plans import Form, Plan, Step
from trueup.schema import Schema
from trueup.stages.compare import compare, find_unlike

_Numbered = tuple[int, Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """Scripts that each begin and end a transaction of their own."""

    script: str = ""
    """From the plan's expected schema to the live one. Nothing where no script does that, such as for an object that
    only an extension can make."""
    steps: tuple[str, ...] = ()
    """The same in parts, to be run from the last to the first: for each step what takes back its structure, and nothing
    where it changed none, or where there is no script."""


def find_way_back(plan: Plan, dialect: Dialect) -> WayBack:
    """Write the scripts, and run them on an empty copy; what does not lead back there is not told."""
    none = WayBack(steps=("",) * len(plan.steps))
    try:
        taken_back = _take_back(plan, dialect)
        backwards = [step for steps in reversed(taken_back) for step in steps]
        after = dialect.after(plan.expected, [item.sql for step in backwards for item in step.statements])
    except Exception:  # whatever SQLite refuses on the way back, the run itself is not about it
        return none
    if find_unlike(after, plan.live):
        return none
    scripts = [replace(plan, steps=tuple(steps), preamble=dialect.preamble()) for steps in (backwards, *taken_back)]
    whole, *parts = (item.script for item in scripts)
    return WayBack(script=whole, steps=tuple(parts))


def _take_back(plan: Plan, dialect: Dialect) -> list[list[Step]]:
    """For each step what leads from the schema after it to the schema before it."""
    found: dict[int, list[Step]] = {}
    before, layers = plan.live, list(_layers(plan.steps))
    for place, layer in enumerate(layers, 1):
        statements = [item.sql for _, step in layer for item in step.statements]
        last = place == len(layers)
        after = plan.expected if last else dialect.after(before, statements, plan.fills, plan.source)
        written = dialect.write_apart(after, before, list(_inverted(layer, after, before)))
        unproved = ([_without_proofs(step) for step in steps] for steps in written)
        found |= zip((number for number, _ in layer), unproved, strict=True)
        before = after
    return [found[number] for number in range(len(plan.steps))]


def _without_proofs(step: Step) -> Step:
    """Nobody would read the answers of the queries. They may ask tables that come back by an earlier step only."""
    return replace(step, statements=tuple(item for item in step.statements if not item.proves))


def _layers(steps: Sequence[Step]) -> Iterator[list[_Numbered]]:
    """Steps of different tables, which can be taken back apart from one another: so few schemas have to be read, even
    where many tables change."""
    for _, together in groupby(enumerate(steps), key=lambda item: _phase(item[1])):
        layers: defaultdict[int, list[_Numbered]] = defaultdict(list)
        seen: defaultdict[str, int] = defaultdict(int)
        for number, step in together:
            layers[seen[step.table.lower()]].append((number, step))
            seen[step.table.lower()] += 1
        yield from layers.values()


def _phase(step: Step) -> str:
    """What has to be done before the next begins. Between two edits the database does not know its schema."""
    if any(isinstance(change, RenameTable | RenameColumn) for change in step.changes):
        return "rename"
    if any(isinstance(change, ObjectChange) for change in step.changes):
        return "object"
    return "edit" if step.form is Form.SCHEMA_EDIT else "table"


def _inverted(layer: Sequence[_Numbered], after: Schema, before: Schema) -> Iterator[list[Change]]:
    """For each step the changes that take it back. Renames are no differences that could be found."""
    if _phase(layer[0][1]) == "rename":
        for _, step in layer:
            renames = [change for change in step.changes if isinstance(change, RenameTable | RenameColumn)]
            yield [_renamed_back(rename) for rename in reversed(renames)]
        return
    present = {("table", table.name.lower()) for table in after.tables}
    present |= {item.key for item in after.objects if item.kind != "virtual"}
    by_table: defaultdict[str, list[Change]] = defaultdict(list)
    for change in compare(after, before, present):
        by_table[change.table.lower()].append(change)
    yield from (by_table[step.table.lower()] for _, step in layer)


def _renamed_back(change: RenameTable | RenameColumn) -> Change:
    if isinstance(change, RenameColumn):
        return replace(change, column=change.to, to=change.column)
    return replace(change, table=change.to, to=change.table)
