"""``trueup health`` and ``get_system_health``: what is wrong is a finding with a way out, and nothing crashes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Lab
from tests.people import models
from trueup import (
    Backup,
    Health,
    HealthLevel,
    HealthState,
    Limits,
    PastRun,
    Position,
    Standing,
    Status,
    Target,
    cli,
    get_system_health,
    list_backups,
    migrate,
    verify_backup,
)
from trueup.errors import DatabaseBusy, DatabaseDamaged
from trueup.health import Look
from trueup.past import unrecorded
from trueup.run import Intent
from trueup.standing import Mark
from trueup.symptoms import _RULES, diagnose

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SINCE = Mark(run_id="r1", kind="auto", finished_at="2026-02-28T10:00:00", schema="s", models="m", differences_left=2)


def backup(*, age: float = 1, verified: float | None = 1, problem: str = "") -> Backup:
    """One that was taken, and verified, so many days ago."""
    return Backup(
        id=f"app-{age}",
        path=Path("app.db"),
        database="sqlite:///app.db",
        created_at=NOW - timedelta(days=age),
        size=100,
        checksum="sha256:0",
        schema_fingerprint="",
        verified_at=None if verified is None else NOW - timedelta(days=verified),
        problem=problem,
    )


def past(status: str = "completed", *, hours: float = 1, error: str = "") -> PastRun:
    intent = Intent(run_id="r1", kind="auto", process=7, host="h", since="2026-03-01 00:00:00")
    run = unrecorded(intent, running=status == "running")
    return replace(run, status=status, started_at=NOW - timedelta(hours=hours), error=error)


def standing(kind: Standing) -> Position:
    return Position(standing=kind, since=SINCE)


BASE = Look(database="sqlite:///app.db", now=NOW, runs=(past(),), backups=(backup(),))
DAMAGE = DatabaseDamaged(database="sqlite:///app.db", reason="r", good="b")
BUSY = DatabaseBusy(database="sqlite:///app.db", timeout=1.0, who="")
NOTE, WARNING, CRITICAL = HealthLevel
CASES: dict[str, list[tuple[Look, HealthLevel, str]]] = {
    "database-missing": [(replace(BASE, exists=False), CRITICAL, "There is no database, but 1 backup of it")],
    "no-database-yet": [(replace(BASE, exists=False, backups=(), runs=()), NOTE, "There is no database yet")],
    "database-unreadable": [(replace(BASE, error=DAMAGE), CRITICAL, "is damaged: r")],
    "database-busy": [(replace(BASE, error=BUSY), WARNING, "Another process holds")],
    "database-damaged": [(replace(BASE, complaints=["row 1", "row 2"]), CRITICAL, "damaged: row 1, and 1 more")],
    "not-all-checked": [(replace(BASE, cut_short=True), NOTE, "time did not suffice")],
    "foreign-keys": [(replace(BASE, violations={("a", "b"): 2}), WARNING, "2 rows of a to b")],
    "broken-objects": [(replace(BASE, broken=["v", "w", "x", "y"]), WARNING, "v, w, x and 1 more")],
    "disk-space": [(replace(BASE, size=10_000_000, free={"/d": 20_000_000}), WARNING, "/d has 20 MB left")],
    "models": [(replace(BASE, models_problem="no such module"), WARNING, "no such module")],
    "drift": [
        (replace(BASE, position=standing(Standing.DRIFTED)), WARNING, "Somebody else changed the database"),
        (replace(BASE, position=standing(Standing.MODELS_NEWER)), WARNING, "The models changed"),
        (replace(BASE, position=standing(Standing.MODELS_OLDER)), NOTE, "The models are older"),
    ],
    "differences-left": [(replace(BASE, position=standing(Standing.UNMOVED)), NOTE, "left differences")],
    "not-compared": [(replace(BASE, uncompared=True), NOTE, "No run tells")],
    "tables-left-behind": [(replace(BASE, left_tables=["table _alembic_tmp_a is"]), NOTE, "_alembic_tmp_a")],
    "last-run": [
        (replace(BASE, runs=(past(), past("rolled_back", error="no room"))), WARNING, "was rolled back: no room"),
        (replace(BASE, runs=(past("interrupted"),)), WARNING, "was interrupted: killed"),
    ],
    "failures": [
        (
            replace(BASE, runs=(past("rolled_back"), past("rolled_back"), past())),
            WARNING,
            "Of 3 runs in 30 days, 1 did",
        ),
    ],
    "run-goes-on": [
        (replace(BASE, runs=(past("running"),)), NOTE, "goes on since 2026-02-28 23:00:00"),
        (replace(BASE, runs=(past("running", hours=2),)), WARNING, "(process 7) goes on"),
    ],
    "backups-impossible": [(replace(BASE, backups_problem="/d: denied"), WARNING, "/d: denied")],
    "backups-off": [(replace(BASE, backups_on=False), WARNING, "make no backups")],
    "no-good-backup": [(replace(BASE, backups=(), runs=(replace(past(), backup_id="x"),)), WARNING, "no good backup")],
    "old-backup": [(replace(BASE, backups=(backup(age=40),)), NOTE, "is 40 days old")],
    "bad-backups": [(replace(BASE, backups=(backup(), backup(age=2, problem="gone"))), WARNING, "app-2 (gone)")],
    "backup-not-verified": [
        (replace(BASE, backups=(backup(verified=31),)), NOTE, "not read again since 2026-01-29"),
        (replace(BASE, backups=(backup(verified=None),)), NOTE, "was never read again"),
    ],
    "backup-storage": [(replace(BASE, storage="Large backup storage usage"), WARNING, "Large backup storage usage.")],
    "half-written": [(replace(BASE, half_written=1), NOTE, "left 1 half-written file")],
}


@pytest.mark.parametrize(
    ("rule", "look", "level", "said"), [(rule, *case) for rule, cases in CASES.items() for case in cases]
)
def test_each_rule(rule: str, look: Look, level: HealthLevel, said: str) -> None:
    """What a rule is about is found by it, with its weight, a sentence, and what to do."""
    (found,) = [finding for finding in diagnose(look).findings if finding.rule == rule]
    assert (found.level, said in found.sentence) == (level, True), found
    assert found.recommendation
    assert not found.recommendation.endswith(".")


def test_every_rule_has_a_case() -> None:
    """No rule is without a test, and a database with which nothing is wrong sets off none."""
    assert set(CASES) == set(_RULES)
    assert diagnose(BASE).findings == ()


def test_what_sets_off_no_rule() -> None:
    """One failure among many runs, an old failure, and what a run at work leaves half-written are no findings."""
    many = (*(past() for _ in range(20)), past("rolled_back"), past())
    old = (past("rolled_back", hours=24 * 40), past("rolled_back", hours=24 * 40), past())
    assert diagnose(replace(BASE, runs=many)).findings == ()
    assert diagnose(replace(BASE, runs=old)).findings == ()
    going = diagnose(replace(BASE, runs=(past(), past("running")), half_written=1))
    assert [finding.rule for finding in going.findings] == ["run-goes-on"]


def test_the_score() -> None:
    """The worst finding decides the band, further ones take something away, and it stays from 0 to 100."""
    everything = replace(
        BASE, complaints=["x"], broken=["v"], violations={("a", "b"): 1}, storage="s", models_problem="m"
    )
    expectations = [
        (BASE, (100, HealthState.HEALTHY, 0)),
        (replace(BASE, cut_short=True), (97, HealthState.HEALTHY, 0)),
        (replace(BASE, storage="s"), (79, HealthState.WARNING, 1)),
        (replace(BASE, storage="s", broken=["v"]), (74, HealthState.WARNING, 1)),
        (replace(BASE, complaints=["x"]), (59, HealthState.CRITICAL, 6)),
        (everything, (39, HealthState.CRITICAL, 6)),
    ]
    for look, expected in expectations:
        health = diagnose(look)
        assert (health.score, health.state, health.exit_code) == expected
    levels = [finding.level for finding in diagnose(everything).findings]
    assert levels == sorted(levels, key=[CRITICAL, WARNING, NOTE].index)


# -- real databases ----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["wal", "delete"])
def migrated(lab: Lab, request: pytest.FixtureRequest) -> Lab:
    lab.sql(f"PRAGMA journal_mode = {request.param}")
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    lab.migrate(models("a"))
    return lab


def rules(lab: Lab, known: object = (), **settings: object) -> list[str]:
    return [finding.rule for finding in get_system_health(lab.target(known, **settings)).findings]


def test_a_healthy_database(migrated: Lab) -> None:
    """After a run nothing is wrong, with the models and without; the examination writes nothing."""

    def written() -> dict[str, tuple[bytes, int]]:
        files = [path for path in migrated.path.parent.rglob("*") if path.is_file() and path.suffix != ".db-shm"]
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = written()
    assert rules(migrated) == []
    assert rules(migrated, models("a")) == []
    assert written() == before


def test_a_new_database(lab: Lab) -> None:
    """A database that was just made is healthy, though there was nothing to make a backup of."""
    lab.migrate(models())
    assert rules(lab, models()) == []


def test_what_the_models_tell(migrated: Lab) -> None:
    """Models that changed, older ones and ones that cannot be used are told; so is a change by others, without them."""
    assert rules(migrated, models("a", "b")) == ["drift"]
    assert rules(migrated, "nowhere:Base") == ["models"]
    migrated.sql("CREATE TABLE other (x)")
    assert rules(migrated) == ["drift"]


def test_a_database_that_no_run_compared(lab: Lab) -> None:
    """Where no run tells how the database stands to the models, it is not said that nothing is wrong."""
    lab.sql("CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY)")
    assert "not-compared" in rules(lab, models("a"))
    assert "not-compared" not in rules(lab)


def test_what_the_database_tells(migrated: Lab) -> None:
    """Rows that point to nothing, a view that does not work, and a table that Alembic left behind are found."""
    migrated.sql(
        "CREATE TABLE child (id INTEGER PRIMARY KEY, p REFERENCES people (id)); INSERT INTO child VALUES (1, 99);"
        "CREATE VIEW v AS SELECT gone FROM people; CREATE TABLE _alembic_tmp_people (id)",
        foreign_keys=False,
    )
    assert set(rules(migrated)) == {"foreign-keys", "broken-objects", "tables-left-behind", "drift"}


def test_what_other_people_have_beside_the_tables_is_well(migrated: Lab) -> None:
    """Triggers, views and a full-text index that work are no finding, though looking writes nothing; one that does not
    work is."""
    migrated.sql(
        "CREATE VIEW v AS SELECT * FROM people; CREATE VIRTUAL TABLE words USING fts5(body); CREATE TABLE log (x);"
        "CREATE TRIGGER works AFTER INSERT ON people BEGIN INSERT INTO log VALUES (new.id); END"
    )
    assert rules(migrated) == ["drift"]
    migrated.sql("DROP TABLE log")
    assert set(rules(migrated)) == {"broken-objects", "drift"}


@pytest.mark.parametrize("name", ["name", "type", "pk", "arg", 'a"b', "it's"])
def test_tables_of_all_names_have_triggers_that_work(migrated: Lab, name: str) -> None:
    """A trigger is no finding for the name of its table, be it that of a column which SQLite's own answers have."""
    table = '"' + name.replace('"', '""') + '"'
    migrated.sql(
        f"CREATE TABLE {table} (a, b); CREATE TABLE log (x);"
        f"CREATE TRIGGER works AFTER INSERT ON {table} BEGIN INSERT INTO log VALUES (new.a); END"
    )
    assert rules(migrated) == ["drift"]


