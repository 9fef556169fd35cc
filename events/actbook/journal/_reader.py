"""Threads that read, so that no read ever blocks the actor loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from actbook.journal._errors import JournalClosedError

T = TypeVar("T")

_Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Reader:
    """A few threads that start when first needed. A long read keeps one of them busy, not the others."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int = 2) -> None:
        self._loop = loop
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._most = threads
        self._threads: list[Thread] = []
        self._busy = 0
        self._closed = False

    async def run(self, work: Callable[[], T]) -> T:
        """Result of `work`, done on a reader thread."""
        if self._closed:
            raise JournalClosedError
        answer: asyncio.Future[T] = self._loop.create_future()
        self._busy += 1
        if self._busy > len(self._threads) < self._most:
            self._start_thread()
        self._queue.put((work, answer))
        try:
            return await answer
        finally:
            self._busy -= 1

    def stop(self) -> list[Thread]:
        """Asks the threads to end after what is queued; returns them so that the caller can join them."""
        self._closed = True
        for _ in self._threads:
            self._queue.put(None)
        return self._threads

    def _start_thread(self) -> None:
        name = f"actbook-journal-reader-{len(self._threads) + 1}"
        thread = Thread(target=self._serve, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while (item := self._queue.get()) is not None:
            work, answer = item
            result: Any = None
            error: BaseException | None = None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            del work, item
            try:
                self._loop.call_soon_threadsafe(_answer, answer, result, error)
            except RuntimeError:
                return


def _answer(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
