"""Host: what an engine consists of, put together and taken apart again in order."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import uuid4

from actbook.actors import (
    ActorRef,
    ActorSystem,
    Alarms,
    Bodies,
    Environment,
    LoopDispatcher,
    Supervisor,
)
from actbook.blocks import default_registry
from actbook.engine._account_store import AccountStore
from actbook.engine._accounts import Accounts
from actbook.engine._claiming import Claimed, Claiming
from actbook.engine._clockwork import Clockwork
from actbook.engine._dismissal import Dismissal
from actbook.engine._errors import EngineClosedError
from actbook.engine._executions import Executions
from actbook.engine._graph_store import GraphStore
from actbook.engine._intake import Intake
from actbook.engine._news import News
from actbook.engine._notary import Notary
from actbook.engine._preparation import Preparation
from actbook.engine._relaying import relay_to
from actbook.engine._retention import Archivist
from actbook.engine._schedule_store import ScheduleStore
from actbook.engine._settings import EngineSettings
from actbook.engine._storage import JournalStorage
from actbook.engine.credentials import CredentialsStore, EnvironmentCredentials
from actbook.events import (
    GraphExecution,
)
from actbook.journal import (
    Coordinator,
    Journal,
    JournalError,
    OwnerInfo,
    coordinator_for,
)
from actbook.projections import BUILT_IN, Queries, Runner

if TYPE_CHECKING:
    from actbook.bridge import Relay

logger = logging.getLogger("actbook.engine")


def worker_id() -> str:
    """Names this process in the journal: host, process id, and a part that no other run has."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


