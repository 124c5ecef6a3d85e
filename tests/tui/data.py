"""Values that the tests and the pictures show: a shop whose database has fallen behind its models, at a fixed time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trueup import (
    Assessment,
    Backfill,
    Backup,
    BackupComparison,
    BackupStatistics,
    Cast,
    Cleanup,
    Decision,
    Delete,
    Event,
    Evidence,
    Finding,
    Form,
    Hazard,
    Health,
    HealthFinding,
    HealthLevel,
    Ignore,
    Keep,
    Limits,
    PastRun,
    PastStep,
    Plan,
    Policy,
    Receipt,
    Rehearsal,
    RenameCandidate,
    Repair,
    Run,
    Sample,
    Settings,
    Severity,
    Skip,
    Statement,
    Status,
    Step,
    Target,
    TrueupError,
    Verdict,
    changes,
    errors,
    events,
)
from trueup.past import made_of
from trueup.plans import Source, Undone
from trueup.run import RowsMoved
from trueup.schema import (
    Check,
    Column,
    ForeignKey,
    Index,
    KeyPart,
    PrimaryKey,
    Schema,
    Sql,
    StoredObject,
    Table,
    Unique,
)
from trueup_tui.clock import Clock
from trueup_tui.jobs import Core
from trueup_tui.session import Session

NOW = datetime(2026, 1, 3, 14, 12, 40, tzinfo=UTC)
SECRET = "hunter2-canary"
URL = f"sqlite://someone:{SECRET}@/shop.db"
HOSTILE = {
    "closing tag": "[/x]",
    "tag": "[red]bold[/red]",
    "link": "[@click=app.quit]x[/]",
    "escape": "a\x1b]0;owned\x07b\x1b[31m",
    "right to left": "abc\u202edcba\u202c",
    "line end": "two\nlines\tand a tab",
    "long": "x" * 200,
    "wide": "非常に長い列の名前" * 7,
    "joined": "a\u200db\ufeff",
    "empty": "",
}


def sql(text: str) -> Sql:
    return Sql(text, text.lower())


def column(name: str, kind: str, **options: Any) -> Column:
    default = options.pop("default", None)
    return Column(name=name, type=sql(kind), default=sql(default) if default else None, **options)


def part(name: str) -> KeyPart:
    return KeyPart(expression=sql(name), column=name)


REBUILT = (
    "SQLite has no ALTER TABLE for the type of a column, and the rows would be stored in another way:"
    " the type affinity of total"
)


def step(table: str, sentence: str, *statements: str, change: Any, estimate: float, form: Form = Form.IN_PLACE) -> Step:
    why = "SQLite does this in place" if form is Form.IN_PLACE else REBUILT
    return Step(
        table=table,
        sentence=sentence,
        statements=tuple(Statement(sql=text) for text in statements),
        changes=tuple(change) if isinstance(change, list) else (change,),
        form=form,
        why=why,
        estimate=estimate,
    )


# -- one change of each kind -------------------------------------------------------------------------------------------

FULLNAME = column("fullname", "VARCHAR(120)", nullable=False)
COUPONS = Table(
    name="coupons",
    columns=(column("id", "INTEGER", nullable=False), column("code", "VARCHAR(24)"), column("percent_off", "INTEGER")),
)
SHIPMENTS = Table(
    name="shipments",
    columns=(
        column("id", "INTEGER", nullable=False),
        column("order_id", "INTEGER", nullable=False),
        column("carrier", "VARCHAR(60)", default="'DHL'"),
    ),
)
DROP_FULLNAME = changes.DropColumn(table="customers", old=FULLNAME)
ADD_FULL_NAME = changes.AddColumn(table="customers", new=replace(FULLNAME, name="full_name"))
RENAME = changes.RenameColumn(table="customers", column="fullname", to="full_name")
ADD_TIER = changes.AddColumn(
    table="customers", new=column("loyalty_tier", "VARCHAR(16)", nullable=False, default="'basic'")
)
ALTER_TOTAL = changes.AlterColumn(
    table="orders",
    old=column("total", "FLOAT", nullable=False),
    new=column("total", "NUMERIC(12, 2)", nullable=False),
)
ADD_INDEX = changes.CreateIndex(table="orders", new=Index(name="ix_orders_created_at", parts=(part("created_at"),)))
ALTER_CHECK = changes.AlterCheck(
    table="orders",
    old=Check(name="ck_orders_ref", expression=sql("ref <> ''")),
    new=Check(name="ck_orders_ref", expression=sql("ref GLOB '[a-z]*[0-9]'")),
)
ADD_KEY = changes.AddForeignKey(
    table="orders",
    new=ForeignKey(name="fk_orders_coupon", columns=("coupon_id",), referred_table="coupons", referred_columns=("id",)),
)
DROP_UNIQUE = changes.DropUnique(table="orders", old=Unique(name="uq_orders_ref", parts=(part("ref"),)))
ALTER_PRIMARY = changes.AlterPrimaryKey(
    table="wishes", old=PrimaryKey(parts=(part("id"),)), new=PrimaryKey(parts=(part("customer_id"), part("id")))
)
ALTER_OPTIONS = changes.AlterTableOptions(
    table="wishes", old=Table(name="wishes"), new=Table(name="wishes", without_rowid=True)
)
RENAME_TABLE = changes.RenameTable(table="parcels", to="shipments")
DROP_COUPONS = changes.DropTable(table="coupons", old=COUPONS)
ADD_SHIPMENTS = changes.CreateTable(table="shipments", new=SHIPMENTS)
ADD_CURRENCY = changes.AddColumn(table="orders", new=column("currency", "VARCHAR(3)", nullable=False))

CANDIDATE = RenameCandidate(
    table="customers",
    column="fullname",
    to="full_name",
    score=0.97,
    probable=True,
    evidence=(
        Evidence(sentence="the names are 100% alike", weight=0.6),
        Evidence(sentence="same type VARCHAR(120)", weight=0.15),
        Evidence(sentence="same nullability, default and collation", weight=0.05),
        Evidence(sentence="both stand after id", weight=0.1),
    ),
)
LOSES_COUPONS = Hazard(
    rule="dropped-table",
    severity=Severity.LOSES,
    sentence="deletes 12 480 rows in table coupons",
    finding=Finding(rows=12480),
    remedy="keep it, or allow the drop; a verified backup is taken first",
)
NO_VALUE = Hazard(
    rule="no-value",
    severity=Severity.BLOCKS,
    sentence="850 rows in orders have no value for orders.currency, which the models declare NOT NULL",
    finding=Finding(rows=850),
    remedy='decide: fill = "orders.currency" with value = ... or sql = "..."; or give the column a default',
    repairs=(
        Repair("give these rows a value", Backfill(table="orders", column="currency", value=""), asks="value"),
        Repair("leave the database without it", Skip(change=ADD_CURRENCY.id)),
    ),
)
_WRONG = "NOT (ref GLOB '[a-z]*[0-9]')"
_CLEARED = f"CASE WHEN ({_WRONG}) IS NOT TRUE THEN orders.ref ELSE NULL END"
VIOLATED = Hazard(
    rule="violated-check",
    severity=Severity.BLOCKS,
    sentence="3 rows in orders do not satisfy ref GLOB '[a-z]*[0-9]'",
    finding=Finding(
        rows=3,
        key="id",
        samples=(Sample(key="7", value="'A1'"), Sample(key="12", value="'[b]'"), Sample(key="40", value="''")),
    ),
    remedy="correct these rows, or say what becomes of them (delete, cast)",
    repairs=(
        Repair("set ref to NULL in these rows", Cast(table="orders", column="ref", sql=_CLEARED)),
        Repair("delete these rows", Delete(table="orders", where=_WRONG)),
        Repair(
            "say what the values become, as an SQL expression",
            Cast(table="orders", column="ref", sql=_CLEARED),
            asks="sql",
        ),
        Repair("leave the database without it", Skip(change=ALTER_CHECK.id)),
    ),
)
ALTERED = Hazard(
    rule="altered-values",
    severity=Severity.LOSES,
    sentence="the type NUMERIC(12, 2) would change the values of 2 rows in orders.total",
    finding=Finding(rows=2, key="id", samples=(Sample(key="7", value="'007'"), Sample(key="40", value="'0012'"))),
    remedy="correct these values first, say how they are converted (cast), or keep the type",
    repairs=(
        Repair(
            "say what the values become, as an SQL expression",
            Cast(table="orders", column="total", sql="total"),
            asks="sql",
        ),
        Repair("keep the type as it is", Keep(table="orders", column="total")),
        Repair(
            "take what the type makes of them",
            Ignore(rule="altered-values", on="orders.total", reason="say why"),
            asks="reason",
        ),
    ),
)
DELETED = Hazard(
    rule="deleted-rows",
    severity=Severity.LOSES,
    sentence="deletes 3 rows in table orders",
    finding=VIOLATED.finding,
    remedy="take the decision back to keep the rows",
    accepted="decided: delete orders",
)


def judged(change: Any, verdict: Verdict = Verdict.APPLY, rows: int = 184022, **more: Any) -> Assessment:
    return Assessment(change=change, verdict=verdict, rows=rows, **more)


def question(change: Any) -> Assessment:
    """One half of a possible rename."""
    return judged(
        change,
        Verdict.BLOCKED,
        reason="customers.fullname may have been renamed to full_name",
        remedy='decide: rename = "customers.fullname" with to = "full_name", or drop, or keep',
        candidates=(CANDIDATE,),
    )


RETIRED_COUPONS = judged(
    DROP_COUPONS,
    Verdict.RETIRE,
    rows=12480,
    reason="it left the models; it is kept with its data",
    remedy="the policy full, or a decision, drops it",
    hazards=(LOSES_COUPONS,),
)
SAFE = (
    judged(ADD_TIER),
    judged(ALTER_TOTAL),
    judged(ADD_INDEX),
    judged(ALTER_CHECK),
    RETIRED_COUPONS,
    judged(ADD_SHIPMENTS, rows=0),
)
STEPS = (
    step(
        "customers",
        "add column customers.loyalty_tier: VARCHAR(16) DEFAULT 'basic' NOT NULL",
        "ALTER TABLE \"customers\" ADD COLUMN loyalty_tier VARCHAR(16) DEFAULT 'basic' NOT NULL",
        change=ADD_TIER,
        estimate=0.1,
    ),
    step(
        "orders",
        "rebuild table orders (2 changes)",
        'CREATE TABLE "_trueup_new_orders" (\n\tid INTEGER NOT NULL,\n\ttotal NUMERIC(12, 2) NOT NULL,\n\tref TEXT,\n'
        "\tCONSTRAINT ck_orders_ref CHECK (ref GLOB '[a-z]*[0-9]')\n)",
        'INSERT INTO "_trueup_new_orders" SELECT id, total, ref FROM "orders"',
        'DROP TABLE "orders"',
        'ALTER TABLE "_trueup_new_orders" RENAME TO "orders"',
        change=[ALTER_TOTAL, ALTER_CHECK],
        estimate=38.0,
        form=Form.REBUILD,
    ),
    step(
        "orders",
        "add index orders.ix_orders_created_at: (created_at)",
        'CREATE INDEX "ix_orders_created_at" ON "orders" (created_at)',
        change=ADD_INDEX,
        estimate=12.0,
    ),
    step(
        "shipments",
        "add table shipments: 3 columns",
        "CREATE TABLE shipments (\n\tid INTEGER NOT NULL,\n\torder_id INTEGER NOT NULL,\n"
        "\tcarrier VARCHAR(60) DEFAULT 'DHL'\n)",
        change=ADD_SHIPMENTS,
        estimate=0.1,
    ),
)
RENAME_STEP = step(
    "customers",
    "rename column customers.fullname to full_name",
    'ALTER TABLE "customers" RENAME COLUMN "fullname" TO "full_name"',
    change=RENAME,
    estimate=0.1,
)
DROP_STEP = step("coupons", "drop table coupons", 'DROP TABLE "coupons"', change=DROP_COUPONS, estimate=0.4)


def plan_of(assessments: Sequence[Assessment], steps: Sequence[Step] = (), **more: Any) -> Plan:
    values: dict[str, Any] = {
        "database": "sqlite:///shop.db",
        "models": "app.models:Base",
        "policy": Policy.SAFE,
        "live": Schema(tables=(COUPONS,), fingerprint="live"),
        "expected": Schema(),
        "wanted": Schema(),
        "managed": ("customers", "orders", "shipments", "wishes"),
        "unmanaged": ("legacy_import_log",),
        "preamble": ("PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE"),
        "backup_estimate": 6.0,
    }
    return Plan(assessments=tuple(assessments), steps=tuple(steps), **values | more)


def stored(kind: str, name: str, sql: str, table: str = "") -> StoredObject:
    return StoredObject(kind=kind, name=name, table=table or name, definition=Sql(sql, sql))


LOG = stored("trigger", "log_orders", "CREATE TRIGGER log_orders AFTER INSERT ON orders BEGIN SELECT 1; END", "orders")
LOG_ALL = stored("trigger", "log_orders", LOG.sql.replace("INSERT", "UPDATE"), "orders")
OPEN_ORDERS = stored("view", "open_orders", "CREATE VIEW open_orders AS SELECT id FROM orders WHERE paid IS NULL")
PAID = stored("view", "paid_orders", "CREATE VIEW paid_orders AS SELECT id FROM orders WHERE paid")
PAID_AND_SENT = stored("view", "paid_orders", f"{PAID.sql} AND sent")
WORDS = stored("virtual", "words", "CREATE VIRTUAL TABLE words USING fts5(text)")

OPEN = plan_of([question(DROP_FULLNAME), question(ADD_FULL_NAME), *SAFE], STEPS)
"""Something waits for a decision."""
OTHER_NAME = replace(ADD_FULL_NAME, new=replace(ADD_FULL_NAME.new, name="display_name"))
OTHER_CANDIDATE = replace(
    CANDIDATE,
    to="display_name",
    score=0.76,
    evidence=(Evidence(sentence="the names are 76% alike", weight=0.46), *CANDIDATE.evidence[1:]),
)
AMBIGUOUS = plan_of(
    [
        replace(question(DROP_FULLNAME), candidates=(CANDIDATE, OTHER_CANDIDATE)),
        question(ADD_FULL_NAME),
        replace(question(OTHER_NAME), candidates=(OTHER_CANDIDATE,)),
        *SAFE,
    ],
    STEPS,
)
"""A column that left may be either of two that came."""
READY = plan_of([judged(RENAME), *SAFE], [RENAME_STEP, *STEPS])
"""The rename was answered."""
LOSING = plan_of(
    [judged(RENAME), *(replace(item, verdict=Verdict.APPLY) if item is RETIRED_COUPONS else item for item in SAFE)],
    [RENAME_STEP, *STEPS, DROP_STEP],
    warnings=("drop table coupons: deletes 12 480 rows in table coupons",),
)
IN_STEP = plan_of([])
NOTHING_TAKEN = plan_of([RETIRED_COUPONS])
ENDANGERED = plan_of(
    [
        judged(ALTER_CHECK, Verdict.BLOCKED, reason=VIOLATED.sentence, remedy=VIOLATED.remedy, hazards=(VIOLATED,)),
        judged(
            ALTER_TOTAL,
            Verdict.BEYOND_POLICY,
            reason=ALTERED.sentence,
            remedy="the policy full applies it",
            hazards=(ALTERED,),
        ),
    ]
)
"""Rows stand against one change, and another one would alter values."""
REPAIRED = plan_of(
    [judged(ALTER_CHECK, hazards=(DELETED,)), judged(ADD_TIER)],
    [STEPS[1], STEPS[0]],
    decisions=(Delete(table="orders", where=_WRONG), Ignore(rule="too-long", on="orders.x", reason="short enough")),
)
"""It was decided that rows go."""
UNFILLED = plan_of([judged(ADD_CURRENCY, Verdict.BLOCKED, rows=850, reason=NO_VALUE.sentence, hazards=(NO_VALUE,))])
EVERY_KIND = plan_of(
    [
        question(DROP_FULLNAME),
        question(ADD_FULL_NAME),
        judged(ADD_TIER),
        judged(changes.DropColumn(table="orders", old=column("gift_note", "TEXT")), Verdict.LEFT_OUT),
        judged(ALTER_TOTAL),
        judged(changes.DropIndex(table="orders", old=ADD_INDEX.new), Verdict.RETIRE, reason="it left the models"),
        judged(ADD_INDEX),
        judged(changes.AlterIndex(table="orders", old=ADD_INDEX.new, new=ADD_INDEX.new)),
        judged(changes.AddCheck(table="orders", new=ALTER_CHECK.new)),
        judged(ALTER_CHECK),
        judged(changes.DropCheck(table="orders", old=ALTER_CHECK.old), Verdict.KEPT, reason="a decision keeps it"),
        judged(ADD_KEY),
        judged(changes.DropForeignKey(table="orders", old=ADD_KEY.new)),
        judged(changes.AlterForeignKey(table="orders", old=ADD_KEY.new, new=replace(ADD_KEY.new, on_delete="CASCADE"))),
        judged(changes.AddUnique(table="orders", new=DROP_UNIQUE.old)),
        judged(DROP_UNIQUE),
        judged(changes.AlterUnique(table="orders", old=DROP_UNIQUE.old, new=DROP_UNIQUE.old)),
        judged(ALTER_PRIMARY),
        judged(ALTER_OPTIONS, Verdict.BEYOND_POLICY, reason="the policy additive does not apply this"),
        judged(RENAME_TABLE),
        RETIRED_COUPONS,
        judged(ADD_SHIPMENTS, rows=0),
        judged(changes.CreateTrigger(table="orders", new=LOG)),
        judged(changes.AlterTrigger(table="orders", old=LOG, new=LOG_ALL)),
        judged(changes.DropTrigger(table="orders", old=LOG), Verdict.RETIRE, reason="it left the models; it is kept"),
        judged(changes.CreateView(table="open_orders", new=OPEN_ORDERS)),
        judged(changes.AlterView(table="paid_orders", old=PAID, new=PAID_AND_SENT)),
        judged(changes.DropView(table="old_orders", old=OPEN_ORDERS), Verdict.RETIRE, reason="it left the models"),
        judged(changes.CreateVirtualTable(table="words", new=WORDS)),
        judged(changes.AlterVirtualTable(table="texts", old=WORDS, new=WORDS), Verdict.BEYOND_POLICY, reason="never"),
    ],
    STEPS,
)


def hostile_plan(name: str) -> Plan:
    """The name as table, column, type, default, expression and SQL; nothing of it may act."""
    bad = column(name, f"VARCHAR({name})", default=name, nullable=False)
    other = column(f"{name}2", "TEXT")
    table = Table(name=name, columns=(bad, other), sql=name)
    hazard = replace(LOSES_COUPONS, sentence=f"deletes 3 rows in table {name}", remedy=name)
    candidate = RenameCandidate(
        table=name,
        column=f"{name}2",
        to=f"{name}3",
        score=0.9,
        probable=True,
        evidence=(Evidence(sentence=name, weight=0.9),),
    )
    taken = [
        judged(changes.DropTable(table=name, old=table), hazards=(hazard,)),
        judged(changes.AddColumn(table=f"{name}t", new=bad)),
        judged(changes.AddCheck(table=f"{name}t", new=Check(name=name, expression=sql(f"a = '{name}'")))),
    ]
    asked = [
        replace(question(changes.DropColumn(table=name, old=other)), candidates=(candidate,), reason=name),
        replace(
            question(changes.AddColumn(table=name, new=replace(other, name=f"{name}3"))),
            candidates=(candidate,),
            reason=name,
        ),
    ]
    steps = [
        step(name, f"drop table {name}", f'DROP TABLE "{name}"', change=taken[0].change, estimate=1),
        step(f"{name}t", f"add column {name}", f'ALTER TABLE t ADD "{name}"', change=taken[1].change, estimate=1),
    ]
    return plan_of(
        [*taken, *asked], steps, database=f"sqlite:///{name}.db", models=name, unmanaged=(name,), unsupported=(name,)
    )


# -- backups and runs --------------------------------------------------------------------------------------------------

BACKUP = Backup(
    id="shop-20260103-141231",
    path=Path("/srv/shop/.trueup/backups/shop-20260103-141231.db"),
    database="sqlite:///shop.db",
    created_at=NOW - timedelta(seconds=9),
    size=48_210_944,
    checksum="blake2b:5f0034f6542b67f0aa6d1c7be2d90c11",
    schema_fingerprint="9c1d77e04b21",
    row_counts={"customers": 184022, "orders": 1204331, "coupons": 12480},
    run_id="7f3a91c2d001",
    verified_at=NOW - timedelta(seconds=3),
    trueup_version="0.1.0",
    database_version="3.45.1",
)
BACKUPS = (
    BACKUP,
    replace(
        BACKUP,
        id="shop-20251220-080000",
        path=Path("/srv/shop/.trueup/backups/shop-20251220-080000.db"),
        created_at=NOW - timedelta(days=14),
        run_id=None,
        verified_at=None,
    ),
    replace(
        BACKUP,
        id="shop-20251101-093000",
        path=Path("/srv/shop/.trueup/backups/shop-20251101-093000.db"),
        created_at=NOW - timedelta(days=63),
        verified_at=NOW - timedelta(days=1),
        problem="the file changed since it was made",
    ),
)
CHANGED = BackupComparison(
    backup=BACKUP,
    changes=(ADD_TIER, ALTER_TOTAL, changes.DropIndex(table="orders", old=ADD_INDEX.new), RENAME_TABLE),
    rows=(RowsMoved("orders", 1_204_331, 1_204_402), RowsMoved("coupons", 12_480, 12_107)),
)
"""What is different in the database since the newest backup."""
UNCHANGED = BackupComparison(backup=BACKUP, changes=(), rows=())
TAKEN_FOR = "it was taken for the last run, 7f3a91c2d001, and takes it back"
LARGE = "Large backup storage usage - consider cleanup (3 backups, 145 MB)"


def health_of(*rules: tuple[str, HealthLevel, str, str]) -> Health:
    """What came of an examination, the worst first."""
    findings = tuple(
        HealthFinding(rule=rule, level=level, sentence=what, recommendation=do) for rule, level, what, do in rules
    )
    return Health(database="sqlite:///shop.db", checked_at=NOW - timedelta(seconds=4), findings=findings)


FIT = health_of()
"""Nothing is wrong."""
NOT_FIT = health_of(
    (
        "last-run",
        HealthLevel.WARNING,
        "The last run (auto, 2026-01-03 14:11 UTC) was rolled back: rebuild table orders (2 changes) failed:"
        " CHECK constraint failed: ck_orders_ref. Everything was rolled back; the database is as it was.",
        "see trueup history, mend the cause, and run again",
    ),
    (
        "foreign-keys",
        HealthLevel.WARNING,
        "Rows point to rows that are not there: 12 rows of orders to customers.",
        "correct or delete these rows",
    ),
    (
        "bad-backups",
        HealthLevel.WARNING,
        "1 backup cannot be used: shop-20251101-093000 (the file changed since it was made).",
        "look at them, and delete them: trueup backups delete ID",
    ),
    (
        "backup-not-verified",
        HealthLevel.NOTE,
        "The backup shop-20251220-080000 was never read again.",
        "trueup backups verify --trial",
    ),
)
DAMAGED = health_of(
    (
        "database-damaged",
        HealthLevel.CRITICAL,
        "The database is damaged: wrong # of entries in index ix_orders_ref, and 3 more.",
        "restore the newest good backup: trueup restore shop-20260103-141231",
    ),
    (
        "not-all-checked",
        HealthLevel.NOTE,
        "The time did not suffice to check everything.",
        "allow more with --time-limit, or 0 for none",
    ),
)
RECEIPT = Receipt(
    remaining_differences=0,
    untouched_objects=14,
    row_counts={"customers": 184022, "orders": 1204331},
    proofs=("every row of orders was copied",),
    foreign_key_violations_before=0,
    foreign_key_violations_after=0,
    integrity="ok",
)


def run_of(plan: Plan, status: Status = Status.MIGRATED, error: TrueupError | None = None) -> Run:
    done = error is None
    return Run(
        id="7f3a91c2d001",
        status=status,
        started_at=NOW,
        seconds=58.4,
        plan=plan,
        operations_executed=len(plan.steps) if done else 0,
        backup=BACKUP,
        receipt=RECEIPT if done else None,
        error=error,
    )


def beginning(plan: Plan) -> list[Event]:
    """Up to the backup."""
    return [
        events.Started(elapsed=0.0, run_id="7f3a91c2d001", plan=plan, time_limit=300.0),
        events.Locked(elapsed=0.1),
        events.BackupProgress(elapsed=3.0, done=5800, total=11770),
    ]


def up_to_step(plan: Plan, number: int, at: float) -> list[Event]:
    """Everything until the step of that number runs its first statement."""
    made: list[Event] = [*beginning(plan), events.BackedUp(elapsed=6.5, backup=BACKUP)]
    for index, item in enumerate(plan.steps[: number - 1], 1):
        made.append(events.StepStarted(elapsed=6.5 + index * 0.1, number=index, step=item))
        made.append(events.StepFinished(elapsed=6.6 + index * 0.1, number=index, step=item, seconds=0.1))
    running = plan.steps[number - 1]
    made.append(events.StepStarted(elapsed=at, number=number, step=running))
    made.append(events.StatementStarted(elapsed=at, number=number, sql=running.statements[0].sql))
    return made


INSERTING = events.StatementStarted(elapsed=7.1, number=3, sql=READY.steps[2].statements[1].sql)
COPYING = events.StepProgress(elapsed=19.0, number=3, rows=451_208, total=1_204_331, left=21.0)
"""A third of the rows of step 3."""


def whole_run(plan: Plan) -> list[Event]:
    made = up_to_step(plan, len(plan.steps), 40.0)
    made.append(events.StepFinished(elapsed=57.0, number=len(plan.steps), step=plan.steps[-1], seconds=17.0))
    made.append(events.Verifying(elapsed=57.0))
    made.append(events.Verified(elapsed=58.2, receipt=RECEIPT))
    made.append(events.Finished(elapsed=58.4, run=run_of(plan)))
    return made


def rehearsed(error: TrueupError | None = None) -> events.Rehearsed:
    """The last event of a rehearsal that took a second for each step."""
    run = Run(id="r1", status=Status.MIGRATED, started_at=NOW, seconds=9.0, plan=READY, error=error)
    measured = replace(READY, steps=tuple(replace(item, estimate=1.0) for item in READY.steps))
    return events.Rehearsed(elapsed=9.0, rehearsal=Rehearsal(run=run, plan=measured, copying=1.5, error=error))


RESTORED = Run(
    id="9d2b7714aa01",
    status=Status.RESTORED,
    started_at=NOW,
    seconds=3.1,
    backup=replace(BACKUP, id="shop-20260103-141240", path=Path("/srv/shop/.trueup/backups/shop-20260103-141240.db")),
    restored=BACKUP,
)


# -- the history -------------------------------------------------------------------------------------------------------


def past_step(number: int, done: Step, seconds: float, **more: Any) -> PastStep:
    return PastStep(
        number=number,
        sentence=done.sentence,
        seconds=seconds,
        made=tuple(made_of(change, ()) for change in done.changes),
        sql=done.sql,
        form=str(done.form),
        **more,
    )


UNDO_STEPS = (
    step(
        "customers",
        "rename column customers.full_name to fullname",
        'ALTER TABLE "customers" RENAME COLUMN "full_name" TO "fullname"',
        change=changes.RenameColumn(table="customers", column="full_name", to="fullname"),
        estimate=0.01,
    ),
    step(
        "customers",
        "drop column customers.loyalty_tier",
        'ALTER TABLE "customers" DROP COLUMN "loyalty_tier"',
        change=changes.DropColumn(table="customers", old=ADD_TIER.new),
        estimate=2.0,
    ),
)
TIER_BACK = """\
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- 1. add column customers.loyalty_tier
ALTER TABLE "customers" ADD COLUMN "loyalty_tier" VARCHAR(10);

