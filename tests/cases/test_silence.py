"""Models and databases that mean the same: nothing may be reported, since that would be a change nobody needs."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship
from sqlalchemy.types import TypeDecorator, UserDefinedType

from trueup import Policy, Status

from .mutations import a, key, n, t

if TYPE_CHECKING:
    from ..conftest import Lab


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Money(TypeDecorator[int]):
    impl = Integer
    cache_ok = True


class Point(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "POINT(4, 2)"


class Spaced(UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        return "double   precision unsigned"


TYPES: dict[str, Any] = {
    "String": String,
    "String(50)": String(50),
    "String with a collation": String(50, collation="NOCASE"),
    "Text": sa.Text,
    "Text(100)": sa.Text(100),
    "Unicode": sa.Unicode(20),
    "UnicodeText": sa.UnicodeText,
    "CHAR": sa.CHAR(3),
    "NVARCHAR": sa.NVARCHAR(30),
    "Integer": Integer,
    "SmallInteger": sa.SmallInteger,
    "BigInteger": sa.BigInteger,
    "Boolean": sa.Boolean,
    "Boolean with a CHECK": sa.Boolean(create_constraint=True),
    "Boolean with a named CHECK": sa.Boolean(create_constraint=True, name="is_bool"),
    "Enum": sa.Enum("x", "y", name="letters"),
    "Enum, not native": sa.Enum("x", "y", native_enum=False),
    "Enum with a CHECK": sa.Enum("x", "it's", "a:b", native_enum=False, create_constraint=True, name="letters"),
    "Enum of a class": sa.Enum(Size),
    "Enum of a class, by value": sa.Enum(Size, values_callable=lambda kind: [item.value for item in kind]),
    "Numeric": sa.Numeric,
    "Numeric(10, 2)": sa.Numeric(10, 2),
    "DECIMAL(8)": sa.DECIMAL(8),
    "Float": sa.Float,
    "Float(24)": sa.Float(24),
    "Double": sa.Double,
    "REAL": sa.REAL,
    "DOUBLE_PRECISION": sa.DOUBLE_PRECISION,
    "Date": sa.Date,
    "Time": sa.Time,
    "DateTime": sa.DateTime,
    "DateTime with time zone": sa.DateTime(timezone=True),
    "TIMESTAMP": sa.TIMESTAMP,
    "Interval": sa.Interval,
    "JSON": sa.JSON,
    "JSON of SQLite": sqlite.JSON,
    "Uuid": sa.Uuid,
    "Uuid, not native": sa.Uuid(native_uuid=False),
    "UUID": sa.UUID,
    "LargeBinary": sa.LargeBinary,
    "BINARY(16)": sa.BINARY(16),
    "VARBINARY(16)": sa.VARBINARY(16),
    "BLOB": sa.BLOB,
    "PickleType": sa.PickleType,
    "a TypeDecorator": Money,
    "a user-defined type": Point,
    "a user-defined type of several words": Spaced,
    "a variant": String(50).with_variant(sa.Text(collation="NOCASE"), "sqlite"),
}

DEFAULTS: dict[str, Any] = {
    "a word": "x",
    "nothing": "",
    "a quote": "it's",
    "double quotes": 'say "hi"',
    "back quotes and brackets": "`a` [b]",
    "parentheses": "(a)",
    "an opening parenthesis": "(",
    "a comma": "a, b",
    "JSON": '{"a":1, "b": [":c"]}',
    "a colon": ":name",
    "a percent sign": "100%s %(a)s",
    "a backslash": "a\\b",
    "a comment": "a -- b /* c */",
    "two lines": "one\ntwo",
    "unicode": "Füße 漢字 🎉",
    "the word NULL": "NULL",
    "a keyword": "CURRENT_TIMESTAMP",
    "a number as text": "5",
    "a number": text("5"),
    "a negative number": text("-1"),
    "a number with an exponent": text("1e-5"),
    "a fraction without a zero": text(".5"),
    "a hexadecimal number": text("0x10"),
    "NULL": text("NULL"),
    "true": sa.true(),
    "false": sa.false(),
    "the word true": text("true"),
    "now()": sa.func.now(),
    "CURRENT_TIMESTAMP": sa.func.current_timestamp(),
    "current_date in small letters": text("current_date"),
    "CURRENT_TIME": text("CURRENT_TIME"),
    "an expression": text("(1 + 1)"),
    "an expression with blanks": text("( 1  +  1 )"),
    "an expression in two pairs of parentheses": text("((1 + 1))"),
    "a function": text("(lower(hex(randomblob(16))))"),
    "a function with a string": text("(strftime('%Y-%m-%dT%H\\:%M\\:%fZ', 'now'))"),
    "a concatenation": text("('a' || ')' || \"(\")".replace('"("', "'('")),
    "a blob": text("x'0aFF'"),
    "a typed literal": sa.literal("it's"),
    "a sum of literals": sa.literal_column("(2 * 3)"),
}

CONSTRAINTS: dict[str, Callable[[], MetaData]] = {
    "Identity": lambda: t(Column("id", Integer, sa.Identity(start=5), primary_key=True), a()),
    "AUTOINCREMENT": lambda: t(key(), a(), sqlite_autoincrement=True),
    "a virtual column": lambda: t(key(), n(), Column("c", Integer, sa.Computed("n * 2"))),
    "a stored column": lambda: t(key(), n(), Column("c", String, sa.Computed("n || ':('", persisted=True))),
    "NOT NULL computed": lambda: t(key(), n(), Column("c", Integer, sa.Computed("n + 1"), nullable=False)),
    "a CHECK with a colon": lambda: t(key(), a(), sa.CheckConstraint(r"a <> '\:x' AND a NOT LIKE '%(%'")),
    "a CHECK of many lines": lambda: t(key(), n(), sa.CheckConstraint("n > 0\n  AND (n < 10\n  OR n == 99) -- why\n")),
    "a CHECK of an expression": lambda: _with(lambda c: sa.CheckConstraint(c.n.between(5, 9) & (c.a != "x:y"))),
    "the same CHECK twice": lambda: t(key(), n(), sa.CheckConstraint("n > 0"), sa.CheckConstraint("n > 0")),
    "two CHECKs on one column": lambda: t(key(), n(), sa.CheckConstraint("n > 0"), sa.CheckConstraint("n < 9")),
    "UNIQUE on a column": lambda: t(key(), a(unique=True)),
    "UNIQUE with a conflict clause": lambda: t(key(), a(unique=True, sqlite_on_conflict_unique="IGNORE")),
    "the same UNIQUE twice": lambda: t(key(), a(unique=True), sa.UniqueConstraint("a", name="uq")),
    "a conflict clause everywhere": lambda: t(
        Column("id", Integer, primary_key=True, sqlite_on_conflict_primary_key="FAIL"),
        a(nullable=False, sqlite_on_conflict_not_null="ROLLBACK"),
        sa.UniqueConstraint("a", sqlite_on_conflict="REPLACE"),
    ),
    "a conflict clause that is the default": lambda: t(key(), sa.UniqueConstraint("id", sqlite_on_conflict="ABORT")),
    "a composite key": lambda: t(Column("x", Integer, primary_key=True), Column("y", String, primary_key=True)),
    "a key in another order": lambda: t(Column("x", Integer), Column("y", Integer), sa.PrimaryKeyConstraint("y", "x")),
    "a named key": lambda: t(Column("x", Integer), sa.PrimaryKeyConstraint("x", name="pk_x")),
    "no key": lambda: t(a(), n()),
    "a text key": lambda: t(Column("id", String(36), primary_key=True)),
    "STRICT": lambda: t(key(), Column("a", sa.Text), sqlite_strict=True),
    "WITHOUT ROWID": lambda: t(key(), a(), sqlite_with_rowid=False),
    "both options": lambda: t(key(), Column("a", sa.Text), sqlite_strict=True, sqlite_with_rowid=False),
    "comments": lambda: t(key(), a(comment="it's a comment"), comment="on the table"),
    "an index": lambda: t(key(), a(index=True)),
    "a unique index": lambda: t(key(), a(unique=True, index=True)),
    "a partial index": lambda: t(key(), a(), n(), sa.Index("ix", "a", sqlite_where=text("n > 5 AND a <> '('"))),
    "a partial index of a column": lambda: _with(lambda c: sa.Index("ix", c.a, sqlite_where=c.n > 5)),
    "an expression index": lambda: t(key(), a(), n(), sa.Index("ix", text("lower(a)"), "n")),
    "an index of a function": lambda: _with(lambda c: sa.Index("ix", sa.func.coalesce(c.a, "x, (y)"), c.n)),
    "an index with DESC": lambda: _with(lambda c: sa.Index("ix", c.a.desc(), c.n.asc())),
    "an index with COLLATE": lambda: _with(lambda c: sa.Index("ix", sa.collate(c.a, "NOCASE"), unique=True)),
    "an index with COLLATE and DESC": lambda: _with(lambda c: sa.Index("ix", sa.collate(c.a, "NOCASE").desc())),
    "an index with a strange name": lambda: t(key(), a(), sa.Index('on "where" (a)', "a")),
    "a name reserved for the table": lambda: t(key(), Column("table", Integer), name="select"),
    "mixed case": lambda: t(key(), Column("UserName", String), Column("eMail", String), name="UserAccounts"),
    "unicode names": lambda: t(key(), Column("größe", Integer), Column("名前", String), name="Straße"),
    "names with blanks and quotes": lambda: t(key(), Column('a "b" c', String), name="my 'table', (really)"),
    "names with brackets": lambda: t(key(), Column("a]b[", String), Column("back`tick", String), name="x[y]"),
    "names like types and constraints": lambda: t(key(), Column("unique", String), Column("check", Integer), name="as"),
    "names like columns' keywords": lambda: t(
        key(), Column("key", String), Column("generated", String), Column("constraint", String), Column("null", String)
    ),
    "a name with a dot": lambda: t(key(), Column("a.b", String), name="x.y"),
    "a name with a percent sign": lambda: t(key(), Column("100%", Integer), sa.CheckConstraint('"100%" < 5')),
    "a name with a digit in front": lambda: t(key(), Column("1st", Integer), name="2nd"),
}


def _with(make: Callable[[Any], sa.Index | sa.Constraint]) -> MetaData:
    """The base table with an index or a constraint that is made of its columns."""
    metadata = t(key(), a(), n())
    item = make(metadata.tables["t"].c)
    if isinstance(item, sa.Constraint):
        metadata.tables["t"].append_constraint(item)
    return metadata


def _both(*items: Any, **types: Any) -> MetaData:
    """The base table with indexes and constraints, and perhaps other types."""
    return t(key(), a(*filter(None, [types.get("a")])), n(), *items)


def assert_silent(lab: Lab, models: object) -> None:
    """No difference, nothing to do, and a run writes nothing."""
    found = lab.plan(models)
    assert [item.change.sentence for item in found.assessments] == []
    assert (found.unsupported, found.in_step) == ((), True)
    before = lab.dump()
    assert lab.migrate(models).status is Status.IN_SYNC
    assert lab.dump() == before


@pytest.mark.parametrize("type_", TYPES.values(), ids=TYPES)
def test_types(lab: Lab, type_: Any) -> None:
    """A column of any type is in step with the models that made it."""
    models = t(key(), Column("c", type_), Column("d", type_, nullable=False))
    lab.create(models)
    assert_silent(lab, models)


@pytest.mark.parametrize("default", DEFAULTS.values(), ids=DEFAULTS)
def test_server_defaults(lab: Lab, default: Any) -> None:
    """A server default of any spelling is in step with the models that made it."""
    models = t(key(), Column("c", String(50), server_default=default))
    lab.create(models)
    assert_silent(lab, models)


@pytest.mark.parametrize("make", CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_constraints_indexes_and_names(lab: Lab, make: Callable[[], MetaData]) -> None:
    """Constraints, indexes and names of any kind are in step with the models that made them."""
    models = make()
    lab.create(models)
    assert_silent(lab, models)


# -- whole models ------------------------------------------------------------------------------------------------------


def naming_convention() -> MetaData:
    convention = {
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
    metadata = MetaData(naming_convention=convention)
    t(key(), a(unique=True), n(index=True), sa.CheckConstraint("n > 0", name="positive"), name="p", metadata=metadata)
    flag = Column("flag", sa.Boolean(create_constraint=True, name="flag"))
    return t(key(), flag, Column("p_id", ForeignKey("p.id")), metadata=metadata)


def references() -> MetaData:
    metadata = t(Column("x", Integer, primary_key=True), Column("y", Integer, primary_key=True), name="p")
    pair = sa.ForeignKeyConstraint(["u", "v"], ["p.x", "p.y"], ondelete="CASCADE", onupdate="SET NULL", match="FULL")
    own = Column("parent", ForeignKey("t.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED"))
    return t(key(), Column("u", Integer), Column("v", Integer), own, pair, metadata=metadata)


def cycle() -> MetaData:
    metadata = MetaData()
    t(key(), Column("b_id", ForeignKey("b.id", use_alter=True, name="fk_a_b")), name="a", metadata=metadata)
    return t(key(), Column("a_id", ForeignKey("a.id")), name="b", metadata=metadata)


def inheritance() -> MetaData:
    class Base(DeclarativeBase):
        pass

    class Animal(Base):
        __tablename__ = "animal"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}

    class Cat(Animal):
        __tablename__ = "cat"
        id: Mapped[int] = mapped_column(ForeignKey("animal.id"), primary_key=True)
        lives: Mapped[int | None]
        __mapper_args__ = {"polymorphic_identity": "cat"}

    class Dog(Animal):
        barks: Mapped[bool | None]
        __mapper_args__ = {"polymorphic_identity": "dog"}

    return Base.metadata


def dataclasses_and_associations() -> MetaData:
    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    links = Table(
        "links",
        Base.metadata,
        Column("left_id", ForeignKey("node.id"), primary_key=True),
        Column("right_id", ForeignKey("node.id"), primary_key=True),
    )

    class Node(Base):
        __tablename__ = "node"
        id: Mapped[int] = mapped_column(init=False, primary_key=True)
        token: Mapped[uuid.UUID] = mapped_column(default_factory=uuid.uuid4)
        size: Mapped[Size] = mapped_column(default=Size.SMALL)
        others: Mapped[list[Node]] = relationship(
            init=False,
            secondary=links,
            primaryjoin=lambda: Node.id == links.c.left_id,
            secondaryjoin=lambda: Node.id == links.c.right_id,
        )

    return Base.metadata


def sqlmodel_classes() -> MetaData:
    from sqlalchemy.orm import registry
    from sqlmodel import Field, SQLModel

    class Base(SQLModel, registry=registry()):
        """A base of its own: the function may be called again in the same process."""

    class SilentHero(Base, table=True):
        id: int | None = Field(default=None, primary_key=True)
        name: str = Field(index=True, max_length=30)
        age: int | None = None
        token: uuid.UUID = Field(default_factory=uuid.uuid4, unique=True)
        team_id: int | None = Field(default=None, foreign_key="silentteam.id", ondelete="SET NULL")

    class SilentTeam(Base, table=True):
        id: int | None = Field(default=None, primary_key=True)
        size: Size = Size.SMALL

    return Base.metadata


MODELS = [
    naming_convention,
    references,
    cycle,
    inheritance,
    dataclasses_and_associations,
    sqlmodel_classes,
]


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_whole_models(lab: Lab, make: Callable[[], MetaData]) -> None:
    """Whole models, with conventions, references, cycles, inheritance and associations, are in step."""
    models = make()
    lab.create(models)
    assert_silent(lab, models)


# -- databases that were not made by SQLAlchemy ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Same:
    """A hand-written statement that means what the models mean."""

    name: str
    ddl: str
    models: MetaData

    def __str__(self) -> str:
        return self.name


BASE = t(key(), a(), n())
_REST = "a VARCHAR(50), n INTEGER"

HAND_WRITTEN = [
    Same(
        name="in small letters",
        ddl="create table t (id integer not null primary key, a varchar(50), n integer)",
        models=BASE,
    ),
    Same(name="without NOT NULL on the rowid", ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST})", models=BASE),
    Same(
        name="in quotes", ddl='CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, [a] VARCHAR(50), `n` INTEGER)', models=BASE
    ),
    Same(
        name="names in strings",
        ddl="CREATE TABLE 't' ('id' INTEGER PRIMARY KEY, 'a' VARCHAR(50), 'n' INTEGER)",
        models=BASE,
    ),
    Same(
        name="names in capitals", ddl="CREATE TABLE T (ID INTEGER PRIMARY KEY, A VARCHAR(50), N INTEGER)", models=BASE
    ),
    Same(
        name="with comments",
        ddl="CREATE TABLE t ( -- the (first\n id INTEGER /* , x */ PRIMARY KEY,\n--no, more\n a VARCHAR(50),n INTEGER)",
        models=BASE,
    ),
    Same(
        name="in one line without blanks",
        ddl="CREATE TABLE t(id INTEGER PRIMARY KEY,a VARCHAR(50),n INTEGER)",
        models=BASE,
    ),
    Same(
        name="with blanks in the type",
        ddl="CREATE TABLE t(id INTEGER PRIMARY KEY,a VARCHAR ( 50 ),n INTEGER)",
        models=BASE,
    ),
    Same(
        name="with NULL",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) NULL, n INTEGER DEFAULT NULL)",
        models=BASE,
    ),
    Same(name="key as a constraint", ddl=f"CREATE TABLE t (id INTEGER, {_REST}, PRIMARY KEY (id))", models=BASE),
    Same(name="key with ASC", ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY ASC, {_REST})", models=BASE),
    Same(
        name="made as another table's copy",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER);",
        models=BASE,
    ),
    Same(
        name="AUTOINCREMENT",
        ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, {_REST})",
        models=t(key(), a(), n(), sqlite_autoincrement=True),
    ),
    Same(
        name="AUTOINCREMENT as a constraint",
        ddl=f"CREATE TABLE t (id INTEGER, {_REST}, PRIMARY KEY (id AUTOINCREMENT))",
        models=t(key(), a(), n(), sqlite_autoincrement=True),
    ),
    Same(
        name="UNIQUE on the column",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) UNIQUE ON CONFLICT ABORT, n INTEGER)",
        models=t(key(), a(unique=True), n()),
    ),
    Same(
        name="reference on the column",
        ddl=f"CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST} REFERENCES p)",
        models=t(key(), a(), n(Integer, ForeignKey("p.id")), metadata=t(key(), name="p")),
    ),
    Same(
        name="reference with all defaults spelt out",
        ddl=f"""CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}
            REFERENCES "p" ([id]) ON UPDATE NO ACTION ON DELETE NO ACTION MATCH SIMPLE
            NOT DEFERRABLE INITIALLY IMMEDIATE)""",
        models=t(key(), a(), n(Integer, ForeignKey("p.id")), metadata=t(key(), name="p")),
    ),
    Same(
        name="DEFERRABLE without INITIALLY",
        ddl=f"""CREATE TABLE p (id INTEGER PRIMARY KEY);
            CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST} REFERENCES p DEFERRABLE)""",
        models=t(
            key(),
            a(),
            n(Integer, ForeignKey("p.id", deferrable=True, initially="IMMEDIATE")),
            metadata=t(key(), name="p"),
        ),
    ),
    Same(
        name="CHECK on the column, other signs and blanks",
        ddl='CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER check(( N==5 or "n"!=6 )))',
        models=t(key(), a(), n(), sa.CheckConstraint("n = 5 OR n <> 6")),
    ),
    Same(
        name="parentheses inside a CHECK that change nothing",
        ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}, CHECK (((n) > (0)) AND (length((a)) < 9 OR (n < 9))))",
        models=_with(lambda c: sa.CheckConstraint("n > 0 AND (length(a) < 9 OR n < 9)")),
    ),
    Same(
        name="other words for NOT IN and IS NOT NULL in a CHECK",
        ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}, CHECK (NOT (a IN (('x'), 'y')) AND a NOTNULL))",
        models=_with(lambda c: sa.CheckConstraint(sa.and_(c.a.not_in(["x", "y"]), c.a.is_not(None)))),
    ),
    Same(
        name="the table's own name in a CHECK and in an index",
        ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}, CHECK (t.n > 0)); CREATE INDEX ix ON t (a) WHERE n > 0",
        models=_both(sa.CheckConstraint("n > 0"), sa.Index("ix", "a", sqlite_where=text("(n) > 0"))),
    ),
    Same(
        name="a CHECK of an Enum by hand",
        ddl="""CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(3) CHECK(a in('one','two')),
            n BOOLEAN CHECK(n IN(0,1)))""",
        models=t(
            key(),
            a(sa.Enum("one", "two", native_enum=False, create_constraint=True)),
            n(sa.Boolean(create_constraint=True)),
        ),
    ),
    Same(
        name="parentheses in a computed column",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, c INTEGER GENERATED ALWAYS AS (((n)*(2)) + 1) STORED)",
        models=t(key(), n(), Column("c", Integer, sa.Computed("n * 2 + 1", persisted=True))),
    ),
    Same(
        name="parentheses in an expression as the default",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) DEFAULT ((DATETIME(('now')))), n INTEGER)",
        models=t(key(), a(server_default=text("(datetime('now'))")), n()),
    ),
    Same(
        name="parentheses and white space in a partial index on an expression",
        ddl=f"""CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST});
            CREATE INDEX ix ON t((lower((a))),\n\tn DESC)WHERE((n)>(5))and(a not null)""",
        models=_with(
            lambda c: sa.Index("ix", sa.func.lower(c.a), c.n.desc(), sqlite_where=text("n > 5 AND a IS NOT NULL"))
        ),
    ),
    Same(
        name="collations that the columns have anyway, spelt out in indexes",
        ddl="""CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) COLLATE nocase, n INTEGER,
                UNIQUE (a COLLATE NOCASE));
            CREATE INDEX ix ON t (a COLLATE NOCASE ASC, n COLLATE BINARY)""",
        models=_both(sa.UniqueConstraint("a"), sa.Index("ix", "a", "n"), a=String(50, collation="NOCASE")),
    ),
    Same(
        name="columns of an index as strings",
        ddl=f"CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}, UNIQUE ('a')); CREATE INDEX main.ix ON t ('a', \"n\")",
        models=_both(sa.UniqueConstraint("a"), sa.Index("ix", "a", "n")),
    ),
    Same(
        name="constraints without commas between them, and a name for nothing",
        ddl=f"CREATE TABLE t (id INTEGER, {_REST} CONSTRAINT x, PRIMARY KEY (id) CHECK (n > 0) UNIQUE (a))",
        models=_both(sa.UniqueConstraint("a"), sa.CheckConstraint("n > 0")),
    ),
    Same(
        name="a strange name, UNIQUE beside it",
        ddl='CREATE TABLE t (id INTEGER PRIMARY KEY, "such-name" VARCHAR(50) UNIQUE)',
        models=t(key(), Column("such-name", String(50)), sa.UniqueConstraint("such-name")),
    ),
    Same(
        name="types in quotes",
        ddl='CREATE TABLE main.t (id "INTEGER" PRIMARY KEY, a [VARCHAR](50), n `INTEGER`)',
        models=BASE,
    ),
    Same(
        name="a key that descends in a constraint of the table, where it is the rowid all the same",
        ddl=f"CREATE TABLE t (id INTEGER, {_REST}, PRIMARY KEY (id DESC) ON CONFLICT ABORT)",
        models=BASE,
    ),
    Same(
        name="a key of two columns, with order and collation",
        ddl="CREATE TABLE t (x TEXT NOT NULL, y INTEGER NOT NULL, PRIMARY KEY (x COLLATE BINARY ASC, y ASC))",
        models=t(Column("x", sa.Text, primary_key=True), Column("y", Integer, primary_key=True)),
    ),
    Same(
        name="collation in small letters, and BINARY spelt out",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) collate nocase, n INTEGER COLLATE BINARY)",
        models=t(key(), a(String(50, collation="NOCASE")), n()),
    ),
    Same(
        name="GENERATED left out",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, c INTEGER AS(n*2)VIRTUAL)",
        models=t(key(), n(), Column("c", Integer, sa.Computed("n * 2"))),
    ),
    Same(
        name="a default in parentheses",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) DEFAULT ('x'), n INTEGER DEFAULT (((-1))))",
        models=t(key(), a(server_default="x"), n(server_default=text("-1"))),
    ),
    Same(
        name="a default with a plus sign",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER DEFAULT +5)",
        models=t(key(), a(), n(server_default=text("5"))),
    ),
    Same(
        name="a boolean default as a word",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n BOOLEAN DEFAULT TRUE)",
        models=t(key(), a(), n(sa.Boolean, server_default=sa.true())),
    ),
    Same(
        name="a default in double quotes, which SQLite takes for a string",
        ddl='CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) DEFAULT "It\'s", n INTEGER)',
        models=t(key(), a(server_default="It's"), n()),
    ),
    Same(
        name="a default CURRENT_TIMESTAMP in small letters",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) default current_timestamp, n INTEGER)",
        models=t(key(), a(server_default=sa.func.now()), n()),
    ),
    Same(
        name="an index in other words",
        ddl=f"""CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST});
            create index if not exists [ix] on "t" ( "a" asc , N desc ) where ( n > 5 ) -- why""",
        models=_with(lambda c: sa.Index("ix", c.a, c.n.desc(), sqlite_where=c.n > 5)),
    ),
    Same(
        name="options in another order and case",
        ddl="CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a TEXT) without rowid, strict",
        models=t(key(), Column("a", sa.Text), sqlite_strict=True, sqlite_with_rowid=False),
    ),
    Same(
        name="columns and constraints in another order",
        ddl="""CREATE TABLE t (n INTEGER, a VARCHAR(50), id INTEGER,
            CHECK (n > 0), UNIQUE (a), CHECK (n < 9), PRIMARY KEY (id))""",
        models=t(key(), a(unique=True), n(), sa.CheckConstraint("n < 9"), sa.CheckConstraint("n > 0")),
    ),
    Same(
        name="renamed tables and columns",
        ddl="""CREATE TABLE old (id INTEGER PRIMARY KEY, b VARCHAR(50), n INTEGER);
            ALTER TABLE old RENAME TO t; ALTER TABLE t RENAME COLUMN b TO a""",
        models=BASE,
    ),
    Same(
        name="columns that were added and dropped",
        ddl="""CREATE TABLE t (id INTEGER PRIMARY KEY, z TEXT, a VARCHAR(50));
            ALTER TABLE t ADD COLUMN n INTEGER; ALTER TABLE t DROP COLUMN z""",
        models=BASE,
    ),
]


@pytest.mark.parametrize("case", HAND_WRITTEN, ids=str)
def test_hand_written(lab: Lab, case: Same) -> None:
    """A statement in other words that means the same is no difference."""
    lab.sql(case.ddl)
    assert_silent(lab, case.models)


@pytest.mark.parametrize("case", HAND_WRITTEN, ids=str)
def test_models_and_hand_written_agree_in_fact(lab: Lab, make_lab: Callable[[str], Lab], case: Same) -> None:
    """SQLite's own pragmas tell the same of both sides, apart from the case of names, so the silence is right."""
    lab.sql(case.ddl)
    other = make_lab("other")
    other.create(case.models)
    assert {name.lower() for name in lab.names()} == {name.lower() for name in other.names()}
    for mine, theirs in zip(_table_facts(lab), _table_facts(other), strict=True):
        assert mine == theirs


