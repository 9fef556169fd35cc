"""How many more executions from a queue fit into this process."""

from __future__ import annotations

from collections.abc import Callable


class Places:
    """`capacity` executions that came from a queue may be in memory, or wait for that, at once."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._taken: set[str] = set()
        self.on_free: Callable[[], None] | None = None
        """Called when one has left."""

    @property
    def free(self) -> int:
        """Below 0 when messages that were on their way brought more."""
        return self._capacity - len(self._taken)

    def take(self, execution_id: str) -> bool:
        """False when it has one already."""
        if execution_id in self._taken:
            return False
        self._taken.add(execution_id)
        return True

    def left(self, execution_id: str) -> None:
        """It is over, or waits without memory. One that never had a place is nothing new."""
        if execution_id in self._taken:
            self._taken.discard(execution_id)
            if self.on_free is not None:
                self.on_free()
