"""A waiting line: higher priority first, and among equals whoever came first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Line(Generic[K, V]):
    """Keys with what was left for them, in `rows` by priority; a key that waits already keeps its place."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[int, dict[K, V]] = {}

    def add(self, key: K, value: V, priority: int = 0) -> None:
        """Joins the end of its priority."""
        if self.rows:
            for row in self.rows.values():
                if key in row:
                    return
        self.rows.setdefault(priority, {})[key] = value

    def pop(self) -> tuple[K, V]:
        """The first one; raises `ValueError` when nobody waits."""
        priority = max(self.rows)
        row = self.rows[priority]
        key = next(iter(row))
        value = row.pop(key)
        if not row:
            del self.rows[priority]
        return key, value

    def discard(self, key: K) -> None:
        """It waits no more."""
        for priority, row in self.rows.items():
            if key in row:
                del row[key]
                if not row:
                    del self.rows[priority]
                return

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def __bool__(self) -> bool:
        return bool(self.rows)
