"""What hypothesis draws: models, what may become of them, rows that fit, and other people's objects.

The strategies are made once and speak of columns and tables by their places; names are put in afterwards. To make
strategies anew for every draw would take longer than the migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from .descriptions import (
    CHECKS,
    COMPUTED,
    DEFAULTS,
    KEYS,
    TERMS,
    TYPES,
    WHERE,
    Col,
    Described,
    Idx,
    Ref,
    Rule,
    Tab,
    Uniq,
    value_columns,
)

T = TypeVar("T")

TABLES = ("t", "p", "Group", 'x "y"', "größe", "a.b", "t_")
COLUMNS = ("a", "B", "desc", "Group", 'x "y"', "größe", "it's", "rowid", "a.b")

Value = None | int | float | str | bytes

USUAL: dict[str, tuple[Value, ...]] = {
    "numbers": (None, 0, 1, 2, 3, 7, -7),
    "texts": (None, "", "x", "y", "it's", "a:b %s \\"),
    "blobs": (None, b"", b"\x00\xff"),
    "dates": (None, "2024-02-29", "2024-02-29 12:30:00.000001"),
    "documents": (None, '{"a": [1, null, "ß"]}', "[]", "null"),
}
ODD: tuple[Value, ...] = (
    *(2**53 + 1, 2**62 + 1, -(2**63), 0.5, 1e300, float("inf"), -0.0, 12345.678),
    *("X", "007", "1", "1.0", "1e3", " 2 ", "NULL", "Füße 漢字 🎉", "two\nlines", "nul\x00inside"),
    *(b"1", b"text", b"\x80"),
)
"""Without the largest integer: whatever follows it as a rowid is chosen at random, or cannot be inserted at all."""
FAMILIES = {
    **dict.fromkeys(("integer", "bigint", "boolean", "numeric", "float", "real"), "numbers"),
    **dict.fromkeys(("text", "varchar", "longer", "nocase", "enum", "uuid", "any"), "texts"),
    **dict.fromkeys(("date", "datetime"), "dates"),
    "blob": "blobs",
    "json": "documents",
}
AROUND = ("view", "view of all", "trigger", "trigger elsewhere", "instead", "child", "search")
"""Objects of other people, by the names that :mod:`.witness` knows them by."""


@dataclass(frozen=True)
class Content:
    """Rows to try, by the name of their table, each with a value for every column. Some will be refused."""

    rows: dict[str, tuple[tuple[Value, ...], ...]]
    around: tuple[str, ...] = ()


@dataclass(frozen=True)
class Upgrade:
    """A database that old models made, with its rows, and the new models."""

    old: Described
    new: Described
    content: Content
    trial: Content
    """Rows that are tried on the database afterwards."""

    @property
    def declared(self) -> set[str]:
        return {table.name for table in (*self.old.tables, *self.new.tables)}

    @property
    def gone(self) -> set[str]:
        return self.declared - {table.name for table in self.new.tables}


def chance(one_in: int) -> SearchStrategy[bool]:
    return st.sampled_from((False,) * (one_in - 1) + (True,))


def some(strategy: SearchStrategy[T], most: int) -> SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


def some_by_name(strategy: SearchStrategy[T], most: int) -> SearchStrategy[tuple[T, ...]]:
    return some(strategy, most).map(lambda items: tuple({item.name: item for item in items}.values()))


def name_of(kind: str) -> SearchStrategy[str | None]:
    return st.sampled_from([None, f"{kind} one", f"{kind}_two"])


PLACE = st.sampled_from(("0", "1", "2", "3", "id"))
"""A column of a table by its place, or the key."""
PLACES = st.lists(PLACE, min_size=1, max_size=2, unique=True).map(tuple)

TWO_TERMS = st.tuples(st.sampled_from(TERMS), st.sampled_from(TERMS))

PLAIN_COLUMN = st.builds(
    Col,
    st.sampled_from(COLUMNS),
    st.sampled_from(list(TYPES)),
    nullable=chance(3).map(lambda rare: not rare),
    default=st.sampled_from((None, None, None, *DEFAULTS)),
    supplied=chance(5).map(lambda rare: not rare),
)
COMPUTED_COLUMN = st.builds(
    Col,
    st.sampled_from(COLUMNS),
    st.sampled_from(list(TYPES)),
    computed=st.sampled_from(list(COMPUTED)),
    of=PLACE,
    stored=st.booleans(),
)
COLUMN = st.sampled_from((PLAIN_COLUMN,) * 6 + (COMPUTED_COLUMN,)).flatmap(lambda kind: kind)
TABLE = st.builds(
    Tab,
    st.just(""),
    key=st.sampled_from(list(KEYS)),
    columns=some_by_name(COLUMN, 4),
    uniques=some(st.builds(Uniq, PLACES, name_of("uq")), 1),
    rules=some(st.builds(Rule, PLACE, st.sampled_from(list(CHECKS)), name_of("ck")), 2),
    indexes=some_by_name(
        st.builds(
            Idx,
            st.tuples(PLACES, st.tuples(*[st.sampled_from(TERMS)] * 2)).map(
                lambda pair: tuple(zip(*pair, strict=False))
            ),
            st.sampled_from(["ix of {}", "ix_{}"]),
            unique=chance(4),
            where=st.sampled_from((None, None, *WHERE)),
        ),
        2,
    ),
    references=some(
        st.builds(
            Ref,
            PLACES,
            st.sampled_from(("0", "1", "2")),
            ondelete=st.sampled_from([None, None, "CASCADE", "SET NULL"]),
            deferred=st.booleans(),
            name=name_of("fk"),
        ),
        2,
    ),
    strict=chance(6),
    without_rowid=chance(5),
)


def named(drawn: Tab, name: str, tables: Sequence[str], others: Sequence[Col] = ()) -> Tab:
    """The drawn table with names in the place of places.

    Args:
        drawn: with the place of a column or a table wherever it speaks of one.
        name: its own name.
        tables: the names of all tables.
        others: what its columns are; those that were drawn when there are none.
    """
    columns = others or drawn.columns

    def at(place: str) -> str:
        return "id" if place == "id" or not columns else columns[int(place) % len(columns)].name

    return replace(
        drawn,
        name=name,
        columns=tuple(replace(column, of=at(column.of)) if column.computed else column for column in drawn.columns),
        uniques=tuple(replace(unique, columns=_once(map(at, unique.columns))) for unique in drawn.uniques),
        rules=tuple(replace(rule, column=at(rule.column)) for rule in drawn.rules),
        indexes=tuple(_index(index, name, at) for index in drawn.indexes),
        references=tuple(
            replace(item, columns=_once(map(at, item.columns)), to=tables[int(item.to) % len(tables)])
            for item in drawn.references
        ),
    )


def _index(index: Idx, table: str, at: Callable[[str], str]) -> Idx:
    """Names of indexes hold in the whole database, so each has its table's in it."""
    terms = {at(place): how for place, how in index.terms}
    return replace(index, name=index.name.format(table), terms=tuple(terms.items()))


