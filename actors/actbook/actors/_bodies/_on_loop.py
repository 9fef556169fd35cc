"""Bodies that run on the event loop's thread: `inline` and `async`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextvars import copy_context
from time import thread_time
from typing import Any, NoReturn

from actbook.graphs import ExecutionContext

from ._body import Body
from ._emission import Emission, Yields, begin, drain, drain_async, end_now
from ._outcome import Fault
from ._task import StepTask


class _LoopBody(Body):
    """A KeyboardInterrupt in code on the loop's thread goes on to the host, once the node's end is told."""

    def _end(self, *, abandoned: bool = False, stopped: bool = True) -> None:
        super()._end(abandoned=abandoned, stopped=stopped)
        interrupt, self._emission.interrupt = self._emission.interrupt, None
        if interrupt is not None:
            self._host.loop.call_soon(_raise, interrupt)


class InlineBody(_LoopBody):
    """Runs to its end inside `start`. Its time limit is looked at between values: nothing interrupts it."""

    mode = "inline"

    def _begin(self, data: dict[str, Any], context: ExecutionContext) -> None:
        before = thread_time()
        copy_context().run(_run_inline, self._block, data, context, self._emission)
        self._cpu = thread_time() - before
        self._end()

    def _limit(self, timeout: float) -> None:
        self._emission.limit(timeout)

    def _halt(self) -> None:
        """It has ended, or it is what calls."""

    def _give_up(self) -> None:
        self._end()


class AsyncBody(_LoopBody):
    """Its first step is taken inside `start`; what it yields before it waits is told when it waits."""

    mode = "async"
    _task: StepTask | None = None

    def _begin(self, data: dict[str, Any], context: ExecutionContext) -> None:
        yields = begin(self._block, data, context, self._emission)
        if yields is None:
            self._end()
            return
        host = self._host
        self._task = StepTask(
            drain_async(yields, self._emission),
            self._stepped,
            loop=host.loop,
            context=copy_context(),
            home=host.home,
        )
        self._task.start()

    def _stepped(self) -> None:
        if self._task is not None and self._task.done():
            self._conclude(self._task)
        else:
            self._flush()

    def _halt(self) -> None:
        if self._task is not None:
            self._task.cancel_here()

    def _give_up(self) -> None:
        if self._task is not None:
            gone = self._task.give_up()
            self._conclude(self._task, abandoned=not gone)

    def _conclude(self, task: StepTask, *, abandoned: bool = False) -> None:
        self._task = None
        self._cpu = task.cpu
        self._end(abandoned=abandoned)


def _run_inline(block: Any, data: dict[str, Any], context: ExecutionContext, emission: Emission) -> None:
    yields = begin(block, data, context, emission)
    if isinstance(yields, AsyncGenerator):
        _drain_at_once(block.name, yields, emission)
    elif yields is not None:
        drain(yields, emission)


def _drain_at_once(name: str, yields: Yields, emission: Emission) -> None:
    coro = drain_async(yields, emission, burst=0)
    try:
        coro.send(None)
    except StopIteration:
        return
    text = f'{name} is declared `execution = "inline"` but waited for something: declare it "async"'
    emission.fault = Fault(text, "RuntimeError", expected=False)
    end_now(coro)


def _raise(error: BaseException) -> NoReturn:
    raise error
