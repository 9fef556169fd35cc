"""Events by which an execution that was over, or a copy of its past, goes on."""

from __future__ import annotations

from typing import Any

from actbook.events._topics import Event, topic


@topic("execution.retried")
class ExecutionRetried(Event, frozen=True, array_like=True, gc=False):
    """A COMPLETED, FAILED or TERMINATED execution is QUEUED for its next attempt; what succeeded stays.

    Its TERMINATED node executions are QUEUED too. `attempt` counts the attempts of the whole, from 1.
    """

    attempt: int
    actor: str
    reason: str = ""


@topic("execution.forked")
class ExecutionForked(Event, frozen=True, array_like=True, gc=False):
    """What stands before is the past of another execution, named in `execution.created`; from here on this one goes its own way.

    It is QUEUED. What was running or TERMINATED at that point runs as a new attempt; what had been used counts for
    the origin only.
    """

    actor: str
    reason: str = ""


@topic("node.retried")
class NodeRetried(Event, frozen=True, array_like=True, gc=False):
    """A node execution that failed in an earlier attempt is QUEUED again, as a new one with the same data.

    `retry_of` is the number of the failed one. `yielded`: how many values per pin that one had recorded; they are not
    recorded again.
    """

    node_exec: int
    retry_of: int
    node_id: str
    block_id: str
    data: dict[str, Any]
    yielded: dict[str, int] = {}
