"""What the actors of one engine are given: the journal, bodies, places, plans, time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import copy_context
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

import msgspec

from actbook.actors._alarms import Alarms
from actbook.actors._bodies import Bodies, Body, BodySink
from actbook.actors._cashier import Cashier
from actbook.actors._claims import Claims, Everything
from actbook.actors._credentialed_body import CredentialedBody
from actbook.actors._credentials_store import CredentialsStore
from actbook.actors._execution_log import ExecutionLog
from actbook.actors._inbox import InboxReads
from actbook.actors._messages import Due, Idle, Lost, Notify, Submit, Work
from actbook.actors._permits import Permits
from actbook.actors._runtime import ActorRef, TimerHandle
from actbook.actors._slots import Slots
from actbook.blocks import KeyValueStore, occurrence_for_run, storage_for_run
from actbook.events import Create, Envelope, ExecutionStatus, GraphExecution, NodeExecution
from actbook.graphs import BlockLimit, Plan
from actbook.graphs._stored_credentials import NO_CREDENTIALS, credentials_of_run
from actbook.journal import Journal

logger = logging.getLogger("actbook.engine")


def wall_clock() -> int:
    """Microseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1000


def _call_later(seconds: float, callback: Callable[[], object]) -> TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, callback)


class Plans(Protocol):
    """Where plans come from: the graph store and the block registry of the engine."""

    def plan_of(self, state: GraphExecution) -> Awaitable[Plan]:
        """The plan of an execution's graph version."""
        ...

    def child_of(
        self, plan: Plan, state: GraphExecution, node: NodeExecution
    ) -> Awaitable[tuple[Plan, Create]]:
        """How an AGENT node's sub-graph begins; raises `ValueError` when it can't."""
        ...


class Timing(msgspec.Struct, frozen=True):
    """Seconds. `grace`: how long a body may take to stop before it is abandoned; `linger`: how long a waiting execution
    stays in memory; `retry_after`: the pause after the store failed."""

    grace: float = 5.0
    linger: float = 1.0
    retry_after: float = 1.0


