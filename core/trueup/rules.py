"""What can be dangerous about a change, as one table: each rule with its severity, its reason and the way out.

A rule asks the live data through a :class:`Probe` and answers with what it found, or with nothing. So a change is
dangerous only where the data makes it so, and one of a table that is made in the same plan never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from trueup.changes import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddUnique,
    AlterCheck,
    AlterColumn,
    AlterForeignKey,
    AlterIndex,
    AlterPrimaryKey,
    AlterTableOptions,
    AlterUnique,
    Change,
    CreateIndex,
    DropColumn,
    DropForeignKey,
    DropTable,
    RenameColumn,
    RenameTable,
)
from trueup.decisions import Backfill, Cast, Decision, Delete, Ignore
from trueup.describing import describe, describe_parts
from trueup.hazards import Finding, Hazard, Probe, Repair, Severity
from trueup.repairs import (
    Case,
    accept_altered,
    clear_or_delete,
    convert,
    delete_others,
    delete_rows,
    drop_or_keep,
    give_value,
    rewrite,
)
from trueup.schema import Column, ForeignKey, KeyPart, Schema, Sql, Table, part_columns

ALTERING = ("altered-values", "unfit-values")
"""Rules about values that a new type makes something else of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that a rule can look at besides the change."""

    probe: Probe
    """Asks about the rows that the decisions leave, and the values that they give."""
    unfilled: Probe
    """Asks about the same before columns that are there get the values that they lack."""
    untouched: Probe
    """Asks about the rows as they are."""
    live: Schema
    """As it is after the renames that were decided."""
    wanted: Schema
    missing: Callable[[str, str], str | None]
    """Why rows that have no value in a table's column get none, as far as known; nothing when they get one."""
    words: Callable[[str, str], Sequence[str]] = lambda _table, _column: ()
    """The only texts that the models can load from a table's column; none where they can load all."""
    decisions: Sequence[Decision] = ()
    acting: Mapping[str, Sequence[Cast | Delete]] = field(default_factory=dict)
    """For a change's id the decisions about data that act for it."""
    given: Collection[tuple[str, str]] = ()
    """Table and column, in lower case, of what rows get that lack a value, as far as it is known before the run."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: which rows, and what would happen to them."""

    finding: Finding
    sentence: str
    accepted: str = ""
    """The decision that asks for exactly this."""


def no_repair(_: Case) -> Iterable[Repair]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One danger."""

    id: str
    severity: Severity
    find: Callable[[Change, Sight], Found | None]
    repairs: Callable[[Case], Iterable[Repair]] = no_repair
    """Ready decisions."""
    why: str
    """Why it is one, as a sentence."""
    way_out: str
    """What a person can do; ``{object}`` stands for the name of what the change is about."""


def find_hazards(change: Change, sight: Sight) -> Iterator[Hazard]:
    """Every hazard that the change has on the data that is there."""
    for rule in RULES:
        found = rule.find(change, sight)
        if found is not None and not (found.finding.nothing and rule.severity is not Severity.WARNS):
            yield _hazard(rule, found, change, sight)


def _hazard(rule: Rule, found: Found, change: Change, sight: Sight) -> Hazard:
    """What could not be looked at is taken for dangerous, unless the run itself proves it before it commits."""
    name = change.object
    severity, remedy = rule.severity, rule.way_out.replace("{object}", name)
    if not found.finding.rows and found.finding.seen is not None and not found.finding.failure:
        remedy = "a higher probe_limit lets the plan look at every row"
        if severity is Severity.BLOCKS:
            severity = Severity.WARNS
            remedy = f"the run proves it and rolls back where it is so; {remedy}"
    return Hazard(
        rule=rule.id,
        severity=severity,
        sentence=found.sentence,
        finding=found.finding,
        remedy=remedy,
        accepted=found.accepted or ("" if severity is Severity.BLOCKS else _ignored(rule, name, sight.decisions)),
        repairs=tuple(rule.repairs(Case(change, found.finding, sight.wanted))),
    )


def _ignored(rule: Rule, name: str, decisions: Sequence[Decision]) -> str:
    """Why the hazard is accepted, in the words of a decision; empty where it is not."""
    found = (item for item in decisions if isinstance(item, Ignore) and item.rule == rule.id)
    return next((item.reason for item in found if item.on.lower() == name.lower()), "")


# -- what is lost ------------------------------------------------------------------------------------------------------


def dropped_table(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, DropTable):
        return None
    finding = Finding(rows=sight.probe.rows(change.table))
    return Found(finding, f"deletes {finding.words} in table {change.table}")


def dropped_column(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, DropColumn) or change.old.computed:
        return None
    finding = sight.probe.not_null(change.table, change.old.name)
    return Found(finding, f"deletes the values of {finding.words} in {change.table}.{change.old.name}")


def altered_values(change: Change, sight: Sight) -> Found | None:
    """SQLite stores what a type's affinity makes of a value: https://www.sqlite.org/datatype3.html#type_affinity"""
    column = _retyped(change)
    if column is None:
        return None
    finding = sight.unfilled.altered_by_type(change.table, column.old.name, column.new.type)
    where = f"{change.table}.{column.old.name}"
    return Found(finding, f"the type {column.new.type} would change the values of {finding.words} in {where}")


