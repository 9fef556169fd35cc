"""What every competitor's process does: make ready, wait for the word, work for some seconds, tell how many runs ended.

Knows nothing of actbook, so that it runs where only the competitor is installed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Run = Callable[[], Awaitable[int]]
"""Carries out one run and gives the number of its steps."""


@dataclass(frozen=True)
class Work:
    """`shape`: `chain`, `pure` or `fan`, of `size` steps; so many runs are under way at once."""

    url: str
    shape: str
    size: int
    in_flight: int


def asked() -> Work:
    """From the command line."""
    url, shape, size, in_flight = sys.argv[1:]
    return Work(url, shape, int(size), int(in_flight))


async def compete(run: Run, in_flight: int) -> None:
    """Runs once without counting. Prints `ready`, and then steps and seconds, which include the runs that were under way."""
    await run()
    print("ready", flush=True)
    seconds = float(await asyncio.to_thread(sys.stdin.readline))
    begun = time.perf_counter()
    counts = await asyncio.gather(*(_until(begun + seconds, run) for _ in range(in_flight)))
    print(sum(counts), time.perf_counter() - begun, flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def _until(end: float, run: Run) -> int:
    steps = await run()
    while time.perf_counter() < end:
        steps += await run()
    return steps
