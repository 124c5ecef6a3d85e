"""The closed set of differences between two schemas: verb + object, data only.

Whoever reads this file knows what trueup can do to a database. A change says what is on either side; how it is done is
the business of a dialect, and whether it may be done that of the policy. ``id`` names a change the same way in every
run, so that a person's choice can refer to it; ``sentence`` is how it is spoken of everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias, TypeVar

from trueup.schema import Check, Column, Computed, ForeignKey, Index, KeyPart, PrimaryKey, Table, Unique

Thing: TypeAlias = Table | Column | PrimaryKey | ForeignKey | Unique | Check | Index | None
T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    table: str

    verb: ClassVar[str]
    noun: ClassVar[str]

    @property
    def kind(self) -> str:
        """The change's name in JSON, such as ``"AddColumn"``."""
        return type(self).__name__

    @property
    def label(self) -> str:
        """The changed object's own name within its table, or an empty string for the table itself."""
        return ""

    @property
    def detail(self) -> str:
        """What differs, in a few words; may be empty."""
        return ""

    @property
    def id(self) -> str:
        return f"{self.verb} {self.noun} {'.'.join(part for part in (self.table, self.label) if part)}"

    @property
    def sentence(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.id}{detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Add(_Change, Generic[T]):
    new: T

    verb: ClassVar[str] = "add"

    @property
    def label(self) -> str:
        return label_of(self.new)

    @property
    def detail(self) -> str:
        return describe(self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drop(_Change, Generic[T]):
    old: T

    verb: ClassVar[str] = "drop"

    @property
    def label(self) -> str:
        return label_of(self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alter(_Change, Generic[T]):
    old: T
    new: T

    verb: ClassVar[str] = "change"

    @property
    def label(self) -> str:
        return label_of(self.new)

    @property
    def detail(self) -> str:
        before, after = describe(self.old), describe(self.new)
        names = [name_of(thing) or "(no name)" for thing in (self.old, self.new)]
        return f"{names[0]} -> {names[1]}" if before == after else f"{before} -> {after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rename(_Change):
    to: str

    verb: ClassVar[str] = "rename"

    @property
    def detail(self) -> str:
        return f"to {self.to}"

    @property
    def sentence(self) -> str:
        return f"{self.id} to {self.to}"


class CreateTable(_Add[Table]):
    noun = "table"


class DropTable(_Drop[Table]):
    noun = "table"


class RenameTable(_Rename):
    noun = "table"


class AlterTableOptions(_Alter[Table]):
    """STRICT and WITHOUT ROWID on SQLite; engine and character set elsewhere."""

    noun = "options"

    @property
    def detail(self) -> str:
        return f"{_options(self.old)} -> {_options(self.new)}"


class AddColumn(_Add[Column]):
    noun = "column"


class DropColumn(_Drop[Column]):
    noun = "column"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameColumn(_Rename):
    column: str

    noun: ClassVar[str] = "column"

    @property
    def label(self) -> str:
        return self.column


class AlterColumn(_Alter[Column]):
    noun = "column"

    @property
    def aspects(self) -> tuple[str, ...]:
        """Which of ``type``, ``nullable``, ``default``, ``collation``, ``computed``, ``on_conflict`` differ."""
        return tuple(
            aspect
            for aspect in ("type", "nullable", "default", "collation", "computed", "on_conflict")
            if getattr(self.old, aspect) != getattr(self.new, aspect)
        )

    @property
    def detail(self) -> str:
        return "; ".join(_aspect(aspect, self.old, self.new) for aspect in self.aspects)


class AlterPrimaryKey(_Alter[PrimaryKey | None]):
    """Added, dropped or changed: columns, order, name, AUTOINCREMENT."""

    noun = "primary key"


class AddForeignKey(_Add[ForeignKey]):
    noun = "foreign key"


class DropForeignKey(_Drop[ForeignKey]):
    noun = "foreign key"


class AlterForeignKey(_Alter[ForeignKey]):
    noun = "foreign key"


class AddUnique(_Add[Unique]):
    noun = "unique"


class DropUnique(_Drop[Unique]):
    noun = "unique"


class AlterUnique(_Alter[Unique]):
    noun = "unique"


class AddCheck(_Add[Check]):
    noun = "check"

    @property
    def detail(self) -> str:
        return describe(self.new) if self.new.name else ""


class DropCheck(_Drop[Check]):
    noun = "check"


class AlterCheck(_Alter[Check]):
    noun = "check"


class CreateIndex(_Add[Index]):
    noun = "index"


class DropIndex(_Drop[Index]):
    noun = "index"


class AlterIndex(_Alter[Index]):
    noun = "index"


Change: TypeAlias = (
    CreateTable
    | DropTable
    | RenameTable
    | AlterTableOptions
    | AddColumn
    | DropColumn
    | RenameColumn
    | AlterColumn
    | AlterPrimaryKey
    | AddForeignKey
    | DropForeignKey
    | AlterForeignKey
    | AddUnique
    | DropUnique
    | AlterUnique
    | AddCheck
    | DropCheck
    | AlterCheck
    | CreateIndex
    | DropIndex
    | AlterIndex
)


# -- the same words for the same things, wherever they are shown -------------------------------------------------------


def name_of(thing: Thing) -> str:
    """The thing's own name, where it has one."""
    return (thing.name or "") if thing is not None else ""


def label_of(thing: Thing) -> str:
    """What identifies the thing within its table: its name, or what it is about; nothing for a table or its key."""
    match thing:
        case None | Table() | PrimaryKey():
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
            return f"{len(columns)} column{'' if len(columns) == 1 else 's'}"
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


def _options(table: Table) -> str:
    words = [word for word, on in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid)) if on]
    return ", ".join(words) or "none"


def _aspect(aspect: str, old: Column, new: Column) -> str:
    if aspect == "nullable":
        return "NOT NULL -> NULL" if new.nullable else "NULL -> NOT NULL"
    before, after = (_value(getattr(column, aspect)) for column in (old, new))
    return f"{aspect.replace('_', ' ')} {before} -> {after}"


def _value(value: object) -> str:
    if isinstance(value, Computed):
        return f"AS ({value.expression}) {'STORED' if value.stored else 'VIRTUAL'}"
    return "none" if value is None else str(value) or "(no type)"
