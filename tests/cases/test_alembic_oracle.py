"""Alembic's autogeneration as an oracle: whatever difference it sees, trueup sees as well."""

from __future__ import annotations

import re
import runpy
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

from trueup import Change, Policy, changes

from ..conftest import Lab
from ..corpus.harness import CORPUS, PRESENT, pairs
from ..corpus.harness import Pair as Upgraded
from . import test_mutation_keys as keys
from . import test_mutation_matrix as matrix
from . import test_mutation_rules as rules
from . import test_mutation_words as words
from . import test_silence as silence
from .generators import Upgrade, upgrades
from .mutations import a, key, n, t

MakeLab = Callable[[str], Lab]


@dataclass(frozen=True)
class Difference:
    """One difference in Alembic's words: what it would do, and to what."""

    operation: str
    table: str
    label: str = ""
    """The name of a column or an index; the columns of a constraint, which may have no name."""
    name: str = field(default="", compare=False)
    """The name of a constraint that has one."""


@dataclass(frozen=True)
class Pair:
    """A database and the models that it is compared with."""

    name: str
    old: MetaData | str
    """The models that made the database, or the statements that did."""
    new: MetaData

    def __str__(self) -> str:
        return self.name

    def build(self, lab: Lab) -> None:
        if isinstance(self.old, str):
            lab.sql(self.old)
        else:
            lab.create(self.old)


# -- what Alembic says -------------------------------------------------------------------------------------------------


def alembic_says(lab: Lab, models: MetaData) -> list[Difference]:
    """Everything that Alembic would write into a revision, with its comparisons of types and defaults switched on."""
    engine = sa.create_engine(lab.url)
    try:
        with warnings.catch_warnings(), engine.connect() as connection:
            warnings.simplefilter("ignore")  # of what it knows that it does not compare
            options = {"compare_type": True, "compare_server_default": True}
            found = compare_metadata(MigrationContext.configure(connection, opts=options), models)
    finally:
        engine.dispose()
    return [_difference(item) for item in chain.from_iterable(i if isinstance(i, list) else [i] for i in found)]


def _difference(item: tuple[Any, ...]) -> Difference:
    match item:
        case (operation, Table(name=table)):
            return Difference(operation, table.lower())
        case (operation, Index(name=name, table=Table(name=table))):
            return Difference(operation, table.lower(), str(name).lower())
        case (operation, sa.UniqueConstraint() | sa.ForeignKeyConstraint() as constraint):
            label = _label(constraint.columns.keys())
            return Difference(operation, constraint.table.name.lower(), label, str(constraint.name or ""))
        case (operation, _, str(table), Column(name=name)):
            return Difference(operation, table.lower(), name.lower())
        case (operation, _, str(table), str(name), *_):
            return Difference(operation, table.lower(), name.lower())
    raise AssertionError(f"Alembic has a new word: {item}")


def _label(columns: Iterable[str]) -> str:
    return ", ".join(columns).lower()


# -- what trueup says, in the same words -------------------------------------------------------------------------------

NOUNS = {"table": "table", "column": "column", "index": "index", "unique": "constraint", "foreign key": "fk"}
ASPECTS = {"type": "modify_type", "nullable": "modify_nullable", "default": "modify_default"}


def trueup_says(lab: Lab, models: MetaData) -> set[Difference]:
    """Everything that trueup finds; every table of the database counts as the models', as it does for Alembic."""
    found = lab.plan(models, policy=Policy.CHECK, owned_tables=("*",))
    return set(chain.from_iterable(_in_words_of_alembic(item.change) for item in found.assessments))


def _in_words_of_alembic(change: Change) -> Iterator[Difference]:
    """A change of an index or a constraint is one that goes and one that comes; a table brings its indexes along."""
    table = change.table.lower()
    if isinstance(change, changes.AlterColumn):
        for aspect in ASPECTS.keys() & set(change.aspects):
            yield Difference(ASPECTS[aspect], table, change.label.lower())
    elif change.noun in NOUNS:
        for verb, side in (("add", "new"), ("remove", "old")):
            thing: Any = getattr(change, side, None)
            if thing is not None:
                yield Difference(f"{verb}_{NOUNS[change.noun]}", table, _label_in(change, thing))
                if change.noun == "table":
                    for index in thing.indexes:
                        yield Difference(f"{verb}_index", table, index.name.lower())


