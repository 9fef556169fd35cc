"""What goes out to RabbitMQ: run messages, cancel messages, and what can't be handled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Self

import aiormq
import msgspec
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.abc import DeliveredMessage

from actbook.bridge._cancellation import heed_cancellation
from actbook.bridge._inbound import SIZE_LIMIT, Submit
from actbook.bridge._rabbit_errors import UnroutableError
from actbook.bridge._rabbit_link import LOST, RabbitLink, Reconnecting
from actbook.bridge._rabbit_queues import (
    CANCEL_EXCHANGE,
    RUN_EXCHANGE,
    create_execution_queue_config,
)
from actbook.bridge._rabbit_topology import declare, replicates
from actbook.bridge._relay_publisher import BusUnavailableError, RefusedError
from actbook.events import (
    CancelExecutionEvent,
    CancelRequested,
    Envelope,
    ExecutionCreated,
    GraphExecutionEntry,
    ResumeRequested,
    RetryRequested,
    execution_of,
)

CONFIRM_TIMEOUT = 5.0
"""Seconds that the broker has to confirm a message, connecting included."""

RUN_KEY = "graph_execution.run"


class RabbitPublisher:
    """Publishes persistently and waits for the broker's confirmation; what no queue takes is an error, not lost silently.

    Use it as an async context manager, or call `start` and `close`. It connects in the background and again after a loss.
    Every call may raise `BusUnavailableError`: the broker may have the message all the same, so repeat it under the same
    message id, which receivers drop when they know it.
    """

    def __init__(
        self, url: str, *, timeout: float = CONFIRM_TIMEOUT, reconnecting: Reconnecting | None = None
    ) -> None:
        """Raises `BusUrlError`."""
        self._link = RabbitLink(url, self._session, reconnecting)
        self._timeout = timeout
        self._channel: AbstractChannel | None = None
        self._open = asyncio.Event()
        self._started = False

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether it has a working connection just now."""
        return self._link.connected

    def start(self) -> None:
        """Connects in the background. The first message does it too."""
        if not self._started:
            self._started = True
            self._link.start()

    async def close(self) -> None:
        """Lets go of the connection. May be called twice."""
        await self._link.close()

    async def publish(self, event: Envelope) -> None:
        """A relay's part: a run message when an execution has something to do, a cancel message when it is to stop.

        Other events are nothing to a queue. The message's id is the event's. Raises `BusUnavailableError` or `RefusedError`.
        """
        payload, message_id = event.payload, str(event.id)
        if isinstance(payload, CancelRequested):
            cancel = CancelExecutionEvent(
                graph_exec_id=execution_of(event.stream_id) or event.stream_id,
                actor=payload.actor if payload.actor == event.user_id else "",
                reason=payload.reason,
                at=event.at,
            )
            # The request is in the inbox already: where nobody listens, nobody has to be told.
            await self.cancel(cancel, message_id, mandatory=False)
        elif isinstance(payload, ExecutionCreated):
            await self.run(
                GraphExecutionEntry(
                    user_id=event.user_id,
                    graph_exec_id=event.stream_id,
                    graph_id=payload.graph_id,
                    graph_version=payload.graph_version,
                ),
                message_id,
            )
        elif isinstance(payload, _GOES_ON):
            await self.hint(execution_of(event.stream_id) or event.stream_id, event.user_id, message_id)

    async def submit(
        self,
        entry: GraphExecutionEntry,
        inputs: Mapping[str, Any] | None = None,
        *,
        message_id: str,
    ) -> None:
        """Asks for a run; returns when the broker keeps the request. The same `message_id` again is the same execution."""
        fields: dict[str, Any] = msgspec.structs.asdict(entry) | {"inputs": dict(inputs or {})}
        await self.run(Submit(**fields), message_id)

    async def hint(self, graph_exec_id: str, user_id: str, message_id: str) -> None:
        """Asks whoever runs executions to look at one that is recorded already."""
        entry = GraphExecutionEntry(
            user_id=user_id, graph_exec_id=graph_exec_id, graph_id="", graph_version=0
        )
        await self.run(entry, message_id)

    async def run(self, entry: GraphExecutionEntry, message_id: str) -> None:
        """A run message as it is."""
        await self.send(RUN_EXCHANGE.name, RUN_KEY, entry.to_json(), message_id)

    async def cancel(self, event: CancelExecutionEvent, message_id: str, *, mandatory: bool = True) -> None:
        """Tells every worker. With `mandatory` it is an `UnroutableError` when there is none."""
        await self.send(CANCEL_EXCHANGE.name, "", event.to_json(), message_id, mandatory=mandatory)

    async def send(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        message_id: str,
        *,
        headers: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        mandatory: bool = True,
        limit: int = SIZE_LIMIT,
    ) -> None:
        """Any message. Raises `RefusedError` for one that is too large, before anything is sent, or `UnroutableError`."""
        if len(body) > limit:
            raise RefusedError(f"it has {len(body)} bytes, and {limit} are the most")
        self.start()
        properties = aiormq.spec.Basic.Properties(
            content_type=content_type,
            delivery_mode=2,
            message_id=message_id or None,
            headers=dict(headers or {}),
        )
        try:
            async with asyncio.timeout(self._timeout):
                channel = await (await self._usable()).get_underlay_channel()
                answer = await channel.basic_publish(
                    body,
                    exchange=exchange,
                    routing_key=routing_key,
                    properties=properties,
                    mandatory=mandatory,
                )
        except TimeoutError:
            reason = self._link.failure or f"nothing was confirmed within {self._timeout:g} s"
            raise BusUnavailableError(reason) from None
        except aiormq.exceptions.PublishError as error:
            raise UnroutableError(exchange, routing_key) from error
        except aiormq.exceptions.DeliveryError as error:
            raise BusUnavailableError(
                f"it refused the message for now ({type(error.frame).__name__})"
            ) from error
        except LOST as error:
            raise BusUnavailableError(str(error) or type(error).__name__) from error
        if isinstance(answer, DeliveredMessage):
            raise UnroutableError(exchange, routing_key)

    async def _usable(self) -> AbstractChannel:
        while True:
            await self._open.wait()
            if self._channel is not None and not self._channel.is_closed:
                return self._channel
            # Nobody was told yet that it is closed; then another one is opened.
            self._open.clear()

    async def _session(self, connection: AbstractConnection) -> None:
        config = create_execution_queue_config(quorum=replicates(connection))
        shared = msgspec.structs.replace(config, queues=config.shared)
        closed = asyncio.Event()
        while True:
            closed.clear()
            await declare(connection, shared)
            channel = connection.channel(on_return_raises=True)
            await channel.initialize(timeout=CONFIRM_TIMEOUT)
            channel.close_callbacks.add(lambda *_: closed.set())
            self._channel = channel
            self._open.set()
            if not self._link.connected:
                self._link.ready()
            heed_cancellation()
            try:
                # A channel that the broker closed, because an exchange is gone say, is opened anew.
                await closed.wait()
            finally:
                self._open.clear()
                self._channel = None


_GOES_ON = (ResumeRequested, RetryRequested)
