"""What a key on a change means: the next choices, or a sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass

from trueup import Backfill, Drop, Keep, Rename, RenameCandidate, Skip, Verdict, changes
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
        return Refused("The decisions file or the models say that this is a rename. d takes a decision back.")
    match row.verdict:
        case Verdict.APPLY | Verdict.BLOCKED:
            return choices.skip(row.ids)
        case Verdict.RETIRE:
            return choices.decide(Drop(table=row.table, column=row.change.label or None))
        case Verdict.KEPT:
            return Refused("It was decided that it stays. d takes that back.")
        case _:
            item = row.assessment
            return Refused(" ".join(sentence(part) for part in (item.reason, item.remedy) if part))


def rename(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Rename(table=candidate.table, column=candidate.column, to=candidate.to))


def drop(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Drop(table=candidate.table, column=candidate.column))


def keep(candidate: RenameCandidate, choices: Choices) -> Choices:
    return choices.decide(Keep(table=candidate.table, column=candidate.column))


def keep_for_good(row: Row) -> Keep | Skip | Refused:
    """The decision that leaves the database as it is; what has no name of its own is named by the change's id."""
    if row.verdict is Verdict.KEPT:
        return Refused("It is kept already. d takes that back.")
    if row.candidates:
        return Refused("It may be a rename: answer that first, with r.")
    if isinstance(row.change, changes.RenameColumn | changes.RenameTable):
        return Refused("It was decided that this is a rename. d takes a decision back.")
    whole_table = isinstance(row.change, changes.CreateTable | changes.DropTable)
    if row.change.label or whole_table:
        return Keep(table=row.table, column=row.change.label or None)
    return Skip(change=row.change.id)


def column_to_fill(row: Row) -> changes.AddColumn | changes.AlterColumn | Refused:
    """The column that rows need a value for."""
    if row.candidates:
        return Refused("It may be a rename: answer that first, with r.")
    if not isinstance(row.change, changes.AddColumn | changes.AlterColumn):
        return Refused("Only a column can be filled.")
    had_values = isinstance(row.change, changes.AlterColumn) and not row.change.old.nullable
    if row.change.new.nullable or had_values or not row.assessment.rows:
        return Refused("No row needs a value here.")
    return row.change


def answer_hint(asks: str, row: Row) -> str:
    """What is to be typed, as a sentence."""
    kind = getattr(getattr(row.change, "new", None), "type", "")
    hints = {
        "value": f"Type {kind}: the value, or = and an SQL expression.",
        "sql": "Type an SQL expression over the row; every row gets its value.",
    }
    return hints.get(asks, "Type why this is all right; the reason is kept with it.")


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
