"""What surrounds an event payload: before it is recorded (`Draft`) and after (`Envelope`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from actbook.events._topics import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Cause = int | bytes | None
"""What caused an event: an `int` is a version in the same stream, `bytes` the event id of an event elsewhere."""


class Draft(msgspec.Struct, gc=False):
    """An event that was decided and is not recorded yet.

    `at` is the time of the decision in microseconds since the Unix epoch, UTC. `event_id` (16 bytes, UUIDv7) is given
    only when the caller needs an idempotent append; otherwise the journal assigns one.
    """

    payload: Event
    at: int
    cause: Cause = None
    event_id: bytes = b""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A recorded event.

    - `position`: global, in commit order, never reused; `version`: 1, 2, 3 … within `stream_id`
    - `at`: microseconds since the Unix epoch, UTC
    - `user_id`: on whose behalf; `correlation_id`: the root execution; `cause`: see `Cause`
    - `traceparent`: W3C trace context of the request that led here, or empty
    - `hash`: SHA-256 over the previous event's hash and this event's canonical bytes
    """

    payload: Event
    at: int
    cause: Cause
    event_id: bytes
    stream_id: str
    version: int
    position: int
    user_id: str
    correlation_id: str
    traceparent: str
    schema_version: int
    hash: bytes

    @property
    def topic(self) -> str:
        return self.payload.TOPIC

    @property
    def id(self) -> UUID:
        return UUID(bytes=self.event_id)

    @property
    def recorded_at(self) -> datetime:
        return as_datetime(self.at)


class Append(msgspec.Struct, gc=False):
    """One atomic write to one stream.

    `expected` is the version the stream must have; `None` appends at the end whatever the version is (inboxes).
    `lifecycle`: "open" lists the stream as unfinished until an append with "close" takes it off, in this transaction.
    `also` are further writes that belong to the same decision: all of them happen, or none.

    What may be said along with them: `asleep`, another stream and a version. An "open" one is left out of the list until
    that stream has gone beyond this version; a "close" does not take one off if it has. `priority`: how urgent it is to
    whoever reads the list, higher is more.

    `claim`: from this "open" on the stream belongs to the worker that writes it, where several share a store. Without it a
    new stream is free for any of them, and so is one that is asleep.
    """

    stream_id: str
    expected: int | None
    drafts: list[Draft]
    user_id: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    lifecycle: Literal["open", "close"] | None = None
    also: tuple[Append, ...] = ()
    asleep: tuple[str, int] | None = None
    priority: int = 0
    claim: bool = False


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Answer to an `Append`: the version and global position of its last event.

    `duplicate`: every event id was recorded before, so nothing was written. `also`: what its companions wrote.
    """

    version: int
    position: int
    duplicate: bool = False
    also: tuple[Envelope, ...] = ()


def as_datetime(at: int) -> datetime:
    """Microseconds since the Unix epoch as an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=at)
