"""What can be dangerous about a change, as one table: each rule with its severity, its reason and the way out.

A rule asks the live data through a :class:`Probe` and answers with what it found, or with nothing. So a change is
dangerous only where the data makes it so, and one of a table that is made in the same plan never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from trueup.changes import Change
from trueup.dangers import given, loss, notes, refusals
from trueup.decisions import Decision, Ignore
from trueup.hazards import Hazard, Repair, Severity
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
from trueup.sight import Found, Sight

ALTERING = ("altered-values", "unfit-values")
"""Rules about values that a new type makes something else of."""


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


RULES = (
    Rule(
        id="dropped-table",
        severity=Severity.LOSES,
        find=loss.dropped_table,
        repairs=drop_or_keep,
        why="Its rows go with it.",
        way_out="keep it, or allow the drop; a verified backup is taken first",
    ),
    Rule(
        id="dropped-column",
        severity=Severity.LOSES,
        find=loss.dropped_column,
        repairs=drop_or_keep,
        why="Its values go with it.",
        way_out="keep it, or allow the drop; a verified backup is taken first",
    ),
    Rule(
        id="altered-values",
        severity=Severity.LOSES,
        find=loss.altered_values,
        repairs=accept_altered,
        why="SQLite stores what a type's affinity makes of a value: '007' becomes 7 in an INTEGER column.",
        way_out="correct these values first, say how they are converted (cast), or keep the type",
    ),
    Rule(
        id="unfit-values",
        severity=Severity.LOSES,
        find=loss.unfit_values,
        repairs=convert,
        why="SQLite stores text in a numeric column as it is; the application then gets text for a number.",
        way_out="correct these values first, say how they are converted (cast), or keep the type",
    ),
    Rule(
        id="replaced-values",
        severity=Severity.LOSES,
        find=loss.replaced_values,
        why="A cast that was decided gives every row another value; the backup keeps the old ones.",
        way_out="take the decision back to keep the values",
    ),
    Rule(
        id="deleted-rows",
        severity=Severity.LOSES,
        find=loss.deleted_rows,
        why="Rows that were decided to go are deleted, exactly as many as the plan says; the backup keeps them.",
        way_out="take the decision back to keep the rows",
    ),
    Rule(
        id="no-value",
        severity=Severity.BLOCKS,
        find=refusals.no_value,
        repairs=give_value,
        why="A NOT NULL column takes no row without a value.",
        way_out='decide: fill = "{object}" with value = ... or sql = "..."; or give the column a default in the models',
    ),
    Rule(
        id="not-numbers",
        severity=Severity.BLOCKS,
        find=refusals.not_numbers,
        repairs=delete_rows,
        why="A key that the database numbers takes whole numbers only.",
        way_out="give these rows whole numbers first, or keep the type in the models",
    ),
    Rule(
        id="not-strict",
        severity=Severity.BLOCKS,
        find=refusals.not_strict,
        repairs=rewrite,
        why="A STRICT table takes nothing but values of its columns' types.",
        way_out="correct these values first, say how they are converted (cast), or keep the table as it is",
    ),
    Rule(
        id="duplicate-keys",
        severity=Severity.BLOCKS,
        find=refusals.duplicate_keys,
        repairs=delete_others,
        why="No two rows may share the values of a unique key; NULLs share with nothing.",
        way_out="remove or change the duplicates, or say which rows may go (delete)",
    ),
    Rule(
        id="orphaned-rows",
        severity=Severity.BLOCKS,
        find=refusals.orphaned_rows,
        repairs=clear_or_delete,
        why="A foreign key wants every row to point to one that is there.",
        way_out="add what they point to, or say what becomes of these rows (delete, cast; fill for a new column)",
    ),
    Rule(
        id="violated-check",
        severity=Severity.BLOCKS,
        find=refusals.violated_check,
        repairs=clear_or_delete,
        why="A CHECK that is false for a row refuses it; NULL satisfies every CHECK.",
        way_out="correct these rows, or say what becomes of them (delete, cast; fill for a new column)",
    ),
    Rule(
        id="given-values",
        severity=Severity.BLOCKS,
        find=given.given_values,
        repairs=give_value,
        why="Values that rows get by a decision or a default must keep the rules that the table has.",
        way_out="decide what these rows get (fill, cast), or which of them go (delete)",
    ),
    Rule(
        id="stranded-rows",
        severity=Severity.BLOCKS,
        find=refusals.stranded_rows,
        why="Rows that are to be deleted, or to get another key, are pointed to by rows that stay.",
        way_out="let these rows point elsewhere first, or decide otherwise",
    ),
    Rule(
        id="null-keys",
        severity=Severity.WARNS,
        find=refusals.null_keys,
        why="SQLite takes NULL in a primary key that is no INTEGER; SQLAlchemy does not load such a row.",
        way_out="give these rows a key, or delete them",
    ),
    Rule(
        id="too-long",
        severity=Severity.WARNS,
        find=notes.too_long,
        repairs=convert,
        why="SQLite keeps text that is longer than its column says; other databases, and validation, do not.",
        way_out="nothing is cut; shorten these values (cast), or keep the length",
    ),
    Rule(
        id="unreadable-dates",
        severity=Severity.WARNS,
        find=notes.unreadable_dates,
        repairs=convert,
        why="SQLite takes every text for a date; SQLAlchemy raises ValueError for one that is no ISO date.",
        way_out="say how these values are written as dates (cast), or keep the type",
    ),
    Rule(
        id="unknown-words",
        severity=Severity.WARNS,
        find=notes.unknown_words,
        repairs=convert,
        why="A column of VARCHAR takes every text; SQLAlchemy raises LookupError for one that is not in its Enum.",
        way_out="give these rows a word that the Enum has (cast), or add theirs to the models",
    ),
    Rule(
        id="renamed",
        severity=Severity.WARNS,
        find=notes.renamed,
        why="Servers of the older version, reports and scripts still use the old name.",
        way_out="stop them first, or let the models use the old name for a while: mapped_column('old_name')",
    ),
    Rule(
        id="may-be-null",
        severity=Severity.WARNS,
        find=notes.may_be_null,
        why="Servers of the older version do not expect NULL in a column that never had it.",
        way_out="replace them before the first NULL is written",
    ),
    Rule(
        id="dropped-foreign-key",
        severity=Severity.WARNS,
        find=notes.dropped_foreign_key,
        why="Nothing keeps the two tables together any more.",
        way_out="keep the foreign key in the models, or let the application see to it",
    ),
)
