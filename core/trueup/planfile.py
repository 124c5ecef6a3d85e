"""A plan as a file: made and reviewed here, applied there, and only if everything is still as it was reviewed.

The file holds no secret, and nothing in it is executed: whoever applies it plans again, from the policy and the
decisions of the file, and compares. A file that somebody edited is refused; one that somebody forged could only say
less or more than the new plan, and is refused for that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trueup.as_json import estimate_json, steps_json
from trueup.clock import Now, utc_now
from trueup.decisions_file import entry_of, parse_entry
from trueup.errors import DecisionsError, PlanFileError, PlanMoved
from trueup.flow import plan
from trueup.plans import Plan
from trueup.policy import Policy
from trueup.schema import Schema
from trueup.target import Target

_FORMAT = 1
_SHOWN = 3
"""How many things that moved are named."""


def save_plan(plan: Plan, path: Path, *, now: Now = utc_now) -> None:
    """Write the plan into a JSON file, for review and for :func:`load_plan`.

    Args:
        plan: from :func:`trueup.plan`, or that of a rehearsal.
        path: the file; one that is there is overwritten.
        now: the clock.

    Raises:
        PlanFileError: the file cannot be written, or the plan has open questions.
    """
    if plan.blocked:
        raise PlanFileError(path=path, problem=f"a question is open about {plan.blocked[0].change.id}")
    content = _content(plan) | {"created_at": now().isoformat()}
    try:
        path.write_text(json.dumps(content | {"checksum": _checksum(content)}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PlanFileError(path=path, problem=error.strerror or str(error)) from error


def load_plan(path: Path, target: Target) -> Plan:
    """Plan again as the file says, and compare: the plan for this database, if it is the one of the file.

    Args:
        path: a file that :func:`save_plan` wrote, here or elsewhere.
        target: the database, which may be another copy with the same schema, and the same models.

    Raises:
        PlanFileError: the file is none, was edited, or is of another version's format.
        PlanMoved: the database, the models or the data are not those that the plan was reviewed for.
        TrueupError: there is no plan for this database at all; see :func:`trueup.plan`.
    """
    content = _read(path)
    with _understood(path):
        policy, left_out = Policy(content["policy"]), [str(item) for item in content["left_out"]]
        decisions = [parse_entry(entry, path) for entry in content["decisions"]]
    found = plan(target, policy=policy, decisions=decisions, leave_out=left_out)
    with _understood(path):
        moved = list(_moved(content, _content(found), found))
    if moved:
        more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
        raise PlanMoved(path=path, moved="; ".join(moved[:_SHOWN]) + more)
    return found


def _content(plan: Plan) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "versions": plan.versions,
        "database": plan.database,
        "models": plan.models,
        "policy": str(plan.policy),
        "decisions": [entry_of(decision) for decision in plan.decisions],
        "left_out": list(plan.left_out),
        "complexity": str(plan.complexity),
        "estimate": estimate_json(plan),
        "preamble": list(plan.preamble),
        "steps": steps_json(plan),
        "hazards": [
            {"change": item.change.id, "rule": hazard.rule, "severity": str(hazard.severity), "rows": hazard.rows}
            for item in plan.assessments
            for hazard in item.hazards
        ],
        "warnings": list(plan.warnings),
        "live": _objects(plan.live),
        "wanted": _objects(plan.wanted),
    }


def _objects(schema: Schema) -> dict[str, str]:
    """What stands for the stored text of each object, so that it can be told which one moved."""
    stored = {f"table {table.name}": table.sql for table in schema.tables}
    stored |= {f"index {index.name}": index.sql for table in schema.tables for index in table.indexes}
    stored |= {f"{item.kind} {item.name}": item.sql for item in schema.objects}
    return {name: _digest(sql)[:16] for name, sql in stored.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _checksum(content: Mapping[str, Any]) -> str:
    return _digest(json.dumps(content, sort_keys=True))


@contextmanager
def _understood(path: Path) -> Iterator[None]:
    """Whatever is wrong with the content of a file is wrong with the file."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, DecisionsError) as error:
        raise PlanFileError(path=path, problem=f"it is not understood ({error})") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanFileError(path=path, problem=error.strerror or str(error)) from error
    except ValueError as error:
        raise PlanFileError(path=path, problem=f"it is not JSON ({error})") from error
    if not isinstance(content, dict) or "format" not in content:
        raise PlanFileError(path=path, problem="trueup did not write it")
    if content["format"] != _FORMAT:
        raise PlanFileError(path=path, problem=f"its format is {content['format']}, and this version writes {_FORMAT}")
    if content.pop("checksum", None) != _checksum(content):
        raise PlanFileError(path=path, problem="somebody edited it after it was written")
    return content


# -- what moved --------------------------------------------------------------------------------------------------------


def _moved(reviewed: Mapping[str, Any], here: Mapping[str, Any], found: Plan) -> Iterator[str]:
    """Sentences; none when the plan of the file is the plan for this database."""
    yield from _objects_moved("in the database", reviewed["live"], here["live"])
    yield from _objects_moved("in the models", reviewed["wanted"], here["wanted"])
    known = {(hazard["change"], hazard["rule"]) for hazard in reviewed["hazards"]}
    for item in found.assessments:
        yield from (
            f"the data moved: {item.change.id}: {hazard.sentence}"
            for hazard in item.hazards
            if (item.change.id, hazard.rule) not in known
        )
    yield from (f"a question is open: {item.change.id}: {item.reason}" for item in found.blocked if not item.hazards)
    yield from _sql_moved(reviewed, here)


def _objects_moved(where: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"{where} the {name} is gone"
        elif name not in before:
            yield f"{where} the {name} is new"
        elif before[name] != now[name]:
            yield f"{where} the {name} is another one"


def _sql_moved(reviewed: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    before, now = (_script(content) for content in (reviewed, here))
    if before == now:
        return
    number = next((n for n, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), None)
    made, present = reviewed["versions"], here["versions"]
    why = f" (made by {made}; here is {present})" if made != present else ""
    what = f"step {number} is other SQL here" if number else f"it has {len(before) - 1} steps, and here {len(now) - 1}"
    yield f"{what}{why}"


def _script(content: Mapping[str, Any]) -> Sequence[str]:
    """The SQL of the preamble, then that of each step."""
    return ["\n".join(content["preamble"]), *(step["sql"] for step in content["steps"])]
