"""GraphExecutionActor: owns one graph execution. It alone appends to the execution's stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from actbook.actors import _messages as msg
from actbook.actors._crew import Crew, Hand
from actbook.actors._environment import Environment
from actbook.actors._inbox import InboxReader
from actbook.actors._launch import Launch, child_execution_id
from actbook.actors._loading import load_state
from actbook.actors._messages import Work
from actbook.actors._needs import Needs
from actbook.actors._node_execution import NodeExecutionActor
from actbook.actors._ready import UNPLACED, Ready
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
    NodeReviewDecided,
    NodeStarted,
    Report,
    RequestReview,
    ResumeRequested,
    Start,
)
from actbook.graphs import Plan
from actbook.journal import ConflictError, UnencodableError

_RUNNING = ExecutionStatus.RUNNING


class GraphExecutionActor(Actor):
    """Rebuilt from its stream whenever it starts, except for a new execution, which begins with `submit`.

    Commands are decided as messages come in; what a turn decided is one append; effectful bodies start when the append
    that started them is durable, pure ones run ahead of it. `doom` ends the execution as FAILED with that text; `again`:
    an earlier actor crashed before it knew that its `submit` was recorded; `doubt` lets go of the execution if another worker
    has claimed it meanwhile.
    """

    def __init__(
        self,
        env: Environment,
        execution_id: str,
        submit: msg.Submit | None = None,
        doom: str = "",
        *,
        again: bool = False,
        doubt: bool = False,
    ) -> None:
        super().__init__()
        self._env = env
        self._id = execution_id
        self._submit = submit
        self._doom = doom
        self._again = again
        self._doubt = doubt
        self._launching = 0
        self._decider: Decider | None = None
        self._writer = StreamWriter(env, execution_id, self._on_recorded)
        self._inbox = InboxReader(env, execution_id)
        self._crew = Crew(env.slots, self._spawn_node)
        self._ready = Ready()
        self._stopped: list[int] = []
        self._abandoned: list[int] = []
        self._cancelled = False
        self._woken = False
        self._timers: set[str] = set()
        self._me = self.actor_ref
        # Node executions report their end themselves.
        self.watches_children = False

    def on_start(self) -> Any:
        submit = self._submit
        if submit is None or self._again:
            return self._rebuild()
        if submit.create.parent is not None:
            return self._begin_as_child(submit)
        self._begin_with(submit)
        return None

    async def _begin_as_child(self, submit: msg.Submit) -> None:
        """The parent may have been stopped meanwhile: what it told its child comes before any body starts."""
        self._begin_with(submit, await self._inbox.catch_up(0))

    def _begin_with(self, submit: msg.Submit, messages: Sequence[Any] = ()) -> None:
        self._own(submit.plan, GraphExecution(settings=submit.create.settings))
        self._advance(submit.create)
        self._take_over(messages, found=False)
        self.on_turn_end()

    async def _rebuild(self) -> None:
        env = self._env
        state = await load_state(env.journal, self._id)
        submit = self._submit
        if submit is not None:
            if state is None:
                self._begin_with(submit, await self._inbox.catch_up(0))
                return
            self._answer(None)
        if state is None or (self._doubt and state.worker != env.worker):
            self.stop()
            return
        self._writer.begin(state.version)
        if self._doom:
            # Whatever crashes it again and again is left out: the end needs neither its graph nor its messages.
            self._own(
                Plan(graph_id=state.graph_id, version=state.graph_version, nodes={}, starting=()), state
            )
            self._advance(Fail(self._doom))
        else:
            plan = await env.plans.plan_of(state)
            messages = await self._inbox.catch_up(state.inbox_version)
            self._own(plan, state)
            self._take_over(messages, found=True)
        self.on_turn_end()

    def _own(self, plan: Plan, state: GraphExecution) -> None:
        self._decider = Decider(plan, state)
        self._needs = Needs(plan, state.settings)

    def _take_over(self, messages: Sequence[Any], *, found: bool) -> None:
        """Claims, and hears what the inbox holds: what has not begun hears first, as it may be told not to begin."""
        state = self._state
        back = state.worker == self._env.worker
        fresh = state.status in (ExecutionStatus.INCOMPLETE, ExecutionStatus.QUEUED)
        if fresh:
            self._handle(messages)
        if self._goes_on(messages):
            self._advance(Claim(self._env.worker))
        if found:
            self._queue_all(back=back)
        if not fresh:
            self._handle(messages)
        if self._inbox.stale:
            self._inbox.changed(self._me)

    def _goes_on(self, messages: Sequence[Any]) -> bool:
        """Whether there may be something to do; otherwise it is left alone, and not even claimed."""
        status = self._state.status
        if status.is_terminal:
            return any(type(message.payload) is ResumeRequested for message in messages)
        return bool(messages) or status is not ExecutionStatus.REVIEW

    def _queue_all(self, *, back: bool = False) -> None:
        """Queues what an owner finds: what waits to start, and what ran under an earlier one."""
        state = self._state
        for number in (*state.running, *state.ready):
            node = state.node_executions[number]
            if node.status is _RUNNING and node.child_id:
                self._launch(number, back=back)
            elif node.status is not _RUNNING or state.is_interrupted(node):
                self._ready.add(number, self._needs.of(node.node_id).kind)

    # -- messages ----------------------------------------------------------------------------------------------------

    def on_receive(self, message: Any) -> None:
        if self._decider is None:
            return
        kind = type(message)
        if kind is Report:
            self._advance(message)
            if message.outcome is not None:
                self._crew.ended(message.number)
        elif kind is msg.TimedOut:
            self._advance(Fail(f"Graph execution exceeded {self._state.limits.timeout:g}s wall-clock cap"))
        elif kind is msg.Linger:
            self._timers.discard("linger")
            if self._only_waits():
                self._leave()

    def on_system(self, message: Any) -> None:
        if self._decider is None:
            if type(message) is msg.InboxChanged:
                self._inbox.changed(self._me, ready=False)
            return
        handler = self._SYSTEM.get(type(message))
        if handler is not None:
            handler(self, message)

    def _body_stopped(self, message: msg.Stopped) -> None:
        (self._abandoned if message.abandoned else self._stopped).append(message.number)
        self._crew.ended(message.number)

    def _place_free(self, message: msg.PlaceFree) -> None:
        self._woken = True

    def _launched(self, message: msg.Launched) -> None:
        self._launching -= 1
        if message.error:
            self._advance(Report(message.number, message.attempt, (), "failed", message.error))

    def _inbox_changed(self, message: msg.InboxChanged) -> None:
        self._inbox.changed(self._me)

    def _inbox_read(self, message: msg.InboxRead) -> None:
        if message.error is not None:
            raise message.error
        self._handle(self._inbox.take(message.messages))
        if self._inbox.stale:
            self._inbox.changed(self._me)

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
        if self._ready:
            self._schedule()
        if self._woken:
            self._woken = False
            self._env.slots.answered(self._me)
        if decider.state.limits.timeout:
            self._watch_limit()
        writer, crew = self._writer, self._crew
        if writer.drafts and (not crew.ahead or len(writer.drafts) >= BATCH):
            self._flush(decider)
        if not crew and self._decider is not None:
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
            if isinstance(payload, NodeQueued):
                self._ready.add(payload.node_exec, self._needs.of(payload.node_id).kind)
            elif isinstance(payload, ExecutionResumed):
                self._cancelled = False
                self._queue_all()
            elif isinstance(payload, NodeReviewDecided):
                self._go_on_after_review(payload.node_exec)
        self._writer.drafts.extend(drafts)
        return drafts

    # -- starting bodies ---------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        state = self._state
        if state.stopping is not None or state.status is not _RUNNING:
            return
        hands = self._ready.take(self._env.slots, self._me)
        if hands:
            try:
                drafts = self._advance(Start(tuple(hands), self._children(hands)))
                for draft in drafts:
                    if type(draft.payload) is NodeStarted:
                        self._begin(state.node_executions[draft.payload.node_exec], hands)
                self._crew.wait_for(state.version)
            finally:
                self._crew.give_back(hands.values())
        if self._ready:
            ref = self._me
            self._env.slots.wait(ref, self._ready.kinds, lambda: ref.tell_system(msg.PlaceFree()))

    def _children(self, hands: dict[int, str]) -> dict[int, str]:
        """Execution ids for the sub-graphs among what is about to start."""
        children: dict[int, str] = {}
        for number, kind in hands.items():
            node = self._state.node_executions.get(number) if kind is UNPLACED else None
            if node is not None and self._needs.of(node.node_id).role == "child":
                children[number] = child_execution_id(self._id, number, node.attempt + 1)
        return children

    def _begin(self, node: NodeExecution, hands: dict[int, str]) -> None:
        """Runs a pure body at once; all others when their start is durable."""
        number, data = node.number, node.data
        role, kind, block, gated = self._needs.of(node.node_id)
        if role == "review":
            del hands[number]
            editable = bool(data.get("editable", True))
            self._advance(
                RequestReview(number, node.attempt, str(data.get("name", "")), data.get("data"), editable)
            )
            return
        if gated and not (node.review is not None and node.review.approved):
            # Its place goes back with the others that were not needed.
            self._advance(RequestReview(number, node.attempt, block.name, data))
            return
        del hands[number]
        if gated and node.review is not None:
            data = node.review.data
        work = Work(number, node.attempt, node.occurrence, block, data, self._state.context(node))
        if role == "child" or block.effects:
            self._crew.hold(Hand(kind, work))
        else:
            self._crew.run(Hand(kind, work), ahead=kind == "inline")

    def _go_on_after_review(self, number: int) -> None:
        """An approved action runs now; a review of data alone is over with its decision."""
        node = self._state.node_executions.get(number)
        if node is not None and node.status is _RUNNING and self._state.is_interrupted(node):
            self._ready.add(number, self._needs.of(node.node_id).kind)

    def _spawn_node(self, work: Work) -> ActorRef[Any]:
        return self.spawn(NodeExecutionActor, self._me, self._env, work)

    def _launch(self, number: int, *, back: bool = False) -> None:
        assert self._decider is not None
        self._launching += 1
        node = self._state.node_executions[number]
        Launch(self._env, self._decider.plan, self._state, node, self._me, back=back).begin()

    # -- recording ---------------------------------------------------------------------------------------------------

    def _on_recorded(self, result: Appended | Exception) -> None:
        self._me.tell_system(msg.Recorded(result))

    def _recorded(self, message: msg.Recorded) -> None:
        result = message.result
        told = self._writer.recorded(result)
        if isinstance(result, Exception):
            self._lose(result)
            return
        self._answer(None)
        for execution_id in told:
            self._env.notify(execution_id)
        for number in self._crew.durable(result.version):
            self._launch(number)
        self._writer.snapshot(self._state)

    def _flush(self, decider: Decider) -> None:
        try:
            self._writer.flush(decider, lead=self._crew.idle and self.dispatcher.idle and self._env.quiet)
        except UnencodableError as error:
            self._lose(error)

    def _answer(self, error: Exception | None) -> bool:
        """Tells the submitter what became of the submission; whether there was one."""
        submit, self._submit = self._submit, None
        if submit is not None:
            submit.recorded(error)
        return submit is not None

    def _lose(self, error: Exception) -> None:
        """A conflict means somebody else owns the stream now: stop without another word. All else is a crash.

        A submission that could not be recorded is no execution: whoever made it may try again.
        """
        self._decider = None
        new = self._answer(error)
        if isinstance(error, ConflictError):
            self._env.lost(self._id, new=new)
        elif not new:
            raise error
        self.stop()

    def on_stop(self) -> None:
        self._disband()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self._disband()

    def _disband(self) -> None:
        self._env.slots.leave(self._me)
        self._crew.disband()

    # -- resting -----------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Lets go of what is over, or only waits, as soon as everything is recorded."""
        state = self._state
        if self._writer.busy or self._crew:
            return
        if state.status.is_terminal or state.status is ExecutionStatus.REVIEW:
            self._leave()
        elif self._only_waits() and "linger" not in self._timers:
            self._timers.add("linger")
            self.call_later(self._env.timing.linger, msg.Linger())

    def _watch_limit(self) -> None:
        state = self._state
        if state.status is _RUNNING and "limit" not in self._timers:
            self._timers.add("limit")
            passed = (self._env.clock() - state.started_at) / 1e6
            self.call_later(max(0.0, state.limits.timeout - passed), msg.TimedOut())

    def _only_waits(self) -> bool:
        busy = self._crew or self._ready or self._writer.busy or self._inbox.reading or self._launching
        return not busy and not self._state.limits.timeout

    def _leave(self) -> None:
        if self._inbox.reading:
            return
        if self.passivate():
            state = self._state
            self._decider = None
            self._env.slots.leave(self._me)
            self._env.left(state)
        else:
            # Most likely a node execution is about to end: try again when it has.
            self.watches_children = True

    _SYSTEM: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        msg.Recorded: _recorded,
        msg.Stopped: _body_stopped,
        msg.Launched: _launched,
        msg.PlaceFree: _place_free,
        msg.InboxChanged: _inbox_changed,
        msg.InboxRead: _inbox_read,
        ChildFailed: _node_actor_failed,
    }
