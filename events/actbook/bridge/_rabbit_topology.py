"""Declaring exchanges and queues, whatever is there already."""

from __future__ import annotations

import logging

import aio_pika
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from actbook.bridge._rabbit_errors import TopologyError
from actbook.bridge._rabbit_queues import BrokerConfig, Exchange, Queue

logger = logging.getLogger("actbook.bridge")

PATIENCE = 10.0
"""Seconds for each answer."""

_QUORUM_SINCE = 4


def replicates(connection: AbstractConnection) -> bool:
    """Whether the broker is one whose quorum queues have all that is asked of the run queue: RabbitMQ from 4 on."""
    transport = connection.transport
    properties = {} if transport is None else transport.connection.server_properties
    version = properties.get("version", "")
    text = version.decode() if isinstance(version, bytes) else str(version)
    major = text.partition(".")[0]
    return major.isdecimal() and int(major) >= _QUORUM_SINCE


async def declare(connection: AbstractConnection, config: BrokerConfig) -> None:
    """Everything of the configuration. Raises `TopologyError`.

    Each on a channel of its own: a refused declaration closes the channel. A queue that is there with other arguments is
    used as it is, since messages in it must not be lost; that is said in the log.
    """
    for exchange in config.exchanges:
        await _declare_exchange(connection, exchange)
    for queue in config.queues:
        await _declare_queue(connection, queue)


async def _declare_exchange(connection: AbstractConnection, exchange: Exchange) -> None:
    channel = await connection.channel()
    try:
        await channel.declare_exchange(
            exchange.name,
            aio_pika.ExchangeType(exchange.type),
            durable=exchange.durable,
            auto_delete=exchange.auto_delete,
            timeout=PATIENCE,
        )
    except ChannelPreconditionFailed as error:
        raise TopologyError(exchange.name, str(error)) from error
    finally:
        await channel.close()


async def _declare_queue(connection: AbstractConnection, queue: Queue) -> None:
    channel = await connection.channel()
    try:
        await channel.declare_queue(
            queue.name,
            durable=queue.durable,
            exclusive=queue.exclusive,
            auto_delete=queue.auto_delete,
            arguments=dict(queue.arguments) or None,
            timeout=PATIENCE,
        )
    except ChannelPreconditionFailed as error:
        logger.warning("The queue %s is used as it is: %s", queue.name, error)
        channel = await connection.channel()
    except aio_pika.exceptions.ChannelClosed as error:
        raise TopologyError(queue.name, str(error)) from error
    try:
        bound = await channel.get_queue(queue.name, ensure=False)
        await bound.bind(queue.exchange, routing_key=queue.routing_key, timeout=PATIENCE)
    finally:
        await channel.close()
