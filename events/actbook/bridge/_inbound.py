"""What a message says: decoding without a broker, so that every kind of rubbish can be tried."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from actbook.bridge._rabbit_errors import MessageRefusedError
from actbook.events import CancelExecutionEvent, GraphExecutionEntry

SIZE_LIMIT = 1024 * 1024
"""Bytes of a message's body."""

DEPTH_LIMIT = 64
"""Of lists and dicts in one another."""

_STRUCTURED = "application/cloudevents"
_BATCH = "application/cloudevents-batch"
_PREFIXES = ("cloudevents:", "cloudevents_", "ce-", "ce_")


class RefusalReason(StrEnum):
    """Why a message went to the dead-letter queue."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"
    WRONG_USER = "wrong-user"
    CONFLICTING = "conflicting"
    INVALID = "invalid"
    CRASHING = "crashing"


class Submit(GraphExecutionEntry, kw_only=True):
    """The run message of somebody who submits. `inputs` are those of the run; a `graph_version` of 0 means the newest."""

    inputs: dict[str, Any] = {}
    graph_exec_id: str = ""
    graph_version: int = 0


class Cancel(CancelExecutionEvent, kw_only=True):
    """The cancel message as it is taken: `cascade` reaches the executions of sub-graphs too."""

    cascade: bool = True


class Message(NamedTuple):
    """What the broker delivers, as far as it matters here."""

    body: bytes
    message_id: str = ""
    content_type: str = ""
    content_encoding: str = ""
    headers: Mapping[str, Any] = {}


class Submission(NamedTuple):
    """`key` is the message's id: whoever sends it again means the same execution."""

    entry: Submit
    key: str


class Cancellation(NamedTuple):
    """`key` is the message's id; empty when it has none."""

    event: Cancel
    key: str


def read_submission(message: Message) -> Submission:
    """Raises `MessageRefusedError`."""
    entry, key = _read(message, Submit)
    if not (key or entry.graph_exec_id):
        raise MessageRefusedError(
            RefusalReason.MALFORMED, "It has neither a message id nor a graph_exec_id to be known by."
        )
    if not entry.graph_exec_id and not entry.graph_id:
        raise MessageRefusedError(RefusalReason.MALFORMED, "It names neither a graph nor an execution.")
    _check_depth(entry.inputs)
    _check_depth(entry.nodes_input_masks)
    return Submission(entry, key)


def read_cancellation(message: Message) -> Cancellation:
    """Raises `MessageRefusedError`."""
    event, key = _read(message, Cancel)
    if not event.graph_exec_id:
        raise MessageRefusedError(RefusalReason.MALFORMED, "It names no execution.")
    return Cancellation(event, key)


S = TypeVar("S", Submit, Cancel)


def _read(message: Message, kind: type[S]) -> tuple[S, str]:
    if len(message.body) > SIZE_LIMIT:
        raise MessageRefusedError(
            RefusalReason.OVERSIZED,
            f"It has {len(message.body)} bytes; {SIZE_LIMIT} are taken at most.",
        )
    if message.content_encoding.lower() not in ("", "utf-8", "utf8", "identity"):
        raise MessageRefusedError(
            RefusalReason.FOREIGN, f"Its content encoding is {message.content_encoding[:80]!r}."
        )
    content_type = message.content_type.partition(";")[0].strip().lower()
    if content_type.startswith(_BATCH):
        raise MessageRefusedError(
            RefusalReason.FOREIGN, "Batches of CloudEvents are not taken: send one at a time."
        )
    if content_type.startswith(_STRUCTURED):
        return _structured(message, kind)
    attributes = _attributes(message.headers)
    if "specversion" in attributes:
        _check_version(attributes["specversion"])
        return _decode(message.body, kind), message.message_id or attributes.get("id", "")
    if content_type not in ("", "application/json", "text/json", "application/octet-stream", "text/plain"):
        raise MessageRefusedError(
            RefusalReason.FOREIGN, f"Its content type is {message.content_type[:80]!r}."
        )
    return _decode(message.body, kind), message.message_id


class _CloudEvent(msgspec.Struct):
    specversion: str
    id: str
    type: str
    source: str
    data: msgspec.Raw = msgspec.Raw(b"")
    data_base64: str = ""


def _structured(message: Message, kind: type[S]) -> tuple[S, str]:
    event = _decode(message.body, _CloudEvent)
    _check_version(event.specversion)
    data = bytes(event.data)
    if event.data_base64:
        try:
            data = base64.b64decode(event.data_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise MessageRefusedError(RefusalReason.MALFORMED, f"Its data_base64 is none: {error}.") from None
    elif data.startswith(b'"'):
        # The JSON of the event as one text, which some senders make of it.
        data = _decode(data, str).encode()
    return _decode(data, kind), message.message_id or event.id


def _attributes(headers: Mapping[str, Any]) -> dict[str, str]:
    """The CloudEvents attributes of binary mode, under any of the prefixes in use."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        for prefix in _PREFIXES:
            if lower.startswith(prefix):
                found[lower.removeprefix(prefix)] = (
                    value.decode(errors="replace") if isinstance(value, bytes) else str(value)
                )
    return found


def _check_version(version: str) -> None:
    if version.partition(".")[0] != "1":
        raise MessageRefusedError(
            RefusalReason.FOREIGN, f"It is a CloudEvent of version {version[:20]!r}; 1.0 is taken."
        )


T = TypeVar("T")


def _decode(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageRefusedError(RefusalReason.MALFORMED, f"{_shown(error)}.") from None
    except RecursionError:
        raise MessageRefusedError(RefusalReason.MALFORMED, "It is nested too deeply.") from None


def _shown(error: Exception) -> str:
    return str(error).rstrip(".")[:300]


def _check_depth(value: object) -> None:
    level: list[object] = [value]
    for _ in range(DEPTH_LIMIT):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise MessageRefusedError(RefusalReason.MALFORMED, f"It is nested deeper than {DEPTH_LIMIT} levels.")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
