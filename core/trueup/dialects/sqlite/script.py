"""SQL text that declares part of a schema: cut into its statements, and run so that nothing but CREATE can happen."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from trueup.dialect import Script
from trueup.dialects.sqlite.tokens import Token, tokenize

_CREATING = frozenset(
    (
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_CREATE_VIEW,
        sqlite3.SQLITE_CREATE_VTABLE,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_REINDEX,
        sqlite3.SQLITE_SELECT,
    )
)
_WRITING = frozenset((sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE))
_SHOWN = 60
"""Characters of a statement that stand in a message."""


class ScriptRefused(Exception):
    """A sentence that says which statement is wrong, where it stands, and why."""


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    line: int
    tokens: tuple[Token, ...]

    @property
    def created(self) -> tuple[str, str]:
        """Kind and name of what it creates, in lower case; the name is empty for all but views and tables."""
        words = [token.keyword for token in self.tokens[:6]]
        kind = next((word for word in ("VIEW", "TABLE") if word in words[1:3]), "")
        at = words.index(kind) + 1 if kind else len(words)
        if words[at : at + 3] == ["IF", "NOT", "EXISTS"]:
            at += 3
        if self.tokens[at + 1 : at + 2] and self.tokens[at + 1].text == ".":
            at += 2
        name = self.tokens[at].name.lower() if at < len(self.tokens) else ""
        return ("virtual" if "VIRTUAL" in words[:2] else kind.lower()), name


def run_script(connection: sqlite3.Connection, script: Script) -> None:
    """Create what the script declares.

    Args:
        connection: of a scratch database; is given an authorizer while the script runs.
        script: CREATE statements. Those of SQLite's own tables, which ``.schema`` prints too, are passed over.

    Raises:
        ScriptRefused: a statement is wrong, or does something else than to create.
    """
    for statement in _statements(script.text):
        if not statement.created[1].startswith("sqlite_"):
            _run(connection, statement, script.origin)


def mapped_views(script: Script) -> frozenset[str]:
    """Names, in lower case, of the views and virtual tables that the script creates; a class may be mapped to them."""
    created = (statement.created for statement in _statements(script.text))
    return frozenset(name for kind, name in created if kind in ("view", "virtual"))


def _statements(text: str) -> Iterator[_Statement]:
    """https://www.sqlite.org/c3ref/complete.html knows which semicolons stand inside a trigger."""
    waiting: list[Token] = []
    for token in tokenize(text):
        waiting.append(token)
        if token.text == ";" and sqlite3.complete_statement(text[waiting[0].start : token.end]):
            if len(waiting) > 1:
                yield _statement(text, waiting[:-1])
            waiting = []
    if waiting:
        yield _statement(text, waiting)


def _statement(text: str, tokens: list[Token]) -> _Statement:
    start, end = tokens[0].start, tokens[-1].end
    return _Statement(text[start:end], text.count("\n", 0, start) + 1, tuple(tokens))


def _run(connection: sqlite3.Connection, statement: _Statement, origin: str) -> None:
    guard = _OnlyCreate()
    connection.set_authorizer(guard)
    try:
        connection.execute(statement.sql)
    except sqlite3.Error as error:
        words = " ".join(statement.sql.split())
        shown = words if len(words) <= _SHOWN else f"{words[:_SHOWN]} ..."
        problem = "only CREATE can stand in it" if guard.refused else str(error)
        raise ScriptRefused(f"{origin}, line {statement.line}: {problem}: {shown}") from error
    finally:
        connection.set_authorizer(None)


@dataclass(slots=True)
class _OnlyCreate:
    """Refuses whatever is not part of creating, while it is compiled: https://www.sqlite.org/c3ref/set_authorizer.html

    The extension of a virtual table makes and fills tables of its own, with statements that are asked for as well.
    """

    refused: bool = False
    _virtual: bool = False

    def __call__(self, action: int, name: str | None, _two: str | None, schema: str | None, _inner: str | None) -> int:
        self._virtual = self._virtual or action == sqlite3.SQLITE_CREATE_VTABLE
        notes = action in _WRITING and name in ("sqlite_master", "sqlite_sequence")
        allowed = schema != "temp" and (action in _CREATING or notes or self._virtual)
        self.refused = self.refused or not allowed
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
