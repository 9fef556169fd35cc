"""How the events by which an execution goes on change its state: resumed, retried, forked."""

from __future__ import annotations

from actbook.events import _execution_events as ex
from actbook.events import _node_events as nx
from actbook.events import _revival_events as rv
from actbook.events._evolve_nodes import NODE_HANDLERS, move_node
from actbook.events._folding import Handlers
from actbook.events._state import GraphExecution
from actbook.events._status import ExecutionStatus, IllegalTransitionError, check_move

S = ExecutionStatus

REVIVAL_HANDLERS = Handlers()
_on = REVIVAL_HANDLERS.on


@_on(ex.ExecutionResumed)
def _resumed(state: GraphExecution, event: ex.ExecutionResumed, at: int) -> None:
    check_move(state.status, S.QUEUED, f"Graph execution #{state.id}")
    if state.status is S.TERMINATED:
        state.begun_at = 0
    _queue_again(state, at)
    state.revived = state.version


@_on(rv.ExecutionRetried)
def _retried(state: GraphExecution, event: rv.ExecutionRetried, at: int) -> None:
    if not state.status.is_terminal:
        raise IllegalTransitionError(state.status, S.QUEUED, f"Graph execution #{state.id}")
    state.attempt = event.attempt
    state.begun_at = 0
    state.counted_before = state.stats.node_exec_count
    _queue_again(state, at)
    state.revived = state.version


@_on(rv.ExecutionForked)
def _forked(state: GraphExecution, event: rv.ExecutionForked, at: int) -> None:
    state.created_at = at
    state.started_at = state.begun_at = state.start_at = 0
    state.counted_before = state.stats.node_exec_count
    state.stopping = None
    state.worker = ""
    # The inbox is another one, and so are the executions of sub-graphs.
    state.inbox_version = 0
    for number in state.running:
        node = state.node_executions[number]
        node.child_id = ""
        node.epoch = 0
    for node in state.node_executions.values():
        node.cost, node.charged = 0.0, ()  # it pays for what it runs, not for its past
    stats = state.stats
    stats.node_wall = stats.node_cpu = stats.cost = 0.0
    _queue_again(state, at)


def _queue_again(state: GraphExecution, at: int) -> None:
    """It is QUEUED, and so is what was TERMINATED of it: the same node executions, for a new attempt."""
    state.status = S.QUEUED
    state.queued_at = at
    state.ended_at = 0
    state.error = state.reason = state.actor = ""
    state.claims = 0
    for node in state.node_executions.values():
        if node.status is S.TERMINATED:
            move_node(node, S.QUEUED)
            node.queued_at = at
            node.ended_at = 0
            node.reason = ""
            node.failures = 0
            state.ready[node.number] = None


@_on(rv.NodeRetried)
def _node_retried(state: GraphExecution, event: rv.NodeRetried, at: int) -> None:
    queued = nx.NodeQueued(event.node_exec, event.node_id, event.block_id, event.data)
    NODE_HANDLERS[nx.NodeQueued](state, queued, at)
    node = state.node_executions[event.node_exec]
    node.retry_of = event.retry_of
    node.yielded = dict(event.yielded) if event.yielded else None
