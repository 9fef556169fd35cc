"""Values of users leave an encoded event as one ciphertext; each leaves a mark where it stood.

The hash of an event is over the sealed bytes, so everything that is proved of a log is proved without a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.msgpack import Ext

from actbook.events._envelope import Append, Draft
from actbook.events._user_values import fields_with, may_hold_values
from actbook.journal._chain import Row
from actbook.journal._errors import UnencodableError

if TYPE_CHECKING:
    from actbook.journal._codec import Opener
    from actbook.journal._payload_keys import DataKey, PayloadKeys

SEALED = "[sealed]"
"""Stands for a value where nobody has the keys, and in the views."""
FORGOTTEN = "[forgotten]"
"""Stands for a value whose key was destroyed."""

Withheld = Literal["", "sealed", "forgotten"]

_SEALED_STATE = 0x99
"""First byte of a state of nine items: one with the id of a key and a ciphertext."""

_EXT = 2
_MARK = Ext(_EXT, b"")
_KEY_ID, _CIPHERTEXT = 7, 8

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def seal_all(append: Append, keys: PayloadKeys) -> list[bytes]:
    """State bytes of an append's own events, sealed. Raises `UnencodableError` or `PayloadKeyError`."""
    key: DataKey | None = None
    states: list[bytes] = []
    for draft in append.drafts:
        if key is None and may_hold_values(draft.payload):
            key = keys.to_seal(append.user_id)
        states.append(_sealed(append, draft, key))
    return states


def _sealed(append: Append, draft: Draft, key: DataKey | None) -> bytes:
    payload = draft.payload
    head = (
        payload.SCHEMA_VERSION,
        append.user_id,
        append.correlation_id,
        draft.cause,
        append.traceparent,
    )
    values: list[Any] = []
    try:
        if key is None or not may_hold_values(payload):
            return _encode((*head, payload))
        fields = fields_with(payload, lambda value: _taken(value, values))
        if not values:
            return _encode((*head, payload))
        structure, plain = _encode(fields), _encode(values)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UnencodableError(payload.TOPIC, str(error)) from error
    bound = _bound_to(append.stream_id, payload.TOPIC, draft.at, head, structure)
    return _encode((*head, msgspec.Raw(structure), (), key.id, key.seal(plain, bound)))


def _taken(value: Any, values: list[Any]) -> Ext:
    values.append(value)
    return _MARK


def opened(row: Row, plain: list[Any], keys: Opener | None) -> Any:
    """The fields of a sealed event. `plain`: its items, with big values joined. Without `keys` values read as `[sealed]`.

    Raises `PayloadKeyError`, or `ValueError` for what was damaged.
    """
    structure = _encode(plain[5])
    values: Iterator[Any]
    if keys is None:
        values = repeat(SEALED)
    else:
        key = keys.to_open(plain[_KEY_ID])
        if key is None:
            values = repeat(FORGOTTEN)
        else:
            bound = _bound_to(row[1], row[3], row[5], tuple(plain[:5]), structure)
            values = iter(_decode(key.open(plain[_CIPHERTEXT], bound)))
    return _filled(structure, values)


def _filled(structure: bytes, values: Iterator[Any]) -> Any:
    def hook(code: int, data: memoryview) -> Any:
        if code != _EXT or len(data):
            return Ext(code, bytes(data))
        try:
            return next(values)
        except StopIteration:
            raise ValueError("fewer values were sealed than places are marked") from None

    return msgspec.msgpack.decode(structure, ext_hook=hook)


def _bound_to(stream_id: str, topic: str, at: int, head: tuple[Any, ...], structure: bytes) -> bytes:
    """What a ciphertext belongs to: it opens nowhere else, and beside no other structure."""
    return _encode(("actbook.payload", 1, stream_id, topic, at, *head)) + structure


def key_id_of(state: bytes) -> bytes | None:
    """The key that an encoded event is sealed with; None for one that is not sealed."""
    if state[0] != _SEALED_STATE:
        return None
    key_id: bytes = msgspec.msgpack.decode(state, ext_hook=Ext)[_KEY_ID]
    return key_id


def withheld(states: Iterable[bytes], keys: Opener | None) -> Withheld:
    """Whether some of these encoded events do not tell their values, and why. Raises `PayloadKeyError`."""
    key_ids = {key_id for state in states if (key_id := key_id_of(state)) is not None}
    if keys is None:
        return "sealed" if key_ids else ""
    return "forgotten" if any(keys.to_open(key_id) is None for key_id in key_ids) else ""
