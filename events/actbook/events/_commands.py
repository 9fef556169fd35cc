"""What can be asked of a graph execution.

Time, ids and random numbers come in with the command, so deciding is pure.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from actbook.events._execution_events import Limits, Parent, Settings
from actbook.events._inbox_events import (
    CancelRequested,
    ChildFinished,
    ChildOutput,
    ResumeRequested,
    RetryRequested,
    ReviewDecided,
)
from actbook.events._node_events import NodeStats, Pairs
from actbook.events._revival import Past


class Create(msgspec.Struct, frozen=True, kw_only=True):
    """Accept a run. `starting`: node id and validated input of each starting node, in graph order."""

    execution_id: str
    user_id: str
    inputs: dict[str, Any]
    starting: tuple[tuple[str, dict[str, Any]], ...]
    credential_inputs: dict[str, Any] = {}
    masks: dict[str, dict[str, Any]] = {}
    skip: tuple[str, ...] = ()
    preset_id: str | None = None
    parent: Parent | None = None
    root_id: str | None = None
    settings: Settings = Settings()
    limits: Limits = Limits()
    simulation: dict[str, Any] | None = None
    idempotency_key: str | None = None
    start_at: int = 0


class Claim(msgspec.Struct, frozen=True):
    """Become the owner. Nodes that were running under an earlier owner are started again as a new attempt."""

    worker: str


class Start(msgspec.Struct, frozen=True):
    """Start queued node executions, or interrupted ones again. `children`: execution ids for AGENT nodes, by number."""

    numbers: tuple[int, ...]
    children: dict[int, str] = {}


class Report(msgspec.Struct, frozen=True):
    """What a body yielded and, with `outcome`, how it ended. A report of an attempt that is over changes nothing."""

    number: int
    attempt: int
    outputs: Pairs = ()
    outcome: Literal["completed", "failed"] | None = None
    error: str = ""
    error_type: str = ""
    expected: bool = True
    stats: NodeStats = NodeStats()


class BodiesStopped(msgspec.Struct, frozen=True):
    """Bodies that ended because they were told to; `abandoned` would not stop in time and are ignored from now on."""

    numbers: tuple[int, ...]
    abandoned: tuple[int, ...] = ()


class RequestReview(msgspec.Struct, frozen=True):
    """A running node asks a person."""

    number: int
    attempt: int
    name: str
    data: Any
    editable: bool = True


class Fail(msgspec.Struct, frozen=True):
    """End the run as FAILED: a bound was exceeded, or it cannot be run at all."""

    error: str
    actor: str = "engine"


class Handle(msgspec.Struct, frozen=True):
    """An inbox message: its version in the inbox, its event id, and itself. One handled before changes nothing.

    `past`: what `retry.requested` and `resume.requested` are decided by, besides the state. `stopped`: node executions whose
    bodies have ended already because a `cancel.requested` asks for it.
    """

    version: int
    event_id: bytes
    message: CancelRequested | ResumeRequested | RetryRequested | ChildOutput | ChildFinished | ReviewDecided
    past: Past = Past()
    stopped: tuple[int, ...] = ()


Command = Create | Claim | Start | Report | BodiesStopped | RequestReview | Fail | Handle