def test_damaged_pages(migrated: Lab) -> None:
    """A page that was overwritten is critical, with the backup that brings the database back."""
    migrated.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(migrated.path.read_bytes())
    content[4096:8192] = b"\x55" * 4096
    migrated.path.write_bytes(content)
    health = get_system_health(migrated.target(()))
    assert health.findings[0].rule in ("database-damaged", "database-unreadable")
    assert list_backups(migrated.target(()))[0].id in health.findings[0].recommendation
    assert (health.state, health.exit_code) == (HealthState.CRITICAL, 6)


@pytest.mark.parametrize("keep", range(0, 4096, 500))
def test_a_file_that_is_cut_off(migrated: Lab, keep: int) -> None:
    """Wherever the file ends, the answer is a finding."""
    migrated.sql("PRAGMA journal_mode = DELETE")
    migrated.path.write_bytes(migrated.path.read_bytes()[:keep])
    health = get_system_health(migrated.target(models("a")))
    assert health.state is HealthState.CRITICAL
    assert health.exit_code == 6


def test_what_is_no_database(migrated: Lab) -> None:
    """A file of something else, a missing one, and a directory that is not there are findings, too."""
    migrated.path.write_bytes(b"no database" * 1000)
    assert rules(migrated) == ["database-unreadable"]
    for path in migrated.path.parent.glob("app.db*"):
        path.unlink()
    assert rules(migrated) == ["database-missing"]
    (migrated.path.parent / "elsewhere").mkdir()
    assert rules(Lab(migrated.path.parent / "elsewhere" / "new.db")) == ["no-database-yet"]
    assert rules(Lab(migrated.path.parent / "nowhere" / "new.db")) == ["database-unreadable"]
    assert rules_of(Target(url="postgresql://u:secret@h/d", models=())) == ["database-unreadable"]


