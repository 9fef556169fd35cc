"""How outputs travel: along the links to waiting executions, which are queued as soon as their inputs are complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from actbook.events import _execution_events as ex
from actbook.events import _node_events as nx
from actbook.events._envelope import Cause
from actbook.events._folding import Released
from actbook.events._matching import Matcher
from actbook.events._state import GraphExecution
from actbook.events._topics import Event
from actbook.graphs import BlockType, Plan, PlanNode

Emit = Callable[[Event, Cause], Released]

_NOTE = BlockType.NOTE


def bound_exceeded(bound: int) -> str:
    """How a run fails that exceeds its bound on node executions."""
    return f"The run exceeded its bound of {bound} node executions."


class Propagation:
    """Delivers released outputs in execution order, then yield order, then link order.

    `overrun` is set once the run's bound on node executions is exceeded; from then on nothing is delivered. A run that
    is being stopped may exceed it: what its last bodies yield must not be lost.
    """

    def __init__(self, plan: Plan, state: GraphExecution, emit: Emit) -> None:
        self._plan = plan
        self._state = state
        self._emit = emit
        self._matcher = Matcher(state)
        self.overrun = ""
        self._refusal = ""

    def spread(self, released: Released) -> None:
        """Delivers what an event released; the event is the cause of all that follows."""
        plan, cause = self._plan, self._state.version
        nodes = plan.nodes
        for node, outputs in released:
            for pin, value in outputs:
                for link, delivered in plan.deliveries(node.node_id, pin, value):
                    self._deliver(nodes[link.sink_id], link.sink_name, delivered, link.is_static, cause)

    def check_bound(self) -> None:
        """Notices a bound that was exceeded earlier."""
        state = self._state
        bound = state.limits.node_executions
        if bound and state.stats.node_exec_count > bound + state.counted_before:
            self._exceed(bound)

    def _exceed(self, bound: int) -> None:
        self.overrun = bound_exceeded(bound)

    def skip(self, numbers: Iterable[int]) -> None:
        """Ends those of the queued executions whose node is in the run's skip set."""
        state = self._state
        if not state.skip:
            return
        for number in numbers:
            node = state.node_executions[number]
            if node.node_id in state.skip:
                self.spread(self._emit(nx.NodeSkipped(number), node.cause))

    def _deliver(self, node: PlanNode, pin: str, value: Any, static: bool, cause: int) -> None:
        if self.overrun or node.block_type is _NOTE:
            return
        several = len(node.linked) > 1
        # With one linked pin nothing can wait for a value of it.
        number = self._matcher.take(node.id, pin) if several else 0
        if number:
            inputs = {**self._state.node_executions[number].inputs, pin: value}
            if not self._queue(number, node, inputs, cause):
                self._emit(nx.NodeInput(number, pin, value), cause)
                self._explain(number)
        else:
            self._arrive(node, pin, value, cause)
        if static and several and not self.overrun:
            self._latch(node, pin, value, cause)

    def _arrive(self, node: PlanNode, pin: str, value: Any, cause: int) -> None:
        """A value that no waiting execution lacks begins a new one."""
        state = self._state
        bound = state.limits.node_executions
        if bound and state.stats.node_exec_count >= bound + state.counted_before and state.stopping is None:
            self._exceed(bound)
            return
        number = state.last_number + 1
        inputs = {pin: value}
        if not self._queue(number, node, inputs, cause):
            self._emit(nx.NodeCreated(number, node.id, node.node.block_id, inputs), cause)
            self._matcher.added(node.id, number, pin)
            self._explain(number)

    def _latch(self, node: PlanNode, pin: str, value: Any, cause: int) -> None:
        others = self._matcher.others(node.id, pin)
        self._emit(nx.LinkLatched(node.id, pin, value), cause)
        for number in others:
            if not self._queue(number, node, self._state.node_executions[number].inputs, cause):
                self._explain(number)

    def _queue(self, number: int, node: PlanNode, inputs: dict[str, Any], cause: int) -> bool:
        """Queues the node execution when its inputs, latched values included, are complete and valid."""
        state, node_id = self._state, node.id
        latched = state.latches.get(node_id)
        if latched:
            inputs = {**latched, **inputs}
        data, text, warnings = self._plan.accept(node_id, inputs, state.masks.get(node_id))
        if data is None:
            complete = node.linked <= inputs.keys()
            if not (complete and node_id in state.skip):
                self._refusal = text if complete else ""
                return False
            # It will not run: what it lacks, credentials most likely, is why it is skipped.
            data = {**inputs, **state.masks.get(node_id, {})}
        self._emit(nx.NodeQueued(number, node_id, node.node.block_id, data), cause)
        for text in warnings:
            self._emit(ex.WarningRecorded(text, number), state.version)
        if state.skip:
            self.skip((number,))
        return True

    def _explain(self, number: int) -> None:
        """Records why an execution that lacks no value still can't run."""
        if self._refusal:
            self._emit(ex.WarningRecorded(self._refusal, number), self._state.version)