def _label_in(change: Change, thing: Any) -> str:
    match change.noun:
        case "table":
            return ""
        case "unique" | "foreign key":
            return _label(thing.columns)
        case _:
            return str(thing.name).lower()


# -- Alembic's false alarms, each with what SQLite itself says to the contrary -----------------------------------------


@dataclass(frozen=True, kw_only=True)
class FalseAlarm:
    """Differences that Alembic reports although the database already does what the models say."""

    reason: str
    operations: tuple[str, ...]
    harmless: Callable[[Difference, Lab, Lab], bool]
    """Whether SQLite makes no difference between the database and a new one of the models; trueup is not asked."""
    old: str
    """A database that raises it."""
    new: MetaData

    def __str__(self) -> str:
        return self.reason


def _table(lab: Lab, item: Difference) -> dict[str, Any]:
    tables: dict[str, dict[str, Any]] = {name.lower(): facts for name, facts in lab.structure().items()}
    return tables[item.table]


def _column(lab: Lab, item: Difference) -> Any:
    """Type, NOT NULL, default, place in the key, and whether it is hidden."""
    return {name.lower(): facts for name, facts in _table(lab, item)["columns"].items()}[item.label]


def _same_declared_type(item: Difference, live: Lab, fresh: Lab) -> bool:
    before, after = (str(_column(lab, item)[0]).lower().replace(" ", "") for lab in (live, fresh))
    return before == after


ONE_KIND = (
    {"INTEGER", "BIGINT", "SMALLINT", "INT8"},
    {"VARCHAR", "TEXT", "CHAR", "NVARCHAR", "CHARACTER VARYING"},
    {"FLOAT", "DOUBLE", "REAL", "DOUBLE PRECISION"},
    {"DATETIME", "TIMESTAMP"},
)
"""Names of types that say no more than which values SQLite prefers."""


def _same_kind_of_type(item: Difference, live: Lab, fresh: Lab) -> bool:
    """The names mean one thing, the lengths are equal, no rowid is at stake, and SQLite stores every value alike."""
    (before, *_, old_key, _), (after, *_, new_key, _) = (_column(lab, item) for lab in (live, fresh))
    (old, old_length), (new, new_length) = (type_.upper().partition("(")[::2] for type_ in (before, after))
    named = any({old.strip(), new.strip()} <= kind for kind in ONE_KIND)
    return named and (old_length, old_key, new_key) == (new_length, 0, 0) and _stored_alike(live, before, after)


def _stored_alike(lab: Lab, *types: str) -> bool:
    values = "VALUES ('007'), ('1.50'), ('abc'), (5), (5.0), (1e20), (x'00'), (NULL), ('true')"
    for number, type_ in enumerate(types):
        lab.sql(f"CREATE TABLE IF NOT EXISTS kind_{number} (c {type_}); INSERT INTO kind_{number} {values}")
    stored = [lab.rows(f"SELECT typeof(c), c FROM kind_{number} ORDER BY rowid") for number, _ in enumerate(types)]
    lab.sql("DROP TABLE kind_0; DROP TABLE kind_1")
    return stored[0] == stored[1]


def _is_the_rowid(item: Difference, live: Lab, fresh: Lab) -> bool:
    for lab in (live, fresh):
        parts = [name.lower() for name, facts in _table(lab, item)["columns"].items() if facts[3]]
        if parts != [item.label] or _column(lab, item)[0].upper() != "INTEGER":
            return False
    return True


def _same_value(item: Difference, live: Lab, fresh: Lab) -> bool:
    before, after = (_column(lab, item)[2] or "NULL" for lab in (live, fresh))
    query = "SELECT quote(x) = quote(y) FROM (SELECT {} AS x, {} AS y)"
    return before == after or bool(live.value(query.format(before, after)))


