"""One spelling for expressions that mean the same, and never the same one for two that do not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from trueup.dialects.sqlite.expressions import canonical_expression
from trueup.dialects.sqlite.tokens import tokenize

SAME = {
    "(n > 0) AND (n < 9)": "n > 0 AND n < 9",
    "((n)) > (((0)))": "n > 0",
    "(a AND b) AND c": "a AND (b AND c)",
    "(a AND b) OR c": "a AND b OR c",
    "NOT (a = b)": "not a==b",
    "(n + 1) * 2 > (3)": "(n+1)*2 > 3",
    "(n * 1) + 2": "n * 1 + 2",
    "-(n)": "- n",
    "length((a)) > 0": "LENGTH(a) > 0",
    "n IN ((1), 2)": "n IN (1, 2)",
    "(n) NOT IN (1)": "NOT (n IN (1))",
    "a NOT LIKE 'x'": "NOT (a LIKE 'x')",
    "n BETWEEN (1) AND (2 + 3)": "n BETWEEN 1 AND 2 + 3",
    "a NOTNULL": "(a) IS NOT NULL",
    "a NOT NULL": "a IS NOT NULL",
    "a ISNULL": "a IS NULL",
    "a IS NOT DISTINCT FROM b": "a IS b",
    "a IS DISTINCT FROM b": "a IS NOT b",
    "(a COLLATE NOCASE) = b": "a COLLATE nocase = b",
    "CASE WHEN (a) THEN (b) ELSE (c) END": "case when a then b else c end",
    "CASE (a) WHEN 1 THEN 2 END": "CASE a WHEN 1 THEN 2 END",
    "CAST((a) AS INTEGER)": "cast(a as integer)",
    "(a || b) || c": "a || b || c",
    "a LIKE ('x' || b) ESCAPE ('!')": "a LIKE 'x' || b ESCAPE '!'",
    "json_extract((doc), '$.a')": "JSON_EXTRACT(doc, '$.a')",
    "((a), (b)) = (1, 2)": "(a, b) = (1, 2)",
}

OTHER = {
    "(a OR b) AND c": "a OR b AND c",
    "NOT (a) = b": "(NOT a) = b",
    "(n + 1) * 2": "n + 1 * 2",
    "a - (b - c)": "a - b - c",
    "a || (b + c)": "(a || b) + c",
    "-(a || b)": "-a || b",
    "(a = b) COLLATE NOCASE": "a = b COLLATE NOCASE",
    "(a < b) = c": "a < (b = c)",
    "a IN ((1, 2))": "a IN (1, 2)",
    "(n BETWEEN 1 AND 2) = 1": "n BETWEEN 1 AND (2 = 1)",
    "(n & 1) = 0": "n & (1 = 0)",
    "a IS NOT b": "a IS (NOT b)",
    "a = 'X'": "a = 'x'",
    "a = '(b)'": "a = '((b))'",
    "a <> b": "NOT a = b",
}


def spelt(sql: str) -> str:
    return canonical_expression(tokenize(sql))


@pytest.mark.parametrize(("one", "other"), SAME.items())
def test_the_same(one: str, other: str) -> None:
    """Redundant parentheses, and other words for the same, are taken away."""
    assert spelt(one) == spelt(other)


@pytest.mark.parametrize(("one", "other"), OTHER.items())
def test_not_the_same(one: str, other: str) -> None:
    """Parentheses that change what is computed stay."""
    assert spelt(one) != spelt(other)


@pytest.mark.parametrize("sql", ["sum(a) OVER (ORDER BY (b))", "count(DISTINCT (a))", "EXISTS (SELECT (1))", "a b", ""])
def test_not_understood(sql: str) -> None:
    """What is beyond constraints and indexes keeps all its parentheses."""
    assert spelt(sql) == " ".join(token.text.lower() for token in tokenize(sql))


def test_very_deep() -> None:
    """More parentheses than anybody writes are no error."""
    deep = "(1 + " * 2000 + "1" + ")" * 2000
    assert spelt(deep) == spelt(deep.upper())


PLAIN = [
    "=",
    "==",
    "<>",
    "!=",
    "IS",
    "IS NOT",
    "LIKE",
    "NOT LIKE",
    "GLOB",
    "<",
    ">",
    "<=",
    ">=",
    "IS NOT DISTINCT FROM",
]
PLAIN += ["<<", ">>", "&", "|", "+", "-", "*", "/", "%", "||", "AND", "OR"]
SHAPES = [
    "NOT {}",
    "- {}",
    "~ {}",
    "+ {}",
    "{} ISNULL",
    "{} NOT NULL",
    "{} COLLATE NOCASE",
    "{} BETWEEN {} AND {}",
    "{} NOT BETWEEN {} AND {}",
    "{} IN ({}, {})",
    "{} NOT IN ({})",
    "{} LIKE {} ESCAPE '!'",
    "CASE WHEN {} THEN {} ELSE {} END",
    "CASE {} WHEN {} THEN {} END",
    "CAST({} AS TEXT)",
    "coalesce({}, {})",
]
SHAPES += [f"{{}} {operator} {{}}" for operator in PLAIN]
LEAVES = ["x", "y", "'a'", "'B%'", "1", "0", "2.5", "NULL", "t.x"]
VALUES = [None, -1, 0, 1, 2.5, "a", "B", "10"]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression in which any operand may or may not stand in parentheses, as if somebody had thrown them in."""
    if not depth or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(LEAVES))
    shape = draw(st.sampled_from(SHAPES))
    terms = [draw(expressions(depth - 1)) for _ in range(shape.count("{}"))]
    return shape.format(*(f"({term})" if draw(st.booleans()) else term for term in terms))


def computed(connection: sqlite3.Connection, sql: str) -> list[Any] | None:
    """What SQLite computes for every row, or nothing where it refuses."""
    try:
        return connection.execute(
            f"SELECT typeof(e), e FROM (SELECT {sql} AS e, t.rowid AS r FROM t) ORDER BY r"
        ).fetchall()
    except sqlite3.Error:
        return None


@given(expressions())
@example("x BETWEEN 1 AND 2 AND y")
@example("NOT x IN (1, 2) = y")
@example("x LIKE NOT y ESCAPE '!' < 5")
@example("- x COLLATE NOCASE || y")
def test_the_spelling_computes_the_same(sql: str) -> None:
    """The one spelling is SQL as well, and computes what the expression computes; so two that share it are the same."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (x, y)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", product(VALUES, VALUES))
        values = computed(connection, sql)
        assume(values is not None)
        assert computed(connection, spelt(sql)) == values
    assert spelt(spelt(sql)) == spelt(sql)
    assert spelt(f"(({sql}))") == spelt(sql)
