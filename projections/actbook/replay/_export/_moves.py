"""How statuses change along a history, as the fold sees them."""

from __future__ import annotations

from actbook.events import (
    Envelope,
    ExecutionForked,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStatus,
    GraphExecution,
    evolve,
)
from actbook.replay._export._objects import numbers_of

_OF_MANY = (ExecutionResumed, ExecutionRetried, ExecutionForked)
"""Events that change node executions without naming them."""

Move = tuple[int, ExecutionStatus]
"""The number of a node execution, 0 for the execution itself, and its new status."""


class Moves:
    """Folds the events of one execution, and tells after each which statuses are new.

    `touched`: the node executions that the last event named, or may have changed.
    """

    def __init__(self) -> None:
        self.state = GraphExecution(retain=True)
        self.touched: tuple[int, ...] = ()
        self._statuses: dict[int, ExecutionStatus] = {}

    def apply(self, event: Envelope) -> list[Move]:
        state = evolve(self.state, event)
        nodes = state.node_executions
        if isinstance(event.payload, _OF_MANY):
            self.touched = tuple(nodes)
        else:
            self.touched = tuple([number for number in numbers_of(event.payload) if number in nodes])
        new: list[Move] = []
        if self._statuses.get(0) is not state.status:
            new.append((0, state.status))
        for number in self.touched:
            status = nodes[number].status
            if self._statuses.get(number) is not status:
                new.append((number, status))
        self._statuses.update(new)
        return new

    def forget_values(self) -> None:
        """Lets go of inputs and outputs; statuses can be followed without them."""
        for node in self.state.node_executions.values():
            node.outputs, node.held, node.data, node.inputs = [], [], {}, {}
        self.state.outputs = {}
