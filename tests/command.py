"""Run the command line as users do: another process, its exit code, and what it printed."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _PR_CAPBSET_DROP = 1, 2, 24


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object of ``--json``; fails when stdout holds anything else."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def trueup(*arguments: str, cwd: Path, environment: dict[str, str] | None = None, as_user: bool = False) -> Answer:
    """Run ``python -m trueup``.

    Args:
        arguments: of the command line.
        cwd: the directory to run in.
        environment: added to a small one that holds nothing of the tester's own settings.
        as_user: file permissions hold even where the tests run as root.
    """
    process = start(*arguments, cwd=cwd, environment=environment, as_user=as_user)
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


def start(
    *arguments: str, cwd: Path, environment: dict[str, str] | None = None, as_user: bool = False
) -> subprocess.Popen[str]:
    """Like :func:`trueup`, without waiting for the end."""
    return start_python("-m", "trueup", *arguments, cwd=cwd, environment=environment, as_user=as_user)


def start_python(
    *arguments: str, cwd: Path, environment: dict[str, str] | None = None, as_user: bool = False
) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        env=kept | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_without_root_powers if as_user and os.geteuid() == 0 else None,
    )


def write_models(path: Path, body: str) -> str:
    """Write a file of models with a ``metadata`` and return the spec that names it.

    Args:
        path: the file.
        body: code that uses ``metadata`` and everything of ``sqlalchemy``.
    """
    path.write_text(f"from sqlalchemy import *\n\nmetadata = MetaData()\n{body}\n", encoding="utf-8")
    return f"{path}:metadata"


def people(columns: str = "") -> str:
    """Code for one small table, with more columns where given."""
    return f'Table("people", metadata, Column("id", Integer, primary_key=True), Column("name", String(20)), {columns})'


def _without_root_powers() -> None:
    """Root reads and writes whatever it likes; without these two capabilities the permission bits hold for it too."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "cannot drop a capability")
