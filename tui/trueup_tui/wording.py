"""The words of the screens, and the one safe door through which text from a database reaches them.

Names, defaults and expressions may hold anything: ``[red]``, escape sequences, characters that turn the text around.
Nothing of it may be read as markup or reach the terminal as it is, so every such text goes through :func:`plain`,
:func:`cell`, :func:`paragraph`, :func:`lines` or :func:`sql`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from rich.text import Text
from textual.content import Content

from trueup import TrueupError, visible

_COLOURED = 200_000
"""Characters of SQL from which on colours would keep a person waiting."""
_SHORTER = {"a second ": "1 s ", " seconds ": " s ", "a minute ": "1 min ", " minutes ": " min "}
SIGNS = {"add": ("+", "$diff-add"), "drop": ("-", "$diff-drop"), "change": ("~", "$diff-alter"), "rename": ("»", "")}
"""What stands before a change, and its colour, by the change's verb."""
TAB = 4
"""Cells between two tab stops."""
_PRODUCTS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


# -- the door ----------------------------------------------------------------------------------------------------------


def plain(text: object, style: str = "") -> Content:
    """Text from anywhere as one line for a widget; ``style`` is the app's own."""
    return Content.styled(visible(str(text)), style) if style else Content(visible(str(text)))


def lines(text: object, style: str = "") -> Content:
    """Like :func:`plain`, with its line ends and tabs kept."""
    shown = visible(str(text), lines=True)
    return Content.styled(shown, style) if style else Content(shown)


def cell(text: object, style: str = "") -> Text:
    """Like :func:`plain`, for a table or a tree."""
    return Text(visible(str(text)), style=style, no_wrap=True, overflow="ellipsis")


def paragraph(text: object, style: str = "") -> Text:
    """Like :func:`cell`, for as many lines as it takes."""
    return Text(visible(str(text)), style=style)


def sql(text: str) -> Content:
    """SQL with its words coloured; the characters are those of ``text``, a tab as the spaces that it is seen as."""
    from textual.highlight import highlight  # loads a lexer, which the first picture does not need

    # Expanded here, because Textual expands tabs without moving the colours behind them.
    shown = visible(text, lines=True).expandtabs(TAB)
    if len(shown) > _COLOURED:
        return Content(shown)
    coloured = highlight(shown, language="sql")
    return coloured if coloured.plain == shown else Content(shown)


def joined(parts: Sequence[Content | str], between: str = " · ") -> Content:
    return Content(between).join(Content(part) if isinstance(part, str) else part for part in parts)


def facts_of(facts: Mapping[str, object]) -> Iterator[Content]:
    """A line for each that is known."""
    for name, value in facts.items():
        if str(value):
            yield Content.assemble((f"{name:<10}", "dim"), plain(value))


# -- numbers -----------------------------------------------------------------------------------------------------------


def number(value: int) -> str:
    return f"{value:,}".replace(",", " ")


def signed(value: int) -> str:
    """``+3``, ``-1 204``."""
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{number(abs(value))}"


def count(value: int, noun: str, plural: str = "") -> str:
    """``7 differences``, ``1 difference``."""
    return f"{number(value)} {noun if value == 1 else plural or f'{noun}s'}"


def seconds(value: float) -> str:
    """A duration as people say it: ``<0.1 s``, ``0.3 s``, ``54 s``, ``2:05 min``."""
    if value < 0.095:
        return "<0.1 s"
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 90 else f"{clock(value)} min"


def about(value: float) -> str:
    """The same for an estimate."""
    return seconds(value) if value < 0.095 else f"~{seconds(value)}"


def clock(value: float) -> str:
    """``0:28``, ``5:00``, ``1:02:30``."""
    minutes, rest = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def limit(value: float | None) -> str:
    return "no time limit" if value is None else f"time limit {clock(value)}"


def size(value: int) -> str:
    """Bytes, as ``561 kB``."""
    import humanize  # costs more than the first picture may

    text = humanize.naturalsize(value, format="%.1f")
    return text.replace(".0 ", " ")


def ago(then: datetime, now: datetime) -> str:
    """``4 s ago``; ``now`` for the last moments."""
    import humanize

    words = humanize.naturaltime(now - then)
    for long, short in _SHORTER.items():
        words = words.replace(long, short)
    return words


def moment(value: datetime) -> str:
    return value.astimezone().strftime("%Y-%m-%d %H:%M")


# -- sentences ---------------------------------------------------------------------------------------------------------


def product(database: str) -> str:
    """The database's make, from its URL."""
    scheme = database.partition(":")[0].partition("+")[0]
    return _PRODUCTS.get(scheme, scheme)


def sentence(text: str) -> str:
    """A clause of core's as a sentence of its own."""
    stripped = text.strip()
    if not stripped:
        return ""
    return stripped[0].upper() + stripped[1:] + ("" if stripped[-1] in ".!?" else ".")


def what_went_wrong(error: BaseException) -> str:
    """Core's errors are sentences already; of any other the kind is worth knowing."""
    if isinstance(error, TrueupError):
        return str(error)
    return f"Something unexpected happened: {type(error).__name__}: {error}. Nothing was changed."


def failure(error: BaseException, url: str | None) -> Content:
    """Why a place has nothing to show, without the password in the URL, and the way to try again."""
    told = plain(without_secret(what_went_wrong(error), url))
    return Content.assemble(told, "\n\n", ("R", "bold $key"), " tries again")


def exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, TrueupError) else 3


def without_secret(text: str, url: str | None) -> str:
    """The text without the password that the URL holds, however it is written there."""
    try:
        password = urlsplit(url or "").password or ""
    except ValueError:
        password = ""
    for secret in sorted({password, unquote(password), quote(password, safe="")}, key=len, reverse=True):
        text = text.replace(secret, "***") if secret else text
    return text
