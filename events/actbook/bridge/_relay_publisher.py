"""What a relay publishes through, and what may go wrong there."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from actbook.events import Envelope
from actbook.graphs import ActbookError


class BusError(ActbookError):
    """Base of what a bus or a broker does to a relay. Its text never holds a password."""


class BusUrlError(BusError, ValueError):
    """The URL of a bus can't be used; the message tells why, and what can."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} can't be used as the bus: {reason}")
        self.url = url
        self.reason = reason


class BusUnavailableError(BusError):
    """The bus can't take anything now. Nothing is lost: publish again later."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The bus is not available: {reason}. It is tried again until it is.")
        self.reason = reason


class RefusedError(BusError):
    """The bus will never take this event as it is: setting it aside is all that helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The bus refuses the event: {reason}. Change the bus's limits, then `actbook requeue`."
        )
        self.reason = reason


class Publisher(Protocol):
    """One way out. Called from many tasks at once, but never twice at once for events of one stream."""

    async def publish(self, event: Envelope) -> None:
        """Returns when the bus has the event for good, or when the event does not concern it.

        The same event may come again, after a crash or a lost answer. Raises `BusUnavailableError` (the relay tries again
        until it works) or `RefusedError` (the relay sets the event aside); anything else counts as a refusal when it
        happens several times in a row.
        """
        ...

    async def close(self) -> None:
        """Lets go of the connection. May be called twice."""
        ...


@runtime_checkable
class Recollecting(Protocol):
    """A publisher whose bus can tell what it has, so that a relay that takes over repeats nothing."""

    async def last_version(self, stream_id: str) -> int:
        """Version of the last event of the stream on the bus; 0 when it has none. Raises `BusUnavailableError`."""
        ...
