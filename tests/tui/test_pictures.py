"""What the eye must judge: each state of each place as a picture, at the sizes where it matters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.scenarios import NARROW, SCENARIOS, WIDE

BOTH = ("diff-question", "diff-change", "diff-rename", "preview-safe", "confirm-right", "apply-step", "apply-done")
BOTH += ("apply-failed", "backups-list", "help-diff")
PICTURES = [(name, NARROW) for name in SCENARIOS] + [(name, WIDE) for name in BOTH]


@pytest.mark.parametrize(
    ("name", "size"), PICTURES, ids=[f"{name}-{width}x{height}" for name, (width, height) in PICTURES]
)
def test_picture(name: str, size: tuple[int, int], snap_compare: Any) -> None:
    """The screen looks as it was approved; what must be seen on it stands beside the scenario."""
    scenario = SCENARIOS[name]
    assert scenario.seen
    assert snap_compare(scenario.app(), terminal_size=size, run_before=scenario.walk)
