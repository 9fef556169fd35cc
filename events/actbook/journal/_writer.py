"""Group commit: one thread writes whatever is queued in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from actbook.journal._barriers import Barriers
from actbook.journal._plan import Outcome, Plan
from actbook.journal._prepared import Prepared
from actbook.journal._store import Store

MAX_REQUESTS = 4096
MAX_BYTES = 8 * 1024 * 1024

Done = Callable[[Outcome], None]


class Request(NamedTuple):
    """An append on its way, numbered in submission order."""

    number: int
    prepared: Prepared
    done: Done


class Batch(NamedTuple):
    """Requests that went through one transaction and the answer to each; no plan when nothing reached the
    store.
    """

    requests: list[Request]
    outcomes: list[Outcome]
    plan: Plan | None


class Writer:
    """Takes requests in order, never waits for more of them, and reports each batch once, from its own
    thread.

    A batch ends at `MAX_REQUESTS` requests or `MAX_BYTES` bytes.
    """

    def __init__(self, store: Store, report: Callable[[Batch], None]) -> None:
        self._store = store
        self._report = report
        self._queue: SimpleQueue[list[Request] | None] = SimpleQueue()
        self._left: list[Request] = []
        self._thread: Thread | None = None
        self.barriers = Barriers()

    def put(self, requests: list[Request]) -> None:
        """Requests for one batch, as far as the bounds allow. Never blocks. The thread starts with the first of them."""
        self._queue.put(requests)
        if self._thread is None:
            self._thread = Thread(target=self._run, name="actbook-journal-writer", daemon=True)
            self._thread.start()

    def stop(self) -> Thread | None:
        """Asks the thread to end after everything that is queued; returns it so that the caller can join
        it.
        """
        self._queue.put(None)
        return self._thread

    def _run(self) -> None:
        more = True
        while more:
            requests, more = self._take()
            if requests:
                self._report(self._write(requests))

    def _take(self) -> tuple[list[Request], bool]:
        """Waits for requests and takes those that are there with them; False when asked to stop."""
        waiting, self._left = self._left, []
        requests: list[Request] = []
        size = 0
        taken = waiting or self._queue.get()
        while taken is not None:
            for index, request in enumerate(taken):
                if len(requests) >= MAX_REQUESTS or size >= MAX_BYTES:
                    self._left = taken[index:]
                    return requests, True
                requests.append(request)
                size += request.prepared.size
            try:
                taken = self._queue.get_nowait()
            except Empty:
                return requests, True
        return requests, False

    def _write(self, requests: list[Request]) -> Batch:
        refused: dict[int, Exception] = {}
        if self.barriers:
            refused = self.barriers.refuse((request.number, request.prepared) for request in requests)
        batch = [request.prepared for request in requests if request.number not in refused]
        plan: Plan | None = None
        written: list[Outcome] = []
        if batch:
            try:
                plan = self._store.write_prepared(batch)
                written = plan.outcomes
            except Exception as error:
                written = [error] * len(batch)
        outcomes = _merge(requests, refused, written) if refused else written
        if refused or plan is None or plan.has_failures:
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    self.barriers.raise_for(request.prepared, outcome)
        return Batch(requests, outcomes, plan)


def _merge(requests: list[Request], refused: dict[int, Exception], written: list[Outcome]) -> list[Outcome]:
    """One outcome per request, in order."""
    answers = iter(written)
    return [refused.get(request.number) or next(answers) for request in requests]
