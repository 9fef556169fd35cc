"""Cancellation that a library kept to itself."""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raises `CancelledError` when the current task was cancelled and goes on all the same.

    `asyncio.wait_for` before Python 3.12 forgets a cancellation that comes in the same moment as what it waits for, and
    client libraries use it: whoever calls them in a loop without an end looks here after each turn.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
