"""How far an execution is, node by node; folded from its events, without a screen or a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from actbook.events import (
    Envelope,
    Event,
    ExecutionClaimed,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionForked,
    ExecutionParked,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStarted,
    ExecutionStatus,
    ExecutionStopping,
    ExecutionTerminated,
    NodeCompleted,
    NodeCreated,
    NodeFailed,
    NodeOutput,
    NodeQueued,
    NodeRetried,
    NodeReviewDecided,
    NodeReviewRequested,
    NodeSkipped,
    NodeStarted,
    NodeTerminated,
)

S = ExecutionStatus
_ORDER = (S.RUNNING, S.REVIEW, S.QUEUED)
"""What a node shows first when its executions differ."""


class NodeProgress:
    """One node: how many of its executions have which status, and what it yielded last."""

    __slots__ = ("changed_at", "counts", "label", "last", "node_id")

    def __init__(self, node_id: str, label: str) -> None:
        self.node_id = node_id
        self.label = label
        self.counts: Counter[ExecutionStatus] = Counter()
        self.last: Any = None
        self.changed_at = 0

    @property
    def status(self) -> ExecutionStatus | None:
        """The status to show; None while nothing happened here."""
        counts = self.counts
        for status in _ORDER:
            if counts[status]:
                return status
        for status in (S.FAILED, S.TERMINATED, S.COMPLETED, S.INCOMPLETE):
            if counts[status]:
                return status
        return None

    @property
    def ended(self) -> int:
        return self.counts[S.COMPLETED] + self.counts[S.FAILED] + self.counts[S.TERMINATED]

    @property
    def total(self) -> int:
        return self.counts.total()


class Progress:
    """`apply` the events of one execution in order. Memory follows the work in flight, not the length of the run.

    `alive`: number of a node execution that may still change → its node and status.
    """

    def __init__(self, nodes: Iterable[tuple[str, str]]) -> None:
        """`nodes`: id and label of each, in the order of the screen."""
        self.nodes = {node_id: NodeProgress(node_id, label) for node_id, label in nodes}
        self.status: ExecutionStatus = S.INCOMPLETE
        self.stopping = False
        self.worker = ""
        self.created_at = 0
        self.started_at = 0
        self.ended_at = 0
        self.alive: dict[int, tuple[NodeProgress, ExecutionStatus]] = {}

    @property
    def counts(self) -> Counter[ExecutionStatus]:
        """Node executions by status."""
        total: Counter[ExecutionStatus] = Counter()
        for node in self.nodes.values():
            total.update(node.counts)
        return total

    @property
    def over(self) -> bool:
        """Ended, or in review."""
        return self.status.is_terminal or self.status is S.REVIEW

    def apply(self, envelope: Envelope) -> None:
        handler = _HANDLERS.get(type(envelope.payload))
        if handler is not None:
            handler(self, envelope.payload, envelope.at)

    def _node(self, node_id: str) -> NodeProgress:
        node = self.nodes.get(node_id)
        if node is None:
            node = self.nodes[node_id] = NodeProgress(node_id, node_id[:8])
        return node

    def move(self, number: int, status: ExecutionStatus, at: int) -> NodeProgress | None:
        """A node execution has another status now; its node, unless it is long over."""
        entry = self.alive.get(number)
        if entry is None:
            return None
        node, before = entry
        node.counts[before] -= 1
        node.counts[status] += 1
        node.changed_at = at
        if status.is_final:
            del self.alive[number]
        else:
            self.alive[number] = (node, status)
        return node

    def appear(self, number: int, node_id: str, status: ExecutionStatus, at: int) -> None:
        """A node execution is there; a waiting one may be queued now."""
        if number in self.alive:
            self.move(number, status, at)
            return
        node = self._node(node_id)
        node.counts[status] += 1
        node.changed_at = at
        self.alive[number] = (node, status)


_Handler = Callable[[Progress, Any, int], None]


def _set(status: ExecutionStatus) -> _Handler:
    def handler(progress: Progress, event: Event, at: int) -> None:
        progress.status = status
        if status is S.RUNNING and not progress.started_at:
            progress.started_at = at
        progress.ended_at = at if status.is_terminal else 0

    return handler


def _created(progress: Progress, event: ExecutionCreated, at: int) -> None:
    progress.created_at = at


def _claimed(progress: Progress, event: ExecutionClaimed, at: int) -> None:
    progress.worker = event.worker


def _stopping(progress: Progress, event: ExecutionStopping, at: int) -> None:
    progress.stopping = True


def _goes_on(progress: Progress, event: Event, at: int) -> None:
    progress.status = S.QUEUED
    progress.stopping = False
    progress.ended_at = 0
    for number, (_, status) in list(progress.alive.items()):
        if status is S.TERMINATED:
            progress.move(number, S.QUEUED, at)


def _node_appears(status: ExecutionStatus) -> _Handler:
    def handler(progress: Progress, event: NodeCreated | NodeQueued | NodeRetried, at: int) -> None:
        progress.appear(event.node_exec, event.node_id, status, at)

    return handler


def _node_moves(status: ExecutionStatus) -> _Handler:
    def handler(progress: Progress, event: NodeStarted, at: int) -> None:
        progress.move(event.node_exec, status, at)

    return handler


def _node_yields(progress: Progress, event: NodeOutput, at: int) -> None:
    entry = progress.alive.get(event.node_exec)
    if entry is not None and event.outputs:
        entry[0].last = event.outputs[0][1]


def _node_completes(progress: Progress, event: NodeCompleted, at: int) -> None:
    node = progress.move(event.node_exec, S.COMPLETED, at)
    if node is not None and event.outputs:
        node.last = event.outputs[0][1]


def _node_fails(progress: Progress, event: NodeFailed, at: int) -> None:
    node = progress.move(event.node_exec, S.FAILED, at)
    if node is not None:
        node.last = event.error


def _nodes_terminate(progress: Progress, event: NodeTerminated, at: int) -> None:
    for number in event.node_execs:
        progress.move(number, S.TERMINATED, at)


_HANDLERS: dict[type[Event], _Handler] = {
    ExecutionCreated: _created,
    ExecutionQueued: _set(S.QUEUED),
    ExecutionClaimed: _claimed,
    ExecutionStarted: _set(S.RUNNING),
    ExecutionParked: _set(S.REVIEW),
    ExecutionStopping: _stopping,
    ExecutionResumed: _goes_on,
    ExecutionRetried: _goes_on,
    ExecutionForked: _goes_on,
    ExecutionCompleted: _set(S.COMPLETED),
    ExecutionFailed: _set(S.FAILED),
    ExecutionTerminated: _set(S.TERMINATED),
    NodeCreated: _node_appears(S.INCOMPLETE),
    NodeQueued: _node_appears(S.QUEUED),
    NodeRetried: _node_appears(S.QUEUED),
    NodeStarted: _node_moves(S.RUNNING),
    NodeSkipped: _node_moves(S.COMPLETED),
    NodeReviewRequested: _node_moves(S.REVIEW),
    NodeReviewDecided: _node_moves(S.RUNNING),
    NodeOutput: _node_yields,
    NodeCompleted: _node_completes,
    NodeFailed: _node_fails,
    NodeTerminated: _nodes_terminate,
}
