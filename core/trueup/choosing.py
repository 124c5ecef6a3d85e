"""Which run is to be undone, or which of its steps; from the history, before anything else is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from trueup.dialect import Dialect
from trueup.errors import AlreadyUndone, NoSuchRun, NotUndoable
from trueup.past import Made, PastRun, PastStep, unpack_schema
from trueup.schema import Schema
from trueup.standing import BASELINE

_UNCHANGED = {
    "rolled_back": "it was rolled back and changed nothing",
    "interrupted": "it was killed before its commit and changed nothing",
    "running": "it goes on",
}
"""Why there is nothing to take back, by the run's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is to be taken back: a run, or some of its steps."""

    run: PastRun
    steps: tuple[PastStep, ...]
    before: Schema
    """The schema before the run."""
    last: bool
    """No later run changed anything that still holds."""
    again: tuple[Made, ...] = ()
    """For an undo that is taken back: what the run that it undid had given to rows, or done to them by a decision."""

    @property
    def made(self) -> tuple[Made, ...]:
        return tuple(item for step in self.steps for item in step.made or ())

    @property
    def whole(self) -> bool:
        return len(self.steps) == len(self.run.steps)


def find_taken(runs: Sequence[PastRun], run_id: str | None, steps: Sequence[int], dialect: Dialect) -> Taken:
    """The run to undo and those of its steps that are asked for.

    Args:
        runs: the history, oldest first.
        run_id: as :func:`newest_to_undo` finds it, when not given.
        steps: numbers; all that still hold when there are none.
        dialect: of the database.

    Raises:
        NoSuchRun, AlreadyUndone, NotUndoable: it cannot be.
    """
    run = find_run(runs, run_id, dialect.database) if run_id else _newest(runs, dialect)
    if run.undone_by:
        raise AlreadyUndone(what=f"The run {run.id}", by=run.undone_by)
    if not run.completed:
        refuse(run, _UNCHANGED.get(run.status, "it failed"), "Undo another one; see: trueup history")
    if run.kind == "restore":
        refuse(run, "it restored a backup", f"Bring back what was there before with: trueup restore {run.backup_id}")
    if run.kind == BASELINE:
        refuse(run, "it only says how the database was", "Undo another one; see: trueup history")
    if run.objects_before is None or any(step.made is None for step in run.steps):
        problem = "an older version of trueup recorded it, or the history was cleaned up since"
        refuse(run, problem, f"Restore its backup instead: {run.backup_id or 'none'}")
    chosen = tuple(_chosen(run, steps))
    _refuse_made_again(run, chosen, runs)
    _refuse_rows_without_the_rest(run, chosen)
    undos = _undos(runs)
    later = [item for item in runs[runs.index(run) + 1 :] if item.id not in undos]
    _refuse_what_later_runs_need(run, chosen, later)
    before = _before(run, dialect)
    last = not any(item.changed and item.kind != "restore" and not item.undone_by for item in later)
    return Taken(run=run, steps=chosen, before=before, last=last, again=tuple(_again(run, runs)))


def _before(run: PastRun, dialect: Dialect) -> Schema:
    try:
        return dialect.after(unpack_schema(run.objects_before or b""), [])
    except Exception:  # damage, in whatever layer it shows
        problem = "what the history keeps of the schema before it cannot be read"
        refuse(run, problem, f"Restore its backup instead: {run.backup_id or 'none'}")


def find_run(runs: Sequence[PastRun], run_id: str, database: str) -> PastRun:
    """The run of that id.

    Args:
        runs: the history, oldest first.
        run_id: as the history tells it.
        database: for people.

    Raises:
        NoSuchRun: there is none.
    """
    for run in runs:
        if run.id == run_id:
            return run
    newest = ", ".join(run.id for run in reversed(runs[-5:])) or "none"
    raise NoSuchRun(what=f"run {run_id}", database=database, known=f"The newest are: {newest}.")


def newest_to_undo(runs: Sequence[PastRun]) -> PastRun | None:
    """The run that is undone when none is named: the newest that still holds and is no undo, unless it makes again what
    an undo had taken back.

    Args:
        runs: oldest first.
    """
    undos = _undos(runs)
    standing = (run for run in reversed(runs) if run.completed and not run.undone_by)
    return next((run for run in standing if run.steps and run.id not in undos), None)


