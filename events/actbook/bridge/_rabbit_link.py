"""A connection to RabbitMQ that is made again whenever it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import msgspec
from aio_pika.abc import AbstractConnection

from actbook.bridge._rabbit_errors import TopologyError
from actbook.bridge._rabbit_headers import forgive_headers
from actbook.bridge._relay_publisher import BusUrlError

logger = logging.getLogger("actbook.bridge")

Session = Callable[[AbstractConnection], Awaitable[None]]

# What a lost, refused or half-closed connection raises, depending on the moment.
LOST = (
    OSError,
    TimeoutError,
    EOFError,
    aio_pika.exceptions.AMQPError,
    RuntimeError,
    asyncio.InvalidStateError,
)


class Reconnecting(msgspec.Struct, frozen=True):
    """Seconds. The pause before another try grows from `first` to `longest`, and is shortened by chance by up to a half."""

    heartbeat: int = 10
    connect: float = 10.0
    first: float = 0.1
    longest: float = 10.0

    def pause(self, failures: int) -> float:
        longest = min(self.longest, self.first * 2.0 ** min(failures, 30))
        return longest * random.SystemRandom().uniform(0.5, 1.0)


class RabbitLink:
    """Connects, lets `session` use the connection until it ends or the connection does, and begins again.

    `session` returns when it is to be closed; it is cancelled when the connection is lost. Plain connections, on purpose:
    what makes them anew itself hides that queues of the old one are gone.
    """

    def __init__(self, url: str, session: Session, reconnecting: Reconnecting | None = None) -> None:
        self._url = checked_url(url)
        self._session = session
        self._reconnecting = reconnecting or Reconnecting()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.connects = 0
        """How often it connected."""
        self._working = asyncio.Event()
        self.failure = ""
        """Why it is not connected, when it is not."""

    @property
    def connected(self) -> bool:
        """Whether the session works just now."""
        return self._working.is_set()

    async def wait(self, timeout: float) -> bool:
        """Returns when it is connected; False when it is not after so many seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._working.wait()
        except TimeoutError:
            return False
        return True

    def start(self) -> None:
        """Returns at once; it connects in the background, however long that takes."""
        self._task = asyncio.create_task(self._keep(), name="actbook broker connection")

    async def close(self) -> None:
        """Ends the connection; waits for that."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep(self) -> None:
        failures = 0
        while not self._closing:
            before = self.connects
            try:
                await self._once()
                self.failure = "the connection was lost"
            except LOST as error:
                self.failure = _reason(error)
            except TopologyError as error:
                self.failure = str(error)
            if self.connects > before:
                failures = 0
            pause = self._reconnecting.pause(failures)
            level = logging.WARNING if failures in (0, 5) else logging.DEBUG
            logger.log(level, "No connection to the broker: %s. Tried again in %.1f s.", self.failure, pause)
            failures += 1
            await asyncio.sleep(pause)

    async def _once(self) -> None:
        connection = await connect(self._url, self._reconnecting)
        session: asyncio.Task[None] | None = None
        gone = asyncio.Event()
        connection.close_callbacks.add(lambda *_: gone.set())
        try:
            session = asyncio.ensure_future(_run(self._session, connection))
            lost = asyncio.ensure_future(gone.wait())
            try:
                await asyncio.wait((session, lost), return_when=asyncio.FIRST_COMPLETED)
            finally:
                lost.cancel()
                session.cancel()
                await asyncio.gather(session, return_exceptions=True)
            if session.done() and not session.cancelled() and session.exception() is not None:
                raise session.exception()  # type: ignore[misc]
        finally:
            self._working.clear()
            await _end(connection)

    def ready(self) -> None:
        """The session says that it works."""
        self._working.set()
        self.connects += 1
        self.failure = ""
        if self.connects > 1:
            logger.info("Connected to the broker again.")


_NAME: dict[str, Any] = {"connection_name": "actbook"}


async def connect(url: str, timing: Reconnecting) -> AbstractConnection:
    """A plain connection that survives messages with unreadable properties."""
    forgive_headers()
    return await aio_pika.connect(
        url, timeout=timing.connect, heartbeat=timing.heartbeat, client_properties=_NAME
    )


async def _run(session: Session, connection: AbstractConnection) -> None:
    await session(connection)


async def _end(connection: AbstractConnection) -> None:
    """A connection whose other side is silent is not waited for."""
    try:
        async with asyncio.timeout(2):
            await connection.close()
    except LOST:
        pass


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def checked_url(url: str) -> str:
    """Raises `BusUrlError`, which does not repeat the password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BusUrlError(redacted(url), f"{error}. {_LIKE}") from None
    if parts.scheme not in ("amqp", "amqps"):
        raise BusUrlError(redacted(url), f"it is no amqp or amqps URL. {_LIKE}")
    if not parts.hostname or port == 0:
        raise BusUrlError(redacted(url), f"it names no host. {_LIKE}")
    return url


_LIKE = "Give one like amqp://user:password@host:5672/."


def redacted(url: str) -> str:
    """Without what may be a password."""
    before, at, after = url.rpartition("@")
    scheme, colon, _ = before.partition("://")
    return f"{scheme}{colon}***@{after}" if at else url
