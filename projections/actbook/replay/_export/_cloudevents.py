"""CloudEvents 1.0 as JSON lines: readable by anybody, and everything that a store needs to hold the same history again.

A line is an event, a big value that later events refer to, or the end of the export. `data` is for readers; the extension
attribute `actbookstate` carries the recorded bytes, and is what counts.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from math import isfinite
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from msgspec.msgpack import Ext

from actbook.events import Envelope, as_datetime
from actbook.journal import Row, Store
from actbook.journal._blobs import BLOB_EXT
from actbook.replay._export._selection import Selection, envelope_of

TYPE = "actbook."
BLOB_TYPE = "actbook.blob"
END_TYPE = "actbook.export.ended"
SOURCE = "urn:actbook:"
_HAS_BLOBS = b"\x97"
_BIG = 64 * 1024

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


def event_of(row: Row, event: Envelope | None) -> dict[str, Any]:
    """A recorded event as a CloudEvent. Without `event`, what only its content tells is left out."""
    cloud: dict[str, Any] = {
        "specversion": "1.0",
        "id": _event_id(row.event_id),
        "source": SOURCE + "stream:" + quote(row.stream_id, safe=""),
        "type": TYPE + row.topic,
        "subject": row.stream_id,
        "time": iso(row.at),
        "actbookstream": row.stream_id,
        "actbookversion": row.version,
        "actbookposition": str(row.position),
        "actbookeventid": row.event_id.hex(),
        "actbookhash": row.hash.hex(),
        "actbookstate": b64encode(row.state).decode(),
    }
    if event is not None:
        cloud |= _told_by(event)
    return cloud


def _told_by(event: Envelope) -> dict[str, Any]:
    told: dict[str, Any] = {
        "datacontenttype": "application/json",
        "dataschema": f"{SOURCE}event:{event.topic}:{event.schema_version}",
        "data": plain(event),
    }
    number = getattr(event.payload, "node_exec", 0)
    if isinstance(number, int) and number > 0 and ":" not in event.stream_id:
        told["subject"] = f"{event.stream_id}.{number}"
    if event.user_id:
        told["actbookuser"] = event.user_id
    if event.correlation_id:
        told["correlationid"] = event.correlation_id
    if isinstance(event.cause, bytes):
        told["causationid"] = _event_id(event.cause)
    elif event.cause is not None:
        told["actbookcause"] = event.cause
    if event.traceparent:
        told["traceparent"] = event.traceparent
    return told


def plain(event: Envelope) -> dict[str, Any]:
    """The fields of an event by name, as JSON can hold them; of a big text its size."""
    found: dict[str, Any] = as_json(event.payload)
    return found


def as_json(value: Any) -> Any:
    """What has no form in JSON as text: bytes in base64, infinities and nan by name."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, msgspec.Struct):
        return {name: as_json(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | deque):
        return [as_json(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    return str(value)


def _text(value: str) -> str:
    """A big text would be in the file twice: it has a line of its own."""
    return value if len(value) <= _BIG else f"<text of {len(value)} characters>"


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
    if state[:1] != _HAS_BLOBS:
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

    if state[:1] == _HAS_BLOBS:
        msgspec.msgpack.decode(state, ext_hook=note)
    return found


def iso(at: int) -> str:
    """µs since the epoch as RFC 3339, in UTC."""
    return as_datetime(at).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _event_id(event_id: bytes) -> str:
    return str(UUID(bytes=event_id)) if len(event_id) == 16 else event_id.hex()


def _line(cloud: dict[str, Any]) -> bytes:
    return _json(cloud) + b"\n"
