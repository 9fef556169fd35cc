"""An engine with an execution of a wanted status, and executions below one another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.engine.kit import (
    PATIENCE,
    USER,
    Gate,
    World,
    agent,
    begin,
    finish,
    pure,
)

from actbook.engine import Engine
from actbook.events import (
    ChildStarted,
    ExecutionStatus,
    GraphExecution,
    Limits,
)
from actbook.graphs import Graph

S = ExecutionStatus
RUNNING, COMPLETED, FAILED, TERMINATED, REVIEW, QUEUED = (
    S.RUNNING,
    S.COMPLETED,
    S.FAILED,
    S.TERMINATED,
    S.REVIEW,
    S.QUEUED,
)


class Situation:
    """An engine with one execution of the wanted status."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.world = World(Echo=pure(), Hold=self.gate.block())

    def line(self, block: str, pin: str = "value") -> Graph:
        return self.world.graph(f"x:Input a:{block}", f"x.result > a.{pin}", called=block)

    @asynccontextmanager
    async def of(self, status: ExecutionStatus) -> AsyncIterator[tuple[Engine, GraphExecution]]:
        async with self.world.open(max_active=1) as engine:
            yield engine, await getattr(self, f"_{status.lower()}")(engine)

    async def _completed(self, engine: Engine) -> GraphExecution:
        return await finish(engine, self.line("Echo"), inputs={"x": 1})

    async def _failed(self, engine: Engine) -> GraphExecution:
        looped = self.world.graph("x:Input a:Echo", "x.result > a.value", "a.out > a.value", called="loop")
        return await finish(engine, looped, inputs={"x": 1}, limits=Limits(node_executions=3))

    async def _running(self, engine: Engine) -> GraphExecution:
        run = await begin(engine, self.line("Hold"), inputs={"x": 1})
        await self.gate.reached()
        return await engine.get_graph_execution(run.id)

    async def _terminated(self, engine: Engine) -> GraphExecution:
        run = await self._running(engine)
        return await engine.stop_graph_execution(USER, run.id, PATIENCE)

    async def _review(self, engine: Engine) -> GraphExecution:
        return await finish(engine, self.line("Review", "data"), inputs={"x": 1})

    async def _queued(self, engine: Engine) -> GraphExecution:
        await self._running(engine)
        return await begin(engine, self.line("Echo"), inputs={"x": 1})


def nested(world: World, levels: int, block: str) -> Graph:
    graph = world.graph(
        f"x:Input a:{block} y:Output", "x.result > a.value", "a.out > y.value", called="level0"
    )
    for level in range(1, levels + 1):
        graph = world.graph(
            "x:Input g:Agent y:Output",
            "x.result > g.x",
            "g.y > y.value",
            called=f"level{level}",
            sub_graphs=[graph],
            g=agent(graph),
        )
    return graph


async def tree(engine: Engine, execution_id: str) -> list[str]:
    """Ids of an execution and of all below it."""
    found = [execution_id]
    for each in found:
        events = await engine.journal.read_stream(each)
        found.extend(
            event.payload.execution_id for event in events if isinstance(event.payload, ChildStarted)
        )
    return found
