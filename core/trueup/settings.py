"""One :class:`Settings` value, from arguments over the environment and the configuration files to the defaults."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trueup.errors import ConfigurationError
from trueup.policy import Policy

FILE = "trueup.toml"
_PREFIX = "TRUEUP_"
_MOST_SECONDS = 1_000_000.0
"""SQLite takes milliseconds of 32 bits: https://www.sqlite.org/c3ref/busy_timeout.html"""
_MOST_DAYS = 100_000.0
"""So many days before today there were dates."""
_MOST_BACKUPS, _MOST_MEGABYTES = 1e6, 1e9
"""More than anybody has; infinity is no number to count with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long backups are kept; whatever it says, the newest good one and what an undo needs stay."""

    days: float = 30.0
    """Older ones go."""
    count: int = 50
    """Only so many stay."""
    size: int | None = None
    """Bytes of all backups together; ``None`` for no limit."""
    large: int | None = 1_000_000_000
    """Bytes from which on a person is told to think about it; ``None`` for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run needs to know besides the models and the database's content."""

    url: str | None = None
    models: str | None = None
    policy: Policy = Policy.SAFE
    time_limit: float | None = 30.0
    """Seconds from lock to commit; ``None`` (written 0) for none."""
    lock_timeout: float = 10.0
    """Seconds to wait for another migrator or writer."""
    probe_limit: float | None = 10.0
    """Seconds for all questions that one plan asks of the data; ``None`` (written 0) for no limit. What there is no
    time for is taken for dangerous, or proved by the run itself."""
    backup: bool = True
    backup_full_check: bool = False
    """Hold every index of a new backup against its table as well; takes many times as long as the check without."""
    backup_compression: str = "none"
    """``"zstd"`` packs older backups after a run."""
    backup_dir: Path | None = None
    """Where backups go; ``.trueup/backups`` beside the database when not given."""
    backup_days: float = 30.0
    """Backups that are older are removed after a run."""
    backup_count: int = 50
    """Only so many are kept."""
    backup_megabytes: float | None = None
    """What all backups together may take; ``None`` (written 0) for no limit."""
    backup_warning_megabytes: float | None = 1000.0
    """From so many on a person is told to think about it; ``None`` (written 0) for never."""
    history_table: str = "migration_history"
    history_days: float = 90.0
    """Older records are taken out of the history when it is cleaned up."""
    accept_older_models: bool = False
    """Migrate without a person also to models that an earlier run was for and later runs left behind."""
    owned_tables: tuple[str, ...] = ()
    """Patterns (``*`` for any text) of tables that belong to the models even when these do not declare them: the policy
    ``full`` drops them. Tables that a recorded run knew are owned without being named here."""
    objects: tuple[Path, ...] = ()
    """Files of CREATE statements for what the models declare besides their tables: views, triggers, virtual tables."""
    base: Path = Path()
    """The directory that relative paths start from: that of the configuration file, else the current one. Where the
    settings are made without :func:`load_settings`, paths start from the current directory, and decisions are read from
    no file."""
    decisions: Path | None = None
    """The file that keeps decisions: the configuration file; ``trueup.toml`` beside a ``pyproject.toml``, or in the
    current directory where there is no configuration."""

    @property
    def retention(self) -> Retention:
        size, large = (
            None if megabytes is None else round(megabytes * 1_000_000)
            for megabytes in (self.backup_megabytes, self.backup_warning_megabytes)
        )
        return Retention(days=self.backup_days, count=self.backup_count, size=size, large=large)


def load_settings(
    arguments: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    config: Path | None = None,
    directory: Path | None = None,
    defaults: Settings = Settings(),
) -> Settings:
    """The settings that hold here.

    Args:
        arguments: from the command line; ``None`` values do not count.
        environment: ``TRUEUP_URL``, ``TRUEUP_MODELS`` and so on; ``DATABASE_URL`` where no other place names a URL.
        config: the configuration file to read instead of looking for one.
        directory: where to look for one, and in its parents; the current directory when not given.
        defaults: what holds where no place says otherwise.

    Raises:
        ConfigurationError: a file or a value is not understood.
    """
    directory = directory or _current_directory()
    path, table = _read_config(config) if config else _find_config(directory)
    base = path.parent if path else directory
    given: dict[str, Any] = {}
    for source, where in (
        (table, str(path)),
        (_environment(environment), "the environment"),
        (arguments or {}, "the command line"),
    ):
        given |= {name: _convert(name, value, where) for name, value in source.items() if value is not None}
    if environment.get("DATABASE_URL"):
        given.setdefault("url", environment["DATABASE_URL"])
    settings = replace(defaults, **given)
    decisions = path if path and path.name != "pyproject.toml" else base / FILE
    return replace(settings, base=base, decisions=decisions)


