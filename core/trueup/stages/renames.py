"""Which drop and addition may really be one rename? Evidence and a score; the answer is a person's.

Every piece of evidence adds its weight to the score. The weights and thresholds are calibrated on the histories of
public applications: ``tests/corpus/measure_renames.py`` prints what they find and miss there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from trueup.changes import (
    AddCheck,
    AddColumn,
    Change,
    CreateTable,
    DropColumn,
    DropTable,
    RenameColumn,
    RenameTable,
)
from trueup.hazards import Fit
from trueup.names import similarity
from trueup.plans import Evidence, RenameCandidate
from trueup.schema import Check, Column, ForeignKey, Index, PrimaryKey, Schema, Table, Unique

_POSSIBLE = 0.35
"""From this score on a pair is shown to a reviewer."""
_PROBABLE_COLUMN = 0.8
"""From this score on a pair is so probably a rename that nothing is done before somebody answered."""
_PROBABLE_TABLE = 0.75
_BETTER = 0.1
"""A pair is no candidate when both of its names go this much better with others."""
_LEAST_NAME = 0.35
"""Names that are less alike say nothing."""

_SAME_NAME = 0.95
"""From here on names of tables differ in their spelling only: singular and plural, a prefix, an underscore."""
_CROWD = 4
"""Where more columns than this came at one place, the place says nothing."""
_FAMILIES = {"text": ("char", "text", "clob"), "integer": ("int",), "number": ("real", "floa", "doub", "num", "dec")}

Sketch = Callable[[str, str, Column, Collection[str]], Fit]
"""How the values of a table's column go with another column that may hold certain words only (any when empty)."""


def find_renames(
    changes: Sequence[Change],
    live: Schema,
    wanted: Schema,
    sketch: Sketch,
    hinted: Collection[RenameTable | RenameColumn] = (),
) -> tuple[RenameCandidate, ...]:
    """Pairs that may be renames, best first.

    Args:
        changes: the differences.
        live: the schema now.
        wanted: the schema that the models declare.
        sketch: looks at values of the live database.
        hinted: renames that the models speak of, of which not all can be true.
    """
    candidates = [*_columns(changes, live, wanted, sketch), *_tables(changes, live, wanted)]
    named = {(item.table.lower(), getattr(item, "column", None), item.to.lower()) for item in hinted}
    said = [_hinted(item) for item in candidates if _key(item) in named]
    said += [_hinted(_bare(item)) for item in hinted if not any(_same(item, candidate) for candidate in said)]
    others = [item for item in candidates if _key(item) not in named and item.score >= _POSSIBLE]
    return tuple(sorted([*said, *_without_outdone(others)], key=lambda item: -item.score))


def _key(item: RenameCandidate) -> tuple[str, str | None, str]:
    return item.table.lower(), item.column, item.to.lower()


def _same(rename: RenameTable | RenameColumn, candidate: RenameCandidate) -> bool:
    column = rename.column if isinstance(rename, RenameColumn) else None
    return (rename.table.lower(), column, rename.to.lower()) == _key(candidate)


def _bare(rename: RenameTable | RenameColumn) -> RenameCandidate:
    column = rename.column if isinstance(rename, RenameColumn) else None
    return RenameCandidate(table=rename.table, column=column, to=rename.to, score=0, probable=True, evidence=())


def _hinted(item: RenameCandidate) -> RenameCandidate:
    said = Evidence(sentence=f"the models say that {item.to} was called so", weight=1.0)
    return _candidate(item.table, item.column, item.to, [said, *item.evidence])


def _candidate(table: str, column: str | None, to: str, evidence: Sequence[Evidence]) -> RenameCandidate:
    score = min(1.0, sum(item.weight for item in evidence))
    return RenameCandidate(
        table=table,
        column=column,
        to=to,
        score=round(score, 2),
        probable=round(score, 2) >= (_PROBABLE_COLUMN if column else _PROBABLE_TABLE),
        evidence=tuple(item for item in evidence if item.weight),
    )


def _without_outdone(candidates: Sequence[RenameCandidate]) -> Iterator[RenameCandidate]:
    """Crossing pairs are noise where each of the two names has a clearly better partner."""
    for item in candidates:
        rivals = [other for other in candidates if other.table == item.table or not item.column]
        best_old = max(other.score for other in rivals if other.object == item.object)
        best_new = max(
            other.score for other in rivals if other.to == item.to and bool(other.column) == bool(item.column)
        )
        if item.score > min(best_old, best_new) - _BETTER:
            yield item


# -- columns -----------------------------------------------------------------------------------------------------------


