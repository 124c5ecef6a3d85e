"""What the history tells of earlier runs, as frozen values, and which of them still hold."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from trueup.changes import Change, RenameColumn, RenameTable
from trueup.describing import describe, label_of
from trueup.errors import HistoryUnreadable
from trueup.plans import Fill, Form, Plan, Step
from trueup.run import Intent, Receipt
from trueup.schema import Schema, Sql, StoredObject
from trueup.standing import BASELINE
from trueup.text import object_name

KILLED = "killed before its commit"
"""What stands in place of the name of a run that was killed."""
_AGES = 1e15
"""Milliseconds that no run takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A change that a run made: as much of it as is needed to recognize it when it is to be undone."""

    id: str
    kind: str
    table: str
    noun: str
    names: tuple[str, ...]
    """What identified the object within its table before and after."""
    to: str = ""
    """The new name of what was renamed."""
    left: str = ""
    """What the run left, in the words of DDL; empty for what it dropped."""
    fill: str = ""
    """The SQL of the value that rows without one got; for what was done to rows, the SQL that was decided."""

    @property
    def of_rows(self) -> bool:
        """A decision about rows, and no change of the schema."""
        return self.noun in ("rows", "values")

    @property
    def objects(self) -> frozenset[tuple[str, str, str]]:
        """Table, noun and name of what was changed, under the names of both sides, in lower case."""
        return frozenset((self.table.lower(), self.noun, name.lower()) for name in self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastStep:
    number: int
    """From 1."""
    sentence: str
    seconds: float
    """How long it took; of one that failed, until it did."""
    made: tuple[Made, ...] | None
    """``None`` where the history does not tell: an earlier version wrote it, or nothing of it stayed."""
    sql: str
    """As it was sent."""
    status: str = "completed"
    """Or, in a run that was rolled back: ``"rolled_back"`` for a step that was done, ``"failed"`` for the one that
    could not be done or was stopped, ``"pending"`` for one that was never begun."""
    error: str = ""
    """Why it failed."""
    form: str = ""
    """A :class:`Form`; empty where the history does not tell, because an earlier version wrote it."""
    undone_by: str = ""
    """The run that took it back, if one did."""
    undo_sql: str = ""
    """The script that took its structure back on an empty copy, after those of all later steps; empty where it changed
    none, or where no script does that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run, as the history tells it."""

    id: str
    kind: str
    """``"manual"``, ``"auto"``, ``"plan file"``, ``"undo"``, ``"restore"`` or ``"baseline"``."""
    name: str
    status: str
    """``"completed"``, ``"rolled_back"``, ``"interrupted"`` (it was killed), ``"running"``; or ``"failed"``: a restore
    that is not proved, or what another migrator called so before trueup."""
    started_at: datetime
    """UTC."""
    seconds: float
    """From the beginning to the end, waiting included; 0 of a run that was killed."""
    policy: str
    backup_id: str
    """The backup of the database as it was before; empty when there is none."""
    schema_before: str
    schema_after: str
    """Fingerprints."""
    performed_by: str
    """User, host and process."""
    receipt: Receipt | None
    """None for a restore or a baseline, and for a run that was killed or rolled back."""
    steps: tuple[PastStep, ...]
    objects_before: bytes | None
    """The schema as it was before, as :func:`unpack_schema` reads it."""
    undoes: Mapping[str, Collection[int]]
    """Ids of the runs that it took back, with the numbers of their steps; none of them means the run as a whole."""
    undone_by: str = ""
    """The run that took back all of it, if one did."""
    drifted_since: str = ""
    """The run before, where this one did not find the schema as that one had left it: somebody else changed it."""
    undo_sql: str = ""
    """The script that took the structure back on an empty copy; without values, which only an undo brings."""
    checksum: str = ""
    """The same for the same plan; that of the backup for a restore."""
    trueup_version: str = ""
    """Of the program that wrote it."""
    note: str = ""
    """What somebody wanted to say with a baseline."""
    error: str = ""
    """Why it was rolled back or failed; empty for every other run."""

    @property
    def completed(self) -> bool:
        """It did what it was to do, even if that was taken back later."""
        return self.status == "completed"

    @property
    def changed(self) -> bool:
        """Whether it changed the database."""
        return self.completed and self.kind != BASELINE

    @property
    def detailed(self) -> bool:
        """Whether the history has more of it than a line."""
        return self.objects_before is not None or any(step.sql for step in self.steps)

    @property
    def running(self) -> bool:
        """It goes on, in whatever process; how it will end nobody knows."""
        return self.status == "running"

    @property
    def state(self) -> str:
        """``"undone"``, ``"partly undone"``, or the status that the run ended with."""
        if self.undone_by:
            return "undone"
        return "partly undone" if any(step.undone_by for step in self.steps) else self.status


def made_of(change: Change, fills: Sequence[Fill]) -> Made:
    """What the history keeps of a change.

    Args:
        change: a change that a step made.
        fills: the values that the run gave to rows without one.
    """
    old, new = getattr(change, "old", None), getattr(change, "new", None)
    sides = [side for side in (old, new) if side is not None]
    labels = dict.fromkeys([change.label, *(label_of(side) for side in sides)])
    column = (change.table.lower(), change.label.lower())
    fill = next((item for item in fills if (item.table.lower(), item.column.lower()) == column), None)
    return Made(
        id=change.id,
        kind=change.kind,
        table=change.table,
        noun=change.noun,
        names=tuple(labels),
        to=change.to if isinstance(change, RenameTable | RenameColumn) else "",
        left=describe(new) if new is not None else "",
        fill=fill.sql if fill is not None and fill.function is None else "",
    )


def made_by(step: Step, plan: Plan) -> Iterator[Made]:
    """What the history keeps of a step: its changes, and what it did to rows because somebody decided it."""
    if step.deletion is not None:
        yield _decided("DeleteRows", "rows", step.table, "", step.deletion.where)
    yield from (made_of(change, plan.fills) for change in step.changes)
    for cast in plan.casts if step.form is Form.REBUILD else ():
        if cast.table.lower() == step.table.lower():
            yield _decided("CastValues", "values", cast.table, cast.column, cast.sql)


def _decided(kind: str, noun: str, table: str, column: str, sql: str) -> Made:
    return Made(id=f"{kind} {object_name(table, column)}", kind=kind, table=table, noun=noun, names=(column,), fill=sql)


def read_runs(records: Iterable[Mapping[str, Any]]) -> tuple[PastRun, ...]:
    """The runs in the order in which they happened.

    Args:
        records: the rows of the history, oldest first.

    Raises:
        HistoryUnreadable: one of them is damaged.
    """
    rows, runs = list(records), list[PastRun]()
    steps: dict[str, list[PastStep]] = {}
    for row in sorted(rows, key=lambda row: not row["step"]):
        try:
            _refuse_damage(row)
            if row["step"]:
                steps.setdefault(row["run_id"], []).append(_step(row))
            else:
                runs.append(_run(row, steps.get(row["run_id"], ())))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise HistoryUnreadable(run=row["run_id"], problem=error) from error
    return _mark_undone(list(_mark_drifted(runs)))


def unrecorded(noted: Intent, *, running: bool) -> PastRun:
    """A run that no row tells of, as far as it is known from what it noted.

    Args:
        noted: by the run.
        running: it goes on; otherwise it was killed.
    """
    return PastRun(
        id=noted.run_id,
        kind=noted.kind,
        name="it goes on" if running else KILLED,
        status="running" if running else "interrupted",
        started_at=_moment(noted.since),
        seconds=0.0,
        policy="",
        backup_id="",
        schema_before="",
        schema_after="",
        performed_by=performer_of(noted),
        receipt=None,
        steps=(),
        objects_before=None,
        undoes={},
    )


def performer_of(noted: Intent) -> str:
    """Who it is, as far as an intent tells."""
    return f"{noted.host} (process {noted.process})"


def write_made(made: Iterable[Made]) -> str:
    """As JSON, which :func:`read_runs` reads."""
    return json.dumps([asdict(item) for item in made])


def pack_schema(schema: Schema) -> bytes:
    """Every statement that the schema is stored as, compressed."""
    stored: list[tuple[str, str, str, str]] = []
    for table in schema.tables:
        created, *indexes = table.statements
        stored += [("table", table.name, table.name, created), *(("index", "", table.name, sql) for sql in indexes)]
    stored += [(item.kind, item.name, item.table, item.sql) for item in schema.objects]
    return zlib.compress(json.dumps(stored).encode("utf-8", "surrogateescape"))


def unpack_schema(packed: bytes) -> Schema:
    """What :func:`pack_schema` wrote, as objects whose text nobody understood yet."""
    stored = json.loads(zlib.decompress(packed).decode("utf-8", "surrogateescape"))
    return Schema(
        objects=tuple(
            StoredObject(kind=kind, name=name, table=table, definition=Sql(sql, sql))
            for kind, name, table, sql in stored
        )
    )


def _refuse_damage(row: Mapping[str, Any]) -> None:
    """SQLite keeps any value in any column.

    Raises:
        TypeError: a value is not what every version writes there.
    """
    texts = [row[name] for name in ("run_id", "kind", "name", "status", "started_at", "checksum", "sql")]
    others = [value for name, value in row.items() if name != "objects_before"]
    if (
        not all(isinstance(text, str) for text in texts)
        or not isinstance(row["step"], int)
        or not 0 <= row["execution_time_ms"] < _AGES
        or any(isinstance(value, bytes) for value in others)
    ):
        raise TypeError("a value is of the wrong kind")


def _step(row: Mapping[str, Any]) -> PastStep:
    made = row.get("changes")
    return PastStep(
        number=row["step"],
        sentence=row["name"],
        seconds=row["execution_time_ms"] / 1000,
        made=tuple(_made(item) for item in json.loads(made)) if made else None,
        sql=row["sql"],
        status=row["status"],
        error=row.get("error") or "",
        form=row.get("form") or "",
        undo_sql=row.get("undo_sql") or "",
    )


def _made(item: dict[str, Any]) -> Made:
    return Made(**(_known(item, Made) | {"names": tuple(item["names"])}))


def _run(row: Mapping[str, Any], steps: Sequence[PastStep]) -> PastRun:
    return PastRun(
        id=row["run_id"],
        kind=row["kind"],
        name=row["name"],
        status=row["status"],
        started_at=_moment(row["started_at"]),
        seconds=row["execution_time_ms"] / 1000,
        policy=row["policy"] or "",
        backup_id=row["backup_id"] or "",
        schema_before=row["schema_before"] or "",
        schema_after=row.get("schema_after") or "",
        performed_by=row["performed_by"] or "",
        receipt=_receipt(json.loads(row["receipt"])) if row["receipt"] else None,
        steps=tuple(sorted(steps, key=lambda step: step.number)),
        objects_before=row.get("objects_before"),
        undoes=_undoes(row.get("undoes") or "{}"),
        undo_sql=row.get("undo_sql") or "",
        checksum=row["checksum"],
        trueup_version=row["trueup_version"] or "",
        note=row.get("note") or "",
        error=row.get("error") or "",
    )


def _undoes(text: str) -> dict[str, tuple[int, ...]]:
    return {run_id: tuple(map(int, numbers)) for run_id, numbers in json.loads(text).items()}


def _moment(text: str) -> datetime:
    """What the lock file of a killed run says is UTC, and does not say so."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _receipt(item: dict[str, Any]) -> Receipt:
    return Receipt(**(_known(item, Receipt) | {"proofs": tuple(item["proofs"])}))


