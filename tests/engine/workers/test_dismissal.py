"""A worker that others took for dead, while it is alive: what it is asked meanwhile is done once, under another name."""

from __future__ import annotations

import asyncio

import psycopg
from tests.engine.kit import PATIENCE, Gate, World, begin, play
from tests.engine.workers.test_workers import who_ran
from tests.services import postgres

from actbook.engine import Engine
from actbook.events import ExecutionStatus
from actbook.journal._postgres import PostgresStore

COMPLETED = ExecutionStatus.COMPLETED


def dismiss_all(engine: Engine) -> None:
    """As another worker would that sees their leases run out."""
    store = engine.journal.store
    assert isinstance(store, PostgresStore)
    store.query(
        store.names.sql(
            "SELECT {schema}.dismiss(ARRAY(SELECT epoch FROM {schema}.workers)::bigint[], ARRAY[]::bigint[])"
        )
    )


def test_what_is_submitted_while_it_is_dismissed_runs_once(postgres_url: str) -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        async with (
            world.open(postgres_url) as worker,
            world.open(postgres_url, candidate=False) as asker,
        ):
            name = worker.worker
            before = await begin(worker, graph, inputs={"x": 0})
            await gate.reached(1)
            await asyncio.to_thread(dismiss_all, asker)
            runs = [await begin(worker, graph, inputs={"x": number}) for number in range(1, 6)]
            gate.open()
            for number, run in enumerate([before, *runs]):
                state = await asker.wait(run.id, PATIENCE)
                assert (state.status, state.outputs) == (COMPLETED, {"y": [number]})
                assert (await asker.history(run.id)).verify() == []
            assert (await who_ran(asker, runs[-1].id))[-1] != name
            created = [e for e in await asker.journal.read_log(limit=None) if e.topic == "execution.created"]
            assert len(created) == 6

    play(test())


def test_nobody_loses_anything_when_the_server_was_away_for_less_than_the_lease() -> None:
    async def test() -> None:
        gate = Gate()
        world = World(Hold=gate.block())
        graph = world.graph("x:Input h:Hold y:Output", "x.result > h.value", "h.out > y.value")
        with postgres.private_server() as server:
            url = f"{server.url}?views=memory:"
            async with (
                world.open(url, lease=60.0) as first,
                world.open(url, lease=60.0) as second,
                world.open(url, candidate=False) as asker,
            ):
                runs = [await begin(engine, graph, inputs={"x": 1}) for engine in (first, second) * 5]
                await gate.reached(10)
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                gate.open()
                for run in runs:
                    state = await asker.wait(run.id, PATIENCE)
                    assert (state.status, state.outputs) == (COMPLETED, {"y": [1]})
                    assert len(await who_ran(asker, run.id)) == 1
                assert gate.entered == 10
                with psycopg.connect(server.url) as connection:
                    row = connection.execute("SELECT count(*) FROM actbook.workers").fetchone()
                    assert row == (2,)

    play(test())
