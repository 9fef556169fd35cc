"""Queued node executions of one graph execution, in order, by the kind of body they need."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Hashable

from actbook.actors._slots import Slots

ALL = sys.maxsize
UNPLACED = "unplaced"
"""The kind of nodes that run no body here, a sub-graph's or a person's: they occupy no place."""


class Ready:
    """A queue per kind, so that a kind without free places does not hold back the others."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[int]] = {}
        self._count = 0

    def add(self, number: int, kind: str) -> None:
        """Queues a node execution."""
        queue = self._queues.get(kind)
        if queue is None:
            self._queues[kind] = queue = deque()
        queue.append(number)
        self._count += 1

    @property
    def kinds(self) -> list[str]:
        """Of what is queued."""
        return [kind for kind, queue in self._queues.items() if queue]

    def take(self, slots: Slots, owner: Hashable = None, most: int = ALL) -> dict[int, str]:
        """Number → kind of those that can start now, oldest first of each kind; each occupies a place of its kind.

        `most`: bodies; then they are the oldest of all kinds.
        """
        if most < self._count:
            return self._take_oldest(slots, owner, most)
        hands: dict[int, str] = {}
        for kind, queue in self._queues.items():
            if not queue:
                continue
            if kind == UNPLACED:
                hands.update(dict.fromkeys(queue, kind))
                self._count -= len(queue)
                queue.clear()
                continue
            count = min(slots.free(kind, owner), len(queue))
            self._count -= count
            for _ in range(count):
                number = queue.popleft()
                if number not in hands:
                    slots.take(kind)
                    hands[number] = kind
        return hands

    def _take_oldest(self, slots: Slots, owner: Hashable, most: int) -> dict[int, str]:
        unplaced = self._queues.get(UNPLACED, ())
        hands = dict.fromkeys(unplaced, UNPLACED)
        self._count -= len(unplaced)
        self._queues.pop(UNPLACED, None)
        bodies = 0
        while bodies < most:
            first = [
                (queue[0], kind) for kind, queue in self._queues.items() if queue and slots.free(kind, owner)
            ]
            if not first:
                break
            number, kind = min(first)
            self._queues[kind].popleft()
            self._count -= 1
            if number not in hands:
                slots.take(kind)
                hands[number] = kind
                bodies += 1
        return hands

    def __bool__(self) -> bool:
        return self._count > 0
