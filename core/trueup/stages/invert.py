"""What takes back the changes of a run, found among the differences between the database and how it was before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from trueup.changes import (
    Change,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    DropColumn,
    DropTable,
    RenameColumn,
    RenameTable,
)
from trueup.describing import describe
from trueup.past import Made, made_of
from trueup.schema import Schema, Table, part_columns

_NOUNS = {"Index": "index", "Unique": "unique key", "ForeignKey": "foreign key"}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a change cannot be taken back, and what a person can do."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse:
    """The differences, sorted into those that the run made and those that others made."""

    changes: tuple[Change, ...]
    left: tuple[Change, ...]
    made: Mapping[Change, Made]
    """What each of the changes takes back, where that is known."""


def invert_renames(made: Sequence[Made]) -> tuple[RenameTable | RenameColumn, ...]:
    """The renames that take back those of the run, tables first; columns are named with their table's older name."""
    tables = _old_tables(made)
    backwards = list(reversed(made))
    return (
        *(RenameTable(table=item.to, to=item.table) for item in backwards if item.kind == "RenameTable"),
        *(
            RenameColumn(table=tables.get(item.table.lower(), item.table), column=item.to, to=item.names[0])
            for item in backwards
            if item.kind == "RenameColumn"
        ),
    )


def renames_of(made: Sequence[Made]) -> tuple[RenameTable | RenameColumn, ...]:
    """The renames of the run, tables first; columns are named with their table's newer name."""
    return (
        *(RenameTable(table=item.table, to=item.to) for item in made if item.kind == "RenameTable"),
        *(
            RenameColumn(table=item.table, column=item.names[0], to=item.to)
            for item in made
            if item.kind == "RenameColumn"
        ),
    )


def older_names(made: Sequence[Made]) -> tuple[Made, ...]:
    """The changes that are no renames, in the names that their objects had before the run."""
    tables = _old_tables(made)
    columns = {
        (tables.get(item.table.lower(), item.table).lower(), item.to.lower()): item.names[0]
        for item in made
        if item.kind == "RenameColumn"
    }
    found = []
    for item in made:
        if not item.to:
            table = tables.get(item.table.lower(), item.table)
            named = item.noun in ("column", "values")
            names = (columns.get((table.lower(), name.lower()), name) if named else name for name in item.names)
            found.append(replace(item, table=table, names=tuple(names)))
    return tuple(found)


def _old_tables(made: Sequence[Made]) -> dict[str, str]:
    return {item.to.lower(): item.table for item in made if item.kind == "RenameTable"}


def sort_out(differences: Sequence[Change], made: Sequence[Made], *, all_of_them: bool) -> Inverse:
    """Which of the differences take back what was made.

    Args:
        differences: from the database as it is to the one before the run.
        made: what the run made, in the names of before.
        all_of_them: nothing else happened since, so every difference is the run's.
    """
    pairs = [(change, _partner(change, made)) for change in differences]
    return Inverse(
        changes=tuple(change for change, partner in pairs if partner is not None or all_of_them),
        left=tuple(change for change, partner in pairs if partner is None and not all_of_them),
        made={change: partner for change, partner in pairs if partner is not None},
    )


def _partner(change: Change, made: Sequence[Made]) -> Made | None:
    """Triggers of a dropped table went with it, whoever made them; of rules of one name it is the one that is there."""
    objects = made_of(change, ()).objects
    if isinstance(change, CreateTrigger):
        objects |= {(change.table.lower(), "table", "")}
    found = [item for item in made if item.objects & objects]
    old = getattr(change, "old", None)
    left = describe(old) if old is not None and not isinstance(old, Table) else ""
    return next((item for item in found if left and item.left == left), found[0] if found else None)


def created_by(made: Sequence[Made]) -> frozenset[tuple[str, str]]:
    """Kind and name, in lower case, of the tables, views and triggers that the run made."""
    kinds = {"CreateTable": "table", "CreateView": "view", "CreateTrigger": "trigger"}
    made_whole = (item for item in made if item.kind in kinds)
    return frozenset((kinds[item.kind], (item.names[0] or item.table).lower()) for item in made_whole)


