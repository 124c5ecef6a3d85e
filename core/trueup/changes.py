"""The closed set of differences between two schemas: verb + object, data only.

Whoever reads this file knows what trueup can do to a database. A change says what is on either side; how it is done is
the business of a dialect, and whether it may be done that of the policy. ``id`` names a change the same way in every
run, so that a person's choice can refer to it; ``sentence`` is how it is spoken of everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias, TypeVar

from trueup.describing import Thing, describe, describe_aspect, describe_difference, describe_options, label_of
from trueup.schema import Check, Column, ForeignKey, Index, PrimaryKey, StoredObject, Table, Unique
from trueup.text import object_name

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
    def object(self) -> str:
        """How a decision names what is changed."""
        return object_name(self.table, self.label)

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
        return describe_difference(self.old, self.new)


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
        return f"{describe_options(self.old)} -> {describe_options(self.new)}"


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
            if not self._same(aspect)
        )

    def _same(self, aspect: str) -> bool:
        if aspect == "type":
            return self.old.means_the_same(self.new)
        return bool(getattr(self.old, aspect) == getattr(self.new, aspect))

    @property
    def detail(self) -> str:
        return "; ".join(describe_aspect(aspect, self.old, self.new) for aspect in self.aspects)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _CreateObject(_Add[StoredObject]):
    @property
    def detail(self) -> str:
        return ""


class CreateView(_CreateObject):
    noun = "view"


class DropView(_Drop[StoredObject]):
    noun = "view"


class AlterView(_Alter[StoredObject]):
    noun = "view"


class CreateTrigger(_CreateObject):
    """Of a trigger, ``table`` is the table or view that it watches."""

    noun = "trigger"


class DropTrigger(_Drop[StoredObject]):
    noun = "trigger"


class AlterTrigger(_Alter[StoredObject]):
    noun = "trigger"


class CreateVirtualTable(_CreateObject):
    """Full-text indexes and the like. One that left the models is never dropped."""

    noun = "virtual table"


class AlterVirtualTable(_Alter[StoredObject]):
    """Only shown: what it holds would be lost, and only its extension knows how to fill it."""

    noun = "virtual table"


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
    | CreateView
    | DropView
    | AlterView
    | CreateTrigger
    | DropTrigger
    | AlterTrigger
    | CreateVirtualTable
    | AlterVirtualTable
)
ObjectChange: TypeAlias = (
    CreateView
    | DropView
    | AlterView
    | CreateTrigger
    | DropTrigger
    | AlterTrigger
    | CreateVirtualTable
    | AlterVirtualTable
)
"""What is about something that is stored as one text, and holds no rows of its own."""
