"""Workers are ended one by one and started anew while runs come in: nobody notices."""

from __future__ import annotations

import asyncio
import signal
from contextlib import closing

import pytest
from tests.faults.test_faults import USER, Process, graph, running

from actbook.engine import Engine
from actbook.events import ExecutionClaimed, ExecutionStatus, NodeCompleted
from actbook.journal import open_store
from actbook.journal._postgres import PostgresStore
from actbook.replay import verify_streams

RUNS = 150
WORKERS = 3


async def there(store: PostgresStore, pid: int) -> None:
    """Returns when the process is a worker."""
    while not store.query(store.names.sql("SELECT FROM {schema}.workers WHERE pid=%s"), (pid,)):  # noqa: ASYNC110 - another process does it
        await asyncio.sleep(0.05)


async def restart_all(store: PostgresStore, workers: list[Process]) -> None:
    for worker in workers:
        await there(store, worker.pid)
    for worker in workers:
        assert await worker.end(signal.SIGTERM) == 0
        await worker.start()
        await there(store, worker.pid)


async def play(store: str) -> None:
    workers = [Process("worker", "--store", store) for _ in range(WORKERS)]
    async with Engine.open(store, candidate=False) as asker, running(workers):
        await asker.save_graph(graph(), USER)
        shared = asker.journal.store
        assert isinstance(shared, PostgresStore)
        restarts = asyncio.create_task(restart_all(shared, workers))
        ids: list[str] = []
        while len(ids) < RUNS or not restarts.done():
            run = await asker.add_graph_execution("line", USER, {"x": len(ids)})
            ids.append(run.id)
            await asyncio.sleep(0.01)
        await restarts
        async with asyncio.timeout(120):
            for number, run_id in enumerate(ids):
                state = await asker.wait(run_id)
                assert (state.status, state.outputs) == (ExecutionStatus.COMPLETED, {"y": [number + 4]})
        assert await asker.journal.unfinished() == []
    with closing(open_store(store)) as opened:
        owners: set[str] = set()
        for checked in verify_streams(opened, ids):
            assert checked.ok, checked
        for run_id in ids:
            payloads = [event.payload for event in opened.read_stream(run_id)]
            ended = [each.node_exec for each in payloads if isinstance(each, NodeCompleted)]
            assert sorted(ended) == list(range(1, 7))
            owners.update(each.worker for each in payloads if isinstance(each, ExecutionClaimed))
        assert len(owners) > WORKERS


@pytest.mark.timeout(300)
def test_a_rolling_restart_loses_and_repeats_nothing(postgres_url: str) -> None:
    asyncio.run(play(postgres_url))
