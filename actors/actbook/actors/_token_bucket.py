"""A bucket of tokens that fills evenly: the rate at which something may begin."""

from __future__ import annotations

from math import ceil


class TokenBucket:
    """Full at first, with `count` tokens. Times are microseconds of one clock that never goes back."""

    __slots__ = ("_at", "_level", "_period", "count")

    def __init__(self, count: int, seconds: float, now: int) -> None:
        self.count = count
        self._period = seconds * 1e6
        self._level = float(count)
        self._at = now

    def level(self, now: int) -> float:
        """Tokens in it now."""
        return min(float(self.count), self._level + (now - self._at) * self.count / self._period)

    def take(self, now: int) -> None:
        """Takes one out."""
        self._level = self.level(now) - 1.0
        self._at = now

    def when(self, tokens: int) -> int:
        """When it will hold so many, if none is taken until then."""
        return self._at + max(0, ceil((tokens - self._level) * self._period / self.count))

    @property
    def full_at(self) -> int:
        """When nothing tells it from a new one any more, if none is taken until then."""
        return self.when(self.count)
