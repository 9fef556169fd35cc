"""Bodies that may block: each has a thread of the pool for as long as it runs."""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from time import thread_time
from typing import Any, Protocol

from actbook.graphs import Block, ExecutionContext

from ._body import Body, BodySink, Host
from ._own_thread import Interrupt, run_to_end
from ._stop import StopSignal, current_signal
from ._threads import Returns, Threads

_END = object()


class ThreadHost(Host, Protocol):
    threads: Threads
    returns: Returns

    def thread_back(self, body: Body) -> None:
        """The thread of a body is free again, also when the body was abandoned long ago."""


class BlockingBody(Body):
    """Stops when its code looks: at `stop_requested`, a yield or an await. Otherwise it is abandoned."""

    mode = "blocking"

    def __init__(self, host: ThreadHost, block: Block, sink: BodySink) -> None:
        super().__init__(host, block, sink)
        self._threads_of = host
        self._signal = StopSignal()
        self._interrupt: Interrupt | None = None
        self._back = False
        self._emission.put = partial(host.returns.post, self)

    def _begin(self, data: dict[str, Any], context: ExecutionContext) -> None:
        inside = copy_context()
        self._threads_of.threads.run(lambda: inside.run(self._work, data, context))

    def _work(self, data: dict[str, Any], context: ExecutionContext) -> None:
        current_signal.set(self._signal)
        before = thread_time()
        run_to_end(self._block, data, context, self._emission, self._interruptible)
        self._cpu = thread_time() - before
        self._threads_of.returns.post(self, _END)

    def _interruptible(self, interrupt: Interrupt | None) -> None:
        self._interrupt = interrupt
        if interrupt is not None and self._signal.raised:
            interrupt()

    def _halt(self) -> None:
        self._signal.set()
        interrupt = self._interrupt
        if interrupt is not None:
            interrupt()

    def _give_up(self) -> None:
        self._end(abandoned=True, stopped=False)

    def receive(self, item: Any) -> None:
        if item is _END:
            self._back = True
        elif not self._cancelled:
            self._pending.append(item)

    def settle(self) -> None:
        if self._back:
            self._threads_of.thread_back(self)
            self._end()
        else:
            self._flush()


def deliver(entries: list[tuple[BlockingBody, Any]]) -> None:
    """What came back from the threads since the last turn of the loop."""
    touched: dict[BlockingBody, None] = {}
    for body, item in entries:
        body.receive(item)
        touched[body] = None
    for body in touched:
        body.settle()
