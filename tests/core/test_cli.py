"""The contract of the command line: exit codes, one JSON object, and sentences."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Answer, people, start, start_python, trueup, write_models
from tests.conftest import Lab
from trueup import __version__

JSON_KEYS = {
    "status",
    "standing",
    "since_run",
    "success",
    "migration_needed",
    "operations_executed",
    "execution_time_ms",
    "changes",
    "blocked",
    "warnings",
    "backup",
    "plan",
    "rehearsal",
    "run_id",
    "error",
}


@pytest.fixture
def old(tmp_path: Path) -> str:
    return write_models(tmp_path / "old.py", people())


@pytest.fixture
def new(tmp_path: Path) -> str:
    return write_models(tmp_path / "new.py", people('Column("age", Integer)'))


@pytest.fixture
def filled(lab: Lab, old: str) -> Lab:
    """A database made and filled by the old version of the application."""
    assert trueup("--auto", "--url", lab.url, "--models", old, cwd=lab.path.parent).code == 0
    lab.sql("INSERT INTO people (name) VALUES ('Ada'), ('Grace')")
    return lab


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(lab: Lab, models: str, *arguments: str, as_user: bool = False) -> Answer:
    return trueup("--url", lab.url, "--models", models, *arguments, cwd=lab.path.parent, as_user=as_user)


def test_version(tmp_path: Path) -> None:
    """--version prints the version and nothing else."""
    assert trueup("--version", cwd=tmp_path) == Answer(0, f"trueup {__version__}\n", "")


@pytest.mark.parametrize("option", ["--json", "--verbose"])
def test_what_nobody_foresaw(lab: Lab, tmp_path: Path, option: str) -> None:
    """It is told as one sentence with exit code 3, since 1 would say that differences remain; where, says --verbose."""
    (tmp_path / "m.py").write_text(
        "from sqlalchemy import *\nfrom sqlalchemy.types import UserDefinedType\nmetadata = MetaData()\n"
        "class Odd(UserDefinedType):\n    def get_col_spec(self, **kw):\n        raise RuntimeError('not today')\n"
        'Table("t", metadata, Column("id", Integer, primary_key=True), Column("odd", Odd()))\n'
    )
    answer = run(lab, "m.py:metadata", "--check", option)
    told = answer.json["error"]["message"] if option == "--json" else answer.err
    assert (answer.code, "RuntimeError: not today" in told) == (3, True)
    assert ("in get_col_spec" in answer.err) == (option == "--verbose")


def test_auto_creates_a_missing_database(lab: Lab, old: str) -> None:
    """--auto makes the database of a first launch, and needs no backup for that."""
    answer = run(lab, old, "--auto", "--json")
    assert (answer.code, answer.json["status"], answer.json["backup"]) == (0, "migrated", None)
    assert lab.names() == ["migration_history", "people"]


def test_auto_brings_a_filled_database_in_step(filled: Lab, new: str) -> None:
    """--auto migrates, keeps the rows, makes a backup, and is in step the second time."""
    first, second = run(filled, new, "--auto", "--json"), run(filled, new, "--auto", "--json")
    assert (first.code, first.json["status"], first.json["operations_executed"]) == (0, "migrated", 1)
    assert Path(first.json["backup"]["path"]).is_file()
    assert filled.rows("SELECT name, age FROM people") == [("Ada", None), ("Grace", None)]
    assert (second.code, second.json["status"], second.json["changes"]) == (0, "in_sync", [])


@pytest.mark.parametrize("mode", ["--auto", "--check", "--rehearse"])
def test_json_has_every_key_of_the_contract(filled: Lab, new: str, mode: str) -> None:
    """--json prints one object that has every key, whatever happened."""
    assert run(filled, new, mode, "--json").json.keys() >= JSON_KEYS
    assert run(filled, "nosuch:models", mode, "--json").json.keys() >= JSON_KEYS


def test_check_tells_and_writes_nothing(filled: Lab, new: str, old: str) -> None:
    """--check answers 1 with the differences or 0 without, and leaves every byte and the directory as they were."""
    before, names = digest(filled.path), sorted(filled.path.parent.iterdir())
    answer = run(filled, new, "--check", "--json")
    assert (answer.code, answer.json["status"], answer.json["changes"][0]["kind"]) == (1, "different", "AddColumn")
    assert run(filled, old, "--check").code == 0
    assert (digest(filled.path), sorted(filled.path.parent.iterdir())) == (before, names)


def test_check_does_not_make_a_missing_database(lab: Lab, old: str) -> None:
    """--check of a database that is not there compares with an empty one and does not create it."""
    assert run(lab, old, "--check").code == 1
    assert not lab.path.exists()


def test_without_a_terminal_the_app_prints_the_differences(filled: Lab, new: str) -> None:
    """Where there is no terminal, plain ``trueup`` prints what it would show."""
    answer = run(filled, new)
    assert answer.code == 1
    assert "+ add column people.age: INTEGER" in answer.out


def test_logs_never_reach_stdout(filled: Lab, new: str, tmp_path: Path) -> None:
    """What the user's models print, and trueup's own log, go to stderr; stdout holds the JSON object alone."""
    noisy = tmp_path / "noisy.py"
    noisy.write_text("print('loading models')\n" + Path(new.removesuffix(":metadata")).read_text())
    answer = run(filled, f"{noisy}:metadata", "--auto", "--json", "--verbose")
    assert answer.json["success"]
    assert "loading models" in answer.err
    assert "Backup written" in answer.err


def test_a_decision_that_is_missing_changes_nothing(filled: Lab, tmp_path: Path) -> None:
    """A NOT NULL column without any value stops --auto with 1 and a sentence that says what to decide."""
    models = write_models(tmp_path / "m.py", people('Column("age", Integer, nullable=False), Column("city", Text)'))
    before = digest(filled.path)
    answer = run(filled, models, "--auto", "--json")
    assert (answer.code, answer.json["status"], answer.json["success"]) == (1, "needs_decision", False)
    assert 'fill = "people.age"' in answer.json["blocked"][0]["remedy"]
    assert digest(filled.path) == before


def test_a_decision_in_the_file_is_used(filled: Lab, tmp_path: Path) -> None:
    """What a person decided in trueup.toml is what --auto does."""
    models = write_models(tmp_path / "m.py", people('Column("age", Integer, nullable=False)'))
    (tmp_path / "trueup.toml").write_text('[[decisions]]\nfill = "people.age"\nvalue = 7\n')
    assert run(filled, models, "--auto").code == 0
    assert filled.rows("SELECT age FROM people") == [(7,), (7,)]


def test_a_column_that_left_the_models_is_retired_or_dropped(filled: Lab, tmp_path: Path) -> None:
    """Under safe it stays and inserts work, with exit code 0; --check still tells; under full it goes."""
    models = write_models(tmp_path / "m.py", 'Table("people", metadata, Column("id", Integer, primary_key=True))')
    safe = run(filled, models, "--auto", "--json")
    assert (safe.code, safe.json["retired"][0]["name"]) == (0, "name")
    assert run(filled, models, "--check").code == 1
    assert run(filled, models, "--auto", "--policy", "full").code == 0
    assert filled.rows("SELECT * FROM people") == [(1,), (2,)]


def test_a_narrower_policy_leaves_differences(filled: Lab, tmp_path: Path) -> None:
    """Under additive the new column is added, the changed type stays, and the answer is 1."""
    body = people('Column("age", Integer)').replace("String(20)", "Text")
    models = write_models(tmp_path / "m.py", body)
    answer = run(filled, models, "--auto", "--policy", "additive", "--json")
    assert (answer.code, answer.json["status"]) == (1, "migrated")
    assert [item["verdict"] for item in answer.json["changes"]] == ["beyond policy", "apply"]
    assert "age INTEGER" in filled.stored("people")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch' ({path}, line 1)"),
        ("x = (", "SyntaxError: '(' was never closed ({path}, line 1)"),
        ("def f():\n    return 1 / 0\n\nf()", "ZeroDivisionError: division by zero ({path}, line 2)"),
        ("raise SystemExit(0)", "SystemExit: 0 ({path}, line 1)"),
        ("metadata = 3", "it is of type int"),
        ("other = 3", "has no metadata"),
        ("from sqlalchemy import MetaData\nmetadata = MetaData()", "they declare no tables"),
    ],
)
def test_wrong_models(filled: Lab, tmp_path: Path, code: str, sentence: str) -> None:
    """An error in the user's models is exit code 2 with their file and line, not ours; the database is not touched."""
    path = tmp_path / "wrong.py"
    path.write_text(code)
    before = digest(filled.path)
    answer = run(filled, f"{path}:metadata", "--auto")
    assert answer.code == 2
    assert sentence.format(path=path) in answer.err
    assert "Traceback" not in answer.err
    assert digest(filled.path) == before


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--url", "nonsense"], 2, "must look like sqlite:///"),
        (["--url", "postgresql://u:secret@h/d"], 2, "cannot migrate postgresql databases yet"),
        (["--url", "sqlite://"], 2, "in memory"),
        (["--url", "sqlite:///file:x.db?mode=memory&cache=shared&uri=true"], 2, "in memory"),
        (["--url", "sqlite:///file:x.db?mode=ro&uri=true"], 2, "allows no writing"),
        (["--url", "sqlite:///file:x.db?immutable=1&uri=true"], 2, "allows no writing"),
        (["--url", "sqlite+pysqlcipher://:secret@/x.db"], 2, "cannot migrate sqlite+pysqlcipher databases yet"),
        (["--url", "sqlite:////no/such/directory/x.db"], 6, "is not a directory"),
        (["--url", "sqlite:///x.db", "--policy", "safe", "--time-limit", "soon"], 2, "time_limit = 'soon'"),
        ([], 2, "No database given"),
    ],
)
def test_wrong_use(tmp_path: Path, old: str, arguments: list[str], code: int, sentence: str) -> None:
    """A wrong URL or option is told in one sentence, without a password, and nothing is created."""
    answer = trueup("--auto", "--models", old, *arguments, cwd=tmp_path)
    assert answer.code == code
    assert sentence in answer.err
    assert "secret" not in answer.err + answer.out
    assert not list(tmp_path.glob("*.db"))


