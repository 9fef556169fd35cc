"""Deep equality by hash, so that comparing two long lists is not quadratic."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any


def identity(value: Any) -> Hashable:
    """Equal for values that are equal (1, 1.0 and True are), different otherwise."""
    if isinstance(value, dict):
        return ("dict", frozenset((key, identity(each)) for key, each in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(identity, value)))
    if isinstance(value, Hashable):
        return value
    return ("other", type(value), repr(value))


def without_duplicates(items: Iterable[Any]) -> list[Any]:
    """The first of each group of equal items, in order."""
    first: dict[Hashable, Any] = {}
    for item in items:
        first.setdefault(identity(item), item)
    return list(first.values())


def identities(items: Iterable[Any]) -> set[Hashable]:
    return set(map(identity, items))