def _same_foreign_keys(item: Difference, live: Lab, fresh: Lab) -> bool:
    """What is said to go is in a new database of the models as well, what is said to come in the live one.

    The pragmas tell all but what is deferred, which is read from the statement.
    """
    here, there = (live, fresh) if item.operation == "remove_fk" else (fresh, live)
    known, deferred = _references(there, item), _deferrals(_statement(there, item))
    return all(key in known for key in _references(here, item)) and _deferrals(_statement(here, item)) <= deferred


def _references(lab: Lab, item: Difference) -> list[list[tuple[str, ...]]]:
    """Every foreign key; one that names no column of its parent means the key, which is ``id`` in all tests."""
    return [
        [(parent, column, to or "id", *actions) for parent, column, to, *actions in foreign_key]
        for foreign_key in _table(lab, item)["foreign keys"]
    ]


def _statement(lab: Lab, item: Difference) -> str:
    return str(lab.value("SELECT sql FROM sqlite_schema WHERE lower(name) = ?", (item.table,)))


def _deferrals(statement: str) -> Counter[str]:
    found = re.findall(r"(?<!NOT )DEFERRABLE(?:\s+INITIALLY\s+(\w+))?", statement, re.IGNORECASE)
    return Counter(how.upper() or "IMMEDIATE" for how in found)


def _same_unnamed_unique(item: Difference, live: Lab, fresh: Lab) -> bool:
    sides = [[index for index in _table(lab, item)["indexes"] if index[2] == "u"] for lab in (live, fresh)]
    return not item.name and sides[0] == sides[1]


def _same_unique_twice(item: Difference, live: Lab, fresh: Lab) -> bool:
    """SQLite keeps one index for all equal constraints, and the words of each."""
    sides = [
        ([index for index in _table(lab, item)["indexes"] if index[2] == "u"], _statement(lab, item))
        for lab in (live, fresh)
    ]
    return sides[0][0] == sides[1][0] and all(item.name and item.name in statement for _, statement in sides)


def _same_index(item: Difference, live: Lab, fresh: Lab) -> bool:
    query = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND lower(name) = ?"
    before, after = (re.sub(r'[\s"`\[\]]', "", str(lab.rows(query, (item.label,))).lower()) for lab in (live, fresh))
    return before == after


def _same_but_for_case(item: Difference, live: Lab, fresh: Lab) -> bool:
    return all(item.table in map(str.lower, lab.structure()) for lab in (live, fresh))


def _same_column_but_for_case(item: Difference, live: Lab, fresh: Lab) -> bool:
    return all(item.label in map(str.lower, _table(lab, item)["columns"]) for lab in (live, fresh))


def _is_no_plain_table(item: Difference, live: Lab, fresh: Lab) -> bool:
    kinds = live.rows("SELECT type FROM pragma_table_list WHERE schema = 'main' AND lower(name) = ?", (item.table,))
    return kinds != [] and kinds[0][0] != "table"


BASE = t(key(), a(), n())
PARENT = "CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY);"
BOTH_FK = ("add_fk", "remove_fk")
BOTH_TABLE = ("add_table", "remove_table")


def child(**options: Any) -> MetaData:
    """A parent ``p``, and a child ``t`` whose column ``n`` points to it."""
    return t(key(), a(), n(Integer, ForeignKey("p.id", **options)), metadata=t(key(), name="p"))


def by_hand(*columns: str, before: str = "", after: str = "") -> str:
    """A statement for table ``t``; a column that is not given is as in the base table."""
    given = {column.split()[0].lower().strip('"') for column in columns}
    base = {"id": "id INTEGER NOT NULL PRIMARY KEY", "a": "a VARCHAR(50)", "n": "n INTEGER"}
    terms = [*(term for name, term in base.items() if name not in given), *columns]
    return f"{before} CREATE TABLE t ({', '.join(terms)}); {after}"


FALSE_ALARMS = [
    FalseAlarm(
        reason="A type that SQLAlchemy does not know by name is reflected as another one",
        operations=("modify_type",),
        harmless=_same_declared_type,
        old=by_hand("u UUID", "b BINARY(16)", "v VARBINARY(16)", "d DOUBLE PRECISION", "p POINT(4, 2)"),
        new=t(
            key(),
            a(),
            n(),
            Column("u", sa.UUID),
            Column("b", sa.BINARY(16)),
            Column("v", sa.VARBINARY(16)),
            Column("d", sa.DOUBLE_PRECISION),
            Column("p", silence.Point),
        ),
    ),
    FalseAlarm(
        reason="Types that SQLite cannot tell apart are a note, since to change one for the other changes nothing",
        operations=("modify_type",),
        harmless=_same_kind_of_type,
        old=by_hand("a CHARACTER VARYING(50)", "u TIMESTAMP", "v CLOB", "w REAL"),
        new=t(
            key(),
            a(),
            n(),
            Column("u", sa.DateTime),
            Column("v", Text),
            Column("w", sa.Float),
        ),
    ),
    FalseAlarm(
        reason="A rowid is never NULL, whether or not NOT NULL is written beside INTEGER PRIMARY KEY",
        operations=("modify_nullable",),
        harmless=_is_the_rowid,
        old=by_hand("id INTEGER PRIMARY KEY"),
        new=BASE,
    ),
    FalseAlarm(
        reason="Defaults are compared as text after quotes and parentheses were stripped from one side in another way",
        operations=("modify_default",),
        harmless=_same_value,
        old=by_hand("a VARCHAR(50) DEFAULT ''", "n INTEGER DEFAULT (((-1)))"),
        new=t(key(), a(server_default=""), n(server_default=text("-1"))),
    ),
    FalseAlarm(
        reason="A foreign key's options are not reflected where they stand beside the column, or after MATCH",
        operations=BOTH_FK,
        harmless=_same_foreign_keys,
        old=by_hand("n INTEGER REFERENCES p (id) ON DELETE CASCADE DEFERRABLE", before=PARENT),
        new=child(ondelete="CASCADE", deferrable=True, initially="IMMEDIATE"),
    ),
    FalseAlarm(
        reason="A UNIQUE beside its column is not reflected where it has a conflict clause",
        operations=("add_constraint",),
        harmless=_same_unnamed_unique,
        old=by_hand("a VARCHAR(50) UNIQUE ON CONFLICT ABORT"),
        new=t(key(), a(unique=True), n()),
    ),
    FalseAlarm(
        reason="Of two constraints on the same columns only one is reflected",
        operations=("add_constraint",),
        harmless=_same_unique_twice,
        old=by_hand("n INTEGER, UNIQUE (a), CONSTRAINT uq UNIQUE (a)"),
        new=t(key(), a(unique=True), n(), sa.UniqueConstraint("a", name="uq")),
    ),
    FalseAlarm(
        reason="An index with a term that is text is compared by what Alembic itself calls an approximate signature",
        operations=("add_index", "remove_index"),
        harmless=_same_index,
        old=by_hand(after="CREATE INDEX ix ON t (a DESC, n);"),
        new=t(key(), a(), n(), Index("ix", text("a DESC"), "n")),
    ),
    FalseAlarm(
        reason="A table in other letters is taken for another table, which SQLite could not even create",
        operations=BOTH_TABLE,
        harmless=_same_but_for_case,
        old="CREATE TABLE T (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(50), n INTEGER)",
        new=BASE,
    ),
    FalseAlarm(
        reason="A column in other letters is taken for another column, which SQLite could not even add",
        operations=("add_column", "remove_column"),
        harmless=_same_column_but_for_case,
        old=by_hand("A VARCHAR(50)"),
        new=BASE,
    ),
    FalseAlarm(
        reason="The tables that a full-text index keeps its data in are taken for leftovers",
        operations=("remove_table",),
        harmless=_is_no_plain_table,
        old=by_hand(after="CREATE VIRTUAL TABLE search USING fts5(a);"),
        new=BASE,
    ),
    FalseAlarm(
        reason="A view that the models read from is taken for a missing table",
        operations=("add_table",),
        harmless=_is_no_plain_table,
        old=by_hand(after="CREATE VIEW report AS SELECT id, a FROM t;"),
        new=t(key(), a(), name="report", metadata=t(key(), a(), n())),
    ),
]


def unseen(pair: Pair, lab: Lab, make_lab: MakeLab) -> list[Difference]:
    """What Alembic reports, trueup does not, and no entry of the table excuses."""
    pair.build(lab)
    mine = trueup_says(lab, pair.new)
    missing = [item for item in alembic_says(lab, pair.new) if item not in mine]
    if not missing:
        return []
    fresh = make_lab("fresh")
    fresh.create(pair.new)
    return [item for item in missing if not any(_excuses(alarm, item, lab, fresh) for alarm in FALSE_ALARMS)]


def _excuses(alarm: FalseAlarm, item: Difference, live: Lab, fresh: Lab) -> bool:
    return item.operation in alarm.operations and alarm.harmless(item, live, fresh)


# -- the pairs ---------------------------------------------------------------------------------------------------------

MATRIX = [
    Pair(case.name, case.ddl or case.old, case.new)
    for case in chain(
        *(matrix.TABLES, matrix.COLUMNS, matrix.TYPES, matrix.NULLABILITY),
        *(matrix.DEFAULTS, matrix.COMPUTED, matrix.COLLATIONS),
        *(keys.PRIMARY_KEYS, keys.OPTIONS, keys.FOREIGN_KEYS),
        *(rules.UNIQUES, rules.CHECKS, rules.INDEXES),
        *(words.ENUMS, words.CLAUSES, words.BY_HAND),
    )
]
BACKWARDS = [Pair(f"back from {pair}", pair.new, pair.old) for pair in MATRIX if isinstance(pair.old, MetaData)]
CROSSED = [
    Pair(f"{pair}, to {other}", pair.old, other.new)
    for distance in (7, 31)
    for pair, other in zip(MATRIX, MATRIX[distance:] + MATRIX[:distance], strict=True)
]
"""Every database of the matrix with the models of two other rows, so that several things differ at once."""


def each_type(type_: Any) -> MetaData:
    """A column for every type there is, and all of them of this one."""
    return t(key(), *(Column(f"c{number}", type_) for number, _ in enumerate(silence.TYPES)))


def each_default(default: Any) -> MetaData:
    return t(key(), *(Column(f"c{number}", Text, server_default=default) for number, _ in enumerate(silence.DEFAULTS)))


ALL_TYPES = t(key(), *(Column(f"c{number}", type_) for number, type_ in enumerate(silence.TYPES.values())))
ALL_DEFAULTS = t(
    key(), *(Column(f"c{number}", Text, server_default=value) for number, value in enumerate(silence.DEFAULTS.values()))
)
TYPES = [Pair(name, ALL_TYPES, each_type(type_)) for name, type_ in silence.TYPES.items()]
DEFAULTS = [Pair(name, ALL_DEFAULTS, each_default(default)) for name, default in silence.DEFAULTS.items()]

