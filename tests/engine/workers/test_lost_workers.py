"""Workers that are killed, or stopped by a signal for longer than their lease: other processes, seen from this one."""

from __future__ import annotations

import os
import signal

from tests.engine.kit import PATIENCE, USER, World, begin, play, task
from tests.engine.test_recovery import here, other_process
from tests.engine.workers.test_workers import who_ran

from actbook.events import ExecutionStatus

COMPLETED = ExecutionStatus.COMPLETED
LEASE = 1.5
HELD = ("x:Input h:Held y:Output", "x.result > h.value", "h.out > y.value")


def test_what_a_killed_worker_had_goes_on_in_another(postgres_url: str) -> None:
    async def test() -> None:
        world = here(World())
        graph = world.graph(*HELD)
        async with other_process(postgres_url) as worker, world.open(postgres_url, candidate=False) as asker:
            runs = [await begin(asker, graph, inputs={"x": number}) for number in range(5)]
            held = {(await worker.says())[1] for _ in runs}
            assert held == {run.id for run in runs}
            async with world.open(postgres_url) as heir:
                assert heir.is_owner
                os.kill(worker.process.pid, signal.SIGKILL)
                for number, run in enumerate(runs):
                    state = await asker.wait(run.id, PATIENCE)
                    assert (state.status, state.outputs) == (COMPLETED, {"y": [number, "attempt 2"]})
                    assert (await who_ran(asker, run.id))[-1] == heir.worker
                    assert (await asker.history(run.id)).verify() == []
            assert await asker.journal.unfinished() == []

    play(test())


def test_a_worker_that_slept_beyond_its_lease_writes_nothing_and_goes_on_as_another(
    postgres_url: str,
) -> None:
    async def test() -> None:
        world = here(World())
        graph = world.graph(*HELD)
        async with (
            other_process(postgres_url, lease=LEASE) as worker,
            world.open(postgres_url, candidate=False) as asker,
        ):
            run = await begin(asker, graph, inputs={"x": 1})
            assert await worker.says() == ["held", run.id]
            (name,) = await who_ran(asker, run.id)
            os.kill(worker.process.pid, signal.SIGSTOP)
            try:
                async with (
                    world.open(postgres_url, lease=LEASE),
                    task(asker.wait(run.id, PATIENCE)) as waiting,
                ):
                    state = await waiting
            finally:
                os.kill(worker.process.pid, signal.SIGCONT)
            assert (state.status, state.outputs) == (COMPLETED, {"y": [1, "attempt 2"]})
            ended = await asker.journal.head(run.id)
            later = await begin(asker, graph, inputs={"x": 2})
            assert await worker.says() == ["held", later.id]
            assert await asker.journal.head(run.id) == ended
            (again,) = await who_ran(asker, later.id)
            assert again != name
            stopped = await asker.stop_graph_execution(USER, later.id, PATIENCE)
            assert stopped.status is ExecutionStatus.TERMINATED

    play(test())
