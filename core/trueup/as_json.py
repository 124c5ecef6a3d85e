"""The one object of ``--json``: every key is always there, whatever happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trueup.errors import TrueupError
from trueup.plan import Assessment, Plan
from trueup.run import Backup, Run


def plan_object(plan: Plan) -> dict[str, Any]:
    """The differences, only compared."""
    return _object(status="in_sync" if plan.in_step else "different", success=True, plan=plan)


def run_object(run: Run) -> dict[str, Any]:
    """The outcome of a run."""
    return _object(
        status=str(run.status),
        success=run.success,
        plan=run.plan,
        operations_executed=run.operations_executed,
        execution_time_ms=round(run.seconds * 1000),
        backup=_backup_json(run.backup) if run.backup else None,
        run_id=run.id if run.operations_executed else None,
        error=_error_json(run.error) if run.error else None,
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
        ]
    }


def _backup_json(backup: Backup) -> dict[str, Any]:
    return {"id": backup.id, "path": str(backup.path), "size": backup.size}


def error_object(error: TrueupError) -> dict[str, Any]:
    """What went wrong before there was anything else to tell."""
    return _object(status=error.status, success=False, plan=None, error=_error_json(error))


def _object(*, status: str, success: bool, plan: Plan | None, **given: Any) -> dict[str, Any]:
    assessments = plan.assessments if plan else ()
    empty: dict[str, Any] = {
        "operations_executed": 0,
        "execution_time_ms": 0,
        "backup": None,
        "run_id": None,
        "error": None,
    }
    return {
        "status": status,
        "success": success,
        "migration_needed": bool(plan and not plan.in_step),
        "changes": [_change_json(item) for item in assessments if item.verdict not in ("retire", "kept")],
        "blocked": [_change_json(item) for item in assessments if item.verdict == "blocked"],
        "retired": [_change_json(item) for item in assessments if item.verdict == "retire"],
        "warnings": [*plan.warnings, *plan.unsupported] if plan else [],
        **empty,
        **given,
    }


def _change_json(item: Assessment) -> dict[str, Any]:
    return {
        "kind": item.change.kind,
        "id": item.change.id,
        "table": item.change.table,
        "name": item.change.label or None,
        "sentence": item.change.sentence,
        "verdict": str(item.verdict),
        "reason": item.reason or None,
        "remedy": item.remedy or None,
        "hazards": [{"rule": hazard.rule, "rows": hazard.rows, "sentence": hazard.sentence} for hazard in item.hazards],
    }


def _error_json(error: TrueupError) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": str(error)}
