"""A connection to NATS that comes back, and the stream on it that the project keeps."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from actbook.bridge._nats_subject import ROOT
from actbook.bridge._nats_url import BusConfig, redacted
from actbook.bridge._relay_publisher import BusUnavailableError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext
    from nats.js.api import StreamConfig

logger = logging.getLogger("actbook.bridge")

_CONNECT = 5.0
"""Seconds that a first connection may take; afterwards the client reconnects by itself, for ever."""
_RECONNECT = 0.25


class Connection:
    """Made when it is first needed; used by many tasks at once."""

    def __init__(self, config: BusConfig, name: str) -> None:
        self.config = config
        self._name = name
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None
        self._making = asyncio.Lock()
        self._up = asyncio.Event()
        self._error = ""
        self._closed = False

    async def jetstream(self) -> JetStreamContext:
        """JetStream with the stream in place, on a connection that is up. Raises `BusUnavailableError`."""
        stream, client = self._stream, self._client
        if stream is not None and client is not None and client.is_connected:
            return stream
        async with self._making:
            if self._closed:
                raise BusUnavailableError("it was closed here")
            client = await self._connected()
            if self._stream is None:
                self._stream = await self._ensured(client)
            return self._stream

    @property
    def max_payload(self) -> int:
        """The most bytes that the server takes in one message, headers included."""
        return 0 if self._client is None else self._client.max_payload

    def doubt(self) -> None:
        """The stream may be gone: it is looked for again before the next use."""
        self._stream = None

    async def close(self) -> None:
        self._closed = True
        client, self._client, self._stream = self._client, None, None
        if client is not None:
            with suppress(Exception):  # what was still to be said is repeated next time
                await client.flush(timeout=1)
            await client.close()

    async def _connected(self) -> Client:
        client = self._client
        if client is None or client.is_closed:
            self._client = client = await self._connect()
        if not client.is_connected:
            try:
                async with asyncio.timeout(_CONNECT):
                    await self._up.wait()
            except TimeoutError:
                raise self._unavailable("no connection") from None
        return client

    async def _connect(self) -> Client:
        import nats.errors
        from nats.aio.client import Client

        client = Client()
        self._stream = None
        try:
            # With endless reconnects the client tries its first connection for ever, too.
            async with asyncio.timeout(_CONNECT):
                await client.connect(
                    list(self.config.servers),
                    name=self._name,
                    error_cb=self._failed,
                    disconnected_cb=self._went_down,
                    reconnected_cb=self._came_up,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT,  # type: ignore[arg-type]
                    connect_timeout=2,
                    ping_interval=10,
                    max_outstanding_pings=2,
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            await client.close()
            raise self._unavailable(_text(error)) from None
        except BaseException:
            await client.close()
            raise
        self._up.set()
        return client

    async def _ensured(self, client: Client) -> JetStreamContext:
        import nats.errors

        jetstream = client.jetstream(timeout=self.config.timeout)
        try:
            await ensure_stream(jetstream, self.config)
        except (TimeoutError, nats.errors.Error) as error:
            raise self._unavailable(
                f"its stream {self.config.stream_name!r} can't be kept: {_text(error)}"
            ) from None
        return jetstream

    def _unavailable(self, reason: str) -> BusUnavailableError:
        told = f"{reason} ({self._error})" if self._error and self._error not in reason else reason
        return BusUnavailableError(redacted(f"{self.config.shown}: {told}"))

    async def _failed(self, error: Exception) -> None:
        self._error = _text(error)
        logger.debug("NATS %s: %s", self.config.shown, redacted(self._error))

    async def _went_down(self) -> None:
        self._up.clear()
        self._stream = None

    async def _came_up(self) -> None:
        self._error = ""
        self._up.set()


async def ensure_stream(jetstream: JetStreamContext, config: BusConfig) -> None:
    """Makes the stream; of one that is there, brings the subjects, the limits and the window for duplicates up to date."""
    from nats.js.errors import NotFoundError

    try:
        info = await jetstream.stream_info(config.stream_name)
    except NotFoundError:
        await jetstream.add_stream(_wanted(config))
        return
    there, wanted = info.config, _wanted(config)
    names = ("subjects", "max_age", "max_bytes", "duplicate_window", "num_replicas")
    if any(getattr(there, name) != getattr(wanted, name) for name in names):
        await jetstream.update_stream(there, **{name: getattr(wanted, name) for name in names})


def _wanted(config: BusConfig) -> StreamConfig:
    from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

    return StreamConfig(
        name=config.stream_name,
        description="Events of actbook, as CloudEvents",
        subjects=[f"{ROOT}.{config.tenant}.>"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=config.max_age,
        max_bytes=config.max_bytes,
        duplicate_window=min(config.duplicate_window, config.max_age),
        num_replicas=config.replicas,
    )


def _text(error: BaseException) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__
