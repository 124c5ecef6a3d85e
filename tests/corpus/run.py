"""Print what becomes of every pair of the corpus, with trueup and with Alembic: ``make corpus``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.corpus.harness import (
    ALEMBIC,
    CORPUS,
    PRESENT,
    TRUEUP,
    Pair,
    Verdict,
    artefact,
    failed_checks,
    judge,
    left_over,
    lost,
    pairs,
)
from tests.corpus.proposals import ProposalFailed, propose

LEGEND = """
A database of the old release, filled with rows, is migrated to the models of the new one; trueup with --policy full,
Alembic by what its autogeneration writes, in batch mode, which nobody edits.
  passed     it ended with success, the structure is that of a new database, every surviving value is there, integrity
             and foreign keys are sound, and a second run is silent
  decided N  only a person could answer, and nothing was changed; with N decisions it passed: those that trueup itself
             proposed, or those of a checked-in file
  asks       only a person can answer, and nothing was changed; what no ready decision answers stands below the row, or
             why the examples in them, which a person has to replace, do not do
  refused    it failed, and nothing was changed
  stopped    it failed half-way and left a changed database
  fails ...  it ended with success, but these checks did not pass
lost  rows and values that should be there and are not as they were
left  differences between the database and a new one of the models
"""


@dataclass
class Result:
    """What one of the two made of a pair."""

    pair: Pair
    subject: str
    outcome: str
    verdict: Verdict
    kept: bool
    """Whether it is one of the good ends."""
    notes: list[str] = field(default_factory=list)

    @property
    def row(self) -> str:
        return f"{self.outcome:22}{lost(self.verdict):5}{left_over(self.verdict):5}{self.verdict['seconds']:8.1f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", default="", help="only these, separated by commas")
    parser.add_argument("--without-alembic", action="store_true")
    parser.add_argument("--json", type=Path, help="write every verdict here too")
    options = parser.parse_args()
    if not PRESENT:
        print(f"There is no corpus at {CORPUS}; name its directory: make corpus TRUEUP_CORPUS=path/to/corpus")
        return 2
    chosen = [pair for pair in pairs() if pair.app in options.apps.split(",") or not options.apps]
    subjects = [TRUEUP] if options.without_alembic else [TRUEUP, ALEMBIC]
    results = _print_rows(chosen, subjects)
    for subject in subjects:
        _print_totals([result for result in results if result.subject == subject])
    if options.json:
        options.json.write_text(json.dumps([result.verdict for result in results], indent=1), encoding="utf-8")
    return 0 if all(result.kept for result in results if result.subject == TRUEUP) else 1


def _print_rows(chosen: Sequence[Pair], subjects: Sequence[str]) -> list[Result]:
    """Judge in parallel and print each row as soon as it is known, in the order of the corpus."""
    heading = f"{'':22}{'lost':>5}{'left':>5}{'seconds':>8}"
    print(LEGEND)
    print("  ".join([f"{'':42}", *(f"{_name(subject):40}" for subject in subjects)]))
    print("  ".join([f"{'':42}", *(heading for _ in subjects)]))
    results = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [[pool.submit(_result, pair, subject) for subject in subjects] for pair in chosen]
        for pair, futures in zip(chosen, running, strict=True):
            row = [future.result() for future in futures]
            print("  ".join([f"{pair!s:42}", *(result.row for result in row)]), flush=True)
            print("".join(f"{'':8}{note}\n" for note in row[0].notes), end="")
            results += row
    return results


def _name(subject: str) -> str:
    return "trueup" if subject == TRUEUP else "Alembic"


def _result(pair: Pair, subject: str) -> Result:
    verdict = judge(pair, subject)
    if subject != TRUEUP or verdict["success"] or not verdict["refused_clean"] or pair.decisions.is_file():
        return _judged(pair, subject, verdict, _count(pair.decisions))
    with tempfile.TemporaryDirectory(prefix="trueup-corpus-") as directory:
        file = Path(directory) / "trueup.toml"
        try:
            unanswered = propose(pair, file)
        except ProposalFailed as error:
            return Result(pair, subject, "asks", verdict, kept=True, notes=[f"an example does not do: {error}"])
        if unanswered:
            return Result(pair, subject, "asks", verdict, kept=True, notes=unanswered)
        return _judged(pair, subject, judge(pair, decisions=file), _count(file))


def _judged(pair: Pair, subject: str, verdict: Verdict, decisions: int) -> Result:
    failed = failed_checks(verdict)
    notes = [artefact(verdict)] if artefact(verdict) else []
    if not failed:
        outcome = f"decided {decisions}" if decisions and subject == TRUEUP else "passed"
    elif verdict["success"]:
        outcome = f"fails {', '.join(sorted(failed))}"
    else:
        outcome = "refused" if verdict["refused_clean"] else "stopped"
        notes = [str(verdict.get("error"))]
    return Result(pair, subject, outcome, verdict, kept=not failed, notes=notes)


def _count(file: Path) -> int:
    return file.read_text(encoding="utf-8").count("[[decisions]]") if file.is_file() else 0


def _print_totals(results: Sequence[Result]) -> None:
    """How often each end came, and the sums."""
    print(f"\n{_name(results[0].subject)}, {len(results)} pairs:" if results else "")
    for title, long in (("consecutive releases", False), ("long jumps", True)):
        group = [result for result in results if result.pair.long is long]
        ends = Counter(result.outcome.partition(" ")[0] for result in group)
        told = ", ".join(f"{count} {end}" for end, count in ends.most_common())
        print(f"  {len(group):3} {title:22}{told}")
    sums = [sum(count(result.verdict) for result in results) for count in (lost, left_over)]
    seconds = sum(result.verdict["seconds"] for result in results)
    print(f"  lost rows and values {sums[0]}, differences left {sums[1]}, seconds {seconds:.0f}")


if __name__ == "__main__":
    sys.exit(main())
