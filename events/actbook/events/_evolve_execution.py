"""How the events of the graph execution itself change its state."""

from __future__ import annotations

from actbook.events import _execution_events as ex
from actbook.events._folding import Handlers
from actbook.events._state import GraphExecution, Stopping
from actbook.events._status import ExecutionStatus, check_move

S = ExecutionStatus

EXECUTION_HANDLERS = Handlers()
_on = EXECUTION_HANDLERS.on


def _move(state: GraphExecution, wanted: ExecutionStatus) -> None:
    check_move(state.status, wanted, f"Graph execution #{state.id}")
    state.status = wanted


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
    state.origin = event.origin
    state.start_at = event.start_at
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
    state.begun_at = state.begun_at or at
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
    state.start_at = 0
    state.stopping = None


@_on(ex.InboxHandled)
def _inbox_handled(state: GraphExecution, event: ex.InboxHandled, at: int) -> None:
    state.inbox_version = event.version
    state.claims = 0
