"""The state of a graph execution, folded from its events by `evolve` and by nothing else."""

from __future__ import annotations

from collections import deque
from hashlib import sha256
from typing import Any

import msgspec

from actbook.events._execution_events import Limits, Origin, Parent, Settings
from actbook.events._status import ExecutionStatus
from actbook.graphs._context import ExecutionContext


def node_exec_id(execution_id: str, number: int) -> str:
    """How a node execution is known outside its stream; also the idempotency key of its effects."""
    return f"{execution_id}.{number}"


def split_node_exec_id(text: str) -> tuple[str, int]:
    """The execution id and number behind a node execution id; raises `ValueError` for any other text."""
    execution_id, dot, number = text.rpartition(".")
    if not dot or not execution_id or not number.isdecimal():
        raise ValueError(f"{text!r} is no node execution id: expected `<graph execution id>.<number>`.")
    return execution_id, int(number)


class NodeExecution(msgspec.Struct, gc=False):
    """One execution of one node. Times are microseconds since the Unix epoch, UTC; 0 = not yet.

    `inputs` are the values that arrived while it waits, `data` is what the block sees once it is queued. `held` are
    outputs that wait for an earlier execution of the same node; `outputs` are kept only in a state that retains
    history. `yielded` counts the values recorded per pin while the body goes on, `repeats` those that the current
    attempt is still to yield again. `feeds` names the graph's output that the node feeds; `occurrence` counts the
    executions of the same node that were queued before. `failures` counts the attempts that failed and were followed
    by another one. `retry_of`: the node execution that failed before this one took its place, 0 = none.
    `counters`: what the block counted itself, over all attempts.
    """

    number: int
    node_id: str
    block_id: str
    status: ExecutionStatus
    inputs: dict[str, Any] = {}
    data: dict[str, Any] = {}
    attempt: int = 0
    epoch: int = 0
    queued_at: int = 0
    started_at: int = 0
    ended_at: int = 0
    cause: int = 0
    child_id: str = ""
    error: str = ""
    reason: str = ""
    skipped: bool = False
    occurrence: int = 0
    held: list[tuple[str, Any]] = []
    outputs: list[tuple[str, Any]] = []
    wall: float = 0.0
    cpu: float = 0.0
    review: Review | None = None
    yielded: dict[str, int] | None = None
    repeats: dict[str, int] | None = None
    feeds: str | None = None
    failures: int = 0
    cost: float = 0.0
    charged: tuple[str, ...] = ()
    retry_of: int = 0
    counters: dict[str, Any] | None = None

    @property
    def active(self) -> bool:
        """QUEUED, RUNNING or REVIEW: it keeps its graph execution from ending."""
        return self.status in _ACTIVE

    @property
    def pins(self) -> dict[str, list[Any]]:
        """Retained outputs as pin → values in yield order."""
        result: dict[str, list[Any]] = {}
        for pin, value in self.outputs:
            result.setdefault(pin, []).append(value)
        return result


_ACTIVE = frozenset({ExecutionStatus.QUEUED, ExecutionStatus.RUNNING, ExecutionStatus.REVIEW})


class Review(msgspec.Struct, gc=False):
    """What a person has to judge, and what was decided (`approved` None = still waiting)."""

    name: str
    data: Any
    editable: bool
    approved: bool | None = None
    message: str = ""
    reviewer: str = ""


class Stopping(msgspec.Struct, gc=False):
    """The end that was decided while bodies still run."""

    target: ExecutionStatus
    actor: str
    reason: str


class ExecutionStats(msgspec.Struct, gc=False):
    """`node_wall`, `node_cpu`: seconds summed over node executions; `wall` of the run itself is `ended - started`."""

    node_exec_count: int = 0
    node_error_count: int = 0
    node_wall: float = 0.0
    node_cpu: float = 0.0
    cost: float = 0.0


