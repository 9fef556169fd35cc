"""Text and values cut to a size that a row can bear. The whole is in the events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from actbook.events import add_counters

TEXT_LIMIT = 4_000
"""Characters kept of a text."""

JSON_LIMIT = 16 * 1024
"""Bytes kept of inputs and of outputs, as JSON."""

_Lists = dict[str, list[msgspec.Raw]]

_encode = msgspec.json.Encoder(enc_hook=repr).encode
_decode_lists = msgspec.json.Decoder(_Lists).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_orders = msgspec.json.Decoder(dict[str, list[int]]).decode


def text(value: str) -> str:
    return value if len(value) <= TEXT_LIMIT else value[:TEXT_LIMIT]


def as_json(values: dict[str, Any]) -> tuple[str, bool]:
    """A JSON object of the entries that fit, in order; whether that is all of them."""
    kept: dict[str, msgspec.Raw] = {}
    room = JSON_LIMIT - 2
    for name, value in values.items():
        encoded = _fitting(value, room)
        room -= len(encoded) + len(name) + 4
        if not encoded or room < 0:
            return _encode(kept).decode(), False
        kept[name] = msgspec.Raw(encoded)
    return _encode(kept).decode(), True


def value_as_json(value: Any) -> str | None:
    """The value as JSON; None when it is too long."""
    encoded = _fitting(value, JSON_LIMIT)
    return encoded.decode() if 0 < len(encoded) <= JSON_LIMIT else None


def add_outputs(
    json: str, numbers: str, name: str, number: int, values: Iterable[Any]
) -> tuple[str, str, bool]:
    """Adds values to the list under `name` in a JSON object of lists, as far as they fit; whether all did.

    `numbers` is an object of lists alike, with the node execution that each value comes from. A list keeps
    their order: node executions may end in another one.
    """
    lists: _Lists = _decode_lists(json)
    orders: dict[str, list[int]] = _decode_orders(numbers)
    entry, order = lists.setdefault(name, []), orders.setdefault(name, [])
    room = JSON_LIMIT - len(json) - (0 if entry else len(name) + 6)
    complete = True
    for value in values:
        encoded = _fitting(value, room)
        room -= len(encoded) + 1
        if not encoded or room < 0:
            complete = False
            break
        at = bisect_right(order, number)
        entry.insert(at, msgspec.Raw(encoded))
        order.insert(at, number)
    return _encode(lists).decode(), _encode(orders).decode(), complete


def add_counted(json: str, counters: Mapping[str, Any]) -> str:
    """Adds what a block counted to a JSON object of it; what does not fit is left out."""
    return as_json(add_counters(_decode_object(json), counters))[0]


def _fitting(value: Any, room: int) -> bytes:
    """The value as JSON; nothing when it is clearly too long."""
    if isinstance(value, (str, bytes, list, dict)) and len(value) > room:
        return b""
    return _encode(value)
