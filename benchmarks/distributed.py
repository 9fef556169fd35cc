"""PostgreSQL with several worker processes beside DBOS, RabbitMQ and JetStream beside the bare clients. Prints JSON lines.

python -m benchmarks.distributed
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from uuid import uuid4

import aio_pika
import nats
import pytest
from tests.services.postgres import fresh_database

from actbook.bridge.rabbitmq import RabbitPublisher
from actbook.engine import Engine
from actbook.events import GraphExecutionEntry
from benchmarks import servers
from benchmarks.peers.race import absent, race
from benchmarks.peers.window import Work
from benchmarks.workloads import EffectBlock, PureBlock, chain, registry

USER = "bench"
AT_ONCE = 64
"""Runs, messages or events under way in one process, here and there."""


def emit(name: str, **figures: float | str) -> None:
    """One JSON line."""
    rounded = {key: round(each, 3) if isinstance(each, float) else each for key, each in figures.items()}
    print(json.dumps({"name": name, **rounded}), flush=True)


def workers(server: str) -> None:
    """Steps per second of 1, 2 and 4 processes that submit to one store and run, each in a database of its own."""
    reason = absent("dbos")
    if reason:
        emit("PostgreSQL beside DBOS", skipped=reason)
    for steps in (3, 10):
        for processes in (1, 2, 4):
            own = _raced("actbook", server, steps, processes)
            figures = {"value": own, "runs_per_s": own / steps}
            if reason is None:
                peer = _raced("dbos", server, steps, processes)
                figures |= {"dbos": peer, "ratio": own / peer}
            emit(f"PostgreSQL, {processes} processes, runs of {steps} steps", unit="steps/s", **figures)


def _raced(competitor: str, server: str, steps: int, processes: int) -> float:
    with fresh_database(server) as database:
        url = f"{database}?views=memory:" if competitor == "actbook" else database
        return race(competitor, Work(url, "chain", steps, AT_ONCE), processes, 3.0)


async def submits(broker: str, count: int = 2000) -> None:
    """From the first message published until all are recorded, beside the bare client that only publishes with confirms."""
    bare = await _bare_publishes(broker, count)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/submits.db"
        async with (
            Engine.open(url, registry=registry(), broker=broker) as engine,
            RabbitPublisher(broker) as publisher,
        ):
            graph = await engine.save_graph(chain(1, PureBlock), USER)
            assert engine.intake is not None
            assert engine.intake.rabbit is not None
            counts = engine.intake.rabbit.counts
            begun = time.perf_counter()

            async def submit(number: int) -> None:
                entry = GraphExecutionEntry(
                    user_id=USER, graph_exec_id="", graph_id=graph.id, graph_version=1
                )
                await publisher.submit(entry, message_id=f"{begun}-{number}")

            await _bounded(submit, count)
            published = count / (time.perf_counter() - begun)
            while counts.accepted < count:
                assert counts.refused == 0
                await asyncio.sleep(0.005)
            accepted = count / (time.perf_counter() - begun)
    emit(
        "submits accepted through RabbitMQ",
        value=accepted,
        unit="submits/s",
        published=published,
        bare_client=bare,
        ratio=accepted / bare,
    )


async def _bare_publishes(broker: str, count: int) -> float:
    async with await aio_pika.connect(broker) as connection:
        channel = await connection.channel(publisher_confirms=True)
        queue = await channel.declare_queue(
            f"bench-{uuid4().hex}", durable=True, arguments={"x-queue-type": "quorum"}
        )
        message = aio_pika.Message(bytes(200), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)

        async def publish(_: int) -> None:
            await channel.default_exchange.publish(message, queue.name)

        begun = time.perf_counter()
        await _bounded(publish, count)
        seconds = time.perf_counter() - begun
        await queue.delete(if_unused=False, if_empty=False)
    return count / seconds


async def publishing(bus: str, runs: int = 500) -> None:
    """A journal that is there already, into JetStream, beside the bare client with messages of the same size."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'events.db'}"
        async with Engine.open(url, registry=registry()) as engine:
            graph = await engine.save_graph(chain(10, EffectBlock), USER)

            async def run(_: int) -> None:
                execution = await engine.add_graph_execution(graph.id, USER)
                await engine.wait(execution.id)

            await _bounded(run, runs)
            events = await engine.journal.last_position()
        tenant = f"bench{uuid4().hex[:8]}"
        begun = time.perf_counter()
        async with Engine.open(url, registry=registry(), bus=f"{bus}?tenant={tenant}") as engine:
            assert engine.relay is not None
            await engine.relay.wait(events)
        relayed = events / (time.perf_counter() - begun)
    bare = await _bare_events(bus, f"actbook-{tenant}", events)
    emit("events into JetStream", value=relayed, unit="events/s", bare_client=bare, ratio=relayed / bare)


async def _bare_events(bus: str, stream: str, count: int) -> float:
    client = await nats.connect(bus)
    context = client.jetstream()
    state = (await context.stream_info(stream)).state
    body = bytes(state.bytes // max(1, state.messages))
    await context.delete_stream(stream)
    await context.add_stream(name="bare", subjects=["bare.>"])

    async def publish(number: int) -> None:
        await context.publish("bare.event", body, headers={"Nats-Msg-Id": str(number)})

    begun = time.perf_counter()
    await _bounded(publish, count)
    seconds = time.perf_counter() - begun
    await context.delete_stream("bare")
    await client.close()
    return count / seconds


async def _bounded(work: Callable[[int], Awaitable[None]], count: int) -> None:
    numbers = iter(range(count))

    async def each() -> None:
        while batch := list(islice(numbers, 1)):
            await work(batch[0])

    await asyncio.gather(*(each() for _ in range(AT_ONCE)))


def _beside(name: str, server: AbstractContextManager[str], measure: Callable[[str], None]) -> None:
    try:
        with server as url:
            measure(url)
    except (pytest.skip.Exception, pytest.fail.Exception) as failure:
        emit(name, skipped=str(servers.absent(failure)))


def main() -> None:
    """Each part is left out, with the reason, where its server can't be had."""
    _beside("RabbitMQ", servers.RABBITMQ(), lambda url: asyncio.run(submits(url)))
    _beside("JetStream", servers.NATS(), lambda url: asyncio.run(publishing(url)))
    _beside("PostgreSQL", servers.postgresql(), workers)


if __name__ == "__main__":
    main()
