"""Older backups may be packed; whatever is done with a backup works as if it were not."""

from __future__ import annotations

import hashlib
import json
import random
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.command import start_python, trueup
from tests.conftest import Lab
from tests.reliability import bank, times
from tests.reliability.children import Child, Say, run_out_of_room
from trueup import (
    Backup,
    Limits,
    Policy,
    Run,
    Target,
    apply,
    backup_statistics,
    compare_backup,
    delete_backup,
    export_backup,
    find_backup,
    list_backups,
    make_backup,
    migrate,
    packing,
    past_runs,
    plan_undo,
    restore,
    tidying,
    undo,
    verify_backup,
    zstd,
)
from trueup.errors import (
    BackupNotGood,
    BackupNotUsable,
    ConfigurationError,
    NotEnoughSpace,
    UnpackingFailed,
    ValuesGone,
)
from trueup.events import Event, Working
from trueup.settings import load_settings
from trueup.stages.recording import intent

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
KILLS = times(12, nightly=500)
ZSTD: dict[str, Any] = {"backup_compression": "zstd"}


def models(*names: str) -> MetaData:
    metadata = MetaData()
    Table("people", metadata, Column("id", Integer, primary_key=True), *(Column(name, Text) for name in names))
    return metadata


def run(lab: Lab, day: int, *names: str, **settings: Any) -> Run:
    target = lab.target(models(*names), policy=Policy.FULL, accept_older_models=True, **settings)
    done = migrate(target, now=lambda: NOW + timedelta(days=day))
    assert done.success, done.error
    return done


@pytest.fixture(params=["wal", "delete"])
def packed(lab: Lab, request: pytest.FixtureRequest) -> Lab:
    """200 people; runs added column a, dropped it with its values, and added b. The older two backups are packed."""
    lab.sql(f"PRAGMA journal_mode = {request.param}")
    lab.create(models())
    lab.sql("WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200) INSERT INTO people SELECT x FROM n")
    run(lab, 0, "a", **ZSTD)
    lab.sql("UPDATE people SET a = 'value ' || id")
    run(lab, 1, **ZSTD)
    assert run(lab, 2, "b", **ZSTD).warnings == ()
    return lab


def target_of(lab: Lab, **settings: Any) -> Target:
    return lab.target((), **ZSTD, **settings)


def all_of(lab: Lab) -> list[Backup]:
    """Newest first: of before b was added, before a was dropped, before a was added."""
    return list(list_backups(target_of(lab)))


def middle(lab: Lab) -> Backup:
    """The one that has the values of a."""
    return all_of(lab)[1]


def names(lab: Lab) -> set[str]:
    return {path.name for path in (lab.path.parent / ".trueup" / "backups").iterdir()}


def unpacked(backup: Backup) -> bytes:
    with zstd.opened(backup.path) as file:
        return file.read()


# -- packing -----------------------------------------------------------------------------------------------------------


def test_older_ones_are_packed(packed: Lab) -> None:
    """After a run all but the newest are packed, for the owner only; what is told of them is what was told before."""
    newest, *older = all_of(packed)
    assert [newest.packed, *(backup.packed for backup in older)] == [False, True, True]
    assert names(packed) == {
        *(f"{newest.id}{end}" for end in (".db", ".json")),
        *(f"{backup.id}{end}" for backup in older for end in (".db.zst", ".json")),
    }
    for backup in older:
        assert (backup.problem, backup.row_counts["people"]) == ("", 200)
        assert backup.path.stat().st_mode & 0o777 == 0o600
        assert 0 < backup.path.stat().st_size == backup.disk_size < backup.size == len(unpacked(backup))
        assert backup.checksum == f"sha256:{hashlib.sha256(unpacked(backup)).hexdigest()}"


def test_only_where_it_is_asked_for(packed: Lab) -> None:
    """Without the setting nothing is packed, and what was packed stays so."""
    run(packed, 3)
    assert [backup.packed for backup in all_of(packed)] == [False, False, True, True]


