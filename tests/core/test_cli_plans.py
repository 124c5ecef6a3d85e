"""The modes of the command line that show, rehearse, keep and apply a plan."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.command import Answer, people, start, trueup, write_models
from tests.conftest import Lab
from tests.tree import Tree

PLAN_KEYS = {"policy", "checksum", "complexity", "estimate", "steps"}
STEP_KEYS = {"sentence", "table", "form", "why", "sql", "rows", "batches_by", "estimate_ms", "measured_ms"}
UNDECIDED = people('Column("age", Integer, nullable=False)')


@pytest.fixture
def new(tmp_path: Path) -> str:
    (tmp_path / "models").mkdir()
    return write_models(tmp_path / "models" / "new.py", people('Column("age", Integer)'))


@pytest.fixture
def filled(make_lab: Callable[[str], Lab], tmp_path: Path) -> Lab:
    """A database that an application made, in a directory of its own."""
    (tmp_path / "place").mkdir()
    lab = make_lab("place/app")
    lab.sql(
        "CREATE TABLE people (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20));"
        "INSERT INTO people (name) VALUES ('Ada'), ('Grace')"
    )
    return lab


def run(lab: Lab, models: str, *arguments: str) -> Answer:
    return trueup("--url", lab.url, "--models", models, *arguments, cwd=Path(models.partition(":")[0]).parent)


@pytest.mark.parametrize("mode", ["--check", "--auto", "--rehearse"])
def test_json_has_the_steps(filled: Lab, new: str, mode: str) -> None:
    """Every mode tells what is or would be done: the steps with their SQL, the estimate with its parts, complexity."""
    told = run(filled, new, mode, "--json").json["plan"]
    assert set(told) == PLAN_KEYS
    assert set(told["estimate"]) == {"total_ms", "steps_ms", "backup_ms", "checks_ms"}
    assert (told["policy"], told["complexity"]) == ("safe", "SIMPLE")
    (step,) = told["steps"]
    assert set(step) == STEP_KEYS
    assert step["sql"] == 'ALTER TABLE "people" ADD COLUMN age INTEGER;'
    assert (step["measured_ms"] is not None) == (mode == "--rehearse")


def test_check_tells_what_a_run_would_do(filled: Lab, new: str) -> None:
    """Below the differences stands what --auto would make of them."""
    answer = run(filled, new, "--check")
    assert answer.code == 1
    assert "trueup --auto would take 1 step, SIMPLE, about 0." in answer.out


# -- dry run -----------------------------------------------------------------------------------------------------------


def test_a_dry_run_prints_a_script(filled: Lab, new: str) -> None:
    """What --auto --dry-run prints is a whole SQL script that does what the run would; it does nothing itself."""
    before = Tree.of(filled.path.parent)
    answer = run(filled, new, "--auto", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert Tree.of(filled.path.parent) == before
    with closing(sqlite3.connect(filled.path)) as connection:
        connection.executescript(answer.out)
    assert run(filled, new, "--check").code == 0


@pytest.mark.parametrize(
    ("body", "arguments", "code", "status"),
    [
        (people(), [], 0, "in_sync"),
        (people('Column("age", Integer)'), [], 0, "different"),
        (people('Column("age", Integer)'), ["--policy", "check"], 1, "different"),
        (people('Column("age", Integer)').replace("String(20)", "Text"), ["--policy", "additive"], 1, "different"),
        (UNDECIDED, [], 1, "needs_decision"),
        (people('Column("age", Integer)'), ["--time-limit", "0.00001"], 4, "timed_out"),
    ],
    ids=["in step", "to do", "check", "partly", "undecided", "too long"],
)
def test_a_dry_run_answers_what_the_run_would(
    filled: Lab, tmp_path: Path, body: str, arguments: list[str], code: int, status: str
) -> None:
    """The exit code is that of --auto on the same database, and the script tells it."""
    models = write_models(tmp_path / "m.py", body)
    answer = run(filled, models, "--auto", "--dry-run", "--json", *arguments)
    assert (answer.code, answer.json["status"]) == (code, status)
    if code < 2:
        assert f"-- exit code {code}" in run(filled, models, "--auto", "--dry-run", *arguments).out
    assert run(filled, models, "--auto", *arguments).code == code


def test_a_database_ahead_of_the_models_is_left_alone(filled: Lab, new: str, tmp_path: Path) -> None:
    """Where --auto starts a server that was rolled back, a dry run and a rehearsal say the same and do nothing."""
    lengthened = write_models(tmp_path / "m.py", people('Column("age", Integer)').replace("String(20)", "String(30)"))
    for models in (new, lengthened):
        assert run(filled, models, "--auto").code == 0
    before = Tree.of(filled.path.parent)
    for arguments in (["--auto", "--dry-run"], ["--rehearse"]):
        answer = run(filled, new, *arguments, "--json")
        assert (answer.code, answer.json["status"]) == (0, "models_older")
        assert "ahead of these models" in run(filled, new, *arguments).out
    assert Tree.of(filled.path.parent) == before


# -- rehearsal ---------------------------------------------------------------------------------------------------------


def test_a_rehearsal_tells_and_changes_nothing(filled: Lab, new: str) -> None:
    """Each step with its estimate and what it took; the database and its directory are as they were."""
    before = Tree.of(filled.path.parent)
    text, told = run(filled, new, "--rehearse"), run(filled, new, "--rehearse", "--json")
    assert (text.code, told.code) == (0, 0)
    assert "1. add column people.age: INTEGER" in text.out
    assert " s (estimated " in text.out
    assert told.json["rehearsal"]["exit_code"] == 0
    assert (told.json["run_id"], told.json["operations_executed"], told.json["backup"]) == (None, 0, None)
    assert Tree.of(filled.path.parent) == before


def test_a_rehearsal_of_a_question(filled: Lab, tmp_path: Path) -> None:
    """What --auto would refuse is told with its exit code."""
    models = write_models(tmp_path / "m.py", UNDECIDED)
    answer = run(filled, models, "--rehearse")
    assert answer.code == 1
    assert "Nothing was rehearsed." in answer.out
    assert 'fill = "people.age"' in answer.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_the_copy_away(filled: Lab, tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end a rehearsal cleanly, and the copy is gone."""
    endless = "SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)"
    (tmp_path / "trueup.toml").write_text(f'[[decisions]]\nfill = "people.age"\nsql = "({endless})"\n')
    models = write_models(tmp_path / "m.py", UNDECIDED)
    before = Tree.of(filled.path.parent)
    process = start("--rehearse", "--probe-limit", "0.1", "--url", filled.url, "--models", models, cwd=tmp_path)
    assert process.stderr is not None
    assert any("Step 1" in line for line in process.stderr)
    assert Tree.of(filled.path.parent) != before
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, "")
    assert "Cancelled while in step 1 of 1" in err
    assert Tree.of(filled.path.parent) == before


