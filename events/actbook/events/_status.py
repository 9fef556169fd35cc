"""The status machine, the same for graph and node executions."""

from __future__ import annotations

from enum import StrEnum

from actbook.graphs._errors import ActbookError


class ExecutionStatus(StrEnum):
    """Status of a graph or node execution."""

    INCOMPLETE = "INCOMPLETE"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TERMINATED = "TERMINATED"
    REVIEW = "REVIEW"

    @property
    def is_final(self) -> bool:
        """COMPLETED and FAILED are never left."""
        return self in _FINAL

    @property
    def is_terminal(self) -> bool:
        """Nothing runs and nothing will without a new request: COMPLETED, FAILED, TERMINATED."""
        return self in _TERMINAL


_S = ExecutionStatus
_FINAL = frozenset({_S.COMPLETED, _S.FAILED})
_TERMINAL = _FINAL | {_S.TERMINATED}

SOURCES: dict[ExecutionStatus, frozenset[ExecutionStatus]] = {
    _S.INCOMPLETE: frozenset(),
    _S.QUEUED: frozenset({_S.INCOMPLETE, _S.TERMINATED, _S.REVIEW}),
    _S.RUNNING: frozenset({_S.INCOMPLETE, _S.QUEUED, _S.TERMINATED, _S.REVIEW}),
    _S.COMPLETED: frozenset({_S.RUNNING}),
    _S.FAILED: frozenset({_S.INCOMPLETE, _S.QUEUED, _S.RUNNING, _S.REVIEW}),
    _S.TERMINATED: frozenset({_S.INCOMPLETE, _S.QUEUED, _S.RUNNING, _S.REVIEW}),
    _S.REVIEW: frozenset({_S.RUNNING}),
}
"""For each status, the statuses it may be reached from. INCOMPLETE is reached by creation only."""


class IllegalTransitionError(ActbookError):
    """A status change that the status machine does not know. Nothing was changed or dropped."""

    def __init__(self, current: ExecutionStatus, wanted: ExecutionStatus, subject: str = "execution") -> None:
        allowed = ", ".join(sorted(SOURCES[wanted])) or "creation only"
        super().__init__(
            f"{subject} is {current} and cannot become {wanted} (possible from: {allowed}). "
            "A finished execution can be retried or forked instead."
        )
        self.current = current
        self.wanted = wanted
        self.subject = subject


def can_move(current: ExecutionStatus, wanted: ExecutionStatus) -> bool:
    """Whether the status machine allows the move."""
    return current in SOURCES[wanted]


def check_move(current: ExecutionStatus, wanted: ExecutionStatus, subject: str = "execution") -> None:
    """Raises `IllegalTransitionError` unless the move is allowed."""
    if current not in SOURCES[wanted]:
        raise IllegalTransitionError(current, wanted, subject)
