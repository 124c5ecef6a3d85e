"""Steps for views, triggers and virtual tables: what must be out of the way first, and what is made last."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    AlterTrigger,
    AlterView,
    Change,
    CreateTrigger,
    CreateView,
    CreateVirtualTable,
    DropTrigger,
    DropView,
    ObjectChange,
    RenameColumn,
    RenameTable,
)
from trueup.dialects.sqlite.quoting import quote
from trueup.plans import Form, Statement, Step
from trueup.schema import Schema, StoredObject

_LAST = ("virtual", "view", "trigger")
"""A trigger may watch a view that must be there; nothing else is looked up before it is used."""

_Alter = AlterView | AlterTrigger
_Make = CreateView | CreateTrigger | CreateVirtualTable | AlterView | AlterTrigger


@dataclass(frozen=True, slots=True)
class ObjectSteps:
    first: list[Step]
    """What must be gone before tables change."""
    between: Schema
    """The schema that the tables' steps find."""
    last: list[Step]
    """What is made when the tables are as they are to be."""


def object_steps(live: Schema, changes: Sequence[Change]) -> ObjectSteps:
    """The steps around those of the tables.

    Args:
        live: the schema before them.
        changes: everything that the plan changes.
    """
    in_the_way = list(_in_the_way(changes))
    drops = [change for change in changes if isinstance(change, DropView | DropTrigger)]
    gone = {change.old.key for change in (*in_the_way, *drops)}
    between = replace(live, objects=tuple(item for item in live.objects if item.key not in gone))
    first = [*map(_drop, drops), *map(_make_way, in_the_way)]
    made = [change for change in changes if isinstance(change, _Make)]
    return ObjectSteps(
        first=sorted(first, key=lambda step: not isinstance(step.changes[0], DropTrigger | AlterTrigger)),
        between=between,
        last=[_make(change, between) for change in sorted(made, key=lambda item: _LAST.index(item.new.kind))],
    )


def _in_the_way(changes: Sequence[Change]) -> Iterator[_Alter]:
    """Old definitions that speak of a table that changes, and triggers that would go with a view that is made anew."""
    elsewhere = ObjectChange | RenameTable | RenameColumn
    tables = {change.table.lower() for change in changes if not isinstance(change, elsewhere)}
    views = {change.table.lower() for change in changes if isinstance(change, AlterView)}
    for change in changes:
        if isinstance(change, _Alter):
            spoken_of = tables | views if isinstance(change, AlterTrigger) else tables
            if change.old.definition.words & spoken_of:
                yield change


def _drop(change: DropView | DropTrigger) -> Step:
    return _step(change, [_drop_statement(change.old)])


def _make_way(change: _Alter) -> Step:
    step = _step(change, [_drop_statement(change.old)])
    sentence = f"drop {change.noun} {change.old.name}, to be made anew"
    return replace(step, sentence=sentence, why="it speaks of something that changes")


def _make(change: _Make, found: Schema) -> Step:
    """Triggers of a view go when it is dropped, so those that stay as they are are made again."""
    old = next((item for item in found.objects if item.key == change.new.key), None)
    again = [item.sql for item in found.objects if _watches(item, change)] if isinstance(change, AlterView) else []
    return _step(change, [*([_drop_statement(old)] if old else []), change.new.sql, *again])


def _watches(item: StoredObject, change: AlterView) -> bool:
    return item.kind == "trigger" and item.table.lower() == change.old.name.lower()


def _drop_statement(item: StoredObject) -> str:
    return f"DROP {item.kind.upper()} {quote(item.name)}"


def _step(change: ObjectChange, statements: Collection[str]) -> Step:
    return Step(
        table=change.table,
        sentence=change.sentence,
        statements=tuple(Statement(sql=sql) for sql in statements),
        changes=(change,),
        form=Form.IN_PLACE,
        why="it holds no rows",
    )
