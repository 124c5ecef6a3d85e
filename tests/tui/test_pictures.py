"""What the eye must judge: each state of each place as a picture, at the sizes where it matters."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import pytest

from tests.tui.scenarios import NARROW, SCENARIOS, WIDE

BOTH = (
    "diff-question",
    "diff-change",
    "diff-rename",
    "preview-safe",
    "confirm-right",
    "apply-step",
    "apply-rows",
    "apply-done",
)
BOTH += ("diff-danger", "decide-offers", "decide-refused", "apply-failed", "help-diff", "palette")
BOTH += tuple(name for name in SCENARIOS if name.startswith(("backups-", "health-", "history-", "undo-")))
PICTURES = [(name, NARROW) for name in SCENARIOS] + [(name, WIDE) for name in BOTH]


APPROVED_WITH = ((3, 11), "8.2.8")
"""Python and Textual. From Python 3.12 on asyncio starts tasks eagerly, so some pictures are taken with the focus
elsewhere; and any release of Textual may draw something else."""

HERE = (sys.version_info[:2], version("textual"))


@pytest.mark.skipif(HERE != APPROVED_WITH, reason=f"the pictures were approved with {APPROVED_WITH}, this is {HERE}")
@pytest.mark.parametrize(
    ("name", "size"), PICTURES, ids=[f"{name}-{width}x{height}" for name, (width, height) in PICTURES]
)
def test_picture(name: str, size: tuple[int, int], snap_compare: Any) -> None:
    """The screen looks as it was approved; what must be seen on it stands beside the scenario."""
    scenario = SCENARIOS[name]
    assert scenario.seen
    assert snap_compare(scenario.app(), terminal_size=size, run_before=scenario.walk)
