"""Events from JetStream, for whoever embeds actbook or only listens to it."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Literal

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._nats_connection import Connection
from actbook.bridge._nats_message import BusEvent, event_in
from actbook.bridge._nats_subject import filter_of, token_of
from actbook.bridge._nats_url import bus_config
from actbook.bridge._relay_publisher import BusUnavailableError

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import ConsumerConfig

logger = logging.getLogger("actbook.bridge")

_WAIT = 20.0
"""Seconds that one request for messages stands at the server; it costs nothing meanwhile."""
_PAUSE = 0.5


class _Seen:
    """The last ids, so that a message that comes again is known."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, event_id: str) -> None:
        self._ids[event_id] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._ids


async def consume(
    url: str,
    durable: str,
    *,
    topics: Sequence[str] = (),
    stream_id: str = "",
    start: Literal["all", "new"] = "all",
    batch: int = 100,
    ack_wait: float = 30.0,
    remember: int = 10_000,
) -> AsyncGenerator[BusEvent, None]:
    """Events from the bus, those of each stream in order; for ever, through every loss of the connection.

    JetStream remembers under the name `durable` what was acknowledged, which an event is when the next one is asked for; so
    one whose handling raised, or did not end before `ack_wait` seconds, comes again. Of the last `remember` ids none is
    handed out twice by one call; after a restart the last one may be, under the same id. After a kill up to `batch` events
    come again when `ack_wait` is over, behind newer ones; with `batch=1` none is out of order even then. Several processes
    with one name share the events, and the order is then theirs to keep. `topics`: such as "execution.completed" or "node.*";
    none means all. `start` counts only when the name is new. What is no event of actbook is logged and skipped. Raises
    `BusUrlError` and, when there is no bus at the beginning, `BusUnavailableError`.
    """
    connection = Connection(bus_config(url), f"actbook consumer {durable}")
    config = _consumer(connection, durable, topics, stream_id, start, batch, ack_wait)
    seen = _Seen(remember)
    try:
        await connection.jetstream()
        while True:
            try:
                async with aclosing(_messages(connection, config, batch)) as messages:
                    async for message in messages:
                        event = _event(message)
                        if event is not None and event.id not in seen:
                            yield event
                            seen.add(event.id)
                        await message.ack()
            except BusUnavailableError as error:
                logger.info("%s", error)
                await asyncio.sleep(_PAUSE)
    finally:
        await connection.close()


async def _messages(connection: Connection, config: ConsumerConfig, batch: int) -> AsyncGenerator[Msg, None]:
    """Raises `BusUnavailableError` when it has to be begun again."""
    import nats.errors

    try:
        jetstream = await connection.jetstream()
        subscription = await _subscription(jetstream, connection, config)
        while True:
            try:
                messages = await subscription.fetch(batch, timeout=_WAIT)
            except TimeoutError:
                heed_cancellation()
                if not await _is_there(jetstream, connection, config):
                    return
                continue
            heed_cancellation()
            for index, message in enumerate(messages):
                try:
                    yield message
                except GeneratorExit:
                    await _give_back(messages[index:])
                    raise
    except (TimeoutError, OSError, nats.errors.Error) as error:
        connection.doubt()
        raise BusUnavailableError(f"{connection.config.shown}: {error or type(error).__name__}") from None


async def _give_back(messages: Sequence[Msg]) -> None:
    """They come again at once and in order, instead of after a while and behind newer ones."""
    import nats.errors

    with suppress(OSError, nats.errors.Error):
        for message in messages:
            await message.nak()


async def _subscription(
    jetstream: JetStreamContext, connection: Connection, config: ConsumerConfig
) -> JetStreamContext.PullSubscription:
    if not await _is_there(jetstream, connection, config):
        await jetstream.add_consumer(connection.config.stream_name, config)
    return await jetstream.pull_subscribe_bind(
        consumer=config.durable_name, stream=connection.config.stream_name
    )


async def _is_there(jetstream: JetStreamContext, connection: Connection, config: ConsumerConfig) -> bool:
    from nats.js.errors import NotFoundError

    try:
        await jetstream.consumer_info(connection.config.stream_name, config.durable_name or "")
    except NotFoundError:
        return False
    return True


def _consumer(
    connection: Connection,
    durable: str,
    topics: Sequence[str],
    stream_id: str,
    start: Literal["all", "new"],
    batch: int,
    ack_wait: float,
) -> ConsumerConfig:
    from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

    tenant = connection.config.tenant
    return ConsumerConfig(
        durable_name=token_of(durable),
        deliver_policy=DeliverPolicy.ALL if start == "all" else DeliverPolicy.NEW,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ack_wait,
        max_ack_pending=batch,
        filter_subjects=[filter_of(tenant, topic, stream_id) for topic in topics or ("",)],
    )


def _event(message: Msg) -> BusEvent | None:
    try:
        return event_in(message.headers or {}, message.data, message.metadata.num_delivered or 1)
    except ValueError as error:
        logger.warning("A message on %s is no event of actbook: %s", message.subject, error)
        return None
