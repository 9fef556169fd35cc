"""Credentials in an SQLite file of their own, encrypted with AES-256-GCM."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from actbook.actors._credentials_store import CredentialsStoreError
from actbook.engine.credentials._key import Key, key_from
from actbook.engine.credentials._store_errors import CredentialsKeyError
from actbook.graphs import Credentials, CredentialsMetaInput
from actbook.graphs._stored_credentials import credentials_from, revealed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

T = TypeVar("T")
_NONCE = 12
_SCHEMA = """
CREATE TABLE IF NOT EXISTS credentials (
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    type TEXT NOT NULL,
    title TEXT,
    key_id TEXT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (user_id, id)
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO credentials VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_GET = "SELECT key_id, nonce, sealed FROM credentials WHERE user_id = ? AND id = ?"
_LIST = "SELECT id, provider, type, title FROM credentials WHERE user_id = ? ORDER BY id"


class SqliteCredentials:
    """Secrets are encrypted before they reach SQLite; user, id, provider, type and title are not.

    Each row is bound to its user and id, so that it can't be passed off as another's. The key is the argument, or found as
    `key_from` says; `old_keys` still open what they sealed. Needs the extra `credentials`. Raises `CredentialsKeyError`,
    and `CredentialsStoreError` when the file fails. Nothing blocks the loop.
    """

    def __init__(
        self,
        path: Path | str,
        key: Key | bytes | str | None = None,
        *,
        key_file: Path | str | None = None,
        old_keys: Iterable[Key | bytes | str] = (),
    ) -> None:
        self._path = Path(path)
        self._key = key_from(key, key_file)
        self._keys = {each.id: each for each in (*map(key_from, old_keys), self._key)}
        self._ciphers = {name: _cipher(each) for name, each in self._keys.items()}
        self._lock = threading.Lock()

    async def get(self, user_id: str, credentials_id: str) -> Credentials | None:
        def read(connection: sqlite3.Connection) -> tuple[str, bytes, bytes] | None:
            row: tuple[str, bytes, bytes] | None = connection.execute(
                _GET, (user_id, credentials_id)
            ).fetchone()
            return row

        row = await self._with_file(read)
        return None if row is None else self._opened(user_id, credentials_id, *row)

    async def list(self, user_id: str) -> Sequence[CredentialsMetaInput]:
        def read(connection: sqlite3.Connection) -> list[CredentialsMetaInput]:
            rows = connection.execute(_LIST, (user_id,))
            return [CredentialsMetaInput(id=i, provider=p, type=t, title=title) for i, p, t, title in rows]

        return await self._with_file(read)

    async def put(self, user_id: str, credentials: Credentials) -> None:
        each = credentials
        sealed = self._sealed(user_id, each.id, revealed(each))
        row = (user_id, each.id, each.provider, each.type, each.title, *sealed)
        await self._with_file(lambda connection: connection.execute(_PUT, row))

    async def delete(self, user_id: str, credentials_id: str) -> bool:
        def forget(connection: sqlite3.Connection) -> bool:
            where = (user_id, credentials_id)
            return (
                connection.execute("DELETE FROM credentials WHERE user_id = ? AND id = ?", where).rowcount > 0
            )

        return await self._with_file(forget)

    async def rotate(self, new_key: Key | bytes | str) -> int:
        """Encrypts everything anew, in one transaction; how much that was. From then on this store uses the new key."""
        key = key_from(new_key)
        self._keys[key.id] = key
        self._ciphers[key.id] = _cipher(key)

        def reseal(connection: sqlite3.Connection) -> int:
            connection.execute("BEGIN IMMEDIATE")
            rows = connection.execute("SELECT user_id, id, key_id, nonce, sealed FROM credentials").fetchall()
            for user_id, name, *sealed in rows:
                plain = self._plain(user_id, name, *sealed)
                connection.execute(
                    "UPDATE credentials SET key_id = ?, nonce = ?, sealed = ? WHERE user_id = ? AND id = ?",
                    (*self._sealed(user_id, name, plain, key), user_id, name),
                )
            return len(rows)

        count = await self._with_file(reseal)
        self._key = key
        return count

    def __repr__(self) -> str:
        return f"<SqliteCredentials {self._path} key {self._key.id}>"

    def _sealed(
        self, user_id: str, name: str, plain: bytes, key: Key | None = None
    ) -> tuple[str, bytes, bytes]:
        key = key or self._key
        nonce = token_bytes(_NONCE)
        return key.id, nonce, self._ciphers[key.id].encrypt(nonce, plain, _bound_to(user_id, name))

    def _plain(self, user_id: str, name: str, key_id: str, nonce: bytes, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CredentialsKeyError(
                f"Credentials #{name} in {self._path} are encrypted with the key {key_id}; given is {self._key.id}."
                " Give that key, as `key` or among `old_keys`."
            )
        try:
            return cipher.decrypt(nonce, sealed, _bound_to(user_id, name))
        except (InvalidTag, ValueError):
            raise CredentialsStoreError(
                f"Credentials #{name} in {self._path} are damaged or were moved there. Put them in again."
            ) from None

    def _opened(self, user_id: str, name: str, *sealed: Any) -> Credentials:
        plain = self._plain(user_id, name, *sealed)
        try:
            return credentials_from(plain)
        except msgspec.MsgspecError:
            raise CredentialsStoreError(
                f"Credentials #{name} in {self._path} were written by another version. Put them in again."
            ) from None

    async def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._transact, work)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with self._lock, closing(self._connected()) as connection, connection:
                return work(connection)
        except (sqlite3.Error, OSError) as error:
            raise CredentialsStoreError(f"The credentials file {self._path} failed: {error}.") from error

    def _connected(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=10.0)
        try:
            # What a rotated key opened is overwritten, not only forgotten.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection


def _bound_to(user_id: str, credentials_id: str) -> bytes:
    return msgspec.msgpack.encode(("actbook.credentials", 1, user_id, credentials_id))


def _cipher(key: Key) -> AESGCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise CredentialsStoreError(
            'Encrypted credentials need the extra: pip install "actbook[credentials]".'
        ) from error
    return AESGCM(key.reveal())
