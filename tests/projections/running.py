"""A journal with a runner, and what its tables hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.projections.letters import Letters, letters
from tests.projections.recording import rows_of

from actbook.journal import Journal
from actbook.projections import Projection, Runner


@asynccontextmanager
async def running(
    url: str, projections: Sequence[type[Projection]] = (Letters,), *, active: bool = True
) -> AsyncIterator[tuple[Journal, Runner]]:
    journal = await Journal.open(url)
    runner = Runner(journal, projections, active=active)
    try:
        await runner.start()
        yield journal, runner
    finally:
        await runner.close()
        await journal.close()


async def write(journal: Journal, text: str, stream_id: str = "s") -> int:
    """One event per letter; the last position."""
    return (await journal.append(letters(stream_id, text))).position


def table(journal: Journal, name: str = "letters") -> list[dict[str, Any]]:
    connection = journal.store.open_views_reader()
    try:
        return rows_of(connection, name)
    finally:
        connection.close()


def counts(journal: Journal) -> dict[str, int]:
    return {row["letter"]: row["count"] for row in table(journal)}


async def eventually(ready: Callable[[], bool]) -> None:
    """Looks again and again, for ten seconds."""
    for _ in range(2000):
        if ready():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")
