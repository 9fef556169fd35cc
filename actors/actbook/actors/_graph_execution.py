"""GraphExecutionActor: owns one graph execution. It alone appends to the execution's stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actbook.actors import _messages as msg
from actbook.actors._crew import Crew, Hand
from actbook.actors._environment import Environment
from actbook.actors._inbox import InboxReader
from actbook.actors._launch import child_execution_id, launch_child
from actbook.actors._loading import load_state
from actbook.actors._messages import Work
from actbook.actors._node_execution import NodeExecutionActor
from actbook.actors._ready import CHILD, Ready
from actbook.actors._runtime import Actor, ActorRef, ChildFailed
from actbook.actors._writing import BATCH, StreamWriter
from actbook.events import (
    Appended,
    BodiesStopped,
    Claim,
    Command,
    Decider,
    Draft,
    ExecutionResumed,
    ExecutionStatus,
    Fail,
    GraphExecution,
    Handle,
    NodeExecution,
    NodeQueued,
    NodeStarted,
    Report,
    RequestReview,
    Start,
)
from actbook.graphs import BlockType
from actbook.journal import ConflictError

_RUNNING = ExecutionStatus.RUNNING


class GraphExecutionActor(Actor):
    """Rebuilt from its stream whenever it starts, except for a new execution, which begins with `submit`.

    Commands are decided as messages come in; what a turn decided is one append; effectful bodies start when the append
    that started them is durable, pure ones run ahead of it. `doom` ends the execution as FAILED with that text.
    """

    def __init__(
        self, env: Environment, execution_id: str, submit: msg.Submit | None = None, doom: str = ""
    ) -> None:
        super().__init__()
        self._env = env
        self._id = execution_id
        self._submit = submit
        self._doom = doom
        self._decider: Decider | None = None
        self._writer = StreamWriter(env, execution_id, self._on_recorded)
        self._inbox = InboxReader(env, execution_id)
        self._crew = Crew(env.slots, self._spawn_node)
        self._ready = Ready()
        self._stopped: list[int] = []
        self._abandoned: list[int] = []
        self._cancelled = False
        self._waits_for_place = False
        self._timers: set[str] = set()

    def on_start(self) -> Any:
        submit = self._submit
        if submit is None:
            return self._rebuild()
        if submit.create.parent is not None:
            return self._begin_as_child(submit)
        self._begin_with(submit)
        return None

    async def _begin_as_child(self, submit: msg.Submit) -> None:
        """The parent may have been stopped meanwhile: what it told its child comes before any body starts."""
        self._begin_with(submit, await self._inbox.catch_up(0))

    def _begin_with(self, submit: msg.Submit, messages: Sequence[Any] = ()) -> None:
        self._decider = Decider(submit.plan, GraphExecution())
        self._advance(submit.create)
        self._advance(Claim(self._env.worker))
        self._handle(messages)
        self.on_turn_end()

    async def _rebuild(self) -> None:
        env = self._env
        state = await load_state(env.journal, self._id)
        if state is None:
            self.stop()
            return
        plan = await env.plans.plan_of(state)
        messages = await self._inbox.catch_up(state.inbox_version)
        self._decider = decider = Decider(plan, state)
        self._writer.begin(state.version)
        self._writer.drafts.extend(decider.advance(Claim(env.worker), env.clock()))
        self._queue_all()
        if self._doom:
            self._advance(Fail(self._doom))
        self._handle(messages)
        if self._inbox.stale:
            self._inbox.changed(self.actor_ref)
        self.on_turn_end()

    def _queue_all(self) -> None:
        state = self._state
        for number in (*state.running, *state.ready):
            node = state.node_executions[number]
            if node.child_id:
                self._launch(number)
            else:
                self._ready.add(number, self._kind(node.node_id))

    # -- messages ----------------------------------------------------------------------------------------------------

    def on_receive(self, message: Any) -> None:
        if self._decider is None:
            return
        kind = type(message)
        if kind is Report:
            self._advance(message)
            if message.outcome is not None:
                self._crew.ended(message.number)
        elif kind is msg.ChildUnstartable:
            self._advance(Report(message.number, message.attempt, (), "failed", message.error))
        elif kind is msg.TimedOut:
            self._advance(Fail(f"Graph execution exceeded {self._state.limits.timeout:g}s wall-clock cap"))
        elif kind is msg.Linger:
            self._timers.discard("linger")
            if self._only_waits():
                self._leave()

    def on_system(self, message: Any) -> None:
        if self._decider is None:
            if type(message) is msg.InboxChanged:
                self._inbox.changed(self.actor_ref, ready=False)
            return
        handler = _SYSTEM.get(type(message))
        if handler is not None:
            handler(self, message)

    def _body_stopped(self, message: msg.Stopped) -> None:
        (self._abandoned if message.abandoned else self._stopped).append(message.number)
        self._crew.ended(message.number)

    def _place_free(self, message: msg.PlaceFree) -> None:
        self._waits_for_place = False

    def _inbox_changed(self, message: msg.InboxChanged) -> None:
        self._inbox.changed(self.actor_ref)

    def _inbox_read(self, message: msg.InboxRead) -> None:
        if message.error is not None:
            raise message.error
        self._handle(self._inbox.take(message.messages))
        if self._inbox.stale:
            self._inbox.changed(self.actor_ref)

    def _handle(self, messages: Sequence[Any]) -> None:
        for envelope in messages:
            self._advance(Handle(envelope.version, envelope.event_id, envelope.payload))

    def _node_actor_failed(self, failure: ChildFailed) -> None:
        number = self._crew.number_of(failure.ref)
        node = self._state.node_executions.get(number)
        if node is not None:
            error, name = str(failure.error), type(failure.error).__name__
            self._advance(Report(number, node.attempt, (), "failed", error or name, name, expected=False))
            self._crew.ended(number)

    def on_turn_end(self) -> None:
        decider = self._decider
        if decider is None:
            return
        if self._stopped or self._abandoned:
            stopped, self._stopped = tuple(self._stopped), []
            abandoned, self._abandoned = tuple(self._abandoned), []
            self._advance(BodiesStopped(stopped, abandoned))
        if decider.state.stopping is not None and not self._cancelled:
            self._cancelled = True
            idle = self._crew.cancel(self._env.timing.grace, decider.state.running)
            self._advance(BodiesStopped(idle))
        self._schedule()
        if not self._crew.ahead or len(self._writer.drafts) >= BATCH:
            self._writer.flush(decider, lead=self._crew.idle and self.dispatcher.idle and self._env.quiet)
        self._rest()

    # -- deciding ----------------------------------------------------------------------------------------------------

    @property
    def _state(self) -> GraphExecution:
        assert self._decider is not None
        return self._decider.state

    def _advance(self, command: Command) -> list[Draft]:
        assert self._decider is not None
        drafts = self._decider.advance(command, self._env.clock())
        for draft in drafts:
            payload = draft.payload
            if type(payload) is NodeQueued:
                self._ready.add(payload.node_exec, self._kind(payload.node_id))
            elif type(payload) is ExecutionResumed:
                self._cancelled = False
                self._queue_all()
        self._writer.drafts.extend(drafts)
        return drafts

    def _kind(self, node_id: str) -> str:
        """Which places its body needs; nodes that run no body here need none."""
        assert self._decider is not None
        node = self._decider.plan.nodes[node_id]
        if node.block_type is BlockType.AGENT:
            return CHILD
        if (
            node.block_type is BlockType.HUMAN_IN_THE_LOOP
            and self._state.settings.human_in_the_loop_safe_mode
        ):
            return CHILD
        return node.block.execution

    # -- starting bodies ---------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        state = self._state
        if not self._ready or state.stopping is not None or state.status is not _RUNNING:
            return
        hands = self._ready.take(self._env.slots)
        if hands:
            children = {
                n: child_execution_id(self._id, n) for n, kind in hands.items() if self._is_agent(n, kind)
            }
            drafts = self._advance(Start(tuple(hands), children))
            for draft in drafts:
                if type(draft.payload) is NodeStarted:
                    self._begin(state.node_executions[draft.payload.node_exec], hands)
            self._crew.wait_for(state.version)
            self._crew.give_back(hands.values())
        if self._ready and not self._waits_for_place:
            self._waits_for_place = True
            ref = self.actor_ref
            self._env.slots.wait(lambda: ref.tell_system(msg.PlaceFree()))

    def _is_agent(self, number: int, kind: str) -> bool:
        assert self._decider is not None
        node = self._state.node_executions.get(number)
        if kind != CHILD or node is None:
            return False
        return self._decider.plan.nodes[node.node_id].block_type is BlockType.AGENT

    def _begin(self, node: NodeExecution, hands: dict[int, str]) -> None:
        """Runs a pure body at once; all others when their start is durable."""
        assert self._decider is not None
        kind = hands.pop(node.number)
        if kind == CHILD and not node.child_id:
            data = node.data
            editable = bool(data.get("editable", True))
            name = str(data.get("name", ""))
            self._advance(RequestReview(node.number, node.attempt, name, data.get("data"), editable))
            return
        block = self._decider.plan.nodes[node.node_id].block
        hand = Hand(kind, Work(node.number, node.attempt, node.occurrence, block, node.data, self._state.context(node)))
        if kind == CHILD or block.effects:
            self._crew.hold(hand)
        else:
            self._crew.run(hand, ahead=kind == "inline")

    def _spawn_node(self, work: Work) -> ActorRef[Any]:
        return self.spawn(NodeExecutionActor, self.actor_ref, self._env, work)

    def _launch(self, number: int) -> None:
        assert self._decider is not None
        launch_child(
            self._env, self._decider.plan, self._state, self._state.node_executions[number], self.actor_ref
        )

    # -- recording ---------------------------------------------------------------------------------------------------

    def _on_recorded(self, result: Appended | Exception) -> None:
        self.actor_ref.tell_system(msg.Recorded(result))

    def _recorded(self, message: msg.Recorded) -> None:
        result, submit = message.result, self._submit
        told = self._writer.recorded(result)
        self._submit = None
        if submit is not None:
            submit.recorded(result if isinstance(result, Exception) else None)
        if isinstance(result, Exception):
            self._lose(result, new=submit is not None)
            return
        for execution_id in told:
            self._env.notify(execution_id)
        for number in self._crew.durable(result.version):
            self._launch(number)
        self._writer.snapshot(self._state)

    def _lose(self, error: Exception, *, new: bool) -> None:
        """A conflict means somebody else owns the stream now: stop without another word. All else is a crash."""
        self._decider = None
        if not new and not isinstance(error, ConflictError):
            raise error
        self.stop()

    def on_stop(self) -> None:
        self._crew.disband()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self._crew.disband()
        if self._submit is not None:
            self._submit.recorded(exception_value)

    # -- resting -----------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Lets go of what is over, or only waits, as soon as everything is recorded."""
        state = self._state
        if state.limits.timeout and state.status is _RUNNING and "limit" not in self._timers:
            self._timers.add("limit")
            passed = (self._env.clock() - state.started_at) / 1e6
            self.call_later(max(0.0, state.limits.timeout - passed), msg.TimedOut())
        if self._writer.busy or self._crew:
            return
        if state.status.is_terminal or state.status is ExecutionStatus.REVIEW:
            self._leave()
        elif self._only_waits() and "linger" not in self._timers:
            self._timers.add("linger")
            self.call_later(self._env.timing.linger, msg.Linger())

    def _only_waits(self) -> bool:
        busy = self._crew or self._ready or self._writer.busy or self._inbox.reading
        return not busy and not self._state.limits.timeout

    def _leave(self) -> None:
        if not self._inbox.reading and self.passivate():
            state = self._state
            self._decider = None
            self._env.left(state)


_SYSTEM: dict[type, Any] = {
    msg.Recorded: GraphExecutionActor._recorded,
    msg.Stopped: GraphExecutionActor._body_stopped,
    msg.PlaceFree: GraphExecutionActor._place_free,
    msg.InboxChanged: GraphExecutionActor._inbox_changed,
    msg.InboxRead: GraphExecutionActor._inbox_read,
    ChildFailed: GraphExecutionActor._node_actor_failed,
}
