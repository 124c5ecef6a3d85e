"""What rows of tables that stay point to: it must not go with a dropped table or the change of a key.

Foreign keys do not act in a run, and its verification counts the rows that point to nothing. So this is found before,
for all tables of the database, whether they are the models' or other people's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from trueup.changes import AlterColumn, AlterPrimaryKey, Change, DropTable
from trueup.schema import ForeignKey, Schema, Table
from trueup.sight import Sight
from trueup.text import counted


def may_strand(changes: Sequence[Change], live: Schema) -> bool:
    """Whether the changes take away something that a foreign key is about."""
    taken = {item.table.lower() for item in changes if _takes(item)}
    return bool(taken) and any(
        key.referred_table.lower() in taken for table in live.tables for key in table.foreign_keys
    )


def _takes(change: Change) -> TypeGuard[DropTable | AlterPrimaryKey | AlterColumn]:
    retyped = isinstance(change, AlterColumn) and "type" in change.aspects and not change.new.computed
    return retyped or isinstance(change, DropTable | AlterPrimaryKey)


def find_stranding(changes: Sequence[Change], after: Schema, sight: Sight) -> Mapping[Change, str]:
    """The changes after which more rows point to nothing, each with a sentence that says which.

    Args:
        changes: those that are made.
        after: the schema after them.
        sight: what the rules look at.
    """
    found = {change: next(_stranded(change, after, sight), "") for change in changes}
    return {change: sentence for change, sentence in found.items() if sentence}


def _stranded(change: Change, after: Schema, sight: Sight) -> Iterator[str]:
    if not _takes(change):
        return
    for table in after.tables:
        for key in table.foreign_keys:
            if key.referred_table.lower() == change.table.lower():
                rows = _more(change, table, key, sight)
                if rows > 0:
                    yield f"{counted(rows)} in {table.name} would point through ({', '.join(key.columns)}) to nothing"


def _more(change: DropTable | AlterPrimaryKey | AlterColumn, table: Table, key: ForeignKey, sight: Sight) -> int:
    """How many rows more than before point to nothing.

    What points is compared as the column that it points to compares: https://www.sqlite.org/foreignkeys.html#fk_indexes
    """
    old = _before(table, key, sight.live)
    before = sight.untouched.orphans(table.name, old).rows if old is not None and _fits(old) else 0
    if isinstance(change, DropTable):
        return sight.probe.pointing(table.name, key).rows - before
    if isinstance(change, AlterColumn):
        retyped = {change.new.name: change.new.type} if old == key and _fits(key) else {}
        about = change.label.lower() in map(str.lower, key.referred_columns)
        return sight.probe.orphans(table.name, key, retyped).rows - before if about and retyped else 0
    return sight.probe.orphans(table.name, key).rows - before if old != key and _fits(key) else 0


def _fits(key: ForeignKey) -> bool:
    """Whether as many columns are pointed to as point; SQLite finds nothing wrong with the rows of other keys."""
    return len(key.referred_columns) == len(key.columns)


def _before(table: Table, key: ForeignKey, live: Schema) -> ForeignKey | None:
    old = live.table(table.name)
    keys = old.foreign_keys if old is not None else ()
    return next((one for one in keys if (one.columns, one.referred_table) == (key.columns, key.referred_table)), None)
