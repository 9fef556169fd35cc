"""A recorded event as a CloudEvent 1.0: the same for whoever writes it to a file or to a bus. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from math import isfinite
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from actbook.events._envelope import Envelope, as_datetime
from actbook.journal._chain import Row

TYPE = "actbook."
SOURCE = "urn:actbook:"
_BIG = 64 * 1024


def event_of(row: Row, event: Envelope | None) -> dict[str, Any]:
    """A recorded event as a CloudEvent. Without `event`, what only its content tells is left out."""
    cloud = _recorded(row)
    cloud["actbookstate"] = b64encode(row.state).decode()
    if event is not None:
        cloud |= _told_by(event)
        cloud["data"] = plain(event)
    return cloud


def message_of(event: Envelope) -> dict[str, Any]:
    """The same CloudEvent for a bus: `data` holds big texts too, since nothing else travels with it, and the recorded bytes
    stay in the store.
    """
    return _recorded(event) | _told_by(event) | {"data": as_json(event.payload, whole=True)}


def _recorded(event: Row | Envelope) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event_id_text(event.event_id),
        "source": SOURCE + "stream:" + quote(event.stream_id, safe=""),
        "type": TYPE + event.topic,
        "subject": event.stream_id,
        "time": iso(event.at),
        "actbookstream": event.stream_id,
        "actbookversion": event.version,
        "actbookposition": str(event.position),
        "actbookeventid": event.event_id.hex(),
        "actbookhash": event.hash.hex(),
    }


def _told_by(event: Envelope) -> dict[str, Any]:
    told: dict[str, Any] = {
        "datacontenttype": "application/json",
        "dataschema": f"{SOURCE}event:{event.topic}:{event.schema_version}",
    }
    number = getattr(event.payload, "node_exec", 0)
    if isinstance(number, int) and number > 0 and ":" not in event.stream_id:
        told["subject"] = f"{event.stream_id}.{number}"
    if event.user_id:
        told["actbookuser"] = event.user_id
    if event.correlation_id:
        told["correlationid"] = event.correlation_id
    if isinstance(event.cause, bytes):
        told["causationid"] = event_id_text(event.cause)
    elif event.cause is not None:
        told["actbookcause"] = event.cause
    if event.traceparent:
        told["traceparent"] = event.traceparent
    return told


def plain(event: Envelope) -> dict[str, Any]:
    """The fields of an event by name, as JSON can hold them; of a big text its size."""
    found: dict[str, Any] = as_json(event.payload)
    return found


def as_json(value: Any, *, whole: bool = False) -> Any:
    """What has no form in JSON as text: bytes in base64, infinities and nan by name. `whole`: big texts too."""
    if isinstance(value, str):
        return value if whole or len(value) <= _BIG else f"<text of {len(value)} characters>"
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, msgspec.Struct):
        return {name: as_json(getattr(value, name), whole=whole) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): as_json(item, whole=whole) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset | deque):
        return [as_json(item, whole=whole) for item in value]
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    return str(value)


def iso(at: int) -> str:
    """µs since the epoch as RFC 3339, in UTC."""
    return as_datetime(at).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def event_id_text(event_id: bytes) -> str:
    """An event id as text."""
    return str(UUID(bytes=event_id)) if len(event_id) == 16 else event_id.hex()