def find_obstacle(change: Change, inverse: Inverse, base: Schema) -> Obstacle | None:
    """What speaks against taking a change back now.

    Args:
        change: one of the changes of ``inverse``.
        inverse: all that would be done.
        base: the database as it is.
    """
    made = inverse.made.get(change)
    obstacles = (
        _changed_since(change, made) if made is not None else None,
        next(_needed_by(change, inverse, base), None),
        next(_taken(change, inverse, base), None),
    )
    return next((item for item in obstacles if item is not None), None)


def _changed_since(change: Change, made: Made) -> Obstacle | None:
    """What was changed after the run is another's: to take it back as well would lose what that one wanted."""
    old = getattr(change, "old", None)
    if old is None or isinstance(old, Table):
        return None
    name = f"{change.table}.{change.label}" if change.label else f"the key of {change.table}"
    remedy = "change it back by hand, or choose the other steps with --steps"
    if not made.left:
        return Obstacle(f"the run dropped {name}, and it is there again", remedy)
    if describe(old) != made.left:
        return Obstacle(f"{name} was changed since the run: it left {made.left}, now it is {describe(old)}", remedy)
    return None


def _needed_by(change: Change, inverse: Inverse, base: Schema) -> Iterator[Obstacle]:
    """What stands on a table or column that goes, and would stay."""
    if not isinstance(change, DropTable | DropColumn):
        return
    going = {(item.kind, item.table.lower(), item.label.lower()) for item in inverse.changes}
    remedy = "undo the step that made it as well, or drop it first"
    for table in base.tables:
        if ("DropTable", table.name.lower(), "") in going:
            continue
        for kind, label, uses in _uses(table):
            stays = not any((f"{verb}{kind}", table.name.lower(), label.lower()) in going for verb in ("Drop", "Alter"))
            if stays and _stands_on(change, table, uses):
                yield Obstacle(f"the {_NOUNS[kind]} {label} of {table.name} needs it", remedy)


def _uses(table: Table) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Kind and label of every index and key, and the tables and columns that it stands on, in lower case."""
    own = table.name.lower()
    for index in table.indexes:
        words = (index.where.words if index.where else frozenset()).union(
            *(part.expression.words for part in index.parts)
        )
        yield "Index", index.name, tuple((own, word) for word in sorted(words))
    for unique in table.uniques:
        label = unique.name or f"({', '.join(unique.columns)})"
        yield "Unique", label, tuple((own, name.lower()) for name in part_columns(unique.parts))
    for key in table.foreign_keys:
        there = key.referred_table.lower()
        label = key.name or f"({', '.join(key.columns)})"
        columns = [(own, name.lower()) for name in key.columns]
        yield "ForeignKey", label, (*columns, (there, ""), *((there, name.lower()) for name in key.referred_columns))


def _stands_on(change: DropTable | DropColumn, table: Table, uses: Sequence[tuple[str, str]]) -> bool:
    if isinstance(change, DropTable):
        return table.name.lower() != change.table.lower() and (change.table.lower(), "") in uses
    return (change.table.lower(), change.label.lower()) in uses


def _taken(change: Change, inverse: Inverse, base: Schema) -> Iterator[Obstacle]:
    """Names that something made since has."""
    if not isinstance(change, CreateTable | CreateIndex):
        return
    indexes = change.new.indexes if isinstance(change, CreateTable) else (change.new,)
    names = {change.table.lower()} if isinstance(change, CreateTable) else set[str]()
    names |= {index.name.lower() for index in indexes}
    going = {(item.table.lower(), item.label.lower()) for item in inverse.changes if item.verb == "drop"}
    present = [(index.name, table.name) for table in base.tables for index in table.indexes]
    present += [(table.name, "") for table in base.tables]
    present += [(item.name, "") for item in base.relations]
    for name, table_name in present:
        gone = {(table_name.lower(), name.lower()), (name.lower(), ""), (table_name.lower(), "")} & going
        if name.lower() in names and not gone:
            yield Obstacle(f"something else has the name {name} now", f"rename or drop {name} first")
