"""GraphExecutionActor: owns one graph execution. It alone appends to the execution's stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from actbook.actors import _messages as msg
from actbook.actors._agenda import Agenda
from actbook.actors._attempt import Attempt
from actbook.actors._cashier import Booking, Cashier
from actbook.actors._crew import Crew
from actbook.actors._environment import Environment
from actbook.actors._inbox import InboxReader
from actbook.actors._loading import load_state
from actbook.actors._messages import Work
from actbook.actors._node_execution import NodeExecutionActor
from actbook.actors._past import past_for
from actbook.actors._runtime import Actor, ActorRef, ChildFailed, TimerHandle
from actbook.actors._writing import BATCH, StreamWriter
from actbook.events import (
    Appended,
    BodiesStopped,
    Create,
    ExecutionStatus,
    Fail,
    GraphExecution,
    Past,
    Report,
)
from actbook.graphs import Plan
from actbook.journal import ConflictError, UnencodableError

_PROMPT = 0.005
"""Seconds within which bodies that were told to stop mostly have."""


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
        self._agenda: Agenda | None = None
        self._writer = StreamWriter(env, execution_id, self._on_recorded)
        self._inbox = InboxReader(env.inbox_reads, execution_id)
        self._crew = Crew(env.slots, self._attempt, self._spawn_node, lambda: self.dispatcher.has_time)
        self._stopped: list[int] = []
        self._abandoned: list[int] = []
        self._woken = False
        self._leading = False
        self._led: Appended | Exception | None = None
        self._lingers = False
        self._held: TimerHandle | None = None
        self._alarm = 0
        self._me = self.actor_ref
        # Node executions report their end themselves.
        self.watches_children = False

    def on_start(self) -> Any:
        submit = self._submit
        if submit is None or self._again:
            return self._rebuild()
        if submit.create.parent is not None:
            return self._begin_as_child(submit)
        if self._env.cashier is not None:
            return self._begin_charged(submit, self._env.cashier)
        self._begin_with(submit)
        return None

    async def _begin_charged(self, submit: msg.Submit, cashier: Cashier) -> None:
        await cashier.open(submit.create.user_id)
        self._begin_with(submit)

    async def _begin_as_child(self, submit: msg.Submit) -> None:
        """The parent may have been stopped meanwhile: what it told its child comes before any body starts."""
        if self._env.cashier is not None:
            await self._env.cashier.open(submit.create.user_id)
        self._begin_with(submit, await self._inbox.catch_up(0))

    def _begin_with(self, submit: msg.Submit, messages: Sequence[Any] = ()) -> None:
        agenda = self._own(submit.plan, GraphExecution(settings=submit.create.settings), submit.create)
        agenda.advance(submit.create)
        self._take_over(agenda, messages, found=False)
        self.on_turn_end()

    async def _rebuild(self) -> None:
        env = self._env
        state = await load_state(env.journal, self._id)
        submit = self._submit
        if submit is not None:
            if state is None:
                await self._begin_as_child(submit)
                return
            self._answer(None)
        if state is None or (self._doubt and state.worker != env.worker):
            env.claims.drop(self._id)
            self.stop()
            return
        if env.cashier is not None:
            await env.cashier.open(state.user_id)
        self._writer.begin(state)
        if self._doom:
            # Whatever crashes it again and again is left out: the end needs neither its graph nor its messages.
            plan = Plan(graph_id=state.graph_id, version=state.graph_version, nodes={}, starting=())
            self._own(plan, state).advance(Fail(self._doom))
        else:
            plan = await env.plans.plan_of(state)
            messages = await self._inbox.catch_up(state.inbox_version)
            past = await past_for(env.journal, state, messages)
            self._take_over(self._own(plan, state), messages, found=True, past=past)
        self.on_turn_end()

    def _own(self, plan: Plan, state: GraphExecution, create: Create | None = None) -> Agenda:
        self._env.rank(self._id, state.settings.priority)
        self._agenda = agenda = Agenda(self._env, plan, state, self._writer, self._crew, self._me)
        if self._env.cashier is not None:
            self._charge(agenda, self._env.cashier, create or state)
        return agenda

    def _charge(self, agenda: Agenda, cashier: Cashier, run: Create | GraphExecution) -> None:
        agenda.decider.meter = meter = cashier.meter(run)
        self._writer.booking = None if meter is None else Booking(cashier, meter)

    def _take_over(
        self, agenda: Agenda, messages: Sequence[Any], *, found: bool, past: Past | None = None
    ) -> None:
        agenda.past = past
        agenda.take_over(messages, found=found)
        if self._inbox.stale:
            self._inbox.changed(self._me)

    # -- messages ----------------------------------------------------------------------------------------------------

    def on_receive(self, message: Any) -> None:
        agenda = self._agenda
        if agenda is None:
            return
        kind = type(message)
        if kind is Report:
            agenda.advance(message)
            if message.outcome is not None:
                self._crew.ended(message.number)
        elif kind is msg.Overdue:
            self._held = None
        elif kind is msg.Linger:
            self._lingers = False
            if self._only_waits(agenda):
                self._leave(agenda)

    def on_system(self, message: Any) -> None:
        agenda = self._agenda
        if agenda is None:
            if type(message) is msg.InboxChanged:
                self._inbox.changed(self._me, ready=False)
            return
        handler = self._SYSTEM.get(type(message))
        if handler is not None:
            handler(self, agenda, message)

    def _body_stopped(self, agenda: Agenda, message: msg.Stopped) -> None:
        (self._abandoned if message.abandoned else self._stopped).append(message.number)
        self._crew.ended(message.number)

    def _place_free(self, agenda: Agenda, message: msg.PlaceFree) -> None:
        self._woken = True

    def _admitted(self, agenda: Agenda, message: msg.Admitted) -> None:
        agenda.admitted(message.number)

    def _launched(self, agenda: Agenda, message: msg.Launched) -> None:
        agenda.launched(message)

    def _inbox_changed(self, agenda: Agenda, message: msg.InboxChanged) -> None:
        if self._inbox.fits(message.news):
            agenda.hear(self._inbox.take(message.news))
        else:
            self._inbox.changed(self._me)

    def _due(self, agenda: Agenda, message: msg.Due) -> None:
        self._alarm = 0
        agenda.wake()

    def _inbox_read(self, agenda: Agenda, message: msg.InboxRead) -> None:
        if message.error is not None:
            raise message.error
        agenda.hear(self._inbox.take(message.messages))
        if self._inbox.stale:
            self._inbox.changed(self._me)

    def _node_actor_failed(self, agenda: Agenda, failure: ChildFailed) -> None:
        number = self._crew.number_of(failure.ref)
        if agenda.crashed(number, failure.error):
            self._crew.ended(number)

    def on_turn_end(self) -> None:
        agenda = self._agenda
        if agenda is None:
            return
        if self._stopped or self._abandoned:
            stopped, self._stopped = tuple(self._stopped), []
            abandoned, self._abandoned = tuple(self._abandoned), []
            agenda.advance(BodiesStopped(stopped, abandoned))
        state = agenda.state
        if agenda.ready:
            agenda.schedule()
        if agenda.told or (state.stopping is not None and not agenda.cancelled):
            self._hold_back(agenda)
        if self._woken:
            self._woken = False
            self._env.slots.answered(self._me)
        if state.limits.timeout or state.retries or agenda.asleep:
            self._watch_time(agenda)
        writer, crew = self._writer, self._crew
        if self._held is not None and self._holds_on(crew):
            return
        if writer.drafts and (not crew.ahead or len(writer.drafts) >= BATCH):
            self._flush(agenda)
        if not crew and self._agenda is not None:
            self._rest(agenda)

    def _holds_on(self, crew: Crew) -> bool:
        if not crew and self._held is not None:
            self._held.cancel()
            self._held = None
        return self._held is not None

    def _hold_back(self, agenda: Agenda) -> None:
        """Most bodies stop soon: then the stop and its end are one append. The request for it is durable."""
        state = agenda.state
        # What was to be started may have been the end of the run: nobody told the bodies.
        if state.stopping is not None and not agenda.cancelled:
            idle = agenda.cancel_bodies()
            if idle or not self._crew:
                agenda.advance(BodiesStopped(idle))
        agenda.told = False
        if self._crew and state.stopping is not None and not agenda.decider.downward:
            self._held = self.call_later(_PROMPT, msg.Overdue())

    def _attempt(self, work: Work) -> Attempt:
        return Attempt(self._me, self._env, work)

    def _spawn_node(self, attempt: Attempt) -> ActorRef[Any]:
        return self.spawn(NodeExecutionActor, attempt)

    # -- recording ---------------------------------------------------------------------------------------------------

    def _on_recorded(self, result: Appended | Exception) -> None:
        if self._leading:
            self._led = result
        else:
            self._me.tell_system(msg.Recorded(result))

    def _recorded(self, agenda: Agenda, message: msg.Recorded) -> None:
        self._go_on(agenda, message.result)

    def _go_on(self, agenda: Agenda, result: Appended | Exception) -> None:
        told = self._writer.recorded(result)
        if isinstance(result, Exception):
            self._lose(result)
            return
        self._answer(None)
        self._env.living[self._id] = agenda.state
        if told:
            parent = agenda.state.parent
            for execution_id, news in told.items():
                # Children are told to stop, and nothing else.
                urgent = parent is None or execution_id != parent.execution_id
                self._env.notify(execution_id, urgent, tuple(news))
        for number in self._crew.durable(result.version):
            agenda.launch(number)
        self._writer.snapshot(agenda.state)

    def _flush(self, agenda: Agenda) -> None:
        """Writes what was decided. Where nothing else is to do it is written here and now, and this turn goes on."""
        env = self._env
        can_wait = env.quiet or (agenda.cancelled and env.at_rest)
        self._leading = can_wait and self._crew.idle and self.dispatcher.idle
        try:
            self._writer.flush(agenda.decider, lead=self._leading)
        except UnencodableError as error:
            self._lose(error)
        finally:
            self._leading = False
        led, self._led = self._led, None
        if led is not None:
            self._go_on(agenda, led)

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
        self._agenda = None
        new = self._answer(error)
        if isinstance(error, ConflictError):
            self._env.lost(self._id, new=new)
        elif not new:
            raise error
        self.stop()

    def on_stop(self) -> None:
        self._disband()

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        if self._agenda is not None:
            state = self._agenda.state
            self._env.crashed(self._id, state.user_id, state.graph_id)
        self._disband()

    def _disband(self) -> None:
        self._writer.drop()
        self._env.living.pop(self._id, None)
        self._env.slots.leave(self._me)
        self._crew.disband()

    # -- resting -----------------------------------------------------------------------------------------------------

    def _rest(self, agenda: Agenda) -> None:
        """Lets go of what is over, or only waits, as soon as everything is recorded."""
        state = agenda.state
        if self._writer.busy or self._crew or agenda.launching:
            return
        if state.status.is_terminal or state.status is ExecutionStatus.REVIEW or agenda.asleep:
            self._leave(agenda)
        elif self._only_waits(agenda) and not self._lingers:
            self._lingers = True
            self._env.idle(self._id)
            self.call_later(self._env.timing.linger, msg.Linger())

    def _watch_time(self, agenda: Agenda) -> None:
        due = agenda.next_due()
        if due and due != self._alarm:
            self._alarm = due
            self._env.wake_at(self._id, due)

    def _only_waits(self, agenda: Agenda) -> bool:
        return not (
            self._crew
            or agenda.ready
            or self._writer.busy
            or self._inbox.reading
            or agenda.launching
            or agenda.waits_for_permits
        )

    def _leave(self, agenda: Agenda) -> None:
        if self._inbox.reading:
            return
        if self.passivate():
            self._agenda = None
            self._env.living.pop(self._id, None)
            self._env.slots.leave(self._me)
            self._env.left(agenda.state)
            if agenda.deaf:
                self._env.notify(self._id)
        else:
            # Most likely a node execution is about to end: try again when it has.
            self.watches_children = True

    _SYSTEM: ClassVar[dict[type, Callable[[Any, Agenda, Any], None]]] = {
        msg.Recorded: _recorded,
        msg.Stopped: _body_stopped,
        msg.Launched: _launched,
        msg.PlaceFree: _place_free,
        msg.Admitted: _admitted,
        msg.Due: _due,
        msg.InboxChanged: _inbox_changed,
        msg.InboxRead: _inbox_read,
        ChildFailed: _node_actor_failed,
    }
