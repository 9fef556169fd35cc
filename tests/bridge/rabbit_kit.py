"""What the tests with a RabbitMQ share: an engine behind it, messages, a wire that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from actbook.bridge.rabbitmq import DeadLetter, DeadLetters, IntakeCounts, RabbitPublisher
from actbook.engine import Engine
from actbook.events import CancelExecutionEvent, GraphExecutionEntry
from actbook.graphs import Graph, Link, Node

INPUT = "c0a8e994-ebf1-4a9c-a4d8-89d09c86741b"
OUTPUT = "363ae599-353e-4804-937e-b2ee3cef3da4"
USER = "ada"
GRAPH = "echo"
PATIENCE = 60.0
"""Seconds; only a failing test waits that long."""


def echo_graph() -> Graph:
    """Gives back `x` as `y`."""
    return Graph(
        id=GRAPH,
        version=1,
        nodes=[
            Node(id="in", block_id=INPUT, input_default={"name": "x"}),
            Node(id="out", block_id=OUTPUT, input_default={"name": "y"}),
        ],
        links=[Link(id="l", source_id="in", source_name="result", sink_id="out", sink_name="value")],
    )


def entry(graph_exec_id: str = "", **fields: Any) -> GraphExecutionEntry:
    """A run message of ours."""
    known: dict[str, Any] = {
        "user_id": USER,
        "graph_id": GRAPH,
        "graph_version": 1,
        "graph_exec_id": graph_exec_id,
    }
    return GraphExecutionEntry(**(known | fields))


def cancel(graph_exec_id: str, **fields: Any) -> CancelExecutionEvent:
    return CancelExecutionEvent(graph_exec_id=graph_exec_id, **fields)


async def until(condition: Callable[[], bool]) -> None:
    """Raises `TimeoutError` when it does not come true."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@asynccontextmanager
async def engine_on(url: str, store: str = "memory:", **settings: Any) -> AsyncIterator[Engine]:
    """An engine that takes messages by now, with the graph saved."""
    async with Engine.open(store, broker=url, **settings) as engine:
        await engine.save_graph(echo_graph(), USER)
        assert await intake(engine).wait(PATIENCE)
        yield engine


def intake(engine: Engine) -> Any:
    assert engine.intake is not None
    return engine.intake.rabbit


def counts(engine: Engine) -> IntakeCounts:
    found: IntakeCounts = intake(engine).counts
    return found


async def letters(url: str, count: int) -> list[DeadLetter]:
    """What is in the dead-letter queue, once so many are."""
    async with asyncio.timeout(PATIENCE):
        while len(found := await DeadLetters(url).first()) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def submit(url: str, *entries: GraphExecutionEntry) -> None:
    """Each under its execution's id."""
    async with RabbitPublisher(url, timeout=PATIENCE) as publisher:
        for each in entries:
            await publisher.submit(each, message_id=each.graph_exec_id)


class Wire:
    """Passes bytes on to a port until it is cut; new connections work again afterwards."""

    def __init__(self, port: int) -> None:
        self.to = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"amqp://guest:guest@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    def cut(self) -> None:
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_pass(reader, back), _pass(there, writer))
        finally:
            self._writers -= {writer, back}


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
