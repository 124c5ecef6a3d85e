"""SQLite's own tokens, cut from SQL text: just enough of the language to read what ``sqlite_schema`` stores.

The rules are those of https://www.sqlite.org/lang_keywords.html (quoting) and https://www.sqlite.org/lang_expr.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from trueup.dialects.sqlite.quoting import quote, unquote


class Kind(StrEnum):
    WORD = "word"
    QUOTED = "quoted"
    STRING = "string"
    BLOB = "blob"
    NUMBER = "number"
    OPERATOR = "operator"


class Token(NamedTuple):
    kind: str
    """One of :class:`Kind`."""
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The upper-case word, or the operator itself; nothing for a token that cannot be a keyword."""
        return self.text.upper() if self.kind in (Kind.WORD, Kind.OPERATOR) else ""

    @property
    def name(self) -> str:
        """The identifier that the token means, without its quotes."""
        return unquote(self.text) if self.kind in (Kind.QUOTED, Kind.STRING) else self.text


_TOKEN = re.compile(
    r"""
      (?P<space>   \s+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<blob>    [xX]'[0-9a-fA-F]*' )
    | (?P<string>  '(?:[^']|'')*' )
    | (?P<quoted>  "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<word>    [A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]* )
    | (?P<number>  0[xX][0-9a-fA-F]+ | (?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<operator> \|\| | <= | >= | <> | != | == | << | >> | ->> | -> | . )
    """,
    re.VERBOSE | re.DOTALL,
)

_SAME_OPERATOR = {"==": "=", "!=": "<>"}
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*\Z")


@dataclass(slots=True)
class Cursor:
    """A place in a row of tokens."""

    tokens: Sequence[Token]
    at: int = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.tokens)

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def peek(self) -> str:
        """The keyword that is next, if one is."""
        return self.tokens[self.at].keyword if self.more else ""

    def accept(self, *keywords: str) -> bool:
        """Go past these keywords if they are next."""
        if self.peek() != keywords[0]:
            return False
        if [token.keyword for token in self.tokens[self.at : self.at + len(keywords)]] != list(keywords):
            return False
        self.at += len(keywords)
        return True

    def expect(self, keyword: str) -> None:
        """Go past this keyword.

        Raises:
            ValueError: something else is next.
        """
        if not self.accept(keyword):
            raise ValueError(f"{keyword} is missing")

    def group(self) -> Sequence[Token]:
        """The tokens of the parenthesis that is next, with the parentheses.

        Raises:
            ValueError: something else is next.
        """
        if self.peek() != "(":
            raise ValueError("a parenthesis is missing")
        begin, self.at = self.at, closing(self.tokens, self.at) + 1
        return self.tokens[begin : self.at]


def tokenize(sql: str) -> list[Token]:
    """Every token of the text, in order, without white space and comments."""
    return [
        Token(kind, match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if (kind := match.lastgroup or "") != "space"
    ]


def canonical(tokens: Iterable[Token]) -> str:
    """One spelling for all that mean the same: case, quotes, white space and outer parentheses are taken away."""
    return " ".join(_canonical_word(token) for token in strip_parentheses(list(tokens)))


def strip_parentheses(tokens: Sequence[Token]) -> Sequence[Token]:
    while len(tokens) >= 2 and tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def closing(tokens: Sequence[Token], opening: int) -> int:
    """Index of the parenthesis that closes the one at ``opening``.

    Raises:
        ValueError: there is none.
    """
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0) if tokens[index].kind == Kind.OPERATOR else 0
        if depth == 0:
            return index
    raise ValueError("a parenthesis is not closed")


def split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The parts between the commas that stand outside all parentheses."""
    depth = begin = 0
    for index, token in enumerate(tokens):
        if token.kind != Kind.OPERATOR:
            continue
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield tokens[begin:index]
            begin = index + 1
    if begin < len(tokens):
        yield tokens[begin:]


def _canonical_word(token: Token) -> str:
    match token.kind:
        case Kind.STRING:
            return token.text
        case Kind.QUOTED:
            name = unquote(token.text)
            return name.lower() if _PLAIN_NAME.match(name) else quote(name.lower())
        case Kind.OPERATOR:
            return _SAME_OPERATOR.get(token.text, token.text)
        case _:
            return token.text.lower()