class Environment:
    """The shared surroundings of an engine's actors. Everything here is used on the engine's loop.

    `living`: the states of the executions that are in memory and recorded; their actors change them.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        bodies: Bodies,
        plans: Plans,
        worker: str,
        on_left: Callable[[GraphExecution], None],
        storage: KeyValueStore | None = None,
        credentials: CredentialsStore | None = None,
        clock: Callable[[], int] = wall_clock,
        alarms: Alarms | None = None,
        timing: Timing | None = None,
        snapshot_every: int = 1000,
        block_limits: Iterable[BlockLimit] = (),
        cashier: Cashier | None = None,
        claims: Claims | None = None,
    ) -> None:
        self.journal = journal
        self.bodies = bodies
        self.plans = plans
        self.worker = worker
        self.claims: Claims = Everything() if claims is None else claims
        self._on_left = on_left
        self._supervisor: ActorRef[Any] | None = None
        self.clock = clock
        self.alarms = Alarms(clock=clock, call_later=_call_later) if alarms is None else alarms
        self.timing = timing or Timing()
        self.snapshot_every = snapshot_every
        self.priorities: dict[str, int] = {}
        self.living: dict[str, GraphExecution] = {}
        self._crashed: dict[str, tuple[str, str]] = {}
        self.permits = Permits(block_limits, call_later=_call_later)
        self.cashier = cashier
        self.slots = Slots(bodies.slots)
        bodies.on_thread_back = lambda: self.slots.offer("blocking")
        self._ports = copy_context()
        self._ports.run(credentials_of_run.set, NO_CREDENTIALS)
        self._credentials = credentials
        if storage is not None:
            self._ports.run(storage_for_run.set, storage)
        self._tasks: set[asyncio.Task[None]] = set()
        self.inbox_reads = InboxReads(journal, self.background)

    @property
    def quiet(self) -> bool:
        """Whether this loop has nothing else to run, so that a short commit on it delays nobody."""
        return not self.bodies.running and self.at_rest

    @property
    def at_rest(self) -> bool:
        """Whether nothing is ready to run at this moment; bodies may wait. Enough for a commit that is rare and urgent."""
        # A loop that does not show its queue (uvloop) counts as busy: the writer's thread commits then.
        return not getattr(asyncio.get_running_loop(), "_ready", True)

    def connect(self, supervisor: ActorRef[Any]) -> None:
        """Whom `submit`, `notify` and `left` speak to."""
        self._supervisor = supervisor

    def submit(self, message: Submit) -> None:
        """Asks for a new execution."""
        self._tell(message)

    def notify(self, execution_id: str, urgent: bool = False, news: tuple[Envelope, ...] = ()) -> None:
        """Something was written for an execution; whoever owns it here looks at it. `urgent`: it is to stop."""
        self._tell(Notify(execution_id, urgent, news))

    def rank(self, execution_id: str, priority: int) -> None:
        """How urgent an execution is when it has to wait for room in memory; known until it is over."""
        if priority:
            self.priorities[execution_id] = priority

    def wake_at(self, execution_id: str, due: int) -> None:
        """Looks at an execution at a time (µs since the epoch, UTC), whether it is in memory then or not."""
        self.alarms.set(execution_id, due, partial(self._tell, Due(execution_id)))

    def idle(self, execution_id: str) -> None:
        """An execution only waits, and stays in memory for a moment unless its place is wanted."""
        self._tell(Idle(execution_id))

    def left(self, state: GraphExecution) -> None:
        """An execution let go of its memory: it is over, in review, or waits for its children."""
        if self.alarms and state.status.is_terminal:
            self.alarms.cancel(state.id)
        if self._crashed:
            self._crashed.pop(state.id, None)
        if self.priorities and state.status.is_terminal:
            self.priorities.pop(state.id, None)
        if state.status.is_terminal or state.status is ExecutionStatus.REVIEW:
            self.claims.drop(state.id)
        self._on_left(state)

    def lost(self, execution_id: str, *, new: bool) -> None:
        """Somebody else wrote to an execution's stream; a `new` one existed already."""
        self.alarms.cancel(execution_id)
        self._tell(Lost(execution_id, new))

    def crashed(self, execution_id: str, user_id: str, graph_id: str) -> None:
        """Whose execution it is whose actor fails, for what is logged about it."""
        self._crashed[execution_id] = (user_id, graph_id)

    def log(self, logger: logging.Logger, execution_id: str, component: str) -> ExecutionLog:
        """For lines about an execution, with what is known of it."""
        user_id, graph_id = self._crashed.get(execution_id, ("", ""))
        return ExecutionLog(logger, component, user_id=user_id, graph_exec_id=execution_id, graph_id=graph_id)

    def _tell(self, message: Any) -> None:
        if self._supervisor is not None and self._supervisor.is_alive():
            self._supervisor.tell(message)

    def start_body(self, work: Work, sink: BodySink) -> Body | CredentialedBody:
        """Starts the block's code with the ports of this engine around it, and with what its credentials pins name."""
        store = self._credentials
        if store is not None and work.block.input_schema.credentials:
            body = CredentialedBody(self.bodies, work, sink, self._ports)
            body.begin(store, self.timing.retry_after, self._start_body, self.background)
            return body
        return self._ports.run(self._start_body, work, sink)

    def _start_body(self, work: Work, sink: BodySink) -> Body:
        occurrence_for_run.set(work.occurrence)
        return self.bodies.start(work.block, work.data, work.context, sink, timeout=work.timeout)

    def snapshot(self, state: GraphExecution) -> None:
        """Keeps a snapshot of a state that is durable as it is."""
        data = state.encode()
        self.background(self.journal.put_snapshot(state.id, state.version, data, sha256(data).digest()))

    def background(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Runs `work` beside the actors; it reports to them by messages and handles its own errors."""

        async def run() -> None:
            try:
                await work
            except Exception:
                logger.exception("Work in the background failed.")

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if isinstance(
            work, Coroutine
        ):  # cancelled before its first step, it would complain about never having begun
            task.add_done_callback(lambda _: work.close())
        return task

    async def settle(self) -> None:
        """Ends what runs in the background; no alarm rings any more."""
        self.alarms.close()
        self.permits.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
