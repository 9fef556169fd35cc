"""`evolve`: how each event changes the state of a graph execution. Replay, recovery, views and actors fold with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from actbook.events import _execution_events as ex
from actbook.events import _node_events as nx
from actbook.events._state import GraphExecution, NodeExecution, Review, Stopping
from actbook.events._status import SOURCES, ExecutionStatus, IllegalTransitionError, check_move
from actbook.events._topics import Event

S = ExecutionStatus
# Each node passes here several times, and finding a member in its class costs more than comparing it.
_QUEUED, _RUNNING, _COMPLETED, _FAILED = S.QUEUED, S.RUNNING, S.COMPLETED, S.FAILED

Released = list[tuple[NodeExecution, Iterable[tuple[str, Any]]]]
"""Outputs that an event set free to propagate: those of the oldest execution of a node, in order."""

_NOTHING: Released = []


class Fact(Protocol):
    """What `evolve` needs of an event, recorded or not: its payload and its time in µs since the epoch, UTC."""

    @property
    def payload(self) -> Event: ...
    @property
    def at(self) -> int: ...


def evolve(state: GraphExecution, event: Fact) -> GraphExecution:
    """The state after `event`. Takes `state` over: it is changed and returned; keep an earlier one by `state.copy()`.

    Events of types that do not belong to an execution only move the version on.
    """
    apply(state, event.payload, event.at)
    return state


def fold(
    events: Iterable[Fact], state: GraphExecution | None = None, *, retain: bool = False
) -> GraphExecution:
    """The state after all `events`. `retain` keeps finished node executions with their outputs."""
    result = GraphExecution(retain=retain) if state is None else state
    for event in events:
        apply(result, event.payload, event.at)
    return result


def apply(state: GraphExecution, event: Event, at: int) -> Released:
    """Folds one event and tells which outputs it released for propagation."""
    state.version += 1
    handler = _HANDLERS.get(type(event))
    return _NOTHING if handler is None else handler(state, event, at) or _NOTHING


_Handler = Callable[[GraphExecution, Any, int], Released | None]
_HANDLERS: dict[type[Event], _Handler] = {}


def _on(kind: type[Event]) -> Callable[[_Handler], _Handler]:
    def register(handler: _Handler) -> _Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def _move(state: GraphExecution, wanted: ExecutionStatus) -> None:
    check_move(state.status, wanted, f"Graph execution #{state.id}")
    state.status = wanted


def _move_node(node: NodeExecution, wanted: ExecutionStatus) -> None:
    if node.status not in SOURCES[wanted]:
        subject = f"Node execution {node.number} of node {node.node_id}"
        raise IllegalTransitionError(node.status, wanted, subject)
    node.status = wanted


@_on(ex.ExecutionCreated)
def _created(state: GraphExecution, event: ex.ExecutionCreated, at: int) -> None:
    state.id = event.execution_id
    state.user_id = event.user_id
    state.graph_id = event.graph_id
    state.graph_version = event.graph_version
    state.inputs = event.inputs
    state.credential_inputs = event.credential_inputs
    state.masks = event.masks
    state.skip = event.skip
    state.preset_id = event.preset_id
    state.parent = event.parent
    state.root_id = event.root_id
    state.settings = event.settings
    state.limits = event.limits
    state.simulation = event.simulation
    state.created_at = at


@_on(ex.ExecutionQueued)
def _queued(state: GraphExecution, event: ex.ExecutionQueued, at: int) -> None:
    _move(state, S.QUEUED)
    state.queued_at = at


@_on(ex.ExecutionClaimed)
def _claimed(state: GraphExecution, event: ex.ExecutionClaimed, at: int) -> None:
    state.worker = event.worker
    state.epoch = event.epoch
    state.claims += 1


@_on(ex.ExecutionStarted)
def _started(state: GraphExecution, event: ex.ExecutionStarted, at: int) -> None:
    _move(state, S.RUNNING)
    state.started_at = state.started_at or at
    state.ended_at = 0


@_on(ex.ExecutionParked)
def _parked(state: GraphExecution, event: ex.ExecutionParked, at: int) -> None:
    _move(state, S.REVIEW)
    state.claims = 0


@_on(ex.ExecutionStopping)
def _stopping(state: GraphExecution, event: ex.ExecutionStopping, at: int) -> None:
    state.stopping = Stopping(S(event.target), event.actor, event.reason)


@_on(ex.ExecutionCompleted)
def _completed(state: GraphExecution, event: ex.ExecutionCompleted, at: int) -> None:
    _move(state, S.COMPLETED)
    _end(state, at)


@_on(ex.ExecutionFailed)
def _failed(state: GraphExecution, event: ex.ExecutionFailed, at: int) -> None:
    _move(state, S.FAILED)
    state.error = event.error
    state.reason = event.error
    state.actor = event.actor
    _end(state, at)


@_on(ex.ExecutionTerminated)
def _terminated(state: GraphExecution, event: ex.ExecutionTerminated, at: int) -> None:
    _move(state, S.TERMINATED)
    state.actor = event.actor
    state.reason = event.reason
    _end(state, at)


def _end(state: GraphExecution, at: int) -> None:
    state.ended_at = at
    state.stopping = None


@_on(ex.ExecutionResumed)
def _resumed(state: GraphExecution, event: ex.ExecutionResumed, at: int) -> None:
    _move(state, S.QUEUED)
    state.queued_at = at
    state.ended_at = 0
    state.reason = state.actor = ""
    state.claims = 0
    for node in state.node_executions.values():
        if node.status is S.TERMINATED:
            _move_node(node, S.QUEUED)
            node.queued_at = at
            node.ended_at = 0
            node.reason = ""
            state.ready[node.number] = None


@_on(ex.InboxHandled)
def _inbox_handled(state: GraphExecution, event: ex.InboxHandled, at: int) -> None:
    state.inbox_version = event.version
    state.claims = 0


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
        _move_node(node, _QUEUED)
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
        _move_node(node, _RUNNING)
        state.ready.pop(number, None)
        state.running[number] = None
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


@_on(nx.NodeSkipped)
def _node_skipped(state: GraphExecution, event: nx.NodeSkipped, at: int) -> Released:
    node = state.node_executions[event.node_exec]
    _move_node(node, S.RUNNING)
    state.ready.pop(node.number, None)
    node.skipped = True
    return _node_ended(state, node, S.COMPLETED, (), nx.NodeStats(), at)


@_on(nx.NodeReviewRequested)
def _review_requested(state: GraphExecution, event: nx.NodeReviewRequested, at: int) -> None:
    node = state.node_executions[event.node_exec]
    _move_node(node, S.REVIEW)
    state.running.pop(node.number, None)
    state.reviews[node.number] = None
    node.review = Review(event.name, event.data, event.editable)


@_on(nx.NodeReviewDecided)
def _review_decided(state: GraphExecution, event: nx.NodeReviewDecided, at: int) -> None:
    node = state.node_executions[event.node_exec]
    _move_node(node, S.RUNNING)
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
        _move_node(node, S.TERMINATED)
        state.ready.pop(number, None)
        state.running.pop(number, None)
        state.reviews.pop(number, None)
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
    _move_node(node, status)
    number = node.number
    state.ready.pop(number, None)
    state.running.pop(number, None)
    state.claims = 0
    node.ended_at = at
    node.wall = stats.wall
    node.cpu = stats.cpu
    totals = state.stats
    totals.node_wall += stats.wall
    totals.node_cpu += stats.cpu
    released = _yielded(state, node, outputs) if outputs else _NOTHING
    lane = state.lanes[node.node_id]
    if lane[0] == number:
        return _let_go(state, node, lane, released)
    if not state.retain:
        node.data = {}
    return released


def _yielded(state: GraphExecution, node: NodeExecution, outputs: nx.Pairs) -> Released:
    if state.retain:
        node.outputs.extend(outputs)
    if state.lanes[node.node_id][0] == node.number:
        _feed_graph(state, node, outputs)
        return [(node, outputs)]
    node.held.extend(outputs)
    return _NOTHING


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
            if released is _NOTHING:
                released = []
            released.append((node, node.held))
            node.held = []
        if not node.status.is_final:
            return released
