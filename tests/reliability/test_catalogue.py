"""The catalogue of backups survives whatever other processes, killed ones and people leave in its directory."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import people, trueup, write_models
from tests.conftest import Lab
from tests.people import models
from trueup import Backup, Status, Target, find_backup, get_system_health, list_backups, restore, verify_backup
from trueup.catalogue import partial_ending
from trueup.errors import BackupsUnreadable


@pytest.fixture
def migrated(lab: Lab) -> Lab:
    """Two people, and two runs with a backup each."""
    lab.create(models())
    lab.sql("INSERT INTO people VALUES (1), (2)")
    lab.migrate(models("a"))
    lab.migrate(models("a", "b"))
    return lab


def target_of(lab: Lab) -> Target:
    return lab.target(models("a", "b"))


def both(lab: Lab) -> tuple[Backup, Backup]:
    """The newer backup and the older one."""
    newer, older = list_backups(target_of(lab))
    return newer, older


def description(backup: Backup) -> Path:
    return backup.path.with_suffix(".json")


def edit(backup: Backup, **fields: Any) -> None:
    described = json.loads(description(backup).read_text())
    description(backup).write_text(json.dumps(described | fields))


# -- the checksum ------------------------------------------------------------------------------------------------------


def test_the_checksum_is_that_of_common_tools(migrated: Lab) -> None:
    """What is written down is the SHA-256 of the file, as ``sha256sum`` computes it."""
    for backup in both(migrated):
        assert backup.checksum == f"sha256:{hashlib.sha256(backup.path.read_bytes()).hexdigest()}"


def test_backups_with_an_older_checksum_stay_good(migrated: Lab) -> None:
    """A backup whose checksum was made by BLAKE2b is verified by it, and can be restored."""
    backup, _ = both(migrated)
    edit(backup, checksum=f"blake2b:{hashlib.blake2b(backup.path.read_bytes(), digest_size=32).hexdigest()}")
    found = find_backup(target_of(migrated), backup.id)
    assert verify_backup(found, target_of(migrated)).problem == ""
    with backup.path.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    assert "the file changed" in verify_backup(found, target_of(migrated)).problem


def test_a_checksum_that_nobody_knows_is_told(migrated: Lab) -> None:
    """A later version may use another checksum; that is no reason to call a backup good, nor to crash."""
    backup, _ = both(migrated)
    edit(backup, checksum="quantum:00")
    found = find_backup(target_of(migrated), backup.id)
    assert (
        "whether it changed cannot be told: its checksum is by quantum"
        in verify_backup(found, target_of(migrated)).problem
    )


# -- half of an entry --------------------------------------------------------------------------------------------------


def _truncate(backup: Backup) -> None:
    text = description(backup).read_text()
    description(backup).write_text(text[: len(text) // 2])


HALVES: dict[str, tuple[Callable[[Backup], object], str]] = {
    "no file": (lambda backup: backup.path.unlink(), "the file is gone"),
    "no description": (lambda backup: description(backup).unlink(), "it has no description"),
    "half a description": (_truncate, "cannot be read"),
    "an empty description": (lambda backup: description(backup).write_text(""), "cannot be read"),
    "no text": (lambda backup: description(backup).write_bytes(b"\xff\xfe\x00"), "cannot be read"),
    "a list": (lambda backup: description(backup).write_text("[1, 2]"), "cannot be read"),
    "no time": (lambda backup: edit(backup, created_at=None), "cannot be read"),
    "a number for a text": (lambda backup: edit(backup, checksum=7), "cannot be read"),
    "a text for a number": (lambda backup: edit(backup, size="large"), "cannot be read"),
    "counts that are none": (lambda backup: edit(backup, row_counts={"people": "two"}), "cannot be read"),
    "a number for a yes": (lambda backup: edit(backup, run_failed=7), "cannot be read"),
    "a list for a run": (lambda backup: edit(backup, run_id=[]), "cannot be read"),
    "a size that nothing has": (lambda backup: edit(backup, size=10**400), "cannot be read"),
    "too deep": (lambda backup: description(backup).write_text("[" * 100_000), "cannot be read"),
    "a path that is no text": (lambda backup: edit(backup, path=7), "cannot be read"),
    "another directory": (lambda backup: edit(backup, path="../app.db"), "cannot be read"),
}


@pytest.mark.parametrize("half", HALVES)
def test_half_an_entry_is_told(migrated: Lab, half: str) -> None:
    """Whatever is left of an entry is listed with what is wrong, is not restored, and hides no good backup."""
    newer, older = both(migrated)
    spoil, told = HALVES[half]
    spoil(newer)
    found = {backup.id: backup for backup in list_backups(target_of(migrated))}
    assert set(found) == {newer.id, older.id}
    assert told in found[newer.id].problem
    assert find_backup(target_of(migrated), "latest").id == older.id
    assert told in verify_backup(found[newer.id], target_of(migrated)).problem
    assert restore(found[newer.id], target_of(migrated)).error is not None
    assert migrated.migrate(models("a", "b", "c")).status is Status.MIGRATED


def test_a_backup_that_was_renamed(migrated: Lab) -> None:
    """A file and its description that somebody renamed or copied together are a backup under the new name."""
    newer, older = both(migrated)
    for path in (older.path, description(older)):
        path.with_stem("before-the-move").write_bytes(path.read_bytes())
    found = {backup.id: backup for backup in list_backups(target_of(migrated))}
    assert set(found) == {newer.id, older.id, "before-the-move"}
    assert verify_backup(found["before-the-move"], target_of(migrated)).problem == ""
    assert restore(found["before-the-move"], target_of(migrated)).status is Status.RESTORED


def test_half_an_entry_is_not_removed(migrated: Lab) -> None:
    """What nobody knows anything about is never removed by itself, however old it looks."""
    newer, older = both(migrated)
    description(older).write_text("{")
    description(newer).unlink()
    migrated.migrate(models("a", "b", "c"), backup_count=1, backup_days=0.000001)
    assert older.path.exists()
    assert newer.path.exists()


def test_other_files_are_no_backups(migrated: Lab) -> None:
    """What people keep in the directory under other names is not listed."""
    directory = both(migrated)[0].path.parent
    directory.joinpath("package.json").write_text("{}")
    directory.joinpath("notes.json").write_text("half")
    directory.joinpath("mine.db").write_bytes(b"")
    directory.joinpath("other-20260101-000000.db").write_bytes(b"")
    assert len(list_backups(target_of(migrated))) == 2


def test_what_a_later_version_notes_does_no_harm(migrated: Lab) -> None:
    """A description with fields that this version does not know is read."""
    backup, _ = both(migrated)
    edit(backup, colour="blue", created_at=backup.created_at.replace(tzinfo=None).isoformat())
    assert find_backup(target_of(migrated), backup.id) == backup


def test_one_that_is_being_made_is_not_listed(migrated: Lab) -> None:
    """The description is written just before the file gets its name; whoever looks in between sees no broken backup."""
    backup, older = both(migrated)
    partial = backup.path.with_name(f"{backup.id}{partial_ending(target_of(migrated).dialect())}")
    backup.path.rename(partial)
    assert list_backups(target_of(migrated)) == (older,)


def test_what_is_left_of_descriptions_goes(migrated: Lab) -> None:
    """A description whose writer was killed long ago is removed by the next run, one of just now is not."""
    directory = both(migrated)[0].path.parent
    old, new = directory / "app-1.json.0badcafe.partial", directory / "app-2.json.0badcafe.partial"
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))
    migrated.migrate(models("a", "b", "c"))
    assert (old.exists(), new.exists()) == (False, True)


def test_a_directory_that_nobody_may_read(migrated: Lab) -> None:
    """It does not look as if there were no backups: the commands say so, and a run that would need it fails."""
    directory = both(migrated)[0].path.parent
    directory.chmod(0)
    try:
        here = {"cwd": migrated.path.parent, "as_user": True}
        for command in (["backups"], ["backups", "statistics"], ["restore", "latest"], ["history", "cleanup"]):
            answer = trueup(*command, "--url", migrated.url, **here)  # type: ignore[arg-type]
            assert (answer.code, "cannot be read: Permission denied" in answer.err) == (3, True), answer
        health = trueup("health", "--url", migrated.url, "--json", **here).json  # type: ignore[arg-type]
        assert [finding["rule"] for finding in health["findings"]] == ["backups-impossible"]
        spec = write_models(migrated.path.parent / "m.py", people("Column('a', Text)"))
        run = trueup("--auto", "--url", migrated.url, "--models", spec, **here)  # type: ignore[arg-type]
        assert (run.code, "Permission denied" in run.err) == (3, True), run
        run = trueup("--auto", "--no-backup", "--url", migrated.url, "--models", spec, **here)  # type: ignore[arg-type]
        assert (run.code, "old backups could not be removed" in run.out) == (0, True), run
    finally:
        directory.chmod(0o700)


@pytest.mark.parametrize("link", [True, False], ids=["a link to nothing", "a file"])
def test_what_is_no_directory(migrated: Lab, tmp_path: Path, link: bool) -> None:
    """A disk that is not there, or a file in the place of the directory, does not look as if there were no backups."""
    place = tmp_path / "place"
    if link:
        place.symlink_to(tmp_path / "unmounted")
    else:
        place.write_text("")
    target = migrated.target(models("a", "b"), backup_dir=place)
    for ask in (list_backups, lambda target: find_backup(target, "latest")):
        with pytest.raises(BackupsUnreadable, match=place.name):
            ask(target)
    assert "backups-impossible" in [item.rule for item in get_system_health(target).findings]
    before = migrated.stored("people")
    assert migrated.migrate(models("a", "b", "c"), backup_dir=place).status is Status.FAILED
    assert migrated.stored("people") == before


def test_what_may_only_be_read(migrated: Lab) -> None:
    """In a directory that cannot be written a backup is verified, and a trial says why it was not made."""
    backup = both(migrated)[0]
    backup.path.parent.chmod(0o500)
    try:
        here = {"cwd": migrated.path.parent, "as_user": True}
        command = ("backups", "verify", backup.id, "--url", migrated.url)
        assert trueup(*command, **here).code == 0  # type: ignore[arg-type]
        answer = trueup(*command, "--trial", **here)  # type: ignore[arg-type]
        assert (answer.code, "passed its check, but could not be restored for trial" in answer.err) == (3, True), answer
    finally:
        backup.path.parent.chmod(0o700)


def test_a_file_that_nobody_may_read(migrated: Lab) -> None:
    """A backup that this user cannot read is no good to this one, which is told; to others it stays good."""
    backup = both(migrated)[0]
    backup.path.chmod(0)
    for command in (["backups"], ["backups", "verify"]):
        answer = trueup(*command, "--url", migrated.url, "--json", cwd=migrated.path.parent, as_user=True)
        assert [item["problem"] for item in answer.json["backups"]] == ["this user cannot read the file", None]
    backup.path.chmod(0o600)
    assert both(migrated)[0].problem == ""


def test_many_at_once(migrated: Lab) -> None:
    """While threads verify the same backup again and again, everybody who looks finds it whole."""
    backup, target = both(migrated)[0], target_of(migrated)
    seen: list[str] = []

    def verify() -> None:
        seen.extend(verify_backup(backup, target).problem for _ in range(10))

    def look() -> None:
        seen.extend(item.problem for _ in range(50) for item in list_backups(target))

    threads = [threading.Thread(target=task) for task in (verify, verify, verify, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {""}
    assert len(seen) == 30 + 200
    assert not list(backup.path.parent.glob("*.partial"))
