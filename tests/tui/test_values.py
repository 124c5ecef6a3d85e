"""The parts without a screen: words, choices, answers, lines and the progress of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trueup_tui
from tests.tui.data import (
    ADD_CURRENCY,
    ADD_TIER,
    ALTER_OPTIONS,
    ALTER_TOTAL,
    COPYING,
    ENDANGERED,
    EVERY_KIND,
    OPEN,
    READY,
    REPAIRED,
    UNFILLED,
    column,
    failed_run,
    judged,
    plan_of,
    up_to_step,
    whole_run,
)
from trueup import Cast, Decision, Drop, Ignore, Keep, Rename, Skip, Verdict, changes, errors, events
from trueup_tui import answers, wording
from trueup_tui.answers import Refused
from trueup_tui.choices import Choices
from trueup_tui.offers import offers_of
from trueup_tui.progress import Progress, after, begin
from trueup_tui.rows import Row, rows_of


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "<0.1 s"), (0.3, "0.3 s"), (54.4, "54 s"), (125.0, "2:05 min"), (3750, "1:02:30 min")],
)
def test_durations(seconds: float, words: str) -> None:
    """Durations are said in the unit that people would use."""
    assert wording.seconds(seconds) == words


def test_sizes_and_numbers() -> None:
    """Sizes have one digit at most, numbers a space between thousands."""
    assert wording.size(48_000_000) == "48 MB"
    assert wording.size(48_210_944) == "48.2 MB"
    assert wording.count(12480, "row") == "12 480 rows"
    assert wording.count(1, "row") == "1 row"


def test_door_keeps_brackets_and_shows_escapes() -> None:
    """Markup stays text, and what a terminal would obey is written out."""
    assert wording.plain("[red]'[a-z]'[/x]").plain == "[red]'[a-z]'[/x]"
    assert wording.plain("a\x1b[31m\nb").plain == "a\\x1b[31m\\nb"
    assert wording.cell("[/]").plain == "[/]"
    assert wording.sql("CHECK (x ~ '^[a-z]+$')").plain == "CHECK (x ~ '^[a-z]+$')"


@pytest.mark.parametrize("url", ["postgresql://u:s%40crEt@h/d", "x://u:s@crEt@h/d", "no url", None, "http://[::"])
def test_secret_is_taken_out(url: str | None) -> None:
    """The password goes, quoted or not; a URL that is none does no harm."""
    hidden = "crEt" in (url or "")
    assert ("crEt" not in wording.without_secret("s%40crEt s@crEt", url)) == hidden


def test_choices_can_all_be_taken_back() -> None:
    """Undo walks back to the beginning."""
    choices = Choices().skip(["a"]).decide(Drop(table="t")).take(["a"])
    assert (choices.left_out, choices.decisions) == (frozenset(), (Drop(table="t"),))
    back = choices.undone().undone().undone()
    assert back == Choices()
    assert back.undone() is back


def test_later_answer_replaces_the_earlier_one() -> None:
    """One object has one answer."""
    choices = Choices().decide(Keep(table="T", column="c")).decide(Rename(table="t", column="C", to="d"))
    assert choices.decisions == (Rename(table="t", column="C", to="d"),)


def test_two_halves_are_one_line() -> None:
    """A probable rename is one line, about both names."""
    first = rows_of(OPEN)[0]
    assert (first.mark, first.sign, first.title) == ("?", "»", "column  fullname » full_name")
    assert first.objects == {"customers.fullname", "customers.full_name"}
    assert len(rows_of(OPEN)) == len(OPEN.assessments) - 1


def test_every_kind_has_a_line() -> None:
    """Every change of the closed set can be shown."""
    shown = {type(item.change) for row in rows_of(EVERY_KIND) for item in row.assessments}
    assert shown | {changes.RenameColumn} == set(changes.Change.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INTEGER", "5", 5),
        ("NUMERIC(10, 2)", "5", 5),
        ("NUMERIC(10, 2)", "5.25", 5.25),
        ("BOOLEAN", "yes", True),
        ("VARCHAR(3)", "5", "5"),
        ("", "x", "x"),
    ],
)
def test_value_has_the_type_of_the_column(kind: str, text: str, value: object) -> None:
    """What is typed becomes a number where the column holds numbers."""
    row = Row(assessments=(judged(changes.AddColumn(table="t", new=column("c", kind, nullable=False))),))
    found = answers.fill(row, text).value
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), [("INTEGER", "x"), ("REAL", "x"), ("BOOLEAN", "2"), ("TEXT", "= ")])
def test_value_that_does_not_fit_is_refused(kind: str, text: str) -> None:
    """A value that the column cannot hold is no answer."""
    row = Row(assessments=(judged(changes.AddColumn(table="t", new=column("c", kind))),))
    with pytest.raises(ValueError, match=r"takes|missing"):
        answers.fill(row, text)


def test_toggle_says_which_policy_would() -> None:
    """What the policy does not allow cannot be taken, and the sentence says what would allow it."""
    why = {"reason": "it would change 3 rows", "remedy": "the policy full applies it"}
    beyond = judged(ALTER_TOTAL, Verdict.BEYOND_POLICY, **why)
    found = answers.toggle(Row(assessments=(beyond,)), Choices())
    assert found == Refused("It would change 3 rows. The policy full applies it.")


def test_kept_objects_are_not_taken_by_a_key() -> None:
    """What was decided to be kept is not overruled by a key: the decision is taken back."""
    kept = Row(assessments=(judged(ADD_TIER, Verdict.KEPT),))
    assert isinstance(answers.toggle(kept, Choices()), Refused)
    assert isinstance(answers.keep_for_good(kept), Refused)


def test_what_has_no_name_is_left_by_the_id_of_its_change() -> None:
    """The options of a table have no name that could be kept; the change is skipped for good."""
    found = answers.keep_for_good(Row(assessments=(judged(ALTER_OPTIONS),)))
    assert found == Skip(change="change options wishes")


def test_a_decision_of_the_file_can_be_taken_back() -> None:
    """What was taken back holds no more, until it is decided again; a new answer stands beside the rest of the file."""
    kept = (Keep(table="t", column="c"), Drop(table="u"))
    choices = Choices().take_back(Keep(table="T", column="C"))
    assert (choices.over(kept), choices.unwritten) == ((Drop(table="u"),), 1)
    again = choices.decide(Rename(table="t", column="c", to="d"))
    assert (again.over(kept), again.unwritten) == ((Drop(table="u"), Rename(table="t", column="c", to="d")), 1)
    assert choices.undone().over(kept) == kept


def labels(row: Row, *decisions: Decision, **more: Any) -> list[str]:
    return [offer.label for offer in offers_of(row, plan_of(row.assessments, decisions=decisions, **more))]


def test_offers_are_those_of_the_hazards_and_to_leave_it() -> None:
    """Each way out of each danger is offered once; what leaves the database as it is stands among them in any case."""
    blocked, beyond = rows_of(ENDANGERED)
    assert labels(blocked) == [item.label for item in blocked.assessment.hazards[0].repairs]
    assert labels(beyond)[-1] == "take what the type makes of them"
    assert labels(Row(assessments=(judged(ALTER_OPTIONS),))) == ["leave the database as it is, for good"]
    assert labels(Row(assessments=(judged(ADD_CURRENCY),))) == [
        "give these rows a value",
        "leave the database as it is, for good",
    ]


@pytest.mark.parametrize(
    ("decision", "others"),
    [
        (Keep(table="orders", column="total"), False),
        (Skip(change="change column orders.total"), False),
        (Cast(table="orders", column="total", sql="total"), True),
        (Ignore(rule="altered-values", on="Orders.total", reason="fine"), True),
    ],
)
def test_what_was_decided_can_be_taken_back(decision: Decision, others: bool) -> None:
    """The decisions that a change depends on come first; one that leaves it alone leaves nothing else to decide."""
    found = labels(rows_of(ENDANGERED)[1], decision, Drop(table="elsewhere"))
    assert found[0] == f"take back what was decided: {decision.verb} {decision.object}"
    assert (len(found) > 1) == others


def test_deletions_and_casts_belong_to_the_change_that_needs_them() -> None:
    """A deletion of the same table that does not act for the change is not offered to be taken back with it."""
    removed, added = rows_of(REPAIRED)
    assert labels(removed, *REPAIRED.decisions)[0] == "take back what was decided: delete orders"
    assert labels(added, *REPAIRED.decisions) == ["give these rows a value", "leave the database as it is, for good"]


@pytest.mark.parametrize(
    ("asks", "text", "decision"),
    [
        ("sql", " abs(total) ", Cast(table="orders", column="total", sql="abs(total)")),
        ("reason", "all numbers", Ignore(rule="altered-values", on="orders.total", reason="all numbers")),
    ],
)
def test_what_is_typed_becomes_part_of_the_decision(asks: str, text: str, decision: Decision) -> None:
    """An expression or a reason; nothing at all is refused with a sentence."""
    row = rows_of(ENDANGERED)[1]
    (offer,) = [item for item in offers_of(row, ENDANGERED) if item.asks == asks]
    assert offer.typed(row, text).decision == decision
    with pytest.raises(ValueError, match="is missing"):
        offer.typed(row, " ")


def test_only_columns_without_a_value_are_filled() -> None:
    """There is nothing to ask where every row has a value."""
    assert answers.column_to_fill(rows_of(UNFILLED)[0]) == ADD_CURRENCY
    assert isinstance(answers.column_to_fill(rows_of(OPEN)[0]), Refused)
    assert isinstance(answers.column_to_fill(Row(assessments=(judged(ADD_CURRENCY, rows=0),))), Refused)


def fold(made: list) -> Progress:  # type: ignore[type-arg]
    progress = begin(READY, with_backup=True)
    for event in made:
        progress = after(progress, event)
    return progress


def marks(progress: Progress) -> str:
    return "".join(line.mark for line in progress.lines)


def test_progress_of_a_whole_run() -> None:
    """Backup, every step and the check at the end are done, and the bar is full."""
    progress = fold(whole_run(READY))
    assert marks(progress) == "✓" * 7
    assert progress.done(58.4) == 1.0
    assert progress.over


def test_progress_in_the_middle() -> None:
    """What is done, what runs, what waits; the bar goes by estimated seconds and never runs ahead of the end."""
    progress = fold(up_to_step(READY, 3, 7.0))
    assert marks(progress) == "✓✓✓▶○○○"
    assert 0.1 < progress.done(8.0) < progress.done(28.0) < progress.done(10_000.0) < 0.99


def test_progress_by_rows() -> None:
    """Where a step tells how long it still takes, the bar and the time left go by that, not by the estimate."""
    estimated = fold(up_to_step(READY, 3, 7.0))
    told = fold([*up_to_step(READY, 3, 7.0), COPYING])
    assert (told.rows, told.measured, estimated.measured) == ((451_208, 1_204_331), True, False)
    step, *later = [line.estimate for line in told.lines[3:]]
    assert told.left(19.0) == pytest.approx(COPYING.left + sum(later))
    assert told.done(19.0) - estimated.done(7.0) == pytest.approx(step * (12 / 33) / told.total)
    over = after(told, events.StepFinished(elapsed=50.0, number=3, step=READY.steps[2], seconds=43.0))
    assert (over.rows, over.measured) == ((0, 0), False)


def test_progress_of_a_failure() -> None:
    """The step that failed is marked, those before it are undone, the backup stays."""
    progress = fold(failed_run(READY, errors.Cancelled(phase="in step 4")))
    assert marks(progress) == "✓···✗○○"
    assert progress.done(20.0) == 0.0


def sources() -> list[tuple[str, str]]:
    root = Path(trueup_tui.__file__).parent
    return [(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in root.rglob("*.py")]


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("datetime.now", {"clock.py"}),
        ("time.monotonic", {"clock.py"}),
        ("call_from_thread", set()),
        ("from_markup", set()),
        ("from trueup.", set()),
        ("sqlalchemy", set()),
        ("print(", set()),
    ],
)
def test_house_rules(words: str, allowed: set[str]) -> None:
    """One clock, threads that only post, no markup, and of core its front door only."""
    assert {name for name, text in sources() if words in text} <= allowed
