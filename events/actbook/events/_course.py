"""What every decision is made with: emitting events, passing outputs on, and bringing an execution to its end."""

from __future__ import annotations

from typing import Any, NamedTuple

from actbook.events import _execution_events as ex
from actbook.events import _inbox_events as ib
from actbook.events import _node_events as nx
from actbook.events._billing import BILLING_ACTOR, Meter, fail_rest
from actbook.events._envelope import Cause, Draft
from actbook.events._evolve import apply
from actbook.events._folding import Released
from actbook.events._propagation import Propagation
from actbook.events._revival import Past
from actbook.events._state import GraphExecution, NodeExecution
from actbook.events._status import ExecutionStatus, check_move
from actbook.events._topics import Event
from actbook.graphs import BlockType, Plan

S = ExecutionStatus
_RUNNING, _OUTPUT = S.RUNNING, BlockType.OUTPUT


class _Ending(NamedTuple):
    target: ExecutionStatus
    actor: str
    reason: str
    cause: Cause


class Course:
    """The course of one execution: its live state, folded with each event as it is decided.

    `upward` collects messages for the parent execution's inbox and `downward` those for children (execution id, draft):
    who appends the events empties both into the same atomic write. With a `meter` the run is charged.
    """

    def __init__(self, plan: Plan, state: GraphExecution, meter: Meter | None = None) -> None:
        self.plan = plan
        self.state = state
        self.meter = meter
        self.propagation = Propagation(plan, state, self.emit)
        self.upward: list[Draft] = []
        self.downward: list[tuple[str, Draft]] = []
        self.at = 0
        self.past = Past()
        self.stopped: frozenset[int] = frozenset()
        self._drafts: list[Draft] = []
        self._ending: _Ending | None = None

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
        outputs, repeated = without_repeats(node, outputs)
        if outputs or repeated:
            name = self.output_name(node)
            self.spread(self.emit(nx.NodeOutput(node.number, outputs, name, repeated), cause))

    def catch_up(self) -> None:
        """What has to be looked at when the work begins or goes on."""
        if self.meter is not None and self.meter.shortage:
            return
        self.propagation.check_bound()
        self.propagation.skip(tuple(self.state.ready))

    def output_name(self, node: NodeExecution) -> str | None:
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

    def cancel_children(self, actor: str, reason: str, cause: Cause = None) -> None:
        """Asks the running sub-graphs' executions to stop. `cause`: the request that this execution got itself."""
        for number in self.state.running:
            child_id = self.state.node_executions[number].child_id
            if child_id:
                self.downward.append((child_id, Draft(ib.CancelRequested(actor, reason), self.at, cause)))

    def terminate(self, numbers: tuple[int, ...], reason: str, abandoned: tuple[int, ...] = ()) -> None:
        """Ends node executions as TERMINATED, all in one event."""
        if numbers:
            self.emit(nx.NodeTerminated(numbers, reason, abandoned))

    def end_as(self, target: ExecutionStatus, actor: str, reason: str, cause: Cause = None) -> None:
        """Decides the end; it is reached in `settle`, at once or when the last body has stopped."""
        state = self.state
        check_move(state.status, target, f"Graph execution #{state.id}")
        # AGENT nodes have no body here: they are over as soon as their children were told. Nor have those that wait.
        nodes, waiting, stopped = state.node_executions, state.retries, self.stopped
        over = (n for n in state.running if nodes[n].child_id or n in waiting or n in stopped)
        self.terminate(tuple(over), reason)
        if state.running:
            self.emit(ex.ExecutionStopping(target, actor, reason), cause)
        else:
            self._ending = _Ending(target, actor, reason, cause)

    def settle(self) -> None:
        """Ends or parks the execution when nothing of it is left to do."""
        state = self.state
        stopping = state.stopping
        if self.propagation.overrun and stopping is None and not state.status.is_terminal:
            self.fail_as("engine", self.propagation.overrun)
        elif self.meter is not None and self.meter.shortage:
            self._fail_for_lack(self.meter.take_shortage())
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

    def fail_as(self, actor: str, error: str) -> None:
        self.cancel_children(actor, error)
        self.end_as(S.FAILED, actor, error)

    def _fail_for_lack(self, shortage: str) -> None:
        if self.state.stopping is None and not self.state.status.is_terminal:
            self.fail_as(BILLING_ACTOR, shortage)

    def _finish(self, ending: _Ending) -> None:
        state = self.state
        self._ending = None
        if ending.target is S.FAILED and ending.actor == BILLING_ACTOR:
            fail_rest(self, ending.reason)
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


def without_repeats(node: NodeExecution, outputs: nx.Pairs) -> tuple[nx.Pairs, tuple[str, ...]]:
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
