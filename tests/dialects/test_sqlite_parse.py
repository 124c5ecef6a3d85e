"""SQLite's stored statements, read into values: every spelling that the grammar allows, and those that it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from trueup.dialects.sqlite.parse import NotUnderstood, parse_index, parse_table, parse_type
from trueup.dialects.sqlite.quoting import unquote
from trueup.dialects.sqlite.reader import read_schema
from trueup.dialects.sqlite.render import create_table
from trueup.dialects.sqlite.tokens import Kind, canonical, tokenize
from trueup.schema import Schema, Table
from trueup.stages.compare import compare


def column(definition: str, options: str = "") -> Any:
    """The first column of a table that has this one and another."""
    return parse_table(f"CREATE TABLE t ({definition}, other INT){options}").columns[0]


def table(body: str, options: str = "") -> Table:
    return parse_table(f"CREATE TABLE t ({body}) {options}")


# -- tokens ------------------------------------------------------------------------------------------------------------


def test_white_space_and_comments_are_no_tokens() -> None:
    """Comments of both kinds, also one that is never closed, separate tokens and are none."""
    assert [token.text for token in tokenize("a--b (\n/* c ' */,\t d /* open")] == ["a", ",", "d"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("'it''s (a), b'", Kind.STRING),
        ('"a ""b"" c"', Kind.QUOTED),
        ("`a ``b`` c`", Kind.QUOTED),
        ("[a ' b]", Kind.QUOTED),
        ("x'0aFF'", Kind.BLOB),
        ("X''", Kind.BLOB),
        ("größe$1", Kind.WORD),
        ("名前", Kind.WORD),
        ("12.5e-3", Kind.NUMBER),
        (".5", Kind.NUMBER),
        ("0x1F", Kind.NUMBER),
        ("->>", Kind.OPERATOR),
        ("||", Kind.OPERATOR),
    ],
)
def test_a_token_is_taken_whole(text: str, kind: Kind) -> None:
    """Strings, quoted names, blobs, numbers and operators are one token each."""
    assert [(token.kind, token.text) for token in tokenize(f" {text} ")] == [(kind, text)]


@pytest.mark.parametrize(
    ("quoted", "name"), [('"a""b"', 'a"b'), ("`a``b`", "a`b"), ("[a]", "a"), ("'a''b'", "a'b"), ("a", "a"), ('"', '"')]
)
def test_unquote(quoted: str, name: str) -> None:
    """All four kinds of quotes are taken away, and doubled quotes inside become one."""
    assert unquote(quoted) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a  =  B", '"A"==`b`'),
        ("((n > 0))", "n>0"),
        ("a <> 'X'", "[a] != 'X'"),
        ("n in (1,2)", "N IN ( 1 , 2 ) -- three"),
        ("a || 'b'", "a||'b'"),
        ("1E3 + 0XFF", "1e3+0xff"),
    ],
)
def test_canonical_forms_are_equal(one: str, other: str) -> None:
    """Case, quotes, blanks, comments, outer parentheses and the two spellings of an operator do not matter."""
    assert canonical(tokenize(one)) == canonical(tokenize(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 'x'", "a = 'X'"),
        ("a = 'x y'", "a = 'x  y'"),
        ("(a + b) * c", "a + (b * c)"),
        ("(a) + (b)", "a) + (b"),
        ("a = ''", "a = ' '"),
        ('"a b" = 1', "a b = 1"),
        ("x'00'", "'00'"),
        ("a->b", "a->>b"),
    ],
)
def test_canonical_forms_differ(one: str, other: str) -> None:
    """What stands in strings, inner parentheses and different operators do matter."""
    assert canonical(tokenize(one)) != canonical(tokenize(other))


# -- columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "canonical_form"),
    [
        ("", ""),
        ("INTEGER", "integer"),
        ("varying  CHARACTER ( 255 )", "varying character(255)"),
        ("numeric(10 , 2)", "numeric(10, 2)"),
        ("DECIMAL(-5,+2)", "decimal(-5, +2)"),
        ("unsigned big int", "unsigned big int"),
        ("double /* c */ precision", "double precision"),
        ('"quoted type"(3)', '"quoted type"(3)'),
    ],
)
def test_types(declared: str, canonical_form: str) -> None:
    """A type is any number of names with perhaps two numbers, and may be missing."""
    assert column(f"a {declared}").type.canonical.replace("- ", "-").replace("+ ", "+") == canonical_form


def test_a_type_is_not_told_apart_by_blanks_and_case() -> None:
    """``VARCHAR (50)`` is ``varchar(50)``, but not ``VARCHAR(60)``."""
    assert parse_type("VARCHAR (50)") == parse_type("varchar( 50 )") != parse_type("VARCHAR(60)")


@pytest.mark.parametrize(
    ("clause", "text"),
    [
        ("DEFAULT 5", "5"),
        ("DEFAULT -1", "-1"),
        ("DEFAULT - 1.5e3", "- 1.5e3"),
        ("DEFAULT +7", "+7"),
        ("DEFAULT 'it''s, (x'", "'it''s, (x'"),
        ("DEFAULT ''", "''"),
        ("DEFAULT (1 + (2))", "1 + (2)"),
        ("DEFAULT ((1) + (2))", "(1) + (2)"),
        ("DEFAULT (((1)))", "1"),
        ("DEFAULT x'0A'", "x'0A'"),
        ("DEFAULT CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("DEFAULT TRUE", "TRUE"),
        ("DEFAULT (CASE WHEN 1 THEN ',' ELSE ')' END)", "CASE WHEN 1 THEN ',' ELSE ')' END"),
        ("DEFAULT 1 DEFAULT 2", "2"),
        ("CONSTRAINT d DEFAULT 5 NOT NULL", "5"),
    ],
)
def test_defaults(clause: str, text: str) -> None:
    """A default is a literal with or without a sign, a name, or an expression in parentheses; the last one counts."""
    assert str(column(f"a TEXT {clause}").default) == text


@pytest.mark.parametrize("clause", ["", "DEFAULT NULL", "DEFAULT (NULL)", "default null"])
def test_no_default(clause: str) -> None:
    """A default of NULL is none."""
    assert column(f"a TEXT {clause}").default is None


def test_a_default_in_double_quotes_is_a_string() -> None:
    """SQLite takes a quoted name in a DEFAULT for a string, so its case counts."""
    assert column('a DEFAULT "Active"').default == column("a DEFAULT 'Active'").default
    assert column('a DEFAULT "Active"').default != column('a DEFAULT "active"').default


@pytest.mark.parametrize(
    ("clause", "expression", "stored"),
    [
        ("GENERATED ALWAYS AS (b + 1) STORED", "b + 1", True),
        ("GENERATED ALWAYS AS (b + 1) VIRTUAL", "b + 1", False),
        ("generated always as(b+1)", "b+1", False),
        ("AS(b||')')STORED", "b||')'", True),
        ("AS (b) VIRTUAL NOT NULL", "b", False),
    ],
)
def test_generated_columns(clause: str, expression: str, stored: bool) -> None:
    """GENERATED ALWAYS may be left out, and blanks too; VIRTUAL is what holds where nothing is said."""
    computed = column(f"a INT {clause}").computed
    assert (str(computed.expression), computed.stored) == (expression, stored)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("NOT NULL", (False, None)),
        ("NULL", (True, None)),
        ("NULL ON CONFLICT FAIL", (True, None)),
        ("NOT NULL ON CONFLICT ROLLBACK", (False, "ROLLBACK")),
        ("NOT NULL ON CONFLICT ABORT", (False, None)),
        ("CONSTRAINT nn NOT NULL on conflict ignore", (False, "IGNORE")),
        ("DEFAULT 5 UNIQUE CHECK (a) COLLATE RTRIM NOT NULL", (False, None)),
    ],
)
def test_nullability(clause: str, expected: tuple[bool, str | None]) -> None:
    """NOT NULL may stand anywhere among a column's constraints, with a name and a conflict clause."""
    found = column(f"a {clause}")
    assert (found.nullable, found.on_conflict) == expected


