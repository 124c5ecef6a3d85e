"""The same words for the same things, wherever they are shown: a thing by its name, and in the words of DDL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from textwrap import shorten
from typing import TypeAlias

from trueup.schema import Check, Column, Computed, ForeignKey, Index, KeyPart, PrimaryKey, StoredObject, Table, Unique
from trueup.text import counted

Thing: TypeAlias = Table | Column | PrimaryKey | ForeignKey | Unique | Check | Index | StoredObject | None
_SHOWN = 60
"""Characters of a definition that stand in a sentence."""


def name_of(thing: Thing) -> str:
    """The thing's own name, where it has one."""
    return (thing.name or "") if thing is not None else ""


def label_of(thing: Thing) -> str:
    """What identifies the thing within its table: its name, or what it is about; nothing for a table or its key."""
    match thing:
        case None | Table() | PrimaryKey() | StoredObject(kind="view" | "virtual"):
            return ""
        case ForeignKey(columns=columns, name=None) | Unique(columns=columns, name=None):
            return f"({', '.join(columns)})"
        case Check(expression=expression, name=None):
            return f"({expression})"
        case _:
            return name_of(thing)


def describe(thing: Thing) -> str:
    """The thing in the words of DDL, without its name."""
    match thing:
        case None:
            return "none"
        case Table(columns=columns):
            return counted(len(columns), "column")
        case Column():
            return _describe_column(thing)
        case PrimaryKey(parts=parts, on_conflict=conflict):
            return f"{describe_parts(parts)}{' AUTOINCREMENT' if thing.autoincrement else ''}{_conflict(conflict)}"
        case ForeignKey():
            return _describe_foreign_key(thing)
        case Unique(parts=parts, on_conflict=conflict):
            return f"{describe_parts(parts)}{_conflict(conflict)}"
        case Check(expression=expression):
            return str(expression)
        case Index(parts=parts, where=where):
            return f"{'unique ' if thing.unique else ''}{describe_parts(parts)}{f' WHERE {where}' if where else ''}"
        case StoredObject(definition=definition):
            return " ".join(definition.text.split())


def _describe_column(column: Column) -> str:
    words = [column.type.text]
    if column.computed:
        words.append(f"GENERATED ALWAYS AS ({column.computed.expression})")
        words.append("STORED" if column.computed.stored else "VIRTUAL")
    if column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.collation:
        words.append(f"COLLATE {column.collation}")
    if not column.nullable:
        words.append("NOT NULL")
    return " ".join(word for word in words if word)


def describe_parts(parts: tuple[KeyPart, ...]) -> str:
    """The terms of a key or an index."""
    return f"({', '.join(_part(part) for part in parts)})"


def _describe_foreign_key(key: ForeignKey) -> str:
    words = [f"({', '.join(key.columns)}) references {key.referred_table} ({', '.join(key.referred_columns)})"]
    words += [f"ON DELETE {key.on_delete}"] if key.on_delete != "NO ACTION" else []
    words += [f"ON UPDATE {key.on_update}"] if key.on_update != "NO ACTION" else []
    words += [f"MATCH {key.match}"] if key.match else []
    words += [f"DEFERRABLE INITIALLY {key.deferrable}"] if key.deferrable else []
    return " ".join(words)


def _part(part: KeyPart) -> str:
    collation = f" COLLATE {part.collation}" if part.collation else ""
    return f"{part.column or part.expression}{collation}{' DESC' if part.descending else ''}"


def _conflict(action: str | None) -> str:
    return f" ON CONFLICT {action}" if action else ""


def describe_difference(old: Thing, new: Thing) -> str:
    """What is on either side; of long texts only where they differ."""
    before, after = describe(old), describe(new)
    if before == after:
        return " -> ".join(name_of(thing) or "(no name)" for thing in (old, new))
    if isinstance(old, StoredObject):
        before, after = _differing(before, after)
    return f"{before} -> {after}"


def _differing(before: str, after: str) -> tuple[str, str]:
    """The words of two texts between those that they begin and end with alike."""
    old, new = before.split(), after.split()
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    return _shown(old, start, end), _shown(new, start, end)


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words are the same at the beginning."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _shown(words: Sequence[str], start: int, end: int) -> str:
    shown = " ".join(words[start : len(words) - end])
    return shorten(shown, _SHOWN, placeholder=" ...") if shown else "nothing"


def describe_options(table: Table) -> str:
    """What stands behind the closing parenthesis of its definition."""
    words = [word for word, on in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid)) if on]
    return ", ".join(words) or "none"


def describe_aspect(aspect: str, old: Column, new: Column) -> str:
    """How one property of a column differs."""
    if aspect == "nullable":
        return "NOT NULL -> NULL" if new.nullable else "NULL -> NOT NULL"
    before, after = (_value(getattr(column, aspect)) for column in (old, new))
    return f"{aspect.replace('_', ' ')} {before} -> {after}"


def _value(value: object) -> str:
    if isinstance(value, Computed):
        return f"AS ({value.expression}) {'STORED' if value.stored else 'VIRTUAL'}"
    return "none" if value is None else str(value) or "(no type)"