def unfit_values(change: Change, sight: Sight) -> Found | None:
    column = _retyped(change)
    if column is None:
        return None
    finding = sight.unfilled.unfit_for_type(change.table, column.old.name, column.new.type)
    what = f"something in {column.old.name} that is no {column.new.type}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")


def replaced_values(change: Change, sight: Sight) -> Found | None:
    casts = [item for item in sight.acting.get(change.id, ()) if isinstance(item, Cast)]
    if not casts:
        return None
    finding = Finding(rows=sight.untouched.rows(change.table))
    what = ", ".join(f"{item.object} by {item.sql}" for item in casts)
    return Found(finding, f"replaces the values of {finding.words} in {what}", _decided(casts))


def deleted_rows(change: Change, sight: Sight) -> Found | None:
    deletes = [item for item in sight.acting.get(change.id, ()) if isinstance(item, Delete)]
    if not deletes:
        return None
    finding = sight.untouched.matching(change.table, any_of(deletes))
    return Found(finding, f"deletes {finding.words} in table {change.table}", _decided(deletes))


# -- what the database would refuse ------------------------------------------------------------------------------------


def no_value(change: Change, sight: Sight) -> Found | None:
    finding = rows_without_value(change, sight)
    replaced = change.label.lower() in _cast_by(change, sight)
    why = "" if replaced else sight.missing(change.table, change.label) if finding is not None else None
    if finding is None or why is None:
        return None
    what = f"no value for {change.table}.{change.label}, which is NOT NULL without a default"
    reason = f" ({why})" if why else ""
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}{reason}")