class GraphExecution(msgspec.Struct):
    """State of a graph execution. `evolve` takes it over and gives it back; `copy()` keeps an earlier one.

    `node_executions` holds what is alive: waiting, queued, running, in review, terminated, and finished ones whose
    outputs are not propagated yet. Finished ones are let go, so memory follows the work in flight and not the length of
    history, unless `retain` is set (replay). `outputs`: name → values in order, from the graph's OUTPUT nodes.
    `retries`: the running node executions that wait for their next attempt, with the time when it is due.
    `attempt` counts the attempts of the whole; `revived` is the version at which it was resumed or retried last;
    `begun_at` is when it began after that, and `counted_before` how many node executions it had: limits count from there.
    """

    id: str = ""
    user_id: str = ""
    graph_id: str = ""
    graph_version: int = 0
    status: ExecutionStatus = ExecutionStatus.INCOMPLETE
    inputs: dict[str, Any] = {}
    credential_inputs: dict[str, Any] = {}
    masks: dict[str, dict[str, Any]] = {}
    skip: tuple[str, ...] = ()
    preset_id: str | None = None
    parent: Parent | None = None
    root_id: str | None = None
    settings: Settings = Settings()
    limits: Limits = Limits()
    simulation: dict[str, Any] | None = None
    version: int = 0
    epoch: int = 0
    worker: str = ""
    claims: int = 0
    inbox_version: int = 0
    created_at: int = 0
    queued_at: int = 0
    started_at: int = 0
    ended_at: int = 0
    stopping: Stopping | None = None
    actor: str = ""
    reason: str = ""
    error: str = ""
    outputs: dict[str, list[Any]] = {}
    stats: ExecutionStats = msgspec.field(default_factory=ExecutionStats)
    last_number: int = 0
    node_executions: dict[int, NodeExecution] = {}
    waiting: dict[str, dict[int, None]] = {}
    ready: dict[int, None] = {}
    running: dict[int, None] = {}
    reviews: dict[int, None] = {}
    lanes: dict[str, deque[int]] = {}
    latches: dict[str, dict[str, Any]] = {}
    occurrences: dict[str, int] = {}
    retain: bool = False
    start_at: int = 0
    retries: dict[int, int] = {}
    origin: Origin | None = None
    attempt: int = 1
    revived: int = 0
    begun_at: int = 0
    counted_before: int = 0

    @property
    def interrupted(self) -> tuple[int, ...]:
        """Running node executions that no body works on: an earlier owner's, or approved ones. They start again."""
        nodes = self.node_executions
        return tuple(number for number in self.running if self.is_interrupted(nodes[number]))

    def is_interrupted(self, node: NodeExecution) -> bool:
        """Whether a running node execution has no body under this owner. A sub-graph has none and goes on by itself."""
        return node.epoch < self.epoch and not node.child_id and node.number not in self.retries

    @property
    def wall(self) -> float:
        """Seconds from first start to end; 0 while it is not over."""
        return (self.ended_at - self.started_at) / 1e6 if self.ended_at and self.started_at else 0.0

    @property
    def correlation_id(self) -> str:
        """The root execution: the same for a whole tree of sub-graphs."""
        return self.root_id or self.id

    def encode(self) -> bytes:
        """Snapshot bytes (MessagePack)."""
        return _ENCODER.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> GraphExecution:
        """State from snapshot bytes."""
        return _DECODER.decode(data)

    def state_hash(self) -> bytes:
        """SHA-256 of the snapshot bytes."""
        return sha256(self.encode()).digest()

    def copy(self) -> GraphExecution:
        """An independent copy; costs time in the size of what is alive."""
        return GraphExecution.decode(self.encode())

    def context(self, node: NodeExecution) -> ExecutionContext:
        """The context of one node execution, its own copy."""
        key = node_exec_id(self.id, node.number)
        settings = self.settings
        return ExecutionContext(
            user_id=self.user_id,
            graph_id=self.graph_id,
            graph_version=self.graph_version,
            graph_exec_id=self.id,
            node_id=node.node_id,
            node_exec_id=key,
            root_execution_id=self.root_id,
            parent_execution_id=self.parent.execution_id if self.parent else None,
            human_in_the_loop_safe_mode=settings.human_in_the_loop_safe_mode,
            sensitive_action_safe_mode=settings.sensitive_action_safe_mode,
            dry_run=settings.dry_run,
            user_timezone=settings.user_timezone,
            attempt=node.attempt,
            idempotency_key=key,
            started_at=node.started_at,
        )


def _to_plain(value: Any) -> Any:
    if isinstance(value, deque):
        return list(value)
    raise NotImplementedError


def _from_plain(kind: type, value: Any) -> Any:
    return deque(value)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_to_plain)
_DECODER = msgspec.msgpack.Decoder(GraphExecution, dec_hook=_from_plain)