class Host:
    """The journal, the actors and the views of one engine.

    While it owns the store it runs every unfinished execution. Otherwise it reads, and asks through inboxes; it takes over
    when the owner is gone.
    """

    def __init__(self, journal: Journal, settings: EngineSettings) -> None:
        self.journal = journal
        self.settings = settings
        self.worker = worker_id()
        self.executions = Executions(self)
        self.promises: set[asyncio.Future[None]] = set()
        self.graphs = GraphStore(journal)
        self.credentials: CredentialsStore = (
            EnvironmentCredentials() if settings.credentials is None else settings.credentials
        )
        self.registry = settings.registry or default_registry()
        self.preparation = Preparation(self.graphs, self.registry, self.credentials)
        self.bodies = Bodies(settings.capacity)
        self._claiming = self._claims() if journal.store.many_workers else None
        self.environment = Environment(
            journal=journal,
            bodies=self.bodies,
            plans=self.preparation,
            worker=self.worker,
            on_left=self._left,
            storage=JournalStorage(journal),
            credentials=self.credentials,
            timing=settings.timing,
            snapshot_every=settings.snapshot_every,
            block_limits=settings.block_limits,
            claims=self._claiming,
        )
        self.accounts: Accounts | None = None
        if settings.billing is not None:
            store = AccountStore(journal)
            self.accounts = Accounts(store, settings.billing, self.environment.background)
            self.environment.cashier = self.accounts
        self.system = ActorSystem(LoopDispatcher(asyncio.get_running_loop()), name=self.worker)
        self.supervisor = self._supervise()
        self.schedules = ScheduleStore(journal, self.environment.clock)
        self.clockwork = Clockwork(
            self.schedules,
            Alarms(clock=self.environment.clock, call_later=asyncio.get_running_loop().call_later),
            clock=self.environment.clock,
            background=self.environment.background,
            retry_after=settings.timing.retry_after,
        )
        self.runner = Runner(journal, (*BUILT_IN, *settings.projections), active=False)
        self.queries = Queries(journal.store)
        self.notary = Notary(journal.store, settings.checkpoints)
        self.archivist = Archivist(journal.store, self.runner, settings.retention)
        self._coordinator: Coordinator = coordinator_for(
            journal.store, self.worker, settings.candidate, settings.lease
        )
        self.news = News(self)
        self._took_over = False
        self._keeps_views = False
        self._leading = False
        self.closed = False
        self.dismissal = Dismissal(self)
        self.intake: Intake | None = None
        self.relay: Relay | None = None

    def _claims(self) -> Claiming:
        return Claiming(
            self.journal,
            self._begin,
            background=lambda work: self.environment.background(work),
            insist=self.insist,
            only_asked=not self.settings.take_over,
        )

    def _supervise(self) -> ActorRef[Supervisor]:
        supervisor: ActorRef[Supervisor] = self.system.spawn(
            Supervisor,
            self.environment,
            max_active=self.settings.max_active,
            policy=self.settings.supervision,
        )
        self.environment.connect(supervisor)
        return supervisor

    @property
    def is_owner(self) -> bool:
        return self._coordinator.is_owner

    @property
    def owner(self) -> OwnerInfo | None:
        return self._coordinator.owner

    async def start(self) -> None:
        """Finds its place among the processes on this store; as the owner it goes on with everything unfinished."""
        await self.news.start()
        await self.runner.start()
        self.journal.ring = self._coordinator.ring
        await self._coordinator.start(self.news.heard, self._own, self._changed)
        if self.is_owner and self._claiming is None:
            # Before anybody can submit: what is unfinished now is what others left behind.
            self._took_over = True
            await self.insist(self._take_over)
        if self.settings.bus:
            self.relay = relay_to(self.settings.bus, self.journal, self.worker)
            self.relay.start()

    async def close(self) -> None:
        """Lets bodies finish for a moment, stops the rest (they are run again by the next owner), flushes, lets go."""
        self.closed = True
        if self._claiming is not None:
            self._claiming.stop()
        self.clockwork.stop()
        await self.notary.close()
        await self.archivist.close()
        if self.relay is not None:
            await self.relay.close()
        slots = self.environment.slots
        await slots.drain(self.settings.drain)
        await self.system.shutdown(self.settings.timing.grace)
        self.executions.waiters.close()
        await self.environment.settle()
        await self.bodies.close(self.settings.timing.grace)
        if self.relay is not None:
            await self.relay.close()
        await self.runner.close()
        await self.queries.close()
        await self.journal.settled()
        await self._coordinator.close()
        await self.journal.close()
        for promise in self.promises:
            if not promise.done():
                promise.set_exception(EngineClosedError())

    # -- other processes ---------------------------------------------------------------------------------------------

    def _left(self, state: GraphExecution) -> None:
        if self.intake is not None:
            self.intake.left(state.id)
        self.executions.left(state)

    def keep_views(self) -> None:
        """Follows the log with the views from now on. Among workers the one that leads does, and who looks at them."""
        if not self._keeps_views and not self.closed:
            self._keeps_views = True
            self.environment.background(self.runner.activate())

    def _own(self) -> None:
        if self._claiming is not None:
            self._claiming.open()
            self.dismissal.over()
        elif not self._took_over:
            self.environment.background(self.insist(self._take_over))
        self._lead()
        if self.intake is not None:
            self.intake.owns()
        # The last words of an owner that died may have rung no bell.
        self.news.heard()

    def _lead(self) -> None:
        """Does what only one may, while this process is the one."""
        led, self._leading = self._leading, self._coordinator.leads
        if not self._leading:
            self.clockwork.stop()
        if led or not self._leading:
            return
        self.keep_views()
        self.notary.start()
        self.archivist.start()
        if self._claiming is not None and self.settings.take_over:
            self.environment.background(self.insist(self.clockwork.start))

    def _changed(self) -> None:
        if self.closed:
            return
        self._lead()
        if self._claiming is None:
            return
        if self.is_owner:
            self._claiming.look()
        elif self._claiming.is_open:
            self._claiming.close()
            self.dismissal.begin()

    def rejoin(self) -> None:
        """Becomes a worker again, under another name."""
        self.worker = self.environment.worker = worker_id()
        self.supervisor = self._supervise()
        self._coordinator.rejoin(self.worker)

    def _begin(self, claimed: Claimed, urgent: bool) -> None:
        """Goes on with what was claimed."""
        self.executions.revivals.inherit(execution_id for execution_id, _ in claimed)
        for execution_id, priority in claimed:
            self.environment.rank(execution_id, priority)
            self.executions.notify(execution_id, urgent=urgent)

    async def insist(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does what has to be done once the store works again."""
        while True:
            try:
                await work()
                return
            except JournalError as error:
                if self.closed:
                    return
                logger.error("The store fails: %s. It is asked again later.", error)
            await asyncio.sleep(self.settings.timing.retry_after)

    async def _take_over(self) -> None:
        if not self.settings.take_over:
            return
        unfinished = await self.journal.unfinished()
        if unfinished:
            logger.info("Going on with %d unfinished executions", len(unfinished))
        self.executions.revivals.inherit(unfinished)
        priorities = await self.journal.priorities()
        if priorities:
            unfinished.sort(key=lambda execution_id: -priorities.get(execution_id, 0))
        for execution_id in unfinished:
            self.environment.rank(execution_id, priorities.get(execution_id, 0))
            self.executions.notify(execution_id)
        self.environment.background(self.insist(self.clockwork.start))