def _known(item: Mapping[str, Any], kind: type[Made | Receipt]) -> dict[str, Any]:
    """Without what a later version notes as well."""
    return {field.name: item[field.name] for field in fields(kind) if field.name in item}


def _mark_drifted(runs: Iterable[PastRun]) -> Iterator[PastRun]:
    """A run that was killed tells nothing of the schema, and a restore only how it left it."""
    last: PastRun | None = None
    for run in runs:
        moved = last is not None and run.schema_before not in ("", last.schema_after)
        yield replace(run, drifted_since=last.id) if last is not None and moved else run
        last = run if run.schema_after else last


def _mark_undone(runs: Sequence[PastRun]) -> tuple[PastRun, ...]:
    """Whoever takes something back may have been taken back itself, so the newest are looked at first."""
    whole: dict[str, str] = {}
    single: dict[tuple[str, int], str] = {}
    for run in reversed(runs):
        if run.id in whole:
            continue
        for undone, numbers in run.undoes.items():
            whole |= {} if numbers else {undone: run.id}
            single |= {(undone, number): run.id for number in numbers}
    return tuple(_marked(run, whole.get(run.id, ""), single) for run in runs)


def _marked(run: PastRun, by: str, single: Mapping[tuple[str, int], str]) -> PastRun:
    """A restore names all runs since its backup; of those that left nothing, nothing was taken back."""
    if not run.completed:
        return run
    steps = tuple(replace(step, undone_by=by or single.get((run.id, step.number), "")) for step in run.steps)
    all_by = steps[-1].undone_by if steps and all(step.undone_by for step in steps) else by
    return replace(run, steps=steps, undone_by=all_by)
