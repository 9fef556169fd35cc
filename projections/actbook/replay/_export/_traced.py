"""Events of several executions, each with what only the events before it tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from actbook.events import Envelope, ExecutionCreated, NodeCreated, NodeQueued, NodeRetried
from actbook.replay._export._objects import Created, numbers_of

_CREATE = (NodeCreated, NodeQueued, NodeRetried)


class Traced(NamedTuple):
    """An event, and the node execution that it is about, when it is about one."""

    event: Envelope
    created: Created | None


class Tracer:
    """Remembers which node each node execution belongs to. Memory grows with executions, not with their values."""

    def __init__(self) -> None:
        self._graphs: dict[str, str] = {}
        self.nodes: dict[str, dict[int, Created]] = {}

    def follow(self, events: Iterator[Envelope]) -> Iterator[Traced]:
        for event in events:
            payload, stream = event.payload, event.stream_id
            if isinstance(payload, ExecutionCreated):
                self._graphs[stream] = payload.graph_id
            elif isinstance(payload, _CREATE):
                created = Created(self._graphs.get(stream, ""), payload.node_id, payload.block_id)
                self.nodes.setdefault(stream, {}).setdefault(payload.node_exec, created)
            numbers = numbers_of(payload)
            created_now = self.nodes.get(stream, {}).get(numbers[0]) if len(numbers) == 1 else None
            yield Traced(event, created_now)