@pytest.mark.parametrize(
    ("clause", "collation"),
    [
        ("COLLATE nocase", "NOCASE"),
        ('COLLATE "RTrim"', "RTRIM"),
        ("COLLATE BINARY", None),
        ("CONSTRAINT c COLLATE [x]", "X"),
    ],
)
def test_collations(clause: str, collation: str | None) -> None:
    """A collation is told in capitals; BINARY is what holds anyway."""
    assert column(f"a TEXT {clause}").collation == collation


KEYWORDS = "abort action after always conflict desc end first generated key last match no of plan row temp view"


@pytest.mark.parametrize("word", KEYWORDS.split())
def test_keywords_as_names(word: str) -> None:
    """Words that SQLite lets stand for names are names: of a column, of a table, of an index."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE {word} (x, {word}, UNIQUE ({word}))")
        connection.execute(f"CREATE INDEX ix_{word} ON {word} ({word} DESC)")
        found = read_schema(connection).tables[0]
    assert (found.unsupported, found.name, [item.name for item in found.columns]) == (None, word, ["x", word])
    assert (found.uniques[0].columns, found.indexes[0].columns) == ((word,), (word,))


# -- constraints -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a INTEGER PRIMARY KEY", (("a",), None, False, None)),
        ("a INTEGER PRIMARY KEY ASC AUTOINCREMENT", (("a",), None, True, None)),
        ("a INTEGER PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT", (("a",), None, True, "REPLACE")),
        ("a INTEGER, PRIMARY KEY (a AUTOINCREMENT)", (("a",), None, True, None)),
        ("a, b, CONSTRAINT [the pk] PRIMARY KEY (b, a) ON CONFLICT FAIL", (("b", "a"), "the pk", False, "FAIL")),
        ("a CONSTRAINT pk PRIMARY KEY NOT NULL", (("a",), "pk", False, None)),
        ("a, b, PRIMARY KEY (b COLLATE nocase DESC, a)", (("b", "a"), None, False, None)),
    ],
)
def test_primary_keys(body: str, expected: tuple[Any, ...]) -> None:
    """A primary key on its column or as a constraint, named or not, with all its options."""
    key = table(body).primary_key
    assert key is not None
    assert (key.columns, key.name, key.autoincrement, key.on_conflict) == expected


def test_the_direction_of_a_key_is_read() -> None:
    """DESC is part of a key, beside a column as well as in a constraint."""
    for body in ("a INTEGER PRIMARY KEY DESC", "a, PRIMARY KEY (a DESC)"):
        key = table(body).primary_key
        assert key is not None
        assert key.parts[0].descending


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a UNIQUE", [(("a",), None, None)]),
        ("a UNIQUE UNIQUE", [(("a",), None, None)] * 2),
        ("a CONSTRAINT u UNIQUE ON CONFLICT IGNORE", [(("a",), "u", "IGNORE")]),
        (
            "a, b, UNIQUE (a, b), CONSTRAINT u UNIQUE (b) ON CONFLICT ABORT",
            [(("a", "b"), None, None), (("b",), "u", None)],
        ),
        ("a, CHECK (a > 0) UNIQUE (a)", [(("a",), None, None)]),
    ],
)
def test_unique(body: str, expected: list[Any]) -> None:
    """UNIQUE on a column or as a constraint; SQLite also takes constraints without a comma between them."""
    assert [(item.columns, item.name, item.on_conflict) for item in table(body).uniques] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a CHECK (a > (b * (2)))", [("a > (b * (2))", None)]),
        ("a CHECK (a IN ('(', ')', '--', '/*', ','))", [("a IN ('(', ')', '--', '/*', ',')", None)]),
        ('a CONSTRAINT "c\'s" CHECK ((a > 0))', [("a > 0", "c's")]),
        ("a CHECK (CASE WHEN a THEN 1 ELSE (0) END) NOT NULL", [("CASE WHEN a THEN 1 ELSE (0) END", None)]),
        ("a, CHECK (a > 0) CHECK (a < 5), CONSTRAINT c CHECK (a)", [("a > 0", None), ("a < 5", None), ("a", "c")]),
        ("a, CHECK (a) ON CONFLICT IGNORE", [("a", None)]),
        ("a, CONSTRAINT x CONSTRAINT y CHECK (a)", [("a", "y")]),
        ("a CHECK (a -- why (\n > 0)", [("a -- why (\n > 0", None)]),
    ],
)
def test_checks(body: str, expected: list[Any]) -> None:
    """A CHECK is kept as it was written, without the parentheses that say nothing."""
    assert [(str(item.expression), item.name) for item in table(body).checks] == expected


REFERENCE = "REFERENCES p ON DELETE SET NULL ON UPDATE set default MATCH full DEFERRABLE INITIALLY DEFERRED"


@pytest.mark.parametrize("body", [f"a {REFERENCE} NOT NULL", f"a, FOREIGN KEY (a) {REFERENCE}"])
def test_references_with_everything(body: str) -> None:
    """All options of a reference are read, beside its column and as a constraint."""
    key = table(body).foreign_keys[0]
    options = (key.on_delete, key.on_update, key.match, key.deferrable)
    assert (key.columns, key.referred_table, options) == (("a",), "p", ("SET NULL", "SET DEFAULT", "FULL", "DEFERRED"))


@pytest.mark.parametrize(
    ("options", "deferrable"),
    [
        ("", None),
        ("DEFERRABLE", "IMMEDIATE"),
        ("DEFERRABLE INITIALLY IMMEDIATE", "IMMEDIATE"),
        ("NOT DEFERRABLE INITIALLY DEFERRED", None),
        ("NOT DEFERRABLE NOT NULL", None),
        ("NOT NULL", None),
    ],
)
def test_deferrable(options: str, deferrable: str | None) -> None:
    """Only DEFERRABLE makes a reference deferrable, and the NOT of NOT NULL is not taken for its own."""
    assert table(f"a REFERENCES p (x) {options}").foreign_keys[0].deferrable == deferrable


def test_references_of_several_columns() -> None:
    """Columns on both sides keep their order, and their quotes are taken away."""
    key = table(
        'a, b, CONSTRAINT "f k" FOREIGN KEY (b, [a]) REFERENCES "p q" (`x y`, z) ON DELETE NO ACTION'
    ).foreign_keys[0]
    found = (key.name, key.columns, key.referred_table, key.referred_columns, key.on_delete)
    assert found == ("f k", ("b", "a"), "p q", ("x y", "z"), "NO ACTION")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", (False, False)),
        ("STRICT", (True, False)),
        ("without  /* c */ rowid", (False, True)),
        ("WITHOUT ROWID, STRICT", (True, True)),
        ("strict,Without Rowid -- end", (True, True)),
    ],
)
def test_options(options: str, expected: tuple[bool, bool]) -> None:
    """STRICT and WITHOUT ROWID in any order, case and company."""
    found = table("a TEXT PRIMARY KEY", options)
    assert (found.strict, found.without_rowid) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE INDEX ix ON t (a)", ("ix", False, ["a"], None)),
        ('CREATE UNIQUE INDEX "on" ON "t (x)" ("a b" DESC, [c])', ("on", True, ["a b", "c"], None)),
        ("CREATE INDEX ix ON t(lower(a) COLLATE nocase DESC,b)WHERE(b>(1))", ("ix", False, ["lower(a)", "b"], "b>(1)")),
        ("CREATE INDEX ix ON t (a || ',' , coalesce(b, 'x)'))", ("ix", False, ["a || ','", "coalesce(b, 'x)')"], None)),
    ],
)
def test_indexes(sql: str, expected: tuple[Any, ...]) -> None:
    """Names, uniqueness, terms and the condition of an index."""
    index = parse_index(sql)
    where = str(index.where) if index.where else None
    assert (index.name, index.unique, list(index.columns), where) == expected


def test_index_terms() -> None:
    """A term's collation and direction are told apart from its expression; ASC says nothing."""
    parts = parse_index("CREATE INDEX ix ON t (a COLLATE nocase DESC, b ASC, 'c', d COLLATE \"X\" asc)").parts
    found = [(part.column, part.collation, part.descending) for part in parts]
    assert found == [("a", "NOCASE", True), ("b", None, False), ("c", None, False), ("d", "X", False)]


