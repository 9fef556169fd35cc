"""Checkpoints of a store: a tree over its log that grows with it, signed from time to time."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from actbook.graphs import ActbookError
from actbook.journal import Row, Store
from actbook.journal._archived import archived_leaves, archived_stream
from actbook.replay._entries import UNFIT, entry_hashes
from actbook.replay._merkle import WIDTH, Tiles, TilesInMemory, Tree
from actbook.replay._signing import SigningKey
from actbook.replay.proof import CONSISTENCY, INCLUSION, Checkpoint, ProofError

PAGE = 4096

_NOTES = "CREATE TABLE IF NOT EXISTS checkpoints(size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL)"
_TILES = """CREATE TABLE IF NOT EXISTS checkpoint_tiles(
  level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY(level, number)
) WITHOUT ROWID"""
_SCHEMA = (_NOTES, _TILES)
_TABLES = (
    "SELECT count(*) FROM sqlite_master WHERE type='table' AND name IN ('checkpoints', 'checkpoint_tiles')"
)


class CheckpointError(ActbookError):
    """A checkpoint or a proof can't be made: there is no such event, no checkpoint covers it, or the log was changed."""


class StoredTiles:
    """Tiles in a table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, level: int, number: int) -> bytes:
        sql = "SELECT hashes FROM checkpoint_tiles WHERE level=? AND number=?"
        row = self._connection.execute(sql, (level, number)).fetchone()
        return bytes(row[0]) if row and isinstance(row[0], bytes) else b""

    def put(self, level: int, number: int, hashes: bytes) -> None:
        sql = "INSERT OR REPLACE INTO checkpoint_tiles VALUES(?,?,?)"
        self._connection.execute(sql, (level, number, hashes))


def has_checkpoints(connection: sqlite3.Connection) -> bool:
    """Was the tree of this store ever begun?"""
    return bool(connection.execute(_TABLES).fetchone()[0] == len(_SCHEMA))


def stored_tree(connection: sqlite3.Connection) -> Tree:
    """The tree as far as it was written."""
    sql = "SELECT number, length(hashes) FROM checkpoint_tiles WHERE level=0 ORDER BY number DESC LIMIT 1"
    last = connection.execute(sql).fetchone()
    if last is None or not all(isinstance(number, int) for number in last):
        return Tree(StoredTiles(connection))
    return Tree(StoredTiles(connection), last[0] * WIDTH + last[1] // 32)


def stored_notes(connection: sqlite3.Connection) -> list[str]:
    """The signed checkpoints, oldest first."""
    return [row[0] for row in connection.execute("SELECT note FROM checkpoints ORDER BY size")]


class Checkpoints:
    """Everything blocks; call it from a thread where a loop must not wait. `close` it, or use it in a `with`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection = store.open_views_writer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def write(self, key: SigningKey, at: int | None = None) -> Checkpoint:
        """Signs everything that is committed, and keeps the note in the store.

        `at`: when, in µs since the epoch, UTC; now by default. Reads what came since the last one. The newest note is
        given back unchanged when nothing came.
        """
        size = self._grow()
        newest = self.newest()
        if newest is not None and newest.size == size and newest.origin == key.name:
            return newest
        moment = time.time_ns() // 1000 if at is None else at
        stamp = datetime.fromtimestamp(moment / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        note = key.sign(size, stored_tree(self._connection).root(size), (f"at {stamp}",))
        with self._transaction():
            values = (size, moment, note.text)
            self._connection.execute("INSERT OR REPLACE INTO checkpoints VALUES(?,?,?)", values)
        return note

    def all(self) -> list[Checkpoint]:
        """Oldest first. Raises `CheckpointError` for one that somebody damaged."""
        if not has_checkpoints(self._connection):
            return []
        try:
            return [Checkpoint.parse(note) for note in stored_notes(self._connection)]
        except (ProofError, AttributeError, TypeError) as error:
            raise CheckpointError(
                f"A checkpoint in the store is damaged: {error} Run `actbook verify --all`."
            ) from error

    def newest(self) -> Checkpoint | None:
        notes = self.all()
        return notes[-1] if notes else None

    def prove_event(self, stream_id: str, version: int, *, content: bool = False) -> dict[str, Any]:
        """A proof that an event is in the log of the newest checkpoint, for `actbook.replay.proof`.

        `content` adds the event as it is stored (MessagePack). Raises `CheckpointError`.
        """
        rows = self._store.read_rows(stream_id, version - 1, 1)
        if not rows and (archived := archived_stream(self._connection, stream_id)) is not None:
            raise CheckpointError(
                f"Stream {stream_id!r} was {archived.text}: restore it to prove what is in it."
            )
        if not rows or rows[0].version != version:
            raise CheckpointError(f"There is no event {version} in stream {stream_id!r}.")
        checkpoint = self._covering(rows[0].position)
        path = stored_tree(self._connection).inclusion(rows[0].position - 1, checkpoint.size)
        return {
            "kind": INCLUSION,
            "event": _described(rows[0], content),
            "path": [step.hex() for step in path],
            "checkpoint": checkpoint.text,
        }

    def prove_extension(self, old: Checkpoint) -> dict[str, Any]:
        """A proof that the log of the newest checkpoint begins with that of an older one. Raises `CheckpointError`."""
        newest = self._covering(old.size)
        path = stored_tree(self._connection).consistency(old.size, newest.size)
        return {
            "kind": CONSISTENCY,
            "old": old.text,
            "path": [step.hex() for step in path],
            "new": newest.text,
        }

    def _covering(self, position: int) -> Checkpoint:
        newest = self.newest()
        if newest is None or newest.size < position:
            size = newest.size if newest else 0
            raise CheckpointError(
                f"The newest checkpoint covers {size} events, not {position}: write one with `actbook prove checkpoint`."
            )
        return newest

    def _grow(self) -> int:
        """Adds what was committed since; the size after that."""
        with self._transaction():
            for statement in _SCHEMA:
                self._connection.execute(statement)
        upto = self._store.last_position()
        covered = stored_tree(self._connection).size
        if covered > upto:
            raise CheckpointError(
                f"The log ends at {upto}, and {covered} events were signed: run `actbook verify --all`."
            )
        while (size := stored_tree(self._connection).size) < upto:
            end = min(size + PAGE, upto)
            rows = [row for row in self._store.log_rows(size, PAGE) if row.position <= end]
            archived = dict(archived_leaves(self._connection, size + 1, end + 1))
            hashes = list(entry_hashes(rows, size, end, archived))
            if UNFIT in hashes:
                position = size + 1 + hashes.index(UNFIT)
                raise CheckpointError(
                    f"The event at position {position} was edited: run `actbook verify --all` first."
                )
            added = TilesInMemory(StoredTiles(self._connection))
            Tree(added, size).append(hashes)
            self._keep(added, size)
        return size

    def _keep(self, added: TilesInMemory, size: int) -> None:
        with self._transaction():
            if stored_tree(self._connection).size != size:
                return
            tiles: Tiles = StoredTiles(self._connection)
            for (level, number), hashes in added.changed.items():
                tiles.put(level, number, hashes)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._store.write_lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _described(row: Row, content: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "position": row.position,
        "stream_id": row.stream_id,
        "version": row.version,
        "topic": row.topic,
        "event_id": row.event_id.hex(),
        "at": row.at,
        "hash": row.hash.hex(),
        "state_sha256": sha256(row.state).hexdigest(),
    }
    if content:
        described["state"] = base64.b64encode(row.state).decode()
    return described
