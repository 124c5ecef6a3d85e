"""What rows get for a new NOT NULL column is what the ORM itself would store in a fresh row."""

from __future__ import annotations

import enum
import itertools
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    PickleType,
    Sequence,
    String,
    Text,
    Time,
    TypeDecorator,
    Uuid,
    create_engine,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, mapped_column

from trueup import Status, apply, plan
from trueup.errors import StatementFailed

from .mutations import key, t

if TYPE_CHECKING:
    from ..conftest import Lab


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Upper(TypeDecorator[str]):
    """A type of the application's own."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value.upper() if value else value


def today() -> date:
    return date(2024, 2, 29)


class Maker:
    """An object that can be called, without being a function."""

    def __call__(self) -> str:
        return "made"


SAME: dict[str, Column[Any]] = {
    "text": Column("c", Text, default='it\'s "so"; --'),
    "text with a NUL": Column("c", Text, default="a\x00b"),
    "empty text": Column("c", Text, default=""),
    "integer": Column("c", Integer, default=-5),
    "float": Column("c", Float, default=1e300),
    "infinite": Column("c", Float, default=float("-inf")),
    "numeric": Column("c", Numeric(10, 2), default=Decimal("2.50")),
    "boolean": Column("c", Boolean, default=True),
    "false": Column("c", Boolean, default=False),
    "date": Column("c", Date, default=date(2024, 1, 31)),
    "datetime": Column("c", DateTime, default=datetime.fromisoformat("2024-01-31 10:00:00.000005")),
    "datetime with a zone": Column("c", DateTime(timezone=True), default=datetime(2024, 1, 31, tzinfo=UTC)),
    "time": Column("c", Time, default=time(10, 30)),
    "interval": Column("c", Interval, default=timedelta(days=2, seconds=3)),
    "json": Column("c", JSON, default={"a": [1, None, "x'y"]}),
    "json list from a callable": Column("c", JSON, default=list),
    "enum": Column("c", Enum(Size), default=Size.LARGE),
    "enum by value": Column("c", Enum(Size, values_callable=lambda e: [m.value for m in e]), default=Size.LARGE),
    "enum of texts": Column("c", Enum("a", "b"), default="b"),
    "uuid": Column("c", Uuid, default=UUID(int=7)),
    "uuid as text": Column("c", Uuid(as_uuid=False), default=str(UUID(int=7))),
    "bytes": Column("c", LargeBinary, default=b"\x00'\xff"),
    "pickle": Column("c", PickleType(pickler=pickle), default={"a": 1}),
    "type of the application": Column("c", Upper, default="abc"),
    "callable": Column("c", Date, default=today),
    "callable for a type of the application": Column("c", Upper, default=lambda: "xyz"),
    "callable that takes the context": Column("c", Integer, default=lambda context: 3),
    "callable object": Column("c", String(5), default=Maker()),
    "class": Column("c", Integer, default=int),
    "insert_default": mapped_column("c", Integer, insert_default=9).column,
    "SQL function": Column("c", Text, default=func.upper("abc")),
    "SQL literal": Column("c", Integer, default=literal_column("6 * 7")),
    "SQL text": Column("c", Integer, default=text("1 + 1")),
    "SQL subquery": Column("c", Integer, default=select(func.count() + 4).scalar_subquery()),
    "server default": Column("c", Text, server_default="it's"),
    "server default expression": Column("c", Integer, server_default=text("(2 + 3)")),
}


def stored_by_orm(lab: Lab, models: MetaData) -> list[Any]:
    lab.create(models)
    engine = create_engine(lab.url)
    with engine.begin() as connection:
        connection.execute(insert(models.tables["t"]).values(id=1))
    engine.dispose()
    return lab.rows("SELECT typeof(c), c FROM t")


@pytest.mark.parametrize("name", SAME)
def test_as_the_orm_stores_it(name: str, lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """The value and its storage class are those of a row that SQLAlchemy inserts without saying anything."""
    column = SAME[name]
    column.nullable = False
    lab.create(t(key()))
    lab.sql("INSERT INTO t VALUES (1)")
    models = t(key(), column._copy())
    run = lab.migrate(models)
    assert (run.status, run.error) == (Status.MIGRATED, None)
    assert lab.rows("SELECT typeof(c), c FROM t") == stored_by_orm(make_lab("fresh"), models)


def test_callables_are_asked_for_every_row(lab: Lab) -> None:
    """A default that differs from row to row does so for rows that are there."""
    counter = itertools.count(100)
    lab.create(t(key(), Column("n", Integer)))
    lab.sql("INSERT INTO t VALUES (1, NULL), (2, 5), (3, NULL)")
    models = t(
        key(),
        Column("n", Integer, default=lambda: next(counter), nullable=False),
        Column("u", Uuid, default=uuid4, nullable=False),
        Column("d", DateTime, default=datetime.now, nullable=False),
    )
    assert lab.migrate(models).status is Status.MIGRATED
    rows = lab.rows("SELECT n, u, d FROM t ORDER BY id")
    assert (rows[1][0], rows[2][0] - rows[0][0]) == (5, 1)
    assert len({row[1] for row in rows}) == 3
    assert all(len(row[1]) == 32 and datetime.fromisoformat(row[2]) for row in rows)


def test_a_default_that_fails_in_the_run(lab: Lab) -> None:
    """What it raised is told, and everything is as it was."""
    broken: list[bool] = []

    def number() -> int:
        if broken:
            raise ValueError("there are no numbers left")
        return 1

    lab.create(t(key()))
    lab.sql("INSERT INTO t VALUES (1)")
    target = lab.target(t(key(), Column("n", Integer, default=number, nullable=False)))
    found, before = plan(target), lab.dump()
    broken.append(True)
    run = apply(found, target)
    assert (run.status, type(run.error)) == (Status.FAILED, StatementFailed)
    assert "failed: there are no numbers left (while running: " in str(run.error)
    assert lab.dump() == before


def test_a_name_that_needs_quotes(lab: Lab) -> None:
    """A table and a column with quotes in their names are filled row by row like any other."""
    name = 'a "b" ' + "c" * 300
    lab.create(t(key(), name=name))
    lab.sql(f'INSERT INTO "{name.replace(chr(34), chr(34) * 2)}" VALUES (1)')
    assert lab.migrate(t(key(), Column('x "y"', Uuid, default=uuid4, nullable=False), name=name)).error is None


def of_its_row(context: Any) -> str:
    return str(context.get_current_parameters()["id"])


def give_up() -> int:
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (Column("c", Integer, default=of_its_row, nullable=False), "needs the other values of its row"),
        (Column("c", Integer, default=give_up, nullable=False), "fails without them: SystemExit"),
        (Column("c", Integer, Sequence("numbers"), nullable=False), ""),
        (Column("c", Integer, nullable=False), ""),
        (Column("c", Float, default="many", nullable=False), "its type in the models does not take its own default"),
    ],
    ids=["the row's other values", "ends the program", "a sequence", "none", "not of its type"],
)
def test_what_only_a_person_can_say(lab: Lab, column: Column[int], sentence: str) -> None:
    """A default that is worth nothing here blocks, and the reason is told."""
    lab.create(t(key()))
    lab.sql("INSERT INTO t VALUES (1)")
    (blocked,) = lab.plan(t(key(), column)).blocked
    assert "1 row in t has no value for t.c" in blocked.reason
    assert sentence in blocked.reason


class Base(MappedAsDataclass, DeclarativeBase):
    pass


class Basket(Base):
    __tablename__ = "t"

    id: Mapped[int] = mapped_column(primary_key=True)
    colour: Mapped[str] = mapped_column(default="red")
    parts: Mapped[list[str]] = mapped_column(JSON, default_factory=lambda: ["x"])
    made: Mapped[date] = mapped_column(default_factory=today)


def test_dataclasses(lab: Lab, make_lab: Callable[[str], Lab]) -> None:
    """Defaults that a mapped dataclass gives in its constructor are those that rows get, factories included."""
    lab.create(t(key()))
    lab.sql("INSERT INTO t VALUES (1)")
    assert lab.migrate(Base).error is None
    fresh = make_lab("fresh")
    fresh.create(Base)
    engine = create_engine(fresh.url)
    with Session(engine) as session:
        session.add(Basket(id=1))
        session.commit()
    engine.dispose()
    query = "SELECT id, colour, parts, made FROM t"
    assert lab.rows(query) == fresh.rows(query)
