"""What is meant by a number of days that a person types."""

from __future__ import annotations

from datetime import datetime, timedelta


def days_of(text: str) -> float:
    """The number.

    Raises:
        ValueError: it is none, or reaches back further than there are dates; the message says so.
    """
    try:
        days = float(text)
    except ValueError:
        raise ValueError("A number of days is missing." if not text.strip() else "That is no number.") from None
    if not 0 <= days <= 100_000:  # also what is not a number at all
        raise ValueError("It must be a number from 0 to 100000.")
    return days


def before(now: datetime, days: float) -> datetime:
    """The moment so many days ago."""
    return now - timedelta(days=days)
