"""Engine: the one door for embedders. Opens a store, runs graphs on it, and answers for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from actbook.blocks import Registry
from actbook.engine._accounting import Accounting
from actbook.engine._archived import absent
from actbook.engine._configuration import settings_from_environment, store_from_environment
from actbook.engine._current import enter_engine, leave_engine
from actbook.engine._errors import EngineClosedError, ReviewError, StillRunningError
from actbook.engine._forgetting import Forgetting
from actbook.engine._host import Host
from actbook.engine._intake import Intake
from actbook.engine._reviewing import earlier_decision, same_decision
from actbook.engine._revival import Revival
from actbook.engine._scheduling import ScheduledRuns, Scheduling
from actbook.engine._settings import EngineSettings
from actbook.engine._sharing import Sharing
from actbook.engine._stopping import stop_execution
from actbook.engine._submitting import Submitting
from actbook.engine.credentials import CredentialsStore
from actbook.events import (
    CancelRequested,
    Envelope,
    ExecutionCreated,
    ExecutionStatus,
    GraphExecution,
    ReviewDecided,
    split_node_exec_id,
)
from actbook.graphs import Graph
from actbook.journal import Journal, OwnerInfo
from actbook.projections import EventFilter, Queries, Runner, subscribe

if TYPE_CHECKING:
    from actbook.bridge import Relay
    from actbook.replay import History


class Engine(Submitting, Sharing, Scheduling, Accounting, Revival, Forgetting):
    """Runs graphs durably on one store. Open it with `Engine.open`; use it on the event loop that opened it.

    No method blocks the loop. Errors derive from `ActbookError`; a store that fails raises `JournalError`, never an error
    about the request.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        host.clockwork.connect(ScheduledRuns(self))

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str = "sqlite:///actbook.db", **settings: Any) -> AsyncIterator[Engine]:
        """An engine on the store at `url`: `memory:`, `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…`.

        `settings` are the fields of `EngineSettings`. If no other process owns the store, this one does: it goes on at once with
        every unfinished execution. Otherwise it asks the owner for what it wants, and takes over when the owner is gone.
        Raises `StoreUrlError`, `StoreFormatError`, `StoreError` or `MissingDriverError`.
        """
        prepared = EngineSettings(**settings)
        journal = await Journal.open(url, synchronous=prepared.synchronous, keys=prepared.payload_keys)
        host = Host(journal, prepared)
        engine = cls(host)
        try:
            await host.start()
            if prepared.broker:
                host.intake = Intake(engine, prepared.broker, prepared.max_active, host.worker)
                host.intake.start()
            enter_engine(engine)
            yield engine
        finally:
            leave_engine(engine)
            if host.intake is not None:
                await host.intake.close()
            await host.close()

    @classmethod
    def from_environment(cls, **settings: Any) -> AbstractAsyncContextManager[Engine]:
        """`open` as the variables `ACTBOOK_STORE`, `ACTBOOK_BROKER`, `ACTBOOK_BUS`, `ACTBOOK_MAX_ACTIVE`, … say; `settings` go first.

        Raises `ConfigurationError`, and what `open` raises.
        """
        return cls.open(store_from_environment(), **settings_from_environment(**settings))

    @property
    def is_owner(self) -> bool:
        """Whether executions of this store run in this process."""
        return self._host.is_owner

    @property
    def owner(self) -> OwnerInfo | None:
        """The process that runs this store's executions, this one included; None when there is none now."""
        return self._host.owner

    @property
    def worker(self) -> str:
        """How the journal names this engine: host, process, and a part that no other has."""
        return self._host.worker

    @property
    def closed(self) -> bool:
        """Whether its `async with` block was left."""
        return self._host.closed

    @property
    def registry(self) -> Registry:
        """The blocks it runs."""
        return self._host.registry

    @property
    def credentials(self) -> CredentialsStore:
        """Where the secrets are that its runs name."""
        return self._host.credentials

    @property
    def journal(self) -> Journal:
        """The journal underneath: streams, log, subscriptions."""
        return self._host.journal

    @property
    def intake(self) -> Intake | None:
        """What comes in from the broker; None when none was named."""
        return self._host.intake

    @property
    def relay(self) -> Relay | None:
        """What publishes the events on the bus; None when none was named."""
        return self._host.relay

    @property
    def queries(self) -> Queries:
        """Status views, with filters and pages. They run behind the log, see `catch_up`."""
        if self._host.is_owner:
            self._host.keep_views()
        return self._host.queries

    @property
    def projections(self) -> Runner:
        """What keeps the tables of the views: their lag, pause, rebuild, parked events."""
        return self._host.runner

    def subscribe(
        self,
        filter: EventFilter | None = None,  # noqa: A002
        after: int = 0,
    ) -> AsyncGenerator[Envelope, None]:
        """Events above position `after` that the filter accepts, whoever commits them: history, then live, without a gap.

        Reads only as fast as the consumer takes. Ends when the engine closes; `aclose` ends it earlier.
        """
        return subscribe(self._open_host().journal, filter or EventFilter(), after)

    async def catch_up(self, timeout: float = 5.0) -> None:
        """Returns when `queries` shows everything that is committed now, whoever committed it.

        Raises `LagError` after `timeout` seconds.
        """
        host = self._open_host()
        await host.runner.activate()
        await host.runner.wait(await host.journal.last_position(), timeout)

    async def save_graph(self, graph: Graph, user_id: str = "") -> Graph:
        """The graph as saved. The same content again is a no-op; other content under a known version gets the next version."""
        return await self._open_host().graphs.save(graph, user_id)

    async def graph(self, graph_id: str, version: int | None = None, user_id: str | None = None) -> Graph:
        """A saved graph version, the newest by default, of those that the user may use; None asks as the operator.

        Raises `GraphNotFoundError`.
        """
        return await self._open_host().graphs.load(graph_id, version, user_id)

    get_graph = graph

    async def get_graph_execution(self, graph_exec_id: str, user_id: str | None = None) -> GraphExecution:
        """What is recorded of an execution. `user_id` None asks as the operator. Raises `ExecutionNotFoundError`."""
        state = await self._open_host().executions.state(graph_exec_id)
        if state is None or not state.id or user_id not in (None, state.user_id):
            raise await absent(self._host.journal, graph_exec_id, user_id)
        return state

    async def wait(
        self, graph_exec_id: str, timeout: float | None = None, user_id: str | None = None
    ) -> GraphExecution:
        """Waits until the execution is terminal, or in REVIEW. `timeout` in seconds: then `StillRunningError`."""
        host = self._open_host()
        if user_id is not None:
            await self.get_graph_execution(graph_exec_id, user_id)
        try:
            async with asyncio.timeout(timeout):
                state = await host.executions.settled(graph_exec_id)
        except TimeoutError:
            raise StillRunningError(graph_exec_id, timeout or 0.0) from None
        if state is None:
            raise await absent(host.journal, graph_exec_id, user_id)
        return state

    async def stop_graph_execution(
        self,
        user_id: str,
        graph_exec_id: str,
        wait_timeout: float = 15.0,
        cascade: bool = True,
        *,
        reason: str = "Stopped by user",
    ) -> GraphExecution:
        """Stops an execution and, with `cascade`, its sub-graphs' executions; returns its state when all have ended.

        The request is durable before anything else. Repeatable; a finished execution stays as it is. After `wait_timeout`
        seconds in all (0: at once) it returns though sub-graphs are still stopping, which they go on to do. Raises
        `ExecutionNotFoundError`, or `StillStoppingError` when the execution itself has not ended by then.
        """
        host = self._open_host()
        state = host.executions.running(graph_exec_id) if wait_timeout > 0 else None
        if state is None or state.user_id != user_id:
            state = await self.get_graph_execution(graph_exec_id, user_id)
        request = CancelRequested(user_id, reason, cascade)
        return await stop_execution(host, state, request, wait_timeout)

    async def review(
        self, user_id: str, node_exec_id: str, approved: bool, data: Any = None, message: str = ""
    ) -> None:
        """Decides a pending review; the same decision again is a no-op.

        `data` other than None replaces what was to be judged. Raises `ReviewError`.
        """
        try:
            graph_exec_id, number = split_node_exec_id(node_exec_id)
        except ValueError as error:
            raise ReviewError(node_exec_id, "not found") from error
        state = await self.get_graph_execution(graph_exec_id, user_id)
        decision = ReviewDecided(number, approved, user_id, message, data is not None, data)
        earlier = await earlier_decision(self._host.journal, state, number)
        if earlier is not None:
            if same_decision(earlier, decision):
                return
            raise ReviewError(node_exec_id, "is already decided otherwise")
        node = state.node_executions.get(number)
        if node is None or node.status is not ExecutionStatus.REVIEW or node.review is None:
            raise ReviewError(node_exec_id, "is not pending")
        if data is not None and not node.review.editable:
            raise ReviewError(node_exec_id, "is not editable")
        await self._host.executions.ask(state, decision)

    async def history(self, graph_exec_id: str, user_id: str | None = None) -> History:
        """Everything recorded of an execution, to look at without running anything."""
        from actbook.replay import History

        history = await History.load(self._open_host().journal, graph_exec_id)
        created = history.events[0].payload if history.events else None
        if not isinstance(created, ExecutionCreated) or user_id not in (None, created.user_id):
            await self.get_graph_execution(graph_exec_id, user_id)
        return history

    def _open_host(self) -> Host:
        if self._host.closed:
            raise EngineClosedError
        return self._host

    @staticmethod
    def run_sync(
        graph: Graph,
        inputs: Mapping[str, Any] | None = None,
        *,
        url: str = "memory:",
        user_id: str = "",
        timeout: float | None = None,
        **options: Any,
    ) -> GraphExecution:
        """Runs a graph to its end and returns its state; blocks. For scripts: no event loop may be running in this thread.

        `options` are those of `add_graph_execution`; with a file as `url` the run is durable.
        """

        async def run() -> GraphExecution:
            async with Engine.open(url) as engine:
                saved = await engine.save_graph(graph, user_id)
                execution = await engine.add_graph_execution(
                    saved.id, user_id, inputs, graph_version=saved.version, **options
                )
                return await engine.wait(execution.id, timeout)

        return asyncio.run(run())
