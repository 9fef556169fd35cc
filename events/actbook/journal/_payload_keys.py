"""What values of users are sealed with: the port of a key ring, and a key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class DataKey(NamedTuple):
    """A user's key, ready for use."""

    id: bytes
    cipher: AESGCM

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        """Nonce and ciphertext. It opens only with the same `bound`."""
        nonce = os.urandom(_NONCE)
        return nonce + self.cipher.encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Raises `ValueError` when something was changed or moved."""
        from cryptography.exceptions import InvalidTag

        try:
            return self.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        except InvalidTag:
            raise ValueError(
                "the sealed values do not belong to this event: they were edited or moved"
            ) from None

    def __repr__(self) -> str:
        return f"<DataKey {self.id.hex()}>"


class PayloadKeys(Protocol):
    """What the journal needs of a key ring. May be called from any thread; blocks when a key is used for the first time."""

    def to_seal(self, user_id: str) -> DataKey:
        """The user's key, made when there is none. Raises `PayloadKeyError`."""
        ...

    def to_open(self, key_id: bytes) -> DataKey | None:
        """The key; None when it was destroyed. Raises `PayloadKeyError` when it can't be told."""
        ...

    def retire(self, user_id: str) -> int:
        """Nothing new is sealed with the user's keys, in any process, when this returns; how many there are."""
        ...

    def restore(self, user_id: str) -> None:
        """Takes the last `retire` back."""
        ...

    def destroy(self, user_id: str) -> None:
        """Destroys the user's retired keys for good, wherever they are kept."""
        ...

    def destroyed(self, user_id: str) -> list[bytes]:
        """Ids of the user's destroyed keys, oldest first."""
        ...
