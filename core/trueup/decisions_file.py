"""The small TOML file that keeps decisions: ``trueup.toml`` in the application's own repository.

It names objects, never SQL statements::

    [[decisions]]
    rename = "customers.fullname"
    to = "full_name"

    [[decisions]]
    fill = "orders.currency"
    value = "EUR"

    [[decisions]]
    drop = "coupons"

A person can write the file by hand; the app writes the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from trueup.decisions import (
    Backfill,
    Cast,
    Decision,
    Delete,
    Drop,
    Ignore,
    Keep,
    Rename,
    Skip,
    contradictions,
)
from trueup.errors import DecisionsError
from trueup.text import split_name

_KINDS: dict[str, type[Decision]] = {
    kind.verb: kind for kind in (Rename, Backfill, Cast, Delete, Drop, Keep, Skip, Ignore)
}
HEADER = re.compile(r"^[ \t]*\[\[[ \t]*decisions[ \t]*\]\]", re.MULTILINE)
"""The line that an entry begins with."""


def read_decisions(path: Path | None) -> tuple[Decision, ...]:
    """The decisions that the file holds, in its order; none when there is no file.

    Args:
        path: the file; ``None`` for none.

    Raises:
        DecisionsError: the file cannot be read, is not TOML, an entry is not understood, or two entries contradict
            each other.
    """
    if path is None or not path.exists():
        return ()
    text, entries = read_entries(path)
    decisions = tuple(parse_entry(entry, path) for entry in entries)
    refuse_contradictions(decisions, path, _lines(text, len(entries)))
    return decisions


def read_entries(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The text of the file to the letter, and the entries in it, whatever they say.

    Raises:
        DecisionsError: it cannot be read, or is no TOML with a list of tables.
    """
    import tomllib  # who has no file does not pay for this import

    try:
        text = path.read_bytes().decode("utf-8")
        entries = tomllib.loads(text).get("decisions", [])
    except OSError as error:
        raise DecisionsError(path=path, problem=f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DecisionsError(path=path, problem=f"is not valid TOML ({error})") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DecisionsError(path=path, problem="decisions must be a list of [[decisions]] tables")
    return text, entries


def refuse_contradictions(decisions: Sequence[Decision], where: object, lines: Sequence[int] = ()) -> None:
    """
    Args:
        decisions: to be followed together.
        where: they come from, for the sentence.
        lines: of their entries, where known.

    Raises:
        DecisionsError: two of them cannot both be followed.
    """
    for first, second, why in contradictions(decisions):
        places = [lines[decisions.index(item)] for item in (first, second)] if lines else []
        said = f" (lines {places[0]} and {places[1]})" if places else ""
        raise DecisionsError(path=where, problem=f"{why}{said}")


def as_toml(decision: Decision) -> str:
    """The entry as it stands in the file, ready to be pasted."""
    return "\n".join(["[[decisions]]", *(f"{key} = {_toml(value)}" for key, value in entry_of(decision).items())])


def entry_of(decision: Decision) -> dict[str, Any]:
    """The decision as the keys and values of its entry."""
    given = ((detail, getattr(decision, detail)) for detail in decision.details)
    return {decision.verb: decision.object} | {detail: value for detail, value in given if value is not None}


def _toml(value: str | int | float | bool) -> str:
    """A value as TOML; a basic string is written as JSON writes it, a number that is not finite as Python does.

    https://toml.io/en/v1.0.0#string, https://toml.io/en/v1.0.0#float
    """
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def parse_entry(entry: Any, path: Path) -> Decision:
    """The decision that an entry means; the reverse of :func:`entry_of`.

    Args:
        entry: as TOML or JSON has it.
        path: where it stands, for the sentence.

    Raises:
        DecisionsError: it means none.
    """
    verbs = [verb for verb in _KINDS if isinstance(entry, dict) and verb in entry]
    if len(verbs) != 1:
        raise DecisionsError(path=path, problem=f"each entry has exactly one of {', '.join(_KINDS)}, not {entry!r}")
    verb = verbs[0]
    name, given = entry[verb], {key: _plain(value) for key, value in entry.items() if key != verb}
    if not isinstance(name, str) or not name or not _understood(given, _KINDS[verb]):
        raise DecisionsError(path=path, problem=f"the entry {entry!r} is not understood")
    try:
        decision = _make(verb, name, given)
    except TypeError as error:
        needed = " and ".join(f'{detail} = "..."' for detail in _KINDS[verb].details)
        raise DecisionsError(path=path, problem=f'the entry for {name} needs {verb} = "..." and {needed}') from error
    except ValueError as error:
        raise DecisionsError(path=path, problem=f"the entry {entry!r} is not understood: {error}") from error
    return decision


def _understood(given: dict[str, Any], kind: type[Decision]) -> bool:
    """Every detail is one that the decision has, and text where it must be."""
    texts = [value for detail, value in given.items() if detail != "value"]
    scalar = isinstance(given.get("value", ""), str | int | float | bool)
    return set(given) <= set(kind.details) and all(isinstance(text, str) and text for text in texts) and scalar


def _make(verb: str, name: str, given: dict[str, Any]) -> Decision:
    """
    Raises:
        TypeError: a detail is missing.
        ValueError: the name does not fit the verb.
    """
    if verb == Skip.verb:
        return Skip(change=name, **given)
    if verb == Ignore.verb:
        return Ignore(rule=name, **given)
    table, column = split_name(name)
    if verb in (Backfill.verb, Cast.verb) and column is None:
        raise ValueError(f"{verb} is about a column: {name}.column")
    if verb == Delete.verb and column is not None:
        raise ValueError(f"{verb} is about a table, and {name} is a column")
    kinds = (Rename, Backfill, Cast, Delete, Drop, Keep)
    decision = next(kind for kind in kinds if kind.verb == verb)(table=table, column=column, **given)
    if isinstance(decision, Backfill) and (decision.value is None) == (decision.sql is None):
        raise ValueError(f"fill = {name!r} needs either value = ... or sql = ...")
    return decision


def _plain(value: Any) -> Any:
    """TOML has dates and times of its own; here they are the text that SQLite keeps."""
    return str(value) if isinstance(value, date | time) else value


def _lines(text: str, entries: int) -> list[int]:
    """The line of each entry's header; nothing where they are written in another form."""
    found = [text.count("\n", 0, match.start()) + 1 for match in HEADER.finditer(text)]
    return found if len(found) == entries else []
