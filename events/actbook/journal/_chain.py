"""The hash chain of a stream: how it is made and how a break in it is found."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec

GENESIS = bytes(32)
"""What the first event of every stream is chained to."""

_FIRST = 1
_FIRST_ELSEWHERE = 0
"""Where applications of the eventsourcing library may start to count."""

FaultKind = Literal[
    "edited",
    "removed",
    "reordered",
    "unreadable",
    "illegal",
    "blob",
    "snapshot",
    "index",
    "view",
    "checkpoint",
]

_TYPES = (int, str, int, str, bytes, int, bytes, bytes)
"""Of the columns of a row."""

_encode = msgspec.msgpack.Encoder().encode


class Row(NamedTuple):
    """An event as it lies in the store, still encoded."""

    position: int
    stream_id: str
    version: int
    topic: str
    event_id: bytes
    at: int
    hash: bytes
    state: bytes


class Fault(NamedTuple):
    """A place where a stream is not what was recorded.

    `version` is the first event that does not fit: the edited one, or the one after what is missing. What
    concerns no single stream has an empty `stream_id` and version 0.
    """

    stream_id: str
    version: int
    position: int
    kind: FaultKind
    message: str


def canonical(stream_id: str, version: int, topic: str, event_id: bytes, at: int, state: bytes) -> bytes:
    """The bytes of an event that its hash covers: everything but the position, which the store assigns
    later.
    """
    return _encode((stream_id, version, topic, event_id, at, state))


def link(
    previous: bytes, stream_id: str, version: int, topic: str, event_id: bytes, at: int, state: bytes
) -> bytes:
    """Hash of an event that follows the one whose hash is `previous`."""
    return sha256(previous + _encode((stream_id, version, topic, event_id, at, state))).digest()


def verify_chain(rows: Iterable[Row], previous: Row | None = None) -> list[Fault]:
    """Checks rows of one or several streams, each stream's rows in the order of their versions.

    `previous` is the last row that was checked before, when one stream is verified in pieces. What was cut
    off at the end of a stream leaves no trace in the chain; compare the last hash with one kept elsewhere to
    notice that.
    """
    last: dict[str, Row] = {} if previous is None else {previous.stream_id: previous}
    faults: list[Fault] = []
    for row in rows:
        if not _is_typed(row):
            faults.append(_found(row, "edited", "a column holds another type of value than was recorded"))
            continue
        fault = _fault(last.get(row.stream_id), row)
        if fault is not None:
            faults.append(fault)
        last[row.stream_id] = row
    return faults


def _is_typed(row: Row) -> bool:
    """A database may take values of any type; nothing can be computed from the wrong ones."""
    return all(isinstance(value, kind) for value, kind in zip(row, _TYPES, strict=True))


def _fault(before: Row | None, row: Row) -> Fault | None:
    expected = _FIRST if before is None else before.version + 1
    if row.version != expected and not (before is None and row.version == _FIRST_ELSEWHERE):
        kind: FaultKind = "removed" if row.version > expected else "reordered"
        return _found(row, kind, f"version {row.version} stands where {expected} belongs")
    if before is not None and row.position <= before.position:
        return _found(row, "reordered", f"position {row.position} does not follow {before.position}")
    previous = GENESIS if before is None else before.hash
    if link(previous, *row[1:6], row.state) != row.hash:
        return _found(row, "edited", "the hash does not match the event and its predecessor")
    return None


def _found(row: Row, kind: FaultKind, message: str) -> Fault:
    return Fault(row.stream_id, row.version, row.position, kind, message)
