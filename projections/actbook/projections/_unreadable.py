"""Events that this version can't decode: views park them like those that they can't process, and go on."""

from __future__ import annotations

from actbook.events import Envelope, Event, UnknownTopicError, registered_topics
from actbook.journal import PayloadKeyError, Row, Store, UndecodableError, UpcastError
from actbook.journal._codec import decode

_UNREADABLE = (UnknownTopicError, UpcastError, UndecodableError)


class Unreadable(Event, frozen=True):
    """Stands in for the payload. `error`: why there is none."""

    topic: str
    error: Exception

    def concerns(self, kinds: set[str]) -> bool:
        """May a view of these topics miss something? What it ignores can be damaged without harm to it."""
        return self.topic in kinds or self.topic not in registered_topics()


def read_events(store: Store, after: int, upto: int) -> list[Envelope]:
    """All events above `after` up to `upto`, in order; those that can't be decoded carry `Unreadable`.

    Sealed values stay sealed.
    """
    try:
        if store.keys is None:
            return store.read_log(after, upto - after, upto=upto)
    except (*_UNREADABLE, PayloadKeyError):
        pass
    rows = store.log_rows(after, upto - after)
    return [_read(store, row) for row in rows if row.position <= upto]


def topic_of(event: Envelope) -> str:
    """As it is recorded."""
    payload = event.payload
    return payload.topic if isinstance(payload, Unreadable) else event.topic


def _read(store: Store, row: Row) -> Envelope:
    try:
        return decode(row, store.blob)
    except _UNREADABLE as error:
        return stand_in(row, error)


def stand_in(row: Row, error: Exception) -> Envelope:
    """What views get for an event that can't be decoded."""
    return Envelope(
        payload=Unreadable(str(row.topic), error),
        at=row.at,
        cause=None,
        event_id=row.event_id,
        stream_id=row.stream_id,
        version=row.version,
        position=row.position,
        user_id="",
        correlation_id="",
        traceparent="",
        schema_version=0,
        hash=row.hash,
    )
