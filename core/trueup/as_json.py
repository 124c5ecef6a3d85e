"""The one object of ``--json``: every key is always there, whatever happened."""

from __future__ import annotations

from typing import Any

from trueup.errors import TrueupError
from trueup.plan import Assessment, Plan
from trueup.run import Run


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
        backup={"id": run.backup.id, "path": str(run.backup.path), "size": run.backup.size} if run.backup else None,
        run_id=run.id if run.operations_executed else None,
        error=_error_json(run.error) if run.error else None,
    )


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