def _once(items: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


NAMES = st.lists(st.sampled_from(TABLES), unique=True, min_size=1, max_size=3)
THREE_TABLES = st.lists(TABLE, min_size=3, max_size=3)


@st.composite
def models(draw: DrawFn) -> Described:
    """Up to three tables, which may refer to one another and to themselves in any way."""
    names = draw(NAMES)
    return Described(tuple(named(draw(TABLE), name, names) for name in names))


# -- models that came of other models ----------------------------------------------------------------------------------

RARELY = chance(8)
FATES = st.lists(st.sampled_from(("stays", "stays", "stays", "goes", "changes")), min_size=4, max_size=4)
PARTS = st.sets(st.sampled_from(("key", "columns", "uniques", "rules", "indexes", "references", "options")), max_size=3)


@st.composite
def descendants(draw: DrawFn, old: Described) -> Described:
    """What the models may be a few releases later: each thing stays, goes, is drawn anew, or comes."""
    if draw(RARELY):
        return draw(models())
    kept = [table for table in old.tables if not draw(RARELY)] or list(old.tables[:1])
    come = [name for name in TABLES if old.table(name) is None][: draw(st.integers(0, 4)) // 4]
    known = (*(table.name for table in kept), *come)
    later = [draw(_evolved(table, known)) for table in kept]
    return Described((*later, *(named(draw(TABLE), name, known) for name in come)))


@st.composite
def _evolved(draw: DrawFn, table: Tab, known: tuple[str, ...]) -> Tab:
    parts = draw(PARTS)
    if not parts:
        return table
    drawn = draw(TABLE)
    new = replace(table, columns=_columns_later(draw(FATES), table, drawn)) if "columns" in parts else table
    drawn = named(replace(drawn, columns=()), table.name, known, new.columns)
    for part in parts - {"columns", "options"}:
        new = replace(new, **{part: getattr(drawn, part)})
    return replace(new, strict=drawn.strict, without_rowid=drawn.without_rowid) if "options" in parts else new


def _columns_later(fates: Sequence[str], old: Tab, drawn: Tab) -> tuple[Col, ...]:
    """Each column stays, goes, or is as a drawn one of its name; the other drawn ones come."""
    redrawn = {column.name: column for column in drawn.columns if column.computed is None}
    later: list[Col] = []
    for fate, column in zip(fates, old.columns, strict=False):
        if fate == "stays":
            later.append(column)
        elif fate == "changes":
            later.append(redrawn.get(column.name, replace(column, nullable=not column.nullable)))
    taken = {column.name for column in old.columns}
    return (*later, *(column for name, column in redrawn.items() if name not in taken))


# -- rows --------------------------------------------------------------------------------------------------------------

OTHERS = st.lists(st.sampled_from(AROUND), unique=True, max_size=3).map(tuple)


@st.composite
def upgrades(draw: DrawFn) -> Upgrade:
    old = draw(models())
    new = draw(descendants(old))
    content, trial = draw(st.tuples(_contents(old, 6), _contents(new, 3)))
    return Upgrade(old, new, replace(content, around=draw(OTHERS)), trial)


def _contents(described: Described, most: int) -> SearchStrategy[Content]:
    """Some rows for every table, most of them as one would expect."""
    rows = {table.name: _rows(tuple(type_ for _, type_ in value_columns(table)), most) for table in described.tables}
    return st.fixed_dictionaries(rows).map(Content)


@cache
def _rows(types: tuple[str, ...], most: int) -> SearchStrategy[tuple[tuple[Value, ...], ...]]:
    return some(st.tuples(*map(_values, types)), most)


@cache
def _values(type_: str) -> SearchStrategy[Value]:
    usual = USUAL[FAMILIES[type_]]
    return st.sampled_from(usual * (1 + 60 // len(usual)) + ODD)
