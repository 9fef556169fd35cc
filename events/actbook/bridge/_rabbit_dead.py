"""The dead-letter queue, for people: look at it, and send back what can be handled now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

import aiormq
import msgspec
from aiormq.abc import AbstractChannel, DeliveredMessage

from actbook.bridge._rabbit_errors import UnroutableError
from actbook.bridge._rabbit_letters import DeadLetter, read_letter, retried_headers
from actbook.bridge._rabbit_link import LOST, Reconnecting, checked_url, connect
from actbook.bridge._rabbit_publisher import CONFIRM_TIMEOUT
from actbook.bridge._rabbit_queues import create_execution_queue_config
from actbook.bridge._rabbit_topology import declare, replicates
from actbook.bridge._relay_publisher import BusUnavailableError

__all__ = ["DeadLetter", "DeadLetters", "is_named"]

QUEUE = "graph_execution_dead_letter_queue"


class DeadLetters:
    """What is in the dead-letter queue of a broker. Each call connects anew; what it looks at stays where it is.

    All may raise `BusUnavailableError` or `TopologyError`. While one call looks, another may see less.
    """

    def __init__(self, url: str) -> None:
        """Raises `BusUrlError`."""
        self._url = checked_url(url)

    async def first(self, limit: int = 1000) -> list[DeadLetter]:
        """The first ones of the queue, oldest first."""
        async with self._channel() as channel:
            return [letter async for _, letter in _each(channel, limit)]

    async def find(self, ids: Collection[str], limit: int = 100_000) -> list[DeadLetter]:
        """Those with one of the ids, or an id that begins so."""
        async with self._channel() as channel:
            return [letter async for _, letter in _each(channel, limit) if is_named(letter, ids)]

    async def retry(
        self,
        ids: Collection[str] | None = None,
        limit: int = 100_000,
        on_sent: Callable[[DeadLetter], object] | None = None,
    ) -> list[DeadLetter]:
        """Sends letters back where they came from; None: all that are there now. Returns those that were sent.

        A letter leaves the queue when the broker has confirmed that its message is in the other one; if the connection is
        lost in between it is in both, which receivers tell by its message id.
        """
        sent: list[DeadLetter] = []
        async with self._channel() as channel:
            # All of them first: what fails at once comes back to the end of this queue, and would be sent for ever.
            found = [
                (tag, letter)
                async for tag, letter in _each(channel, limit)
                if ids is None or is_named(letter, ids)
            ]
            for tag, letter in found:
                await _send_back(channel, letter)
                await channel.basic_ack(tag, wait=True)
                sent.append(letter)
                if on_sent is not None:
                    on_sent(letter)
        return sent

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        """Closing it puts back what was taken and not acknowledged."""
        try:
            connection = await connect(self._url, Reconnecting())
        except LOST as error:
            raise BusUnavailableError(str(error) or type(error).__name__) from error
        try:
            async with connection:
                config = create_execution_queue_config(quorum=replicates(connection))
                await declare(connection, msgspec.structs.replace(config, queues=config.shared))
                channel = connection.channel(on_return_raises=True)
                await channel.initialize(timeout=CONFIRM_TIMEOUT)
                yield await channel.get_underlay_channel()
        except LOST as error:
            raise BusUnavailableError(str(error) or type(error).__name__) from error


def is_named(letter: DeadLetter, ids: Collection[str]) -> bool:
    """Whether one of the ids is the letter's, or the beginning of it."""
    return any(each and letter.id.startswith(each) for each in ids)


async def _each(channel: AbstractChannel, limit: int) -> AsyncIterator[tuple[int, DeadLetter]]:
    for _ in range(limit):
        message = await channel.basic_get(QUEUE, timeout=CONFIRM_TIMEOUT)
        if not isinstance(message, DeliveredMessage) or isinstance(
            message.delivery, aiormq.spec.Basic.GetEmpty
        ):
            return
        tag = message.delivery_tag
        if tag is None:
            return
        yield tag, read_letter(message)


async def _send_back(channel: AbstractChannel, letter: DeadLetter) -> None:
    properties = aiormq.spec.Basic.Properties(
        content_type=letter.content_type or None,
        delivery_mode=2,
        message_id=letter.message_id or None,
        headers=retried_headers(letter),
    )
    try:
        async with asyncio.timeout(CONFIRM_TIMEOUT):
            await channel.basic_publish(
                letter.body,
                exchange=letter.exchange,
                routing_key=letter.routing_key,
                properties=properties,
                mandatory=True,
            )
    except aiormq.exceptions.PublishError as error:
        raise UnroutableError(letter.exchange, letter.routing_key) from error