def _undos(runs: Sequence[PastRun]) -> frozenset[str]:
    """Ids of the undos that take back something, and do not make again what another undo took back."""
    found = set[str]()
    for run in runs:
        if run.kind == "undo" and not found & run.undoes.keys():
            found.add(run.id)
    return frozenset(found)


def _newest(runs: Sequence[PastRun], dialect: Dialect) -> PastRun:
    found = newest_to_undo(runs)
    if found is None:
        raise NoSuchRun(what="run that could be undone", database=dialect.database, known="See: trueup history")
    return found


def _chosen(run: PastRun, numbers: Sequence[int]) -> Iterator[PastStep]:
    present = {step.number: step for step in run.steps}
    if numbers and run.kind == "undo":
        refuse(run, "an undo is taken back as a whole", f"Leave out --steps: trueup undo {run.id}")
    for number in dict.fromkeys(numbers) or [step.number for step in run.steps if not step.undone_by]:
        step = present.get(number)
        if step is None:
            listed = ", ".join(map(str, present))
            raise NoSuchRun(what=f"step {number} of run {run.id}", database="this database", known=f"It has: {listed}.")
        if step.undone_by:
            raise AlreadyUndone(what=f"Step {number} of run {run.id}", by=step.undone_by)
        yield step


def _again(undo: PastRun, runs: Sequence[PastRun]) -> Iterator[Made]:
    for run in runs:
        numbers = undo.undoes.get(run.id) if undo.kind == "undo" else None
        for step in run.steps if numbers is not None else ():
            if not numbers or step.number in numbers:
                yield from (item for item in step.made or () if item.fill)


def _refuse_made_again(run: PastRun, chosen: Sequence[PastStep], runs: Sequence[PastRun]) -> None:
    """Only the backup of the run that made it again has what was written while it was taken back."""
    numbers, undos = {step.number for step in chosen}, {other.id for other in runs if other.kind == "undo"}
    for undo in runs:
        taken_back = undo.undoes.get(run.id) if {undo.id, undo.undone_by} <= undos else None
        if taken_back is not None and (not taken_back or numbers & set(taken_back)):
            problem = f"the run {undo.undone_by} made it again, and only its backup has what was there until then"
            refuse(run, problem, f"Undo that one: trueup undo {undo.undone_by}")


def _refuse_rows_without_the_rest(run: PastRun, chosen: Sequence[PastStep]) -> None:
    """Rows that were deleted had no place under what the run made of their table."""
    tables = {item.table.lower() for step in chosen for item in step.made or () if item.kind == "DeleteRows"}
    for step in run.steps:
        if step not in chosen and not step.undone_by and any(item.table.lower() in tables for item in step.made or ()):
            problem = f"it deleted rows for what step {step.number} made of the same table"
            refuse(run, problem, "Undo both, or the whole run.")


def refuse(run: PastRun, problem: str, remedy: str) -> NoReturn:
    """Raise :class:`NotUndoable` about the run."""
    raise NotUndoable(run=run.id, problem=problem, remedy=remedy)


def _refuse_what_later_runs_need(run: PastRun, chosen: Sequence[PastStep], later: Sequence[PastRun]) -> None:
    """What a later run changed again goes back to how that run found it first; so does a table under another name."""
    made = [item for step in chosen for item in step.made or ()]
    objects = frozenset[tuple[str, str, str]]().union(*(item.objects for item in made))
    tables = {name.lower() for item in made for name in (item.table, item.to if item.noun == "table" else "") if name}
    for other in later:
        for step in other.steps:
            for item in step.made or () if not step.undone_by else ():
                whole = item.noun == "table" or item.kind == "RenameColumn"
                if item.objects & objects or (whole and item.table.lower() in tables):
                    remedy = f"Undo that one first: trueup undo {other.id}"
                    refuse(run, f"the later run {other.id} changed the same ({item.id})", remedy)
    left = [item for step in run.steps if step not in chosen and not step.undone_by for item in step.made or ()]
    for item in left:
        if item.to and {item.table.lower(), item.to.lower() if item.noun == "table" else ""} & tables:
            refuse(run, f"the step that did this would stay: {item.id}", "Undo it as well, or the whole run.")