# -- plan files --------------------------------------------------------------------------------------------------------


def test_made_here_applied_there(filled: Lab, make_lab: Callable[[str], Lab], new: str, tmp_path: Path) -> None:
    """A plan that was reviewed as a file is applied to another copy of the database."""
    other, file = make_lab("other"), tmp_path / "plan.json"
    shutil.copy(filled.path, other.path)
    made = run(filled, new, "--plan-out", str(file), "--json")
    assert (made.code, made.json["plan"]["steps"][0]["table"]) == (0, "people")
    applied = run(other, new, "--apply-plan", str(file), "--json")
    assert (applied.code, applied.json["status"], applied.json["operations_executed"]) == (0, "migrated", 1)
    assert other.value("SELECT kind FROM migration_history") == "plan file"
    assert "age" in other.stored("people")
    assert "age" not in filled.stored("people")


def test_a_rehearsed_plan_file_has_what_was_measured(filled: Lab, new: str, tmp_path: Path) -> None:
    """After --rehearse the file holds the measured seconds, and is applied like any other."""
    file = tmp_path / "plan.json"
    told = run(filled, new, "--rehearse", "--plan-out", str(file), "--json").json
    (step,) = json.loads(file.read_text())["steps"]
    assert step["estimate_ms"] == told["plan"]["steps"][0]["measured_ms"]
    assert run(filled, new, "--apply-plan", str(file)).code == 0


def test_a_plan_file_that_moved(filled: Lab, new: str, tmp_path: Path) -> None:
    """What is not as it was reviewed is exit code 3 with a sentence; a file that is none is exit code 2."""
    file = tmp_path / "plan.json"
    assert run(filled, new, "--plan-out", str(file)).code == 0
    filled.sql("CREATE TABLE pets (id INTEGER PRIMARY KEY)")
    answer = run(filled, new, "--apply-plan", str(file))
    assert answer.code == 3
    assert "in the database the table pets is new" in answer.err
    file.write_text("{}")
    assert run(filled, new, "--apply-plan", str(file)).code == 2


def test_no_plan_file_with_an_open_question(filled: Lab, tmp_path: Path) -> None:
    """While a question is open nothing is written, and the answer is 1."""
    models, file = write_models(tmp_path / "m.py", UNDECIDED), tmp_path / "plan.json"
    assert run(filled, models, "--plan-out", str(file)).code == 1
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--auto", "--check"], "not allowed with argument"),
        (["--rehearse", "--apply-plan", "x"], "not allowed with argument"),
        (["--check", "--dry-run"], "--dry-run goes with --auto"),
        (["--dry-run"], "--dry-run goes with --auto"),
        (["--auto", "--plan-out", "x"], "--plan-out goes with --rehearse or alone, not with --auto"),
        (["--apply-plan", "x", "--plan-out", "y"], "not with --apply-plan"),
        (["--auto", "backups"], "the command backups is a mode of its own"),
    ],
)
def test_modes_that_do_not_go_together(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """Two modes at once are exit code 2 with a sentence, and nothing is opened."""
    answer = trueup(*arguments, cwd=tmp_path)
    assert answer.code == 2
    assert sentence in answer.err
    assert not list(tmp_path.iterdir())
