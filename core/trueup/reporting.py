"""Whom a run tells every move that it makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from trueup.events import Event

Report: TypeAlias = "Callable[[Event], None]"


def ignore(_event: Event) -> None:
    """The report of whoever does not listen."""
