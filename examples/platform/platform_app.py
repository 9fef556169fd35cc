"""A small event-driven platform around actbook: an ASGI application and a listener, told by environment variables where things are.

- `POST /runs` with `{"item": …}` accepts an order: through RabbitMQ when there is one, else by the engine itself
- `GET /runs` shows the orders, from the status views
- `GET /sold` shows what was heard to be over: from NATS when there is one, else from the engine's own log

ACTBOOK_STORE, ACTBOOK_BROKER and ACTBOOK_BUS are the URLs; without them it is one process on one file. Any ASGI server runs it, as
`uvicorn platform_app:app` does.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from actbook.blocks.standard import standard_id
from actbook.bridge.nats import consume
from actbook.bridge.rabbitmq import RabbitPublisher
from actbook.engine import Engine
from actbook.events import GraphExecutionEntry
from actbook.graphs import Graph, Link, Node
from actbook.projections import EventFilter

USER = "shop"
ENDED = "execution.completed"

order = Graph(
    id="order",
    nodes=[
        Node(id="in", block_id=standard_id("AgentInputBlock"), input_default={"name": "item"}),
        Node(id="out", block_id=standard_id("AgentOutputBlock"), input_default={"name": "sold"}),
    ],
    links=[Link(source_id="in", source_name="result", sink_id="out", sink_name="value")],
)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Platform:
    """What lives as long as the server does."""

    def __init__(self, store: str, broker: str = "", bus: str = "") -> None:
        self.store, self.broker, self.bus = store, broker, bus
        self.sold: list[str] = []
        self._stack = AsyncExitStack()
        self._publisher: RabbitPublisher | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The engine runs orders in this process; `actbook worker` runs more of them in others."""
        urls = {"broker": self.broker or None, "bus": self.bus or None}
        self.engine: Engine = await self._stack.enter_async_context(Engine.open(self.store, **urls))
        await self.engine.save_graph(order, USER)
        if self.broker:
            self._publisher = await self._stack.enter_async_context(RabbitPublisher(self.broker))
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """In the order in which things depend on each other."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._stack.aclose()

    async def accept(self, item: object) -> str:
        """The id of the run. The same message again would be the same run."""
        run_id = str(uuid4())
        if self._publisher is None:
            await self.engine.add_graph_execution("order", USER, {"item": item}, idempotency_key=run_id)
            return run_id
        entry = GraphExecutionEntry(user_id=USER, graph_exec_id=run_id, graph_id="order", graph_version=1)
        await self._publisher.submit(entry, {"item": item}, message_id=run_id)
        return run_id

    async def orders(self) -> list[dict[str, Any]]:
        """The newest ones."""
        await self.engine.catch_up()
        rows = await self.engine.queries.executions(USER, limit=50)
        return [{"id": row.id, "status": str(row.status), "wall": row.wall} for row in rows]

    async def _listen(self) -> None:
        async for execution_id in self._ended():
            self.sold.append(execution_id)

    async def _ended(self) -> AsyncIterator[str]:
        if self.bus:
            async for message in consume(self.bus, "platform", topics=(ENDED,)):
                yield message.stream_id
        else:
            async for event in self.engine.subscribe(EventFilter(topics=(ENDED,))):
                yield event.stream_id


class App:
    """The platform as an ASGI application."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            status, answer = await self._answer(scope["method"], scope["path"], receive)
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                await self.platform.start()
            else:
                await self.platform.stop()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    async def _answer(self, method: str, path: str, receive: Receive) -> tuple[int, object]:
        if (method, path) == ("POST", "/runs"):
            try:
                item = json.loads(await _body(receive))["item"]
            except (ValueError, KeyError, TypeError):
                return 400, {"error": 'Send {"item": …}.'}
            return 202, {"id": await self.platform.accept(item)}
        if (method, path) == ("GET", "/runs"):
            return 200, await self.platform.orders()
        if (method, path) == ("GET", "/sold"):
            return 200, self.platform.sold
        return 404, {"error": "There are POST /runs, GET /runs and GET /sold."}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


app = App(
    Platform(
        os.environ.get("ACTBOOK_STORE", "sqlite:///platform.db"),
        os.environ.get("ACTBOOK_BROKER", ""),
        os.environ.get("ACTBOOK_BUS", ""),
    )
)
