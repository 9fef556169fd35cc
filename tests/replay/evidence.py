"""A store with a bit of everything, for whoever wants to damage it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.engine.kit import PATIENCE, USER, AsyncPairs, World, agent, begin, effect, finish, pure, when

from actbook.engine import Engine
from actbook.engine.billing import Billing
from actbook.events import ExecutionStatus
from actbook.graphs import BlockCost
from actbook.journal import SQLiteStore
from actbook.replay import Checkpoints, SigningKey

KEY = SigningKey("test-log", bytes(range(32)))
BIG = "a big value " * 5500


def world() -> World:
    async def fail(input: Any, context: Any) -> AsyncPairs:
        yield "out", input.value
        raise ValueError("as expected")

    return World(Echo=pure(), Paid=effect(costs=(BlockCost(2),)), Fail=effect(fail))


def chain(here: World, called: str = "graph") -> Any:
    return here.graph(
        "x:Input a:Echo b:Paid y:Output",
        "x.result > a.value",
        "a.out > b.value",
        "b.out > y.value",
        called=called,
    )


async def _fill(engine: Engine, here: World) -> str:
    await engine.top_up(USER, 100)
    plain = await finish(engine, chain(here), inputs={"x": 5}, idempotency_key="once")
    await finish(engine, chain(here), inputs={"x": BIG})
    child = chain(here, "child")
    nested = here.graph(
        "x:Input g:Agent y:Output",
        "x.result > g.x",
        "g.y > y.value",
        called="nested",
        g=agent(child),
        sub_graphs=[child],
    )
    await finish(engine, nested, inputs={"x": 1})
    failing = here.graph("x:Input f:Fail y:Output", "x.result > f.value", "f.out > y.value", called="failing")
    await finish(engine, failing, inputs={"x": 1})
    asked = here.graph(
        "x:Input r:Review y:Output", "x.result > r.data", "r.approved_data > y.value", called="asked"
    )
    run = await begin(engine, asked, inputs={"x": {"k": [1, "two"]}})
    waiting = await engine.wait(run.id, PATIENCE)
    assert waiting.status is ExecutionStatus.REVIEW
    [number] = waiting.reviews
    await engine.review(USER, f"{run.id}.{number}", approved=True)
    await when(engine, lambda event: (event.stream_id, event.topic) == (run.id, "execution.completed"))
    await engine.catch_up()
    return plain.id


def fill(path: Path) -> str:
    """Makes the store; the id of a plain execution in it."""

    async def make() -> str:
        here = world()
        async with here.open(f"sqlite:///{path}", billing=Billing(), snapshot_every=4) as engine:
            return await _fill(engine, here)

    return asyncio.run(make())


def sign(path: Path, key: SigningKey = KEY) -> str:
    """Writes a checkpoint; its note."""
    store = SQLiteStore(str(path))
    try:
        with Checkpoints(store) as checkpoints:
            return checkpoints.write(key).text
    finally:
        store.close()
