"""One queue, consumed only while there is room for what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiormq.abc import AbstractChannel, DeliveredMessage

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._rabbit_link import LOST

AT_ONCE = 200
"""Messages that are recorded at the same time at most: enough to fill the store's commits."""


_LOOK = 10.0
"""Seconds between two looks whether the queue is still there."""


_ANSWER = 10.0
"""Seconds that the broker has to answer."""


class Delivery:
    """A message that is not acknowledged yet."""

    __slots__ = ("_consumer", "message")

    def __init__(self, message: DeliveredMessage, consumer: Consumer) -> None:
        self.message = message
        self._consumer = consumer

    @property
    def is_lost(self) -> bool:
        """Whether the channel that it came over is gone, so that it comes again."""
        return self._consumer.is_closed

    async def acknowledge(self) -> bool:
        """False when that is not possible any more, so that it comes again."""
        return await self._consumer.acknowledge(self.message)


class Consumer:
    """Hands deliveries to `take` as long as `places` has room for them and for what is on its way already.

    Room is asked for before each acknowledgement, because each lets the broker deliver another message: where there is
    none, the queue is left alone first. So there are never more on their way than there was room for, and what does not fit
    stays in the queue for another worker.
    """

    def __init__(
        self,
        channel: AbstractChannel,
        queue: str,
        take: Callable[[Delivery], None],
        places: Callable[[], int],
        at_once: int = AT_ONCE,
    ) -> None:
        self._channel = channel
        self._queue = queue
        self._take = take
        self._places = places
        self._at_once = at_once
        self._tag = ""
        self._prefetch = self._before = 0
        self._pending = 0
        self._stopped = False
        self._gone = False
        self._limits: set[asyncio.Timeout] = set()
        self._changing = asyncio.Lock()
        self._woken = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        return self._gone or self._channel.is_closed

    def wake(self) -> None:
        """There may be more room now."""
        if not self._tag or self._has_grown:
            self._woken.set()

    @property
    def _has_grown(self) -> bool:
        """Whether so much more fits than when it began to consume that beginning anew is worth it."""
        return self._prefetch < self._at_once and self._places() - self._pending >= 2 * self._prefetch

    async def serve(self) -> None:
        """Consumes until the channel closes; that raises what it was closed for."""
        closing = asyncio.ensure_future(asyncio.shield(self._channel.closing))
        try:
            while not self._stopped:
                self._woken.clear()
                await self._resume()
                heed_cancellation()
                woken = asyncio.ensure_future(self._woken.wait())
                try:
                    await asyncio.wait((woken, closing), timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    woken.cancel()
                if closing.done() or self._is_deserted:
                    raise ConnectionResetError(
                        f"the channel of {self._queue} was closed, or the queue deleted"
                    )
            await closing
        finally:
            closing.cancel()
            self._lost()

    @property
    def _is_deserted(self) -> bool:
        """Whether the broker ended the consumer, which the client library keeps to itself."""
        if not self._tag or self._changing.locked():
            return False
        return self._tag not in getattr(self._channel, "consumers", (self._tag,))

    async def stop(self) -> None:
        """Takes nothing more. What was delivered may still be acknowledged."""
        self._stopped = True
        await self._pause()

    async def acknowledge(self, message: DeliveredMessage) -> bool:
        try:
            async with self._while_connected():
                # Also while another one is about to leave the queue: not before that is done.
                busy = self._tag or self._changing.locked()
                if busy and self._places() < self._prefetch + self._before:
                    await self._pause()
                if self.is_closed or message.delivery_tag is None:
                    return False
                # Not until it is written: that never happens once the connection is gone.
                await self._channel.basic_ack(message.delivery_tag, wait=False)
        except LOST:
            return False
        finally:
            self._pending -= 1
            self.wake()
        return True

    @asynccontextmanager
    async def _while_connected(self) -> AsyncIterator[None]:
        """Raises `TimeoutError` when the connection is lost meanwhile: the client library would wait for it for ever."""
        async with asyncio.timeout(None) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)

    def _lost(self) -> None:
        self._gone = True
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            limit.reschedule(now)

    async def _resume(self) -> None:
        async with self._changing:
            if self._stopped or (self._tag and not self._has_grown):
                return
            if self._tag:
                await self._leave()
            room = min(self._places() - self._pending, self._at_once)
            if room < 1:
                return
            # The broker may have sent so many more than have arrived here.
            self._prefetch, self._before = room, self._pending
            await self._channel.basic_qos(prefetch_count=room)
            answer = await self._channel.basic_consume(self._queue, self._deliver)
            self._tag = answer.consumer_tag or ""

    async def _pause(self) -> None:
        async with self._changing:
            if self._tag and not self.is_closed:
                await self._leave()

    async def _leave(self) -> None:
        tag, self._tag = self._tag, ""
        async with asyncio.timeout(_ANSWER):
            await self._channel.basic_cancel(tag)

    async def _deliver(self, message: DeliveredMessage) -> None:
        self._pending += 1
        self._take(Delivery(message, self))
