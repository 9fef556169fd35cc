"""Messages between the supervisor, graph execution actors and node execution actors."""

from __future__ import annotations

from typing import Any, NamedTuple

from actbook.events import Appended, Create, Envelope
from actbook.graphs import Block, ExecutionContext, Plan


class Work(NamedTuple):
    """What a node execution runs. `occurrence`: how many executions of the node were queued before it.

    `timeout`: seconds of wall-clock time, None = no cap.
    """

    number: int
    attempt: int
    occurrence: int
    block: Block
    data: dict[str, Any]
    context: ExecutionContext
    timeout: float | None = None


class Submit(NamedTuple):
    """To the supervisor: accept and run a new execution. `recorded` is called with None once it is durable, or the error."""

    plan: Plan
    create: Create
    recorded: Any


class Notify(NamedTuple):
    """To the supervisor: something was written for this execution; look at it. `urgent`: a stop, which waits for no place.

    `news`: what was written to its inbox, where that is known.
    """

    execution_id: str
    urgent: bool = False
    news: tuple[Envelope, ...] = ()


class InboxChanged(NamedTuple):
    """To a graph execution: this `news` stands in the inbox, or if that is empty, something."""

    news: tuple[Envelope, ...] = ()


class InboxRead(NamedTuple):
    """To a graph execution: what its inbox holds, or why it can't be read."""

    messages: list[Envelope]
    error: Exception | None = None


class Recorded(NamedTuple):
    """To a graph execution: its append became durable, or failed."""

    result: Appended | Exception


class PlaceFree(NamedTuple):
    """To a graph execution: a place for a body is free again."""


class Admitted(NamedTuple):
    """To a graph execution: a node execution that waited for the limits of its block may start."""

    number: int


class Idle(NamedTuple):
    """To the supervisor: this execution only waits, and would leave its place to another one."""

    execution_id: str


class Linger(NamedTuple):
    """To a graph execution: time to see whether it can let go of its memory."""


class Overdue(NamedTuple):
    """To a graph execution: its bodies take their time to stop, so what was decided is written without them."""


class Due(NamedTuple):
    """To the supervisor, and on to the graph execution: a time that its state names has come."""

    execution_id: str


class Launched(NamedTuple):
    """To a graph execution: the sub-graph of an AGENT node is an execution now, or with `error` can't be one."""

    number: int
    attempt: int
    error: str = ""


class Cancel(NamedTuple):
    """To a node execution: stop the body; abandon it after `grace` seconds."""

    grace: float


class Stopped(NamedTuple):
    """From a node execution: its body was told to stop and did, or was abandoned."""

    number: int
    abandoned: bool


class Lost(NamedTuple):
    """To the supervisor: somebody else wrote to this execution's stream.

    Another worker may have claimed it; a `new` one existed already.
    """

    execution_id: str
    new: bool
