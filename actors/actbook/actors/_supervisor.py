"""Supervisor: one per engine. It starts graph execution actors, keeps them alive, and passes on what concerns them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from actbook.actors import _messages as msg
from actbook.actors._environment import Environment
from actbook.actors._execution_log import ExecutionLog
from actbook.actors._graph_execution import GraphExecutionActor
from actbook.actors._line import Line
from actbook.actors._runtime import Actor, ActorRef, ChildFailed, ChildStopped, SupervisionPolicy
from actbook.actors._submission_error import SubmissionError
from actbook.events import Append, Appended, Decider, GraphExecution
from actbook.journal import ConflictError, JournalError, UndecodableError, UnencodableError, UpcastError

logger = logging.getLogger("actbook.supervisor")


# Nothing that the store could do better later.
_HOPELESS = (UnencodableError, UndecodableError, UpcastError)


class _GaveUp(NamedTuple):
    execution_id: str
    error: BaseException
    doomed: bool


class Supervisor(Actor):
    """A crashed graph execution is rebuilt from its stream, a bounded number of times in a window; then it is FAILED.

    A store that fails is nobody's crash: such an execution is tried again later, for as long as it takes.

    At most `max_active` executions are in memory at once; the others wait in their streams, those of a higher priority in
    front, and among equals those that came first. A new sub-graph never waits, since its parent waits for it, nor does one
    that is to stop: so there may be more for a moment, until those that only wait have left. They leave at once when
    somebody else wants a place.
    """

    # When many are told of something, the first ones have decided and are being written while the last ones hear of it.
    messages_per_turn = 16

    def __init__(self, env: Environment, *, max_active: int, policy: SupervisionPolicy) -> None:
        super().__init__()
        self._env = env
        self._max_active = max_active
        self._policy = policy
        self._active: set[str] = set()
        self._missed: dict[str, bool] = {}
        self._doubted: dict[str, bool] = {}
        self._submitted: dict[str, list[Callable[[Exception | None], object]]] = {}
        self._backlog: Line[str, None] = Line()
        self._idle: dict[str, None] = {}
        env.claims.connect(self._room)

    def on_receive(self, message: Any) -> None:
        if type(message) is msg.Submit:
            self._accept(message)
        elif type(message) is msg.Notify:
            self._notify(message.execution_id, msg.InboxChanged(message.news), message.urgent)
        elif type(message) is msg.Due:
            self._notify(message.execution_id, message)
        elif type(message) is msg.Lost:
            self._lost(message)
        elif type(message) is msg.Idle:
            self._idle[message.execution_id] = None
            if self._backlog:
                self._make_room()
        elif type(message) is _GaveUp:
            self._gave_up(message)

    def _room(self) -> int:
        return self._max_active - len(self._active) - len(self._backlog)

    def _is_full(self) -> bool:
        # What is being claimed for a place here could run at once in another worker.
        return len(self._active) + self._env.claims.taken() >= self._max_active

    def _lost(self, message: msg.Lost) -> None:
        """Where workers share a store, one that was there already may be somebody else's."""
        execution_id = message.execution_id
        if message.new:
            self._env.claims.drop(execution_id)
        if message.new and not self._env.claims.owns(execution_id):
            self._env.claims.want(execution_id, False)
        else:
            self._doubted[execution_id] = not message.new
        if execution_id not in self._active:
            self._left(execution_id)

    def on_system(self, message: Any) -> None:
        if type(message) is ChildStopped and message.ref.name:
            self._left(message.ref.name)
        elif type(message) is ChildFailed:
            log = self._log(message.ref.name or "")
            log.warning("Graph execution #%s crashed: %s", message.ref.name, message.error)

    def _accept(self, message: msg.Submit) -> None:
        execution_id = message.create.execution_id
        if execution_id in self._submitted:
            self._submitted[execution_id].append(message.recorded)
        elif execution_id in self._active:
            self._env.background(self._look(message))
        elif message.create.parent is None and self._is_full():
            self._record(self._heard_by_all(message))
        else:
            self._start(execution_id, self._heard_by_all(message))

    async def _look(self, message: msg.Submit) -> None:
        """It is there already, or an actor looks for what is not there yet, since a stop came first, and leaves."""
        execution_id = message.create.execution_id
        try:
            version = await self._env.journal.head(execution_id)
        except JournalError as error:
            message.recorded(error)
            return
        if version:
            message.recorded(ConflictError(execution_id, 0, version))
        elif self.actor_ref.is_alive():
            self.actor_ref.tell(message)

    def _heard_by_all(self, message: msg.Submit) -> msg.Submit:
        """Whoever submits the same execution before it is recorded hears of it, too: that it was there already."""
        execution_id = message.create.execution_id
        self._submitted[execution_id] = [message.recorded]

        def recorded(error: Exception | None) -> None:
            for answer in self._submitted.pop(execution_id, ()):
                answer(error)
                error = error or ConflictError(execution_id, 0, 1)

        return message._replace(recorded=recorded)

    def _record(self, message: msg.Submit) -> None:
        """Keeps a new execution in its stream until there is room for it in memory."""
        create, env = message.create, self._env

        def done(result: Appended | Exception) -> None:
            message.recorded(result if isinstance(result, Exception) else None)
            env.notify(create.execution_id)

        priority = create.settings.priority
        env.rank(create.execution_id, priority)
        drafts = Decider(message.plan, GraphExecution()).advance(create, env.clock())
        append = Append(
            create.execution_id,
            0,
            drafts,
            create.user_id,
            create.execution_id,
            lifecycle="open",
            priority=priority,
        )
        try:
            env.journal.submit(append, done)
        except JournalError as error:
            message.recorded(error)

    def _notify(self, execution_id: str, news: msg.InboxChanged | msg.Due, urgent: bool = False) -> None:
        self._env.claims.came(execution_id)
        ref = self.system.find(execution_id)
        if ref is not None:
            ref.tell_system(news)
        elif execution_id in self._active:
            # It just left, or crashed and is about to be rebuilt: looked at again when that is known.
            self._missed[execution_id] = urgent or self._missed.get(execution_id, False)
        elif not self._env.claims.owns(execution_id):
            self._env.claims.want(execution_id, urgent)
        elif urgent:
            self._backlog.discard(execution_id)
            self._start(execution_id)
        elif len(self._active) < self._max_active:
            self._start(execution_id)
        else:
            self._queue(execution_id)
            self._make_room()

    def _queue(self, execution_id: str) -> None:
        self._backlog.add(execution_id, None, self._env.priorities.get(execution_id, 0))

    def _make_room(self) -> None:
        """Asks the one that only waits for the longest time to leave now. It stays if it has something to do again."""
        while self._idle:
            waiting = next(iter(self._idle))
            del self._idle[waiting]
            ref = self.system.find(waiting)
            if ref is not None:
                ref.tell(msg.Linger())
                return

    def _left(self, execution_id: str) -> None:
        self._active.discard(execution_id)
        self._idle.pop(execution_id, None)
        if self.system.is_down:
            return
        if execution_id in self._doubted:
            self._start(execution_id, doubt=self._doubted.pop(execution_id))
        elif execution_id in self._missed:
            urgent = self._missed.pop(execution_id)
            if not self._env.claims.owns(execution_id):
                self._env.claims.want(execution_id, urgent)
            elif urgent:
                self._start(execution_id)
            else:
                self._queue(execution_id)
        while self._backlog and len(self._active) < self._max_active:
            waiting, _ = self._backlog.pop()
            if waiting not in self._active:
                self._start(waiting)
        self._env.claims.room()

    def _start(
        self, execution_id: str, submit: msg.Submit | None = None, *, doom: str = "", doubt: bool = False
    ) -> None:
        self._active.add(execution_id)
        if submit is not None:
            self._env.claims.add(execution_id)
        tell = self.actor_ref.tell

        def give_up(_ref: ActorRef[Any], error: BaseException) -> None:
            tell(_GaveUp(execution_id, error, bool(doom)))

        def unanswered() -> msg.Submit | None:
            return submit if execution_id in self._submitted else None

        factory = _factory(self._env, execution_id, unanswered, doom, doubt)
        self.system.supervise(
            factory, self._policy, name=execution_id, parent=self.actor_ref, on_give_up=give_up
        )

    def _gave_up(self, message: _GaveUp) -> None:
        execution_id, error, doomed = message
        self._missed.pop(execution_id, None)
        self._doubted.pop(execution_id, None)
        self._left(execution_id)
        refusal: Exception
        if isinstance(error, JournalError):
            refusal = error
        else:
            refusal = SubmissionError(execution_id, error)
            refusal.__cause__ = error
        for answer in self._submitted.pop(execution_id, ()):
            answer(refusal)
        log = self._log(execution_id)
        if isinstance(error, JournalError) and not isinstance(error, _HOPELESS):
            log.error("The store fails: %s. Graph execution #%s is tried again later.", error, execution_id)
            self.call_later(self._env.timing.retry_after, msg.Notify(execution_id))
            return
        text = str(error) or type(error).__name__
        if doomed:
            log.critical(
                "Graph execution #%s can't even be ended: %s. It stays as recorded.", execution_id, text
            )
            return
        log.error("Gave up on graph execution #%s: %s", execution_id, text)
        self._start(execution_id, doom=f"Gave up after its actor crashed again and again: {text}")

    def _log(self, execution_id: str) -> ExecutionLog:
        return self._env.log(logger, execution_id, "Supervisor")


def _factory(
    env: Environment, execution_id: str, submit: Callable[[], msg.Submit | None], doom: str, doubt: bool
) -> Callable[[], GraphExecutionActor]:
    """After a crash an actor begins with the submission only while that is not known to be recorded."""
    built = False

    def build() -> GraphExecutionActor:
        nonlocal built
        again, built = built, True
        return GraphExecutionActor(env, execution_id, submit(), doom, again=again, doubt=doubt)

    return build
