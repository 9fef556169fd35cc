"""What a killed worker leaves in the middle of something goes on in the next one: waits, decisions, sub-graphs."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.engine.kit import PATIENCE, USER, World, agent, begin, play, when
from tests.engine.owner import FlakyBlock
from tests.engine.test_recovery import Owner, here, other_process
from tests.engine.test_review import judged

from actbook.engine import Engine
from actbook.events import ExecutionStatus, inbox_of
from actbook.graphs import Graph

COMPLETED = ExecutionStatus.COMPLETED


def world() -> World:
    made = here(World())
    made.registry.register(FlakyBlock)
    made.ids["Flaky"] = FlakyBlock.id
    return made


def kill(worker: Owner) -> None:
    os.kill(worker.process.pid, signal.SIGKILL)


@asynccontextmanager
async def doomed(url: str, here: World) -> AsyncIterator[tuple[Owner, Engine]]:
    """A worker to be killed, and somebody who asks."""
    async with other_process(url) as worker, here.open(url, candidate=False) as asker:
        yield worker, asker


def line(here: World, block: str, **data: Any) -> Graph:
    nodes = f"x:Input h:{block} y:Output"
    return here.graph(nodes, "x.result > h.value", "h.out > y.value", **data)


def test_a_decision_about_what_a_killed_worker_parked(postgres_url: str) -> None:
    async def test() -> None:
        there = world()
        async with doomed(postgres_url, there) as (worker, asker):
            run = await begin(asker, judged(there), inputs={"x": 5})
            parked = await asker.wait(run.id, PATIENCE)
            assert parked.status is ExecutionStatus.REVIEW
            kill(worker)
            async with there.open(postgres_url):
                await asker.review(USER, f"{run.id}.{next(iter(parked.reviews))}", True)
                done = await asker.wait(run.id, PATIENCE)
                assert (done.status, done.outputs["yes"]) == (COMPLETED, [5])

    play(test())


def test_resume_of_what_was_stopped_under_a_killed_worker(postgres_url: str) -> None:
    async def test() -> None:
        there = world()
        async with doomed(postgres_url, there) as (worker, asker):
            run = await begin(asker, line(there, "Held"), inputs={"x": 5})
            assert await worker.says() == ["held", run.id]
            kill(worker)
            # Nobody is there to stop it; the next worker does, and then goes on.
            waiting = await asker.stop_graph_execution(USER, run.id, 0)
            assert waiting.status is ExecutionStatus.RUNNING
            async with there.open(postgres_url):
                stopped = await asker.wait(run.id, PATIENCE)
                assert stopped.status is ExecutionStatus.TERMINATED
                await asker.resume(USER, run.id)
                done = await asker.wait(run.id, PATIENCE)
                assert done.status is COMPLETED
                assert done.outputs["y"][0] == 5

    play(test())


def test_a_delayed_start_and_the_wait_before_another_attempt(postgres_url: str) -> None:
    async def test() -> None:
        there = world()
        async with doomed(postgres_url, there) as (worker, asker):
            flaky = Graph(id="flaky", nodes=line(there, "Flaky").nodes, links=line(there, "Flaky").links)
            flaky.nodes[1].metadata["retry"] = {"attempts": 3, "initial_seconds": 1.0, "jitter": 0.0}
            again = await begin(asker, flaky, inputs={"x": 1})
            await when(asker, lambda event: event.topic == "node.retry_scheduled")
            soon = datetime.now(UTC) + timedelta(seconds=1)
            later = await begin(asker, line(there, "Held"), inputs={"x": 2}, start_at=soon)
            kill(worker)
            async with there.open(postgres_url):
                done = await asker.wait(again.id, PATIENCE)
                assert (done.status, done.outputs) == (COMPLETED, {"y": [1]})
                started = await asker.wait(later.id, PATIENCE)
                assert started.status is COMPLETED
                assert started.outputs["y"][0] == 2
                assert started.started_at >= soon.timestamp() * 1e6

    play(test())


def test_a_parent_and_its_sub_graphs_both_go_on(postgres_url: str) -> None:
    async def test() -> None:
        there = world()
        child = line(there, "Held")
        child.id = "child"
        async with doomed(postgres_url, there) as (worker, asker):
            saved = await asker.save_graph(child, USER)
            nodes = "x:Input a:Agent b:Agent y:Output"
            links = ("x.result > a.x", "x.result > b.x", "a.y > y.value", "b.y > y.value")
            parent = there.graph(nodes, *links, a=agent(saved), b=agent(saved))
            run = await begin(asker, parent, inputs={"x": 7})
            held = {(await worker.says())[1] for _ in "ab"}
            assert len(held) == 2
            kill(worker)
            async with there.open(postgres_url):
                done = await asker.wait(run.id, PATIENCE)
                assert done.status is COMPLETED
                assert sorted(map(str, done.outputs["y"])) == ["7", "7", "attempt 2", "attempt 2"]
                for execution_id in (run.id, *held):
                    assert (await asker.history(execution_id)).verify() == []
            told = await asker.journal.read_stream(inbox_of(run.id))
            assert [event.topic for event in told].count("child.finished") == 2

    play(test())
