"""Conversion to lists, dicts, sets and tuples, without looking at what they are to hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

Lose = Callable[[], None]

_NOT_JSON = object()
_LONG_NUMBER = re.compile(r"\d{19}")
"""Only such a text may hold a number beyond 64 bits, which nothing could record."""
_SEQUENCES = (list, tuple, set, frozenset)


def to_list(value: Any) -> list[Any]:
    """Raises OverflowError for a JSON text with numbers beyond 64 bits, as `to_dict` does."""
    if isinstance(value, str):
        parsed = _parse(value)
        return parsed if isinstance(parsed, list) else [value]
    return list(_elements(value))


def to_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(_elements(value))


def to_set(value: Any, lose: Lose) -> set[Any]:
    """Raises TypeError when an element cannot be hashed."""
    elements = list(_elements(value))
    distinct = set(elements)
    if len(distinct) != len(elements):
        lose()
    return distinct


def to_dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, str):
        parsed = _parse(value)
        if isinstance(parsed, dict):
            return parsed
        return {"value": value if parsed is _NOT_JSON else parsed}
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    return {"value": value}


def _elements(value: Any) -> Iterable[Any]:
    if isinstance(value, _SEQUENCES):
        return value
    if isinstance(value, dict):
        return value.items()
    return (value,)


def _parse(text: str) -> Any:
    try:
        parsed = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _NOT_JSON
    if _LONG_NUMBER.search(text):
        msgspec.msgpack.encode(parsed)
    return parsed
