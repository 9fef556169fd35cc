"""`decide`: which events a command leads to. Pure: no clock, no store, no actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from actbook.events import _commands as cmd
from actbook.events import _execution_events as ex
from actbook.events import _node_events as nx
from actbook.events._course import Course, without_repeats
from actbook.events._envelope import Cause, Draft
from actbook.events._inbox import handle_message
from actbook.events._retrying import retry_due
from actbook.events._state import GraphExecution, NodeExecution
from actbook.events._status import ExecutionStatus
from actbook.graphs import Plan

S = ExecutionStatus
# Each node passes here several times, and finding a member in its class costs more than comparing it.
_QUEUED, _RUNNING = S.QUEUED, S.RUNNING


def decide(plan: Plan, state: GraphExecution, command: cmd.Command, at: int) -> list[Draft]:
    """The events that `command` leads to at time `at` (µs since the epoch, UTC). `state` is not touched.

    An empty list: the command already took effect, or is about something that is over. Raises
    `IllegalTransitionError` when the status machine refuses.
    """
    return Decider(plan, state.copy()).advance(command, at)


class Decider(Course):
    """Decides command after command over one live state, folding each event as it is decided."""

    def advance(self, command: cmd.Command, at: int) -> list[Draft]:
        """Decides and folds; the events in order."""
        drafts: list[Draft] = []
        self._drafts = drafts
        self.at = at
        self._HANDLERS[type(command)](self, command)
        return drafts

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
                start_at=command.start_at,
            )
        )
        for node_id, data in command.starting:
            block_id = plan.nodes[node_id].node.block_id
            self.emit(nx.NodeQueued(self.state.last_number + 1, node_id, block_id, data), 1)
        self.emit(ex.ExecutionQueued(), 1)

    def _claim(self, command: cmd.Claim) -> None:
        state = self.state
        if state.status.is_final or (state.status is S.QUEUED and state.start_at > self.at):
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
            self.begin()
        self.catch_up()
        self.settle()

    def begin(self) -> None:
        """A queued run begins, unless it can't be paid: then it ends in `settle`."""
        if self.meter is None or self.meter.admit(self):
            self.emit(ex.ExecutionStarted(), self.state.version)

    def _fail(self, command: cmd.Fail) -> None:
        if not self.state.status.is_terminal and self.state.stopping is None:
            self.fail_as(command.actor, command.error)
            self.settle()

    def _start(self, command: cmd.Start) -> None:
        state = self.state
        if state.stopping is not None or state.status is not _RUNNING:
            return
        for number in command.numbers:
            node = state.node_executions.get(number)
            if node is None or not self._startable(node):
                continue
            if self.meter is not None and not self.meter.affords(self, node):
                self.settle()
                return
            self.emit(nx.NodeStarted(number, node.attempt + 1, state.epoch), node.cause)
            if self.meter is not None:
                self.meter.started(self, node)
            child_id = command.children.get(number)
            if child_id:
                self.emit(nx.ChildStarted(number, child_id), state.version)

    def _startable(self, node: NodeExecution) -> bool:
        if node.status is _QUEUED:
            return True
        return node.status is _RUNNING and (
            self.state.is_interrupted(node) or node.number in self.state.retries
        )

    def _report(self, command: cmd.Report) -> None:
        node = self._running(command.number, command.attempt)
        if node is None:
            return
        if command.outcome is None:
            self.record_outputs(node, command.outputs, node.cause)
        elif command.outcome == "completed":
            if self.meter is not None and not self.meter.completed(self, node, command):
                self.settle()
                return
            outputs = without_repeats(node, command.outputs)[0] if node.repeats else command.outputs
            completed = nx.NodeCompleted(node.number, outputs, command.stats, self.output_name(node))
            self.spread(self.emit(completed, node.cause))
        else:
            self._failed(node, command)
        self.settle()

    def _failed(self, node: NodeExecution, command: cmd.Report) -> None:
        kept = tuple(pair for pair in command.outputs if pair[0] != "error")
        self.record_outputs(node, kept, node.cause)
        error, kind = command.error or command.error_type, command.error_type
        self.fail_node(
            node, nx.NodeFailed(node.number, error, (), command.stats, command.expected, kind), node.cause
        )

    def fail_node(self, node: NodeExecution, failed: nx.NodeFailed, cause: Cause) -> None:
        """The attempt is over: the node execution fails, with its `error` output, or is tried again later."""
        policy = self.plan.nodes[node.node_id].options.retry
        due = None
        if policy is not None:
            due = retry_due(policy, self.state, node, failed.error_type, self.at)
        if due is not None:
            retry = nx.NodeRetryScheduled(node.number, failed.error, failed.error_type, due, failed.stats)
            self.emit(retry, cause)
        else:
            if self.meter is not None:
                self.meter.failed(self, node, failed.stats)
            failed = msgspec.structs.replace(failed, outputs=(("error", failed.error),))
            self.spread(self.emit(failed, cause))

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
        self.past, self.stopped = command.past, frozenset(command.stopped)
        outcome = handle_message(self, command.message, command.event_id)
        self.emit(ex.InboxHandled(command.version, outcome), command.event_id)
        self.settle()

    def _running(self, number: int, attempt: int) -> NodeExecution | None:
        node = self.state.node_executions.get(number)
        if node is None or node.status is not _RUNNING or node.attempt != attempt:
            return None
        if self.state.retries and number in self.state.retries:
            return None
        return node

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
