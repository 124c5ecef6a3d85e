"""One spelling for all expressions of which SQLite's parser makes the same tree.

The operators, from those that bind last to those that bind first, are those of
https://www.sqlite.org/lang_expr.html#operators_and_parse_affecting_attributes. Parentheses leave no trace in the tree,
so only those that change it stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trueup.dialects.sqlite.tokens import Cursor, Kind, Token, canonical, split, strip_parentheses
from trueup.schema import Sql

_LEVELS = (
    "OR",
    "AND",
    "NOT",
    "= == <> != IS IN LIKE GLOB MATCH REGEXP BETWEEN ISNULL NOTNULL",
    "< > <= >=",
    "<< >> & |",
    "+ -",
    "* / %",
    "|| -> ->>",
    "COLLATE",
)
_STRENGTH: Mapping[str, int] = {
    word: strength for strength, words in enumerate(_LEVELS, start=1) for word in words.split()
}
_OR, _NOT, _EQUAL, _COLLATE = (_STRENGTH[word] for word in ("OR", "NOT", "=", "COLLATE"))
_SIGN, _ATOM = _COLLATE + 1, _COLLATE + 2
_PATTERNS = ("LIKE", "GLOB", "MATCH", "REGEXP")
_NEGATED = ("NULL", "IN", "BETWEEN", *_PATTERNS)
"""What may follow a NOT that stands behind its first operand."""
_QUERIES = ("SELECT", "VALUES", "WITH")


class _Term(NamedTuple):
    text: str
    strength: int
    """Of the operator that binds last in it."""

    def within(self, strength: int) -> str:
        """As an operand of an operator that leaves to it only what binds at least as strongly as this."""
        return self.text if self.strength >= strength else f"( {self.text} )"


def expression(sql: str, tokens: Sequence[Token]) -> Sql:
    """The part of ``sql`` that the tokens cover, without redundant outer parentheses."""
    inner = strip_parentheses(tokens)
    text = sql[inner[0].start : inner[-1].end] if inner else ""
    return Sql(text, canonical_expression(inner))


def canonical_expression(tokens: Sequence[Token]) -> str:
    """The spelling; what is not understood, such as a window function, keeps the parentheses that it has."""
    try:
        return _whole(tokens).text
    except (ValueError, IndexError, RecursionError):
        return canonical(tokens)


def _whole(tokens: Sequence[Token]) -> _Term:
    reader = _Reader(tokens)
    term = reader.term(_OR)
    if reader.more:
        raise ValueError("more than one expression")
    return term


@dataclass(slots=True)
class _Reader(Cursor):
    """Reads expressions where it stands."""

    # -- operators -----------------------------------------------------------------------------------------------------

    def term(self, least: int) -> _Term:
        """The longest expression of operators that bind at least as strongly as ``least``."""
        left = self._first()
        while self.more and self._strength() >= least:
            left = self._joined(left)
        return left

    def _strength(self) -> int:
        keyword = self.tokens[self.at].keyword
        return _EQUAL if keyword == "NOT" else _STRENGTH.get(keyword, 0)

    def _joined(self, left: _Term) -> _Term:
        """The expression whose first operand was read and whose operator is next."""
        if self.accept("NOT"):
            return self._negated(left)
        token = self.take()
        strength = _STRENGTH[token.keyword]
        first = left.within(strength)
        match token.keyword:
            case "ISNULL" | "NOTNULL":
                return _Term(f"{first} is {'not ' if token.keyword == 'NOTNULL' else ''}null", strength)
            case "IS":
                return _Term(f"{first} {self._is()} {self._operand()}", strength)
            case "BETWEEN":
                return _Term(f"{first} between {self._range()}", strength)
            case "IN":
                return _Term(f"{first} in {_listed(self.group()[1:-1])}", strength)
            case "COLLATE":
                return _Term(f"{first} collate {self.take().name.lower()}", strength)
            case "OR" | "AND":
                return _Term(f"{first} {token.text.lower()} {self.term(strength + 1).within(strength)}", strength)
            case keyword if keyword in _PATTERNS:
                return _Term(f"{first} {keyword.lower()} {self._pattern()}", strength)
            case _:
                return _Term(f"{first} {canonical([token])} {self.term(strength + 1).within(strength + 1)}", strength)

    def _negated(self, left: _Term) -> _Term:
        """``a NOT IN b`` is ``NOT a IN b``, and ``a NOT NULL`` is ``a IS NOT NULL``."""
        if self.accept("NULL"):
            return _Term(f"{left.within(_EQUAL)} is not null", _EQUAL)
        if self.peek() not in _NEGATED:
            raise ValueError("an operator is missing behind NOT")
        return _Term(f"not {self._joined(left).text}", _NOT)

    def _is(self) -> str:
        """``IS DISTINCT FROM`` is another word for ``IS NOT``."""
        negated = self.accept("NOT")
        if self.accept("DISTINCT", "FROM"):
            negated = not negated
        return "is not" if negated else "is"

    def _operand(self) -> str:
        return self.term(_EQUAL + 1).within(_EQUAL + 1)

    def _range(self) -> str:
        low = self._operand()
        self.expect("AND")
        return f"{low} and {self._operand()}"

    def _pattern(self) -> str:
        pattern = self._operand()
        return f"{pattern} escape {self._operand()}" if self.accept("ESCAPE") else pattern

    # -- operands ------------------------------------------------------------------------------------------------------

    def _first(self) -> _Term:
        """What an expression may begin with."""
        if self.peek() == "(":
            return _parenthesised(self.group()[1:-1])
        token = self.take()
        match token.keyword:
            case "NOT" if self.peek() != "EXISTS":
                return _Term(f"not {self.term(_NOT).within(_NOT)}", _NOT)
            case "+" | "-" | "~":
                return _Term(f"{token.text} {self.term(_SIGN).within(_SIGN)}", _SIGN)
            case "CASE":
                return _Term(" ".join(self._case()), _ATOM)
            case "CAST":
                return _Term(f"cast {_cast(self.group()[1:-1])}", _ATOM)
            case _ if token.kind == Kind.OPERATOR or token.keyword in (*_QUERIES, "EXISTS", "NOT"):
                raise ValueError(f"{token.text} begins no expression that is understood")
        return _Term(self._name(token), _ATOM)

    def _name(self, first: Token) -> str:
        """A value, a column with its table, or a call of a function."""
        words = canonical([first])
        while self.accept("."):
            words += f" . {canonical([self.take()])}"
        return f"{words} {_listed(self.group()[1:-1])}" if self.peek() == "(" else words

    def _case(self) -> Iterator[str]:
        yield "case"
        while not self.accept("END"):
            if self.peek() in ("WHEN", "THEN", "ELSE"):
                yield self.take().text.lower()
            yield self.term(_OR).text
        yield "end"


def _parenthesised(inner: Sequence[Token]) -> _Term:
    if inner[0].keyword not in _QUERIES and len(list(split(inner))) == 1:
        return _whole(inner)
    return _Term(_listed(inner), _ATOM)


def _listed(inner: Sequence[Token]) -> str:
    """A list of values in parentheses; a query and the star of ``count(*)`` stay as they are written."""
    if inner and inner[0].keyword in (*_QUERIES, "*"):
        return f"( {canonical(inner)} )"
    values = " , ".join(_whole(part).text for part in split(inner))
    return f"( {values} )" if values else "( )"


def _cast(inner: Sequence[Token]) -> str:
    """The type is a word like any other, perhaps with a length behind it."""
    reader = _Reader(inner)
    value = reader.term(_OR).text
    reader.expect("AS")
    return f"( {value} as {canonical(inner[reader.at :])} )"
