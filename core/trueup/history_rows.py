"""What the rows of the history have in common, whatever they tell of."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.plans import Plan, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Which run of this process ended, and when: what its row says whatever became of it."""

    run_id: str
    kind: str
    """A :attr:`trueup.past.PastRun.kind`."""
    started_at: datetime
    finished_at: datetime
    version: str
    """Of trueup."""

    def row(self, status: str) -> dict[str, Any]:
        """As a row of the history."""
        return {
            "run_id": self.run_id,
            "step": 0,
            "kind": self.kind,
            "status": status,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "execution_time_ms": milliseconds((self.finished_at - self.started_at).total_seconds()),
            "performed_by": _performer(),
            "trueup_version": self.version,
        }


def shared(run_row: Mapping[str, Any]) -> dict[str, Any]:
    """What the rows of the steps say as well."""
    return {key: run_row[key] for key in ("run_id", "kind", "status", "started_at", "finished_at")}


def step_row(number: int, step: Step, plan: Plan) -> dict[str, Any]:
    """What is known of a step before it is done."""
    return {
        "step": number,
        "name": step.sentence,
        "checksum": plan.checksum,
        "sql": step.sql,
        "form": str(step.form),
    }


def managed_text(keys: Iterable[tuple[str, str]]) -> str:
    """Of a table its name, of all else the kind and the name."""
    return json.dumps([name if kind == "table" else (kind, name) for kind, name in sorted(keys)])


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _performer() -> str:
    return f"{_user()}@{socket.gethostname()} (process {os.getpid()})"


def _user() -> str:
    import getpass  # only who writes pays for this import

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
