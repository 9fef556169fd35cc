"""When each node execution waited and worked, and which of them decided how long the whole took."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from actbook.events import Envelope, ExecutionStatus, GraphExecution, NodeQueued, NodeRetried


class Span(NamedTuple):
    """One node execution in time: µs since the Unix epoch, UTC; 0 = not yet.

    `after` is the node execution whose event completed the inputs of this one, or that it retries; 0 = none, as for those
    the execution begins with. `child_id`: the execution of its sub-graph.
    """

    number: int
    node_id: str
    status: ExecutionStatus
    queued_at: int
    started_at: int
    ended_at: int
    after: int
    attempt: int
    child_id: str

    @property
    def wait(self) -> float:
        """Seconds from having all inputs to its first start, or to its end without one; 0 while neither came."""
        until = self.started_at or self.ended_at
        return (until - self.queued_at) / 1e6 if self.queued_at and until else 0.0

    @property
    def run(self) -> float:
        """Seconds from its first start to its end, with reviews and pauses between attempts; 0 while it goes on."""
        return (self.ended_at - self.started_at) / 1e6 if self.started_at and self.ended_at else 0.0


class Timeline(NamedTuple):
    """The node executions by number. `critical_path` holds numbers, first to last.

    The critical path ends with the node execution that ended last (of several the highest number) and goes back along
    `after`. Each event has one cause, the value that came last, so nothing beside this chain made the end come later.
    """

    spans: tuple[Span, ...]
    critical_path: tuple[int, ...]


def timeline(events: Iterable[Envelope], state: GraphExecution) -> Timeline:
    """The timeline of a retained state, with the events that it was folded from."""
    after = _predecessors(events)
    spans = tuple(
        Span(
            number,
            node.node_id,
            node.status,
            node.queued_at,
            node.started_at,
            node.ended_at,
            after.get(number, 0),
            node.attempt,
            node.child_id,
        )
        for number, node in sorted(state.node_executions.items())
    )
    return Timeline(spans, _critical_path(spans))


def _predecessors(events: Iterable[Envelope]) -> dict[int, int]:
    about: dict[int, int] = {}
    after: dict[int, int] = {}
    for event in events:
        payload = event.payload
        if isinstance(payload, NodeRetried):
            after[payload.node_exec] = payload.retry_of
        elif isinstance(payload, NodeQueued) and isinstance(event.cause, int):
            after[payload.node_exec] = about.get(event.cause, 0)
        number: Any = getattr(payload, "node_exec", 0)
        if number:
            about[event.version] = number
    return after


def _critical_path(spans: Iterable[Span]) -> tuple[int, ...]:
    ended = {span.number: span for span in spans if span.ended_at}
    if not ended:
        return ()
    last = max(ended.values(), key=lambda span: (span.ended_at, span.number))
    after = {span.number: span.after for span in spans}
    path: list[int] = []
    number = last.number
    while number and number not in path[-1:]:
        path.append(number)
        number = after.get(number, 0)
    return tuple(reversed(path))
