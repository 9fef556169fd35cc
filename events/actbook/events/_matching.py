"""Which waiting execution an arriving value belongs to: the oldest of its node that lacks the pin."""

from __future__ import annotations

from collections import deque

from actbook.events._state import GraphExecution


class Matcher:
    """An index over the waiting executions of a state, built when first asked and kept by who decides.

    Each waiting execution stands at most once in the queue of each pin, so matching costs the same however many wait.
    """

    def __init__(self, state: GraphExecution) -> None:
        self._state = state
        self._lacking: dict[str, dict[str, deque[int]]] = {}

    def take(self, node_id: str, pin: str) -> int:
        """The oldest waiting execution that lacks the pin, or 0. The caller fills the pin."""
        queue = self._queue(node_id, pin)
        waiting = self._state.waiting.get(node_id, {})
        while queue:
            number = queue.popleft()
            if number in waiting:
                return number
        return 0

    def others(self, node_id: str, pin: str) -> tuple[int, ...]:
        """All waiting executions that lack the pin, oldest first. The caller fills the pin of every one."""
        queue = self._queue(node_id, pin)
        waiting = self._state.waiting.get(node_id, {})
        numbers = tuple(number for number in queue if number in waiting)
        queue.clear()
        return numbers

    def added(self, node_id: str, number: int, pin: str) -> None:
        """A new waiting execution stands, holding `pin` alone."""
        waiting = self._state.waiting[node_id]
        for name, queue in self._lacking.get(node_id, {}).items():
            while queue and queue[0] not in waiting:
                queue.popleft()
            if name != pin:
                queue.append(number)

    def _queue(self, node_id: str, pin: str) -> deque[int]:
        pins = self._lacking.setdefault(node_id, {})
        queue = pins.get(pin)
        if queue is None:
            nodes = self._state.node_executions
            waiting = self._state.waiting.get(node_id, ())
            queue = pins[pin] = deque(n for n in waiting if pin not in nodes[n].inputs)
        return queue
