"""A mapper between the library's stored events and the journal's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from actbook.events._envelope import Append, Cause, Draft
from actbook.events._topics import Event
from actbook.journal._blobs import LoadBlob
from actbook.journal._chain import Row
from actbook.journal._codec import decode, encode_all


class RecordedEvent(msgspec.Struct, frozen=True):
    """An event of the journal as a domain event of the library."""

    originator_id: str
    originator_version: int
    payload: Event
    user_id: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    cause: Cause = None


class JournalMapper(Mapper[str]):
    """Reads and writes events in the journal's own form: topics instead of Python paths, upcasters, big
    values.

    Chosen with `MAPPER_TOPIC`. Ciphers and compressors are applied to the encoded event, so its hash covers
    what they made of it; the journal itself reads only what neither was applied to.
    """

    load_blob: LoadBlob = staticmethod(lambda digest: _refuse(digest))

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        assert isinstance(domain_event, RecordedEvent), f"{type(domain_event)} is not an event of the journal"
        event = domain_event
        append = Append(
            event.originator_id,
            None,
            [Draft(event.payload, 0, event.cause)],
            event.user_id,
            event.correlation_id,
            event.traceparent,
        )
        (state,) = encode_all(append)
        if self.compressor:
            state = self.compressor.compress(state)
        if self.cipher:
            state = self.cipher.encrypt(state)
        return StoredEvent(event.originator_id, event.originator_version, event.payload.TOPIC, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        state = stored_event.state
        if self.cipher:
            state = self.cipher.decrypt(state)
        if self.compressor:
            state = self.compressor.decompress(state)
        stream_id = _text(stored_event.originator_id)
        row = Row(0, stream_id, stored_event.originator_version, stored_event.topic, b"", 0, b"", state)
        envelope = decode(row, self.load_blob)
        return RecordedEvent(
            stream_id,
            envelope.version,
            envelope.payload,
            envelope.user_id,
            envelope.correlation_id,
            envelope.traceparent,
            envelope.cause,
        )


def _text(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


def _refuse(digest: bytes) -> bytes:
    raise KeyError(f"big value {digest.hex()} is not at hand: get the mapper from the factory of its store")
