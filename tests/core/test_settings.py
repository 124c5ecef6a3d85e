"""Where settings come from, and what a wrong one is told."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.command import trueup
from trueup import Policy, Settings, load_settings
from trueup.errors import ConfigurationError


def load(directory: Path, environment: dict[str, str] | None = None, **arguments: object) -> Settings:
    return load_settings(arguments, environment=environment or {}, directory=directory)


def test_the_defaults(tmp_path: Path) -> None:
    """Without any configuration the policy is safe, backups are made, and times are bounded."""
    settings = load(tmp_path)
    assert (settings.policy, settings.backup, settings.time_limit, settings.lock_timeout) == (Policy.SAFE, True, 30, 10)
    assert settings.history_table == "migration_history"
    assert settings.decisions == tmp_path / "trueup.toml"


def test_arguments_over_environment_over_file(tmp_path: Path) -> None:
    """The command line wins over the environment, the environment over the file."""
    (tmp_path / "trueup.toml").write_text('url = "sqlite:///file.db"\nmodels = "file:Base"\npolicy = "check"')
    environment = {"TRUEUP_URL": "sqlite:///env.db", "TRUEUP_MODELS": "env:Base"}
    settings = load(tmp_path, environment, url="sqlite:///argument.db")
    assert (settings.url, settings.models, settings.policy) == ("sqlite:///argument.db", "env:Base", Policy.CHECK)


def test_pyproject(tmp_path: Path) -> None:
    """[tool.trueup] of a pyproject.toml is read from a directory below it, and decisions go beside it."""
    (tmp_path / "pyproject.toml").write_text('[tool.trueup]\nmodels = "app:Base"\nbackup = false\ntime_limit = 0')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = load(below)
    assert (settings.models, settings.backup, settings.time_limit) == ("app:Base", False, None)
    assert (settings.base, settings.decisions) == (tmp_path, tmp_path / "trueup.toml")


def test_the_nearest_file_wins(tmp_path: Path) -> None:
    """trueup.toml goes before pyproject.toml in one directory, and a nearer directory before a farther one."""
    (tmp_path / "trueup.toml").write_text('models = "far:Base"')
    near = tmp_path / "near"
    near.mkdir()
    (near / "pyproject.toml").write_text('[tool.trueup]\nmodels = "pyproject:Base"')
    assert load(near).models == "pyproject:Base"
    (near / "trueup.toml").write_text('models = "near:Base"')
    assert load(near).models == "near:Base"


def test_database_url_is_the_last_resort(tmp_path: Path) -> None:
    """DATABASE_URL counts where nothing of trueup's own names a URL."""
    environment = {"DATABASE_URL": "sqlite:///general.db"}
    assert load(tmp_path, environment).url == "sqlite:///general.db"
    assert load(tmp_path, environment | {"TRUEUP_URL": "sqlite:///own.db"}).url == "sqlite:///own.db"


def test_every_setting_is_told_in_the_reference(tmp_path: Path) -> None:
    """The reference names every setting, its variable in the environment, and none that there is not."""
    (tmp_path / "trueup.toml").write_text("nothing_like_it = 1")
    with pytest.raises(ConfigurationError, match="Known are ") as caught:
        load(tmp_path)
    known = str(caught.value).partition("Known are ")[2].rstrip(".").split(", ")
    assert set(known) <= {field.name for field in fields(Settings)}
    reference = Path(__file__).parents[2].joinpath("docs", "reference.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`TRUEUP_(\w+)", reference)) == {name.upper() for name in known}


def test_the_callers_defaults(tmp_path: Path) -> None:
    """What a program gives as defaults holds where no place says otherwise, the URL included."""
    given = Settings(url="sqlite:///default.db", time_limit=15.0, policy=Policy.CHECK)
    (tmp_path / "trueup.toml").write_text('policy = "full"')
    settings = load_settings(environment={}, directory=tmp_path, defaults=given)
    assert (settings.url, settings.time_limit, settings.policy) == ("sqlite:///default.db", 15.0, Policy.FULL)
    environment = {"DATABASE_URL": "sqlite:///general.db"}
    assert load_settings(environment=environment, directory=tmp_path, defaults=given).url == "sqlite:///general.db"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("polcy = 'safe'", "unknown setting 'polcy'. Did you mean policy?"),
        ("policy = 'reckless'", "must be one of check, additive, safe, full"),
        ("time_limit = -1", "0 or more"),
        ("lock_timeout = nan", "0 or more"),
        ("lock_timeout = 1e10", "at most 1000000"),
        ("time_limit = inf", "a number of seconds, 0 or more"),
        ("time_limit = true", "a number of seconds"),
        ("backup_days = inf", "at most 100000"),
        ("history_days = 0", "more than 0"),
        ("backup_count = 2.5", "a whole number"),
        ("backup_count = 0", "1 or more"),
        ("backup_megabytes = inf", "a number of megabytes, 0 or more"),
        ("backup = 'perhaps'", "true or false"),
        ("history_table = 'a; DROP TABLE b'", "plain name"),
        ("models = 3", "must be text"),
        ("models = ", "is not valid TOML"),
        ("models = '\xff'", "trueup.toml"),
    ],
)
def test_a_wrong_file(tmp_path: Path, content: str, sentence: str) -> None:
    """A setting that is not understood is an error that names the file and the setting; it is never ignored."""
    (tmp_path / "trueup.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"trueup\.toml") as caught:
        load(tmp_path)
    assert sentence in str(caught.value)


def test_a_directory_that_cannot_be_looked_into(tmp_path: Path) -> None:
    """As root's for another user: a file in it may hold a narrower policy, so nobody acts as if there were none."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    models = tmp_path / "schema.sql"
    models.write_text("CREATE TABLE t (x)")
    arguments = ("--auto", "--url", f"sqlite:///{tmp_path}/app.db", "--models", str(models))
    answer = trueup(*arguments, cwd=closed, as_user=True)
    assert (answer.code, f"Whether there is a {closed}/trueup.toml cannot be seen" in answer.err) == (2, True)
    (tmp_path / "trueup.toml").touch()
    assert trueup(*arguments, "--config", str(tmp_path / "trueup.toml"), cwd=closed, as_user=True).code == 0