# -- the whole ---------------------------------------------------------------------------------------------------------

NASTY = [
    "CREATE TABLE t (a)",
    "CREATE TABLE IF NOT EXISTS main.t (a, b)",
    "CREATE TABLE t AS SELECT 1 AS a, 'x' AS \"b c\", 2.5 AS [d], x'00' AS e",
    'CREATE TABLE "select (from)" ("where", \'group\', [order], `by`)',
    "CREATE TABLE [a(b] (x, [y)z])",
    'CREATE TABLE \'it\'\'s\' ("a ""b""" TEXT)',
    "CREATE TABLE täble (größe INT, 名前 TEXT, a$b, _c)",
    "CREATE TABLE t (a /* x ) */ , -- (\n b) -- end (",
    "CREATE TABLE t (a INTEGER PRIMARY KEY DESC, b)",
    "CREATE TABLE t (a INTEGER, b, PRIMARY KEY (a DESC))",
    "CREATE TABLE t (a INT PRIMARY KEY, b) WITHOUT ROWID",
    "CREATE TABLE t (a ANY, b TEXT, c INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE t (a TEXT DEFAULT -1, b DEFAULT +1.5e3, c DEFAULT (1+(2)), d DEFAULT x'0A', e DEFAULT (x'00'||'a'))",
    "CREATE TABLE t (a DEFAULT word, b DEFAULT 'it''s, (x', c DEFAULT TRUE, d DEFAULT current_time, e DEFAULT 0x1F)",
    'CREATE TABLE t (a DEFAULT "quoted", b DEFAULT [in brackets], c DEFAULT `x`)',
    """CREATE TABLE t (a CONSTRAINT c1 NOT NULL ON CONFLICT FAIL CONSTRAINT c2 UNIQUE ON CONFLICT REPLACE
        CONSTRAINT c3 CHECK (a>0) CONSTRAINT c4 DEFAULT 5 CONSTRAINT c5 COLLATE NOCASE)""",
    "CREATE TABLE t (a, b, CONSTRAINT y UNIQUE (a COLLATE NOCASE, b DESC) ON CONFLICT IGNORE CONSTRAINT z CHECK (a>b))",
    "CREATE TABLE t (a INT CONSTRAINT lonely, b, CONSTRAINT alone)",
    "CREATE TABLE t (a int generated always as (b+1) stored, b int, c as(a||')')virtual not null)",
    'CREATE TABLE t (a varying character(255), b double precision, c numeric(10, 2), d "my type", e [x y])',
    """CREATE TABLE t (a INTEGER REFERENCES p ON DELETE CASCADE REFERENCES q(x) ON UPDATE SET DEFAULT MATCH full
        NOT DEFERRABLE INITIALLY DEFERRED, b REFERENCES p DEFERRABLE)""",
    'CREATE TABLE t (a, b, FOREIGN KEY (a, b) REFERENCES p (x, "y z") MATCH PARTIAL ON DELETE RESTRICT)',
    "CREATE TABLE t (a INTEGER PRIMARY KEY ON CONFLICT REPLACE AUTOINCREMENT)",
    "CREATE TABLE t (a NOT NULL NULL, b UNIQUE, UNIQUE (b), CHECK (a <> b) ON CONFLICT IGNORE)",
    "CREATE TABLE t (a COLLATE NOCASE COLLATE RTRIM, b DEFAULT 1 DEFAULT 2)",
    "CREATE TABLE t (a CHECK (a GLOB '[0-9]*' AND a NOT LIKE '%''(%' ESCAPE '\\'))",
]


