"""Write renames that all happen at once, although SQLite makes one after the other.

Names may be handed on (``a`` to ``b``, ``b`` to ``c``) or go round in a circle, which takes a free name for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trueup.changes import RenameColumn, RenameTable
from trueup.dialects.sqlite.quoting import quote
from trueup.plans import Form, Statement, Step
from trueup.schema import Schema

_FOR_A_MOMENT = "_trueup_"

Rename = RenameTable | RenameColumn


def rename_steps(renames: Sequence[Rename], live: Schema) -> list[Step]:
    """Steps in an order in which no name is taken twice; tables come before the columns, which know their new names.

    Args:
        renames: tables by the names that they have now, columns by those of their tables afterwards.
        live: the schema around them.
    """
    if not renames:
        return []
    tables = [item for item in renames if isinstance(item, RenameTable)]
    taken = {table.name.lower() for table in live.tables} | {item.name.lower() for item in live.objects}
    taken |= {name.lower() for table in live.tables for name in table.index_names}
    steps = list(_in_order(tables, taken))
    columns: dict[str, list[Rename]] = {}
    for item in renames:
        if isinstance(item, RenameColumn):
            columns.setdefault(item.table.lower(), []).append(item)
    taken = {column.name.lower() for table in live.tables for column in table.columns}
    return steps + [step for group in columns.values() for step in _in_order(group, taken)]


def _in_order(renames: Sequence[Rename], taken: set[str]) -> Iterator[Step]:
    waiting = {_old(item).lower(): item for item in renames}
    taken = taken | waiting.keys() | {item.to.lower() for item in renames}
    while waiting:
        free = next((old for old, item in waiting.items() if item.to.lower() not in waiting), None)
        if free is not None:
            item = waiting.pop(free)
            yield _step([item], _sql(item, _old(item), item.to))
        else:
            yield _circle(_pop_circle(waiting), taken)


def _pop_circle(waiting: dict[str, Rename]) -> list[Rename]:
    """The last one frees the name that the first one gets."""
    circle = [waiting.pop(next(iter(waiting)))]
    while (following := waiting.pop(circle[0].to.lower(), None)) is not None:
        circle.insert(0, following)
    return circle


def _circle(circle: list[Rename], taken: set[str]) -> Step:
    """The last one waits under a free name until its new one is free."""
    last = circle[-1]
    moment = _FOR_A_MOMENT + _old(last)
    while moment.lower() in taken:
        moment += "_"
    others = [_sql(item, _old(item), item.to) for item in circle[:-1]]
    return _step(circle[::-1], _sql(last, _old(last), moment), *others, _sql(last, moment, last.to))


def _old(item: Rename) -> str:
    return item.column if isinstance(item, RenameColumn) else item.table


def _sql(item: Rename, old: str, new: str) -> str:
    if isinstance(item, RenameColumn):
        return f"ALTER TABLE {quote(item.table)} RENAME COLUMN {quote(old)} TO {quote(new)}"
    return f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}"


def _step(renames: Sequence[Rename], *sql: str) -> Step:
    return Step(
        table=renames[0].table,
        sentence="; ".join(item.sentence for item in renames),
        statements=tuple(Statement(sql=text) for text in sql),
        changes=tuple(renames),
        form=Form.IN_PLACE,
        why="SQLite does this in place",
    )
