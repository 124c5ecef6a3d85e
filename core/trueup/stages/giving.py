"""What comes back with a column or a table that is taken back, and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.changes import AddColumn, AlterColumn, Change, CreateTable, DropTable
from trueup.decisions import Backfill
from trueup.dialect import Beside
from trueup.hazards import Finding, Hazard, Probe, Severity
from trueup.past import Made
from trueup.plans import Fill, Returning
from trueup.schema import Schema, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Giving:
    """Finds values for what comes back."""

    beside: Beside | None
    """The backup; nothing where only the structure is undone."""
    base: Schema
    """The live schema after the renames."""
    made: Mapping[Change, Made]
    """What each change takes back."""
    decisions: Sequence[Backfill]
    literal: Callable[[Any], str]
    """Writes a value in SQL."""
    casts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """For table and column, in lower case, the SQL by which a decision replaced every value."""
    filled: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """For what the run made again had given a value to, by :attr:`Made.objects`, the SQL of it."""
    deletes: Mapping[str, str] = field(default_factory=dict)
    """For a table, in lower case, the condition by which decisions deleted rows."""

    def fill(self, change: Change) -> Fill | None:
        """The values of a column: the backup's, and for rows that it does not have those of a new row."""
        if not isinstance(change, AddColumn | AlterColumn) or change.new.computed:
            return None
        otherwise, made = self._otherwise(change), self.made.get(change)
        cast = self.casts.get((change.table.lower(), change.label.lower()), "")
        found = self.beside.fill(change, otherwise, made.fill if made else "", cast) if self.beside else None
        if found is not None or not otherwise or change.new.nullable:
            return found
        return Fill(table=change.table, column=change.label, sql=otherwise, source="a decision or the default")

    def reverted(self, changes: Sequence[Change]) -> Iterator[Fill]:
        """The values of columns that were replaced for the sake of other changes of their tables."""
        altered = {(item.table.lower(), item.label.lower()) for item in changes if isinstance(item, AlterColumn)}
        tables = {item.table.lower() for item in changes if not isinstance(item, CreateTable | DropTable)}
        for (name, label), cast in self.casts.items():
            table = self.base.table(name) if name in tables else None
            column = table.column(label) if table else None
            if self.beside is None or table is None or column is None or (name, label) in altered:
                continue
            fill = self.beside.fill(AlterColumn(table=table.name, old=column, new=column), "", "", cast)
            if fill is not None:
                yield fill

    def returning(self, wanted: Schema) -> Iterator[Returning]:
        """The rows that come back, in the tables as they are then."""
        for name, where in self.deletes.items():
            table = wanted.table(name)
            found = self.beside.returning(table, where) if self.beside and table else None
            if found is not None:
                yield found

    def not_returning(self, found: Sequence[Returning]) -> Iterator[tuple[str, Hazard]]:
        """The dangers of what does not come back, by the name of the table, in lower case."""
        by_table = {item.table.lower(): item for item in found}
        for name in self.deletes:
            item = by_table.get(name)
            if item is None:
                yield name, _lost(f"the rows that the run deleted from {name} do not come back", 0)
            elif item.lost:
                words = Finding(rows=item.lost).words
                yield name, _lost(f"{words} that the run deleted from {item.table} cannot come back", item.lost)

    def gives(self, table: str, column: str) -> bool:
        """Whether :meth:`missing` answers for the rows that have no value for a column that comes back."""
        live = self.base.table(table)
        return (
            self.beside is not None and self.beside.knows_rows(table) and live is not None and not live.column(column)
        )

    def missing(self, change: Change, probe: Probe) -> Iterator[Hazard]:
        """What does not come back, or not for every row."""
        match change:
            case CreateTable(new=table):
                yield from self._rows(table, probe)
            case AddColumn(new=column) if not column.computed and change in self.made:
                yield from self._values(change)

    def _rows(self, table: Table, probe: Probe) -> Iterator[Hazard]:
        if self.beside is None:
            yield _lost(f"the rows that {table.name} had do not come back", 0)
            return
        for key in table.foreign_keys:
            found = probe.orphans(table.name, key)
            if not found.nothing:
                what = f"through ({', '.join(key.columns)}) to nothing in {key.referred_table}"
                yield Hazard(
                    rule="orphaned-rows",
                    severity=Severity.BLOCKS,
                    sentence=f"{found.words} that come back in {table.name} {found.agree('point')} {what}",
                    finding=found,
                    remedy=f"add what they point to in {key.referred_table}, or restore the backup as a whole",
                )

    def _values(self, change: AddColumn) -> Iterator[Hazard]:
        name = f"{change.table}.{change.label}"
        if self.beside is None:
            yield _lost(f"the values that {name} had do not come back", 0)
        elif not self.beside.knows_rows(change.table):
            rows = self.beside.values(change.table, change.label)
            if rows:
                had = f"{Finding(rows=rows).words} had a value for {name}"
                yield _lost(f"{had} that does not come back: nothing tells the rows of {change.table} apart", rows)
        else:
            yield from self._strangers(change, name, self.beside.strangers(change.table))

    def _strangers(self, change: AddColumn, name: str, rows: int) -> Iterator[Hazard]:
        if not rows:
            return
        since, otherwise = f"{Finding(rows=rows).words} written since the run", self._otherwise(change)
        if otherwise or change.new.nullable:
            yield Hazard(
                rule="written-since",
                severity=Severity.WARNS,
                sentence=f"{since} {'gets' if rows == 1 else 'get'} {otherwise or 'NULL'} for {name}",
                finding=Finding(rows=rows),
                remedy=f'fill = "{name}" in a decision gives them another value',
            )
        else:
            yield Hazard(
                rule="no-value",
                severity=Severity.BLOCKS,
                sentence=f"{since} {'has' if rows == 1 else 'have'} no value for {name}, which is NOT NULL again",
                finding=Finding(rows=rows),
                remedy=f'decide: fill = "{name}" with value = ... or sql = "..."',
            )

    def _otherwise(self, change: AddColumn | AlterColumn) -> str:
        """SQL of the value for rows that nobody knows one for."""
        for decision in self.decisions:
            if decision.object.lower() == f"{change.table}.{change.label}".lower():
                return decision.expression if decision.sql is not None else f"({self.literal(decision.value)})"
        known = self.filled.get((change.table.lower(), change.noun, change.label.lower()))
        return known or (f"({change.new.default})" if change.new.default is not None else "")


def _lost(sentence: str, rows: int) -> Hazard:
    return Hazard(
        rule="not-brought-back",
        severity=Severity.LOSES,
        sentence=sentence,
        finding=Finding(rows=rows),
        remedy="restore the backup as a whole, or bring the values back by hand",
    )
