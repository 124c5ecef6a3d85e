"""Which renames were decided, in the decisions file or in the models, and which of them can be made on this database?

All renames of a plan happen at once: a name that another object gives up is free, so names can be swapped and handed
on. What nobody can know from the database is not done: two old names at once are asked about, and a rename whose new
name is taken waits for a word on what has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from trueup.changes import RenameColumn, RenameTable
from trueup.decisions import Decision, Drop, Keep, Rename
from trueup.plans import RenameClash
from trueup.schema import Column, Schema, Table

_SET_ASIDE = "_trueup_old_"
"""What comes before the name of an object that is dropped for another one to take its name."""

_ANSWERS = (Rename, Drop, Keep)
"""What answers whether an object was renamed."""

Hint = tuple[str, str | None, str]
"""Table, old name of the column, new name; for a table its old name, nothing, its new name."""
Thing = TypeVar("Thing", Table, Column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The renames that can be made, and what is to be said about the others."""

    renames: tuple[RenameTable | RenameColumn, ...] = ()
    """In the names of the live database for tables, and for columns in the names that their tables have afterwards."""
    decisions: tuple[Decision, ...] = ()
    """All decisions, in the names that objects have after the renames."""
    clashes: tuple[RenameClash, ...] = ()
    rivals: tuple[RenameTable | RenameColumn, ...] = ()
    """Renames that the models hint at and that exclude one another: only a person can say which is meant."""
    warnings: tuple[str, ...] = ()

    @property
    def claimed(self) -> frozenset[str]:
        """Tables, in lower case, that somebody spoke of as the models', and that the models no longer declare."""
        tables = {clash.object for clash in self.clashes if "." not in clash.object}
        tables |= {rival.table.lower() for rival in self.rivals if isinstance(rival, RenameTable)}
        return frozenset(tables | {name.lower() for name in self._set_aside})

    @property
    def _set_aside(self) -> Iterator[str]:
        return (item.to for item in self.renames if isinstance(item, RenameTable) and item.to.startswith(_SET_ASIDE))


def find_decided(
    live: Schema, wanted: Schema, decisions: Sequence[Decision], hints: Iterable[Hint], made: Collection[str]
) -> Decided:
    """Find out what the decisions and hints mean for this database.

    Args:
        live: the database as it is.
        wanted: as the models declare it.
        decisions: what people decided.
        hints: old names that stand in the models.
        made: sentences of the renames that earlier runs made. A name that the models gave to something new is not
            taken away from it by a decision that was carried out long ago.
    """
    asked = [_Wish(item.table, item.column, item.to, hinted=False) for item in decisions if isinstance(item, Rename)]
    asked += [_Wish(table, column, to, hinted=True) for table, column, to in hints]
    tables = _decide_tables(live, wanted, decisions, asked, made)
    old_names = {new.lower(): old for old, new in tables.pairs}
    parts: list[_Namespace[Table] | _Namespace[Column]] = [tables]
    spoken_of = {wish.table.lower() for wish in asked if wish.column is not None}
    for new in (table for table in wanted.tables if table.name.lower() in spoken_of):
        old = live.table(old_names.get(new.name.lower(), new.name))
        if old is not None and old.unsupported is None and new.unsupported is None:
            parts.append(_decide_columns(old, new, decisions, asked, made))
    return _together(parts, decisions)


@dataclass(frozen=True, slots=True)
class _Wish:
    table: str
    column: str | None
    to: str
    hinted: bool

    @property
    def old(self) -> str:
        return (self.column or self.table).lower()

    @property
    def new(self) -> str:
        return self.to.lower()


