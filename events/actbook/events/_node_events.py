"""Events of node executions, recorded in the stream of their graph execution.

`node_exec` numbers the node executions of one graph execution from 1, in order of creation. Outside, a node execution
is known as `{graph execution id}.{node_exec}`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actbook.events._topics import Event, topic

Pairs = tuple[tuple[str, Any], ...]
"""`(pin, value)` pairs in yield order."""


class NodeStats(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a body used: seconds of wall and CPU time, bytes in and out, and what the block itself counted."""

    wall: float = 0.0
    cpu: float = 0.0
    input_bytes: int = 0
    output_bytes: int = 0
    counters: dict[str, Any] = {}


@topic("node.created")
class NodeCreated(Event, frozen=True, array_like=True, gc=False):
    """A node execution that waits for more inputs (INCOMPLETE)."""

    node_exec: int
    node_id: str
    block_id: str
    inputs: dict[str, Any]


@topic("node.input")
class NodeInput(Event, frozen=True, array_like=True, gc=False):
    """A value arrived at a waiting node execution."""

    node_exec: int
    pin: str
    value: Any


@topic("link.latched")
class LinkLatched(Event, frozen=True, array_like=True, gc=False):
    """A static link delivered: waiting executions of the node that lack the pin got the value, later ones will."""

    node_id: str
    pin: str
    value: Any


@topic("node.queued")
class NodeQueued(Event, frozen=True, array_like=True, gc=False):
    """All inputs are there and valid. `data` is what the block will see. Creates the node execution when it is new."""

    node_exec: int
    node_id: str
    block_id: str
    data: dict[str, Any]


@topic("node.started")
class NodeStarted(Event, frozen=True, array_like=True, gc=False):
    """An attempt begins; recorded before any effect of it. After a crash a new one has the same idempotency key."""

    node_exec: int
    attempt: int
    epoch: int


@topic("node.output")
class NodeOutput(Event, frozen=True, array_like=True, gc=False):
    """Values yielded by a body that goes on. `graph_output` names the graph's output that the node feeds, if it is one.

    `repeated`: pins of values that a later attempt yielded again and that are recorded already.
    """

    node_exec: int
    outputs: Pairs
    graph_output: str | None = None
    repeated: tuple[str, ...] = ()


@topic("node.completed")
class NodeCompleted(Event, frozen=True, array_like=True, gc=False):
    """The body ended; `outputs` are the values since the last `node.output`. `graph_output` as there."""

    node_exec: int
    outputs: Pairs = ()
    stats: NodeStats = NodeStats()
    graph_output: str | None = None


@topic("node.failed")
class NodeFailed(Event, frozen=True, array_like=True, gc=False):
    """The body failed. `outputs` are the values since the last `node.output`, the `error` pin's among them.

    `expected`: a `ValueError` or a yield on `error`; otherwise `error_type` names the exception.
    """

    node_exec: int
    error: str
    outputs: Pairs = ()
    stats: NodeStats = NodeStats()
    expected: bool = True
    error_type: str = ""


@topic("node.retry_scheduled")
class NodeRetryScheduled(Event, frozen=True, array_like=True, gc=False):
    """An attempt failed and its retry policy allows another one: it begins at `due`, in µs since the epoch, UTC.

    The node execution stays RUNNING, with no body meanwhile; what it yielded stays, and `error` yields nothing yet.
    """

    node_exec: int
    error: str
    error_type: str
    due: int
    stats: NodeStats = NodeStats()


@topic("node.terminated")
class NodeTerminated(Event, frozen=True, array_like=True, gc=False):
    """Node executions stopped before their end, all for one reason.

    `abandoned` are those whose body would not stop within its grace period: their results are ignored.
    """

    node_execs: tuple[int, ...]
    reason: str
    abandoned: tuple[int, ...] = ()


@topic("node.skipped")
class NodeSkipped(Event, frozen=True, array_like=True, gc=False):
    """The node is in the run's skip set: ended COMPLETED without running and without outputs."""

    node_exec: int


@topic("child.started")
class ChildStarted(Event, frozen=True, array_like=True, gc=False):
    """An AGENT node execution runs its sub-graph as an execution of its own."""

    node_exec: int
    execution_id: str


@topic("node.review_requested")
class NodeReviewRequested(Event, frozen=True, array_like=True, gc=False):
    """The node waits for a person (REVIEW). `data` is what is to be judged; `editable`: the reviewer may change it."""

    node_exec: int
    name: str
    data: Any
    editable: bool = True


@topic("node.review_decided")
class NodeReviewDecided(Event, frozen=True, array_like=True, gc=False):
    """The reviewer's decision, with the data as approved or rejected. The node goes on from here (RUNNING)."""

    node_exec: int
    approved: bool
    data: Any
    message: str
    reviewer: str