HAND_WRITTEN = [
    Pair("everything at once", "CREATE TABLE t (id TEXT, n INT DEFAULT 5 UNIQUE, z); CREATE INDEX ix ON t (z);", BASE),
    Pair(
        "another action beside the column",
        by_hand("n INTEGER REFERENCES p ON DELETE CASCADE", before=PARENT),
        child(ondelete="SET NULL"),
    ),
    Pair("a reference less", by_hand("n INTEGER REFERENCES p", before=PARENT), t(key(), a(), n())),
    Pair("a reference more, its parent in capitals", by_hand(before=PARENT.replace(" p ", " P ")), child()),
    Pair(
        "deferred beside the column",
        by_hand("n INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED", before=PARENT),
        child(),
    ),
    Pair(
        "a text key without NOT NULL",
        by_hand("id VARCHAR(9) PRIMARY KEY"),
        t(Column("id", String(9), primary_key=True), a(), n()),
    ),
    Pair("INT PRIMARY KEY, which is no rowid", by_hand("id INT PRIMARY KEY"), BASE),
    Pair("no types", by_hand("a", "n"), BASE),
    Pair("types of other databases", by_hand("a CHARACTER VARYING(50)", "n INT8"), BASE),
    Pair("numbers", by_hand("n DECIMAL(10, 2)"), t(key(), a(), n(sa.Numeric(12, 2)))),
    Pair("times", by_hand("a TIMESTAMP", "n DATE"), t(key(), a(sa.DateTime), n(sa.DateTime))),
    Pair("JSON in text", by_hand("a TEXT"), t(key(), a(sa.JSON), n())),
    Pair(
        "a unique index where a constraint should be",
        by_hand(after="CREATE UNIQUE INDEX uq ON t (a);"),
        t(key(), a(), n(), sa.UniqueConstraint("a", name="uq")),
    ),
    Pair(
        "a constraint where a unique index should be",
        by_hand("a VARCHAR(50) UNIQUE"),
        t(key(), a(unique=True, index=True), n()),
    ),
    Pair(
        "a named constraint under another name",
        by_hand("n INTEGER CONSTRAINT uq_n UNIQUE"),
        t(key(), a(), n(), sa.UniqueConstraint("n", name="uq")),
    ),
    Pair(
        "an index on more columns",
        by_hand(after='CREATE INDEX "IX" ON t (a, n);'),
        t(key(), a(), n(), Index("ix", "a")),
    ),
    Pair(
        "an index in other letters, made unique",
        by_hand(after="CREATE UNIQUE INDEX ix ON T (A);"),
        t(key(), a(), n(), Index("ix", "a")),
    ),
    Pair("a default where none should be", by_hand("a VARCHAR(50) DEFAULT 'x'", "n INTEGER DEFAULT (1 + 1)"), BASE),
    Pair(
        "a default in other quotes, and changed",
        by_hand('a VARCHAR(50) DEFAULT "x"'),
        t(key(), a(server_default="y"), n()),
    ),
    Pair("NOT NULL with a default that goes", by_hand("a VARCHAR(50) NOT NULL DEFAULT ''"), BASE),
    Pair("NOT NULL that comes", by_hand("n INTEGER NULL"), t(key(), a(), n(nullable=False))),
    Pair("a column in other letters that changes", by_hand("A TEXT NOT NULL"), BASE),
    Pair("a table that was renamed", by_hand(after="ALTER TABLE t RENAME TO u;"), BASE),
    Pair("a column that was renamed", by_hand(after="ALTER TABLE t RENAME COLUMN a TO b;"), BASE),
    Pair(
        "columns added later",
        by_hand(after="ALTER TABLE t ADD COLUMN x TEXT NOT NULL DEFAULT ''; ALTER TABLE t DROP COLUMN n;"),
        BASE,
    ),
    Pair(
        "names in brackets and comments",
        "CREATE TABLE [t] ([id] INTEGER NOT NULL /* , a */ PRIMARY KEY, -- b\n `n` TEXT)",
        BASE,
    ),
    Pair(
        "a leftover table that is referred to",
        by_hand("n INTEGER REFERENCES u", before=PARENT.replace(" p ", " u ")),
        BASE,
    ),
    Pair(
        "full text and a leftover",
        by_hand(after="CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE u (x); CREATE INDEX iu ON u (x);"),
        BASE,
    ),
    *(Pair(case.name, case.ddl, case.models) for case in silence.HAND_WRITTEN),
]

ROUND_TRIPS = [
    *(Pair(name, make(), make()) for name, make in silence.CONSTRAINTS.items()),
    *(Pair(make.__name__, models, models) for make in silence.MODELS for models in [make()]),
]

REAL = [pair for pair in pairs() if not pair.long]
"""Public applications, every two consecutive releases between which anything differs."""


