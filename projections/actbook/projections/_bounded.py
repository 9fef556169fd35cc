"""Text and values cut to a size that a row can bear. The whole is in the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

TEXT_LIMIT = 4_000
"""Characters kept of a text."""

JSON_LIMIT = 16 * 1024
"""Bytes kept of inputs and of outputs, as JSON."""

_Lists = dict[str, list[msgspec.Raw]]

_encode = msgspec.json.Encoder(enc_hook=repr).encode
_decode_lists = msgspec.json.Decoder(_Lists).decode


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


def add_to_lists(json: str, name: str, values: Iterable[Any]) -> tuple[str, bool]:
    """Adds values to the list under `name` in a JSON object of lists, as far as they fit; whether all did."""
    lists: _Lists = _decode_lists(json)
    entry = lists.get(name)
    room = JSON_LIMIT - len(json)
    if entry is None:
        entry = lists[name] = []
        room -= len(name) + 6
    complete = True
    for value in values:
        encoded = _fitting(value, room)
        room -= len(encoded) + 1
        if not encoded or room < 0:
            complete = False
            break
        entry.append(msgspec.Raw(encoded))
    return _encode(lists).decode(), complete


def _fitting(value: Any, room: int) -> bytes:
    """The value as JSON; nothing when it is clearly too long."""
    if isinstance(value, (str, bytes, list, dict)) and len(value) > room:
        return b""
    return _encode(value)