def _columns(changes: Sequence[Change], live: Schema, wanted: Schema, sketch: Sketch) -> Iterator[RenameCandidate]:
    for table in dict.fromkeys(change.table for change in changes if isinstance(change, DropColumn)):
        old, new = live.table(table), wanted.table(table)
        ours = [change for change in changes if change.table == table]
        if old is not None and new is not None:
            yield from _columns_of(table, ours, old, new, sketch)


def _columns_of(
    name: str, changes: Sequence[Change], old: Table, new: Table, sketch: Sketch
) -> Iterator[RenameCandidate]:
    gone = [change.old for change in changes if isinstance(change, DropColumn) and not change.old.computed]
    come = [change.new for change in changes if isinstance(change, AddColumn) and not change.new.computed]
    for before in gone:
        for after in come:
            evidence = [
                *_likeness(before, after),
                *_place(before, after, old, new),
                *_followers(before, after, changes),
            ]
            if len(gone) == len(come) == 1:
                evidence.append(Evidence(sentence="no other column left or came", weight=0.05))
            candidate = _candidate(name, before.name, after.name, evidence)
            if candidate.score >= _POSSIBLE:
                yield from _sketched(candidate, before, after, changes, sketch)


def _likeness(old: Column, new: Column) -> Iterator[Evidence]:
    alike = similarity(old.name, new.name)
    if alike >= _LEAST_NAME:
        yield Evidence(sentence=f"the names are {alike:.0%} alike", weight=0.6 * alike)
    if old.type == new.type:
        yield Evidence(sentence=f"same type {old.type}".rstrip(), weight=0.15)
    elif _family(old) == _family(new):
        yield Evidence(sentence=f"the types {old.type} and {new.type} are of one kind", weight=0.05)
    if (old.nullable, old.default, old.collation) == (new.nullable, new.default, new.collation):
        yield Evidence(sentence="same nullability, default and collation", weight=0.05)


def _family(column: Column) -> str:
    """``varchar(20)`` and ``text`` are of one kind, ``integer`` and ``bigint`` of another."""
    words = column.type.canonical
    return next((kind for kind, parts in _FAMILIES.items() if any(part in words for part in parts)), words)


def _place(old: Column, new: Column, before: Table, after: Table) -> Iterator[Evidence]:
    """The weight is shared by all that came at the same place."""
    common = {column.name.lower() for column in before.columns} & {column.name.lower() for column in after.columns}
    place, places = _between(old, before, common), [_between(column, after, common) for column in after.columns]
    if place != _between(new, after, common):
        return
    here = sum(
        1
        for column, found in zip(after.columns, places, strict=True)
        if found == place and column.name.lower() not in common
    )
    if here > _CROWD:
        return
    where = f"after {place[0]}" if place[0] else "at the beginning"
    yield Evidence(sentence=f"both stand {where}", weight=round(0.1 / here, 2))


def _between(column: Column, table: Table, common: Collection[str]) -> tuple[str | None, str | None]:
    """The nearest columns before and after that both tables have."""
    names = [item.name.lower() for item in table.columns]
    index = names.index(column.name.lower())
    previous = next((name for name in reversed(names[:index]) if name in common), None)
    return previous, next((name for name in names[index + 1 :] if name in common), None)


def _followers(old: Column, new: Column, changes: Sequence[Change]) -> Iterator[Evidence]:
    """Keys, indexes and rules that left with the one name and came with the other, and are otherwise the same."""
    gone = [getattr(change, "old", None) for change in changes]
    come = [getattr(change, "new", None) for change in changes]
    names = {old.name.lower(): new.name.lower()}
    left = {
        meaning: thing for thing in gone if (meaning := _meaning(thing, names)) and old.name.lower() in _about(thing)
    }
    found = [left[meaning] for thing in come if (meaning := _meaning(thing, {})) in left]
    kinds = dict.fromkeys(_KINDS[type(thing)] for thing in found if thing is not None)
    if kinds:
        yield Evidence(sentence=f"the {' and the '.join(kinds)} moved along", weight=0.1)


_KINDS: Mapping[type, str] = {
    Index: "index",
    Unique: "unique constraint",
    ForeignKey: "foreign key",
    Check: "CHECK",
    PrimaryKey: "primary key",
}


def _about(thing: object) -> frozenset[str]:
    """Names that the thing mentions, in lower case."""
    match thing:
        case Index(parts=parts) | Unique(parts=parts) | PrimaryKey(parts=parts):
            return frozenset[str]().union(*(part.expression.words for part in parts))
        case ForeignKey(columns=columns):
            return frozenset(name.lower() for name in columns)
        case Check(expression=expression):
            return expression.words
        case _:
            return frozenset()


