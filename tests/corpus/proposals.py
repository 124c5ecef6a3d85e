"""The decisions that trueup itself proposes for a pair of the corpus, taken one after another until it asks no more."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .harness import CORPUS, TRUEUP, Pair

ROUNDS = 12
"""How often it may ask; an answer can lead to another question."""
_RENAME = re.compile(r'rename = "(?P<old>[^"]+)" with to = "(?P<new>[^"]+)"')


class ProposalFailed(Exception):
    """A run with decisions that trueup proposed itself neither succeeded nor asked for more."""


def propose(pair: Pair, file: Path) -> list[str]:
    """Write the decisions to a file.

    Args:
        pair: the releases.
        file: a configuration file that does not exist yet.

    Returns:
        The sentences that no ready decision came with; nothing when every question could be answered.

    Raises:
        ProposalFailed: with these decisions a run fails.
    """
    with tempfile.TemporaryDirectory(prefix="trueup-corpus-") as directory:
        database = Path(directory) / "app.db"
        _populate(pair, database)
        decided: dict[str, str] = {}
        file.write_text("", encoding="utf-8")
        for _ in range(ROUNDS):
            blocked = _ask(pair, database, file)
            answers = {_object(answer): answer for item in blocked for answer in _answers(item)}
            if not answers.keys() - decided.keys():
                return [f"{item['sentence']}: {item['reason']}" for item in blocked]
            decided = answers | decided
            file.write_text("\n".join(decided.values()), encoding="utf-8")
    return ["it asks for ever"]


def _populate(pair: Pair, database: Path) -> None:
    """Let the harness make the database of the old release, and nobody migrate it."""
    command = [sys.executable, str(CORPUS / "harness" / "run_pair.py"), pair.app, pair.old, pair.new]
    subprocess.run([*command, "--subject", "true", "--keep", str(database)], capture_output=True, check=True)


def _ask(pair: Pair, database: Path, file: Path) -> list[dict[str, Any]]:
    """Try to migrate, and return what only a person can answer. While there is such a thing, nothing is changed."""
    metadata = f"{CORPUS / 'snapshots' / pair.app / pair.new}.py:metadata"
    command = [sys.executable, TRUEUP, "--url", f"sqlite:///{database}", "--metadata", metadata, "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["error"]:
        raise ProposalFailed(answer["error"]["message"])
    blocked: list[dict[str, Any]] = answer["blocked"]
    return blocked


def _answers(item: dict[str, Any]) -> Iterator[str]:
    """The first ready decision of each hazard, or the rename that the sentence names; none that leaves something out or
    deletes rows, which is for a person to say."""
    ready = (hazard["repairs"][0]["decision"] for hazard in item["hazards"] if hazard.get("repairs"))
    yield from (decision for decision in ready if not re.search(r"^(skip|delete) =", decision, re.MULTILINE))
    named = _RENAME.search(item["remedy"] or "")
    if named:
        yield f'[[decisions]]\nrename = "{named["old"]}"\nto = "{named["new"]}"\n'


def _object(answer: str) -> str:
    """What the decision is about: the value of its first key."""
    (decision,) = tomllib.loads(answer)["decisions"]
    return str(next(iter(decision.values()))).lower()
