"""The one object of ``--json``: every key is always there, whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.standing import Position

if TYPE_CHECKING:
    from trueup.errors import TrueupError
    from trueup.hazards import Hazard
    from trueup.plans import Assessment, Plan
    from trueup.run import Backup, Rehearsal, Run


def plan_object(plan: Plan) -> dict[str, Any]:
    """The differences, only compared: also what is kept until somebody decides is one."""
    status = "different" if plan.differs else "in_sync"
    changes = [_change_json(item, samples=True) for item in plan.assessments if item.verdict != "kept"]
    given = {"migration_needed": plan.differs, "changes": changes}
    return _object(status=status, success=True, plan=plan, **given, **_position_json(plan.position))


def dry_run_object(plan: Plan) -> dict[str, Any]:
    """What a run would do."""
    status = "needs_decision" if plan.blocked else "different" if plan.steps or not plan.in_step else "in_sync"
    return _object(status=status, success=not plan.blocked, plan=plan, **_position_json(plan.position))


def rehearsal_object(rehearsal: Rehearsal) -> dict[str, Any]:
    """What became of a plan on a copy."""
    run, error = rehearsal.run, rehearsal.error
    told = _object(
        status=error.status if error else str(run.status),
        success=rehearsal.success,
        plan=rehearsal.plan,
        execution_time_ms=_milliseconds(run.seconds),
        error=_error_json(error) if error else None,
        **_position_json(rehearsal.plan.position),
        rehearsal={
            "copy_ms": _milliseconds(rehearsal.copying),
            "exit_code": rehearsal.exit_code,
            "remaining": [_change_json(item, samples=False) for item in rehearsal.remaining],
        },
    )
    estimated = run.plan.steps if run.plan else ()
    for number, (step, seconds) in enumerate(zip(estimated, run.step_seconds, strict=False)):
        told["plan"]["steps"][number] |= {
            "estimate_ms": _milliseconds(step.estimate),
            "measured_ms": _milliseconds(seconds),
        }
    return told


def steps_json(plan: Plan) -> list[dict[str, Any]]:
    """What is told of each step."""
    return [
        {
            "sentence": step.sentence,
            "table": step.table,
            "form": step.form,
            "why": step.why,
            "sql": step.sql,
            "rows": step.rows,
            "batches_by": step.batches_by or None,
            "estimate_ms": _milliseconds(step.estimate),
        }
        for step in plan.steps
    ]


def estimate_json(plan: Plan) -> dict[str, Any]:
    """The parts of the time from lock to commit; the total has a backup in it."""
    return {
        "total_ms": _milliseconds(plan.total_estimate(backup=True)),
        "steps_ms": _milliseconds(plan.estimate),
        "backup_ms": _milliseconds(plan.backup_estimate),
        "checks_ms": _milliseconds(plan.check_estimate),
    }


def run_object(run: Run) -> dict[str, Any]:
    """The outcome of a run."""
    return _object(
        status=str(run.status),
        success=run.success,
        plan=run.plan,
        migration_needed=run.migration_needed,
        warnings=[*run.warnings, *(run.plan.unsupported if run.plan else ())],
        operations_executed=run.operations_executed,
        execution_time_ms=_milliseconds(run.seconds),
        backup=backup_json(run.backup) if run.backup else None,
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
        "backup": backup_json(run.backup) if run.backup else None,
        "execution_time_ms": _milliseconds(run.seconds),
        "run_id": run.id,
        "warnings": list(run.warnings),
        "error": _error_json(run.error) if run.error else None,
    }


def baseline_object(run: Run, name: str, note: str) -> dict[str, Any]:
    """The outcome of a baseline; its changes are what differs and stays."""
    return run_object(run) | {"run_id": run.id or None, "name": name or None, "note": note or None}


def undo_object(run: Run) -> dict[str, Any]:
    """The outcome of an undo."""
    return run_object(run) | _undone_json(run.plan)


def plan_of_undo_object(plan: Plan) -> dict[str, Any]:
    """What an undo would do."""
    return plan_object(plan) | _undone_json(plan) | {"sql": plan.script}


def _undone_json(plan: Plan | None) -> dict[str, Any]:
    undone = plan.undoes if plan else None
    return {
        "undone": {"run_id": undone.run_id, "steps": list(undone.steps) or None} if undone else None,
        "losses": list(plan.losses) if plan else [],
    }


def _position_json(position: Position) -> dict[str, Any]:
    return {"standing": str(position.standing), "since_run": position.since.run_id if position.since else None}


def backup_json(backup: Backup) -> dict[str, Any]:
    """Where a backup is."""
    return {"id": backup.id, "path": str(backup.path), "size": backup.size}


def error_object(error: TrueupError) -> dict[str, Any]:
    """What went wrong before there was anything else to tell."""
    return _object(status=error.status, success=False, plan=None, error=_error_json(error))


def _object(*, status: str, success: bool, plan: Plan | None, **given: Any) -> dict[str, Any]:
    """What rows hold is for those who compare; what a run prints goes to logs, so it has no samples."""
    changes = [(item.verdict, _change_json(item, samples=False)) for item in plan.assessments] if plan else []
    empty: dict[str, Any] = {
        "operations_executed": 0,
        "execution_time_ms": 0,
        "backup": None,
        "run_id": None,
        "removed_backups": [],
        "rehearsal": None,
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
        "plan": _plan_json(plan) if plan else None,
        "warnings": [*plan.warnings, *plan.unsupported] if plan else [],
        "spellings": list(plan.spellings) if plan else [],
        **empty,
        **given,
    }


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "policy": str(plan.policy),
        "checksum": plan.checksum,
        "complexity": str(plan.complexity),
        "estimate": estimate_json(plan),
        "steps": [step | {"measured_ms": None} for step in steps_json(plan)],
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
    from trueup.decisions_file import as_toml

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
        "accepted": hazard.accepted or None,
        "repairs": [
            {"label": item.label, "decision": as_toml(item.decision), "asks": item.asks} for item in hazard.repairs
        ],
    }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _error_json(error: TrueupError) -> dict[str, str]:
    return {"kind": type(error).__name__, "message": str(error)}
