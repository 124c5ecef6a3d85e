"""Every question that is asked before something is done. The more is at stake, the more must be typed."""

from __future__ import annotations

from trueup import Backup, Cleanup, PastRun, Plan, Severity, changes
from trueup_tui.rows import Row
from trueup_tui.screens.confirm import Question
from trueup_tui.session import Session
from trueup_tui.wording import about, count, moment, sentence, size

_ALTERING = ("altered-values", "unfit-values", "replaced-values")
"""Rules about values that become others; all other losses are of whole rows, columns or tables."""


def before_applying(plan: Plan, rows: tuple[Row, ...], *, backup: bool) -> Question:
    """Safe steps want a ``y``; data that goes wants its name first."""
    losing = [row for row in rows if row.taken and row.loses]
    copy = _copy_words(plan, backup=backup)
    what = f"{count(len(plan.steps), 'step')} on {plan.database}, {about(plan.estimate)}, in one transaction."
    if not losing:
        return Question(title="Apply this plan?", sentences=(what, "No data is lost.", copy), yes="applies")
    names, kind = _to_type(losing)
    hazards = [hazard for row in losing for hazard in row.assessment.hazards if hazard.severity is Severity.LOSES]
    deleted = dict.fromkeys(sentence(hazard.sentence) for hazard in hazards)
    deletes = any(hazard.rule not in _ALTERING for hazard in hazards)
    after = (
        "The backup is then the only place where these values are."
        if backup
        else "Nothing can bring these values back."
    )
    return Question(
        title="This deletes data" if deletes else "This changes values",
        sentences=(*deleted, what, copy, after),
        yes="applies",
        name=names,
        kind=kind,
    )


def _to_type(losing: list[Row]) -> tuple[str, str]:
    """One object's own name; of several their number."""
    objects = dict(_at_stake(row) for row in losing)
    if len(objects) == 1:
        ((name, noun),) = objects.items()
        return name, f"{noun}'s name"
    nouns = set(objects.values())
    return count(len(objects), nouns.pop() if len(nouns) == 1 else "object"), "number of what is deleted"


def _at_stake(row: Row) -> tuple[str, str]:
    """What goes, or the table whose rows or values do: its name and what it is."""
    goes = isinstance(row.change, changes.DropTable | changes.DropColumn)
    return (row.change.object, row.change.noun) if goes else (row.table, "table")


def _copy_words(plan: Plan, *, backup: bool) -> str:
    if not plan.live.tables:
        return "The database is empty; there is nothing to back up."
    return "A verified backup is made first." if backup else "No backup is made."


def before_restoring(backup: Backup, *, save: bool) -> Question:
    """What was written since the backup goes with it, so a word is typed."""
    rows = sum(backup.row_counts.values())
    return Question(
        title="Put this backup in place of the database?",
        sentences=(
            f"The database becomes what it was on {moment(backup.created_at)}: "
            f"{count(len(backup.row_counts), 'table')}, {count(rows, 'row')}.",
            "What was written since then is no longer in it.",
            "The present database is backed up first, and its history goes on."
            if save
            else "The present database is not backed up, and cannot be brought back.",
        ),
        yes="restores",
        name="restore",
        kind="word",
    )


def before_deleting(backup: Backup) -> Question:
    """The core refuses where the backup is needed; then :func:`before_losing` asks again."""
    rows = sum(backup.row_counts.values())
    return Question(
        title="Delete this backup?",
        sentences=(
            f"{backup.id} of {moment(backup.created_at)}: {count(rows, 'row')}, {size(backup.disk_size)}.",
            "The file and its description are removed, and nothing brings them back.",
        ),
        yes="deletes it",
    )


def before_losing(backup: Backup, reason: str) -> Question:
    """It was refused once; who wants it all the same types which one it is."""
    return Question(
        title="This backup is still needed",
        sentences=(f"It was not deleted: {reason}.", "Once it is gone, nothing brings that back."),
        yes="deletes it all the same",
        name=backup.id,
        kind="backup's id",
    )


def before_cleaning(cleanup: Cleanup) -> Question:
    """What is shortened cannot be undone any more, so a word is typed for it."""
    runs, kept = count(len(cleanup.shortened), "run"), count(len(cleanup.kept), "run")
    sentences = [f"This is what ended before {moment(cleanup.before)}."]
    if cleanup.removed:
        sentences.append(f"{count(len(cleanup.removed), 'run')} that changed nothing: all of it goes.")
    if cleanup.shortened:
        steps = count(cleanup.steps, "step")
        sentences.append(f"{runs} with {steps}: a line stays of each, without SQL and proof; no undo is possible then.")
    if cleanup.kept:
        sentences.append(f"{kept} of that time stays whole, since an undo may need it.")
    return Question(
        title="Take this out of the history?",
        sentences=(*sentences, "Nothing brings it back."),
        yes="takes it out",
        name="clean up" if cleanup.shortened else "",
        kind="words",
    )


def before_baseline(plan: Plan | None, name: str, note: str) -> Question:
    """What a starting point means."""
    differing = len(plan.assessments) if plan is not None else 0
    stay = "stays as it is" if differing == 1 else "stay as they are"
    return Question(
        title="Record the database as it is?",
        sentences=(
            "Later runs start from it: they know what moved since, on which side, and which tables are the models'.",
            "Nothing but the history is written, so no backup is made.",
            *([f"{count(differing, 'difference')} to the models {stay}."] if differing else []),
            f"Title: {name or 'how many tables there are'}",
            *([f"Note: {note}"] if note else []),
        ),
        yes="records it",
    )


def before_undoing(plan: Plan, run: PastRun, *, backup: bool) -> Question:
    """What was done with care is taken back with care: a word is typed."""
    lost = [sentence(loss) for loss in plan.losses] or ["No data is lost."]
    return Question(
        title=f"Take back the run {run.id}?",
        sentences=(
            *lost,
            f"{count(len(plan.steps), 'step')} on {plan.database}, {about(plan.estimate)}, in one transaction.",
            f"The run is of {moment(run.started_at)}; rows that were written since stay.",
            _copy_words(plan, backup=backup),
        ),
        yes="takes it back",
        name="undo",
        kind="word",
    )


def before_cancelling(session: Session) -> Question:
    if session.task is not None and session.at_a_task:
        return Question(
            title="Stop it?",
            sentences=(f"trueup is {session.task.doing}.", "What is half done is removed; the database is as it is."),
            yes="stops it",
            no="lets it go on",
        )
    return Question(
        title="Cancel the run?",
        sentences=(
            "The running statement is stopped and everything is rolled back.",
            "The database is then as it was before the run.",
        ),
        yes="cancels it",
        no="lets it go on",
    )


def before_leaving(session: Session) -> Question | None:
    """Nothing is asked when nothing would be lost."""
    answers = session.choices.unwritten
    if session.task is not None and session.at_a_task:
        alone = session.task.ends_alone
        ends = "It cannot be stopped, and ends in a moment; then the app ends." if alone else "Leaving stops it first."
        return Question(
            title=f"trueup is {session.task.doing}",
            sentences=(ends,),
            yes="leaves" if alone else "stops it and leaves",
            no="stays",
        )
    if session.running:
        return Question(
            title="A run is on",
            sentences=("Leaving cancels it: everything is rolled back first, then the app ends.",),
            yes="cancels it and leaves",
            no="stays",
        )
    if answers:
        sentences = (
            f"{count(answers, 'answer is', 'answers are')} not in the decisions file yet.",
            "w on the differences writes them there.",
        )
        return Question(title="Leave without them?", sentences=sentences, yes="leaves", no="stays")
    return None
