"""Queued node executions of one graph execution, in order, by the kind of body they need."""

from __future__ import annotations

from collections import deque

from actbook.actors._slots import Slots

CHILD = "child"
"""The kind of AGENT nodes: their sub-graph is an execution of its own, so they occupy no place."""


class Ready:
    """A queue per kind, so that a kind without free places does not hold back the others."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[int]] = {}

    def add(self, number: int, kind: str) -> None:
        """Queues a node execution."""
        queue = self._queues.get(kind)
        if queue is None:
            self._queues[kind] = queue = deque()
        queue.append(number)

    def take(self, slots: Slots) -> dict[int, str]:
        """Number → kind of those that can start now, oldest first of each kind; each occupies a place of its kind."""
        hands: dict[int, str] = {}
        for kind, queue in self._queues.items():
            if not queue:
                continue
            if kind == CHILD:
                hands.update(dict.fromkeys(queue, kind))
                queue.clear()
                continue
            for _ in range(min(slots.free(kind), len(queue))):
                number = queue.popleft()
                if number not in hands:
                    slots.take(kind)
                    hands[number] = kind
        return hands

    def __bool__(self) -> bool:
        return any(self._queues.values())
