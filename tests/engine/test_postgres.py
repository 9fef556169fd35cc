"""The engine on a PostgreSQL journal: the same as on a file, with processes that meet in the database."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tests.engine.kit import PATIENCE, USER, Gate, World, begin, effect, play, pure, task, topics
from tests.engine.test_recovery import here, other_process
from tests.services.postgres import private_server

from actbook.events import ExecutionClaimed, ExecutionStatus

COMPLETED = ExecutionStatus.COMPLETED


def test_runs_and_shows_what_it_ran(postgres_url: str) -> None:
    async def test() -> None:
        world = World(Echo=effect(), Pure=pure())
        graph = world.graph(
            "x:Input e:Echo p:Pure y:Output", "x.result > e.value", "e.out > p.value", "p.out > y.value"
        )
        async with world.open(postgres_url) as engine:
            assert engine.is_owner
            runs = [await begin(engine, graph, inputs={"x": number}) for number in range(20)]
            for number, run in enumerate(runs):
                state = await engine.wait(run.id, PATIENCE)
                assert (state.status, state.outputs) == (COMPLETED, {"y": [number]})
            await engine.catch_up(PATIENCE)
            rows = await engine.queries.executions(USER)
            assert {row.id for row in rows} == {run.id for run in runs}
            assert (await engine.history(runs[0].id)).verify() == []

    play(test())


def test_the_views_are_kept_in_a_local_file_from_one_process_to_the_next(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    async def test() -> None:
        world = World(Pure=pure())
        graph = world.graph("x:Input p:Pure", "x.result > p.value")
        url = postgres_url.replace("&views=memory:", "")
        async with world.open(url) as engine:
            run = await begin(engine, graph, inputs={"x": 1})
            await engine.wait(run.id, PATIENCE)
            await engine.catch_up(PATIENCE)
        (file,) = (tmp_path / "actbook").glob("views-*.db")
        assert file.stat().st_mode & 0o077 == 0
        async with world.open(url, candidate=False) as engine:
            assert [row.id for row in await engine.queries.executions(USER)] == [run.id]

    play(test())


def test_what_was_in_flight_goes_on_in_the_next_engine(postgres_url: str) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with world.open(postgres_url) as engine:
            run = await begin(engine, graph, inputs={"x": 5})
            await gate.reached()
        async with world.open(postgres_url) as engine:
            await gate.reached(2)
            gate.open()
            assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [5]}
            events = await engine.journal.read_stream(run.id)
            assert [e.payload.epoch for e in events if isinstance(e.payload, ExecutionClaimed)] == [1, 2]
            assert [e.version for e in events] == list(range(1, len(events) + 1))

    play(test())


def test_another_process_asks_stops_waits_and_goes_on_after_a_kill(postgres_url: str) -> None:
    async def test() -> None:
        world = here(World())
        graph = world.graph("x:Input h:Held y:Output", "x.result > h.value", "h.out > y.value")
        async with (
            other_process(postgres_url) as owner,
            world.open(postgres_url, candidate=False) as engine,
        ):
            assert not engine.is_owner
            assert engine.owner is not None
            assert engine.owner.pid == owner.process.pid
            stopped = await begin(engine, graph, inputs={"x": 1})
            assert await owner.says() == ["held", stopped.id]
            state = await engine.stop_graph_execution(USER, stopped.id)
            assert (state.status, state.outputs) == (ExecutionStatus.TERMINATED, {"y": [1]})

            run = await begin(engine, graph, inputs={"x": 2})
            assert await owner.says() == ["held", run.id]
            async with world.open(postgres_url) as heir, task(engine.wait(run.id, PATIENCE)) as waiting:
                assert heir.is_owner
                os.kill(owner.process.pid, signal.SIGKILL)
                state = await waiting
            assert (state.status, state.outputs) == (COMPLETED, {"y": [2, "attempt 2"]})
            assert (await topics(engine, stopped.id)).count("execution.claimed") == 1
            assert (await engine.history(run.id)).verify() == []

    play(test())


def test_the_server_dies_under_a_running_engine_and_comes_back() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block(), Echo=effect())
        graph = world.graph(
            "x:Input h:Hold e:Echo y:Output", "x.result > h.value", "h.out > e.value", "e.out > y.value"
        )
        async with world.open(f"{server.url}?views=memory:") as engine:
            runs = [await begin(engine, graph, inputs={"x": number}) for number in range(10)]
            await gate.reached(10)
            await asyncio.to_thread(server.kill)
            gate.open()
            await asyncio.to_thread(server.start)
            for number, run in enumerate(runs):
                assert (await engine.wait(run.id, PATIENCE)).outputs == {"y": [number]}
                assert (await engine.history(run.id)).verify() == []
            assert engine.is_owner

    with private_server() as server:
        play(test())
