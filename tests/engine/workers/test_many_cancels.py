"""Stops of executions that run all over: each reaches the worker that has it.

`ACTBOOK_TEST_CANCELS` executions (160 unless told otherwise).
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from tests.engine.kit import USER, World, play, when
from tests.engine.owner import HeldBlock
from tests.engine.test_recovery import other_process
from tests.engine.workers.test_workers import who_ran, workers

from actbook.events import ExecutionStatus

CANCELS = int(os.environ.get("ACTBOOK_TEST_CANCELS", "160"))
WORKERS = 8
ENDS = {"execution.completed", "execution.failed", "execution.terminated"}


@pytest.mark.timeout(300)
def test_every_stop_reaches_its_worker(postgres_url: str) -> None:
    async def test() -> None:
        world = World(Held=HeldBlock)
        graph = world.graph("x:Input h:Held y:Output", "x.result > h.value", "h.out > y.value")
        share = -(-CANCELS // WORKERS)
        async with AsyncExitStack() as stack:
            # The worker process takes what is left by the engines that live here.
            await stack.enter_async_context(other_process(postgres_url))
            await workers(stack, world, postgres_url, WORKERS - 1, max_active=share)
            asker = await stack.enter_async_context(world.open(postgres_url, candidate=False))
            saved = await asker.save_graph(graph, USER)
            runs = await asyncio.gather(
                *(asker.add_graph_execution(saved.id, USER, {"x": number}) for number in range(CANCELS))
            )
            held = {run.id for run in runs}
            await when(asker, lambda event: _yielded(event.topic, event.stream_id, held))
            states = await asyncio.gather(*(asker.stop_graph_execution(USER, run.id, 120) for run in runs))
            assert Counter(state.status for state in states) == {ExecutionStatus.TERMINATED: CANCELS}
            assert [state.outputs for state in states] == [{"y": [number]} for number in range(CANCELS)]
            by: Counter[str] = Counter()
            for run in runs:
                events = await asker.journal.read_stream(run.id)
                assert [event.topic for event in events if event.topic in ENDS] == ["execution.terminated"]
                (worker,) = await who_ran(asker, run.id)
                by[worker] += 1
            assert len(by) > WORKERS // 2
            assert await asker.journal.unfinished() == []

    def _yielded(topic: str, stream: str, held: set[str]) -> bool:
        if topic == "node.output":
            held.discard(stream)
        return not held

    play(test(), within=240)
