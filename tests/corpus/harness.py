"""The corpus of public applications' schema histories, and its harness, which judges a migration without trueup."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Integer

HERE = Path(__file__).parent
CORPUS = Path(os.environ.get("TRUEUP_CORPUS") or HERE.parents[2] / "shared" / "corpus")
"""Not a part of this repository."""
PRESENT = (CORPUS / "pairs.json").is_file()
TRUEUP, ALEMBIC = str(HERE / "subject.py"), "alembic"
CHECKS = ("success", "structure", "data", "integrity", "idempotent")
SECONDS = 300
"""For one migration."""

Verdict = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two releases of an application."""

    app: str
    old: str
    new: str
    long: bool
    """Whether there are releases between them."""
    asks: bool
    """Whether somebody must decide something, by the harness's own judgement of the rows that it makes."""

    def __str__(self) -> str:
        return f"{self.app} {self.old} -> {self.new}"

    @property
    def decisions(self) -> Path:
        """Where the decisions for this pair are, if there are any."""
        return HERE / "decisions" / f"{self.app}-{self.old}-{self.new}.toml"


def pairs() -> list[Pair]:
    """All pairs in which anything differs."""
    listed = json.loads((CORPUS / "pairs.json").read_text(encoding="utf-8")) if PRESENT else []
    return [
        Pair(item["app"], item["old"], item["new"], item["kind"] == "long", item["needs_decision"])
        for item in listed
        if item["changed"]
    ]


def judge(pair: Pair, subject: str = TRUEUP, decisions: Path | None = None) -> Verdict:
    """Migrate a database of the old release, and let the harness say what came of it.

    Args:
        pair: the releases.
        subject: what migrates.
        decisions: a configuration file with decisions, for trueup; the pair's own when not given.
    """
    decisions = decisions or pair.decisions
    command = [sys.executable, str(CORPUS / "harness" / "run_pair.py"), pair.app, pair.old, pair.new]
    command += ["--subject", subject, "--timeout", str(SECONDS)]
    command += ["--subject-args", f"--config {decisions}"] if subject == TRUEUP and decisions.is_file() else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * SECONDS, check=True)
    verdict: Verdict = json.loads(done.stdout.splitlines()[-1])
    return verdict


def failed_checks(verdict: Verdict) -> set[str]:
    """The checks that did not pass, without what is an artefact of the harness."""
    failed = {check for check in CHECKS if not verdict.get(check)}
    return failed - {"structure"} if artefact(verdict) else failed


def artefact(verdict: Verdict) -> str:
    """Why the only differences that the harness sees are none; empty where they are differences."""
    if not verdict["diffs"] or not _are_rowids(verdict):
        return ""
    return "the harness asks for the words NOT NULL beside INTEGER PRIMARY KEY, a rowid, which is never NULL"


def left_over(verdict: Verdict) -> int:
    """How many differences there still are between the database and a new one of the models."""
    return 0 if artefact(verdict) else sum(verdict["diffs"].values())


def lost(verdict: Verdict) -> int:
    """How many rows and values are not as they were, of those that both releases have."""
    return sum(count for kind, count in verdict["data_issues"].items() if kind not in ("rows-lost", "rows-added"))


def _are_rowids(verdict: Verdict) -> bool:
    keys = _rowids(verdict)
    return all(kind == "nullability" and (table, column) in keys for kind, table, column, *_ in verdict["diff_detail"])


def _rowids(verdict: Verdict) -> set[tuple[str, str]]:
    file = CORPUS / "snapshots" / verdict["app"] / f"{verdict['new']}.py"
    tables = runpy.run_path(str(file))["metadata"].tables.values()
    keys = [(table.name, list(table.primary_key.columns)) for table in tables]
    return {(name, parts[0].name) for name, parts in keys if len(parts) == 1 and isinstance(parts[0].type, Integer)}
