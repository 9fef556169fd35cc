"""An event as a message: CloudEvents 1.0 in structured mode, one JSON object, as a line of an export is.

Structured, because a dozen headers cost the client more than everything else that publishing does. Binary mode is read too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from actbook.bridge._nats_payload import payload_of
from actbook.bridge._relay_publisher import RefusedError
from actbook.events import Envelope, Event
from actbook.journal._cloudevents import TYPE, message_of

MESSAGE_ID = "Nats-Msg-Id"
CONTENT_TYPE = "content-type"
STRUCTURED = "application/cloudevents+json"
_PREFIX = "ce-"
_OVERHEAD = len("NATS/1.0\r\n\r\n")

_json = msgspec.json.Encoder().encode


class BusEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as it came over the bus.

    `id` (a UUID) is the same each time the event is delivered. `at`: RFC 3339, UTC. `payload` is None when this version of
    actbook does not know the topic or can't read `data`, which is there in any case. `attributes` are those of the
    CloudEvent. `deliveries`: 1, or more when it was handed out and not acknowledged before.
    """

    id: str
    topic: str
    stream_id: str
    version: int
    position: int
    at: str
    user_id: str
    correlation_id: str
    traceparent: str
    data: Any
    payload: Event | None
    attributes: Mapping[str, Any]
    deliveries: int = 1


def headers_and_body(event: Envelope) -> tuple[dict[str, str], bytes]:
    """Raises `RefusedError` for an event that has no form in JSON."""
    cloud = message_of(event)
    try:
        body = _json(cloud)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RefusedError(f"it has no form in JSON ({error})") from error
    return {MESSAGE_ID: cloud["id"], CONTENT_TYPE: STRUCTURED}, body


def size_of(headers: Mapping[str, str], body: bytes) -> int:
    """Bytes that the server counts against its `max_payload`: headers too."""
    return _OVERHEAD + len(body) + sum(len(name) + len(value) + 4 for name, value in headers.items())


def event_in(headers: Mapping[str, str], body: bytes, deliveries: int = 1) -> BusEvent:
    """The event in a message. Raises `ValueError` when it is no CloudEvent of actbook."""
    try:
        told = _attributes(headers, body)
        data = told.pop("data", None)
        topic = told["type"].removeprefix(TYPE)
        return BusEvent(
            id=told["id"],
            topic=topic,
            stream_id=told["actbookstream"],
            version=int(told["actbookversion"]),
            position=int(told["actbookposition"]),
            at=told["time"],
            user_id=told.get("actbookuser", ""),
            correlation_id=told.get("correlationid", ""),
            traceparent=told.get("traceparent", ""),
            data=data,
            payload=payload_of(topic, told.get("dataschema", ""), data),
            attributes=told,
            deliveries=deliveries,
        )
    except KeyError as error:
        raise ValueError(f"the attribute {error.args[0]} is missing") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no CloudEvent ({error})") from error


def _attributes(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    given = {name.lower(): value for name, value in headers.items()}
    if given.get(CONTENT_TYPE, "").startswith(STRUCTURED):
        return msgspec.json.decode(body, type=dict[str, Any])
    told: dict[str, Any] = {
        name[len(_PREFIX) :]: unquote(value) for name, value in given.items() if name.startswith(_PREFIX)
    }
    return told | {"data": msgspec.json.decode(body) if body else None}
