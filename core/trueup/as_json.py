"""The one object of ``--json``: every key is always there, whatever happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trueup.errors import TrueupError
from trueup.hazards import Hazard
from trueup.plan import Assessment, Plan
from trueup.run import Backup, Run
from trueup.stages.retention import storage_warning
from trueup.standing import Position


def plan_object(plan: Plan) -> dict[str, Any]:
    """The differences, only compared."""
    status = "in_sync" if plan.in_step else "different"
    return _object(status=status, success=True, plan=plan, samples=True, **_position_json(plan.position))


def run_object(run: Run) -> dict[str, Any]:
    """The outcome of a run."""
    return _object(
        status=str(run.status),
        success=run.success,
        plan=run.plan,
        migration_needed=run.migration_needed,
        warnings=[*run.warnings, *(run.plan.unsupported if run.plan else ())],
        operations_executed=run.operations_executed,
        execution_time_ms=round(run.seconds * 1000),
        backup=_backup_json(run.backup) if run.backup else None,
        run_id=run.id if run.operations_executed else None,
        removed_backups=[backup.id for backup in run.removed_backups],
        error=_error_json(run.error) if run.error else None,
        **_position_json(run.position),
    )


def restore_object(run: Run) -> dict[str, Any]:
    """The outcome of a restore."""
    return {
        "status": str(run.status),
        "success": run.success,
        "restored": run.restored.id if run.restored else None,
        "backup": _backup_json(run.backup) if run.backup else None,
        "execution_time_ms": round(run.seconds * 1000),
        "run_id": run.id,
        "warnings": list(run.warnings),
        "error": _error_json(run.error) if run.error else None,
    }


def backups_object(backups: Sequence[Backup]) -> dict[str, Any]:
    """The catalogue of backups."""
    return {
        "size": sum(backup.size for backup in backups),
        "warning": storage_warning(backups) or None,
        "backups": [
            _backup_json(backup)
            | {
                "created_at": backup.created_at.isoformat(),
                "rows": sum(backup.row_counts.values()),
                "tables": len(backup.row_counts),
                "run_id": backup.run_id,
                "verified_at": backup.verified_at.isoformat() if backup.verified_at else None,
                "problem": backup.problem or None,
            }
            for backup in backups
        ],
    }


def _position_json(position: Position) -> dict[str, Any]:
    return {"standing": str(position.standing), "since_run": position.since.run_id if position.since else None}


def _backup_json(backup: Backup) -> dict[str, Any]:
    return {"id": backup.id, "path": str(backup.path), "size": backup.size}


def error_object(error: TrueupError) -> dict[str, Any]:
    """What went wrong before there was anything else to tell."""
    return _object(status=error.status, success=False, plan=None, error=_error_json(error))


def _object(*, status: str, success: bool, plan: Plan | None, samples: bool = False, **given: Any) -> dict[str, Any]:
    """What rows hold (``samples``) is for those who compare; what a run prints goes to logs."""
    changes = [(item.verdict, _change_json(item, samples=samples)) for item in plan.assessments] if plan else []
    empty: dict[str, Any] = {
        "operations_executed": 0,
        "execution_time_ms": 0,
        "backup": None,
        "run_id": None,
        "removed_backups": [],
        "error": None,
        **_position_json(Position()),
    }
    return {
        "status": status,
        "success": success,
        "migration_needed": bool(plan and not plan.in_step),
        "changes": [change for verdict, change in changes if verdict not in ("retire", "kept")],
        "blocked": [change for verdict, change in changes if verdict == "blocked"],
        "retired": [change for verdict, change in changes if verdict == "retire"],
        "warnings": [*plan.warnings, *plan.unsupported] if plan else [],
        **empty,
        **given,
    }


def _change_json(item: Assessment, *, samples: bool) -> dict[str, Any]:
    return {
        "kind": item.change.kind,
        "id": item.change.id,
        "table": item.change.table,
        "name": item.change.label or None,
        "sentence": item.change.sentence,
        "verdict": str(item.verdict),
        "reason": item.reason or None,
        "remedy": item.remedy or None,
        "hazards": [_hazard_json(hazard, samples=samples) for hazard in item.hazards],
    }


def _hazard_json(hazard: Hazard, *, samples: bool) -> dict[str, Any]:
    named = hazard.finding.samples if samples else ()
    return {
        "rule": hazard.rule,
        "severity": str(hazard.severity),
        "rows": hazard.rows,
        "complete": hazard.finding.seen is None,
        "sentence": hazard.sentence,
        "remedy": hazard.remedy,
        "key": hazard.finding.key or None,
        "samples": [{"key": sample.key, "value": sample.value or None} for sample in named],
    }


def _error_json(error: TrueupError) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": str(error)}
