"""The threads of blocking bodies, and the way back from them to the loop."""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

_BACKLOG = 4_096
Job = Callable[[], None]


class Threads:
    """Daemon threads, made when needed: one that never returns does not hold up the end of the interpreter.

    The caller counts slots; this only knows who is idle. All methods are for the loop thread.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()
        self._alive = 0
        self._idle = 0
        self._leaving = 0
        self._numbers = itertools.count(1)

    def run(self, job: Job) -> None:
        if self._idle:
            self._idle -= 1
        else:
            self._grow()
        self._jobs.put(job)

    def finished(self, *, surplus: bool = False) -> None:
        """A job is done and its thread is idle again; a surplus one ends."""
        if surplus:
            self._alive -= 1
            self._leaving += 1
            self._jobs.put(None)
        else:
            self._idle += 1

    def close(self, seconds: float) -> None:
        """End idle threads and wait (a moment) for all that end; one that is stuck in a job ends after it."""
        until = time.monotonic() + seconds
        for _ in range(self._alive):
            self._jobs.put(None)
        ending = self._idle + self._leaving
        self._idle, self._alive, self._leaving = 0, 0, 0
        for _ in range(ending):
            try:
                thread = self._ended.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            thread.join(max(0.0, until - time.monotonic()))

    def _grow(self) -> None:
        self._alive += 1
        name = f"actbook-blocking-{next(self._numbers)}"
        threading.Thread(target=_work, args=(self._jobs, self._ended), name=name, daemon=True).start()


def _work(jobs: queue.SimpleQueue[Job | None], ended: queue.SimpleQueue[threading.Thread]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job
    ended.put(threading.current_thread())


class Returns:
    """Hands entries of many threads to the loop: one wake-up for all that came in the meantime.

    A thread that gets far ahead of the loop waits in `post`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        home: Context,
        deliver: Callable[[list[tuple[Any, Any]]], None],
    ) -> None:
        self._loop = loop
        self._home = home
        self._deliver = deliver
        self._entries: deque[tuple[Any, Any]] = deque()
        self._armed = False
        self._waiting = 0
        self._room = threading.Condition()
        self._open = True

    def post(self, body: Any, item: Any) -> None:
        """From any thread. After `close` entries are dropped."""
        if not self._open:
            return
        self._entries.append((body, item))
        if not self._armed:
            self._armed = True
            try:
                self._loop.call_soon_threadsafe(self._drain, context=self._home)
            except RuntimeError:  # the loop is closed: nobody listens any more
                self._open = False
        if len(self._entries) > _BACKLOG:
            self._wait_for_room()

    def close(self) -> None:
        self._open = False
        with self._room:
            self._room.notify_all()

    def _wait_for_room(self) -> None:
        with self._room:
            self._waiting += 1
            self._room.wait_for(lambda: len(self._entries) <= _BACKLOG or not self._open)
            self._waiting -= 1

    def _drain(self) -> None:
        self._armed = False
        entries = self._entries
        self._deliver([entries.popleft() for _ in range(len(entries))])
        if self._waiting:
            with self._room:
                self._room.notify_all()
