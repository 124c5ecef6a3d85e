"""What only a person can answer, as frozen values, and the small TOML file that keeps the answers.

The file is ``trueup.toml`` in the application's own repository. It names objects, never SQL statements::

    [[decisions]]
    rename = "customers.fullname"
    to = "full_name"

    [[decisions]]
    fill = "orders.currency"
    value = "EUR"

    [[decisions]]
    drop = "coupons"

    [[decisions]]
    keep = "orders.legacy_ref"

A name with a dot is a column of a table, a name without one a table. ``keep`` leaves an object as it is for good; next
to ``rename`` it also says "this is not a rename". A person can write the file by hand; the app writes the same.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

from trueup.errors import DecisionsError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    table: str
    column: str | None = None

    verb: ClassVar[str]

    @property
    def object(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(_Decision):
    """The object goes on under the name ``to``; its data stays."""

    verb: ClassVar[str] = "rename"
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill(_Decision):
    """Rows that have nothing for a NOT NULL column get ``value``, or what the SQL expression ``sql`` gives."""

    verb: ClassVar[str] = "fill"
    value: str | int | float | bool | None = None
    sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(_Decision):
    """The object left the models and may be dropped; it was not renamed."""

    verb: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(_Decision):
    """Leave the object as the database has it, whatever the models say; it was not renamed."""

    verb: ClassVar[str] = "keep"


Decision: TypeAlias = Rename | Backfill | Drop | Keep

_VERBS: dict[str, type[Decision]] = {kind.verb: kind for kind in (Rename, Backfill, Drop, Keep)}
_DETAILS = {"rename": {"to"}, "fill": {"value", "sql"}, "drop": set[str](), "keep": set[str]()}


def read_decisions(path: Path | None) -> tuple[Decision, ...]:
    """The decisions that the file holds, in its order; none when there is no file.

    Raises:
        DecisionsError: the file is not TOML, an entry is not understood, or two entries contradict each other.
    """
    if path is None or not path.exists():
        return ()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("decisions", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DecisionsError(path=path, problem=f"is not valid TOML ({error})") from error
    if not isinstance(entries, list):
        raise DecisionsError(path=path, problem="decisions must be a list of [[decisions]] tables")
    decisions = tuple(parse_entry(entry, path) for entry in entries)
    _refuse_contradictions(decisions, path)
    return decisions


def write_decision(path: Path, decision: Decision) -> None:
    """Add the decision to the file, in place of an earlier one about the same object; all else in the file stays.

    Comments, order and formatting of the file are kept; a file that does not exist is made.
    """
    import tomlkit  # only whoever writes pays for the import
    from tomlkit.items import AoT

    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    entries = document.get("decisions")
    if not isinstance(entries, AoT):
        entries = tomlkit.aot()
        if document:
            document.add(tomlkit.nl())
        document["decisions"] = entries
    for index in reversed(range(len(entries))):
        if parse_entry(entries[index].unwrap(), path).object.lower() == decision.object.lower():
            del entries[index]
    entry = tomlkit.table()
    for key, value in entry_of(decision).items():
        entry[key] = value
    entries.append(entry)
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


def entry_of(decision: Decision) -> dict[str, Any]:
    entry: dict[str, Any] = {decision.verb: decision.object}
    for detail in ("to", "value", "sql"):
        answer = getattr(decision, detail, None)
        if answer is not None:
            entry[detail] = answer
    return entry


def parse_entry(entry: Any, path: Path) -> Decision:
    verbs = [verb for verb in _VERBS if isinstance(entry, dict) and verb in entry]
    if len(verbs) != 1:
        raise DecisionsError(path=path, problem=f"each entry has exactly one of {', '.join(_VERBS)}, not {entry!r}")
    verb = verbs[0]
    name, details = entry[verb], {key: value for key, value in entry.items() if key != verb}
    unknown = set(details) - _DETAILS[verb]
    if not isinstance(name, str) or not name or unknown:
        raise DecisionsError(path=path, problem=f"the entry {entry!r} is not understood")
    table, _, column = name.partition(".")
    try:
        decision = _VERBS[verb](table=table, column=column or None, **details)
    except TypeError as error:
        raise DecisionsError(path=path, problem=f'the entry for {name} needs {verb} = "..." and to = "..."') from error
    if isinstance(decision, Backfill) and (decision.value is None) == (decision.sql is None):
        raise DecisionsError(path=path, problem=f"fill = {name!r} needs either value = ... or sql = ...")
    return decision


def _refuse_contradictions(decisions: tuple[Decision, ...], path: Path) -> None:
    seen: dict[str, Decision] = {}
    for decision in decisions:
        other = seen.setdefault(decision.object.lower(), decision)
        if other is not decision and other != decision:
            raise DecisionsError(
                path=path, problem=f"{decision.object} has two answers, {other.verb} and {decision.verb}"
            )
