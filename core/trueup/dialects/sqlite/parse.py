"""Read a stored ``CREATE TABLE`` or ``CREATE INDEX`` into values.

Pragmas do not tell the names of constraints, CHECK and generated expressions, COLLATE, AUTOINCREMENT, conflict clauses
and DEFERRABLE; the stored text does. The grammar is https://www.sqlite.org/lang_createtable.html. Whatever does not fit
it raises :class:`NotUnderstood`, and the reader makes the table *unsupported* instead of guessing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from trueup.dialects.sqlite.expressions import expression
from trueup.dialects.sqlite.quoting import quote, string
from trueup.dialects.sqlite.tokens import Cursor, Kind, Token, canonical, closing, split, tokenize
from trueup.schema import Check, Column, Computed, ForeignKey, Index, KeyPart, PrimaryKey, Sql, Table, Unique

_COLUMN_CONSTRAINTS = frozenset(
    ["CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"]
)
_TABLE_CONSTRAINTS = frozenset(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])
_NAMES = (Kind.WORD, Kind.QUOTED)
_LITERAL_WORDS = frozenset(["TRUE", "FALSE", "NULL", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"])
_REMEMBERED = 20_000
_SAME_DEFAULT = {"true": "1", "false": "0"}


class NotUnderstood(ValueError):
    """The text is not what the manual describes."""


@lru_cache(maxsize=_REMEMBERED)
def parse_table(sql: str) -> Table:
    """The table that the statement creates. The two sides of a comparison mostly hold the same text: it is read once.

    Foreign keys that name no columns of the parent have empty ``referred_columns``: they mean its primary key.

    Raises:
        NotUnderstood: some part of the statement is not understood.
    """
    tokens = tokenize(sql)
    try:
        opening = next(index for index, token in enumerate(tokens) if token.text == "(")
        name = tokens[opening - 1].name
        qualifiers = _qualifiers(tokens, opening, name)
        tokens = [token for index, token in enumerate(tokens) if index not in qualifiers]
        end = closing(tokens, opening)
        builder = _TableBuilder(sql)
        for item in split(tokens[opening + 1 : end]):
            builder.read_item(item)
    except (StopIteration, IndexError, ValueError) as error:
        raise NotUnderstood(str(error) or "the statement ends too early") from error
    options = {canonical(option) for option in split(tokens[end + 1 :])}
    if options - {"strict", "without rowid"}:
        raise NotUnderstood(f"table options {sorted(options)}")
    return replace(
        builder.table(), name=name, sql=sql, strict="strict" in options, without_rowid="without rowid" in options
    )


def unqualified(sql: str, table: str) -> str:
    """A CREATE TABLE statement without the table's own name before names of its columns, as in ``CHECK (t.n > 0)``."""
    tokens = tokenize(sql)
    opening = next(index for index, token in enumerate(tokens) if token.text == "(")
    for index in sorted(_qualifiers(tokens, opening, table), reverse=True):
        sql = sql[: tokens[index].start] + sql[tokens[index].end :]
    return sql


def _qualifiers(tokens: Sequence[Token], opening: int, table: str) -> set[int]:
    """Where the table's own name and the dot after it stand."""
    found: set[int] = set()
    for index in range(opening, len(tokens) - 1):
        if tokens[index + 1].text == "." and tokens[index].kind in _NAMES and _same(tokens[index].name, table):
            found |= {index, index + 1}
    return found


def _same(name: str, other: str) -> bool:
    return name.lower() == other.lower()


def table_name_span(sql: str) -> tuple[int, int]:
    """Where in a CREATE TABLE statement the table's name stands."""
    tokens = tokenize(sql)
    opening = next(index for index, token in enumerate(tokens) if token.text == "(")
    return tokens[opening - 1].start, tokens[opening - 1].end


@lru_cache(maxsize=_REMEMBERED)
def parse_index(sql: str) -> Index:
    """The index that the statement creates.

    Raises:
        NotUnderstood: some part of the statement is not understood.
    """
    tokens = tokenize(sql)
    try:
        on = next(index for index, token in enumerate(tokens) if token.keyword == "ON")
        opening = on + 2
        end = closing(tokens, opening)
        parts = tuple(_key_part(sql, part) for part in split(tokens[opening + 1 : end]))
    except (StopIteration, IndexError, ValueError) as error:
        raise NotUnderstood(str(error) or "the statement ends too early") from error
    rest = tokens[end + 1 :]
    return Index(
        name=tokens[on - 1].name,
        parts=parts,
        unique=any(token.keyword == "UNIQUE" for token in tokens[:on]),
        where=expression(sql, rest[1:]) if rest and rest[0].keyword == "WHERE" else None,
        sql=sql,
    )


