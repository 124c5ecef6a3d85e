"""The records of another start-up migrator that kept its history under the same name, as records of trueup's.

Its table is known by its columns. Trueup cannot write into it, and a server that changes from that migrator to trueup
must start; so the next run makes trueup's own table of it, and keeps what it says of every migration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

COLUMNS = (
    *("id", "version", "name", "description", "applied_at", "checksum", "status", "rollback_sql"),
    *("execution_time_ms", "error_message", "migration_type", "batch_id", "metadata_json"),
)
_KINDS = {"automatic": "auto"}
_STATUSES = {"pending": "interrupted", "running": "interrupted"}


def is_known(columns: Collection[str]) -> bool:
    """Whether a table with these columns is that migrator's."""
    return {column.lower() for column in columns} == set(COLUMNS)


def translated(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of its table as a row of trueup's; one row is one run without steps.

    Args:
        row: by the names in ``COLUMNS``.
    """
    moment = _in_utc(str(row["applied_at"]))
    said = (row["description"], row["batch_id"] and f"batch {row['batch_id']}", row["metadata_json"])
    return {
        "run_id": f"before-{row['id']}",
        "step": 0,
        "kind": _KINDS.get(row["migration_type"], row["migration_type"] or "auto"),
        "name": row["name"],
        "status": _STATUSES.get(row["status"], row["status"]),
        "started_at": moment,
        "finished_at": moment,
        "execution_time_ms": row["execution_time_ms"] or 0,
        "checksum": row["checksum"],
        "sql": "",
        "undo_sql": row["rollback_sql"],
        "error": row["error_message"],
        "note": "\n".join(part for part in said if part) or None,
        "trueup_version": None,
    }


def _in_utc(text: str) -> str:
    """It wrote the local time, without saying so."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except ValueError:
        return datetime.fromtimestamp(0, UTC).isoformat()
