"""The closed set of differences between two schemas: verb + object, data only.

Whoever reads this file knows what trueup can do to a database. A change says what is on either side; how it is done is
the business of a dialect, and whether it may be done that of the policy. ``id`` names a change the same way in every
run, so that a person's choice can refer to it; ``sentence`` is how it is spoken of everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from trueup.schema import Check, Column, Computed, ForeignKey, Index, KeyPart, PrimaryKey, Table, Unique


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
    def id(self) -> str:
        return f"{self.verb} {self.noun} {'.'.join(part for part in (self.table, self.label) if part)}"

    @property
    def detail(self) -> str:
        """What differs, in a few words; may be empty."""
        return ""

    @property
    def sentence(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.id}{detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Create(_Change):
    verb: ClassVar[str] = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drop(_Change):
    verb: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alter(_Change):
    verb: ClassVar[str] = "change"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(_Create):
    noun: ClassVar[str] = "table"
    new: Table

    @property
    def detail(self) -> str:
        return f"{len(self.new.columns)} columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(_Drop):
    noun: ClassVar[str] = "table"
    old: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTable(_Change):
    verb: ClassVar[str] = "rename"
    noun: ClassVar[str] = "table"
    to: str

    @property
    def detail(self) -> str:
        return f"to {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterTableOptions(_Alter):
    """STRICT and WITHOUT ROWID on SQLite; engine and character set elsewhere."""

    noun: ClassVar[str] = "options"
    old: Table
    new: Table

    @property
    def detail(self) -> str:
        return f"{_options(self.old)} -> {_options(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn(_Create):
    noun: ClassVar[str] = "column"
    new: Column

    @property
    def label(self) -> str:
        return self.new.name

    @property
    def detail(self) -> str:
        return describe_column(self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumn(_Drop):
    noun: ClassVar[str] = "column"
    old: Column

    @property
    def label(self) -> str:
        return self.old.name


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameColumn(_Change):
    verb: ClassVar[str] = "rename"
    noun: ClassVar[str] = "column"
    column: str
    to: str

    @property
    def label(self) -> str:
        return self.column

    @property
    def detail(self) -> str:
        return f"to {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterColumn(_Alter):
    noun: ClassVar[str] = "column"
    old: Column
    new: Column

    @property
    def label(self) -> str:
        return self.new.name

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


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterPrimaryKey(_Alter):
    """Added, dropped or changed: columns, order, name, AUTOINCREMENT."""

    noun: ClassVar[str] = "primary key"
    old: PrimaryKey | None
    new: PrimaryKey | None

    @property
    def detail(self) -> str:
        return f"{describe_primary_key(self.old)} -> {describe_primary_key(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddForeignKey(_Create):
    noun: ClassVar[str] = "foreign key"
    new: ForeignKey

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        return describe_foreign_key(self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropForeignKey(_Drop):
    noun: ClassVar[str] = "foreign key"
    old: ForeignKey

    @property
    def label(self) -> str:
        return constraint_label(self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterForeignKey(_Alter):
    noun: ClassVar[str] = "foreign key"
    old: ForeignKey
    new: ForeignKey

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        return f"{describe_foreign_key(self.old)} -> {describe_foreign_key(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUnique(_Create):
    noun: ClassVar[str] = "unique"
    new: Unique

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        return describe_parts(self.new.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropUnique(_Drop):
    noun: ClassVar[str] = "unique"
    old: Unique

    @property
    def label(self) -> str:
        return constraint_label(self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterUnique(_Alter):
    noun: ClassVar[str] = "unique"
    old: Unique
    new: Unique

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        return f"{_describe_unique(self.old)} -> {_describe_unique(self.new)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheck(_Create):
    noun: ClassVar[str] = "check"
    new: Check

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        return self.new.expression.text if self.new.name else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCheck(_Drop):
    noun: ClassVar[str] = "check"
    old: Check

    @property
    def label(self) -> str:
        return constraint_label(self.old)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterCheck(_Alter):
    noun: ClassVar[str] = "check"
    old: Check
    new: Check

    @property
    def label(self) -> str:
        return constraint_label(self.new)

    @property
    def detail(self) -> str:
        if self.old.expression == self.new.expression:
            return f"named {self.old.name or '(nothing)'} -> {self.new.name or '(nothing)'}"
        return f"{self.old.expression} -> {self.new.expression}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndex(_Create):
    noun: ClassVar[str] = "index"
    new: Index

    @property
    def label(self) -> str:
        return self.new.name

    @property
    def detail(self) -> str:
        return describe_index(self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIndex(_Drop):
    noun: ClassVar[str] = "index"
    old: Index

    @property
    def label(self) -> str:
        return self.old.name


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterIndex(_Alter):
    noun: ClassVar[str] = "index"
    old: Index
    new: Index

    @property
    def label(self) -> str:
        return self.new.name

    @property
    def detail(self) -> str:
        return f"{describe_index(self.old)} -> {describe_index(self.new)}"


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


def constraint_label(constraint: ForeignKey | Unique | Check) -> str:
    """A constraint's name, or what identifies one without a name."""
    if constraint.name:
        return constraint.name
    if isinstance(constraint, Check):
        return f"({constraint.expression})"
    return f"({', '.join(constraint.columns)})"


def describe_column(column: Column) -> str:
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


def describe_primary_key(key: PrimaryKey | None) -> str:
    if key is None:
        return "none"
    name = f"{key.name} " if key.name else ""
    conflict = f" ON CONFLICT {key.on_conflict}" if key.on_conflict else ""
    return f"{name}{describe_parts(key.parts)}{' AUTOINCREMENT' if key.autoincrement else ''}{conflict}"


def describe_foreign_key(key: ForeignKey) -> str:
    words = [f"({', '.join(key.columns)}) -> {key.referred_table} ({', '.join(key.referred_columns)})"]
    words += [f"ON DELETE {key.on_delete}"] if key.on_delete != "NO ACTION" else []
    words += [f"ON UPDATE {key.on_update}"] if key.on_update != "NO ACTION" else []
    words += [f"MATCH {key.match}"] if key.match else []
    words += [f"DEFERRABLE INITIALLY {key.deferrable}"] if key.deferrable else []
    return " ".join(words)


def describe_index(index: Index) -> str:
    unique = "unique " if index.unique else ""
    where = f" WHERE {index.where}" if index.where else ""
    return f"{unique}{describe_parts(index.parts)}{where}"


def _describe_unique(unique: Unique) -> str:
    name = f"{unique.name} " if unique.name else ""
    conflict = f" ON CONFLICT {unique.on_conflict}" if unique.on_conflict else ""
    return f"{name}{describe_parts(unique.parts)}{conflict}"


def _part(part: KeyPart) -> str:
    collation = f" COLLATE {part.collation}" if part.collation else ""
    return f"{part.column or part.expression}{collation}{' DESC' if part.descending else ''}"


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
