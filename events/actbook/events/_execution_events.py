"""Events of a graph execution as a whole. One stream per execution, one writer."""

from __future__ import annotations

from typing import Any

import msgspec

from actbook.events._topics import Event, topic


class Parent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a sub-graph's execution comes from: the parent execution and the number of its AGENT node execution.

    `depth`: 1 for a sub-graph of the root, 2 for one of that, and so on.
    """

    execution_id: str
    node_exec: int
    depth: int = 1


class Origin(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose past a forked execution shares: the events of that execution up to `version`, its own included."""

    execution_id: str
    version: int


class Limits(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Bounds of one run. `timeout`: seconds from the first start, 0 = none; `node_executions`: 0 = none.

    `depth`: how deep sub-graphs may be nested, so that one which calls itself comes to an end. `concurrency`: bodies of the
    run that may be in progress at once, 0 = as many as there are places.
    """

    node_executions: int = 1_000_000
    timeout: float = 0.0
    claims_without_progress: int = 50
    depth: int = 100
    concurrency: int = 0


class Settings(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the caller fixed for the run; becomes the `ExecutionContext` of every node execution.

    `priority`: higher goes first where executions, or their bodies, have to wait for a place. Sub-graphs have the same.
    """

    human_in_the_loop_safe_mode: bool = True
    sensitive_action_safe_mode: bool = False
    dry_run: bool = False
    user_timezone: str = "UTC"
    priority: int = 0


@topic("execution.created")
class ExecutionCreated(Event, frozen=True, array_like=True, gc=False):
    """A run was accepted. `masks` (node → pin → value) and `skip` are part of it, so a resume has them.

    `start_at`: it stays QUEUED until then, in µs since the epoch, UTC; 0 = at once. `origin`: it is a fork, and goes on
    from there.
    """

    execution_id: str
    user_id: str
    graph_id: str
    graph_version: int
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
    idempotency_key: str | None = None
    start_at: int = 0
    origin: Origin | None = None


@topic("execution.queued")
class ExecutionQueued(Event, frozen=True, array_like=True, gc=False):
    """Ready to be claimed by a worker."""


@topic("execution.claimed")
class ExecutionClaimed(Event, frozen=True, array_like=True, gc=False):
    """A worker became the owner. A stale owner's next append collides with this event's version."""

    worker: str
    epoch: int


@topic("execution.started")
class ExecutionStarted(Event, frozen=True, array_like=True, gc=False):
    """The status became RUNNING for the first time or again after a resume."""


@topic("execution.parked")
class ExecutionParked(Event, frozen=True, array_like=True, gc=False):
    """Only pending reviews are left: the status became REVIEW and the owner let go."""


@topic("execution.stopping")
class ExecutionStopping(Event, frozen=True, array_like=True, gc=False):
    """The end was decided while bodies still run: nothing starts any more, what runs is being stopped.

    `target` is the status to come, TERMINATED or FAILED; `actor` who asked for it, `reason` why.
    """

    target: str
    actor: str
    reason: str


@topic("execution.completed")
class ExecutionCompleted(Event, frozen=True, array_like=True, gc=False):
    """No node execution is queued, running or in review any more."""


@topic("execution.failed")
class ExecutionFailed(Event, frozen=True, array_like=True, gc=False):
    """The run as a whole failed; a failed node alone does not do that."""

    error: str
    actor: str = ""


@topic("execution.terminated")
class ExecutionTerminated(Event, frozen=True, array_like=True, gc=False):
    """Stopped on request. `actor` asked for it, `reason` says why."""

    actor: str
    reason: str


@topic("execution.resumed")
class ExecutionResumed(Event, frozen=True, array_like=True, gc=False):
    """A TERMINATED or REVIEW execution is QUEUED again; its TERMINATED node executions are QUEUED too."""

    actor: str
    reason: str = ""


@topic("warning.recorded")
class WarningRecorded(Event, frozen=True, array_like=True, gc=False):
    """Something worth knowing that did not stop anything; `node_exec` 0 = the execution as a whole."""

    text: str
    node_exec: int = 0


@topic("inbox.handled")
class InboxHandled(Event, frozen=True, array_like=True, gc=False):
    """Inbox messages up to `version` were handled; `outcome` says what became of the last one."""

    version: int
    outcome: str
