"""What comes in through RabbitMQ: taken when there is room for it, recorded, and only then acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import uuid4

import aiormq
import msgspec
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._inbound import (
    Cancellation,
    Message,
    RefusalReason,
    Submission,
    read_cancellation,
    read_submission,
)
from actbook.bridge._rabbit_consumer import Consumer, Delivery
from actbook.bridge._rabbit_errors import MessageRefusedError, NotNowError
from actbook.bridge._rabbit_headers import UNREADABLE
from actbook.bridge._rabbit_letters import headers_of, refused_headers
from actbook.bridge._rabbit_link import LOST, RabbitLink, Reconnecting
from actbook.bridge._rabbit_publisher import CONFIRM_TIMEOUT
from actbook.bridge._rabbit_queues import (
    CANCEL_EXCHANGE,
    DEAD_LETTER_EXCHANGE,
    DEAD_LETTER_KEY,
    create_execution_queue_config,
)
from actbook.bridge._rabbit_topology import declare, replicates

logger = logging.getLogger("actbook.bridge")

RUN_QUEUE = "graph_execution_queue"
CANCELS_AT_ONCE = 500
_TRIES = 5
"""How often a message may fail for a reason that nobody foresaw."""


class Receiver(Protocol):
    """Who records what comes in. Everything that it records is durable when it returns.

    It raises `MessageRefusedError` when it is the message's fault, `NotNowError` when it is not.
    """

    def places(self) -> int:
        """How many more executions there is room for now; 0 while this process runs none."""
        ...

    def answers(self) -> bool:
        """Whether it is this process's task to complain about cancel messages, which all get."""
        ...

    async def submission(self, submission: Submission) -> bool:
        """False when that execution was recorded already."""
        ...

    async def cancellation(self, cancellation: Cancellation) -> bool:
        """False when there was nothing to stop any more."""
        ...


class IntakeCounts(msgspec.Struct):
    """Messages since the start. `known`: executions that were recorded already; `held`: tries that were in vain because the
    store, say, failed; `unacknowledged`: recorded, and the connection was lost before that could be said."""

    accepted: int = 0
    known: int = 0
    cancelled: int = 0
    moot: int = 0
    refused: int = 0
    held: int = 0
    unacknowledged: int = 0


