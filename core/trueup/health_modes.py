"""What ``trueup health`` does, from the settings to the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.examining import get_system_health
from trueup.health import Health, HealthFinding
from trueup.limits import Limits
from trueup.modes import print_out, signals_cancel
from trueup.settings import Settings
from trueup.target import Target
from trueup.text import visible


def tell_health(settings: Settings, *, as_json: bool) -> int:
    """Examine the database; the models are not needed."""
    limits = Limits(settings.time_limit)
    with signals_cancel(limits):
        found = get_system_health(Target.from_settings(settings, models=settings.models or ()), limits=limits)
    print_out(_object(found) if as_json else _lines(found))
    return found.exit_code


def _object(health: Health) -> dict[str, Any]:
    return {
        "status": str(health.state),
        "score": health.score,
        "database": health.database,
        "checked_at": health.checked_at.isoformat(),
        "findings": [_finding(finding) for finding in health.findings],
        "recommendations": list(health.recommendations),
    }


def _finding(finding: HealthFinding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "level": str(finding.level),
        "sentence": finding.sentence,
        "recommendation": finding.recommendation,
    }


def _lines(health: Health) -> Iterator[str]:
    yield visible(f"{health.database or 'the database'}: {health.state}, {health.score} of 100")
    for finding in health.findings:
        yield visible(f"  {finding.level:<8}  {finding.sentence}")
        yield visible(f"            {finding.recommendation}")
    if not health.findings:
        yield "  nothing is wrong"
