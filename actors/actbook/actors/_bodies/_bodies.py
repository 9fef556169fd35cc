"""All running bodies of one engine, and what they run on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Final

import msgspec

from actbook.graphs import Block, ExecutionContext

from ._blocking import BlockingBody, deliver
from ._body import Body, BodySink
from ._cpu import CpuBody
from ._deadlines import Deadlines
from ._on_loop import AsyncBody, InlineBody
from ._outcome import NoSlotError
from ._threads import Returns, Threads
from ._worker import in_worker
from ._workers import Workers


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """How many bodies may run at once.

    `abandoned` is how many extra threads may stand in for blocking bodies that would not stop; beyond that
    they keep their slot. `warm_workers` processes are started ahead.
    """

    async_: int = 100_000
    blocking: int = 32
    cpu: int = os.cpu_count() or 1
    abandoned: int = 32
    warm_workers: int = 0


_ENDLESS = 2**62


class Bodies:
    """Starts bodies on the running loop. Threads and processes are made when the first body needs them."""

    def __init__(self, capacity: Capacity | None = None, *, timeout_grace: float = 2.0) -> None:
        """`timeout_grace`: seconds that a body over its time limit has to end. Needs a running loop."""
        if in_worker():
            raise RuntimeError(
                "An engine was started while a worker process imported the main script: put the start of the "
                'script under `if __name__ == "__main__":`.'
            )
        self.capacity = capacity or Capacity()
        self.loop = asyncio.get_running_loop()
        self.home = copy_context()
        self.deadlines = Deadlines(self.loop, self.home)
        self.timeout_grace = timeout_grace
        self.slots: dict[str, int] = {
            "inline": _ENDLESS,
            "async": self.capacity.async_,
            "blocking": self.capacity.blocking,
            "cpu": self.capacity.cpu,
        }
        self._running: dict[Body, None] = {}
        self._replaced: set[Body] = set()
        self._kept: set[Body] = set()
        self._empty: asyncio.Future[None] | None = None
        self._closed = False
        self.on_thread_back: Callable[[], object] | None = None
        self.threads = Threads()
        self.returns = Returns(self.loop, self.home, deliver)
        self.workers = Workers(self.loop, self.home, self.capacity.warm_workers)

    @property
    def running(self) -> int:
        return len(self._running)

    def start(
        self,
        block: Block,
        input: dict[str, Any],
        context: ExecutionContext,
        sink: BodySink,
        *,
        timeout: float | None = None,
    ) -> Body:
        """Run `block` over a copy of `input`; returns at once, except that an inline body runs to its end.

        `timeout` is in seconds of wall-clock time. Whatever the block does is told to the sink, which may
        happen before this returns. Raises NoSlotError when its mode has no free slot, RuntimeError after
        `close`.
        """
        if self._closed:
            raise RuntimeError("These bodies are closed: no new one can start.")
        mode = block.execution
        if self.slots[mode] <= 0:
            raise NoSlotError(mode)
        self.slots[mode] -= 1
        body = _MODES[mode](self, block, sink)
        self._running[body] = None
        try:
            body.begin(input, context, timeout)
        except Exception:
            # Input that can't be copied: no code of the block has run.
            self.release(body, stopped=True)
            raise
        return body

    async def close(self, deadline: float) -> None:
        """Cancel what runs, wait up to `deadline` seconds for it, and end threads and workers. Idempotent."""
        self._closed = True
        until = self.loop.time() + deadline
        for body in list(self._running):
            body.cancel(deadline)
        if self._running:
            self._empty = self._empty or self.loop.create_future()
            await asyncio.wait([self._empty])
        self.deadlines.close()
        left = max(1.0, until - self.loop.time())
        self.returns.close()
        self.threads.close(left)
        await self.workers.close(left)

    def release(self, body: Body, *, stopped: bool) -> None:
        del self._running[body]
        if stopped or body.mode != "blocking":
            self.slots[body.mode] += 1
        elif len(self._replaced) < self.capacity.abandoned:
            self._replaced.add(body)
            self.slots["blocking"] += 1
        else:
            self._kept.add(body)
        if not self._running and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def thread_back(self, body: Body) -> None:
        if body in self._kept:
            self._kept.discard(body)
            self.slots["blocking"] += 1
            if self.on_thread_back is not None:
                self.on_thread_back()
        self.threads.finished(surplus=body in self._replaced)
        self._replaced.discard(body)


_MODES: Final[dict[str, Callable[[Bodies, Block, BodySink], Body]]] = {
    "inline": InlineBody,
    "async": AsyncBody,
    "blocking": BlockingBody,
    "cpu": CpuBody,
}
