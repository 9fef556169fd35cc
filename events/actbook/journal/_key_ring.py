"""A key ring: one key per user, kept wrapped by a master key."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from secrets import token_bytes
from types import TracebackType
from typing import NamedTuple, Protocol, Self

import msgspec

from actbook.journal._errors import PayloadKeyError
from actbook.journal._master_key import MasterKey
from actbook.journal._payload_keys import DataKey

_KEY, _KEY_ID = 32, 16
_MOST_CACHED = 10_000
_LOOK_EVERY = 0.02
"""Seconds for which a key may go on to open what another process has destroyed it for."""


class KeyRow(NamedTuple):
    """A user's key as it is kept. `wrapped` is empty once it was destroyed. Times in µs since the epoch, UTC; 0 = not yet.

    `retired_at`: nothing new is sealed with it since then.
    """

    key_id: bytes
    user_id: str
    master_id: str
    wrapped: bytes
    created_at: int
    retired_at: int = 0
    destroyed_at: int = 0


class KeyRows(Protocol):
    """Where wrapped keys are kept. Every method may be called from any thread, and blocks; all raise `PayloadKeyError`."""

    patience: float
    """Seconds after which every process has noticed that a key was retired."""

    def changed(self) -> bool:
        """Whether another process may have changed something since this was asked last. Called before each use of a key."""
        ...

    def current(self, user_id: str) -> KeyRow | None:
        """The user's key that is neither retired nor destroyed."""
        ...

    def find(self, key_id: bytes) -> KeyRow | None: ...

    def add(self, row: KeyRow) -> KeyRow:
        """Keeps a new key, unless the user has got one meanwhile; the one that counts."""
        ...

    def retire(self, user_id: str, at: int) -> int:
        """How many keys the user has that are not destroyed, all of them retired now."""
        ...

    def restore(self, user_id: str) -> None:
        """Takes the last `retire` back, unless the user has got another key since."""
        ...

    def destroy(self, user_id: str, at: int) -> None:
        """Overwrites the user's retired keys, durably."""
        ...

    def destroyed(self, user_id: str) -> list[bytes]:
        """Ids of the user's destroyed keys, oldest first."""
        ...

    def living(self) -> list[KeyRow]:
        """All keys that are not destroyed."""
        ...

    def rewrap(self, rows: Iterable[KeyRow]) -> None:
        """Replaces what wraps these keys, in one transaction."""
        ...

    def close(self) -> None: ...


class KeyRing:
    """Payload keys kept as `KeyRows`, unwrapped with a master key when they are needed. Whoever made it closes it."""

    def __init__(self, rows: KeyRows, master: MasterKey) -> None:
        self._rows = rows
        self._master = master
        self._lock = threading.Lock()
        self._sealing: dict[str, DataKey] = {}
        self._opening: dict[bytes, DataKey | None] = {}
        self._looked = 0.0

    def to_seal(self, user_id: str) -> DataKey:
        with self._lock:
            self._refresh()
            key = self._sealing.get(user_id)
            if key is None:
                row = self._rows.current(user_id) or self._rows.add(self._new(user_id))
                key = self._sealing[user_id] = self._opening[row.key_id] = self._unwrapped(row)
            return key

    def to_open(self, key_id: bytes) -> DataKey | None:
        with self._lock:
            if time.monotonic() - self._looked > _LOOK_EVERY:
                self._refresh()
            if key_id not in self._opening:
                row = self._rows.find(key_id)
                if row is None:
                    raise PayloadKeyError(
                        f"Values are sealed with the key {key_id.hex()}, which is not among these payload keys."
                        " Give those that the store was written with."
                    )
                self._opening[key_id] = None if row.destroyed_at else self._unwrapped(row)
            return self._opening[key_id]

    def retire(self, user_id: str) -> int:
        with self._lock:
            count = self._rows.retire(user_id, _now())
            self._forget()
        if count and self._rows.patience:
            time.sleep(self._rows.patience)
        return count

    def restore(self, user_id: str) -> None:
        with self._lock:
            self._rows.restore(user_id)
            self._forget()

    def destroy(self, user_id: str) -> None:
        with self._lock:
            self._rows.destroy(user_id, _now())
            self._forget()

    def destroyed(self, user_id: str) -> list[bytes]:
        with self._lock:
            return self._rows.destroyed(user_id)

    def check(self) -> None:
        """Raises `PayloadKeyError` when there are keys that the master key did not wrap. Blocks."""
        with self._lock:
            for row in self._rows.living():
                self._unwrapped(row)

    def rotate(self, new: MasterKey) -> int:
        """Wraps all keys with another master key, in one transaction; how many. What is sealed stays as it is. Blocks."""
        with self._lock:
            rows = self._rows.living()
            ids = [row._replace(master_id=new.id) for row in rows]
            self._rows.rewrap(
                row._replace(wrapped=new.wrap(self._plain(old), _bound_to(row)))
                for old, row in zip(rows, ids, strict=True)
            )
            self._master = new
            return len(rows)

    def close(self) -> None:
        """Lets go of the file or connection. May be called twice."""
        with self._lock:
            self._forget()
            self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<KeyRing with master key {self._master.id}>"

    def _refresh(self) -> None:
        self._looked = time.monotonic()
        if self._rows.changed() or len(self._opening) > _MOST_CACHED:
            self._forget()

    def _forget(self) -> None:
        self._sealing.clear()
        self._opening.clear()

    def _new(self, user_id: str) -> KeyRow:
        row = KeyRow(token_bytes(_KEY_ID), user_id, self._master.id, b"", _now())
        return row._replace(wrapped=self._master.wrap(token_bytes(_KEY), _bound_to(row)))

    def _unwrapped(self, row: KeyRow) -> DataKey:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return DataKey(row.key_id, AESGCM(self._plain(row)))

    def _plain(self, row: KeyRow) -> bytes:
        if row.master_id != self._master.id:
            raise PayloadKeyError(
                f"The payload keys are wrapped by the master key {row.master_id}; given is {self._master.id}."
                " Give the right one."
            )
        plain = self._master.unwrap(row.wrapped, _bound_to(row))
        if plain is None:
            raise PayloadKeyError(
                f"The payload key {row.key_id.hex()} was damaged where it is kept. Bring a backup of the keys back."
            )
        return plain


def _bound_to(row: KeyRow) -> bytes:
    return msgspec.msgpack.encode(
        ("actbook.payload-key", 1, row.user_id, row.key_id, row.master_id, row.created_at)
    )


def _now() -> int:
    return time.time_ns() // 1000
