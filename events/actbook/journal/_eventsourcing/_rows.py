"""What the recorders need from a store, and the rows they write to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from eventsourcing.persistence import IntegrityError, StoredEvent

from actbook.journal._chain import GENESIS, Row, link
from actbook.journal._event_ids import new_event_id
from actbook.journal._known import Head


class RowTransaction(Protocol):
    """All of it is written, or nothing."""

    def head(self, stream_id: str) -> Head | None:
        """Version and hash of the stream's last event."""
        ...

    def insert(self, values: list[Any]) -> int:
        """Adds events, flat as in a `Plan`; returns the position of the first one."""
        ...

    def put_snapshot(self, stream_id: str, version: int, state: bytes) -> None:
        """Raises `IntegrityError` when there is one of that version."""
        ...

    def track(self, name: str, position: int) -> bool:
        """Moves a tracked position forward; false when it is there already."""
        ...


class Rows(Protocol):
    """A store, seen as rows."""

    def transaction(self) -> AbstractContextManager[RowTransaction]: ...

    def stream(self, stream_id: str, above: int, upto: int, descending: bool, limit: int) -> Iterable[Row]:
        """Events of a stream with `above < version <= upto`; a negative limit means all."""
        ...

    def log(self, first: int, last: int, topics: Sequence[str], limit: int) -> Iterable[Row]:
        """Events with `first <= position <= last`."""
        ...

    def snapshots(
        self, stream_id: str, above: int, upto: int, descending: bool, limit: int
    ) -> Iterable[tuple[int, bytes]]:
        """Versions and states of snapshots."""
        ...

    def last_position(self) -> int: ...

    def tracked(self, name: str) -> int | None: ...

    def blob(self, sha256: bytes) -> bytes: ...

    def close(self) -> None: ...


def chained(
    stored_events: Sequence[StoredEvent],
    stream_id_of: Callable[[StoredEvent], str],
    head_of: Callable[[str], Head | None],
) -> list[Any]:
    """Rows for stored events, chained to the heads of their streams.

    A stream starts at version 0 or 1 and has no gaps: raises `IntegrityError` otherwise.
    """
    heads: dict[str, Head | None] = {}
    values: list[Any] = []
    at = time.time_ns() // 1000
    for stored, event_id in zip(stored_events, new_event_id.take(len(stored_events)), strict=True):
        stream_id = stream_id_of(stored)
        if stream_id not in heads:
            heads[stream_id] = head_of(stream_id)
        head = heads[stream_id]
        version = stored.originator_version
        if version not in ((0, 1) if head is None else (head[0] + 1,)):
            at_version = "new" if head is None else f"at version {head[0]}"
            raise IntegrityError(f"Stream {stream_id!r} is {at_version}: event {version} does not follow")
        previous = GENESIS if head is None else head[1]
        digest = link(previous, stream_id, version, stored.topic, event_id, at, stored.state)
        heads[stream_id] = (version, digest)
        values += (stream_id, version, stored.topic, event_id, at, digest, stored.state)
    return values
