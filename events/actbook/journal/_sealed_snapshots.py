"""Snapshots of a store whose values are sealed: sealed as a whole, for the user whose state it is."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from actbook.journal._codec import NO_KEYS
from actbook.journal._store import SEALED_SNAPSHOT, Snapshot

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys

_encode = msgspec.msgpack.Encoder().encode


class _Owned(msgspec.Struct):
    user_id: str = ""


def seal_snapshot(snapshot: Snapshot, keys: PayloadKeys) -> Snapshot:
    """The same under its user's key; its hash is that of the sealed bytes. Raises `PayloadKeyError`."""
    user_id = msgspec.msgpack.decode(snapshot.state, type=_Owned).user_id
    key = keys.to_seal(user_id)
    state = SEALED_SNAPSHOT + _encode((key.id, key.seal(snapshot.state, _bound_to(snapshot))))
    return snapshot._replace(state=state, state_hash=sha256(state).digest())


def open_snapshot(snapshot: Snapshot, keys: PayloadKeys | None) -> Snapshot | None:
    """None for one that does not open, because its key was destroyed or it was damaged: the events tell the same.

    Raises `PayloadKeyError`.
    """
    try:
        sealed_state = snapshot.state[len(SEALED_SNAPSHOT) :]
        key_id, sealed = msgspec.msgpack.decode(sealed_state, type=tuple[bytes, bytes])
        key = (keys or NO_KEYS).to_open(key_id)
        if key is None:
            return None
        state = key.open(sealed, _bound_to(snapshot))
    except ValueError:
        return None
    return snapshot._replace(state=state, state_hash=sha256(state).digest())


def _bound_to(snapshot: Snapshot) -> bytes:
    return _encode(("actbook.snapshot", 1, snapshot.stream_id, snapshot.version))