def _find_config(directory: Path) -> tuple[Path | None, dict[str, Any]]:
    """``trueup.toml``, else ``[tool.trueup]`` in ``pyproject.toml``: here, or in the nearest parent that has one."""
    for place in (directory, *directory.parents):
        if _is_file(place / FILE):
            return _read_config(place / FILE)
        project = place / "pyproject.toml"
        if _is_file(project) and "trueup" in _toml(project).get("tool", {}):
            return _read_config(project)
    return None, {}


def _current_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        problem = f"The current directory cannot be used: {error.strerror}. Nothing was opened; start in another one."
        raise ConfigurationError(problem=problem) from error


def _is_file(path: Path) -> bool:
    """A file that nobody can see may hold a narrower policy, so it is not taken for one that is not there."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        problem = (
            f"Whether there is a {path} cannot be seen: {error.strerror}. Nothing was opened; start in a directory that"
            " this user may read, or name the file with --config."
        )
        raise ConfigurationError(problem=problem) from error


def _read_config(path: Path) -> tuple[Path, dict[str, Any]]:
    content = _toml(path)
    table = content.get("tool", {}).get("trueup", {}) if path.name == "pyproject.toml" else content
    settings = {name: value for name, value in table.items() if name != "decisions"}
    unknown = next((name for name in settings if name not in _CONVERTERS), None)
    if unknown is not None:
        from difflib import get_close_matches  # a server that starts does not pay for this import

        near = get_close_matches(unknown, _CONVERTERS, 1)
        hint = f" Did you mean {near[0]}?" if near else f" Known are {', '.join(_CONVERTERS)}."
        raise ConfigurationError(problem=f"{path} has an unknown setting {unknown!r}.{hint}")
    return path.absolute(), settings


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # who has no file does not pay for this import

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(problem=f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(problem=f"{path} is not valid TOML: {error}.") from error


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = {f"{_PREFIX}{name.upper()}": name for name in _CONVERTERS}
    return {names[key]: value for key, value in environment.items() if key in names and value}


def _convert(name: str, value: Any, where: str) -> Any:
    try:
        return _CONVERTERS[name](value)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(problem=f"{name} = {value!r} (from {where}) is not possible: {error}.") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("it must be text")
    return value


def _identifier(value: Any) -> str:
    if not _text(value).isidentifier():
        raise ValueError("it must be a plain name of letters, digits and underscores")
    return str(value)


def _policy(value: Any) -> Policy:
    if value not in list(Policy):
        raise ValueError(f"it must be one of {', '.join(Policy)}")
    return Policy(value)


def _compression(value: Any) -> str:
    if value not in ("none", "zstd"):
        raise ValueError("it must be none or zstd")
    return str(value)


def _number(value: Any, unit: str, *, least: float, most: float) -> float:
    """A number, also one that is written as text."""
    if isinstance(value, bool):
        raise TypeError(f"it must be a number of {unit}")
    number = float(value)
    if not least <= number <= most:
        raise ValueError(f"it must be a number of {unit}, {least:g} or more and at most {most:.0f}")
    return number


def _seconds(value: Any) -> float:
    return _number(value, "seconds", least=0, most=_MOST_SECONDS)


def _limit(value: Any) -> float | None:
    return _seconds(value) or None


def parse_days(value: Any) -> float:
    """How old something must be, in days.

    Raises:
        ValueError: it is no number, or one that leads to before there were any dates.
    """
    return _number(value, "days", least=0, most=_MOST_DAYS)


def _days_kept(value: Any) -> float:
    kept = parse_days(value)
    if not kept:
        raise ValueError("it must be a number of days, more than 0")
    return kept


def _count(value: Any) -> int:
    count = _number(value, "backups", least=1, most=_MOST_BACKUPS)
    if not count.is_integer():
        raise ValueError("it must be a whole number")
    return int(count)


def _megabytes(value: Any) -> float | None:
    return _number(value, "megabytes", least=0, most=_MOST_MEGABYTES) or None


def _switch(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    found = words.get(str(value).lower())
    if found is None:
        raise ValueError("it must be true or false")
    return found


def _patterns(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(map(_text, value))


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "url": _text,
    "models": _text,
    "policy": _policy,
    "time_limit": _limit,
    "lock_timeout": _seconds,
    "probe_limit": _limit,
    "backup": _switch,
    "backup_full_check": _switch,
    "backup_compression": _compression,
    "backup_dir": Path,
    "backup_days": _days_kept,
    "backup_count": _count,
    "backup_megabytes": _megabytes,
    "backup_warning_megabytes": _megabytes,
    "history_table": _identifier,
    "history_days": _days_kept,
    "accept_older_models": _switch,
    "owned_tables": _patterns,
    "objects": lambda value: tuple(map(Path, _patterns(value))),
}
