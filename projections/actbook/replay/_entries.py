"""Events of a store as entries of the log that checkpoints are over: position 1 is entry 0."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from actbook.journal import Row
from actbook.replay.proof import absent_entry, event_entry, leaf_hash

UNFIT = b""
"""The hash of a row that can be no entry, because somebody edited it."""


def entry_hash(row: Row) -> bytes:
    """Hash of an event's entry; `UNFIT` when a column holds what no event has there."""
    try:
        digest = sha256(row.state).digest()
        return leaf_hash(
            event_entry(
                row.position, row.stream_id, row.version, row.topic, row.event_id, row.at, row.hash, digest
            )
        )
    except (struct.error, TypeError, AttributeError, UnicodeEncodeError):
        return UNFIT


def entry_hashes(
    rows: Iterable[Row], after: int, upto: int, archived: Mapping[int, bytes] | None = None
) -> Iterator[bytes]:
    """Hashes of all positions above `after` and up to `upto`, also of those that have no event any more.

    `archived`: hashes of events that left the store.
    """
    elsewhere = archived or {}
    expected = after + 1
    for row in rows:
        while expected < row.position:
            yield elsewhere.get(expected) or leaf_hash(absent_entry(expected))
            expected += 1
        yield entry_hash(row)
        expected += 1
    while expected <= upto:
        yield elsewhere.get(expected) or leaf_hash(absent_entry(expected))
        expected += 1
