"""What can be wrong with a broker, or with a message."""

from __future__ import annotations

from actbook.bridge._relay_publisher import BusError
from actbook.graphs._errors import ActbookError


class UnroutableError(BusError):
    """No queue takes what is published there, so the broker gave it back."""

    def __init__(self, exchange: str, routing_key: str) -> None:
        super().__init__(
            f"No queue takes messages of exchange {exchange!r} with key {routing_key!r}. Start a worker with this broker first."
        )
        self.exchange = exchange
        self.routing_key = routing_key


class TopologyError(BusError):
    """An exchange or queue can't be what it has to be, mostly because there is another one of that name."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name!r} can't be declared: {reason}. Delete it if nobody needs it, or use another virtual host."
        )
        self.name = name
        self.reason = reason


class MessageRefusedError(ActbookError, ValueError):
    """A message can't be handled, today or ever, and goes to the dead-letter queue.

    `reason` is one of `RefusalReason`, `detail` a sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"The message is {reason}: {detail}")
        self.reason = reason
        self.detail = detail


class NotNowError(Exception):
    """What is needed to handle a message does not work now. The message is kept, and tried again."""
