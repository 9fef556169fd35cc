"""Whether and how an execution goes on after it was over: resumed as it was, or retried as its next attempt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from actbook.events import _execution_events as ex
from actbook.events import _inbox_events as ib
from actbook.events import _revival_events as rv
from actbook.events._propagation import bound_exceeded
from actbook.events._state import GraphExecution, NodeExecution
from actbook.events._status import ExecutionStatus, can_move

if TYPE_CHECKING:
    from actbook.events._decide import Decider

S = ExecutionStatus


class Redo(msgspec.Struct, frozen=True):
    """A node execution that failed and was not tried again since. `yielded`: values per pin that it had recorded."""

    number: int
    node_id: str
    block_id: str
    data: dict[str, Any]
    yielded: dict[str, int] = {}


class Past(msgspec.Struct, frozen=True):
    """What the live state of an execution that is over no longer knows, and what only its root knows."""

    failed: tuple[Redo, ...] = ()
    root_terminated: bool = False


def failed_of(state: GraphExecution, children: Iterable[ib.ChildFinished] = ()) -> tuple[Redo, ...]:
    """What a retry runs again, by number. `state` retains its history; `children` tell how its sub-graphs ended.

    An AGENT node whose sub-graph did not complete counts as failed, however its own status reads.
    """
    nodes = state.node_executions
    retried = {node.retry_of for node in nodes.values()}
    broken = {child.child_id for child in children if child.status != S.COMPLETED}
    failed = (number for number, node in sorted(nodes.items()) if _has_failed(node, broken))
    return tuple(_redo(nodes[number]) for number in failed if number not in retried)


def _has_failed(node: NodeExecution, broken: set[str]) -> bool:
    if node.status is S.FAILED:
        return True
    return node.status is S.COMPLETED and bool(node.child_id) and node.child_id in broken


def _redo(node: NodeExecution) -> Redo:
    yielded = {pin: count for pin, count in (node.yielded or {}).items() if pin != "error"}
    return Redo(node.number, node.node_id, node.block_id, node.data, yielded)


def refusal_of_resume(state: GraphExecution, past: Past) -> str:
    """Why the execution can't be resumed as it is, with what to do instead; empty when it can."""
    if not can_move(state.status, S.QUEUED):
        return _INSTEAD_OF_RESUME[state.status]
    return _refusal_of_child(past)


def refusal_of_retry(state: GraphExecution, past: Past) -> str:
    """Why the execution can't be retried as it is, with what to do instead; empty when it can."""
    if not state.status.is_terminal:
        return _INSTEAD_OF_RETRY[state.status]
    if state.status is S.COMPLETED and not past.failed:
        return "nothing of it failed; submit a new run, or fork it"
    bound = state.limits.node_executions
    if state.status is S.FAILED and bound and state.error == bound_exceeded(bound):
        return "what went beyond its bound on node executions was not kept; fork it with a higher bound"
    return _refusal_of_child(past)


def _refusal_of_child(past: Past) -> str:
    return "its root execution is TERMINATED; resume that one" if past.root_terminated else ""


_INSTEAD_OF_RESUME = {
    S.QUEUED: "it runs as soon as a worker takes it",
    S.RUNNING: "it is running already",
    S.COMPLETED: "it is over; retry what failed of it, fork it, or submit a new run",
    S.FAILED: "it is over; retry or fork it",
}

_INSTEAD_OF_RETRY = {
    S.INCOMPLETE: "it has not run yet; resume it",
    S.QUEUED: "it has not run yet; it does as soon as a worker takes it",
    S.RUNNING: "it is still running; wait for its end, or stop it",
    S.REVIEW: "it waits for a person; decide the review, or stop it",
}


def resume(decider: Decider, message: ib.ResumeRequested, event_id: bytes) -> str:
    """Queues it again as it was, unless somebody else did so since it was asked for."""
    state = decider.state
    if _came_too_late(state, message.seen):
        return "already going on"
    if refusal_of_resume(state, decider.past):
        return f"refused: {state.status}" if not decider.past.root_terminated else "refused: root TERMINATED"
    decider.emit(ex.ExecutionResumed(message.actor, message.reason), event_id)
    _begin(decider)
    return "resumed"


def retry(decider: Decider, message: ib.RetryRequested, event_id: bytes) -> str:
    """Begins the next attempt: what failed is queued as new node executions, what was stopped as it was."""
    state, past = decider.state, decider.past
    if _came_too_late(state, message.seen):
        return "already going on"
    refusal = refusal_of_retry(state, past)
    if refusal:
        return f"refused: {state.status}, {refusal}"
    decider.emit(rv.ExecutionRetried(state.attempt + 1, message.actor, message.reason), event_id)
    cause = state.version
    for redo in past.failed:
        number, data = state.last_number + 1, redo.data
        decider.emit(
            rv.NodeRetried(number, redo.number, redo.node_id, redo.block_id, data, redo.yielded), cause
        )
    _begin(decider)
    return "retried"


def _came_too_late(state: GraphExecution, seen: int) -> bool:
    return bool(seen) and state.revived > seen


def _begin(decider: Decider) -> None:
    decider.begin()
    decider.catch_up()
