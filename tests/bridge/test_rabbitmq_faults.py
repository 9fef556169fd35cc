"""Connections that are cut and brokers that die while messages flow."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.bridge.rabbit_kit import (
    GRAPH,
    PATIENCE,
    USER,
    Wire,
    counts,
    echo_graph,
    engine_on,
    entry,
    intake,
    until,
)
from tests.services.rabbitmq import Broker, private_broker

from actbook.bridge import BusUnavailableError
from actbook.bridge.rabbitmq import DeadLetters, IntakeCounts, RabbitPublisher
from actbook.engine import Engine

SUBMITS = int(os.environ.get("ACTBOOK_TEST_SUBMITS", "300"))

SETTLED = 8.0
"""Seconds after which a broker that is killed knows its new queues again."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """Nobody else's: it is killed here. What is declared stays from test to test."""
    with private_broker() as private:
        asyncio.run(_declare(private.url))
        private.declared = time.monotonic()
        yield private


async def _declare(url: str) -> None:
    async with engine_on(url):
        pass


def test_a_connection_that_is_cut_again_and_again_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    total = SUBMITS // 2

    async def run() -> None:
        async with (
            Wire(broker.port) as wire,
            engine_on(wire.url, f"sqlite:///{tmp_path}/store.db") as engine,
            RabbitPublisher(broker.url, timeout=PATIENCE) as publisher,
        ):
            seen = counts(engine)
            sending = asyncio.create_task(_send(publisher, total))
            for number in range(1, 6):
                mark = number * total // 10
                await until(lambda mark=mark: seen.accepted >= mark)  # type: ignore[misc]
                wire.cut()
            await sending
            await until(lambda: seen.accepted == total)
            assert intake(engine).connects > 1
            await _all_there(engine, broker.url, total, seen)

    asyncio.run(run())


@pytest.mark.timeout(400)
def test_a_broker_that_is_killed_while_submits_flow(broker: Broker, tmp_path: Path) -> None:
    total = SUBMITS

    async def run() -> None:
        async with (
            engine_on(broker.url, f"sqlite:///{tmp_path}/store.db") as engine,
            RabbitPublisher(broker.url, timeout=2.0) as publisher,
        ):
            seen = counts(engine)
            await asyncio.sleep(max(0.0, broker.declared + SETTLED - time.monotonic()))
            sending = asyncio.create_task(_send(publisher, total))
            await until(lambda: seen.accepted >= total // 4)
            restarted = threading.Thread(target=_restart, args=(broker,))
            restarted.start()
            await sending
            await asyncio.to_thread(restarted.join)
            await until(lambda: seen.accepted == total)
            assert intake(engine).connects > 1
            await _all_there(engine, broker.url, total, seen)

    asyncio.run(run())


def _restart(broker: Broker) -> None:
    broker.kill()
    broker.start()


async def _send(publisher: RabbitPublisher, total: int, at_once: int = 50) -> int:
    """Each message until it is confirmed; returns how often that took another try."""
    numbers = iter(range(total))
    again = 0

    async def some() -> None:
        nonlocal again
        for number in numbers:
            while not await _confirmed(publisher, number):
                again += 1

    await asyncio.gather(*(some() for _ in range(at_once)))
    return again


async def _confirmed(publisher: RabbitPublisher, number: int) -> bool:
    try:
        await publisher.submit(entry(f"e{number}"), {"x": number}, message_id=f"m{number}")
    except BusUnavailableError:
        return False
    return True


async def _all_there(engine: Engine, url: str, total: int, seen: IntakeCounts) -> None:
    created = await engine.journal.read_log(0, 10 * total, ["execution.created"])
    assert sorted(event.stream_id for event in created) == sorted(f"e{number}" for number in range(total))
    last = await engine.wait(f"e{total - 1}", PATIENCE)
    assert last.outputs == {"y": [total - 1]}
    await until(lambda: not intake(engine)._tasks)
    assert (seen.accepted, seen.refused) == (total, 0)
    assert await DeadLetters(url).first() == []


def test_an_engine_begins_without_its_broker_and_takes_messages_when_it_comes(amqp_url: str) -> None:
    async def run() -> None:
        port = urlsplit(amqp_url).port
        assert port
        wire = Wire(1)
        async with wire, Engine.open("memory:", broker=wire.url) as engine:
            await engine.save_graph(echo_graph(), USER)
            done = await engine.add_graph_execution(GRAPH, USER, {"x": 1})
            assert (await engine.wait(done.id, PATIENCE)).outputs == {"y": [1]}
            await until(lambda: intake(engine).failure != "")
            wire.to = port
            async with RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
                await publisher.submit(entry("e1"), message_id="m1")
            await until(lambda: counts(engine).accepted == 1)

    asyncio.run(run())