@lru_cache(maxsize=_REMEMBERED)
def parse_definition(sql: str) -> Sql:
    """The whole statement of a view, a trigger or a virtual table."""
    return Sql(sql, canonical(tokenize(sql)))


def parse_type(text: str) -> Sql:
    """A declared type; the canonical form has no blanks beside parentheses and commas."""
    return Sql(
        " ".join(text.split()), canonical(tokenize(text)).replace(" ( ", "(").replace(" )", ")").replace(" ,", ",")
    )


def parse_default(sql: str, tokens: Sequence[Token]) -> Sql | None:
    """A DEFAULT clause's value; DEFAULT NULL is the same as none, and a name alone is the same as a string."""
    if len(tokens) == 1 and tokens[0].kind in _NAMES and tokens[0].keyword not in _LITERAL_WORDS:
        return Sql(string(tokens[0].name), string(tokens[0].name))
    value = expression(sql, tokens)
    folded = value.canonical.removeprefix("+ ")
    if folded == "null":
        return None
    return Sql(value.text, _SAME_DEFAULT.get(folded, folded))


@dataclass(slots=True)
class _Constraints:
    """What a column's own constraints said about it."""

    nullable: bool = True
    on_conflict: str | None = None
    default: Sql | None = None
    collation: str | None = None
    computed: Computed | None = None


@dataclass(slots=True)
class _TableBuilder:
    sql: str
    columns: list[Column] = field(default_factory=list)
    primary_key: PrimaryKey | None = None
    uniques: list[Unique] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def table(self) -> Table:
        return Table(
            name="",
            columns=tuple(self.columns),
            primary_key=self.primary_key,
            uniques=tuple(self.uniques),
            foreign_keys=tuple(self.foreign_keys),
            checks=tuple(self.checks),
        )

    def read_item(self, item: Sequence[Token]) -> None:
        if item[0].keyword in _TABLE_CONSTRAINTS:
            self._read_constraints(_Reader(item, sql=self.sql), None)
        else:
            self._read_column(item)

    def _read_column(self, item: Sequence[Token]) -> None:
        reader = _Reader(item, sql=self.sql)
        name = reader.take().name
        type_ = reader.type()
        found = self._read_constraints(reader, name)
        self.columns.append(
            Column(
                name=name,
                type=type_,
                nullable=found.nullable,
                default=found.default,
                collation=found.collation,
                computed=found.computed,
                on_conflict=found.on_conflict,
            )
        )

    def _read_constraints(self, reader: _Reader, column: str | None) -> _Constraints:
        found = _Constraints()
        name: str | None = None
        while reader.more:
            keyword = reader.take_keyword()
            if keyword == "CONSTRAINT":
                name = reader.take().name
                continue
            self._read_constraint(keyword, name, reader, column, found)
            name = None
        return found

    def _read_constraint(
        self, keyword: str, name: str | None, reader: _Reader, column: str | None, found: _Constraints
    ) -> None:
        match keyword:
            case "PRIMARY":
                reader.expect("KEY")
                self._read_primary_key(name, reader, column)
            case "UNIQUE":
                parts = reader.parts() if column is None else (plain_part(column),)
                self.uniques.append(Unique(parts=parts, name=name, on_conflict=reader.conflict()))
            case "CHECK":
                self.checks.append(Check(expression=reader.parenthesised(), name=name))
                reader.conflict()
            case "FOREIGN":
                reader.expect("KEY")
                columns = reader.names()
                reader.expect("REFERENCES")
                self.foreign_keys.append(reader.reference(columns, name))
            case "REFERENCES" if column is not None:
                self.foreign_keys.append(reader.reference((column,), name))
            case "NOT":
                reader.expect("NULL")
                found.nullable, found.on_conflict = False, reader.conflict()
            case "NULL":
                reader.conflict()
            case "DEFAULT":
                found.default = reader.default()
            case "COLLATE":
                collation = reader.take().name
                found.collation = None if collation.upper() == "BINARY" else collation.upper()
            case "GENERATED" | "AS":
                found.computed = reader.computed(keyword)
            case _:
                raise NotUnderstood(f"{keyword or 'something'} in the definition of {column or 'a constraint'}")

    def _read_primary_key(self, name: str | None, reader: _Reader, column: str | None) -> None:
        inside = False
        if column is None:
            inside, parts = reader.key_parts()
            parts = self._without_meaningless_order(parts)
        else:
            parts = (replace(plain_part(column), descending=reader.direction()),)
        conflict = reader.conflict()
        autoincrement = reader.accept("AUTOINCREMENT") or inside
        self.primary_key = PrimaryKey(parts=parts, name=name, on_conflict=conflict, autoincrement=autoincrement)

    def _without_meaningless_order(self, parts: tuple[KeyPart, ...]) -> tuple[KeyPart, ...]:
        """``PRIMARY KEY (id DESC)`` of an INTEGER is the rowid all the same; ``id INTEGER PRIMARY KEY DESC`` is not.

        https://www.sqlite.org/lang_createtable.html#rowid
        """
        types = {column.name.lower(): column.type.canonical for column in self.columns}
        if len(parts) == 1 and parts[0].column and types.get(parts[0].column.lower()) == "integer":
            return (replace(parts[0], descending=False),)
        return parts