def rules_of(target: Target) -> list[str]:
    health = get_system_health(target)
    assert "secret" not in str(health)
    return [finding.rule for finding in health.findings]


def test_a_busy_database(lab: Lab) -> None:
    """Where a writer lets nobody read, that is the finding."""
    lab.create(models())
    with closing(sqlite3.connect(lab.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert rules(lab, lock_timeout=0.05) == ["database-busy"]


def test_the_time_is_over(migrated: Lab) -> None:
    """An examination that is cancelled tells what it has, and that it is not all."""
    limits = Limits()
    limits.cancel()
    health = get_system_health(migrated.target(()), limits=limits)
    assert "not-all-checked" in [finding.rule for finding in health.findings]
    assert health.state is HealthState.HEALTHY


def test_failed_runs(migrated: Lab) -> None:
    """A server that fails at every start has a finding; one good run after it takes the worst away."""

    def fail(event: object) -> None:
        if type(event).__name__ == "StepStarted":
            raise RuntimeError("a listener that fails")

    for name in ("b", "c"):
        assert migrate(migrated.target(models("a", name)), report=fail).status is Status.FAILED
    assert rules(migrated) == ["last-run", "failures"]
    migrated.migrate(models("a", "b"))
    assert rules(migrated) == ["failures"]


def test_a_run_that_goes_on_and_one_that_was_killed(migrated: Lab) -> None:
    """Whoever holds the lock is named while it does; one that was killed is the last run that failed."""
    seen: list[Health] = []

    def look(event: object) -> None:
        if type(event).__name__ == "StepStarted":
            seen.append(get_system_health(migrated.target(())))

    migrate(migrated.target(models("a", "b")), report=look)
    (running,) = [finding for finding in seen[0].findings if finding.rule == "run-goes-on"]
    assert "(process " in running.sentence
    left = {"run_id": "feedbeef", "kind": "auto", "process": 99, "host": "h", "since": "2026-01-03 14:12:40"}
    migrated.path.with_name("app.db.trueup-lock").write_text(json.dumps(left))
    assert "last-run" in rules(migrated)


def test_the_backups(migrated: Lab) -> None:
    """A bad one, one without a file, too much room and what killed runs left are found."""
    (only,) = list_backups(migrated.target(()))
    only.path.with_name("x.json.0badcafe.partial").touch()
    only.path.with_name(".trueup-trial-x").mkdir()
    assert rules(migrated, backup_warning_megabytes=0.001) == ["backup-storage", "half-written"]
    only.path.write_bytes(b"x")
    verify_backup(only, migrated.target(()))
    assert set(rules(migrated)) == {"no-good-backup", "bad-backups", "half-written"}
    assert "backups-off" in rules(migrated, backup=False)


def test_the_command(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """In text and JSON: the state, the score, each finding with what to do; the exit code says which it is."""
    assert cli.main(["health", "--url", migrated.url]) == 0
    assert "healthy, 100 of 100" in capsys.readouterr().out
    migrated.sql("CREATE TABLE other (x)")
    assert cli.main(["health", "--url", migrated.url]) == 1
    assert "see what differs: trueup --check" in capsys.readouterr().out
    assert cli.main(["health", "--json", "--url", migrated.url]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["score"], told["findings"][0]["rule"]) == ("warning", 79, "drift")
    assert told["recommendations"] == ["see what differs: trueup --check"]
    migrated.path.write_bytes(b"no database" * 1000)
    assert cli.main(["--url", migrated.url, "health"]) == 6
