"""What is to be done for one graph execution: commands are decided here, and what gets ready is started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actbook.actors import _messages as msg
from actbook.actors._crew import Crew, Hand
from actbook.actors._due_times import DueTimes
from actbook.actors._environment import Environment
from actbook.actors._execution_ids import child_execution_id
from actbook.actors._launch import Launch
from actbook.actors._messages import Work
from actbook.actors._needs import Need, Needs
from actbook.actors._past import NO_PAST, asks_for_past
from actbook.actors._permits import Holder
from actbook.actors._ready import ALL, UNPLACED, Ready
from actbook.actors._runtime import ActorRef
from actbook.actors._writing import StreamWriter
from actbook.events import (
    CancelRequested,
    Claim,
    Command,
    Decider,
    Draft,
    Envelope,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStatus,
    Fail,
    GraphExecution,
    Handle,
    NodeExecution,
    NodeQueued,
    NodeRetryScheduled,
    NodeReviewDecided,
    NodeStarted,
    Past,
    Report,
    RequestReview,
    ResumeRequested,
    RetryRequested,
    Start,
)
from actbook.graphs import Plan

_RUNNING = ExecutionStatus.RUNNING
_NEVER = 2**63


class Agenda:
    """Exists while its actor knows the execution's state. `cancelled`: the bodies were told to stop; `told`: just now.

    `asleep`: there is nothing to do before a time that the state names, so it was not even claimed. `deaf`: what stands in
    the inbox next takes more than is in memory; the actor leaves, and is rebuilt with the `past` that it takes.
    """

    def __init__(
        self,
        env: Environment,
        plan: Plan,
        state: GraphExecution,
        writer: StreamWriter,
        crew: Crew,
        owner: ActorRef[Any],
    ) -> None:
        self.decider = Decider(plan, state)
        self.state = state
        self.ready = Ready()
        self.launching = 0
        self.cancelled = False
        self.told = False
        self.asleep = False
        self.deaf = False
        self.past: Past | None = None
        self._env = env
        self._plan = plan
        self._needs = Needs(plan, state.settings, env.permits)
        self._writer = writer
        self._crew = crew
        self._owner = owner
        self._due_times = DueTimes({})

    def advance(self, command: Command) -> list[Draft]:
        """Decides; what the events make ready is queued, and they go along with the next append."""
        drafts = self.decider.advance(command, self._env.clock())
        for draft in drafts:
            payload: Any = draft.payload
            kind = type(payload)
            if kind is NodeQueued:
                need = self._needs.of(payload.node_id)
                if need.limits:
                    self._line_up(payload.node_exec, payload.node_id)
                else:
                    self.ready.add(payload.node_exec, need.kind)
            elif kind is ExecutionResumed or kind is ExecutionRetried:
                self.cancelled = False
                self.queue_all()
            elif kind is NodeReviewDecided:
                self._go_on_after_review(payload.node_exec)
            elif kind is NodeRetryScheduled:
                self._due_times.add(payload.node_exec, payload.due)
        self._writer.drafts.extend(drafts)
        return drafts

    def take_over(self, messages: Sequence[Any], *, found: bool) -> None:
        """Claims, and hears what the inbox holds: what has not begun hears first, as it may be told not to begin."""
        state = self.state
        back = state.worker == self._env.worker
        # What is over hears first, too: it is claimed only if it goes on.
        hears = state.status in (ExecutionStatus.INCOMPLETE, ExecutionStatus.QUEUED) or state.status.is_final
        if hears:
            self.handle(messages)
        self.asleep = self._is_early(messages)
        if self.asleep:
            self.ready = Ready()
            self._due_times = DueTimes(state.retries)
            return
        if self._goes_on(messages):
            self.advance(Claim(self._env.worker))
        if found and not self.ready:
            self.queue_all(back=back)
        if not hears:
            self.handle(messages)

    def _goes_on(self, messages: Sequence[Any]) -> bool:
        """Whether there may be something to do; otherwise it is left alone, and not even claimed."""
        status = self.state.status
        if status.is_terminal:
            return any(type(message.payload) in (ResumeRequested, RetryRequested) for message in messages)
        return bool(messages) or status is not ExecutionStatus.REVIEW

    def _is_early(self, messages: Sequence[Any]) -> bool:
        """Whether nothing can be done before the start of the run, or before the next attempt of a node, is due."""
        state = self.state
        if state.status is ExecutionStatus.QUEUED:
            return state.start_at > self._env.clock()
        if not state.retries or messages or state.stopping is not None:
            return False
        busy = state.ready or len(state.running) > len(state.retries)
        return not busy and min(self._limit or _NEVER, *state.retries.values()) > self._env.clock()

    def next_due(self) -> int:
        """When there is something to do that nobody tells (µs since the epoch, UTC); 0 = never."""
        state = self.state
        if state.status is not _RUNNING:
            return state.start_at if self.asleep else 0
        if state.stopping is not None:
            return 0
        return min(filter(None, (self._due_times.next, self._limit)), default=0)

    @property
    def _limit(self) -> int:
        """When the run's time is over, counted from its first start; 0 = never."""
        state = self.state
        return state.started_at + round(state.limits.timeout * 1e6) if state.limits.timeout else 0

    def wake(self) -> None:
        """A time that `next_due` named has come."""
        if self.asleep:
            self.take_over((), found=True)
        state, now = self.state, self._env.clock()
        if state.status is not _RUNNING:
            return
        if self._limit and self._limit <= now:
            self.advance(Fail(f"Graph execution exceeded {state.limits.timeout:g}s wall-clock cap"))
            return
        for number in self._due_times.take(now, state.retries):
            self._line_up(number, state.node_executions[number].node_id)

    def hear(self, messages: Sequence[Any]) -> None:
        """News from the inbox."""
        if not self.asleep:
            self.handle(messages)
        elif messages:
            self.take_over(messages, found=True)

    def handle(self, messages: Sequence[Any]) -> None:
        """Decides on inbox messages, in order; those that were decided before change nothing."""
        for envelope in messages:
            past = NO_PAST
            if type(envelope.payload) is CancelRequested and envelope.cause is not None:
                # Its parent stopped it along with itself, and does nothing about how it ends.
                self._writer.parent_listens = False
            if asks_for_past(self.state, envelope.payload):
                self.deaf = self.past is None
            if self.deaf:
                return
            if self.past is not None and type(envelope.payload) in (ResumeRequested, RetryRequested):
                past, self.past = self.past, None
            stopped = self.cancel_bodies() if self._is_stopped_by(envelope) else ()
            self.advance(Handle(envelope.version, envelope.event_id, envelope.payload, past, stopped))

    def _is_stopped_by(self, envelope: Envelope) -> bool:
        if type(envelope.payload) is not CancelRequested:
            return False
        state = self.state
        goes_on = state.stopping is None and not state.status.is_terminal
        return goes_on and envelope.version > state.inbox_version

    def cancel_bodies(self) -> tuple[int, ...]:
        """Tells the bodies to stop; what runs without one, or has stopped at once."""
        self.cancelled = self.told = True
        return self._crew.cancel(self._env.timing.grace, self.state.running)

    def queue_all(self, *, back: bool = False) -> None:
        """Queues what an owner finds: what waits to start, and what ran under an earlier one."""
        state = self.state
        self._due_times = DueTimes(state.retries)
        for number in (*state.running, *state.ready):
            node = state.node_executions[number]
            if node.status is _RUNNING and node.child_id:
                self.launch(number, back=back)
            elif node.status is not _RUNNING or state.is_interrupted(node):
                self._line_up(number, node.node_id)

    def _line_up(self, number: int, node_id: str) -> None:
        """It can start as soon as there is a place, and the limits of its block allow it."""
        need = self._needs.of(node_id)
        if not need.limits or self._is_permitted(number, need):
            self.ready.add(number, need.kind)

    def _is_permitted(self, number: int, need: Need) -> bool:
        node = self.state.node_executions.get(number)
        if node is None:
            return True  # it was skipped: there is nothing to start
        data = node.data
        if need.gated:
            review = node.review
            if review is None or not review.approved:
                return True  # it only asks a person
            data = review.data
        permits = self._crew.permits
        if permits is None:
            owner = self._owner
            self._crew.permits = permits = Holder(
                self._env.permits,
                lambda granted: owner.tell_system(msg.Admitted(granted)),
                self.state.settings.priority,
            )
        return permits.ask(number, need.limits, data)

    def admitted(self, number: int) -> None:
        """The limits of its block allow it to start now."""
        node = self.state.node_executions.get(number)
        if node is not None:
            self.ready.add(number, self._needs.of(node.node_id).kind)
        elif self._crew.permits is not None:
            self._crew.permits.give_back(number)

    @property
    def waits_for_permits(self) -> bool:
        """Whether a limit is all that keeps a node execution from starting."""
        return self._crew.permits is not None and self._crew.permits.waits

    def schedule(self) -> None:
        """Starts what is ready, as far as there are places."""
        state = self.state
        if state.stopping is not None or state.status is not _RUNNING:
            return
        bound, crew = state.limits.concurrency, self._crew
        most = max(0, bound - crew.size) if bound else ALL
        hands = self.ready.take(self._env.slots, self._owner, most)
        if hands:
            try:
                drafts = self.advance(Start(tuple(hands), self._children(hands)))
                for draft in drafts:
                    if type(draft.payload) is NodeStarted:
                        self._begin(state.node_executions[draft.payload.node_exec], hands)
                crew.wait_for(state.version)
            finally:
                crew.give_back(hands.values())
                if crew.permits is not None:
                    crew.permits.withdraw(hands)
        if self.ready and (not bound or crew.size < bound):
            ref, priority = self._owner, state.settings.priority
            self._env.slots.wait(ref, self.ready.kinds, lambda: ref.tell_system(msg.PlaceFree()), priority)

    def _children(self, hands: dict[int, str]) -> dict[int, str]:
        """Execution ids for the sub-graphs among what is about to start."""
        children: dict[int, str] = {}
        for number, kind in hands.items():
            node = self.state.node_executions.get(number) if kind is UNPLACED else None
            if node is not None and self._needs.of(node.node_id).role == "child":
                children[number] = child_execution_id(self.state.id, number, node.attempt + 1)
        return children

    def _begin(self, node: NodeExecution, hands: dict[int, str]) -> None:
        """Runs a pure body at once, unless the store lags; all others when their start is durable."""
        number, data = node.number, node.data
        role, kind, block, gated, timeout, limits = self._needs.of(node.node_id)
        if role == "review":
            del hands[number]
            editable = bool(data.get("editable", True))
            self.advance(
                RequestReview(number, node.attempt, str(data.get("name", "")), data.get("data"), editable)
            )
            return
        if gated and not (node.review is not None and node.review.approved):
            # Its place goes back with the others that were not needed.
            self.advance(RequestReview(number, node.attempt, block.name, data))
            return
        del hands[number]
        if gated and node.review is not None:
            data = node.review.data
        if limits and self._crew.permits is not None:
            self._crew.permits.begun(number)
        work = Work(number, node.attempt, node.occurrence, block, data, self.state.context(node), timeout)
        if role == "child" or block.effects or self._writer.lags:
            self._crew.hold(Hand(kind, work))
        else:
            self._crew.run(Hand(kind, work), ahead=kind == "inline")

    def _go_on_after_review(self, number: int) -> None:
        """An approved action runs now; a review of data alone is over with its decision."""
        node = self.state.node_executions.get(number)
        if node is not None and node.status is _RUNNING and self.state.is_interrupted(node):
            self._line_up(number, node.node_id)

    def launch(self, number: int, *, back: bool = False) -> None:
        """Makes sure that the sub-graph of an AGENT node is being run; the actor hears `Launched`."""
        self.launching += 1
        node = self.state.node_executions[number]
        Launch(self._env, self._plan, self.state, node, self._owner, back=back).begin()

    def launched(self, message: msg.Launched) -> None:
        """A sub-graph is an execution now, or can't be one."""
        self.launching -= 1
        if message.error:
            self.advance(Report(message.number, message.attempt, (), "failed", message.error))

    def crashed(self, number: int, error: BaseException) -> bool:
        """The actor of a node execution broke: that is the node's failure. Whether there was such a node execution."""
        node = self.state.node_executions.get(number)
        if node is None:
            return False
        text, name = str(error), type(error).__name__
        self.advance(Report(number, node.attempt, (), "failed", text or name, name, expected=False))
        return True
