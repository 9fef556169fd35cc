"""How one execution's decisions get into its stream: batches in order, one append a turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from actbook.actors._cashier import Booking
from actbook.actors._environment import Environment
from actbook.events import Append, Appended, Decider, Draft, ExecutionStatus, GraphExecution, inbox_of

_REVIEW = ExecutionStatus.REVIEW

BATCH = 256
"""From this many drafts on, even an execution that runs ahead of its commits is written."""


class _Flight(NamedTuple):
    told: tuple[str, ...]


class StreamWriter:
    """Appends of one stream, pipelined. `busy` while something decided is not durable yet."""

    def __init__(
        self, env: Environment, execution_id: str, on_recorded: Callable[[Appended | Exception], None]
    ) -> None:
        self.drafts: list[Draft] = []
        self.booking: Booking | None = None
        self._env = env
        self._id = execution_id
        self._on_recorded = on_recorded
        self._expected = 0
        self._snapshot_at = 0
        self._open = False
        self._asleep = False
        self._flights: deque[_Flight] = deque()

    def begin(self, state: GraphExecution) -> None:
        """Where the stream stands when its owner takes over."""
        self._expected = self._snapshot_at = state.version
        self._open = not state.status.is_terminal
        self._asleep = state.status is _REVIEW

    @property
    def busy(self) -> bool:
        return bool(self.drafts or self._flights)

    def flush(self, decider: Decider, *, lead: bool) -> None:
        """Submits what was decided, with the messages to parent and children, as one atomic write."""
        if not self.drafts:
            return
        state = decider.state
        told: list[str] = []
        also, done = tuple(self._messages(decider, told)), self._on_recorded
        booking = self.booking
        if booking:
            also, done = (*also, booking.append(state)), booking.settled(done)
        append = Append(
            self._id,
            self._expected,
            self.drafts,
            state.user_id,
            state.correlation_id,
            lifecycle=self._lifecycle(state.status),
            also=also,
            asleep=(inbox_of(self._id), state.inbox_version) if self._asleep else None,
            priority=state.settings.priority,
        )
        self._expected += len(self.drafts)
        self.drafts = []
        self._flights.append(_Flight(tuple(told)))
        self._env.journal.submit(append, done, lead=lead and len(self._flights) == 1)
        if booking:
            booking.submitted()

    def drop(self) -> None:
        """What was decided and not submitted is lost: its actor ends."""
        if self.booking is not None:
            self.booking.drop()

    def recorded(self, result: Appended | Exception) -> tuple[str, ...]:
        """Takes note of an answer; the executions whose inboxes were written along with it."""
        flight = self._flights.popleft()
        return () if isinstance(result, Exception) else flight.told

    def snapshot(self, state: GraphExecution) -> None:
        """Keeps a snapshot when enough happened since the last one and everything of it is durable."""
        due = max(self._env.snapshot_every, 4 * len(state.node_executions))
        if self.busy or state.version - self._snapshot_at < due:
            return
        self._snapshot_at = state.version
        self._env.snapshot(state)

    def _lifecycle(self, status: ExecutionStatus) -> Literal["open", "close"] | None:
        """An execution is listed as unfinished from its creation until it is terminal, and not while it is parked.

        What is parked has nothing to do until something else stands in its inbox.
        """
        if status.is_terminal:
            self._open = self._asleep = False
            return "close"
        was_asleep, self._asleep = self._asleep, status is _REVIEW
        if was_asleep or self._asleep or not self._open:
            self._open = True
            return "open"
        return None

    def _messages(self, decider: Decider, told: list[str]) -> list[Append]:
        appends: list[Append] = []
        state = decider.state
        if decider.upward and state.parent is not None:
            told.append(state.parent.execution_id)
            appends.append(self._inbox(state.parent.execution_id, decider.upward, state))
            decider.upward = []
        for child_id, draft in decider.downward:
            told.append(child_id)
            appends.append(self._inbox(child_id, [draft], state))
        decider.downward = []
        return appends

    @staticmethod
    def _inbox(execution_id: str, drafts: list[Draft], state: GraphExecution) -> Append:
        return Append(inbox_of(execution_id), None, drafts, state.user_id, state.correlation_id)