COMMIT;"""
PAST_RUN = PastRun(
    id="7f3a91c2d001",
    kind="manual",
    name=f"{len(READY.steps)} steps on 3 tables",
    status="completed",
    started_at=NOW - timedelta(minutes=3),
    seconds=58.4,
    policy="safe",
    backup_id="shop-20260103-141231",
    schema_before="live",
    schema_after="9c1d77e04b21",
    performed_by="ada@web1 (process 4711)",
    receipt=RECEIPT,
    steps=tuple(past_step(number, done, 0.4) for number, done in enumerate(READY.steps, 1)),
    objects_before=b"",
    undoes={},
)
"""The newest; it holds."""
UNDONE_RUN = replace(
    PAST_RUN,
    id="3be51a90c7f2",
    kind="auto",
    started_at=NOW - timedelta(days=8),
    seconds=12.0,
    steps=tuple(past_step(number, done, 0.2, undone_by="c04d1187aa3e") for number, done in enumerate(STEPS[:2], 1)),
    undone_by="c04d1187aa3e",
)
AN_UNDO = replace(
    PAST_RUN,
    id="c04d1187aa3e",
    kind="undo",
    started_at=NOW - timedelta(days=7),
    seconds=3.0,
    policy="full",
    steps=(past_step(1, UNDO_STEPS[1], 2.9, undo_sql=TIER_BACK),),
    undoes={"3be51a90c7f2": ()},
)
KILLED_RUN = replace(
    PAST_RUN,
    id="91aa02be7714",
    kind="auto",
    name="killed before its commit",
    status="interrupted",
    started_at=NOW - timedelta(days=21),
    seconds=0.0,
    policy="",
    backup_id="",
    performed_by="web2 (process 99)",
    receipt=None,
    steps=(),
)
BASELINE_RUN = replace(
    PAST_RUN,
    id="e1f09b62c8d4",
    kind="baseline",
    name="before the new year",
    started_at=NOW - timedelta(minutes=2),
    seconds=0.8,
    policy="",
    backup_id="",
    receipt=None,
    steps=(),
    objects_before=None,
    note="as the scripts of December left it",
    drifted_since="7f3a91c2d001",
)
"""Somebody had changed the schema by hand, and it was recorded as it was."""
_REFUSED = errors.StatementFailed(sentence=READY.steps[2].sentence, reason="CHECK constraint failed: ck_orders_ref")
FAILED_STEPS = ("rolled_back", "rolled_back", "failed", "pending", "pending")
FAILED_RUN = replace(
    PAST_RUN,
    id="5e0c41d9ab37",
    kind="auto",
    name="5 steps, rolled back",
    status="rolled_back",
    started_at=NOW - timedelta(minutes=1),
    seconds=4.2,
    receipt=None,
    steps=tuple(
        replace(past_step(number, done, 0.4, status=status), made=None)
        for number, (done, status) in enumerate(zip(READY.steps, FAILED_STEPS, strict=True), 1)
    ),
    error=str(_REFUSED),
)
PARTLY_UNDONE = replace(
    PAST_RUN,
    id="0d77c1e2b3a4",
    kind="plan file",
    started_at=NOW - timedelta(days=30),
    seconds=131.0,
    steps=(replace(PAST_RUN.steps[0], undone_by="c04d1187aa3e"), *PAST_RUN.steps[1:]),
)
HISTORY = (PARTLY_UNDONE, KILLED_RUN, UNDONE_RUN, AN_UNDO, PAST_RUN)
"""Oldest first, as the library tells it."""
NOTHING_OLD = Cleanup(before=NOW - timedelta(days=90), removed=(), shortened=(), kept=())
OLD = Cleanup(
    before=NOW - timedelta(days=7), removed=(KILLED_RUN,), shortened=(PARTLY_UNDONE, UNDONE_RUN), kept=(AN_UNDO,)
)
"""What may go from the history."""
BASELINED = Run(id="e1f09b62c8d4", status=Status.BASELINED, started_at=NOW, seconds=0.8, plan=READY)
LOSES_TIER = Hazard(
    rule="drop-column",
    severity=Severity.LOSES,
    sentence="deletes the values of 184 022 rows in customers.loyalty_tier",
    remedy="accept it, or undo the other steps",
)
FAILS_PROGRAMS = Hazard(
    rule="renamed",
    severity=Severity.WARNS,
    sentence="programs that still use the name customers.full_name fail",
    remedy="bring the older programs back first",
)
AGAIN = "models that still want what was taken back make it again at the next trueup --auto"
UNDO = plan_of(
    [
        replace(judged(UNDO_STEPS[0].changes[0]), hazards=(FAILS_PROGRAMS,)),
        replace(judged(UNDO_STEPS[1].changes[0]), hazards=(LOSES_TIER,)),
    ],
    UNDO_STEPS,
    models="the database before run 7f3a91c2d001",
    undoes=Undone(run_id="7f3a91c2d001"),
    source=Source(id=BACKUP.id, path=BACKUP.path, schema=Schema()),
    warnings=(f"drop column customers.loyalty_tier: {LOSES_TIER.sentence}", AGAIN),
)
"""What takes the newest run back."""


def undo_of(plan: Plan) -> Plan:
    """The same plan, as if it took back the newest run."""
    return replace(plan, undoes=UNDO.undoes, source=UNDO.source, warnings=(plan.database,))


BLOCKED_UNDO = replace(
    UNDO,
    assessments=(
        UNDO.assessments[0],
        replace(
            UNDO.assessments[1],
            verdict=Verdict.BLOCKED,
            reason="the view best_customers needs it",
            remedy="Drop or mend the view, then undo again",
        ),
    ),
    steps=UNDO_STEPS[:1],
)
NOT_UNDOABLE = errors.NotUndoable(
    run="3be51a90c7f2",
    problem="the later run 7f3a91c2d001 changed the same (AddColumn customers.loyalty_tier)",
    remedy="Undo that one first: trueup undo 7f3a91c2d001",
)


def failed_run(plan: Plan, error: TrueupError, status: Status = Status.FAILED) -> list[Event]:
    made = up_to_step(plan, min(4, len(plan.steps)), 8.0)
    made.append(events.RolledBack(elapsed=20.0, error=error))
    made.append(events.Finished(elapsed=20.1, run=replace(run_of(plan, status, error), seconds=20.1)))
    return made


# -- a core without a database -----------------------------------------------------------------------------------------


class FakeJob:
    """A run whose events come when the test sends them, or a task that is done at once unless it is held."""

    def __init__(self, limits: Limits, work: Callable[..., object] | None = None, *, held: bool = True) -> None:
        self.elapsed = 0.0
        self.limits = Limits(limits.seconds, monotonic=lambda: self.elapsed)
        self.limits.phase = limits.phase
        self.held = held
        self._work = work
        self.sent: list[Event] = []
        self.cancelled = False
        self._listeners: list[Callable[[Event], None]] = []

    def follow(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        for event in self.sent:
            listener(event)
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def send(self, *made: Event) -> None:
        for event in made:
            self.sent.append(event)
            self.elapsed = event.elapsed
            for listener in self._listeners:
                listener(event)

    def start(self) -> None:
        """A task; runs have begun when they are there."""
        if not self.held:
            self.finish()

    def finish(self) -> None:
        """Do what was held back."""
        if self._work is not None:
            self.held = False
            threading.Thread(target=self._work, args=(self.send, self.limits), daemon=True).start()

    def cancel(self) -> None:
        self.cancelled = True

    def extend(self, seconds: float) -> None:
        self.limits.extend(seconds)


@dataclass
class FakeCore:
    """Answers with what it is given, and remembers what it was asked."""

    plan: Plan | Exception | Callable[..., Plan] = READY
    backups: tuple[Backup, ...] | Exception = ()
    checked: Callable[[Backup], Backup] = lambda backup: replace(backup, verified_at=NOW, problem="")
    warning: str = ""
    """What is said of the room that the backups take."""
    needed: str = ""
    """Why a backup is not deleted."""
    compared: BackupComparison | Exception | None = None
    made: Backup | Exception = BACKUP
    health: Health | Exception = FIT
    examining: bool = False
    """The examination goes on until it is stopped."""
    examined: int = 0
    cleanup: Cleanup | Exception = NOTHING_OLD
    days: list[float] = field(default_factory=list)
    cleaned: list[float] = field(default_factory=list)
    baselined: Run = BASELINED
    baselines: list[tuple[str, str]] = field(default_factory=list)
    held: bool = False
    """Tasks begin and never end."""
    tasks: int = 0
    deleted: list[Backup] = field(default_factory=list)
    kept: tuple[Decision, ...] = ()
    wait: threading.Event | None = None
    """When given, nothing is answered before it is set."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    started: list[tuple[Plan, Target]] = field(default_factory=list)
    written: list[Decision] = field(default_factory=list)
    removed: list[Decision] = field(default_factory=list)
    forgotten: list[Target] = field(default_factory=list)
    rehearsed: list[Plan] = field(default_factory=list)
    restored: list[Backup] = field(default_factory=list)
    runs: tuple[PastRun, ...] | Exception = ()
    undo: Plan | Exception = UNDO
    undos: list[str] = field(default_factory=list)
    recalled: int = 0
    listed: int = 0
    job: FakeJob | None = None

    @property
    def calls(self) -> tuple[int, ...]:
        """How often each question was asked."""
        return len(self.asked), self.listed, self.recalled, len(self.undos), self.tasks, self.examined

    def core(self) -> Core:
        return Core(
            target=lambda settings: Target(url=URL, models=object(), settings=settings),
            plan=self._plan,
            forget_models=lambda target: self.forgotten.append(target),
            start=self._start,
            start_rehearsal=self._start_rehearsal,
            start_restore=self._start_restore,
            list_backups=self._list,
            backup_directory=lambda target: Path("/srv/shop/.trueup/backups"),
            backup_statistics=self._count,
            make_backup=lambda target, **options: _answer(self.made),
            verify_backup=lambda backup, target, **options: self._verify(backup),
            compare_backup=lambda backup, target, **options: _answer(self.compared),
            export_backup=lambda backup, target, path, **options: path,
            delete_backup=self._delete,
            job=self._start_task,
            health=self._examine,
            plan_cleanup=self._plan_cleanup,
            clean_history=self._clean,
            baseline=self._baseline,
            past_runs=self._past_runs,
            plan_undo=self._plan_undo,
            read_decisions=lambda path: self.kept,
            write_decision=lambda path, decision: self.written.append(decision),
            remove_decision=lambda path, decision: self.removed.append(decision),
        )

    def _plan(self, target: Target, **asked: Any) -> Plan:
        self.asked.append(asked)
        if self.wait is not None:
            self.wait.wait(10)
        made = self.plan(**asked) if callable(self.plan) and not isinstance(self.plan, Exception) else self.plan
        return _answer(made)  # type: ignore[no-any-return]

    def _list(self, target: Target) -> tuple[Backup, ...]:
        self.listed += 1
        return _answer(self.backups)  # type: ignore[no-any-return]

    def _verify(self, backup: Backup) -> Backup:
        """The answer is kept beside the backup, so the list tells it as well."""
        checked = self.checked(backup)
        if not isinstance(self.backups, Exception):
            self.backups = tuple(checked if item.id == checked.id else item for item in self.backups)
        return checked

    def _examine(self, target: Target, *, limits: Limits) -> Health:
        self.examined += 1
        while self.examining and not limits.over:
            time.sleep(0.01)
        return _answer(self.health)  # type: ignore[no-any-return]

    def _plan_cleanup(self, target: Target, *, days: float) -> Cleanup:
        self.days.append(days)
        return _answer(self.cleanup)  # type: ignore[no-any-return]

    def _clean(self, target: Target, *, days: float) -> Cleanup:
        self.cleaned.append(days)
        return _answer(self.cleanup)  # type: ignore[no-any-return]

    def _baseline(self, target: Target, *, name: str, note: str, limits: Limits) -> Run:
        self.baselines.append((name, note))
        return self.baselined

    def _past_runs(self, target: Target) -> tuple[PastRun, ...]:
        self.recalled += 1
        return _answer(self.runs)  # type: ignore[no-any-return]

    def _plan_undo(self, target: Target, run_id: str) -> Plan:
        self.undos.append(run_id)
        return _answer(self.undo)  # type: ignore[no-any-return]

    def _start_rehearsal(self, plan: Plan, target: Target, *, limits: Limits) -> FakeJob:
        self.rehearsed.append(plan)
        self.job = FakeJob(limits)
        return self.job

    def _start_restore(self, backup: Backup, target: Target, *, limits: Limits) -> FakeJob:
        self.restored.append(backup)
        self.job = FakeJob(limits)
        return self.job

    def _start(self, plan: Plan, target: Target, *, limits: Limits) -> FakeJob:
        self.started.append((plan, target))
        self.job = FakeJob(limits)
        return self.job

    def _start_task(self, work: Callable[..., object], limits: Limits) -> FakeJob:
        self.tasks += 1
        self.job = FakeJob(limits, work, held=self.held)
        return self.job

    def _count(self, target: Target) -> BackupStatistics:
        if isinstance(self.backups, Exception):
            raise self.backups
        times = sorted(backup.created_at for backup in self.backups)
        return BackupStatistics(
            count=len(self.backups),
            good=sum(not backup.problem for backup in self.backups),
            size=sum(backup.size for backup in self.backups),
            oldest=times[0] if times else None,
            newest=times[-1] if times else None,
            outcomes={},
            warning=self.warning,
        )

    def _delete(self, backup: Backup, target: Target, *, accept_loss: bool, report: Callable[[Event], None]) -> None:
        if self.needed and not accept_loss:
            raise errors.BackupStillNeeded(backup=backup.id, reason=self.needed)
        self.deleted.append(backup)
        if not isinstance(self.backups, Exception):
            self.backups = tuple(item for item in self.backups if item is not backup)


def _answer(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


def session_of(core: FakeCore, **settings: Any) -> Session:
    """A session over that core, at the fixed time."""
    given = {"url": URL, "models": "app.models:Base", "time_limit": 300.0, "decisions": Path("/srv/shop/trueup.toml")}
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0)
    return Session(settings=Settings(**given | settings), core=core.core(), clock=clock)