def test_what_may_be_wanted_stays(packed: Lab) -> None:
    """The newest good one stays as it is, also where newer ones are bad or of a run that failed."""
    newest = all_of(packed)[0]
    failed = migrate(target_of_failing(packed), report=_fail_in_a_step, now=lambda: NOW + timedelta(days=3))
    assert failed.error is not None
    made = all_of(packed)[0]
    made.path.write_bytes(b"damage")
    assert verify_backup(made, target_of(packed)).problem
    with target_of(packed).dialect().lock(intent("x", "auto", NOW), 0.0, lambda _holder: None, Limits()):
        assert pack(packed, needed=()) == []
    assert not find_backup(target_of(packed), newest.id).packed
    assert not find_backup(target_of(packed), made.id).packed


def target_of_failing(lab: Lab) -> Target:
    return lab.target(models("b", "c"), **ZSTD)


def _fail_in_a_step(event: object) -> None:
    if type(event).__name__ == "StepStarted":
        raise RuntimeError("a listener that fails")


def pack(lab: Lab, needed: tuple[str, ...] = (), limits: Limits | None = None) -> list[str]:
    target = target_of(lab)
    return list(tidying.pack_backups(target, target.dialect(), needed, NOW, limits or Limits()))


def test_what_the_last_undo_needs_stays(packed: Lab) -> None:
    """The backup of the last run is not packed when backups by hand came after it."""
    last = all_of(packed)[0]
    for day in (3, 4):
        make_backup(target_of(packed), now=lambda day=day: NOW + timedelta(days=day))  # type: ignore[misc]
    assert last.run_id is not None
    assert pack(packed, needed=(last.run_id,)) == []
    assert [backup.packed for backup in all_of(packed)] == [False, True, False, True, True]


def test_no_time(packed: Lab) -> None:
    """What there is no time for stays as it is until the next run, and is no reason to fail."""
    run(packed, 3)
    before = names(packed)
    assert pack(packed, limits=Limits(0.0)) == []
    assert names(packed) == before
    run(packed, 4, "c", **ZSTD)
    assert [backup.packed for backup in all_of(packed)] == [False, True, True, True, True]