# -- the tests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [*MATRIX, *BACKWARDS], ids=str)
def test_one_difference(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """Nothing that Alembic reports for a row of the mutation matrix, there and back, is missed."""
    assert unseen(pair, lab, make_lab) == []


@pytest.mark.parametrize("pair", CROSSED, ids=str)
def test_several_differences(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """Nothing that Alembic reports is missed where several things differ in one table."""
    assert unseen(pair, lab, make_lab) == []


@pytest.mark.parametrize("pair", TYPES, ids=str)
def test_every_type_with_every_other(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """No change of type that Alembic reports is missed, whichever the two types are."""
    assert unseen(pair, lab, make_lab) == []


@pytest.mark.parametrize("pair", DEFAULTS, ids=str)
def test_every_default_with_every_other(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """No change of a server default that Alembic reports is missed, unless SQLite puts in the same for both."""
    assert unseen(pair, lab, make_lab) == []


@pytest.mark.parametrize("pair", HAND_WRITTEN, ids=str)
def test_hand_written(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """Nothing that Alembic reports for a database that SQLAlchemy did not make is missed."""
    assert unseen(pair, lab, make_lab) == []


@pytest.mark.parametrize("pair", ROUND_TRIPS, ids=str)
def test_round_trips(pair: Pair, lab: Lab, make_lab: MakeLab) -> None:
    """Whatever Alembic reports for a database that its own models made is a false alarm of a known kind."""
    assert unseen(pair, lab, make_lab) == []
    assert trueup_says(lab, pair.new) == set()


@pytest.mark.parametrize("alarm", FALSE_ALARMS, ids=str)
def test_false_alarms(alarm: FalseAlarm, lab: Lab, make_lab: MakeLab) -> None:
    """Alembic does raise each false alarm of the table, and nothing else, where trueup is rightly silent."""
    fresh = make_lab("fresh")
    fresh.create(alarm.new)
    lab.sql(alarm.old)
    raised = alembic_says(lab, alarm.new)
    assert {item.operation for item in raised} == set(alarm.operations)
    assert all(_excuses(alarm, item, lab, fresh) for item in raised)
    assert trueup_says(lab, alarm.new) == set()


def test_alembic_uses_every_word_it_has(make_lab: MakeLab) -> None:
    """The oracle is not mute: over the matrix, there and back, it reports every kind of difference that it knows."""
    nouns = ("table", "column", "index", "constraint", "fk")
    words = {f"{verb}_{noun}" for verb in ("add", "remove") for noun in nouns}
    said = chain.from_iterable(_reports(MATRIX + BACKWARDS, make_lab).values())
    assert {item.operation for item in said} == words | set(ASPECTS.values())


def test_alembic_misses_what_trueup_finds(make_lab: MakeLab) -> None:
    """The oracle does not see everything: for some rows of the matrix, each a real difference, it reports nothing."""
    silent = [name for name, said in _reports(MATRIX, make_lab).items() if not said]
    assert len(silent) > 0


def _reports(pairs: Iterable[Pair], make_lab: MakeLab) -> dict[str, list[Difference]]:
    """What Alembic says about each pair."""
    reports = {}
    for number, pair in enumerate(pairs):
        lab = make_lab(str(number))
        pair.build(lab)
        reports[f"{number}: {pair}"] = alembic_says(lab, pair.new)
    return reports


@given(upgrades())
def test_random_pairs(upgrade: Upgrade) -> None:
    """Nothing that Alembic reports for models that nobody thought of is missed."""
    with tempfile.TemporaryDirectory() as directory:
        labs = {name: Lab(Path(directory) / f"{name}.db") for name in ("app", "fresh")}
        pair = Pair("random", upgrade.old.metadata(), upgrade.new.metadata())
        assert unseen(pair, labs["app"], labs.__getitem__) == []


@pytest.mark.corpus
@pytest.mark.skipif(not PRESENT, reason=f"no corpus at {CORPUS}; TRUEUP_CORPUS names another place")
@pytest.mark.parametrize("pair", REAL, ids=str)
def test_real_upgrades(pair: Upgraded, lab: Lab, make_lab: MakeLab) -> None:
    """Nothing that Alembic reports between two releases of a public application is missed."""
    before, after = (
        runpy.run_path(str(CORPUS / "snapshots" / pair.app / f"{version}.py"))["metadata"]
        for version in (pair.old, pair.new)
    )
    assert unseen(Pair(pair.app, before, after), lab, make_lab) == []