@dataclass(slots=True)
class _Reader(Cursor):
    """Reads the parts of definitions where it stands."""

    sql: str = field(kw_only=True)

    def take_keyword(self) -> str:
        return self.take().keyword

    def parenthesised(self) -> Sql:
        return expression(self.sql, self.group())

    def parts(self) -> tuple[KeyPart, ...]:
        return tuple(_key_part(self.sql, part) for part in split(self.group()[1:-1]))

    def key_parts(self) -> tuple[bool, tuple[KeyPart, ...]]:
        """The terms of PRIMARY KEY (...), and whether AUTOINCREMENT stands within its parentheses."""
        inner = self.group()[1:-1]
        autoincrement = inner[-1].keyword == "AUTOINCREMENT"
        terms = inner[:-1] if autoincrement else inner
        return autoincrement, tuple(_key_part(self.sql, part) for part in split(terms))

    def names(self) -> tuple[str, ...]:
        return tuple(part[0].name for part in split(self.group()[1:-1]))

    def type(self) -> Sql:
        """A type is any number of names, perhaps with numbers in parentheses: ``VARYING CHARACTER(255)``."""
        begin = self.at
        while self.more and self.peek() not in _COLUMN_CONSTRAINTS:
            if self.peek() == "(":
                self.group()
            else:
                self.take()
        covered = self.tokens[begin : self.at]
        return parse_type(self.sql[covered[0].start : covered[-1].end] if covered else "")

    def direction(self) -> bool:
        if self.accept("DESC"):
            return True
        self.accept("ASC")
        return False

    def conflict(self) -> str | None:
        """ON CONFLICT ABORT is what happens without the clause: https://www.sqlite.org/lang_conflict.html"""
        if not self.accept("ON", "CONFLICT"):
            return None
        action = self.take_keyword()
        return None if action == "ABORT" else action

    def default(self) -> Sql | None:
        begin = self.at
        if self.peek() == "(":
            self.group()
        elif self.take().keyword in ("+", "-"):
            self.take()
        return parse_default(self.sql, self.tokens[begin : self.at])

    def computed(self, keyword: str) -> Computed:
        if keyword == "GENERATED":
            self.expect("ALWAYS")
            self.expect("AS")
        body = self.parenthesised()
        stored = self.accept("STORED")
        self.accept("VIRTUAL")
        return Computed(expression=body, stored=stored)

    def reference(self, columns: tuple[str, ...], name: str | None) -> ForeignKey:
        key = ForeignKey(columns=columns, referred_table=self.take().name, referred_columns=(), name=name)
        if self.peek() == "(":
            key = replace(key, referred_columns=self.names())
        while self.more:
            if self.accept("ON", "DELETE"):
                key = replace(key, on_delete=self.action())
            elif self.accept("ON", "UPDATE"):
                key = replace(key, on_update=self.action())
            elif self.accept("MATCH"):
                match = self.take_keyword()
                key = replace(key, match=None if match == "SIMPLE" else match)
            elif self.accept("NOT", "DEFERRABLE"):
                self.initially()
            elif self.accept("DEFERRABLE"):
                key = replace(key, deferrable=self.initially() or "IMMEDIATE")
            else:
                break
        return key

    def initially(self) -> str | None:
        return self.take_keyword() if self.accept("INITIALLY") else None

    def action(self) -> str:
        first = self.take_keyword()
        return f"{first} {self.take_keyword()}" if first in ("SET", "NO") else first


def plain_part(column: str) -> KeyPart:
    return KeyPart(expression=Sql(column, canonical(tokenize(quote(column)))), column=column)


def _key_part(sql: str, tokens: Sequence[Token]) -> KeyPart:
    direction = tokens[-1].keyword if len(tokens) > 1 else ""
    descending = direction == "DESC"
    if direction in ("ASC", "DESC"):
        tokens = tokens[:-1]
    collation = None
    if len(tokens) > 2 and tokens[-2].keyword == "COLLATE":
        collation, tokens = tokens[-1].name.upper(), tokens[:-2]
    is_name = len(tokens) == 1 and tokens[0].kind in (Kind.WORD, Kind.QUOTED, Kind.STRING)
    part = plain_part(tokens[0].name) if is_name else KeyPart(expression=expression(sql, tokens))
    return replace(part, descending=descending, collation=collation)