def test_cancelled_while_packing(larger: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events tell that older backups are packed; who cancels then has a run that is done, and nothing half-packed."""
    monkeypatch.setattr(zstd, "_LEVEL", 19)
    limits = Limits()

    def cancel(event: Event) -> None:
        if isinstance(event, Working) and event.phase == "packing older backups":
            limits.cancel()

    run = migrate(bank.target(larger, **ZSTD), report=cancel, limits=limits)
    assert (run.error, run.warnings, limits.over) == (None, run.plan.warnings if run.plan else (), True)
    assert not all_of(larger)[-1].packed
    assert not any("partial" in name for name in names(larger))
    assert {verify_backup(backup, target_of(larger)).problem for backup in all_of(larger)} == {""}


def test_one_that_changed_is_not_packed(packed: Lab) -> None:
    """A backup that is not any more what it was stays for whoever wants to look at it, and the run tells."""
    run(packed, 3)
    newest = all_of(packed)[0]
    with newest.path.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    told = run(packed, 4, "c", **ZSTD).warnings
    assert [newest.id in sentence and "the file changed since it was made" in sentence for sentence in told] == [True]
    kept = find_backup(target_of(packed), newest.id)
    assert (kept.packed, "the file changed" in kept.problem) == (False, True)
    assert not any("partial" in name for name in names(packed))


def test_the_setting() -> None:
    """It comes from the environment as well, and an unknown word is an error that names the known ones."""
    assert load_settings(environment={}).backup_compression == "none"
    assert load_settings(environment={"TRUEUP_BACKUP_COMPRESSION": "zstd"}).backup_compression == "zstd"
    with pytest.raises(ConfigurationError, match="it must be none or zstd"):
        load_settings({"backup_compression": "gzip"}, environment={})


def test_retention_counts_what_is_on_the_disk(packed: Lab) -> None:
    """So many backups stay as fit into the size once they are packed."""
    newest, *older = all_of(packed)
    room = newest.size * 2 + sum(backup.disk_size for backup in older)
    assert room < newest.size * 4
    done = run(packed, 3, backup_megabytes=(room + 1) / 1e6, **ZSTD)
    assert done.removed_backups == ()
    assert len(all_of(packed)) == 4
    assert backup_statistics(target_of(packed)).size == sum(
        path.stat().st_size for path in newest.path.parent.iterdir() if path.suffix != ".json"
    )


# -- what is done with packed ones -------------------------------------------------------------------------------------


def test_verified(packed: Lab) -> None:
    """A packed backup is verified, thoroughly and by a trial restore, and is packed as before."""
    before = names(packed)
    checked = verify_backup(middle(packed), target_of(packed), thorough=True, trial=True)
    assert (checked.problem, checked.packed) == ("", True)
    assert names(packed) == before
    found = middle(packed)
    assert (found.verified_at, found.size) == (checked.verified_at, checked.size)


def test_compared(packed: Lab) -> None:
    """What changed since a packed backup is told, and nothing unpacked stays."""
    before = names(packed)
    packed.sql("DELETE FROM people WHERE id > 150")
    found = compare_backup(middle(packed), target_of(packed))
    assert [change.id for change in found.changes] == ["add column people.b", "drop column people.a"]
    assert [(row.table, row.then, row.now) for row in found.rows] == [("people", 200, 150)]
    assert names(packed) == before


def test_exported(packed: Lab) -> None:
    """What is exported is the database itself."""
    place = packed.path.parent / "elsewhere"
    place.mkdir()
    path = export_backup(middle(packed), target_of(packed), place)
    assert path.name == f"{middle(packed).id}.db"
    assert path.read_bytes() == unpacked(middle(packed))
    assert Lab(path).value("SELECT a FROM people WHERE id = 7") == "value 7"


def test_restored(packed: Lab) -> None:
    """A packed backup takes the place of the database, and is packed as before."""
    backup = middle(packed)
    done = restore(backup, target_of(packed))
    assert done.error is None
    assert packed.value("SELECT a FROM people WHERE id = 7") == "value 7"
    assert packed.healthy()
    assert middle_of(packed, backup).packed


def middle_of(lab: Lab, backup: Backup) -> Backup:
    return find_backup(target_of(lab), backup.id)


def dropping_run(lab: Lab) -> str:
    return past_runs(target_of(lab))[1].id


def test_undone(packed: Lab) -> None:
    """An undo brings values back from a packed backup, which is unpacked for it and stays so for some time."""
    done = undo(target_of(packed), dropping_run(packed), accept_loss=True)
    assert done.error is None
    assert packed.value("SELECT a FROM people WHERE id = 7") == "value 7"
    assert [backup.packed for backup in all_of(packed)] == [False, True, False, True]


def test_unpacked_only_for_some_time(packed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was unpacked for an undo goes with a later run; nothing is packed anew for that."""
    plan_undo(target_of(packed), dropping_run(packed))
    backup = middle(packed)
    assert (backup.packed, backup.disk_size > backup.size) == (False, True)
    file = backup.path.with_name(f"{backup.path.name}.zst")
    before = file.stat().st_ino
    run(packed, 3, **ZSTD)
    assert not middle_of(packed, backup).packed
    monkeypatch.setattr(tidying, "_PATIENCE", 0.0)
    run(packed, 4, "c", **ZSTD)
    assert (middle_of(packed, backup).packed, file.stat().st_ino) == (True, before)


def test_packed_again_before_the_undo(packed: Lab) -> None:
    """A plan that somebody looked at for hours finds its backup, though a run packed it again meanwhile."""
    planned = plan_undo(target_of(packed), dropping_run(packed))
    middle(packed).path.unlink()
    assert middle(packed).packed
    assert apply(planned, target_of(packed)).error is None
    assert packed.value("SELECT a FROM people WHERE id = 7") == "value 7"


def test_deleted(packed: Lab) -> None:
    """Nothing of a backup stays, packed or unpacked."""
    plan_undo(target_of(packed), dropping_run(packed))
    for backup in all_of(packed)[1:]:
        delete_backup(backup, target_of(packed), accept_loss=True)
    assert names(packed) == {f"{all_of(packed)[0].id}{end}" for end in (".db", ".json")}


def test_one_that_was_packed_since_it_was_listed(packed: Lab) -> None:
    """Who holds a backup from a list made before it was packed can do with it whatever can be done."""
    stale = [backup_as_plain(backup) for backup in all_of(packed)]
    assert [verify_backup(backup, target_of(packed)).problem for backup in stale] == ["", "", ""]
    assert compare_backup(stale[1], target_of(packed)).changes
    assert restore(stale[1], target_of(packed)).error is None
    delete_backup(stale[2], target_of(packed))
    assert stale[2].id not in {backup.id for backup in all_of(packed)}


def backup_as_plain(backup: Backup) -> Backup:
    return replace(backup, path=backup.plain_path, packed_size=0)


def test_told(packed: Lab) -> None:
    """The list says which are packed and what they take; its JSON has the size of the database as well."""
    here = {"cwd": packed.path.parent}
    lines = trueup("backups", "--url", packed.url, **here).out.splitlines()  # type: ignore[arg-type]
    assert [line.endswith(", packed") for line in lines] == [False, True, True]
    told = trueup("backups", "--url", packed.url, "--json", **here).json  # type: ignore[arg-type]
    newest, second, _third = told["backups"]
    assert (newest["compression"], newest["disk_size"]) == ("none", newest["size"])
    assert (second["compression"], second["path"]) == ("zstd", str(middle(packed).path))
    assert second["disk_size"] == middle(packed).path.stat().st_size < second["size"]
    assert told["size"] == sum(item["disk_size"] for item in told["backups"])
    assert trueup("health", "--url", packed.url, "--json", **here).code == 0  # type: ignore[arg-type]


# -- what is wrong with packed ones ------------------------------------------------------------------------------------


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte is another one": flipped,
    "its end is missing": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "it is empty": lambda path: path.write_bytes(b""),
    "it is something else": lambda path: path.write_bytes(b"not packed at all" * 100),
    "it is a plain database": lambda path: path.write_bytes(b"SQLite format 3\0" * 100),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged(packed: Lab, damage: Callable[[Path], object]) -> None:
    """A packed file that is not what it was is told by every command that reads it, and nothing is done with it."""
    backup, before = middle(packed), packed.content("people", ["id", "b"])
    damage(backup.path)
    target = target_of(packed)
    with pytest.raises(ValuesGone):
        plan_undo(target, dropping_run(packed))
    if damage is not flipped:
        with pytest.raises(BackupNotUsable):
            compare_backup(backup, target)
    with pytest.raises(BackupNotUsable):
        export_backup(backup, target, packed.path.with_name("exported.db"))
    assert isinstance(restore(backup, target).error, BackupNotGood)
    assert middle(packed).problem, "it is kept"
    assert packed.content("people", ["id", "b"]) == before
    assert not any("partial" in name for name in names(packed))


def test_half_an_entry(packed: Lab) -> None:
    """A packed file alone, or with a description that cannot be read, is told as a plain one is."""
    second, third = all_of(packed)[1:]
    second.plain_path.with_suffix(".json").unlink()
    third.plain_path.with_suffix(".json").write_text("{")
    told = {backup.id: (backup.path, backup.problem) for backup in all_of(packed)}
    assert told[second.id] == (second.path, "it has no description, so nobody knows what it is")
    assert told[third.id][0] == third.path
    assert "cannot be read" in told[third.id][1]
    third.path.unlink()
    assert "cannot be read" in middle_of(packed, third).problem


def test_unpacked_by_hand(packed: Lab) -> None:
    """What a person unpacked beside the packed file is the backup; half of that is told, until it is taken away."""
    backup = middle(packed)
    backup.plain_path.write_bytes(unpacked(backup))
    assert verify_backup(backup, target_of(packed)).problem == ""
    assert not middle(packed).packed
    backup.plain_path.write_bytes(unpacked(backup)[:4096])
    assert verify_backup(backup, target_of(packed)).problem
    backup.plain_path.unlink()
    assert verify_backup(backup, target_of(packed)).problem == ""


def test_no_room_to_unpack(packed: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is asked for before; what there is no room for is not called bad."""
    total = shutil.disk_usage(packed.path.parent)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: total)
    with pytest.raises(NotEnoughSpace):
        verify_backup(middle(packed), target_of(packed))
    with pytest.raises(NotEnoughSpace):
        plan_undo(target_of(packed), dropping_run(packed))
    assert middle(packed).problem == ""


def verify_one(say: Say, lab: Lab) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        say(verify_backup(middle(lab), target_of(lab)).problem)
    except UnpackingFailed as error:
        say(str(error))


def test_a_disk_that_is_full_while_unpacking(packed: Lab) -> None:
    """It is said where it could not be unpacked; the backup is not called bad, and nothing stays."""
    before = names(packed)
    (told,) = Child(verify_one, packed).hear_all()
    assert "is packed, and could not be unpacked in" in told
    assert middle(packed).problem == ""
    assert names(packed) == before


def test_a_disk_that_is_full_while_packing(lab: Lab) -> None:
    """The plain file stays, the run succeeds and says what could not be packed, and nothing stays of the attempt."""
    lab.create(models())
    lab.sql("CREATE TABLE noise AS WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 900)"
            " SELECT randomblob(1000) AS noise FROM n")  # fmt: skip
    run(lab, 0, "a", **ZSTD)
    lab.sql("DROP TABLE noise")
    lab.sql("VACUUM")
    before = all_of(lab)[0]
    work = partial(warning_of_a_run, lab)
    told = Child(run_out_of_room, work, 400_000).hear_all()
    assert told[-1] == ("migrated", ""), told
    assert middle_of(lab, before).packed is False
    assert not any("partial" in name for name in names(lab))
    (sentence,) = lab.path.with_name("warnings").read_text().splitlines()
    assert sentence.startswith(f"the backup {before.id} was not packed: File too large")
    assert pack(lab) == []
    assert middle_of(lab, before).packed


def warning_of_a_run(lab: Lab, report: Any) -> Run:
    done = migrate(lab.target(models("a", "b"), policy=Policy.FULL, **ZSTD), report=report)
    lab.path.with_name("warnings").write_text("\n".join(done.warnings))
    return done


# -- without the library -----------------------------------------------------------------------------------------------

WITHOUT = (
    "import sys; sys.modules |= {'backports': None, 'compression': None}; from trueup.cli import main; sys.exit(main())"
)


def without(lab: Lab, *arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """The command line where Python has no zstd: exit code, and all that it says."""
    command = ("-c", WITHOUT, *arguments, "--url", lab.url)
    process = start_python(*command, cwd=lab.path.parent, environment=environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def test_nothing_to_pack_with(lab: Lab) -> None:
    """Where zstd is asked for and not there, a run succeeds, and says what to install; the backups stay unpacked."""
    lab.create(models())
    run(lab, 0, "a")
    lab.path.with_name("m.py").write_text(
        "from sqlalchemy import *\nmetadata = MetaData()\n"
        "Table('people', metadata, Column('id', Integer, primary_key=True), Column('a', Text), Column('b', Text))\n"
    )
    asked = {"TRUEUP_BACKUP_COMPRESSION": "zstd"}
    code, told = without(lab, "--auto", "--models", "m.py:metadata", environment=asked)
    assert code == 0, told
    assert "older backups were not packed: this Python cannot read zstd: install trueup[zstd]" in told
    assert [backup.packed for backup in all_of(lab)] == [False, False]


def test_nothing_to_unpack_with(packed: Lab) -> None:
    """Packed backups are listed; who wants to read one is told what to install, and none of them is called bad."""
    backup = middle(packed)
    assert without(packed, "backups")[0] == 0
    for command in (
        ("backups", "verify", backup.id),
        ("backups", "diff", backup.id),
        ("backups", "export", backup.id, "x.db"),
        ("restore", backup.id),
        ("undo", dropping_run(packed), "--yes"),
    ):
        code, told = without(packed, *command)
        assert code != 0, command
        assert "install trueup[zstd], or unpack the file by the command zstd -d" in " ".join(told.split()), command
    assert [item.problem for item in all_of(packed)] == ["", "", ""]


# -- killed, and many at once ------------------------------------------------------------------------------------------


@pytest.fixture
def larger(lab: Lab) -> Lab:
    """Four backups of some megabytes, none of them packed."""
    bank.found_bank(lab)
    for day in range(4):
        make_backup(lab.target(()), now=lambda day=day: NOW + timedelta(days=day))  # type: ignore[misc]
    return lab


def unpack_all(lab: Lab) -> None:
    for backup in all_of(lab):
        packing.put_back(backup, Limits())
        backup.plain_path.with_name(f"{backup.plain_path.name}.zst").unlink(missing_ok=True)


def tidy(lab: Lab) -> list[str]:
    """What a run does in the end."""
    target = target_of(lab)
    with target.dialect().lock(intent("x", "auto", NOW), 10.0, lambda _holder: None, Limits()):
        told = pack(lab)
        tidying.tidy_backups(target, target.dialect(), (), NOW)
    return told


def tidy_twice(say: Say, lab: Lab) -> None:
    """Pack all but the newest, and then once more with one of them unpacked, as for an undo."""
    tidying._PATIENCE = 0.0
    say("begun")
    tidy(lab)
    packing.put_back(middle(lab), Limits())
    tidy(lab)
    say("done")


def test_killed_while_packing(larger: Lab) -> None:
    """After kill -9 at any moment every backup is there and good; who packs next takes away what was left."""
    child, ids = Child(tidy_twice, larger), [backup.id for backup in all_of(larger)]
    assert child.hear() == "begun"
    began = time.monotonic()
    assert child.hear_all() == ["done"]
    took, chance, in_the_middle = time.monotonic() - began, random.Random(0), 0
    for _ in range(KILLS):
        unpack_all(larger)
        child = Child(tidy_twice, larger)
        assert child.hear() == "begun"
        time.sleep(chance.uniform(0, took))
        child.kill()
        in_the_middle += not all_of(larger)[-1].packed
        assert [verify_backup(backup, target_of(larger)).problem for backup in all_of(larger)] == [""] * 4
        tidying_now(larger)
        assert names(larger) == {
            *(f"{id_}.json" for id_ in ids),
            *(f"{id_}.db.zst" for id_ in ids[1:]),
            f"{ids[0]}.db",
        }
    assert in_the_middle


def tidying_now(lab: Lab) -> None:
    """However lately something was unpacked."""
    assert Child(tidy_at_once, lab).hear_all() == [[]]


def tidy_at_once(say: Say, lab: Lab) -> None:
    tidying._PATIENCE = 0.0
    say(tidy(lab))


def verify_all(say: Say, lab: Lab) -> None:
    say("begun")
    while True:
        for backup in all_of(lab):
            verify_backup(backup, target_of(lab))


def test_killed_while_unpacking(larger: Lab) -> None:
    """What was half unpacked is taken away by the next run, and nothing that somebody is still reading."""
    pack(larger)
    before, left, chance = names(larger), set[str](), random.Random(1)
    for _ in range(KILLS):
        child = Child(verify_all, larger)
        assert child.hear() == "begun"
        time.sleep(chance.uniform(0, 0.2))
        child.kill()
        assert {backup.problem for backup in all_of(larger)} == {""}
        left |= {name for name in names(larger) - before if name.startswith(".trueup-unpacked-")}
    assert left
    with packing.plain(all_of(larger)[-1], Limits()) as path:
        assert tidy(larger) == []
        assert path.read_bytes() == unpacked(all_of(larger)[-1])
    assert tidy(larger) == []
    assert {name for name in names(larger) if ".json." not in name} == before  # a description half noted stays an hour


def test_many_at_once(larger: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one packs and others unpack, everybody who lists and verifies finds every backup good."""
    monkeypatch.setattr(tidying, "_PATIENCE", 0.0)
    target, seen, stop = target_of(larger), list[str](), threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.extend(backup.problem for backup in list_backups(target))

    def verify() -> None:
        while not stop.is_set():
            for backup in list_backups(target):
                seen.append(verify_backup(backup, target).problem)

    threads = [threading.Thread(target=task) for task in (look, look, verify, verify)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        assert pack(larger) == []
        for backup in all_of(larger)[1:]:
            packing.put_back(backup, Limits())
    stop.set()
    for thread in threads:
        thread.join()
    assert len(seen) > 20
    assert set(seen) == {""}
    assert {json.loads(path.read_text())["path"] for path in all_of(larger)[0].path.parent.glob("*.json")} == {
        backup.plain_path.name for backup in all_of(larger)
    }