def _meaning(thing: object, names: Mapping[str, str]) -> tuple[object, ...]:
    """What the thing is, its own name apart, after columns got other names; empty for what is no such thing."""
    match thing:
        case Index(parts=parts, unique=unique, where=where):
            terms = [
                _renamed(f"{part.expression.canonical} {part.descending} {part.collation}", names) for part in parts
            ]
            return Index, unique, *terms, _renamed(where.canonical if where else "", names)
        case Unique(parts=parts) | PrimaryKey(parts=parts):
            return type(thing), *(_renamed(part.expression.canonical, names) for part in parts)
        case ForeignKey(columns=columns):
            mine = tuple(names.get(name.lower(), name.lower()) for name in columns)
            return (
                ForeignKey,
                mine,
                thing.referred_table.lower(),
                tuple(name.lower() for name in thing.referred_columns),
            )
        case Check(expression=expression):
            return Check, _renamed(expression.canonical, names)
        case _:
            return ()


def _renamed(canonical: str, names: Mapping[str, str]) -> str:
    return " ".join(names.get(word, word) for word in canonical.split())


def _sketched(
    candidate: RenameCandidate, old: Column, new: Column, changes: Sequence[Change], sketch: Sketch
) -> Iterator[RenameCandidate]:
    """The candidate after a look at the values; none when they do not go with the new column."""
    words = _allowed_words(new, changes)
    if old.type == new.type and not words:
        yield candidate
        return
    fit = sketch(candidate.table, old.name, new, words)
    kind = "one of the words that its CHECK allows" if words else str(new.type)
    said = [Evidence(sentence=f"every value looked at can be read as {kind}", weight=0.1)] if fit is Fit.TELLING else []
    if fit is not Fit.NONE:
        yield _candidate(candidate.table, candidate.column, candidate.to, [*candidate.evidence, *said])


def _allowed_words(column: Column, changes: Sequence[Change]) -> frozenset[str]:
    """The words of ``CHECK (column IN ('a', 'b'))``, as an enum has it."""
    start = f"{column.name.lower()} in ("
    for change in changes:
        if isinstance(change, AddCheck) and change.new.expression.canonical.startswith(start):
            words = change.new.expression.canonical.removeprefix(start).rstrip(" )").split(" , ")
            return frozenset(word.strip()[1:-1].replace("''", "'") for word in words)
    return frozenset()


# -- tables ------------------------------------------------------------------------------------------------------------


def _tables(changes: Sequence[Change], live: Schema, wanted: Schema) -> Iterator[RenameCandidate]:
    for dropped in (change for change in changes if isinstance(change, DropTable)):
        for added in (change for change in changes if isinstance(change, CreateTable)):
            yield _candidate(
                dropped.old.name, None, added.new.name, [*_table_evidence(dropped.old, added.new, live, wanted)]
            )


def _table_evidence(old: Table, new: Table, live: Schema, wanted: Schema) -> Iterator[Evidence]:
    alike = similarity(old.name, new.name)
    if alike >= _LEAST_NAME:
        weight = 0.35 * alike + (0.1 if alike >= _SAME_NAME else 0.0)
        yield Evidence(sentence=f"the names are {alike:.0%} alike", weight=weight)
    before, after = ({column.name.lower(): column.type for column in table.columns} for table in (old, new))
    common, every = before.keys() & after.keys(), before.keys() | after.keys()
    if common:
        share = len(common) / len(every)
        yield Evidence(sentence=f"{len(common)} of {len(every)} columns are the same", weight=0.45 * share)
    same = [name for name in common if before[name] == after[name]]
    if same:
        yield Evidence(sentence=f"{len(same)} of these have the same type", weight=0.1 * len(same) / len(every))
    children = _children_that_moved(old.name, new.name, live, wanted)
    if children:
        what = "a foreign key" if len(children) == 1 else f"{len(children)} foreign keys"
        yield Evidence(sentence=f"{what} to it of {', '.join(children)} now goes to {new.name}", weight=0.2)


def _children_that_moved(old: str, new: str, live: Schema, wanted: Schema) -> list[str]:
    """Tables with a foreign key to the one in the database, and to the other one in the models."""
    return [
        table.name
        for table in live.tables
        if (declared := wanted.table(table.name)) is not None
        and any(key.referred_table.lower() == old.lower() for key in table.foreign_keys)
        and any(key.referred_table.lower() == new.lower() for key in declared.foreign_keys)
    ]
