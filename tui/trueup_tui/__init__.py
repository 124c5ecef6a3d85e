"""The terminal app."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup import Settings

__all__ = ["run_app"]


def run_app(settings: Settings) -> int:
    """Show the app until the user leaves it.

    Args:
        settings: say which database and which models.

    Returns:
        The exit code: 0 when nothing differs any more, 1 when differences remain, the error's own code when the two
        sides could not be compared.
    """
    from trueup_tui.app import TrueupApp  # Textual is loaded only by whoever shows the app
    from trueup_tui.session import Session

    code = TrueupApp(Session(settings=settings)).run()
    return 3 if code is None else code
