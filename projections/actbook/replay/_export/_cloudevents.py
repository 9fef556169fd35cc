"""CloudEvents 1.0 as JSON lines: readable by anybody, and everything that a store needs to hold the same history again.

A line is an event, a big value that later events refer to, or the end of the export. `data` is for readers; the extension
attribute `actbookstate` carries the recorded bytes, and is what counts.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.msgpack import Ext

from actbook.journal import Store
from actbook.journal._blobs import BLOB_EXT
from actbook.journal._cloudevents import SOURCE, TYPE, as_json, event_of, iso, plain
from actbook.replay._export._selection import Selection, envelope_of

BLOB_TYPE = "actbook.blob"
END_TYPE = "actbook.export.ended"
_HAS_BLOBS = (b"\x97", b"\x99")
"""What a state begins with that may refer to big values: a plain one, and a sealed one."""

__all__ = [
    "BLOB_TYPE",
    "END_TYPE",
    "SOURCE",
    "TYPE",
    "as_json",
    "blob_event",
    "blobs_of",
    "end_event",
    "event_of",
    "export_cloudevents",
    "iso",
    "plain",
    "references_of",
]

_json = msgspec.json.Encoder().encode


def export_cloudevents(store: Store, selection: Selection) -> Iterator[bytes]:
    """Lines, in the order of positions, each with its line end. Blocks while it reads; memory does not grow with events."""
    events = 0
    told: set[bytes] = set()
    for row in selection.rows(store):
        for digest in blobs_of(row.state):
            if digest not in told and (data := _blob(store, digest)) is not None:
                told.add(digest)
                yield _line(blob_event(digest, data))
        yield _line(event_of(row, envelope_of(store, row)))
        events += 1
    yield _line(end_event(events, len(told)))


def _blob(store: Store, digest: bytes) -> bytes | None:
    """None when the store has lost it: verification tells of that, and so does an import."""
    try:
        return store.blob(digest)
    except KeyError:
        return None


def blob_event(digest: bytes, data: bytes) -> dict[str, Any]:
    """A big value: its id is the SHA-256 of its content."""
    return {
        "specversion": "1.0",
        "id": digest.hex(),
        "source": SOURCE + "blobs",
        "type": BLOB_TYPE,
        "datacontenttype": "application/octet-stream",
        "data_base64": b64encode(data).decode(),
    }


def end_event(events: int, blobs: int) -> dict[str, Any]:
    """The last line: a file without it was cut off."""
    return {
        "specversion": "1.0",
        "id": f"{events}-{blobs}",
        "source": SOURCE + "export",
        "type": END_TYPE,
        "datacontenttype": "application/json",
        "data": {"events": events, "blobs": blobs},
    }


def blobs_of(state: bytes) -> tuple[bytes, ...]:
    """The digests of the big values that an encoded event refers to."""
    if state[:1] not in _HAS_BLOBS:
        return ()
    try:
        return tuple(msgspec.msgpack.decode(state, ext_hook=Ext)[6])
    except (msgspec.DecodeError, LookupError, TypeError):
        return ()


def references_of(state: bytes) -> dict[bytes, tuple[int, str]]:
    """Size and media type of each big value, by its digest."""
    found: dict[bytes, tuple[int, str]] = {}

    def note(code: int, data: memoryview) -> None:
        if code == BLOB_EXT:
            digest, size, media_type = msgspec.msgpack.decode(data)
            found[digest] = (size, media_type)

    if state[:1] in _HAS_BLOBS:
        msgspec.msgpack.decode(state, ext_hook=note)
    return found


def _line(cloud: dict[str, Any]) -> bytes:
    return _json(cloud) + b"\n"
