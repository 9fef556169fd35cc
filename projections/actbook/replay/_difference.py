"""The difference of two JSON-like values, by path."""

from __future__ import annotations

from typing import Any, NamedTuple

ABSENT = "<absent>"


class Change(NamedTuple):
    """One place that differs: its path of keys and indexes, and both values (`<absent>` where there is none)."""

    path: tuple[str | int, ...]
    before: Any
    after: Any


def difference(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> list[Change]:
    """All places in which two values differ, in the order of the first one's keys, new keys last."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        pairs: list[tuple[str | int, Any, Any]] = [
            (k, before.get(k, ABSENT), after.get(k, ABSENT)) for k in keys
        ]
    elif isinstance(before, list) and isinstance(after, list):
        longest = max(len(before), len(after))
        pairs = [(i, _item(before, i), _item(after, i)) for i in range(longest)]
    else:
        return [] if before == after and type(before) is type(after) else [Change(path, before, after)]
    return [change for key, old, new in pairs for change in difference(old, new, (*path, key))]


def _item(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT
