"""kill -9 at random moments: nothing is lost, nothing is recorded twice, and the end is that of an undisturbed run.

`ACTBOOK_CRASH_KILLS` sets how often the process is killed (12 by default).
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.crash.crashing_run import CREDITS, ITEMS, USER, registry

from actbook.engine import Engine
from actbook.events import ExecutionStatus, GraphExecution
from actbook.replay import History

KILLS = int(os.environ.get("ACTBOOK_CRASH_KILLS", "12"))
RUNS = max(4, KILLS // 4)
LONGEST_LIFE = 0.4  # seconds from owning the store to the kill

pytestmark = pytest.mark.timeout(60 + 5 * KILLS)


ENDS_WITHIN = 60.0  # seconds for what is left when it is no longer killed


@contextmanager
def running(url: str) -> Iterator[subprocess.Popen[str]]:
    """The run in a process of its own, from when it owns the store; whatever happens it does not outlive the block."""
    command = [sys.executable, "-m", "tests.crash.crashing_run", url, str(RUNS)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def kill_repeatedly(url: str, seed: int, kills: int = KILLS) -> int:
    """Kills the run again and again, then lets it finish; how often it was killed before its end."""
    moments = random.Random(seed)
    for killed in range(kills):
        with running(url) as process:
            try:
                output, _ = process.communicate(timeout=moments.random() * LONGEST_LIFE)
            except subprocess.TimeoutExpired:
                continue
            assert output == "done\n"
            return killed
    with running(url) as process:
        output, _ = process.communicate(timeout=ENDS_WITHIN)
        assert output == "done\n"
    return kills


async def everything(url: str) -> list[tuple[GraphExecution, History]]:
    """State and history of every execution in the store."""
    async with Engine.open(url, registry=registry()) as engine:
        assert await engine.journal.unfinished() == []
        streams = [each for each in engine.journal.store.stream_ids() if ":" not in each]
        return [(await engine.get_graph_execution(each), await engine.history(each)) for each in streams]


async def balance(url: str) -> float:
    async with Engine.open(url, candidate=False) as engine:
        return await engine.balance(USER)


def recorded_twice(histories: Iterator[History]) -> list[bytes]:
    """Event ids that occur more than once in the store."""
    counts = Counter(event.event_id for history in histories for event in history.events)
    return [event_id for event_id, count in counts.items() if count > 1]


def test_killed_at_random_moments_every_run_ends_as_if_undisturbed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    assert kill_repeatedly(url, seed=7) > 0
    check(url)


def test_the_same_on_postgresql(postgres_url: str) -> None:
    assert kill_repeatedly(postgres_url, seed=11, kills=max(4, KILLS // 3)) > 0
    check(postgres_url)


def check(url: str) -> None:
    found = asyncio.run(everything(url))
    runs = [state for state, _ in found if state.graph_id == "crash"]
    children = [state for state, _ in found if state.graph_id == "child"]
    assert len(runs) == len(children) == RUNS
    in_order = [value for item in range(1, ITEMS + 1) for value in (item, -item)]
    for state in runs:
        assert state.status is ExecutionStatus.COMPLETED
        assert state.outputs == {"all": in_order, "sub": [1007.0]}
        assert state.stats.node_error_count == 0
        assert state.stats.cost == 3 * ITEMS
    for state in children:
        assert state.status is ExecutionStatus.COMPLETED
        assert state.outputs == {"y": [1007.0]}
    for _, history in found:
        assert history.verify() == []
        assert [event.version for event in history.events] == list(range(1, len(history.events) + 1))
    assert asyncio.run(balance(url)) == CREDITS - 3 * ITEMS * RUNS
    assert recorded_twice(history for _, history in found) == []
