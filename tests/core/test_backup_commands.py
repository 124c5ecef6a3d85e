"""``trueup backups`` and ``trueup restore``, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import cli, find_backup, list_backups


def models(*more: Column[str]) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *more)
    return metadata


@pytest.fixture
def migrated(lab: Lab) -> Lab:
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    lab.migrate(models(Column("name", Text)))
    return lab


def say(lab: Lab, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main([*arguments, "--url", lab.url])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def said(lab: Lab, capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> tuple[int, dict[str, object]]:
    code, out, _ = say(lab, capsys, *arguments, "--json")
    return code, json.loads(out)


def test_backups_are_listed_with_what_they_hold(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The list names each backup with its size, its rows and when it was found good; the models are not needed."""
    code, out, _ = say(migrated, capsys, "backups")
    assert code == 0
    assert "2 rows" in out
    assert "good on" in out


def test_verify_finds_a_backup_that_was_damaged(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """With --verify each file is read again; a bad one makes the exit code 1."""
    code, told = said(migrated, capsys, ["backups"])
    path = find_backup(migrated.target(models()), "latest").path
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    assert code == 0
    code, told = said(migrated, capsys, ["backups", "--verify"])
    assert code == 1
    assert "the file changed" in told["backups"][0]["problem"]  # type: ignore[index]


def test_a_backup_is_made(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``make`` writes one more, in text and JSON; ``verify --full`` finds it good."""
    code, out, _ = say(migrated, capsys, "backups", "make", "--full")
    assert (code, "Made the backup" in out) == (0, True)
    code, told = said(migrated, capsys, ["backups", "make"])
    assert (code, told["status"]) == (0, "made")
    code, out, _ = say(migrated, capsys, "backups", "verify", "--full")
    assert (code, out.count("good on")) == (0, 3)


def test_one_backup_is_verified_by_a_trial_restore(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``verify BACKUP --trial`` restores it into a scratch file as well; nothing of that stays."""
    backup = find_backup(migrated.target(models()), "latest")
    before = sorted(path.name for path in backup.path.parent.iterdir())
    code, out, _ = say(migrated, capsys, "backups", "verify", backup.id, "--trial")
    assert (code, out.count("good on")) == (0, 1)
    assert sorted(path.name for path in backup.path.parent.iterdir()) == before
    assert "name" in migrated.stored("people")


def test_backups_are_counted(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``statistics`` tells how many there are, how large, and what became of the runs."""
    code, out, _ = say(migrated, capsys, "backups", "statistics")
    assert code == 0
    assert "1 backup, 1 of them good" in out
    assert "1 run completed" in out
    code, told = said(migrated, capsys, ["backups", "statistics"])
    assert (code, told["count"], told["good"], told["outcomes"]) == (0, 1, 1, {"completed": 1})
    assert told["oldest"] == told["newest"] is not None


def test_backups_for_no_run_and_for_failed_ones_are_counted(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """What was taken for no run is no run; states are told in words."""
    say(migrated, capsys, "backups", "make")
    description = find_backup(migrated.target(models()), "latest").path.with_suffix(".json")
    described = json.loads(description.read_text()) | {"run_id": "feedbeef", "run_failed": True}
    description.write_text(json.dumps(described))
    say(migrated, capsys, "backups", "make")
    _, out, _ = say(migrated, capsys, "backups", "statistics")
    assert [line.strip() for line in out.splitlines()[2:]] == [
        "1 backup of no run",
        "1 run rolled back",
        "1 run completed",
    ]


def test_a_name_that_would_act_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the file of the database is called, what is told of its backups stays on its line."""
    lab = Lab(tmp_path / "a\x1b\nb.db")
    lab.create(models())
    for command in (["make"], ["diff", "latest"], ["export", "latest", str(tmp_path)], ["delete", "latest", "--yes"]):
        code, out, _ = say(lab, capsys, "backups", *command)
        assert (code, "\x1b" in out, out.count("\n")) == (0, False, 1)


def test_the_difference_to_a_backup(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``diff`` tells the columns that came and the rows, in text and JSON; exit code 1 when there is something."""
    migrated.sql("INSERT INTO people (id) VALUES (3)")
    code, out, _ = say(migrated, capsys, "backups", "diff", "latest")
    assert code == 1
    assert "name" in out
    assert "people has 3 rows, and had 2" in out
    code, told = said(migrated, capsys, ["backups", "diff", "latest"])
    assert [change["id"] for change in told["changes"]] == ["add column people.name"]  # type: ignore[union-attr]
    assert (code, told["same"], told["rows"]) == (1, False, [{"table": "people", "then": 2, "now": 3}])


def test_no_difference_to_a_backup(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """After a restore ``diff`` finds nothing, whatever the history tells."""
    backup = find_backup(migrated.target(models()), "latest")
    say(migrated, capsys, "restore", backup.id)
    code, out, _ = say(migrated, capsys, "backups", "diff", backup.id)
    assert (code, out.split(" are ")[0]) == (0, "The schema and the number of rows")


def test_a_backup_is_exported(migrated: Lab, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``export`` writes a new file that is a database by itself, and never over one that is there."""
    path = tmp_path / "out.db"
    code, out, _ = say(migrated, capsys, "backups", "export", "latest", str(path))
    assert (code, f"to {path}, verified" in out) == (0, True)
    assert Lab(path).value("SELECT count(*) FROM people") == 2
    code, told = said(migrated, capsys, ["backups", "export", "latest", str(path)])
    assert (code, told["error"]["kind"]) == (3, "ExportFailed")  # type: ignore[index]


def test_a_backup_is_deleted(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """``delete`` refuses the only good one with exit code 1, and takes the word ``--yes``."""
    code, _, err = say(migrated, capsys, "backups", "delete", "latest")
    assert code == 1
    assert "it is the only good one. Accept that with --yes." in err
    code, told = said(migrated, capsys, ["backups", "delete", "latest", "--yes"])
    assert (code, told["status"], told["success"]) == (0, "deleted", True)
    assert list_backups(migrated.target(models())) == ()


def test_restore_says_what_it_did(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A restore names the backup that took the database's place and the one that holds what was there."""
    code, out, _ = say(migrated, capsys, "restore", "latest")
    assert code == 0
    assert "Restored the backup app-" in out
    assert "the content from before is in the backup app-" in out
    assert "name" not in migrated.stored("people")


def test_restore_in_json(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON object has the restored backup and the one that was taken before."""
    code, told = said(migrated, capsys, ["restore", "latest"])
    assert (code, told["status"], told["success"], told["error"]) == (0, "restored", True, None)
    assert told["backup"] != told["restored"] is not None


def test_an_unknown_backup(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """An id that there is not is wrong use: exit code 2, and the known ones are named."""
    code, _, err = say(migrated, capsys, "restore", "app-1999")
    assert code == 2
    assert "There are: app-" in err


def test_options_before_the_command_hold_as_well(migrated: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """It makes no difference whether an option stands before or after the command."""
    assert cli.main(["--url", migrated.url, "--json", "backups"]) == 0
    assert len(json.loads(capsys.readouterr().out)["backups"]) == 1