@pytest.fixture
def connection() -> Any:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


@pytest.mark.parametrize("ddl", NASTY)
def test_what_is_read_agrees_with_the_pragmas(connection: sqlite3.Connection, ddl: str) -> None:
    """Whatever SQLite accepts is read, and every column has the type, nullability and kind that SQLite tells."""
    connection.execute(ddl)
    found = read_schema(connection).tables[0]
    assert found.unsupported is None
    for item, (name, type_, not_null, hidden) in zip(found.columns, _xinfo(connection, found.name), strict=True):
        assert (item.name, item.computed is not None) == (name, hidden > 0)
        assert item.type.text.lower().replace('"', "").replace("[", "").replace("]", "") == type_.lower()
        assert not (not_null and item.nullable)


def _xinfo(connection: sqlite3.Connection, table: str) -> list[Any]:
    return connection.execute('SELECT name, type, "notnull", hidden FROM pragma_table_xinfo(?)', (table,)).fetchall()


@pytest.mark.parametrize("ddl", NASTY)
def test_what_is_read_can_be_written_again(connection: sqlite3.Connection, ddl: str) -> None:
    """A table that is written from its values alone means what it meant, to the reader and to SQLite."""
    connection.execute(ddl)
    before = read_schema(connection)
    with closing(sqlite3.connect(":memory:")) as other:
        other.execute(create_table(replace(before.tables[0], sql="")))
        after = read_schema(other)
        assert _differences(before, after) == []
        name = before.tables[0].name
        assert _behaviour(connection, name) == _behaviour(other, name)


