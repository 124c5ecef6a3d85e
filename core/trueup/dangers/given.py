"""Values that rows get, held against what the table keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from trueup.changes import AlterColumn, Change
from trueup.dangers.shared import all_keys, cast_by, collated, same_reference
from trueup.describing import describe_parts
from trueup.hazards import Finding, Probe
from trueup.schema import KeyPart, Table
from trueup.sight import Found, Sight


def given_values(change: Change, sight: Sight) -> Found | None:
    """What rows get in a column that is there is held against the rules that stay; the new ones look for themselves."""
    live, wanted = sight.live.table(change.table), sight.wanted.table(change.table)
    columns = _given_by(change, sight) | cast_by(change, sight)
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
        if columns & {*map(str.lower, key.columns)} and any(same_reference(key, old) for old in live.foreign_keys):
            before, after = sight.untouched.orphans(name, key), probe.orphans(name, key)
            if after.rows > before.rows:
                found = replace(after, rows=after.rows - before.rows)
                yield (
                    found,
                    f"{found.agree('point')} through ({', '.join(key.columns)}) to nothing in {key.referred_table}",
                )
    known = list(all_keys(live))
    for parts, where in all_keys(wanted):
        if columns & _words(parts) and (parts, where) in known:
            found = probe.duplicates(name, tuple(collated(part, wanted) for part in parts), where)
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


def _given_by(change: Change, sight: Sight) -> frozenset[str]:
    """The column whose rows without a value get one by the change, in lower case; none where it is new."""
    if not isinstance(change, AlterColumn):
        return frozenset()
    return frozenset({change.label.lower()} if (change.table.lower(), change.label.lower()) in sight.given else ())


def _words(parts: Sequence[KeyPart]) -> frozenset[str]:
    return frozenset[str]().union(*(part.expression.words for part in parts))