def not_numbers(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/lang_createtable.html#rowid"""
    name = _newly_numbered(change, sight)
    if not name:
        return None
    finding = sight.probe.not_integers(change.table, name)
    what = f"no whole number in {name}, the key"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def not_strict(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/stricttables.html"""
    table = sight.live.table(change.table)
    for new in _made_strict(change, sight.wanted):
        old = table.column(new.name) if table else None
        if not new.computed and (old is None or not old.computed):
            finding = sight.probe.unfit_for_strict(change.table, new.name, new.type)
            if not finding.nothing:
                what = f"something in {new.name} that a STRICT table does not take as {new.type}"
                return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")
    return None


def duplicate_keys(change: Change, sight: Sight) -> Found | None:
    found = None
    for parts, where in _unique_keys(change, sight.wanted.table(change.table)):
        finding = sight.probe.duplicates(change.table, parts, where)
        what = f"{finding.agree('share')} their values of {describe_parts(parts)}"
        found = Found(finding, f"{finding.words} in {change.table} {what}")
        if not finding.nothing:
            break
    return found


def orphaned_rows(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, AddForeignKey | AlterForeignKey):
        return None
    key = change.new
    if isinstance(change, AlterForeignKey) and _same_reference(change.old, key):
        return None
    finding = sight.probe.orphans(change.table, key)
    what = f"{finding.agree('point')} through ({', '.join(key.columns)}) to nothing in {key.referred_table}"
    return Found(finding, f"{finding.words} in {change.table} {what}")


def violated_check(change: Change, sight: Sight) -> Found | None:
    if not isinstance(change, AddCheck | AlterCheck):
        return None
    if isinstance(change, AlterCheck) and change.old.expression == change.new.expression:
        return None
    finding = sight.probe.violators(change.table, change.new)
    what = f"{finding.agree('do')} not satisfy {change.new.expression}"
    return Found(finding, f"{finding.words} in {change.table} {what}")


def given_values(change: Change, sight: Sight) -> Found | None:
    """What rows get in a column that is there is held against the rules that stay; the new ones look for themselves."""
    live, wanted = sight.live.table(change.table), sight.wanted.table(change.table)
    columns = _given_by(change, sight) | _cast_by(change, sight)
    if not columns or live is None or wanted is None:
        return None
    found = next((item for item in _broken_rules(columns, live, wanted, sight) if not item[0].nothing), None)
    if found is None:
        return None
    finding, what = found
    lacking = sight.unfilled.nulls(change.table, change.label).where if _given_by(change, sight) else ""
    repaired = replace(finding, where=lacking, column="", cleared="", current="")
    return Found(repaired, f"{finding.words} in {change.table} {what} with the values that they are to get")


def _broken_rules(columns: frozenset[str], live: Table, wanted: Table, sight: Sight) -> Iterator[tuple[Finding, str]]:
    """The rows that break a rule over the columns that both sides have, and how, one rule after the other."""
    name, probe = wanted.name, sight.probe
    for key in wanted.foreign_keys:
        if columns & {*map(str.lower, key.columns)} and any(_same_reference(key, old) for old in live.foreign_keys):
            before, after = sight.untouched.orphans(name, key), probe.orphans(name, key)
            if after.rows > before.rows:
                found = replace(after, rows=after.rows - before.rows)
                yield (
                    found,
                    f"{found.agree('point')} through ({', '.join(key.columns)}) to nothing in {key.referred_table}",
                )
    known = list(_all_keys(live))
    for parts, where in _all_keys(wanted):
        if columns & _words(parts) and (parts, where) in known:
            found = probe.duplicates(name, tuple(_collated(part, wanted) for part in parts), where)
            yield found, f"{found.agree('share')} their values of {describe_parts(parts)}"
    for check in wanted.checks:
        if columns & check.expression.words and any(check.expression == old.expression for old in live.checks):
            found = probe.violators(name, check)
            yield found, f"{found.agree('do')} not satisfy {check.expression}"
    yield from _refused_values(columns, live, wanted, probe)


def _refused_values(columns: frozenset[str], live: Table, wanted: Table, probe: Probe) -> Iterator[tuple[Finding, str]]:
    """The same for the rules that a column has by itself."""
    for column in wanted.columns:
        old = live.column(column.name) if column.name.lower() in columns else None
        if old is None:
            continue
        if not (old.nullable or column.nullable):
            found = probe.nulls(wanted.name, column.name)
            yield found, f"{found.agree('have')} no value for {column.name}"
        if live.strict and wanted.strict and old.type == column.type:
            found = probe.unfit_for_strict(wanted.name, column.name, column.type)
            yield found, f"{found.agree('hold')} something in {column.name} that is no {column.type}"


def stranded_rows(change: Change, sight: Sight) -> Found | None:
    """Foreign keys do not act in a run, so no row follows the one that it points to."""
    acting = sight.acting.get(change.id, ())
    if not acting:
        return None
    fate = "be deleted" if any(isinstance(item, Delete) for item in acting) else "get other values"
    for table in sight.live.tables:
        for key in table.foreign_keys:
            if key.referred_table.lower() != change.table.lower():
                continue
            before, after = (probe.orphans(table.name, key) for probe in (sight.untouched, sight.probe))
            if after.rows > before.rows:
                what = f"would point to rows of {change.table} that are to {fate}"
                return Found(replace(after, rows=after.rows - before.rows), f"rows in {table.name} {what}")
    return None


# -- what is worth knowing ---------------------------------------------------------------------------------------------


def null_keys(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/lang_createtable.html#the_primary_key"""
    if not isinstance(change, AlterPrimaryKey) or change.new is None:
        return None
    table = sight.live.table(change.table)
    for name in change.new.columns:
        column = table.column(name) if table else None
        finding = sight.probe.nulls(change.table, name) if column and column.nullable else Finding()
        if not finding.nothing:
            what = f"NULL in {name}, a column of the primary key"
            return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")
    return None


def too_long(change: Change, sight: Sight) -> Found | None:
    """https://www.sqlite.org/faq.html#q9"""
    column = _retyped(change)
    before, after = (_length(column.old.type), _length(column.new.type)) if column else (None, None)
    if column is None or after is None or (before is not None and before <= after):
        return None
    finding = sight.probe.longer_than(change.table, column.old.name, after)
    if finding.nothing:
        return None
    what = f"more than {after} characters in {column.old.name}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def unreadable_dates(change: Change, sight: Sight) -> Found | None:
    """https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#date-and-time-types"""
    column = _retyped(change)
    if column is None:
        return None
    finding = sight.probe.unreadable_as(change.table, column.old.name, column.new.type)
    if finding.nothing:
        return None
    what = f"something in {column.old.name} that cannot be read as {column.new.type}"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('hold')} {what}")


def unknown_words(change: Change, sight: Sight) -> Found | None:
    """https://docs.sqlalchemy.org/en/20/core/type_basics.html#sqlalchemy.types.Enum"""
    column = _retyped(change)
    words = sight.words(change.table, column.new.name) if column else ()
    if column is None or not words:
        return None
    finding = sight.probe.other_than(change.table, column.old.name, words)
    if finding.nothing:
        return None
    what = f"something in {column.old.name} that the models' Enum does not know"
    return Found(finding, f"{finding.words} in {change.table} {finding.agree('have')} {what}")


def renamed(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, RenameTable | RenameColumn):
        return None
    name = f"{change.table}.{change.column}" if isinstance(change, RenameColumn) else change.table
    return Found(Finding(), f"programs that still use the name {name} fail")


def may_be_null(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, AlterColumn) or "nullable" not in change.aspects or not change.new.nullable:
        return None
    return Found(Finding(), f"programs that read {change.table}.{change.label} may now find NULL there")


def dropped_foreign_key(change: Change, _: Sight) -> Found | None:
    if not isinstance(change, DropForeignKey):
        return None
    return Found(Finding(), f"rows in {change.table} may now point to nothing: {describe(change.old)}")


RULES = (
    Rule(
        id="dropped-table",
        severity=Severity.LOSES,
        find=dropped_table,
        repairs=drop_or_keep,
        why="Its rows go with it.",
        way_out="keep it, or allow the drop; a verified backup is taken first",
    ),
    Rule(
        id="dropped-column",
        severity=Severity.LOSES,
        find=dropped_column,
        repairs=drop_or_keep,
        why="Its values go with it.",
        way_out="keep it, or allow the drop; a verified backup is taken first",
    ),
    Rule(
        id="altered-values",
        severity=Severity.LOSES,
        find=altered_values,
        repairs=accept_altered,
        why="SQLite stores what a type's affinity makes of a value: '007' becomes 7 in an INTEGER column.",
        way_out="correct these values first, say how they are converted (cast), or keep the type",
    ),
    Rule(
        id="unfit-values",
        severity=Severity.LOSES,
        find=unfit_values,
        repairs=convert,
        why="SQLite stores text in a numeric column as it is; the application then gets text for a number.",
        way_out="correct these values first, say how they are converted (cast), or keep the type",
    ),
    Rule(
        id="replaced-values",
        severity=Severity.LOSES,
        find=replaced_values,
        why="A cast that was decided gives every row another value; the backup keeps the old ones.",
        way_out="take the decision back to keep the values",
    ),
    Rule(
        id="deleted-rows",
        severity=Severity.LOSES,
        find=deleted_rows,
        why="Rows that were decided to go are deleted, exactly as many as the plan says; the backup keeps them.",
        way_out="take the decision back to keep the rows",
    ),
    Rule(
        id="no-value",
        severity=Severity.BLOCKS,
        find=no_value,
        repairs=give_value,
        why="A NOT NULL column takes no row without a value.",
        way_out='decide: fill = "{object}" with value = ... or sql = "..."; or give the column a default in the models',
    ),
    Rule(
        id="not-numbers",
        severity=Severity.BLOCKS,
        find=not_numbers,
        repairs=delete_rows,
        why="A key that the database numbers takes whole numbers only.",
        way_out="give these rows whole numbers first, or keep the type in the models",
    ),
    Rule(
        id="not-strict",
        severity=Severity.BLOCKS,
        find=not_strict,
        repairs=rewrite,
        why="A STRICT table takes nothing but values of its columns' types.",
        way_out="correct these values first, say how they are converted (cast), or keep the table as it is",
    ),
    Rule(
        id="duplicate-keys",
        severity=Severity.BLOCKS,
        find=duplicate_keys,
        repairs=delete_others,
        why="No two rows may share the values of a unique key; NULLs share with nothing.",
        way_out="remove or change the duplicates, or say which rows may go (delete)",
    ),
    Rule(
        id="orphaned-rows",
        severity=Severity.BLOCKS,
        find=orphaned_rows,
        repairs=clear_or_delete,
        why="A foreign key wants every row to point to one that is there.",
        way_out="add what they point to, or say what becomes of these rows (delete, cast; fill for a new column)",
    ),
    Rule(
        id="violated-check",
        severity=Severity.BLOCKS,
        find=violated_check,
        repairs=clear_or_delete,
        why="A CHECK that is false for a row refuses it; NULL satisfies every CHECK.",
        way_out="correct these rows, or say what becomes of them (delete, cast; fill for a new column)",
    ),
    Rule(
        id="given-values",
        severity=Severity.BLOCKS,
        find=given_values,
        repairs=give_value,
        why="Values that rows get by a decision or a default must keep the rules that the table has.",
        way_out="decide what these rows get (fill, cast), or which of them go (delete)",
    ),
    Rule(
        id="stranded-rows",
        severity=Severity.BLOCKS,
        find=stranded_rows,
        why="Rows that are to be deleted, or to get another key, are pointed to by rows that stay.",
        way_out="let these rows point elsewhere first, or decide otherwise",
    ),
    Rule(
        id="null-keys",
        severity=Severity.WARNS,
        find=null_keys,
        why="SQLite takes NULL in a primary key that is no INTEGER; SQLAlchemy does not load such a row.",
        way_out="give these rows a key, or delete them",
    ),
    Rule(
        id="too-long",
        severity=Severity.WARNS,
        find=too_long,
        repairs=convert,
        why="SQLite keeps text that is longer than its column says; other databases, and validation, do not.",
        way_out="nothing is cut; shorten these values (cast), or keep the length",
    ),
    Rule(
        id="unreadable-dates",
        severity=Severity.WARNS,
        find=unreadable_dates,
        repairs=convert,
        why="SQLite takes every text for a date; SQLAlchemy raises ValueError for one that is no ISO date.",
        way_out="say how these values are written as dates (cast), or keep the type",
    ),
    Rule(
        id="unknown-words",
        severity=Severity.WARNS,
        find=unknown_words,
        repairs=convert,
        why="A column of VARCHAR takes every text; SQLAlchemy raises LookupError for one that is not in its Enum.",
        way_out="give these rows a word that the Enum has (cast), or add theirs to the models",
    ),
    Rule(
        id="renamed",
        severity=Severity.WARNS,
        find=renamed,
        why="Servers of the older version, reports and scripts still use the old name.",
        way_out="stop them first, or let the models use the old name for a while: mapped_column('old_name')",
    ),
    Rule(
        id="may-be-null",
        severity=Severity.WARNS,
        find=may_be_null,
        why="Servers of the older version do not expect NULL in a column that never had it.",
        way_out="replace them before the first NULL is written",
    ),
    Rule(
        id="dropped-foreign-key",
        severity=Severity.WARNS,
        find=dropped_foreign_key,
        why="Nothing keeps the two tables together any more.",
        way_out="keep the foreign key in the models, or let the application see to it",
    ),
)


# -- what the rules share ----------------------------------------------------------------------------------------------


def rows_without_value(change: Change, sight: Sight) -> Finding | None:
    """Rows that have none for a column that must have one and that the database does not supply; None without any."""
    finding = Finding()
    if isinstance(change, AddColumn) and not (change.new.nullable or change.new.computed):
        supplied = change.new.default is not None or _numbered(change, sight.wanted)
        finding = Finding() if supplied else Finding(rows=sight.probe.rows(change.table))
    elif isinstance(change, AlterColumn) and change.old.nullable and not (change.new.nullable or change.new.computed):
        finding = sight.unfilled.nulls(change.table, change.old.name)
    return None if finding.nothing else finding


def is_filled(change: Change, decisions: Sequence[Decision]) -> bool:
    """Somebody decided what rows get in a new column."""
    name = change.object.lower()
    decided = any(isinstance(item, Backfill) and item.object.lower() == name for item in decisions)
    return decided and isinstance(change, AddColumn) and not change.new.computed


def _given_by(change: Change, sight: Sight) -> frozenset[str]:
    """The column whose rows without a value get one by the change, in lower case; none where it is new."""
    if not isinstance(change, AlterColumn):
        return frozenset()
    return frozenset({change.label.lower()} if (change.table.lower(), change.label.lower()) in sight.given else ())


def _cast_by(change: Change, sight: Sight) -> frozenset[str]:
    """Columns whose values are replaced for the change, in lower case."""
    casts = (item.column for item in sight.acting.get(change.id, ()) if isinstance(item, Cast))
    return frozenset(name.lower() for name in casts if name is not None)


def any_of(deletes: Sequence[Delete]) -> str:
    """One condition for all rows that go."""
    return " OR ".join(item.condition for item in deletes)


def _decided(decisions: Sequence[Decision]) -> str:
    return f"decided: {', '.join(f'{item.verb} {item.object}' for item in decisions)}"


def _retyped(change: Change) -> AlterColumn | None:
    """The change, where it gives stored values another type."""
    if isinstance(change, AlterColumn) and "type" in change.aspects and not change.old.computed:
        return change
    return None


def _made_strict(change: Change, wanted: Schema) -> tuple[Column, ...]:
    """The columns whose values a STRICT table has to take because of the change."""
    table = wanted.table(change.table)
    strict = table is not None and table.strict
    match change:
        case AlterTableOptions(old=old, new=new) if new.strict and not old.strict:
            return new.columns
        case AddColumn(new=column) if strict:
            return (column,)
        case AlterColumn(new=column) if strict and "type" in change.aspects:
            return (column,)
        case _:
            return ()


def _unique_keys(change: Change, wanted: Table | None) -> Iterator[tuple[tuple[KeyPart, ...], Sql | None]]:
    """What no two rows may share after the change, compared as the wanted columns do, and which rows it is about."""
    keys: list[tuple[tuple[KeyPart, ...], Sql | None]] = []
    match change:
        case AddUnique(new=new) | AlterUnique(new=new):
            keys = [(new.parts, None)]
        case CreateIndex(new=index) | AlterIndex(new=index) if index.unique:
            keys = [(index.parts, index.where)]
        case AlterPrimaryKey(new=key) if key is not None:
            keys = [(key.parts, None)]
        case AlterColumn(new=column) if wanted is not None and "collation" in change.aspects:
            keys = [key for key in _all_keys(wanted) if column.name.lower() in map(str.lower, part_columns(key[0]))]
    yield from ((tuple(_collated(part, wanted) for part in parts), where) for parts, where in keys)


def _all_keys(table: Table) -> Iterator[tuple[tuple[KeyPart, ...], Sql | None]]:
    """What no two rows of the table may share, and which rows it is about."""
    yield from ((unique.parts, None) for unique in table.uniques)
    if table.primary_key is not None:
        yield table.primary_key.parts, None
    yield from ((index.parts, index.where) for index in table.indexes if index.unique)


def _words(parts: Sequence[KeyPart]) -> frozenset[str]:
    return frozenset[str]().union(*(part.expression.words for part in parts))


def _collated(part: KeyPart, wanted: Table | None) -> KeyPart:
    """With its collation said, where that is its column's."""
    column = wanted.column(part.column) if wanted is not None and part.column else None
    return replace(part, collation=part.collation or column.collation) if column is not None else part


def _same_reference(old: ForeignKey, new: ForeignKey) -> bool:
    """Rows that were orphans before are not the fault of another ON DELETE."""
    return (old.columns, old.referred_table, old.referred_columns) == (
        new.columns,
        new.referred_table,
        new.referred_columns,
    )


def _numbered(change: Change, wanted: Schema) -> bool:
    """The change is about the key that the database numbers."""
    table = wanted.table(change.table)
    key = table.primary_key if table else None
    return key is not None and key.numbered and change.label.lower() in (name.lower() for name in key.columns)


def _newly_numbered(change: Change, sight: Sight) -> str:
    """The column that becomes the rowid through the change; empty where none does."""
    sides = [schema.table(change.table) for schema in (sight.live, sight.wanted)]
    old, new = (side.primary_key if side else None for side in sides)
    if new is None or not new.numbered or (old is not None and old.numbered and old.columns == new.columns):
        return ""
    (name,) = new.columns
    made = isinstance(change, AlterPrimaryKey | AlterTableOptions) or change.label.lower() == name.lower()
    return name if made and not isinstance(change, AddColumn) else ""


def _length(type_: Sql) -> int | None:
    """Of a type of characters, where it names one."""
    found = re.search(r"char\w*\W*\(\W*(\d+)", type_.canonical)
    return int(found[1]) if found else None
