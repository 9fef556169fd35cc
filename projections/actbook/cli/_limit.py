"""How many rows a table shows."""

from __future__ import annotations

from actbook.cli._problems import UsageError


def check_shown(limit: int) -> int:
    """Raises `UsageError` for less than none; without rows there is still what stands above the table."""
    if limit < 0:
        raise UsageError(f"--limit {limit} is less than none. Give a number from 0 on.")
    return limit