ONE_RUN = [
    Same(
        name="a name for the key, which the models do not give",
        ddl="CREATE TABLE t (id INTEGER CONSTRAINT pk PRIMARY KEY, a VARCHAR(50), n INTEGER)",
        models=BASE,
    ),
    Same(
        name="no name for a UNIQUE that the models name",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) UNIQUE, n INTEGER)",
        models=_both(sa.UniqueConstraint("a", name="uq")),
    ),
    Same(
        name="a reference with a name, MATCH, and deferrable in words that change nothing",
        ddl=f"""CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}
            CONSTRAINT fk REFERENCES p MATCH FULL DEFERRABLE INITIALLY IMMEDIATE)""",
        models=t(key(), a(), n(Integer, ForeignKey("p.id")), metadata=t(key(), name="p")),
    ),
    Same(
        name="the same UNIQUE and the same reference twice",
        ddl=f"""CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (id INTEGER PRIMARY KEY, {_REST}
            REFERENCES p, UNIQUE (a), UNIQUE (a), FOREIGN KEY (n) REFERENCES p (id))""",
        models=t(key(), a(unique=True), n(Integer, ForeignKey("p.id")), metadata=t(key(), name="p")),
    ),
    Same(
        name="a UNIQUE that descends, and one on the rowid",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY UNIQUE, a VARCHAR(50), n INTEGER, UNIQUE (a DESC))",
        models=_both(sa.UniqueConstraint("a")),
    ),
    Same(
        name="a key without NOT NULL, which SQLite then lets be NULL",
        ddl="CREATE TABLE t (id INTEGER, a VARCHAR(50), n INTEGER, PRIMARY KEY (id, n))",
        models=t(key(), a(), n(primary_key=True)),
    ),
    Same(
        name="a string in double quotes, numbers and booleans in other words",
        ddl="""CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50) CHECK (a <> "zz"), n INTEGER DEFAULT 0x10,
            CHECK (5 > n), CHECK (n IN (FALSE, TRUE) OR n > 1.0))""",
        models=t(
            key(),
            a(),
            n(server_default=text("16")),
            sa.CheckConstraint("a <> 'zz'"),
            sa.CheckConstraint("n < 5"),
            sa.CheckConstraint("n IN (0, 1) OR n > 1"),
        ),
    ),
    Same(
        name="the time by a function instead of the keyword",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a TIMESTAMP DEFAULT (datetime('now')) NOT NULL, n INT)",
        models=t(key(), a(sa.DateTime, server_default=sa.func.now(), nullable=False), n()),
    ),
    Same(
        name="STRING, and a collation that the models do not have",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a STRING COLLATE NOCASE, n INT)",
        models=t(key(), a(String), n()),
    ),
    Same(name="INT PRIMARY KEY", ddl="CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(50), n INTEGER)", models=BASE),
    Same(name="no types at all", ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a, n)", models=BASE),
    Same(
        name="a column less, one with a blank and a reserved one more",
        ddl="CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(50), n INTEGER, old TEXT)",
        models=t(key(), a(), n(), Column("two words", Integer), Column("order", Integer, server_default="it's")),
    ),
]
"""What is not the letter of the models, and is no danger either."""


