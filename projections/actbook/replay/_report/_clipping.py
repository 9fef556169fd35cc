"""Values as far as a reader wants to see them."""

from __future__ import annotations

from typing import Any

from actbook.replay._export._cloudevents import as_json

_LETTERS, _ITEMS, _DEPTH = 400, 24, 6


def clip(value: Any) -> Any:
    """The value as JSON, with long texts, long containers and deep ones cut, visibly."""
    return _clip(as_json(value), 0)


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
