"""Public applications, from their first release in the corpus to their last, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CORPUS = Path(os.environ.get("TRUEUP_CORPUS", HERE.parents[2] / "shared" / "corpus"))
"""Schema histories of public applications with a harness that judges a migration; not a part of this repository."""

CHECKS = ("success", "structure", "data", "integrity", "idempotent", "pass")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS}; TRUEUP_CORPUS names another place"),
]


def judge(app: str, old: str, new: str) -> dict[str, Any]:
    """Migrate one application's database and let the harness say what came of it."""
    command = [sys.executable, str(CORPUS / "harness" / "run_pair.py"), app, old, new]
    command += ["--subject", str(HERE / "subject.py")]
    decisions = HERE / "decisions" / f"{app}-{old}-{new}.toml"
    command += ["--subject-args", f"--config {decisions}"] if decisions.is_file() else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return verdict


@pytest.mark.parametrize(
    ("app", "old", "new"),
    [
        ("calibreweb", "0.6.12", "0.6.27"),
        ("dagster", "0.7.0", "1.13.28"),
        ("fief", "0.1.7", "0.27.0"),
        ("mbs", "2.10.0", "3.9.2"),
        ("galaxy", "21.9.0", "24.0.3"),
        ("rally", "0.11.2", "3.4.0"),
    ],
)
def test_a_long_jump_passes_every_check(app: str, old: str, new: str) -> None:
    """With the policy full every check passes: structure, rows, values, integrity, and a silent second run."""
    verdict = judge(app, old, new)
    assert {check: verdict.get(check) for check in CHECKS} == dict.fromkeys(CHECKS, True), verdict.get("error")


@pytest.mark.parametrize(("app", "old", "new"), [("optuna", "0.4.0", "5.0.0"), ("gertty", "0.9.0", "1.6.0")])
def test_a_jump_that_needs_a_person_changes_nothing(app: str, old: str, new: str) -> None:
    """Where only a person can say how to go on, the answer is exit code 1 and the database is exactly as before."""
    verdict = judge(app, old, new)
    assert (verdict["rc"], verdict["refused_clean"], verdict["data"], verdict["integrity"]) == (1, True, True, True)
