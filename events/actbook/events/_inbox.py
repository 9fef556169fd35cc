"""What an inbox message leads to. Each handler emits the events and says in a few words what became of the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from actbook.events import _execution_events as ex
from actbook.events import _inbox_events as ib
from actbook.events import _node_events as nx
from actbook.events._revival import resume, retry
from actbook.events._state import NodeExecution
from actbook.events._status import ExecutionStatus
from actbook.graphs import BlockType

if TYPE_CHECKING:
    from actbook.events._decide import Decider

S = ExecutionStatus


def handle_message(decider: Decider, message: Any, event_id: bytes) -> str:
    """Decides on one message; returns its outcome in words."""
    return _HANDLERS[type(message)](decider, message, event_id)


def _cancel(decider: Decider, message: ib.CancelRequested, event_id: bytes) -> str:
    state = decider.state
    if state.status.is_terminal:
        return f"already {state.status}"
    if state.stopping is not None:
        return "already stopping"
    reason = message.reason or "Stopped on request"
    if message.cascade:
        decider.cancel_children(message.actor, reason, event_id)
    for number in tuple(state.reviews):
        review = state.node_executions[number].review
        data = review.data if review else None
        rejected = nx.NodeReviewDecided(number, False, data, "Execution was stopped by user", message.actor)
        decider.emit(rejected, event_id)
        decider.terminate((number,), reason)
    decider.end_as(S.TERMINATED, message.actor, reason, event_id)
    return "stopping" if state.running else "stopped"


def _child_output(decider: Decider, message: ib.ChildOutput, event_id: bytes) -> str:
    node = _node_of_child(decider, message.child_id, message.node_exec)
    if node is None:
        return "ignored: its node execution is over"
    decider.record_outputs(node, ((message.name, message.value),), event_id)
    return "output"


def _child_finished(decider: Decider, message: ib.ChildFinished, event_id: bytes) -> str:
    node = _node_of_child(decider, message.child_id, message.node_exec)
    if node is None:
        return "ignored: its node execution is over"
    if message.status != S.COMPLETED:
        if decider.plan.nodes[node.node_id].options.error_pin:
            return _child_failed(decider, message, node, event_id)
        text = f"Sub-graph execution #{message.child_id} ended {message.status}: {message.error}".rstrip(": ")
        decider.emit(ex.WarningRecorded(text, node.number), event_id)
    decider.spread(decider.emit(nx.NodeCompleted(node.number), event_id))
    return "finished"


def _child_failed(decider: Decider, message: ib.ChildFinished, node: NodeExecution, event_id: bytes) -> str:
    text = message.error or f"Sub-graph execution #{message.child_id} ended {message.status}"
    # Somebody stopped it on purpose: that is nothing to try again.
    kind = "CancelledError" if message.status == S.TERMINATED else "SubGraphFailed"
    decider.fail_node(node, nx.NodeFailed(node.number, text, (), error_type=kind), event_id)
    return "failed"


def _node_of_child(decider: Decider, child_id: str, number: int) -> NodeExecution | None:
    node = decider.state.node_executions.get(number)
    if node is None or not child_id or node.child_id != child_id or node.status is not S.RUNNING:
        return None
    return node


def _decide_review(decider: Decider, message: ib.ReviewDecided, event_id: bytes) -> str:
    state = decider.state
    node = state.node_executions.get(message.node_exec)
    if node is None or node.status is not S.REVIEW or node.review is None:
        return "ignored: no review is pending"
    if state.stopping is not None:
        return "ignored: the execution is being stopped"
    if message.edited and not node.review.editable:
        return f"refused: Review {node.number} is not editable"
    if state.status is S.REVIEW:
        decider.emit(ex.ExecutionStarted(), event_id)
    data = message.data if message.edited else node.review.data
    decided = nx.NodeReviewDecided(node.number, message.approved, data, message.message, message.reviewer)
    decider.emit(decided, event_id)
    if decider.plan.nodes[node.node_id].block_type is BlockType.HUMAN_IN_THE_LOOP:
        outputs: nx.Pairs = (("approved_data" if message.approved else "rejected_data", data),)
        if message.message:
            outputs = (*outputs, ("review_message", message.message))
        decider.spread(decider.emit(nx.NodeCompleted(node.number, outputs), state.version))
    elif not message.approved:
        text = f"Block execution rejected by reviewer: {message.message}"
        decider.spread(decider.emit(nx.NodeFailed(node.number, text, (("error", text),)), state.version))
    # An approved action is interrupted now: it starts again, and its block runs.
    return "approved" if message.approved else "rejected"


_HANDLERS: dict[type, Callable[[Decider, Any, bytes], str]] = {
    ib.CancelRequested: _cancel,
    ib.ResumeRequested: resume,
    ib.RetryRequested: retry,
    ib.ChildOutput: _child_output,
    ib.ChildFinished: _child_finished,
    ib.ReviewDecided: _decide_review,
}
