"""Schedules of workers that share a store: each run begins once, and whoever leads next goes on with them."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack

from tests.engine.kit import PATIENCE, USER, play, when
from tests.engine.test_recovery import other_process
from tests.engine.test_schedules import overdue, simple, world
from tests.engine.workers.test_workers import workers

from actbook.events import ExecutionStatus, ScheduleFired


def test_what_is_due_runs_once_and_also_after_the_leader_was_killed(postgres_url: str) -> None:
    async def test() -> None:
        here = world()
        async with AsyncExitStack() as stack:
            leader = await stack.enter_async_context(other_process(postgres_url))
            engines = await workers(stack, here, postgres_url, 2)
            asker = await stack.enter_async_context(here.open(postgres_url, candidate=False))
            graph = await asker.save_graph(simple(here), USER)
            assert {engine.owner.pid for engine in engines if engine.owner} == {leader.process.pid}
            os.kill(leader.process.pid, signal.SIGKILL)
            await overdue(asker, graph, inputs={"x": 7})
            event = await when(asker, lambda event: isinstance(event.payload, ScheduleFired))
            assert isinstance(event.payload, ScheduleFired)
            done = await asker.wait(event.payload.execution_id, PATIENCE)
            assert (done.status, done.outputs) == (ExecutionStatus.COMPLETED, {"y": [7]})
            [schedule] = await asker.schedules(USER)
            assert (schedule.fired, schedule.last_execution) == (1, done.id)
            events = await asker.journal.read_log(limit=None)
            assert sum(isinstance(each.payload, ScheduleFired) for each in events) == 1
            assert sum(each.topic == "execution.created" for each in events) == 1

    play(test())
