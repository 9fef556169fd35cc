"""When a failed node execution is tried again: a pure function of what is recorded."""

from __future__ import annotations

from hashlib import sha256

from actbook.events._state import GraphExecution, NodeExecution
from actbook.graphs import RetryPolicy


def retry_due(
    policy: RetryPolicy, state: GraphExecution, node: NodeExecution, error_type: str, at: int
) -> int | None:
    """When the next attempt begins (µs since the epoch, UTC) after a failure at `at`; None: that was the last one."""
    failures = node.failures + 1
    if state.stopping is not None or failures >= policy.attempts or not policy.covers(error_type):
        return None
    return at + round(policy.pause(failures, chance(state.id, node.number, node.attempt)) * 1e6)


def chance(execution_id: str, number: int, attempt: int) -> float:
    """A number from [0, 1) that looks drawn, and is the same whenever it is asked for."""
    digest = sha256(f"{execution_id}.{number}.{attempt}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
