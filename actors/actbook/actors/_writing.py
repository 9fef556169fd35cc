"""How one execution's decisions get into its stream: batches in order, one append a turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from actbook.actors._cashier import Booking
from actbook.actors._environment import Environment
from actbook.events import (
    Append,
    Appended,
    Decider,
    Draft,
    Envelope,
    ExecutionStatus,
    GraphExecution,
    execution_of,
    inbox_of,
)

_REVIEW = ExecutionStatus.REVIEW

BATCH = 256
"""From this many drafts on, even an execution that runs ahead of its commits is written."""

MAX_AHEAD = 2048
"""With so many events on the way to the store, pure bodies wait for it, too: a slow disk must not fill the memory."""


class StreamWriter:
    """Appends of one stream, pipelined. `busy` while something decided is not durable yet.

    `parent_listens`: whether how this execution goes still matters to the one that it is a sub-graph of.
    """

    def __init__(
        self, env: Environment, execution_id: str, on_recorded: Callable[[Appended | Exception], None]
    ) -> None:
        self.drafts: list[Draft] = []
        self.booking: Booking | None = None
        self.parent_listens = True
        self._env = env
        self._id = execution_id
        self._on_recorded = on_recorded
        self._expected = self._durable = 0
        self._snapshot_at = 0
        self._open = False
        self._asleep = False
        self._pending = 0

    def begin(self, state: GraphExecution) -> None:
        """Where the stream stands when its owner takes over."""
        self._expected = self._durable = self._snapshot_at = state.version
        self._open = not state.status.is_terminal
        self._asleep = state.status is _REVIEW

    @property
    def busy(self) -> bool:
        return bool(self.drafts or self._pending)

    @property
    def lags(self) -> bool:
        """Whether the store is too far behind what was decided to run further ahead of it."""
        return self._expected - self._durable >= MAX_AHEAD

    def flush(self, decider: Decider, *, lead: bool) -> None:
        """Submits what was decided, with the messages to parent and children, as one atomic write."""
        if not self.drafts:
            return
        state = decider.state
        also, done = tuple(self._messages(decider)), self._on_recorded
        booking = self.booking
        if booking:
            also, done = (*also, booking.append(state)), booking.settled(done)
        lifecycle = self._lifecycle(state.status)
        waits = self._asleep or lifecycle == "close"
        append = Append(
            self._id,
            self._expected,
            self.drafts,
            state.user_id,
            state.correlation_id,
            lifecycle=lifecycle,
            also=also,
            # What is over and has news all the same is not: somebody asked it to go on just now.
            asleep=(inbox_of(self._id), state.inbox_version) if waits else None,
            priority=state.settings.priority,
            claim=lifecycle == "open" and not self._asleep,
        )
        self._expected += len(self.drafts)
        self.drafts = []
        self._pending += 1
        self._env.journal.submit(append, done, lead=lead and self._pending == 1)
        if booking:
            booking.submitted()

    def drop(self) -> None:
        """What was decided and not submitted is lost: its actor ends."""
        if self.booking is not None:
            self.booking.drop()

    def recorded(self, result: Appended | Exception) -> dict[str, list[Envelope]]:
        """Takes note of an answer; what was written to the inboxes of other executions along with it."""
        self._pending -= 1
        told: dict[str, list[Envelope]] = {}
        if isinstance(result, Exception):
            return told
        self._durable = result.version
        for envelope in result.also:
            execution_id = execution_of(envelope.stream_id)
            if execution_id is not None:
                told.setdefault(execution_id, []).append(envelope)
        return told

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

    def _messages(self, decider: Decider) -> list[Append]:
        appends: list[Append] = []
        state = decider.state
        if decider.upward and state.parent is not None:
            if self.parent_listens:
                appends.append(self._inbox(state.parent.execution_id, decider.upward, state))
            decider.upward = []
        for child_id, draft in decider.downward:
            appends.append(self._inbox(child_id, [draft], state))
        decider.downward = []
        return appends

    @staticmethod
    def _inbox(execution_id: str, drafts: list[Draft], state: GraphExecution) -> Append:
        return Append(inbox_of(execution_id), None, drafts, state.user_id, state.correlation_id)
