"""The road of an append: from the loop to the store, by the writer's thread or by the caller as leader, and
back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from actbook.events._envelope import Append
from actbook.journal._errors import JournalClosedError, StoreBusyError
from actbook.journal._listeners import Listeners, report_failure
from actbook.journal._plan import Outcome, Plan
from actbook.journal._prepared import prepare
from actbook.journal._recorded import Recorded
from actbook.journal._store import Store
from actbook.journal._writer import Batch, Done, Request, Writer

MAX_WAITING = 65_536
MAX_WAITING_BYTES = 64 * 1024 * 1024

FEW = 3
"""So many requests of one turn of the loop are written at once. With more, others mostly follow in the next turns."""

GATHERING = 0.005
"""Seconds for which they are waited for, at most."""


class Commits:
    """Lives on the loop; only `_report` runs on the writer's thread.

    Answers come in submission order. `ring` is called after each commit, on the thread that committed.
    """

    def __init__(
        self, store: Store, loop: asyncio.AbstractEventLoop, ring: Callable[[], object] | None
    ) -> None:
        self._store = store
        self._keys = store.keys
        self._loop = loop
        self.ring = ring
        self._writer = Writer(store, self._report)
        self._number = 0
        self._waiting = 0
        self._waiting_bytes = 0
        self._answering = False
        self._deferred: Request | None = None
        self._gathered: list[Request] = []
        self._counted = 0
        self._until = 0.0
        self._closed = False
        self._drained: asyncio.Future[None] = loop.create_future()
        self._room: deque[asyncio.Future[None]] = deque()
        self._settling: list[asyncio.Future[None]] = []
        self._until_answered: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.committed: Listeners[int] = Listeners(loop)
        self.recorded: Listeners[Recorded] = Listeners(loop)
        self.last_position = 0

    @property
    def is_full(self) -> bool:
        return self._waiting >= MAX_WAITING or self._waiting_bytes >= MAX_WAITING_BYTES

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way. May be asked from any thread."""
        return self._waiting > 0

    def submit(self, append: Append, done: Done, *, lead: bool = False) -> None:
        if self._closed:
            raise JournalClosedError
        prepared = prepare(append, self._keys)
        self._number += 1
        request = Request(self._number, prepared, done)
        self._waiting += 1
        self._waiting_bytes += prepared.size
        if lead and self._waiting == 1 and self._store.can_lead:
            self._lead(request)
        else:
            self._queue(request)

    async def room(self) -> None:
        """Returns when fewer requests and bytes wait than the bounds allow."""
        while self.is_full:
            future = self._loop.create_future()
            self._room.append(future)
            await future

    async def settled(self) -> None:
        """Returns when nothing is on its way."""
        while self._waiting:
            future = self._loop.create_future()
            self._settling.append(future)
            await future

    async def answered(self) -> None:
        """Returns when everything that was submitted until now is answered."""
        if self._waiting:
            future = self._loop.create_future()
            self._until_answered.append((self._number, future))
            await future

    def hear(self, last_position: int) -> None:
        """Another process committed up to this position."""
        if last_position > self.last_position:
            self.last_position = last_position
            self.committed.tell(last_position)

    async def close(self) -> None:
        """Writes what is queued and answers it."""
        self._closed = True
        if self._deferred is not None:
            self._gathered.append(self._deferred)
            self._deferred = None
        self._hand_over()
        thread = self._writer.stop()
        if thread is not None:
            await asyncio.to_thread(thread.join)
        if self._waiting:
            await self._drained

    def _lead(self, request: Request) -> None:
        if self._answering:
            self._deferred = request
            self._loop.call_soon(self._lead_deferred)
            return
        plan: Plan | None = None
        outcomes: list[Outcome]
        try:
            plan = self._store.write_prepared([request.prepared], wait=False)
            outcomes = plan.outcomes
        except StoreBusyError:
            self._writer.put([request])
            return
        except Exception as error:
            outcomes = [error]
        self._answer(self._rung(Batch([request], outcomes, plan)))

    def _lead_deferred(self) -> None:
        request, self._deferred = self._deferred, None
        if request is not None:
            self._lead(request)

    def _queue(self, request: Request) -> None:
        """What is submitted together goes to the writer together: a transaction costs more than many rows."""
        deferred, self._deferred = self._deferred, None
        if not self._gathered:
            self._counted = FEW
            self._until = self._loop.time() + GATHERING
            self._loop.call_soon(self._hand_over)
        if deferred is not None:
            self._gathered.append(deferred)
        self._gathered.append(request)

    def _hand_over(self) -> None:
        """Once nothing was added in a turn of the loop: the writer would take the interpreter's lock from whoever still submits."""
        count = len(self._gathered)
        if count > self._counted and self._loop.time() < self._until and not self._closed:
            self._counted = count
            self._loop.call_soon(self._hand_over)
            return
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._writer.put(gathered)

    def _report(self, batch: Batch) -> None:
        try:
            self._loop.call_soon_threadsafe(self._answer, self._rung(batch))
        except RuntimeError:
            return

    def _rung(self, batch: Batch) -> Batch:
        """The batch, after the other processes were told of it."""
        if self.ring is not None and batch.plan is not None and batch.plan.rows:
            try:
                self.ring()
            except Exception as error:
                self._loop.call_soon_threadsafe(report_failure, self._loop, error)
        return batch

    def _answer(self, batch: Batch) -> None:
        loop, barriers, nested = self._loop, self._writer.barriers, self._answering
        self._answering = True
        try:
            for (_, prepared, done), outcome in zip(batch.requests, batch.outcomes, strict=True):
                self._waiting -= 1
                self._waiting_bytes -= prepared.size
                if barriers:
                    barriers.bound(prepared, self._number)
                try:
                    done(outcome)
                except Exception as error:
                    report_failure(loop, error)
            if batch.plan is not None and batch.plan.rows:
                self._announce(batch.plan)
        finally:
            self._answering = nested
        if self._room:
            self._make_room()
        if self._until_answered:
            self._tell_answered(batch.requests[-1].number)
        if not self._waiting and (self._settling or self._closed):
            self._tell_settled()

    def _tell_answered(self, number: int) -> None:
        while self._until_answered and self._until_answered[0][0] <= number:
            future = self._until_answered.popleft()[1]
            if not future.done():
                future.set_result(None)

    def _tell_settled(self) -> None:
        settling, self._settling = self._settling, []
        for future in settling:
            if not future.done():
                future.set_result(None)
        if self._closed:
            self._drained.set_result(None)

    def _make_room(self) -> None:
        while self._room and not self.is_full:
            future = self._room.popleft()
            if not future.done():
                future.set_result(None)

    def _announce(self, plan: Plan) -> None:
        self.last_position = max(self.last_position, plan.last_position)
        if self.recorded:
            self.recorded.tell(Recorded(plan))
        self.committed.tell(self.last_position)
