"""The key of the encrypted store: 32 random bytes, known by an id that does not tell them."""

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

from actbook.engine.credentials._store_errors import CredentialsKeyError

KEY = "ACTBOOK_CREDENTIALS_KEY"
KEY_FILE = "ACTBOOK_CREDENTIALS_KEY_FILE"
_SIZE = 32


@final
class Key:
    """Made from 32 bytes, or from their text as `generate_key` gives it. Raises `CredentialsKeyError`."""

    __slots__ = ("_data", "id")

    def __init__(self, key: bytes | str) -> None:
        self._data = key if isinstance(key, bytes) else _decoded(key)
        if len(self._data) != _SIZE:
            raise CredentialsKeyError(f"A key has {_SIZE} bytes. Make one with `generate_key()`.")
        self.id = sha256(b"actbook credentials key " + self._data).hexdigest()[:16]

    def reveal(self) -> bytes:
        """The bytes of the key."""
        return self._data

    def __repr__(self) -> str:
        return f"<Key {self.id}>"


def generate_key() -> str:
    """A new random key as text. Keep it where the encrypted file is not."""
    return urlsafe_b64encode(token_bytes(_SIZE)).decode()


def key_from(
    key: Key | bytes | str | None = None,
    key_file: Path | str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Key:
    """The key: `key`, else the content of `key_file`, else of the variables ACTBOOK_CREDENTIALS_KEY or _KEY_FILE.

    A key file that others may read is refused. Raises `CredentialsKeyError`.
    """
    if key is not None:
        return key if isinstance(key, Key) else Key(key)
    if key_file is not None:
        return _from_file(Path(key_file))
    variables = os.environ if environ is None else environ
    if text := variables.get(KEY):
        return Key(text)
    if path := variables.get(KEY_FILE):
        return _from_file(Path(path))
    raise CredentialsKeyError(f"No key for the stored credentials: set {KEY} or {KEY_FILE}.")


def write_key(path: Path) -> Key:
    """Puts a new key into a new file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = generate_key()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
    return Key(text)


def _from_file(path: Path) -> Key:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise CredentialsKeyError(f"Others may read the key file {path}: chmod 600 it.")
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsKeyError(f"The key file {path} can't be read: {type(error).__name__}.") from error
    return Key(text)


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.strip())
    except (Base64Error, ValueError):
        raise CredentialsKeyError(
            "The key is no base64 text of 32 bytes. Make one with `generate_key()`."
        ) from None
