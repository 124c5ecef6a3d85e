"""Write the pictures of the main screens, and ``docs/keys.md``: ``python tests/tui/screenshots.py [directory]``.

They are made from the same scenarios as the snapshot tests, so they cannot show what the app does not.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

os.environ["TZ"] = "UTC"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "core"), str(ROOT / "tui")]

from tests.tui.scenarios import SCENARIOS, WIDE  # noqa: E402
from trueup_tui.commands import as_markdown  # noqa: E402

PICTURES = {
    "diff": "diff-change",
    "rename": "diff-rename",
    "decide": "decide-offers",
    "preview": "preview-safe",
    "deletes-data": "confirm-right",
    "apply": "apply-step",
    "done": "apply-done",
    "backups": "backups-list",
    "history": "history-list",
    "health": "health-findings",
    "undo": "undo-plan",
}


async def picture(scenario: str, size: tuple[int, int] = WIDE) -> str:
    """The SVG of one scenario."""
    found = SCENARIOS[scenario]
    app = found.app()
    async with app.run_test(size=size) as pilot:
        await found.walk(pilot)
        return app.export_screenshot(title="trueup")


async def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, scenario in PICTURES.items():
        path = directory / f"{name}.svg"
        path.write_text(await picture(scenario), encoding="utf-8")
        print(path.name)
    (ROOT / "docs" / "keys.md").write_text(as_markdown(), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"))
