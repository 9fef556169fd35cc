"""Actors that run only when told to, in an order drawn from a seed, in virtual time: for tests."""

from __future__ import annotations

import random
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any, TypeVar

from actbook.actors._runtime._confined import ConfinedDispatcher
from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._errors import AskTimeoutError, BlockingAskError, LivelockError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._task import TaskDriver
from actbook.actors._runtime._thread import host
from actbook.actors._runtime._turn import run_turn
from actbook.actors._runtime._virtual import VirtualLoop

__all__ = ["ManualDispatcher"]

T = TypeVar("T")


class ManualDispatcher(ConfinedDispatcher):
    """Runs one turn per `step()`; the next ready mailbox is drawn by a generator seeded with `seed`.

    The same seed and the same messages give the same run. Belongs to the thread that made it. Coroutine
    handlers run on an asyncio loop in virtual time, so `asyncio.sleep`, `asyncio.timeout` and task groups
    work, at no time at all.
    """

    def __init__(self, seed: int = 0) -> None:
        self._boxes: list[Mailbox] = []
        super().__init__(self._boxes)
        self._home = get_ident()
        self._armed = True
        self._random = random.Random(seed)
        self._loop = VirtualLoop()

    @property
    def idle(self) -> bool:
        """Whether no mailbox or coroutine is ready."""
        return super().idle and not self._loop.ready

    @property
    def has_time(self) -> bool:
        """Drawn by the generator: both ways are to be tried."""
        return self._random.random() < 0.5

    def create_future(self) -> Future[Any]:
        """A future that, when the test blocks on it, runs the actors until it is set."""
        return _ManualFuture(self)

    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self._loop.time()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call once, in virtual time."""
        return self._loop.schedule(seconds, callback)

    def drive(self, box: Mailbox, awaitable: Awaitable[Any], hook: Hook) -> None:
        """Run a coroutine of the actor on the virtual loop."""
        driver = TaskDriver(box, hook, awaitable)
        box.driver = driver
        with self._hosting():
            driver.start(self._loop.as_loop())

    def step(self) -> bool:
        """Run one turn of one ready mailbox, or one step of the coroutines; False when nothing is ready."""
        self._absorb()
        choices = len(self._boxes) + self._loop.ready
        if not choices:
            return False
        choice = self._random.randrange(choices)
        with self._hosting():
            if choice < len(self._boxes):
                box = self._boxes.pop(choice)
                run_turn(box)
                self._settle(box)
            else:
                self._loop.run_one()
        if self._interrupt is not None:
            error, self._interrupt = self._interrupt, None
            raise error
        return True

    def run_until_idle(self, max_steps: int = 1_000_000) -> int:
        """Step until nothing is ready, at the present time; how many steps it took. LivelockError beyond
        `max_steps`."""
        for steps in range(max_steps):
            if not self.step():
                return steps
        raise LivelockError(max_steps)

    def advance(self, seconds: float) -> None:
        """Run until idle, then let `seconds` pass: each timer fires at its time, and what it causes runs
        before the next."""
        until = self.now() + seconds
        self.run_until_idle()
        while (due := self._loop.next_due()) is not None and due <= until:
            self._loop.move_to(due)
            self.run_until_idle()
        self._loop.move_to(until)

    def run_until(self, done: Callable[[], bool], timeout: float | None = None) -> None:
        """Run, and let time pass from timer to timer, until `done()`. AskTimeoutError after `timeout` virtual
        seconds, or when nothing is left to run."""
        until = None if timeout is None else self.now() + timeout
        while not done():
            if self.step():
                continue
            due = self._loop.next_due()
            if due is None or (until is not None and due > until):
                if until is not None:
                    self._loop.move_to(until)
                raise AskTimeoutError(timeout)
            self._loop.move_to(due)

    def close(self) -> None:
        """Answer what is still sent from other threads with ActorStoppedError."""
        self._refuse_all()

    def _arm(self) -> None:
        """Nothing to do: the test makes the steps."""

    def _wake(self) -> None:
        """Nothing to do: the next step looks."""

    @contextmanager
    def _hosting(self) -> Iterator[None]:
        outer_loop, outer_host = _get_running_loop(), host.dispatcher
        _set_running_loop(self._loop.as_loop())
        host.dispatcher = self
        try:
            yield
        finally:
            _set_running_loop(outer_loop)
            host.dispatcher = outer_host


class _ManualFuture(Future[T]):
    def __init__(self, dispatcher: ManualDispatcher | None = None) -> None:
        super().__init__()
        self._dispatcher = dispatcher

    def _block(self, timeout: float | None) -> None:
        if self._dispatcher is None:
            super()._block(timeout)
        elif host.dispatcher is not None:
            raise BlockingAskError
        else:
            self._dispatcher.run_until(self.done, timeout)
