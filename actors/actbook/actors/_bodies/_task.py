"""A task that starts at once: the body of an `async` block.

asyncio documents how a task of a third party makes itself known (`_enter_task`, `_leave_task`). This
one takes its first step inside `start`, so a body that never waits costs no turn of the loop, and it can be
ended for good where it stands, which an `asyncio.Task` cannot.
"""

from __future__ import annotations

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Coroutine
from contextvars import Context
from time import thread_time
from typing import Any

from ._emission import end_now


class StepTask(asyncio.Future[None]):
    """Drives a coroutine that never raises. `after_step` is called after every step, outside its context.

    `home` is the context in which the loop calls back; `cpu` counts the thread seconds of the steps.
    """

    def __init__(
        self,
        coro: Coroutine[Any, Any, None],
        after_step: Callable[[], None],
        *,
        loop: asyncio.AbstractEventLoop,
        context: Context,
        home: Context,
    ) -> None:
        super().__init__(loop=loop)
        self.cpu = 0.0
        self._coro = coro
        self._after_step = after_step
        self._own_loop = loop
        self._context = context
        self._home = home
        self._fut_waiter: asyncio.Future[Any] | None = None
        self._must_cancel = False
        self._cancel_words: tuple[Any, ...] = ()
        self._cancels = 0

    def start(self) -> None:
        self._step(None)

    def cancel(self, msg: Any | None = None) -> bool:
        if self.done():
            return False
        self._cancels += 1
        if self._fut_waiter is not None and self._fut_waiter.cancel(msg=msg):
            return True
        self._must_cancel = True
        self._cancel_words = () if msg is None else (msg,)
        return True

    def cancel_here(self) -> None:
        """The same, and where the coroutine waits for a plain future it is told before this returns.

        Not what `cancel` does: whoever calls that, as `asyncio.timeout` does, may count on the coroutine going on later.
        """
        waits_for = self._fut_waiter
        if type(waits_for) is not asyncio.Future or waits_for.done():
            self.cancel()
            return
        waits_for.remove_done_callback(self._wake)
        waits_for.cancel()
        self._cancels += 1
        self._step(asyncio.CancelledError())

    def give_up(self) -> bool:
        """End the coroutine where it stands; it never runs again. False when it would have gone on."""
        if self._fut_waiter is not None:
            self._fut_waiter.remove_done_callback(self._wake)
            self._fut_waiter = None
        ended: bool = self._inside(end_now, self._coro)
        self.set_result(None)
        return ended

    def cancelling(self) -> int:
        return self._cancels

    def uncancel(self) -> int:
        self._cancels = max(0, self._cancels - 1)
        return self._cancels

    def get_coro(self) -> Coroutine[Any, Any, None]:
        return self._coro

    def get_context(self) -> Context:
        return self._context

    def get_name(self) -> str:
        return f"body-{id(self):x}"

    def _step(self, error: BaseException | None) -> None:
        if self.done():
            return
        self._fut_waiter = None
        if self._must_cancel:
            self._must_cancel = False
            if not isinstance(error, asyncio.CancelledError):
                error = asyncio.CancelledError(*self._cancel_words)
        before = thread_time()
        try:
            if error is None:
                awaited = self._inside(self._coro.send, None)
            else:
                awaited = self._inside(self._coro.throw, error)
        except StopIteration:
            self.set_result(None)
        else:
            self._wait_for(awaited)
        finally:
            del error  # its traceback holds this frame
        self.cpu += thread_time() - before
        self._after_step()

    def _inside(self, call: Callable[[Any], Any], argument: Any) -> Any:
        """Call in the body's context, with this as the current task."""
        loop, task = self._own_loop, self
        outer = asyncio.current_task(loop)
        if outer is not None:
            _leave_task(loop, outer)
        _enter_task(loop, task)  # type: ignore[arg-type]
        try:
            return self._context.run(call, argument)
        finally:
            _leave_task(loop, task)  # type: ignore[arg-type]
            if outer is not None:
                _enter_task(loop, outer)

    def _wait_for(self, awaited: Any) -> None:
        if awaited is None:
            self._own_loop.call_soon(self._step, None, context=self._home)
        elif fault := self._unawaitable(awaited):
            self._own_loop.call_soon(self._step, fault, context=self._home)
        else:
            awaited._asyncio_future_blocking = False  # noqa: SLF001
            awaited.add_done_callback(self._wake, context=self._home)
            self._fut_waiter = awaited
            if self._must_cancel and awaited.cancel():
                self._must_cancel = False

    def _unawaitable(self, awaited: Any) -> RuntimeError | None:
        if not getattr(awaited, "_asyncio_future_blocking", False):
            return RuntimeError(
                f"cannot wait for {type(awaited).__name__} objects: await something of asyncio"
            )
        if awaited is self:
            return RuntimeError("a body cannot wait for itself")
        if awaited.get_loop() is not self._own_loop:
            return RuntimeError("the awaited future belongs to another event loop")
        return None

    def _wake(self, awaited: asyncio.Future[Any]) -> None:
        try:
            awaited.result()
        except BaseException as error:
            self._step(error)
        else:
            self._step(None)
