"""Who waits for the end of an execution, and how the end of executions that run elsewhere is heard of."""

from __future__ import annotations

import asyncio
from collections import deque

from actbook.engine._errors import EngineClosedError
from actbook.events import (
    CancelRequested,
    ChildFinished,
    ChildOutput,
    Envelope,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionParked,
    ExecutionQueued,
    ExecutionStatus,
    ExecutionTerminated,
    GraphExecution,
    ResumeRequested,
    RetryRequested,
    ReviewDecided,
    execution_of,
)

ENDS = frozenset(
    kind.TOPIC for kind in (ExecutionCompleted, ExecutionFailed, ExecutionTerminated, ExecutionParked)
)
REQUESTS = frozenset(
    kind.TOPIC
    for kind in (
        ExecutionQueued,
        CancelRequested,
        ResumeRequested,
        RetryRequested,
        ReviewDecided,
        ChildOutput,
        ChildFinished,
    )
)


def concerned(envelope: Envelope) -> str:
    """The execution that an event of a log concerns."""
    return execution_of(envelope.stream_id) or envelope.stream_id


def is_over(state: GraphExecution, terminal: bool = False) -> bool:
    """Nothing will happen without a new request: terminal, or only reviews are left."""
    return state.status.is_terminal or (not terminal and state.status is ExecutionStatus.REVIEW)


class OwnPositions:
    """Which positions of the log this process wrote, as ranges: what it wrote it has told its actors about."""

    def __init__(self) -> None:
        self._ranges: deque[tuple[int, int]] = deque()

    def add(self, first: int, last: int) -> None:
        """A batch that was committed here."""
        if self._ranges and self._ranges[-1][1] == first - 1:
            first = self._ranges.pop()[0]
        self._ranges.append((first, last))

    def __contains__(self, position: int) -> bool:
        return any(first <= position <= last for first, last in self._ranges)

    def forget(self, upto: int) -> None:
        """Nobody will ask about positions up to this one any more."""
        while self._ranges and self._ranges[0][1] <= upto:
            self._ranges.popleft()


class Waiters:
    """Futures by execution id; each gets the state at the next end (terminal or REVIEW)."""

    def __init__(self) -> None:
        self._futures: dict[str, set[asyncio.Future[GraphExecution]]] = {}
        self._closed = False

    def add(self, execution_id: str) -> asyncio.Future[GraphExecution]:
        """A future for the next end. Raises `EngineClosedError`."""
        if self._closed:
            raise EngineClosedError
        future: asyncio.Future[GraphExecution] = asyncio.get_running_loop().create_future()
        self._futures.setdefault(execution_id, set()).add(future)
        return future

    def remove(self, execution_id: str, future: asyncio.Future[GraphExecution]) -> None:
        """Nobody waits on it any more."""
        futures = self._futures.get(execution_id)
        if futures is not None:
            futures.discard(future)
            if not futures:
                del self._futures[execution_id]

    def resolve(self, state: GraphExecution) -> None:
        """Tells those who wait for this execution."""
        for future in self._futures.pop(state.id, ()):
            if not future.done():
                future.set_result(state)

    def __contains__(self, execution_id: str) -> bool:
        return execution_id in self._futures

    def close(self) -> None:
        """Nobody will be told any more: those who wait get `EngineClosedError`."""
        self._closed = True
        for futures in self._futures.values():
            for future in futures:
                if not future.done():
                    future.set_exception(EngineClosedError())
        self._futures.clear()