@dataclass(slots=True)
class _Namespace(Generic[Thing]):
    """The tables of a database, or the columns of one of its tables, and what is to become of their names."""

    live: Mapping[str, Thing]
    wanted: Mapping[str, Thing]
    answers: Mapping[str, Decision]
    """What was decided about the objects, by their names; all names here are in lower case."""
    rename: Callable[[str, str], RenameTable | RenameColumn]
    full_name: Callable[[str], str]
    alike: Callable[[Thing, Thing], float]
    made: Collection[str]
    wishes: list[_Wish]
    others: Mapping[str, str] = field(default_factory=dict)
    """What else has a name that no object here can have: ``"the view report"`` by ``report``."""
    clashes: list[RenameClash] = field(default_factory=list)
    rivals: list[RenameTable | RenameColumn] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def decide(self) -> None:
        """Take the wishes that cannot be granted away, until none of the others stands in the way of another."""
        self.wishes = [wish for wish in dict.fromkeys(self.wishes) if self._is_open(wish)]
        self.wishes = [wish for wish in self.wishes if not self._is_outranked(wish)]
        while True:
            refused = next(filter(None, (self._done(), self._taken(), self._rivals(), self._untraceable())), None)
            if refused is None:
                return
            self.wishes = [wish for wish in self.wishes if wish not in refused]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Old and new name of all that is renamed, what is set aside first."""
        kept = [(self.live[wish.old].name, wish.to) for wish in self.wishes]
        moving = {wish.old for wish in self.wishes}
        aside = [wish.new for wish in self.wishes if wish.new in self.live and wish.new not in moving]
        return [(self.live[name].name, self.free_name(name)) for name in aside] + kept

    @property
    def renames(self) -> list[RenameTable | RenameColumn]:
        return [self.rename(old, new) for old, new in self.pairs]

    def free_name(self, name: str) -> str:
        free = _SET_ASIDE + name
        while free in self.live or free in self.wanted:
            free += "_"
        return free

    def _is_open(self, wish: _Wish) -> bool:
        """The database has the old name, the models have the new one, and they are not the same to the letter."""
        return wish.old in self.live and wish.new in self.wanted and self.live[wish.old].name != wish.to

    def _is_outranked(self, wish: _Wish) -> bool:
        """A decision outranks what the models say."""
        if not wish.hinted:
            return False
        answer = self.answers.get(wish.old)
        if answer is not None:
            if not isinstance(answer, Rename) or answer.to.lower() != wish.new:
                self.warnings.append(
                    f"the models say that {self.full_name(wish.to)} was called {self.live[wish.old].name} before;"
                    f" the decision {answer.verb} {answer.object} outranks that"
                )
            return True
        other = next((item for item in self.wishes if not item.hinted and item.new == wish.new), None)
        if other is not None:
            self._clash(wish, f"it was decided to rename {self.live[other.old].name}")
        return other is not None

    def _done(self) -> list[_Wish]:
        """The models use the old name for something new, and an earlier run made the rename."""
        return [
            wish
            for wish in self.wishes
            if wish.old in self.wanted and self.rename(self.live[wish.old].name, wish.to).sentence in self.made
        ]

    def _taken(self) -> list[_Wish]:
        """The database has the new name as well, and nobody said that what has it moves or goes."""
        barred = [wish for wish in self.wishes if wish.new in self.others]
        for wish in barred:
            thing = self.others[wish.new]
            self._clash(wish, f"{thing} has that name", f"drop or rename {thing} first, or decide: ")
        moving = {wish.old for wish in self.wishes}
        taken = [wish for wish in self.wishes if wish.new in self.live and wish.new not in moving]
        taken = [wish for wish in taken if not self._may_displace(wish)]
        for wish in taken:
            if wish.old not in self.wanted:
                new = self.full_name(wish.to)
                way_out = f'decide: drop = "{new}" so that {self.live[wish.old].name} takes its name, or '
                self._clash(wish, f"the database has {new} as well", way_out)
        return barred + taken

    def _may_displace(self, wish: _Wish) -> bool:
        """What has the new name may be dropped, and the old name was given up: a new database has all but that one."""
        if not isinstance(self.answers.get(wish.new), Drop):
            return False
        given_up = self._given_up(wish.old)
        if given_up in self.wanted:
            self._cannot_tell(f"{self.live[wish.old].name} was renamed to {wish.to}")
        return given_up not in self.wanted

    def _given_up(self, name: str) -> str:
        """The name that nobody takes over after this one was handed on, and the one before, and so on."""
        earlier = {wish.new: wish.old for wish in self.wishes}
        passed: set[str] = set()
        while name in earlier and name not in passed:
            passed.add(name)
            name = earlier[name]
        return name

    def _rivals(self) -> list[_Wish]:
        """Several old names for one new one, or several new names for an old one."""
        rivals = [
            wish
            for wish in self.wishes
            if any((wish.old == other.old) != (wish.new == other.new) for other in self.wishes)
        ]
        for wish in rivals:
            if wish.hinted:
                self.rivals.append(self.rename(self.live[wish.old].name, wish.to))
            else:
                self._clash(wish, "another rename that was decided excludes it")
        return rivals

    def _untraceable(self) -> list[_Wish]:
        """Names that go round in a circle are all there before and after: only what they stand for can tell which."""
        for wish in self.wishes:
            circle = self._circle(wish)
            moved = sum(self.alike(self.live[item.old], self.wanted[item.new]) for item in circle)
            stayed = sum(self.alike(self.live[item.old], self.wanted[item.old]) for item in circle)
            if len(circle) > 1 and moved <= stayed:
                if moved == stayed:
                    names = " and ".join(self.full_name(self.live[item.old].name) for item in circle)
                    self._cannot_tell(f"the names of {names} were exchanged")
                return circle
        return []

    def _circle(self, wish: _Wish) -> list[_Wish]:
        """The renames through which the name comes back to itself; none when it does not."""
        by_old = {item.old: item for item in self.wishes}
        circle = [wish]
        while (following := by_old.get(circle[-1].new)) is not None and following not in circle:
            circle.append(following)
        return circle if following is wish else []

    def _cannot_tell(self, what: str) -> None:
        self.warnings.append(
            f"nothing in the database shows whether {what} already, so nothing is done; rename in two releases, through"
            " a third name"
        )

    def _clash(self, wish: _Wish, why: str, way_out: str = "decide: ") -> None:
        old = self.full_name(self.live[wish.old].name)
        says = "the models say that it was renamed" if wish.hinted else "it was decided to rename it"
        self.clashes.append(
            RenameClash(
                object=old.lower(),
                reason=f"{says} to {wish.to}, but {why}",
                remedy=f'{way_out}drop = "{old}", or keep = "{old}"',
            )
        )


def _decide_tables(
    live: Schema, wanted: Schema, decisions: Sequence[Decision], asked: Sequence[_Wish], made: Collection[str]
) -> _Namespace[Table]:
    names = _Namespace(
        live={table.name.lower(): table for table in live.tables},
        wanted={table.name.lower(): table for table in wanted.tables},
        answers={item.table.lower(): item for item in decisions if isinstance(item, _ANSWERS) and not item.column},
        rename=lambda old, new: RenameTable(table=old, to=new),
        full_name=str,
        alike=_alike_tables,
        made=made,
        wishes=[wish for wish in asked if wish.column is None],
        others={item.name.lower(): f"the {item.kind} {item.name}" for item in live.relations}
        | {name.lower(): f"an index of {table.name}" for table in live.tables for name in table.index_names},
    )
    names.decide()
    return names


def _decide_columns(
    old: Table, new: Table, decisions: Sequence[Decision], asked: Sequence[_Wish], made: Collection[str]
) -> _Namespace[Column]:
    table = new.name.lower()
    ours = [item for item in decisions if isinstance(item, _ANSWERS) and item.table.lower() == table]
    names = _Namespace(
        live={column.name.lower(): column for column in old.columns},
        wanted={column.name.lower(): column for column in new.columns},
        answers={item.column.lower(): item for item in ours if item.column},
        rename=lambda before, after: RenameColumn(table=new.name, column=before, to=after),
        full_name=lambda column: f"{new.name}.{column}",
        alike=_alike_columns,
        made=made,
        wishes=[wish for wish in asked if wish.column is not None and wish.table.lower() == table],
    )
    names.decide()
    return names


def _together(parts: Sequence[_Namespace[Table] | _Namespace[Column]], decisions: Sequence[Decision]) -> Decided:
    renames = [rename for part in parts for rename in part.renames]
    return Decided(
        renames=tuple(renames),
        decisions=tuple(_in_new_names(decision, renames) for decision in decisions),
        clashes=tuple(clash for part in parts for clash in part.clashes),
        rivals=tuple(rival for part in parts for rival in part.rivals),
        warnings=tuple(warning for part in parts for warning in part.warnings),
    )


def _in_new_names(decision: Decision, renames: Sequence[RenameTable | RenameColumn]) -> Decision:
    """A decision to drop what is set aside speaks of it by the name that it no longer has then."""
    if not isinstance(decision, Drop):
        return decision
    for rename in renames:
        column = rename.column if isinstance(rename, RenameColumn) else None
        same = (
            decision.table.lower() == rename.table.lower() and (decision.column or "").lower() == (column or "").lower()
        )
        if same and rename.to.startswith(_SET_ASIDE):
            return replace(decision, column=rename.to) if column else replace(decision, table=rename.to)
    return decision


def _alike_tables(old: Table, new: Table) -> float:
    """How much of their columns is the same, between 0 and 1."""
    before, after = ({(column.name.lower(), column.type) for column in table.columns} for table in (old, new))
    return len(before & after) / len(before | after)


def _alike_columns(old: Column, new: Column) -> float:
    """In how many respects the columns are the same."""
    aspects = ("type", "nullable", "default", "collation", "computed")
    return float(sum(getattr(old, aspect) == getattr(new, aspect) for aspect in aspects))
