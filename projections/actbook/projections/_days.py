"""Days in UTC, as views name them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

DAY = 86_400_000_000
"""Microseconds."""


def day_of(at: int) -> str:
    """The day of a moment in microseconds since the Unix epoch, as YYYY-MM-DD."""
    return _day(at // DAY)


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y-%m-%d")
