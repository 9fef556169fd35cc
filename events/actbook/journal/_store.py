"""The port between the journal and a database: synchronous, thread-safe, one method per thing a store must
do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from actbook.events._envelope import Append, Envelope
from actbook.journal._blobs import Blob
from actbook.journal._chain import Row
from actbook.journal._plan import Outcome, Plan
from actbook.journal._prepared import Prepared

if TYPE_CHECKING:
    from actbook.journal._payload_keys import PayloadKeys


class Snapshot(NamedTuple):
    """The state of a stream at a version, as bytes of the caller's making; `state_hash` is the caller's
    too.
    """

    stream_id: str
    version: int
    state: bytes
    state_hash: bytes


SEALED_SNAPSHOT = b"\xc1"
"""What a sealed snapshot begins with: a byte that MessagePack never uses."""


def is_sealed(snapshot: Snapshot) -> bool:
    """Whether it opens only with the key of its user, and nobody else can compare it with the events."""
    return snapshot.state[:1] == SEALED_SNAPSHOT


class Store(Protocol):
    """A place for events. Every method may be called from any thread and blocks until it is done.

    All raise `StoreBusyError`, `StoreFullError` or `StoreIOError` when the database fails.
    """

    can_lead: bool
    """Is a write so short that the actor loop's thread may do it when it has nothing else to do?"""

    many_workers: bool
    """Do several processes run executions at once, each what it claimed? Then it is a `ClaimStore`."""

    keys: PayloadKeys | None
    """What values of users are sealed with, and opened by; set before the first use. None: nothing is sealed, and reading
    what is sealed raises `PayloadKeyError`.
    """

    write_lock: Lock
    """Held during every write; whoever else writes to the same database holds it too (see
    `open_views_writer`).
    """

    def write(self, appends: Sequence[Append]) -> list[Outcome]:
        """Writes the appends in one durable transaction; the answer to each is at its index.

        A refused append takes with it only later ones of this call that build on it. When the transaction
        itself fails every accepted append gets that error and nothing is written.
        """
        ...

    def write_prepared(self, batch: Sequence[Prepared], *, wait: bool = True) -> Plan:
        """`write` for appends that are encoded already.

        `wait=False` raises `StoreBusyError` instead of blocking on locks.
        """
        ...

    def read_stream(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """Events of a stream with versions above `after`, in order."""
        ...

    def read_log(
        self, after: int = 0, limit: int | None = 1000, topics: Sequence[str] = (), upto: int | None = None
    ) -> list[Envelope]:
        """Events at positions above `after` (and up to `upto`), in order; only the given topics when there
        are any.
        """
        ...

    def read_rows(self, stream_id: str, after: int = 0, limit: int | None = None) -> list[Row]:
        """A stream as it is stored, for `verify_chain`."""
        ...

    def log_rows(self, after: int = 0, limit: int | None = 1000) -> list[Row]:
        """The log as it is stored, at positions above `after`, in order."""
        ...

    def stream_ids(self, after: str = "", limit: int = 1000) -> list[str]:
        """Ids of all streams in text order, above `after`."""
        ...

    def head(self, stream_id: str) -> int:
        """Version of the stream's last event; 0 when there is none."""
        ...

    def last_position(self) -> int:
        """The highest position that was ever given out; 0 in a new store."""
        ...

    def unfinished(self, among: Sequence[str] | None = None) -> list[str]:
        """Streams that were opened and not closed, oldest first; of those `among` alone, in any order.

        One that is asleep is left out until the stream it waits on has gone beyond the version it named.
        """
        ...

    def priorities(self, among: Sequence[str] | None = None) -> dict[str, int]:
        """Priorities of streams that were opened and not closed; those of priority 0 are left out."""
        ...

    def blob(self, sha256: bytes) -> bytes:
        """Content of a big value; raises `KeyError` when there is none of that digest."""
        ...

    def copy_in(self, rows: Iterable[Row], blobs: Iterable[Blob] = ()) -> int:
        """Adds events that another store recorded, as they are, in one transaction; returns how many.

        Their positions are given anew, and no stream becomes unfinished. Raises `ConflictError` unless the
        rows of each stream begin right behind its end here.
        """
        ...

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot, instead of an earlier one of the same version.

        Not synced: snapshots can be made again.
        """
        ...

    def latest_snapshot(self, stream_id: str, at_most: int | None = None) -> Snapshot | None:
        """The newest snapshot of a stream, or the newest one not above a version."""
        ...

    def drop_snapshots(self, stream_id: str | None = None, below: int | None = None) -> int:
        """Deletes snapshots of one stream or of all, all versions or only those below one.

        Returns how many.
        """
        ...

    def move_log(self, connection: Connection) -> None:
        """Housekeeping beside the appends, now and then, with a connection of the calling thread for views."""
        ...

    def open_views_writer(self) -> Connection:
        """A connection of its own, in autocommit mode, for tables that can be rebuilt: used under
        `write_lock`, not synced.

        The caller closes it.
        """
        ...

    def open_views_reader(self) -> Connection:
        """A read-only connection of its own to the same tables. The caller closes it."""
        ...

    def close(self) -> None:
        """Closes every connection of the store. May be called twice."""
        ...


class ClaimStore(Store, Protocol):
    """A store that several workers share."""

    def claim(self, count: int, among: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """Takes for this worker at most so many unfinished streams that nobody has and that are awake, the most urgent first.

        Answers with ids and priorities. Raises `StoreFencedError` when this worker was taken for dead. After any other error
        `claimed` tells whether it happened.
        """
        ...

    def claimed(self) -> list[tuple[str, int]]:
        """The streams that this worker has."""
        ...
