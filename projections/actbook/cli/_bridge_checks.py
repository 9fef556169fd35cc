"""What `doctor` looks at in a message broker and in a bus. Nothing is declared, sent or taken there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from actbook.cli._checks import Finding

PATIENCE = 5.0
"""Seconds that a server may take to answer."""

_CORRECT = "Correct {option}, or start the server; `{program}` there tells whether it runs."


def examine_broker(url: str) -> Iterator[Finding]:
    """RabbitMQ: the URL, a login to its virtual host, and the queue that runs are taken from. Blocks."""
    from actbook.bridge import BusUrlError
    from actbook.bridge.rabbitmq import checked_url, redacted

    try:
        checked_url(url)
    except BusUrlError as error:
        yield Finding("fail", "broker URL", str(error), "Correct --broker.")
        return
    yield Finding("ok", "broker URL", redacted(url))
    yield from asyncio.run(_broker(url))


def examine_bus(url: str) -> Iterator[Finding]:
    """NATS: the URL, a login, JetStream, and the stream that events are kept in. Blocks."""
    from actbook.bridge import BusUrlError
    from actbook.bridge.nats import bus_config

    try:
        config = bus_config(url)
    except BusUrlError as error:
        yield Finding("fail", "bus URL", str(error), "Correct --bus.")
        return
    yield Finding("ok", "bus URL", config.shown)
    yield from asyncio.run(_bus(config))


async def _broker(url: str) -> list[Finding]:
    import aio_pika

    from actbook.bridge._rabbit_link import LOST, Reconnecting, connect
    from actbook.bridge.rabbitmq import redacted

    place = redacted(url)
    try:
        connection = await connect(url, Reconnecting(connect=PATIENCE))
    except (*LOST, ValueError) as error:
        text = _said(error, url, place)
        remedy = _CORRECT.format(option="--broker", program="rabbitmq-diagnostics status")
        if isinstance(error, aio_pika.exceptions.ProbableAuthenticationError):
            remedy = "Correct user and password in --broker."
        return [Finding("fail", "broker", f"{place} can't be used: {text}", remedy)]
    try:
        under = connection.transport.connection if connection.transport is not None else None
        about: dict[str, Any] = dict(getattr(under, "server_properties", None) or {})
        found = Finding(
            "ok", "broker", f"{about.get('product', 'RabbitMQ')} {about.get('version', '')}".strip()
        )
        return [found, await _run_queue(connection)]
    finally:
        await connection.close()


async def _run_queue(connection: Any) -> Finding:
    import aio_pika

    from actbook.bridge.rabbitmq import create_execution_queue_config

    name = create_execution_queue_config().queues[0].name
    try:
        async with asyncio.timeout(PATIENCE):
            channel = await connection.channel()
            queue = await channel.get_queue(name, ensure=True)
    except aio_pika.exceptions.ChannelNotFoundEntity:
        return Finding("ok", "run queue", f"{name} is not there yet; the first worker makes it")
    except (aio_pika.exceptions.AMQPError, TimeoutError) as error:
        remedy = "Give the user the right to configure, write and read in this virtual host."
        return Finding("fail", "run queue", f"{name}: {_text(error)}", remedy)
    result = queue.declaration_result
    text = f"{name}: {result.message_count} messages wait, {result.consumer_count} workers take from it"
    return Finding("ok", "run queue", text)


async def _bus(config: Any) -> list[Finding]:
    import nats.errors
    from nats.aio.client import Client

    client = Client()

    async def quiet(_error: Exception) -> None:
        """What it finds is told once, at the end."""

    try:
        async with asyncio.timeout(PATIENCE):
            await client.connect(
                list(config.servers), name="actbook doctor", allow_reconnect=False, error_cb=quiet
            )
    except (TimeoutError, OSError, nats.errors.Error) as error:
        remedy = _CORRECT.format(option="--bus", program="nats server check connection")
        if "authorization" in str(error).lower():
            remedy = "Correct user and password, or the token, in --bus."
        return [Finding("fail", "bus", f"{config.shown} can't be used: {_text(error)}", remedy)]
    try:
        version = client.connected_server_version
        text = f"NATS {version.major}.{version.minor}.{version.patch}"
        return [Finding("ok", "bus", text), await _stream(client, config)]
    finally:
        await client.close()


async def _stream(client: Any, config: Any) -> Finding:
    import nats.errors
    import nats.js.errors

    jetstream = client.jetstream(timeout=PATIENCE)
    try:
        await jetstream.account_info()
        info = await jetstream.stream_info(config.stream_name)
    except nats.js.errors.NotFoundError:
        return Finding("ok", "stream", f"{config.stream_name} is not there yet; the first relay makes it")
    except (TimeoutError, nats.errors.Error) as error:
        remedy = "Start the server with JetStream (`nats-server -js`), and allow this account to use it."
        return Finding("fail", "stream", f"JetStream can't be used: {_text(error)}", remedy)
    return Finding("ok", "stream", f"{config.stream_name} holds {info.state.messages} events")


def _said(error: BaseException, url: str, place: str) -> str:
    """Messages of the client library may repeat the URL."""
    return _text(error).replace(url, place)


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
