"""Values as far as a reader wants to see them."""

from __future__ import annotations

from math import isfinite
from typing import Any

from actbook.events import ExecutionStatus
from actbook.replay._export._cloudevents import as_json

_LETTERS, _ITEMS, _DEPTH = 400, 24, 6
_PLAIN = frozenset({int, bool, type(None), ExecutionStatus})


def clip(value: Any) -> Any:
    """The value as JSON, with long texts, long containers and deep ones cut, visibly."""
    if is_plain(value):
        return value
    kind = type(value)
    if kind in (tuple, list) and len(value) <= _ITEMS and all(map(is_plain, value)):
        return list(value)
    if kind is dict and len(value) <= _ITEMS and _is_plain_dict(value):
        return dict(value)
    return _clip(as_json(value), 0)


def is_plain(value: Any) -> bool:
    """Whether it can be shown just as it is."""
    kind = type(value)
    if kind is str:
        return len(value) <= _LETTERS
    return kind in _PLAIN or (kind is float and isfinite(value))


def _is_plain_dict(value: dict[Any, Any]) -> bool:
    return all(map(is_plain, value.values())) and set(map(type, value)) <= {str} and all(map(is_plain, value))


def _clip(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LETTERS else f"{value[:_LETTERS]}… ({len(value)} characters)"
    if isinstance(value, dict | list) and depth >= _DEPTH and value:
        return f"… ({len(value)} inside)"
    if isinstance(value, dict):
        found = {_clip(key, depth): _clip(item, depth + 1) for key, item in list(value.items())[:_ITEMS]}
        return found if len(value) <= _ITEMS else found | {"…": f"{len(value) - _ITEMS} more"}
    if isinstance(value, list):
        items = [_clip(item, depth + 1) for item in value[:_ITEMS]]
        return items if len(value) <= _ITEMS else [*items, f"… {len(value) - _ITEMS} more"]
    return value
