"""How the events of node executions change the state: matching, lanes, attempts, reviews."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from actbook.events import _node_events as nx
from actbook.events._folding import NOTHING, Handlers, Released
from actbook.events._state import GraphExecution, NodeExecution, Review
from actbook.events._stats import add_counters
from actbook.events._status import SOURCES, ExecutionStatus, IllegalTransitionError

S = ExecutionStatus
# Each node passes here several times, and finding a member in its class costs more than comparing it.
_QUEUED, _RUNNING, _COMPLETED, _FAILED = S.QUEUED, S.RUNNING, S.COMPLETED, S.FAILED

NODE_HANDLERS = Handlers()
_on = NODE_HANDLERS.on


def move_node(node: NodeExecution, wanted: ExecutionStatus) -> None:
    """Raises `IllegalTransitionError` unless the move is allowed."""
    if node.status not in SOURCES[wanted]:
        subject = f"Node execution {node.number} of node {node.node_id}"
        raise IllegalTransitionError(node.status, wanted, subject)
    node.status = wanted


@_on(nx.NodeCreated)
def _node_created(state: GraphExecution, event: nx.NodeCreated, at: int) -> None:
    number = event.node_exec
    state.node_executions[number] = NodeExecution(
        number, event.node_id, event.block_id, S.INCOMPLETE, dict(event.inputs)
    )
    state.last_number = number
    state.stats.node_exec_count += 1
    state.waiting.setdefault(event.node_id, {})[number] = None


@_on(nx.NodeInput)
def _node_input(state: GraphExecution, event: nx.NodeInput, at: int) -> None:
    state.node_executions[event.node_exec].inputs[event.pin] = event.value


@_on(nx.LinkLatched)
def _link_latched(state: GraphExecution, event: nx.LinkLatched, at: int) -> None:
    state.latches.setdefault(event.node_id, {})[event.pin] = event.value
    waiting = state.waiting.get(event.node_id)
    if waiting:
        # Pins are filled oldest first, so those that lack this one are the youngest.
        for number in reversed(waiting):
            inputs = state.node_executions[number].inputs
            if event.pin in inputs:
                break
            inputs[event.pin] = event.value


@_on(nx.NodeQueued)
def _node_queued(state: GraphExecution, event: nx.NodeQueued, at: int) -> None:
    number = event.node_exec
    node = state.node_executions.get(number)
    if node is None:
        node = NodeExecution(number, event.node_id, event.block_id, _QUEUED)
        state.node_executions[number] = node
        state.last_number = number
        state.stats.node_exec_count += 1
    else:
        move_node(node, _QUEUED)
        node.inputs = {}
        _forget_waiting(state, node)
    node.data = event.data
    node.queued_at = at
    node.cause = state.version
    occurrences = state.occurrences
    node.occurrence = occurrence = occurrences.get(event.node_id, 0)
    occurrences[event.node_id] = occurrence + 1
    state.ready[number] = None
    lane = state.lanes.get(event.node_id)
    if lane is None:
        state.lanes[event.node_id] = deque((number,))
    else:
        lane.append(number)


def _forget_waiting(state: GraphExecution, node: NodeExecution) -> None:
    waiting = state.waiting[node.node_id]
    del waiting[node.number]
    if not waiting:
        del state.waiting[node.node_id]


@_on(nx.NodeStarted)
def _node_started(state: GraphExecution, event: nx.NodeStarted, at: int) -> None:
    number = event.node_exec
    node = state.node_executions[number]
    if node.status is not _RUNNING:
        move_node(node, _RUNNING)
        state.ready.pop(number, None)
        state.running[number] = None
    if state.retries:
        state.retries.pop(number, None)
    node.attempt = event.attempt
    node.epoch = event.epoch
    node.child_id = ""
    node.started_at = node.started_at or at
    node.cause = state.version
    node.repeats = None if node.yielded is None else dict(node.yielded)


@_on(nx.ChildStarted)
def _child_started(state: GraphExecution, event: nx.ChildStarted, at: int) -> None:
    state.node_executions[event.node_exec].child_id = event.execution_id


@_on(nx.NodeOutput)
def _node_output(state: GraphExecution, event: nx.NodeOutput, at: int) -> Released | None:
    state.claims = 0
    node = state.node_executions[event.node_exec]
    node.feeds = event.graph_output
    _count(node, event)
    return _yielded(state, node, event.outputs)


def _count(node: NodeExecution, event: nx.NodeOutput) -> None:
    yielded = node.yielded
    if yielded is None:
        yielded = node.yielded = {}
    for pin, _ in event.outputs:
        yielded[pin] = yielded.get(pin, 0) + 1
    repeats = node.repeats
    if repeats is not None:
        for pin in event.repeated:
            repeats[pin] -= 1


@_on(nx.NodeCompleted)
def _node_completed(state: GraphExecution, event: nx.NodeCompleted, at: int) -> Released:
    node = state.node_executions[event.node_exec]
    node.feeds = event.graph_output
    return _node_ended(state, node, _COMPLETED, event.outputs, event.stats, at)


@_on(nx.NodeFailed)
def _node_failed(state: GraphExecution, event: nx.NodeFailed, at: int) -> Released:
    node = state.node_executions[event.node_exec]
    node.error = event.error
    state.stats.node_error_count += 1
    return _node_ended(state, node, _FAILED, event.outputs, event.stats, at)


@_on(nx.NodeRetryScheduled)
def _retry_scheduled(state: GraphExecution, event: nx.NodeRetryScheduled, at: int) -> None:
    node = state.node_executions[event.node_exec]
    node.failures += 1
    node.child_id = ""
    _add_stats(state, node, event.stats)
    state.retries[node.number] = event.due
    state.claims = 0


@_on(nx.NodeSkipped)
def _node_skipped(state: GraphExecution, event: nx.NodeSkipped, at: int) -> Released:
    node = state.node_executions[event.node_exec]
    move_node(node, S.RUNNING)
    state.ready.pop(node.number, None)
    node.skipped = True
    return _node_ended(state, node, S.COMPLETED, (), nx.NodeStats(), at)


@_on(nx.NodeReviewRequested)
def _review_requested(state: GraphExecution, event: nx.NodeReviewRequested, at: int) -> None:
    node = state.node_executions[event.node_exec]
    move_node(node, S.REVIEW)
    state.running.pop(node.number, None)
    state.reviews[node.number] = None
    node.review = Review(event.name, event.data, event.editable)


@_on(nx.NodeReviewDecided)
def _review_decided(state: GraphExecution, event: nx.NodeReviewDecided, at: int) -> None:
    node = state.node_executions[event.node_exec]
    move_node(node, S.RUNNING)
    state.reviews.pop(node.number, None)
    state.running[node.number] = None
    state.claims = 0
    node.epoch = 0  # whatever comes next, the body that asked is over
    review = node.review
    if review is not None:
        node.review = Review(
            review.name, event.data, review.editable, event.approved, event.message, event.reviewer
        )


@_on(nx.NodeTerminated)
def _node_terminated(state: GraphExecution, event: nx.NodeTerminated, at: int) -> None:
    for number in event.node_execs:
        node = state.node_executions[number]
        move_node(node, S.TERMINATED)
        state.ready.pop(number, None)
        state.running.pop(number, None)
        state.reviews.pop(number, None)
        state.retries.pop(number, None)
        node.ended_at = at
        node.reason = event.reason


def _node_ended(
    state: GraphExecution,
    node: NodeExecution,
    status: ExecutionStatus,
    outputs: nx.Pairs,
    stats: nx.NodeStats,
    at: int,
) -> Released:
    move_node(node, status)
    number = node.number
    state.ready.pop(number, None)
    state.running.pop(number, None)
    if state.retries:
        state.retries.pop(number, None)
    state.claims = 0
    node.ended_at = at
    _add_stats(state, node, stats)
    released = _yielded(state, node, outputs) if outputs else NOTHING
    lane = state.lanes[node.node_id]
    if lane[0] == number:
        return _let_go(state, node, lane, released)
    if not state.retain:
        node.data = {}
    return released


def _add_stats(state: GraphExecution, node: NodeExecution, stats: nx.NodeStats) -> None:
    node.wall += stats.wall
    node.cpu += stats.cpu
    if stats.counters:
        node.counters = add_counters(node.counters or {}, stats.counters)
    totals = state.stats
    totals.node_wall += stats.wall
    totals.node_cpu += stats.cpu


def _yielded(state: GraphExecution, node: NodeExecution, outputs: nx.Pairs) -> Released:
    if state.retain:
        node.outputs.extend(outputs)
    if state.lanes[node.node_id][0] == node.number:
        _feed_graph(state, node, outputs)
        return [(node, outputs)]
    node.held.extend(outputs)
    return NOTHING


def _feed_graph(state: GraphExecution, node: NodeExecution, outputs: Iterable[tuple[str, Any]]) -> None:
    if node.feeds is not None:
        values = state.outputs.setdefault(node.feeds, [])
        values.extend(value for pin, value in outputs if pin == "output")


def _let_go(state: GraphExecution, first: NodeExecution, lane: deque[int], released: Released) -> Released:
    """Lets go of ended executions at the head of the lane; whoever comes next releases what it held."""
    nodes = state.node_executions
    node = first
    while True:
        lane.popleft()
        if not state.retain:
            del nodes[node.number]
        if not lane:
            del state.lanes[first.node_id]
            return released
        node = nodes[lane[0]]
        if node.held:
            _feed_graph(state, node, node.held)
            if released is NOTHING:
                released = []
            released.append((node, node.held))
            node.held = []
        if not node.status.is_final:
            return released
