"""Between events and the bytes of the store."""

from __future__ import annotations

from threading import Lock
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import msgspec

from actbook.events._envelope import Append, Envelope
from actbook.events._topics import Event, event_type
from actbook.journal._blobs import LoadBlob, join
from actbook.journal._chain import Row
from actbook.journal._errors import JournalError, PayloadKeyError, UndecodableError, UnencodableError
from actbook.journal._upcast import upcast

_PLAIN_STATE = 0x96
"""First byte of a state of six items: one without references to big values."""

_UNSEALED = 7
"""Most items of a state without a ciphertext."""

P_ = TypeVar("P_")

_encode = msgspec.msgpack.Encoder().encode


class _State(msgspec.Struct, Generic[P_], frozen=True, array_like=True, gc=False):
    schema_version: int
    user_id: str
    correlation_id: str
    cause: int | bytes | None
    traceparent: str
    payload: P_
    blobs: tuple[bytes, ...] = ()


class _Decoder(msgspec.Struct, frozen=True, gc=False):
    type: type[Event]
    schema_version: int
    state: msgspec.msgpack.Decoder[_State[Event]]
    payload: msgspec.msgpack.Decoder[Event]


class Opener(Protocol):
    """What reading needs of payload keys; see `PayloadKeys`. What it gives is a `DataKey`, or None."""

    def to_open(self, key_id: bytes) -> Any: ...


class _NoKeys:
    """Refuses: an engine must never take a stand-in for a value."""

    def to_open(self, key_id: bytes) -> NoReturn:
        raise PayloadKeyError(
            f"Values are sealed with the key {key_id.hex()}, and no payload keys were given:"
            " open the store with `payload_keys`, or set ACTBOOK_PAYLOAD_KEY for the command line."
        )


NO_KEYS: Opener = _NoKeys()

_decoders: dict[str, _Decoder] = {}
_making = Lock()


def encode_all(append: Append) -> list[bytes]:
    """State bytes of an append's own events; raises `UnencodableError`."""
    user_id, correlation_id, traceparent = append.user_id, append.correlation_id, append.traceparent
    states = []
    for draft in append.drafts:
        payload = draft.payload
        state = (payload.SCHEMA_VERSION, user_id, correlation_id, draft.cause, traceparent, payload)
        try:
            states.append(_encode(state))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UnencodableError(payload.TOPIC, str(error)) from error
    return states


def decode(row: Row, load: LoadBlob, keys: Opener | None = None) -> Envelope:
    """A recorded event; raises `UnknownTopicError`, `UpcastError`, `UndecodableError` or `PayloadKeyError`.

    Values that were sealed read as `[sealed]` without `keys`, and as `[forgotten]` when theirs was destroyed.
    """
    position, stream_id, version, topic, event_id, at, digest, state = row
    decoder = _decoders.get(topic) or _decoder(topic)
    try:
        if state[0] == _PLAIN_STATE and state[1] == decoder.schema_version:
            recorded = decoder.state.decode(state)
        else:
            recorded = _decode_indirect(row, decoder, load, keys)
    except JournalError:
        raise
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UndecodableError(stream_id, version, topic, str(error)) from error
    return Envelope(
        recorded.payload,
        at,
        recorded.cause,
        event_id,
        stream_id,
        version,
        position,
        recorded.user_id,
        recorded.correlation_id,
        recorded.traceparent,
        recorded.schema_version,
        digest,
    )


def _decode_indirect(row: Row, decoder: _Decoder, load: LoadBlob, keys: Opener | None) -> _State[Event]:
    topic, state = row[3], row[7]  # a store may give plain tuples
    plain = join(state, load)
    fields: Any = plain[5]
    if len(plain) > _UNSEALED:
        from actbook.journal._sealing import opened

        fields = opened(row, plain, keys)
    if isinstance(fields, msgspec.Raw):
        fields = msgspec.msgpack.decode(fields)
    fields = upcast(topic, fields, plain[0], decoder.schema_version)
    payload = decoder.payload.decode(_encode(fields))
    return _State(plain[0], plain[1], plain[2], plain[3], plain[4], payload)


def _decoder(topic: str) -> _Decoder:
    # msgspec shares what it knows of a type between decoders before it knows all of it: two threads that make the first
    # decoders of a type at once can decode with half of it, and crash the interpreter.
    with _making:
        known = _decoders.get(topic)
        if known is None:
            cls = event_type(topic)
            state: Any = msgspec.msgpack.Decoder(_State[cls])  # type: ignore[valid-type]
            known = _Decoder(cls, cls.SCHEMA_VERSION, state, msgspec.msgpack.Decoder(cls))
            _decoders[topic] = known
        return known
