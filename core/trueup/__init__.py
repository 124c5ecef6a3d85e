"""Keep a live database true to its SQLAlchemy models.

Two verbs do it: :func:`plan` compares and writes nothing, :func:`apply` carries the plan out or leaves everything as it
was. :func:`execute_startup_migration` is both in one call that never raises, for a server that is about to serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trueup._version import __version__

if TYPE_CHECKING:
    from trueup import changes, errors, events
    from trueup.archive import (
        backup_statistics,
        delete_backup,
        export_backup,
        find_backup,
        list_backups,
        make_backup,
        verify_backup,
    )
    from trueup.baselining import baseline
    from trueup.changes import Change
    from trueup.cleaning import Cleanup, clean_history, plan_cleanup
    from trueup.comparing import compare_backup
    from trueup.decisions import Backfill, Cast, Decision, Delete, Drop, Ignore, Keep, Rename, Skip
    from trueup.decisions_edit import remove_decision, write_decision
    from trueup.decisions_file import as_toml, read_decisions
    from trueup.describing import describe, name_of
    from trueup.errors import TrueupError
    from trueup.events import Event
    from trueup.examining import get_system_health
    from trueup.flow import apply, forget_models, past_runs, plan, plan_undo, restore, start, start_restore, undo
    from trueup.hazards import Finding, Hazard, Repair, Sample, Severity
    from trueup.health import Health, HealthFinding, HealthLevel, HealthState
    from trueup.job import Job
    from trueup.limits import Limits
    from trueup.past import PastRun, PastStep
    from trueup.planfile import load_plan, save_plan
    from trueup.plans import (
        Assessment,
        Complexity,
        Deletion,
        Evidence,
        Form,
        Plan,
        RenameCandidate,
        Statement,
        Step,
        Verdict,
    )
    from trueup.policy import Policy
    from trueup.rehearsing import rehearse, start_rehearsal
    from trueup.run import Backup, BackupComparison, BackupStatistics, Receipt, Rehearsal, Run, Status
    from trueup.settings import Settings, load_settings
    from trueup.standing import Position, Standing
    from trueup.startup import BackupInfo, MigrationResult, execute_startup_migration, migrate
    from trueup.statistics import Statistics, Tally
    from trueup.target import Target
    from trueup.text import visible

__all__ = [
    "Assessment",
    "Backfill",
    "Backup",
    "BackupComparison",
    "BackupInfo",
    "BackupStatistics",
    "Cast",
    "Change",
    "Cleanup",
    "Complexity",
    "Decision",
    "Delete",
    "Deletion",
    "Drop",
    "Event",
    "Evidence",
    "Finding",
    "Form",
    "Hazard",
    "Health",
    "HealthFinding",
    "HealthLevel",
    "HealthState",
    "Ignore",
    "Job",
    "Keep",
    "Limits",
    "MigrationResult",
    "PastRun",
    "PastStep",
    "Plan",
    "Policy",
    "Position",
    "Receipt",
    "Rehearsal",
    "Rename",
    "RenameCandidate",
    "Repair",
    "Run",
    "Sample",
    "Settings",
    "Severity",
    "Skip",
    "Standing",
    "Statement",
    "Statistics",
    "Status",
    "Step",
    "Tally",
    "Target",
    "TrueupError",
    "Verdict",
    "__version__",
    "apply",
    "as_toml",
    "backup_statistics",
    "baseline",
    "changes",
    "clean_history",
    "compare_backup",
    "delete_backup",
    "describe",
    "errors",
    "events",
    "execute_startup_migration",
    "export_backup",
    "find_backup",
    "forget_models",
    "get_system_health",
    "list_backups",
    "load_plan",
    "load_settings",
    "make_backup",
    "migrate",
    "name_of",
    "past_runs",
    "plan",
    "plan_cleanup",
    "plan_undo",
    "read_decisions",
    "rehearse",
    "remove_decision",
    "restore",
    "save_plan",
    "start",
    "start_rehearsal",
    "start_restore",
    "undo",
    "verify_backup",
    "visible",
    "write_decision",
]

_MODULES = ("changes", "errors", "events")
_HOMES = {
    "archive": (
        "backup_statistics",
        "delete_backup",
        "export_backup",
        "find_backup",
        "list_backups",
        "make_backup",
        "verify_backup",
    ),
    "baselining": ("baseline",),
    "changes": ("Change",),
    "cleaning": ("Cleanup", "clean_history", "plan_cleanup"),
    "comparing": ("compare_backup",),
    "decisions": ("Backfill", "Cast", "Decision", "Delete", "Drop", "Ignore", "Keep", "Rename", "Skip"),
    "decisions_edit": ("remove_decision", "write_decision"),
    "decisions_file": ("as_toml", "read_decisions"),
    "describing": ("describe", "name_of"),
    "errors": ("TrueupError",),
    "events": ("Event",),
    "examining": ("get_system_health",),
    "flow": ("apply", "forget_models", "past_runs", "plan", "plan_undo", "restore", "start", "start_restore", "undo"),
    "hazards": ("Finding", "Hazard", "Repair", "Sample", "Severity"),
    "health": ("Health", "HealthFinding", "HealthLevel", "HealthState"),
    "job": ("Job",),
    "limits": ("Limits",),
    "past": ("PastRun", "PastStep"),
    "planfile": ("load_plan", "save_plan"),
    "plans": (
        "Assessment",
        "Complexity",
        "Deletion",
        "Evidence",
        "Form",
        "Plan",
        "RenameCandidate",
        "Statement",
        "Step",
        "Verdict",
    ),
    "policy": ("Policy",),
    "rehearsing": ("rehearse", "start_rehearsal"),
    "run": ("Backup", "BackupComparison", "BackupStatistics", "Receipt", "Rehearsal", "Run", "Status"),
    "settings": ("Settings", "load_settings"),
    "standing": ("Position", "Standing"),
    "startup": ("BackupInfo", "MigrationResult", "execute_startup_migration", "migrate"),
    "statistics": ("Statistics", "Tally"),
    "target": ("Target",),
    "text": ("visible",),
}
"""The names that each module gives."""
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """A name is imported when somebody asks for it: a server that is in step needs few of them."""
    if name in _MODULES:
        return import_module(f"trueup.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"trueup.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