def test_a_database_that_is_none(lab: Lab, old: str) -> None:
    """A file that is not a database is exit code 6 and stays as it is."""
    lab.path.write_bytes(b"not a database" * 600)
    before = digest(lab.path)
    answer = run(lab, old, "--auto")
    assert answer.code == 6
    assert "damaged" in answer.err
    assert digest(lab.path) == before


def test_a_directory_in_place_of_the_database(lab: Lab, old: str) -> None:
    """It is told as what it is, with exit code 6, and not as a disk that fails."""
    lab.path.mkdir()
    answer = run(lab, old, "--auto")
    assert (answer.code, f"cannot be opened: {lab.path} is not a file" in answer.err) == (6, True)


def test_a_damaged_database(filled: Lab, new: str) -> None:
    """A database with a destroyed page is exit code 6 and stays as it is."""
    filled.sql("CREATE TABLE more AS WITH n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 5000) SELECT x FROM n")
    content = bytearray(filled.path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    filled.path.write_bytes(content)
    before = digest(filled.path)
    assert run(filled, new, "--auto").code == 6
    assert digest(filled.path) == before


def test_a_read_only_file(filled: Lab, new: str, old: str) -> None:
    """A file that may not be written is exit code 3 when it must be, and no trouble when it need not be."""
    filled.path.chmod(0o444)
    before = digest(filled.path)
    answer = run(filled, new, "--auto", as_user=True)
    assert answer.code == 3
    assert "read-only" in answer.err
    assert run(filled, old, "--auto", as_user=True).code == 0
    assert digest(filled.path) == before


def test_a_directory_without_permission(filled: Lab, new: str, tmp_path: Path) -> None:
    """Where backups cannot be written the run fails with 3; where the database cannot be reached, with 6."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    before = digest(filled.path)
    answer = run(filled, new, "--auto", "--backup-dir", str(closed / "backups"), as_user=True)
    assert (answer.code, "No verified backup could be made" in answer.err) == (3, True)
    url = f"sqlite:///{closed}/app.db"
    answer = trueup("--auto", "--url", url, "--models", new, cwd=tmp_path, as_user=True)
    assert (answer.code, "cannot be opened" in answer.err) == (6, True)
    assert digest(filled.path) == before


def test_a_lock_file_of_somebody_else(filled: Lab, new: str) -> None:
    """Where root migrated first, it is the lock file that the server may not write to, and not the database."""
    lock = filled.path.with_name("app.db.trueup-lock")
    lock.chmod(0o444)
    answer = run(filled, new, "--auto", as_user=True)
    assert (answer.code, f"The lock file {lock} cannot be used: Permission denied" in answer.err) == (3, True)
    lock.unlink()
    lock.mkdir()
    answer = run(filled, new, "--auto")
    assert (answer.code, f"The lock file {lock} cannot be used: Is a directory" in answer.err) == (3, True)


def test_a_name_that_leaves_none_for_the_lock_file(old: str, tmp_path: Path) -> None:
    """A file name may have 255 bytes; it is told which one is too long, and no disk is suspected."""
    answer = trueup("--auto", "--models", old, "--url", f"sqlite:///{'n' * 250}.db", cwd=tmp_path)
    assert answer.code == 3
    assert "nnn.db.trueup-lock cannot be used: File name too long" in answer.err


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE people SET name = 'held'")
print("holding", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@pytest.fixture
def writer(filled: Lab) -> Iterator[None]:
    """Another process of the application that is in the middle of a write."""
    command = [sys.executable, "-c", WRITER, str(filled.path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"holding\n"
    yield
    process.stdin.close()
    process.wait(timeout=10)
    process.stdout.close()


@pytest.mark.usefixtures("writer")
def test_a_locked_file(filled: Lab, new: str) -> None:
    """A writer that does not let go is exit code 5 after the lock timeout, and nothing is changed."""
    before = filled.dump()
    answer = run(filled, new, "--auto", "--lock-timeout", "0.3")
    assert answer.code == 5
    assert "Another process holds" in answer.err
    assert filled.dump() == before


def test_a_time_limit_that_is_over(filled: Lab, tmp_path: Path) -> None:
    """The time limit ends a running statement: exit code 4, and the database is the old one but for the history."""
    endless = "SELECT count(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)"
    (tmp_path / "trueup.toml").write_text(f'[[decisions]]\nfill = "people.age"\nsql = "({endless})"\n')
    models = write_models(tmp_path / "m.py", people('Column("age", Integer, nullable=False)'))
    before = filled.dump()
    answer = run(filled, models, "--auto", "--time-limit", "6")
    assert answer.code == 4
    assert "The time limit of 6 s ended while in step 1 of 1" in answer.err
    assert filled.rows("SELECT step, status FROM migration_history WHERE status <> 'completed'") == [
        (0, "rolled_back"),
        (1, "failed"),
    ]
    filled.sql("DELETE FROM migration_history WHERE status <> 'completed'")
    assert filled.dump() == before


def test_a_history_name_that_is_taken(lab: Lab, old: str) -> None:
    """Somebody else's table of that name is not written to; the sentence says how to choose another one."""
    lab.sql("CREATE TABLE migration_history (version TEXT); INSERT INTO migration_history VALUES ('theirs')")
    before = digest(lab.path)
    answer = run(lab, old, "--auto")
    assert (answer.code, "TRUEUP_HISTORY_TABLE" in answer.err) == (2, True)
    assert digest(lab.path) == before
    other = trueup(
        "--auto", "--url", lab.url, "--models", old, cwd=lab.path.parent, environment={"TRUEUP_HISTORY_TABLE": "log"}
    )
    assert other.code == 0
    assert lab.rows("SELECT * FROM migration_history") == [("theirs",)]


LOADED = """
import sys
from trueup.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
sys.stderr.write("LOADED " + " ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_start_in_step_loads_what_it_needs(filled: Lab, old: str) -> None:
    """A server whose database is in step pays for no module that only others need."""
    process = start_python("-c", LOADED, "--auto", "--url", filled.url, "--models", old, cwd=filled.path.parent)
    out, err = process.communicate(timeout=60)
    assert "Nothing moved" in out
    loaded = set(err.partition("LOADED ")[2].split())
    unneeded = {"alembic", "difflib", "filelock", "getpass", "statistics", "textual", "tomlkit", "tomllib"}
    assert loaded & unneeded == set()


MODULES = LOADED.replace('.partition(".")[0]', "")


def test_a_start_in_step_loads_few_modules_of_trueup(filled: Lab, old: str) -> None:
    """What plans, applies, or describes a schema stays unloaded, in a command as well as in a call of the library."""
    process = start_python("-c", MODULES, "--auto", "--url", filled.url, "--models", old, cwd=filled.path.parent)
    loaded = set(process.communicate(timeout=60)[1].partition("LOADED ")[2].split())
    called = (
        "import sys\nfrom trueup import execute_startup_migration\n"
        f"assert execute_startup_migration({filled.url!r}, models={old!r}).success\n"
        'sys.stderr.write("LOADED " + " ".join(sys.modules))'
    )
    process = start_python("-c", called, cwd=filled.path.parent)
    loaded |= set(process.communicate(timeout=60)[1].partition("LOADED ")[2].split())
    ours = {name.removeprefix("trueup.") for name in loaded if name.startswith("trueup.")}
    assert "startup" in ours
    unneeded = "applying archive catalogue changes decisions events flow hazards killed past plans rules schema"
    assert ours & set(unneeded.split()) == set()
    assert "sqlalchemy.orm" not in loaded


@pytest.mark.parametrize("arguments", [["--auto"], ["--check"], ["--auto", "--json"], ["--help"], ["--version"]])
def test_headless_loads_no_user_interface(filled: Lab, new: str, old: str, arguments: list[str]) -> None:
    """No headless command loads textual, rich or alembic; --help and --version do not even load SQLAlchemy."""
    process = start_python("-c", LOADED, *arguments, "--url", filled.url, "--models", new, cwd=filled.path.parent)
    loaded = set(process.communicate(timeout=60)[1].partition("LOADED ")[2].split())
    assert "trueup" in loaded
    assert not loaded & {"textual", "rich", "alembic", "trueup_tui"}
    assert ("sqlalchemy" in loaded) == (arguments[0] in ("--auto", "--check"))


@pytest.mark.parametrize("package", ["core", "tui"])
def test_a_users_own_packages_named_core_or_tui(tmp_path: Path, package: str) -> None:
    """The current directory is importable, and a user's own ``core`` or ``tui`` package is theirs."""
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").touch()
    write_models(tmp_path / package / "models.py", people())
    answer = trueup("--auto", "--url", "sqlite:///x.db", "--models", f"{package}.models:metadata", cwd=tmp_path)
    assert answer == Answer(0, answer.out, answer.err)


def test_what_rows_hold_is_told_to_those_who_compare(filled: Lab, tmp_path: Path) -> None:
    """--check names the rows that are in danger and their values; what a run prints goes to logs, and does not."""
    models = write_models(tmp_path / "m.py", people('UniqueConstraint("name")'))
    filled.sql("INSERT INTO people (id, name) VALUES (71, 'secret'), (72, 'secret')")
    (hazard,) = run(filled, models, "--check", "--json").json["changes"][0]["hazards"]
    assert (hazard["rule"], hazard["severity"], hazard["complete"], hazard["key"]) == (
        "duplicate-keys",
        "blocks",
        True,
        "id",
    )
    assert hazard["samples"] == [{"key": "71", "value": "'secret'"}, {"key": "72", "value": "'secret'"}]
    assert "id 71 ('secret'), 72 ('secret')" in run(filled, models, "--check").out
    for options in (("--auto",), ("--auto", "--json")):
        answer = run(filled, models, *options)
        assert "2 rows in people share" in answer.out
        assert "secret" not in answer.out + answer.err


def test_whoever_reads_may_stop(filled: Lab, tmp_path: Path) -> None:
    """A reader that has seen enough, as head has, is no error: the exit code is that of what was done."""
    models = write_models(tmp_path / "m.py", people('Column("nick", Integer)'))
    process = start("--auto", "--url", filled.url, "--models", models, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert (process.wait(timeout=120), "Traceback" in process.stderr.read()) == (0, False)


FULL = """
import resource, sys
from trueup.cli import main
sys.stdout = open(sys.argv.pop(), "w")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
sys.exit(main(sys.argv[1:]))
"""
"""The command line with its output in a file that holds ten bytes, whose name comes last."""


def test_there_is_no_room_for_the_output(filled: Lab, tmp_path: Path) -> None:
    """It is told in a sentence, and the exit code is that of what was done."""
    process = start_python("-c", FULL, "history", "--url", filled.url, str(tmp_path / "out"), cwd=tmp_path)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, "could not be written (File too large)" in err, "Traceback" in err) == (0, True, False)


def test_errors_that_find_no_room(filled: Lab, tmp_path: Path) -> None:
    """Where stderr is a file on a full disk, the exit code is still that of what was wrong."""
    command = [sys.executable, "-m", "trueup", "--auto", "--url", filled.url, "--models", str(tmp_path / "none.py")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, timeout=120)
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("mode", ["--check", "--auto"])
def test_ctrl_c_before_anything_is_done(lab: Lab, tmp_path: Path, mode: str) -> None:
    """Who presses Ctrl-C while the models are imported reads a sentence, and no traceback; nothing was done."""
    models = write_models(tmp_path / "slow.py", f"import os, signal; os.kill(os.getpid(), signal.SIGINT); {people()}")
    answer = run(lab, models, mode)
    assert (answer.code, "Traceback" in answer.err, lab.path.exists()) == (3, False, False)
    assert answer.err.startswith("trueup: Cancelled while ")