class RabbitIntake:
    """Takes run and cancel messages of a broker. `start` returns at once, whether the broker is there or not.

    What a connection delivered goes on when it is lost: the client library cancels its callbacks then, so those here only
    pass on what they are given. Such a message comes again, and is known by then.
    """

    def __init__(
        self, url: str, receiver: Receiver, *, worker: str = "", reconnecting: Reconnecting | None = None
    ) -> None:
        """Raises `BusUrlError`."""
        self._link = RabbitLink(url, self._session, reconnecting)
        self._receiver = receiver
        self._worker = worker or uuid4().hex
        self._timing = reconnecting or Reconnecting()
        self._runs: Consumer | None = None
        self._letters: AbstractChannel | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self.counts = IntakeCounts()

    @property
    def connected(self) -> bool:
        """Whether messages can come in just now."""
        return self._link.connected

    @property
    def connects(self) -> int:
        """How often it connected."""
        return self._link.connects

    @property
    def failure(self) -> str:
        """Why it is not connected; empty when it is."""
        return self._link.failure

    def start(self) -> None:
        self._link.start()

    async def wait(self, timeout: float) -> bool:
        """Returns when it is connected; False when it is not after so many seconds."""
        return await self._link.wait(timeout)

    def wake(self) -> None:
        """There may be room for more executions, or this process runs them from now on."""
        if self._runs is not None:
            self._runs.wake()

    async def close(self, patience: float = 5.0) -> None:
        """Takes no more, lets what was taken be recorded, then lets go of the connection."""
        self._closing.set()
        if self._runs is not None:
            await _quietly(self._runs.stop())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()
        await self._link.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _session(self, connection: AbstractConnection) -> None:
        # A name for each connection: the queue of the one before may not be gone yet.
        config = create_execution_queue_config(
            f"{self._worker}.{uuid4().hex[:8]}", quorum=replicates(connection)
        )
        await declare(connection, config)
        self._letters = await _channel(connection)
        [cancel_queue] = config.bound_to(CANCEL_EXCHANGE.name)
        cancels = Consumer(
            await _channel(connection),
            cancel_queue.name,
            self._take(self._cancel),
            lambda: CANCELS_AT_ONCE,
            CANCELS_AT_ONCE,
        )
        runs = Consumer(await _channel(connection), RUN_QUEUE, self._take(self._run), self._receiver.places)
        heed_cancellation()
        self._runs = runs
        self._link.ready()
        try:
            # Ends, and with it the connection, when the broker takes one of the queues away.
            async with asyncio.TaskGroup() as group:
                group.create_task(cancels.serve())
                group.create_task(runs.serve())
        except* LOST as lost:
            raise lost.exceptions[0] from None
        finally:
            self._runs = None

    def _take(self, handle: Callable[[DeliveredMessage], Awaitable[None]]) -> Callable[[Delivery], None]:
        """In a task of our own, so that nobody cancels it when the connection is lost."""

        def take(delivery: Delivery) -> None:
            if self._closing.is_set():
                return
            task = asyncio.get_running_loop().create_task(self._process(delivery, handle))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return take

    async def _process(
        self, delivery: Delivery, handle: Callable[[DeliveredMessage], Awaitable[None]]
    ) -> None:
        failures = 0
        while not await self._settled(delivery, handle, failures):
            if self._closing.is_set():
                return
            await self._pause(failures)
            failures += 1
        if not await delivery.acknowledge():
            self.counts.unacknowledged += 1

    async def _settled(
        self, delivery: Delivery, handle: Callable[[DeliveredMessage], Awaitable[None]], failures: int
    ) -> bool:
        """Whether the message is recorded, or in the dead-letter queue."""
        try:
            await handle(delivery.message)
        except NotNowError as error:
            self.counts.held += 1
            self._say(failures, "A message waits: %s", error)
            return False
        except MessageRefusedError as refusal:
            return await self._bury(delivery, refusal)
        except Exception as error:
            if failures < _TRIES:
                self._say(failures, "A message failed, and is tried again: %r", error)
                return False
            logger.exception("A message fails again and again.")
            detail = f"{type(error).__name__}: {error}"[:500]
            return await self._bury(delivery, MessageRefusedError(RefusalReason.CRASHING, detail))
        return True

    async def _pause(self, failures: int) -> None:
        try:
            async with asyncio.timeout(self._timing.pause(failures)):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _say(self, failures: int, text: str, error: Exception) -> None:
        logger.log(logging.WARNING if failures in (0, _TRIES) else logging.DEBUG, text, error)

    async def _run(self, message: DeliveredMessage) -> None:
        if await self._receiver.submission(read_submission(_message(message))):
            self.counts.accepted += 1
        else:
            self.counts.known += 1

    async def _cancel(self, message: DeliveredMessage) -> None:
        try:
            if await self._receiver.cancellation(read_cancellation(_message(message))):
                self.counts.cancelled += 1
            else:
                self.counts.moot += 1
        except MessageRefusedError:
            if self._receiver.answers():
                raise

    async def _bury(self, delivery: Delivery, refusal: MessageRefusedError) -> bool:
        """Puts a message into the dead-letter queue; False when the broker did not confirm that."""
        message = delivery.message
        properties = message.header.properties
        properties.headers = refused_headers(message, refusal, self._worker)
        properties.delivery_mode = 2
        # It must not vanish there, nor may the name of somebody else be repeated by us.
        properties.expiration = properties.user_id = None
        try:
            if self._letters is None:
                return False
            async with asyncio.timeout(CONFIRM_TIMEOUT):
                await self._letters.basic_publish(
                    message.body,
                    exchange=DEAD_LETTER_EXCHANGE.name,
                    routing_key=DEAD_LETTER_KEY,
                    properties=properties,
                    mandatory=True,
                )
        except LOST as error:
            self._say(0, "A refused message can't be put aside now: %s", error)
            # Where the connection is gone it comes again by itself.
            return delivery.is_lost
        self.counts.refused += 1
        logger.warning("A message went to the dead-letter queue: %s", refusal)
        return True


def _message(message: DeliveredMessage) -> Message:
    properties = message.header.properties
    headers = headers_of(message)
    if UNREADABLE in headers:
        raise MessageRefusedError(
            RefusalReason.MALFORMED, f"Its properties can't be read: {headers[UNREADABLE]}."
        )
    return Message(
        message.body,
        properties.message_id or "",
        properties.content_type or "",
        properties.content_encoding or "",
        headers,
    )


async def _channel(connection: AbstractConnection) -> AbstractChannel:
    channel = connection.channel(on_return_raises=True)
    await channel.initialize(timeout=CONFIRM_TIMEOUT)
    return await channel.get_underlay_channel()


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except (*LOST, aiormq.exceptions.AMQPError):
        pass
