"""The exchanges and queues of RabbitMQ that workers share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal
from uuid import uuid4

import msgspec

__all__ = [
    "DEAD_LETTER_REASON",
    "BrokerConfig",
    "Exchange",
    "Queue",
    "create_execution_queue_config",
]

DAY = 86_400_000
"""Milliseconds."""

DEAD_LETTER_REASON = "x-actbook-reason"
"""The header in which a message that can't be handled tells why, in the dead-letter queue."""

DELIVERY_LIMIT = 20

UNLIMITED = -1
"""Of deliveries. Looking at what is dead delivers it and puts it back, which brokers from 4 on allow 20 times by default."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages are published. `direct` goes by the routing key, `fanout` to every bound queue."""

    name: str
    type: Literal["direct", "fanout"]
    durable: bool = True
    auto_delete: bool = False


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and its one binding. `arguments` are those of its declaration.

    `exclusive`: only the connection that declares it consumes from it; `auto_delete`: it goes with its last consumer.
    """

    name: str
    exchange: str
    routing_key: str = ""
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Mapping[str, str | int] = {}


class BrokerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a worker declares, in an order that works."""

    vhost: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]

    def exchange(self, name: str) -> Exchange:
        """Raises KeyError for a name that is not declared."""
        return {each.name: each for each in self.exchanges}[name]

    def queue(self, name: str) -> Queue:
        """Raises KeyError for a name that is not declared."""
        return {each.name: each for each in self.queues}[name]

    @property
    def shared(self) -> tuple[Queue, ...]:
        """Without what belongs to one worker."""
        return tuple(queue for queue in self.queues if not queue.exclusive)

    def bound_to(self, exchange: str) -> Iterator[Queue]:
        """The queues that get messages of an exchange."""
        return (queue for queue in self.queues if queue.exchange == exchange)


RUN_EXCHANGE = Exchange(name="graph_execution", type="direct")
CANCEL_EXCHANGE = Exchange(name="graph_execution_cancel", type="fanout")
DEAD_LETTER_EXCHANGE = Exchange(name="graph_execution_dead_letter", type="direct")

DEAD_LETTER_KEY = "graph_execution.dead_letter"


def create_execution_queue_config(worker: str = "", *, quorum: bool = True) -> BrokerConfig:
    """What one worker declares: the queues that all share, and the cancel queue that is its own.

    Every worker must hear every cancel, so each has a queue behind the fanout; a shared one would hand each cancel to one of
    them. `worker` names it; by default each call takes a new name. The run queue is replicated, gives up on a message after
    20 deliveries, and passes on what it gave up; `quorum=False` declares classic queues without that limit, for brokers before
    RabbitMQ 4.
    """
    return BrokerConfig(
        vhost="/",
        exchanges=(RUN_EXCHANGE, CANCEL_EXCHANGE, DEAD_LETTER_EXCHANGE),
        queues=(_run_queue(quorum), _dead_letter_queue(quorum), _cancel_queue(worker or uuid4().hex)),
    )


def _run_queue(quorum: bool) -> Queue:
    arguments: dict[str, str | int] = {
        "x-consumer-timeout": DAY,
        "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE.name,
        "x-dead-letter-routing-key": DEAD_LETTER_KEY,
    }
    if quorum:
        arguments |= {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            # Moved only once the other queue has it; the broker asks for this way of refusing along with that.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    return Queue(
        name="graph_execution_queue",
        exchange=RUN_EXCHANGE.name,
        routing_key="graph_execution.run",
        arguments=arguments,
    )


def _dead_letter_queue(quorum: bool) -> Queue:
    return Queue(
        name="graph_execution_dead_letter_queue",
        exchange=DEAD_LETTER_EXCHANGE.name,
        routing_key=DEAD_LETTER_KEY,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": UNLIMITED} if quorum else {},
    )


def _cancel_queue(worker: str) -> Queue:
    return Queue(
        name=f"graph_execution_cancel_queue.{worker}",
        exchange=CANCEL_EXCHANGE.name,
        durable=False,
        exclusive=True,
        auto_delete=True,
    )
