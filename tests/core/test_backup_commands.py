"""``trueup backups`` and ``trueup restore``, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.conftest import Lab
from trueup import cli, find_backup


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