@pytest.mark.parametrize("policy", [Policy.SAFE, Policy.FULL])
@pytest.mark.parametrize("case", ONE_RUN, ids=str)
def test_one_run_and_no_second_one(lab: Lab, case: Same, policy: Policy) -> None:
    """A database that somebody wrote in other words is changed once, keeps its rows, and is in step at every start."""
    lab.sql(case.ddl)
    lab.sql("INSERT INTO t (id, a, n) VALUES (1, 'one', 0), (2, 'TWO', 1)", foreign_keys=False)
    rows = lab.rows("SELECT id, a FROM t ORDER BY id")
    first = lab.migrate(case.models, policy=policy)
    assert (first.status, first.error) == (Status.MIGRATED, None)
    assert lab.rows("SELECT id, a FROM t ORDER BY id") == rows
    before = lab.dump()
    for _ in range(2):
        again = lab.migrate(case.models, policy=policy)
        assert (again.status, again.backup) == (Status.IN_SYNC, None)
    assert lab.dump() == before


def _table_facts(lab: Lab) -> list[Any]:
    """Indexes and foreign keys of table t; columns are left out, whose types and defaults may be spelt differently."""
    found = {name.lower(): facts for name, facts in lab.structure().items()}["t"]
    keys = [[(parent, child, to or "id", *rest) for parent, child, to, *rest in key] for key in found["foreign keys"]]
    return [found["options"], found["indexes"], keys]


def test_no_tables_no_differences(lab: Lab) -> None:
    """Tables that only the database has are no difference."""
    lab.create(BASE)
    lab.sql("CREATE TABLE other (x); CREATE VIEW v AS SELECT * FROM other; CREATE TABLE alembic_version (version_num)")
    assert lab.found(BASE) == []
