"""`decide`: which events a command leads to. Pure: no clock, no store, no actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from actbook.events import _commands as cmd
from actbook.events import _execution_events as ex
from actbook.events import _inbox_events as ib
from actbook.events import _node_events as nx
from actbook.events._envelope import Cause, Draft
from actbook.events._evolve import Released, apply
from actbook.events._inbox import handle_message
from actbook.events._propagation import Propagation
from actbook.events._state import GraphExecution, NodeExecution
from actbook.events._status import ExecutionStatus, check_move
from actbook.events._topics import Event
from actbook.graphs import BlockType, Plan

S = ExecutionStatus
# Each node passes here several times, and finding a member in its class costs more than comparing it.
_QUEUED, _RUNNING, _OUTPUT = S.QUEUED, S.RUNNING, BlockType.OUTPUT


def decide(plan: Plan, state: GraphExecution, command: cmd.Command, at: int) -> list[Draft]:
    """The events that `command` leads to at time `at` (µs since the epoch, UTC). `state` is not touched.

    An empty list: the command already took effect, or is about something that is over. Raises
    `IllegalTransitionError` when the status machine refuses.
    """
    return Decider(plan, state.copy()).advance(command, at)


class _Ending(NamedTuple):
    target: ExecutionStatus
    actor: str
    reason: str
    cause: Cause


class Decider:
    """Decides command after command over one live state, folding each event as it is decided.

    `upward` collects messages for the parent execution's inbox and `downward` those for children (execution id, draft):
    who appends the events empties both into the same atomic write.
    """

    def __init__(self, plan: Plan, state: GraphExecution) -> None:
        self.plan = plan
        self.state = state
        self.propagation = Propagation(plan, state, self.emit)
        self.upward: list[Draft] = []
        self.downward: list[tuple[str, Draft]] = []
        self.at = 0
        self._drafts: list[Draft] = []
        self._ending: _Ending | None = None

    def advance(self, command: cmd.Command, at: int) -> list[Draft]:
        """Decides and folds; the events in order."""
        drafts: list[Draft] = []
        self._drafts = drafts
        self.at = at
        self._HANDLERS[type(command)](self, command)
        return drafts

    def emit(self, payload: Event, cause: Cause = None) -> Released:
        """Decides for one event and folds it; what it released has to be propagated."""
        self._drafts.append(Draft(payload, self.at, cause))
        return apply(self.state, payload, self.at)

    def spread(self, released: Released) -> None:
        """Propagates what an event released; values of the graph's outputs go to the parent execution too."""
        if not released:
            return
        if self.state.parent is not None:
            self._tell_parent(self.state.parent, released)
        self.propagation.spread(released)

    def record_outputs(self, node: NodeExecution, outputs: nx.Pairs, cause: Cause) -> None:
        """Records and propagates what a body that goes on has yielded, without what an earlier attempt did."""
        outputs, repeated = _without_repeats(node, outputs)
        if outputs or repeated:
            name = self._output_name(node)
            self.spread(self.emit(nx.NodeOutput(node.number, outputs, name, repeated), cause))

    def catch_up(self) -> None:
        """What has to be looked at when the work begins or goes on."""
        self.propagation.check_bound()
        self.propagation.skip(tuple(self.state.ready))

    def _create(self, command: cmd.Create) -> None:
        if self.state.version:
            return
        plan = self.plan
        self.emit(
            ex.ExecutionCreated(
                execution_id=command.execution_id,
                user_id=command.user_id,
                graph_id=plan.graph_id,
                graph_version=plan.version,
                inputs=command.inputs,
                credential_inputs=command.credential_inputs,
                masks=command.masks,
                skip=command.skip,
                preset_id=command.preset_id,
                parent=command.parent,
                root_id=command.root_id,
                settings=command.settings,
                limits=command.limits,
                simulation=command.simulation,
                idempotency_key=command.idempotency_key,
            )
        )
        for node_id, data in command.starting:
            block_id = plan.nodes[node_id].node.block_id
            self.emit(nx.NodeQueued(self.state.last_number + 1, node_id, block_id, data), 1)
        self.emit(ex.ExecutionQueued(), 1)

    def _claim(self, command: cmd.Claim) -> None:
        state = self.state
        if state.status.is_final:
            return
        self.emit(ex.ExecutionClaimed(command.worker, state.epoch + 1))
        if state.status is S.TERMINATED:
            return
        bound = state.limits.claims_without_progress
        given_up = bool(bound) and state.claims > bound
        if given_up:
            text = f"Gave up after {bound} claims without progress: running it ends its worker."
            self.cancel_children("engine", text)
            self.terminate(tuple(state.running), text)
            self.end_as(S.FAILED, "engine", text)
        elif state.stopping is not None:
            self.terminate(tuple(state.running), "its worker died")
        elif state.status is S.QUEUED or state.status is S.INCOMPLETE:
            self.emit(ex.ExecutionStarted(), state.version)
        self.catch_up()
        self.settle()

    def _fail(self, command: cmd.Fail) -> None:
        if not self.state.status.is_terminal and self.state.stopping is None:
            self._fail_as(command.actor, command.error)
            self.settle()

    def _fail_as(self, actor: str, error: str) -> None:
        self.cancel_children(actor, error)
        self.end_as(S.FAILED, actor, error)

    def _start(self, command: cmd.Start) -> None:
        state = self.state
        if state.stopping is not None or state.status is not _RUNNING:
            return
        for number in command.numbers:
            node = state.node_executions.get(number)
            if node is None or not self._startable(node):
                continue
            self.emit(nx.NodeStarted(number, node.attempt + 1, state.epoch), node.cause)
            child_id = command.children.get(number)
            if child_id:
                self.emit(nx.ChildStarted(number, child_id), state.version)

    def _startable(self, node: NodeExecution) -> bool:
        if node.status is _QUEUED:
            return True
        return node.status is _RUNNING and self.state.is_interrupted(node)

    def _report(self, command: cmd.Report) -> None:
        node = self._running(command.number, command.attempt)
        if node is None:
            return
        if command.outcome is None:
            self.record_outputs(node, command.outputs, node.cause)
        elif command.outcome == "completed":
            outputs = _without_repeats(node, command.outputs)[0] if node.repeats else command.outputs
            completed = nx.NodeCompleted(node.number, outputs, command.stats, self._output_name(node))
            self.spread(self.emit(completed, node.cause))
        else:
            self._failed(node, command)
        self.settle()

    def _failed(self, node: NodeExecution, command: cmd.Report) -> None:
        kept = tuple(pair for pair in command.outputs if pair[0] != "error")
        self.record_outputs(node, kept, node.cause)
        error = command.error or command.error_type
        errors = (("error", error),)
        expected, kind = command.expected, command.error_type
        failed = nx.NodeFailed(node.number, error, errors, command.stats, expected, kind)
        self.spread(self.emit(failed, node.cause))

    def _bodies_stopped(self, command: cmd.BodiesStopped) -> None:
        state = self.state
        if state.stopping is None:
            return
        abandoned = tuple(n for n in command.abandoned if n in state.running)
        ended = dict.fromkeys(n for n in command.numbers if n in state.running)
        ended.update(dict.fromkeys(abandoned))
        self.terminate(tuple(ended), state.stopping.reason, abandoned)
        self.settle()

    def _request_review(self, command: cmd.RequestReview) -> None:
        node = self._running(command.number, command.attempt)
        if node is None:
            return
        stopping = self.state.stopping
        if stopping is not None:
            self.terminate((node.number,), stopping.reason)
        else:
            review = nx.NodeReviewRequested(node.number, command.name, command.data, command.editable)
            self.emit(review, node.cause)
        self.settle()

    def _handle(self, command: cmd.Handle) -> None:
        if command.version <= self.state.inbox_version:
            return
        outcome = handle_message(self, command.message, command.event_id)
        self.emit(ex.InboxHandled(command.version, outcome), command.event_id)
        self.settle()

    def _running(self, number: int, attempt: int) -> NodeExecution | None:
        node = self.state.node_executions.get(number)
        if node is None or node.status is not _RUNNING or node.attempt != attempt:
            return None
        return node

    def _output_name(self, node: NodeExecution) -> str | None:
        if self.plan.nodes[node.node_id].block_type is not _OUTPUT:
            return None
        return str(node.data.get("name", ""))

    def _tell_parent(self, parent: ex.Parent, released: Released) -> None:
        for node, outputs in released:
            if node.feeds is None:
                continue
            for pin, value in outputs:
                if pin == "output":
                    message = ib.ChildOutput(self.state.id, parent.node_exec, node.feeds, value)
                    self.upward.append(Draft(message, self.at))

    def cancel_children(self, actor: str, reason: str) -> None:
        """Asks the running sub-graphs' executions to stop."""
        for number in self.state.running:
            child_id = self.state.node_executions[number].child_id
            if child_id:
                self.downward.append((child_id, Draft(ib.CancelRequested(actor, reason), self.at)))

    def terminate(self, numbers: tuple[int, ...], reason: str, abandoned: tuple[int, ...] = ()) -> None:
        """Ends node executions as TERMINATED, all in one event."""
        if numbers:
            self.emit(nx.NodeTerminated(numbers, reason, abandoned))

    def end_as(self, target: ExecutionStatus, actor: str, reason: str, cause: Cause = None) -> None:
        """Decides the end; it is reached in `settle`, at once or when the last body has stopped."""
        state = self.state
        check_move(state.status, target, f"Graph execution #{state.id}")
        # AGENT nodes have no body here: they are over as soon as their children were told.
        self.terminate(tuple(n for n in state.running if state.node_executions[n].child_id), reason)
        if state.running:
            self.emit(ex.ExecutionStopping(target, actor, reason), cause)
        else:
            self._ending = _Ending(target, actor, reason, cause)

    def settle(self) -> None:
        """Ends or parks the execution when nothing of it is left to do."""
        state = self.state
        stopping = state.stopping
        if self.propagation.overrun and stopping is None and not state.status.is_terminal:
            self._fail_as("engine", self.propagation.overrun)
        if state.running or state.status.is_terminal:
            return
        if stopping is not None:
            self._ending = _Ending(stopping.target, stopping.actor, stopping.reason, None)
        if self._ending is not None:
            self._finish(self._ending)
        elif state.status is _RUNNING and not state.ready:
            if state.reviews:
                self.emit(ex.ExecutionParked())
            else:
                self.emit(ex.ExecutionCompleted())
                self._tell_end()

    def _finish(self, ending: _Ending) -> None:
        state = self.state
        self._ending = None
        self.terminate((*state.ready, *state.reviews), ending.reason)
        if ending.target is S.FAILED:
            self.emit(ex.ExecutionFailed(ending.reason, ending.actor), ending.cause)
        else:
            self.emit(ex.ExecutionTerminated(ending.actor, ending.reason), ending.cause)
        self._tell_end()

    def _tell_end(self) -> None:
        state = self.state
        if state.parent is not None:
            text = state.error or state.reason
            message = ib.ChildFinished(state.id, state.parent.node_exec, state.status, text)
            self.upward.append(Draft(message, self.at))

    _HANDLERS: ClassVar[dict[type, Callable[[Decider, Any], None]]] = {
        cmd.Create: _create,
        cmd.Claim: _claim,
        cmd.Start: _start,
        cmd.Report: _report,
        cmd.BodiesStopped: _bodies_stopped,
        cmd.RequestReview: _request_review,
        cmd.Fail: _fail,
        cmd.Handle: _handle,
    }


def _without_repeats(node: NodeExecution, outputs: nx.Pairs) -> tuple[nx.Pairs, tuple[str, ...]]:
    """The outputs that no earlier attempt had recorded, and the pins of the others: the k-th on a pin counts once."""
    if not node.repeats:
        return outputs, ()
    left = dict(node.repeats)
    new: list[tuple[str, Any]] = []
    repeated: list[str] = []
    for pair in outputs:
        if left.get(pair[0], 0) > 0:
            left[pair[0]] -= 1
            repeated.append(pair[0])
        else:
            new.append(pair)
    return tuple(new), tuple(repeated)
