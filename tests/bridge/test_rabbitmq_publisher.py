"""What goes out to a broker."""

from __future__ import annotations

import asyncio
import socket

import aio_pika
import pytest
from tests.bridge.rabbit_kit import (
    GRAPH,
    PATIENCE,
    USER,
    cancel,
    counts,
    echo_graph,
    engine_on,
    entry,
    until,
)

from actbook.bridge import BusUnavailableError, RefusedError, Relay, UnroutableError
from actbook.bridge.rabbitmq import RabbitPublisher
from actbook.engine import Engine
from actbook.events import Envelope, GraphExecutionEntry


async def _messages(
    url: str, queue_name: str = "graph_execution_queue"
) -> list[aio_pika.abc.AbstractIncomingMessage]:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.get_queue(queue_name)
        found = []
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            found.append(message)
        return found


def test_a_run_message_is_persistent_and_has_its_id(amqp_url: str) -> None:
    async def run() -> None:
        async with RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
            await publisher.submit(entry("e1"), {"x": 1}, message_id="m1")
        [message] = await _messages(amqp_url)
        assert (message.message_id, message.delivery_mode) == ("m1", aio_pika.DeliveryMode.PERSISTENT)
        assert message.content_type == "application/json"
        assert GraphExecutionEntry.from_json(message.body) == entry("e1")

    asyncio.run(run())


def test_what_is_too_large_is_not_even_sent(amqp_url: str) -> None:
    async def run() -> None:
        async with RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
            with pytest.raises(RefusedError, match="bytes"):
                await publisher.submit(entry("e1"), {"x": "x" * (1 << 20)}, message_id="m1")
            await publisher.submit(entry("e2"), message_id="m2")

    asyncio.run(run())


def test_a_cancel_message_that_nobody_hears_is_an_error(amqp_url: str) -> None:
    async def run() -> None:
        async with RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
            with pytest.raises(UnroutableError) as caught:
                await publisher.cancel(cancel("e1"), "c1")
            assert caught.value.exchange == "graph_execution_cancel"
            await publisher.cancel(cancel("e1"), "c2", mandatory=False)
            await publisher.submit(entry("e1"), message_id="m1")

    asyncio.run(run())


def test_a_broker_that_is_not_there(amqp_url: str) -> None:
    async def run(url: str) -> None:
        async with RabbitPublisher(url, timeout=0.2) as publisher:
            with pytest.raises(BusUnavailableError) as caught:
                await publisher.submit(entry("e1"), message_id="m1")
            assert "guest" not in str(caught.value)

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        asyncio.run(run(f"amqp://guest:guest@127.0.0.1:{nobody.getsockname()[1]}/"))


def test_a_broker_that_never_answers_is_given_up() -> None:
    async def run() -> None:
        writers: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with RabbitPublisher(f"amqp://127.0.0.1:{port}/", timeout=0.2) as publisher:
            with pytest.raises(BusUnavailableError):
                await publisher.submit(entry("e1"), message_id="m1")
        silent.close()
        for writer in writers:
            writer.transport.abort()
        await silent.wait_closed()

    asyncio.run(run())


def test_it_works_again_after_its_channel_was_closed(amqp_url: str) -> None:
    async def run() -> None:
        async with RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher:
            await publisher.submit(entry("e1"), message_id="m1")
            connection = await aio_pika.connect(amqp_url)
            async with connection:
                await (await connection.channel()).exchange_delete("graph_execution")
            async with asyncio.timeout(PATIENCE):
                while not await _sent(publisher):
                    pass
        assert {message.message_id for message in await _messages(amqp_url)} >= {"m2"}

    asyncio.run(run())


async def _sent(publisher: RabbitPublisher) -> bool:
    try:
        await publisher.submit(entry("e2"), message_id="m2")
    except BusUnavailableError:
        return False
    return True


def test_a_relay_tells_of_what_waits_and_of_what_is_to_stop(amqp_url: str) -> None:
    async def run() -> None:
        async with Engine.open("memory:") as engine:
            await engine.save_graph(echo_graph(), USER)
            done = await engine.wait((await engine.add_graph_execution(GRAPH, USER, {"x": 1})).id, PATIENCE)
            relay = Relay(engine.journal, RabbitPublisher(amqp_url, timeout=PATIENCE), name="rabbitmq")
            relay.start()
            await relay.wait(await engine.journal.last_position(), PATIENCE)
            await relay.close()
            [created] = await engine.journal.read_stream(done.id, 0, 1)
        [message] = await _messages(amqp_url)
        assert message.message_id == str(created.id)
        told = GraphExecutionEntry.from_json(message.body)
        assert (told.user_id, told.graph_exec_id, told.graph_id, told.graph_version) == (
            USER,
            done.id,
            GRAPH,
            1,
        )

    asyncio.run(run())


def test_a_cancel_that_was_recorded_elsewhere_reaches_the_workers(amqp_url: str) -> None:
    async def run() -> None:
        async with (
            engine_on(amqp_url) as engine,
            RabbitPublisher(amqp_url, timeout=PATIENCE) as publisher,
            Engine.open("memory:") as elsewhere,
        ):
            await publisher.submit(entry("e1"), {"x": 1}, message_id="m1")
            await until(lambda: counts(engine).accepted == 1)
            await engine.wait("e1", PATIENCE)
            await publisher.publish(await _cancel_event(elsewhere))
            await until(lambda: counts(engine).moot == 1)

    asyncio.run(run())


async def _cancel_event(engine: Engine) -> Envelope:
    """As it is in the inbox of an execution called e1."""
    from actbook.events import Append, CancelRequested, Draft, inbox_of

    await engine.journal.append(Append(inbox_of("e1"), None, [Draft(CancelRequested(USER), 1)], USER, "e1"))
    [event] = await engine.journal.read_stream(inbox_of("e1"))
    return event
