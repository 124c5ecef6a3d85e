"""Public applications, from one release in the corpus to a later one, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import CORPUS, PRESENT, Pair, failed_checks, judge, pairs
from .proposals import propose

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not PRESENT, reason=f"no corpus at {CORPUS}; TRUEUP_CORPUS names another place"),
]

UNATTENDED = [
    "calibreweb 0.6.12 -> 0.6.27",
    "dagster 0.7.0 -> 1.13.28",
    "fief 0.1.7 -> 0.27.0",
    "mbs 2.10.0 -> 3.9.2",
    "galaxy 21.9.0 -> 24.0.3",
    "privacyidea 3.9.3 -> 3.10.2",
    "rally 0.11.2 -> 3.4.0",
]
"""One has a decisions file; the others need none."""

ASKING = [
    "argilla 1.17.0 -> 1.20.0",
    "fief 0.3.0 -> 0.4.7",
    "fief 0.25.3 -> 0.27.0",
    "optuna 0.4.0 -> 5.0.0",
]
"""Values for columns that must have one, renames, rows that point to nothing, rows that share a key."""


def named(names: list[str]) -> list[Pair]:
    return [pair for pair in pairs() if str(pair) in names]


@pytest.mark.parametrize("pair", named(UNATTENDED), ids=str)
def test_every_check_passes(pair: Pair) -> None:
    """With the policy full every check passes: structure, rows, values, integrity, and a silent second run."""
    verdict = judge(pair)
    assert failed_checks(verdict) == set(), verdict.get("error")


@pytest.mark.parametrize("pair", named(ASKING), ids=str)
def test_what_it_asks_it_can_answer(pair: Pair, tmp_path: Path) -> None:
    """Where only a person can decide nothing is changed; with the decisions that trueup proposes every check passes."""
    verdict = judge(pair)
    assert (verdict["rc"], verdict["refused_clean"], verdict["data"], verdict["integrity"]) == (1, True, True, True)
    decisions = tmp_path / "trueup.toml"
    assert propose(pair, decisions) == []
    verdict = judge(pair, decisions=decisions)
    assert failed_checks(verdict) == set(), verdict.get("error")
