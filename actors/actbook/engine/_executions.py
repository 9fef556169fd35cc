"""Executions: what an engine asks them, and how it hears of their ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actbook.actors import Notify, load_state, wall_clock
from actbook.engine._pending import PendingRevivals
from actbook.engine._watch import Waiters, is_over
from actbook.events import (
    Append,
    CancelRequested,
    Draft,
    Envelope,
    Event,
    ExecutionStatus,
    GraphExecution,
    ResumeRequested,
    RetryRequested,
    inbox_of,
)

if TYPE_CHECKING:
    from actbook.engine._host import Host


class Executions:
    """All of a store, wherever they run. `waiters` wait for ends, `revivals` were asked for and not heard of yet."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.waiters = Waiters()
        self.revivals = PendingRevivals()

    async def ask(self, state: GraphExecution, message: Event) -> None:
        """Puts a message into an execution's inbox, durably, and wakes its owner."""
        whose = (state.user_id, state.correlation_id)
        message_in = Append(inbox_of(state.id), None, [Draft(message, wall_clock())], *whose)
        # What goes along with an append comes back with its answer: the execution need not read it.
        together = Append(state.id, None, [], *whose, also=(message_in,))
        urgent = isinstance(message, CancelRequested)
        answer = await self._host.dismissal.append(together, urgent=urgent)
        self.notify(state.id, urgent=urgent, news=answer.also)

    async def revive(self, state: GraphExecution, message: ResumeRequested | RetryRequested) -> None:
        """The same for an execution that may be over: in this write it is listed as unfinished, so that no owner misses it."""
        reopened = Append(state.id, None, [], lifecycle="open", priority=state.settings.priority)
        draft = Draft(message, wall_clock())
        append = Append(
            inbox_of(state.id), None, [draft], state.user_id, state.correlation_id, also=(reopened,)
        )
        answer = await self._host.dismissal.append(append)
        self.revivals.add(state.id, answer.version)
        self.notify(state.id)

    async def is_reviving(self, state: GraphExecution) -> bool:
        """Whether somebody asked an execution that is over to go on, and its owner has not heard of it yet."""
        if not state.status.is_terminal:
            return False
        news = await self._host.journal.read_stream(inbox_of(state.id), after=state.inbox_version)
        return any(isinstance(event.payload, ResumeRequested | RetryRequested) for event in news)

    def notify(self, execution_id: str, *, urgent: bool = False, news: tuple[Envelope, ...] = ()) -> None:
        """Tells the owner, if it is this process; the bell has told any other. `urgent`: it is to stop."""
        if self._host.is_owner and not self._host.closed:
            self._host.supervisor.tell(Notify(execution_id, urgent, news))

    async def state(self, execution_id: str) -> GraphExecution | None:
        """What is recorded of an execution."""
        return await load_state(self._host.journal, execution_id)

    def running(self, execution_id: str) -> GraphExecution | None:
        """The state of an execution that runs here now, to be looked at and not kept: its actor changes it. None for any other."""
        state = self._host.environment.living.get(execution_id)
        return None if state is None or state.status.is_terminal else state

    async def settled(self, execution_id: str, *, terminal: bool = False) -> GraphExecution | None:
        """Waits, without polling, until the execution is terminal, or in review unless only `terminal` counts.

        None: there is no such execution.
        """
        while True:
            future = self.waiters.add(execution_id)
            try:
                if self._host.system.find(execution_id) is None:
                    state = await self.state(execution_id)
                    if state is None or (is_over(state, terminal) and not await self._is_asked(state)):
                        return state
                state = await future
                if is_over(state, terminal) and not await self._is_asked(state):
                    return state
            finally:
                self.waiters.remove(execution_id, future)

    async def _is_asked(self, state: GraphExecution) -> bool:
        """Whether a parked execution has a message that its owner has not handled yet, so that it is about to go on."""
        if self.revivals.concern(state):
            return True
        if state.status.is_terminal:
            return self.revivals.is_inherited(state.id) and await self.is_reviving(state)
        if state.status is not ExecutionStatus.REVIEW:
            return False
        return await self._host.journal.head(inbox_of(state.id)) > state.inbox_version

    def left(self, state: GraphExecution) -> None:
        """One let go of its memory here."""
        self.revivals.looked_at(state.id)
        if is_over(state):
            self.waiters.resolve(state)