def _differences(before: Schema, after: Schema) -> list[str]:
    return [change.sentence for change in (*compare(before, after), *compare(after, before))]


def _behaviour(connection: sqlite3.Connection, name: str) -> Any:
    """Which automatic indexes there are, and whether the key is the rowid."""
    query = 'SELECT origin, i.name, "desc", coll FROM pragma_index_list(?) AS l JOIN pragma_index_xinfo(l.name) AS i'
    rows = connection.execute(query, (name,)).fetchall()
    return sorted((origin, column or "", desc, coll.upper()) for origin, column, desc, coll in rows)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "CREATE TABLE t",
        "CREATE TABLE t (a",
        "CREATE TABLE t (a INT WHATEVER AS)",
        "CREATE TABLE t (a REFERENCES p ON INSERT CASCADE)",
        "CREATE TABLE t (a GENERATED ALWAYS)",
        "CREATE TABLE t (a CHECK a > 0)",
        "CREATE TABLE t (a, PRIMARY (a))",
        "CREATE TABLE t (a) WITHOUT EVERYTHING",
    ],
)
def test_what_does_not_fit_the_grammar_is_not_guessed_at(sql: str) -> None:
    """A statement that the manual does not describe raises NotUnderstood, and nothing else."""
    with pytest.raises(NotUnderstood):
        parse_table(sql)


@pytest.mark.parametrize("sql", ["", "CREATE INDEX ix", "CREATE INDEX ix ON t", "CREATE INDEX ix ON t (a"])
def test_an_index_that_does_not_fit_the_grammar_is_not_guessed_at(sql: str) -> None:
    """The same for indexes."""
    with pytest.raises(NotUnderstood):
        parse_index(sql)
