"""The history as JSON; every key is always there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trueup.cleaning import Cleanup
from trueup.past import PastRun
from trueup.statistics import Statistics, Tally


def runs_object(runs: Sequence[PastRun]) -> dict[str, Any]:
    """The history.

    Args:
        runs: newest first.
    """
    return {"runs": [_past_run_json(run) for run in runs]} | statistics_object(Statistics.of(runs[::-1]))


def run_object(run: PastRun) -> dict[str, Any]:
    """One run."""
    return {"run": _past_run_json(run)}


def statistics_object(found: Statistics) -> dict[str, Any]:
    """What the runs come to together."""
    return {
        "statistics": {
            **_tally_json(found.all),
            "kinds": {kind: _tally_json(tally) for kind, tally in found.kinds.items()},
            "recent_failures": [
                {
                    "run_id": run.id,
                    "kind": run.kind,
                    "state": run.state,
                    "error": run.error or run.name,
                    "started_at": run.started_at.isoformat(),
                }
                for run in found.recent_failures
            ],
        }
    }


def cleanup_object(found: Cleanup, *, done: bool) -> dict[str, Any]:
    """What a cleanup takes out."""
    return {
        "done": done,
        "before": found.before.isoformat(),
        "removed": [run.id for run in found.removed],
        "shortened": [run.id for run in found.shortened],
        "steps": found.steps,
        "kept": [run.id for run in found.kept],
    }


def _tally_json(tally: Tally) -> dict[str, Any]:
    return {
        "runs": tally.runs,
        "completed": tally.completed,
        "success_rate": tally.success_rate,
        "average_ms": None if tally.average is None else round(tally.average * 1000),
    }


def _past_run_json(run: PastRun) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "kind": run.kind,
        "name": run.name,
        "note": run.note or None,
        "state": run.state,
        "error": run.error or None,
        "started_at": run.started_at.isoformat(),
        "execution_time_ms": round(run.seconds * 1000),
        "checksum": run.checksum or None,
        "undo_sql": run.undo_sql or None,
        "policy": run.policy or None,
        "backup_id": run.backup_id or None,
        "performed_by": run.performed_by or None,
        "drifted_since": run.drifted_since or None,
        "undone_by": run.undone_by or None,
        "undoes": list(run.undoes),
        "steps": [
            {
                "number": step.number,
                "sentence": step.sentence,
                "status": step.status,
                "error": step.error or None,
                "form": step.form or None,
                "sql": step.sql,
                "undo_sql": step.undo_sql or None,
                "execution_time_ms": round(step.seconds * 1000),
                "undone_by": step.undone_by or None,
            }
            for step in run.steps
        ],
    }
