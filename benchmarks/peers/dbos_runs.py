"""DBOS's part: python -m benchmarks.peers.dbos_runs URL SHAPE SIZE IN_FLIGHT.

Every step is a durable step of its own; there is no weaker kind to set against steps without an effect.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from typing import Any

from benchmarks.peers.window import Work, asked, compete

DBOS: Any = importlib.import_module("dbos").DBOS  # by name: type checkers need not have it


async def _step(value: int) -> int:
    """Does nothing, durably."""
    return value


step = DBOS.step()(_step)


async def _chain(size: int) -> int:
    """So many steps in a row."""
    value = 0
    for _ in range(size):
        value = await step(value)
    return size


async def _fan(size: int) -> int:
    """So many steps at once."""
    await asyncio.gather(*(step(number) for number in range(size)))
    return size


async def main(work: Work) -> None:
    """Runs until it is told to end."""
    config = {
        "name": "bench",
        "system_database_url": work.url,
        "log_level": "ERROR",
        "executor_id": f"bench-{os.getpid()}",
        "application_version": "bench",
    }
    workflow = DBOS.workflow()(_fan if work.shape == "fan" else _chain)
    DBOS(config=config)
    DBOS.launch()
    try:
        await compete(lambda: workflow(work.size), work.in_flight)
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main(asked()))
