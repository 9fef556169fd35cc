"""What the tests of the engine share: blocks made from a function, graphs written in one line, gates to hold bodies at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from actbook.actors import SupervisionPolicy, Timing
from actbook.blocks import Registry, default_registry
from actbook.engine import Engine
from actbook.events import Envelope, GraphExecution
from actbook.graphs import AGENT_BLOCK_ID, Block, Graph, Link, Node

INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
REVIEW = "8b2a7b3c-6e9d-4a5f-8c1b-2e3f4a5b6c7d"
USER = "ada"
PATIENCE = 20.0
"""Seconds; only a failing test waits that long."""

Pairs = Iterator[tuple[str, Any]]
AsyncPairs = AsyncIterator[tuple[str, Any]]


class Value(msgspec.Struct):
    value: Any = None


class Anything(msgspec.Struct):
    out: Any = None
    error: str = ""


def block(run: Callable[[Any, Any], Any], **attributes: Any) -> type[Block]:
    """A block of its own id whose `run` is the function; pins `value` → `out`, `error`."""
    body = {"id": str(uuid4()), "Input": Value, "Output": Anything, **attributes}

    def method(self: Any, input: Any, context: Any) -> Any:
        return run(input, context)

    return type(f"{run.__name__.title()}Block", (Block,), {**body, "run": method, "__module__": __name__})


def echo(input: Any, context: Any) -> Pairs:
    """Yields what it gets."""
    yield "out", input.value


def pure(run: Callable[[Any, Any], Any] = echo, **attributes: Any) -> type[Block]:
    """A short block without effects: it runs inline, ahead of the commit."""
    return block(run, execution="inline", effects=False, **attributes)


async def _echo(input: Any, context: Any) -> AsyncPairs:
    yield "out", input.value


def effect(run: Callable[[Any, Any], Any] = _echo, **attributes: Any) -> type[Block]:
    """A block with effects, on the loop."""
    return block(run, **attributes)


class Gate:
    """Bodies wait here until the test lets them pass. `entered` counts those that came, `ended` those that left."""

    def __init__(self) -> None:
        self.entered = 0
        self.most = 0
        self.inside = 0
        self.values: list[Any] = []
        self._open = asyncio.Event()
        self._changed = asyncio.Event()

    async def hold(self, input: Any, context: Any) -> AsyncPairs:
        """The body of a block that passes its value on once the gate is open."""
        self.entered += 1
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.values.append(input.value)
        self._changed.set()
        try:
            await self._open.wait()
            yield "out", input.value
        finally:
            self.inside -= 1
            self._changed.set()

    def block(self, **attributes: Any) -> type[Block]:
        return block(self.hold, **attributes)

    async def until(self, condition: Callable[[Gate], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def reached(self, bodies: int = 1) -> None:
        """Returns when so many bodies came to the gate in all."""
        await self.until(lambda gate: gate.entered >= bodies)

    def open(self) -> None:
        self._open.set()


class World:
    """Blocks by a short name, and graphs of them: `world.graph("in a:Echo out", "in.result > a.value", …)`."""

    def __init__(self, **blocks: type[Block]) -> None:
        self.registry = Registry(parent=default_registry())
        self.ids = {"Input": INPUT, "Output": OUTPUT, "Review": REVIEW, "Agent": AGENT_BLOCK_ID}
        for name, kind in blocks.items():
            self.registry.register(kind)
            self.ids[name] = kind.id

    def graph(
        self,
        nodes: str,
        *links: str,
        called: str = "graph",
        sub_graphs: list[Graph] | None = None,
        **data: Any,
    ) -> Graph:
        """`nodes`: `name:Block` each; INPUT and OUTPUT nodes are called as they are. `>>` is a static link."""
        parsed = [part.split(":") for part in nodes.split()]
        return Graph(
            id=called,
            nodes=[
                Node(
                    id=name,
                    block_id=self.ids[kind],
                    input_default=self._constants(name, kind, data.get(name)),
                )
                for name, kind in parsed
            ],
            links=[_link(text) for text in links],
            sub_graphs=sub_graphs or [],
        )

    @staticmethod
    def _constants(name: str, kind: str, given: Any) -> dict[str, Any]:
        named = {"name": name} if kind in ("Input", "Output", "Review") else {}
        return {**named, **(given or {})}

    def open(self, url: str = "memory:", **settings: Any) -> Any:
        timing = Timing(grace=2.0, linger=0.02, retry_after=0.02)
        patience = SupervisionPolicy(max_restarts=3, window=60.0, backoff=0.002)
        return Engine.open(
            url,
            **{
                "registry": self.registry,
                "timing": timing,
                "drain": 0.0,
                "supervision": patience,
                **settings,
            },
        )


def _link(text: str) -> Link:
    source, arrow, sink = text.split()
    source_id, source_name = source.split(".")
    sink_id, sink_name = sink.split(".")
    return Link(
        source_id=source_id,
        source_name=source_name,
        sink_id=sink_id,
        sink_name=sink_name,
        is_static=arrow == ">>",
    )


def agent(child: Graph, *, inputs: str = "x", outputs: str = "y", **constants: Any) -> dict[str, Any]:
    """The constants of an AGENT node that runs `child`."""
    return {
        "graph_id": child.id,
        "graph_version": child.version,
        "inputs": {},
        "input_schema": {
            "type": "object",
            "properties": {name: {} for name in inputs.split()},
            "required": [],
        },
        "output_schema": {"type": "object", "properties": {name: {} for name in outputs.split()}},
        **constants,
    }


async def begin(engine: Engine, graph: Graph, user: str = USER, **options: Any) -> GraphExecution:
    """Saves the graph and submits a run of it."""
    saved = await engine.save_graph(graph, user)
    inputs = options.pop("inputs", {})
    return await engine.add_graph_execution(saved.id, user, inputs, graph_version=saved.version, **options)


async def finish(engine: Engine, graph: Graph, **options: Any) -> GraphExecution:
    """Runs the graph to its end."""
    run = await begin(engine, graph, **options)
    return await engine.wait(run.id, PATIENCE)


async def topics(engine: Engine, execution_id: str) -> list[str]:
    """The topics of the recorded events, in order."""
    return [event.topic for event in await engine.journal.read_stream(execution_id)]


async def when(engine: Engine, matches: Callable[[Envelope], bool], after: int = 0) -> Envelope:
    """The first recorded event for which `matches` is true; waits for it."""
    async with asyncio.timeout(PATIENCE):
        async for event in engine.journal.subscribe(after):
            if matches(event):
                return event
    raise AssertionError("the journal was closed before the event came")


def sqlite(folder: Path, name: str = "runs.db") -> str:
    return f"sqlite:///{folder / name}"


def play(test: Awaitable[Any], within: float = 60) -> Any:
    """Runs an async test, and fails it instead of letting it hang."""

    async def bounded() -> Any:
        async with asyncio.timeout(within):
            return await test

    return asyncio.run(bounded())


@asynccontextmanager
async def task(work: Awaitable[Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Work beside the test; ended with it."""

    async def run() -> Any:
        return await work

    running = asyncio.get_running_loop().create_task(run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
