"""How right are the questions about renames? ``python tests/corpus/measure_renames.py [CORPUS]``.

For every pair of releases in the corpus, a database of the old one is made and filled, and compared with the models of
the new one. The candidates are held against the renames that a person sees (``renames.toml``). A question that stops a
run should be few and right; what is missed is dropped only under the policy ``full``.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event

from trueup import Plan, Policy, RenameCandidate, Settings, Target, changes, plan

HERE = Path(__file__).parent


def main() -> int:
    corpus = Path(sys.argv[1]) if sys.argv[1:] else HERE.parents[2] / "shared" / "corpus"
    sys.path.insert(0, str(corpus / "harness"))
    known = {app: set(names) for app, names in tomllib.loads((HERE / "renames.toml").read_text()).items()}
    found: Counter[str] = Counter()
    for pair in filter(_may_rename, json.loads((corpus / "pairs.json").read_text())):
        made = _plan(pair)
        for word, what in _judged(made, known.get(pair["app"], set())):
            found[word] += 1
            print(f"{word:14} {pair['app']} {pair['old']} -> {pair['new']}: {what}")
    _print_summary(found)
    return 0


def _may_rename(pair: dict[str, Any]) -> bool:
    """Something left and something of its kind came."""
    return any({f"dropped {kind}", f"new {kind}"} <= pair["changes"].keys() for kind in ("column", "table"))


def _plan(pair: dict[str, Any]) -> Plan:
    import common  # type: ignore[import-not-found]  # both are the harness's
    import populate  # type: ignore[import-not-found]

    old, new = (common.load_metadata(common.snapshot_path(pair["app"], pair[side])) for side in ("old", "new"))
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/app.db"
        engine = create_engine(url)
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        old.create_all(engine)
        populate.fill(engine, old, 12, new, False)
        engine.dispose()
        target = Target(url=url, models=new, settings=Settings(owned_tables=("*",)))
        return plan(target, policy=Policy.FULL, decisions=())


def _judged(made: Plan, known: set[str]) -> Iterator[tuple[str, str]]:
    """A word for every question and for every rename that was not asked about."""
    candidates = {_name(item): item for assessment in made.assessments for item in assessment.candidates}
    for name, item in candidates.items():
        if item.probable:
            yield "right question" if name in known else "wrong question", f"{name} ({item.score:.0%})"
    for name in sorted(_possible(made, known) - {name for name, item in candidates.items() if item.probable}):
        shown = candidates.get(name)
        yield ("shown only", f"{name} ({shown.score:.0%})") if shown else ("missed", name)


def _name(item: RenameCandidate) -> str:
    return f"{item.object} -> {item.to}"


def _possible(made: Plan, known: set[str]) -> set[str]:
    """Known renames both halves of which are differences of this pair."""
    gone, come = set(), set()
    for change in (item.change for item in made.assessments):
        if isinstance(change, changes.DropColumn | changes.DropTable):
            gone.add(_object(change))
        elif isinstance(change, changes.AddColumn | changes.CreateTable):
            come.add(_object(change))
    return {name for name in known if _halves(name)[0] in gone and _halves(name)[1] in come}


def _halves(name: str) -> tuple[str, str]:
    old, _, new = name.partition(" -> ")
    table, dot, _ = old.partition(".")
    return old, f"{table}.{new}" if dot else new


def _object(change: changes.Change) -> str:
    return f"{change.table}.{change.label}" if change.label else change.table


def _print_summary(found: Counter[str]) -> None:
    right, wrong = found["right question"], found["wrong question"]
    silent: Sequence[str] = ("shown only", "missed")
    every = right + sum(found[word] for word in silent)
    print(f"\n{right} right and {wrong} wrong questions: precision {right / max(1, right + wrong):.0%}")
    print(
        f"{every} renames: asked {right / max(1, every):.0%}, shown {(right + found['shown only']) / max(1, every):.0%}"
    )


if __name__ == "__main__":
    sys.exit(main())
