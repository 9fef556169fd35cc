"""The master key, which wraps the keys of users: 32 random bytes, known by an id that does not tell them."""

from __future__ import annotations

import os
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import final

from actbook.journal._errors import PayloadKeyError

MASTER_KEY = "ACTBOOK_PAYLOAD_KEY"
MASTER_KEY_FILE = "ACTBOOK_PAYLOAD_KEY_FILE"
_SIZE = 32
_NONCE = 12


@final
class MasterKey:
    """Made from 32 bytes, or from their text as `generate_master_key` gives it. Needs the extra `credentials`.

    Raises `PayloadKeyError`.
    """

    __slots__ = ("_cipher", "id")

    def __init__(self, key: bytes | str) -> None:
        data = key if isinstance(key, bytes) else _decoded(key)
        if len(data) != _SIZE:
            raise PayloadKeyError(f"A master key has {_SIZE} bytes. Make one with `generate_master_key()`.")
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise PayloadKeyError(
                'Payload keys need the extra: pip install "actbook[credentials]".'
            ) from error
        self._cipher = AESGCM(data)
        self.id = sha256(b"actbook payload master key " + data).hexdigest()[:16]

    def wrap(self, key: bytes, bound: bytes) -> bytes:
        """A key that only this one unwraps, and only with the same `bound`."""
        nonce = token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes | None:
        """The key; None when something was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], bound)
        except (InvalidTag, ValueError):
            return None

    def __repr__(self) -> str:
        return f"<MasterKey {self.id}>"


def generate_master_key() -> str:
    """A new random key as text. Keep it where neither the store nor the keys of users are."""
    return urlsafe_b64encode(token_bytes(_SIZE)).decode()


def master_key_from(
    key: MasterKey | bytes | str | None = None,
    key_file: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
) -> MasterKey:
    """The key: `key`, else the content of `key_file`, else of ACTBOOK_PAYLOAD_KEY or the file ACTBOOK_PAYLOAD_KEY_FILE.

    A key file that others may read is refused. Raises `PayloadKeyError`.
    """
    if key is not None:
        return key if isinstance(key, MasterKey) else MasterKey(key)
    if key_file is not None:
        return _from_file(Path(key_file))
    variables = os.environ if environ is None else environ
    if text := variables.get(MASTER_KEY):
        return MasterKey(text)
    if path := variables.get(MASTER_KEY_FILE):
        return _from_file(Path(path))
    raise PayloadKeyError(f"No master key for the payload keys: set {MASTER_KEY} or {MASTER_KEY_FILE}.")


def _from_file(path: Path) -> MasterKey:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PayloadKeyError(f"Others may read the key file {path}: chmod 600 it.")
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise PayloadKeyError(f"The key file {path} can't be read: {type(error).__name__}.") from error
    return MasterKey(text)


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.strip())
    except (Base64Error, ValueError):
        raise PayloadKeyError(
            "The master key is no base64 text of 32 bytes. Make one with `generate_master_key()`."
        ) from None
