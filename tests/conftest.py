"""What every test folder shares: a laboratory with one real database file, driven through trueup's public names."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from sqlalchemy import MetaData, create_engine

from trueup import Plan, Policy, Run, Settings, Target, Verdict, migrate, plan
from trueup.dialects.sqlite import abilities as of_sqlite
from trueup.dialects.sqlite.abilities import Abilities

Row = tuple[Any, ...]
ONLY_EDITS = Abilities(
    drops_columns=True,
    alters_not_null=False,
    adds_checks=False,
    drops_checks=False,
    drops_foreign_keys=False,
    edits_schema=True,
)

# `make test` draws the same few examples every time, `make nightly` many new ones and reduces what fails
_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
hypothesis.settings.register_profile(
    "ci", max_examples=200, derandomize=True, phases=[Phase.explicit, Phase.generate], **_ALWAYS
)
hypothesis.settings.register_profile("nightly", max_examples=2000, print_blob=True, **_ALWAYS)
hypothesis.settings.load_profile("ci")


def pytest_configure() -> None:
    """A shell that starts the tests in the background, or nohup, has them ignore signals; what they start is to hear
    them: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/nohup.html"""
    for kind, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(kind) == signal.SIG_IGN:
            signal.signal(kind, handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as processors: many tests wait, for a screen to come to rest, a lock, or the disk."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


class Lab:
    """One SQLite database file, and everything a test does with it.

    Args:
        path: the file; it comes into being with the first statement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def target(self, models: object, **settings: Any) -> Target:
        """The database and the models; ``settings`` are fields of :class:`trueup.Settings`."""
        return Target(url=self.url, models=models, settings=Settings(**settings))

    # -- the database, without trueup ----------------------------------------------------------------------------------

    def create(self, models: object) -> None:
        """Make the tables as an application does: by SQLAlchemy's ``create_all``."""
        engine = create_engine(self.url)
        try:
            metadata_of(models).create_all(engine)
        finally:
            engine.dispose()

    def sql(self, script: str, *, foreign_keys: bool = True) -> None:
        """Run statements and commit, on a connection of their own that enforces foreign keys unless told otherwise."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
            connection.executescript(script)
            connection.commit()

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Everything that the query finds."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: str, parameters: Sequence[Any] = ()) -> Any:
        """The first value of the first row that the query finds."""
        return self.rows(query, parameters)[0][0]

    def refusal(self, script: str) -> str:
        """What SQLite says against the statements; an empty string when it takes them. Nothing of them stays."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("BEGIN")
            try:
                for statement in script.split(";"):
                    connection.execute(statement)
            except sqlite3.Error as error:
                return str(error)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return ""

    def stored(self, name: str) -> str:
        """The SQL that the database stores for an object."""
        return str(self.value("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)))

    def names(self, kind: str = "table") -> list[str]:
        """The names of all objects of a kind, without SQLite's own."""
        query = "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        return [name for (name,) in self.rows(query, (kind,))]

    def dump(self) -> str:
        """Everything in the database as text: what is stored of every object, and every row."""
        with closing(sqlite3.connect(self.path)) as connection:
            objects = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2").fetchall()
            lines = list(map(repr, objects))
            for name in (name for kind, name, *_ in objects if kind == "table"):
                columns = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({quote(name)})")]
                terms = ", ".join(f"quote({quote(column)})" for column in columns)
                lines += sorted(f"{name}: {row}" for row in connection.execute(f"SELECT {terms} FROM {quote(name)}"))
        return "\n".join(lines)

    def content(self, table: str, columns: Sequence[str]) -> list[Row]:
        """Every row's values with their storage classes, in an order that does not depend on how they are stored."""
        terms = ", ".join(f"typeof({column}), {column}" for column in map(quote, columns))
        return sorted(self.rows(f"SELECT {terms} FROM {quote(table)}"), key=repr)

    def healthy(self) -> bool:
        """Whether SQLite's complete check finds nothing wrong, broken references included."""
        return self.rows("PRAGMA integrity_check") == [("ok",)] and not self.rows("PRAGMA foreign_key_check")

    def structure(self) -> dict[str, Any]:
        """What SQLite's pragmas tell of every table, told by names so that neither order nor spelling matters.

        It is read without trueup, so that trueup's own reader is not its own witness.
        """
        with closing(sqlite3.connect(self.path)) as connection:
            return structure_of(connection)

    # -- trueup --------------------------------------------------------------------------------------------------------

    def plan(
        self,
        models: object,
        *,
        policy: Policy | None = None,
        decisions: Sequence[Any] = (),
        leave_out: Collection[str] = (),
        **kw: Any,
    ) -> Plan:
        """:func:`trueup.plan` for this database; ``kw`` are fields of :class:`trueup.Settings`."""
        return plan(self.target(models, **kw), policy=policy, decisions=decisions, leave_out=leave_out)

    def migrate(self, models: object, *, policy: Policy = Policy.SAFE, **kw: Any) -> Run:
        """:func:`trueup.migrate` for this database; ``kw`` are fields of :class:`trueup.Settings`."""
        return migrate(self.target(models, policy=policy, **kw))

    def found(self, models: object, **kw: Any) -> list[tuple[str, str]]:
        """Kind and id of every difference between the database and the models."""
        return [(item.change.kind, item.change.id) for item in self.plan(models, **kw).assessments]

    def applied(self, models: object, **kw: Any) -> list[str]:
        """Ids of what a run would do."""
        return [item.change.id for item in self.plan(models, **kw).with_verdict(Verdict.APPLY)]


def quote(name: str) -> str:
    """An identifier as SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def structure_of(connection: sqlite3.Connection) -> dict[str, Any]:
    """See :meth:`Lab.structure`."""
    own = ("migration_history",)
    listed = connection.execute("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    return {
        name: {
            "options": (without_rowid, strict),
            "columns": _columns(connection, name),
            "indexes": _indexes(connection, name),
            "foreign keys": _foreign_keys(connection, name),
        }
        for name, kind, without_rowid, strict in listed
        if kind == "table" and not name.startswith("sqlite_") and name not in own
    }


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, Row]:
    rows = connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)', (table,)
    )
    return {name: rest for name, *rest in rows.fetchall()}


def _indexes(connection: sqlite3.Connection, table: str) -> list[Any]:
    """Automatic indexes are numbered in the order of their constraints, so only what they are about counts."""
    found = []
    listed = 'SELECT name, "unique", origin, partial FROM pragma_index_list(?)'
    for name, *rest in connection.execute(listed, (table,)).fetchall():
        columns = connection.execute('SELECT name, "desc", coll, key FROM pragma_index_xinfo(?)', (name,)).fetchall()
        found.append((name if rest[1] == "c" else "", *rest, tuple(row for row in columns if row[3])))
    return sorted(found, key=repr)


def _foreign_keys(connection: sqlite3.Connection, table: str) -> list[Any]:
    keys: dict[int, list[Row]] = {}
    for number, _, *rest in connection.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,)).fetchall():
        keys.setdefault(number, []).append(tuple(rest))
    return sorted(keys.values(), key=repr)


def metadata_of(models: object) -> MetaData:
    """The ``MetaData`` itself, or that of a declarative base."""
    return models if isinstance(models, MetaData) else models.metadata  # type: ignore[attr-defined]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A laboratory with an empty database."""
    return Lab(tmp_path / "app.db")


@pytest.fixture
def make_lab(tmp_path: Path) -> Callable[[str], Lab]:
    """Laboratories by name, where one is not enough."""

    def make(name: str) -> Lab:
        return Lab(tmp_path / f"{name}.db")

    return make


@pytest.fixture
def only_rebuilds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SQLite that protects its schema table and has the ALTER TABLE of 3.35: what is not in place is a rebuild."""
    monkeypatch.setattr(of_sqlite, "abilities", lambda: replace(ONLY_EDITS, edits_schema=False))


@pytest.fixture
def only_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SQLite from before ALTER TABLE knew constraints, whatever this one is."""
    monkeypatch.setattr(of_sqlite, "abilities", lambda: ONLY_EDITS)


@pytest.fixture(params=["cheapest form", "only rebuilds"])
def both_forms(request: pytest.FixtureRequest) -> None:
    """Once with what the SQLite of this Python can do, once with :func:`only_rebuilds`."""
    if request.param == "only rebuilds":
        request.getfixturevalue("only_rebuilds")
