"""What a key on a change means: the next choices, or a sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass

from trueup import Backfill, Drop, Keep, Rename, RenameCandidate, Verdict, changes
from trueup_tui.choices import Choices
from trueup_tui.rows import Row
from trueup_tui.wording import sentence

_WHOLE = ("INT",)
_NUMBERS = ("REAL", "FLOA", "DOUB", "NUM", "DEC")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Refused:
    """The key does nothing now."""

    reason: str


def toggle(row: Row, choices: Choices) -> Choices | Refused:
    """Take a skipped change, skip a taken one."""
    if choices.left_out.intersection(row.ids):
        return choices.take(row.ids)
    if isinstance(choices.answer(row.object), Drop | Rename):
        return choices.withdraw(row.object)
    if isinstance(row.change, changes.RenameColumn | changes.RenameTable):
        return Refused("The decisions file or the models say that this is a rename; change it there.")
    match row.verdict:
        case Verdict.APPLY | Verdict.BLOCKED:
            return choices.skip(row.ids)
        case Verdict.RETIRE:
            return choices.decide(Drop(table=row.table, column=row.change.label or None))
        case Verdict.KEPT:
            return Refused(f'The decisions file keeps it. Remove keep = "{row.object}" there to have it changed.')
        case _:
            item = row.assessment
            return Refused(" ".join(sentence(part) for part in (item.reason, item.remedy) if part))


def rename(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Rename(table=candidate.table, column=candidate.column, to=candidate.to))


def drop(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Drop(table=candidate.table, column=candidate.column))


def keep(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Keep(table=candidate.table, column=candidate.column))


def keep_for_good(row: Row) -> Keep | Refused:
    """The decision that leaves an object as the database has it."""
    if row.verdict is Verdict.KEPT:
        return Refused("It is kept already.")
    whole_table = isinstance(row.change, changes.CreateTable | changes.DropTable)
    renamed = isinstance(row.change, changes.RenameColumn | changes.RenameTable)
    if renamed or not (row.change.label or whole_table):
        return Refused(f"A {row.change.noun} has no name of its own that a decision could keep; ␣ skips the change.")
    return Keep(table=row.table, column=row.change.label or None)


def column_to_fill(row: Row) -> changes.AddColumn | changes.AlterColumn | Refused:
    """The column that rows need a value for."""
    if row.candidates:
        return Refused("It may be a rename: answer that first, with r.")
    if not isinstance(row.change, changes.AddColumn | changes.AlterColumn):
        return Refused("Only a column can be filled.")
    if row.change.new.nullable or not row.assessment.rows:
        return Refused("No row needs a value here.")
    return row.change


def fill(row: Row, text: str) -> Backfill:
    """The decision that gives rows the value that a person typed; after ``=`` it is an SQL expression.

    Raises:
        ValueError: the column's type cannot hold it; the message says so.
    """
    change = row.change
    assert isinstance(change, changes.AddColumn | changes.AlterColumn)
    if text.startswith("="):
        if not text[1:].strip():
            raise ValueError("After = an SQL expression is missing.")
        return Backfill(table=row.table, column=change.label, sql=text[1:].strip())
    return Backfill(table=row.table, column=change.label, value=_value(text, str(change.new.type).upper()))


def _value(text: str, kind: str) -> str | int | float | bool:
    """In the Python type that goes with the column's, by the words that SQLite knows a type by."""
    if "BOOL" in kind:
        if text.lower() not in _TRUTHS:
            raise ValueError("This column takes true or false.")
        return _TRUTHS[text.lower()]
    for words, convert, name in ((_WHOLE, int, "a whole number"), (_NUMBERS, _number, "a number")):
        if any(word in kind for word in words):
            try:
                return convert(text)
            except ValueError:
                raise ValueError(f"This column takes {name}.") from None
    return text


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
