"""Mailboxes that one thread alone touches: no locks, and one queue for what other threads send."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from threading import get_ident
from typing import Any, Protocol

from actbook.actors._runtime._dispatcher import Hook, TimerHandle
from actbook.actors._runtime._errors import WrongThreadError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import BUSY, IDLE, READY, Mailbox
from actbook.actors._runtime._undelivered import bury, return_to_sender

__all__ = ["ConfinedDispatcher"]

_SPARES = 1024


class _Queue(Protocol):
    """What holds the ready mailboxes: a deque, or a list to pick from."""

    def append(self, box: Mailbox, /) -> None: ...

    def __len__(self) -> int: ...


class ConfinedDispatcher(ABC):
    """What the loop and the manual dispatcher share."""

    steps_coroutines = False
    confined = True

    def __init__(self, ready: _Queue) -> None:
        self._ready = ready
        self._home = 0
        self._armed = False
        self._woken = False
        self._foreign: deque[tuple[Mailbox, Any, bool]] = deque()
        self._spare: list[deque[Any]] = []
        self._interrupt: BaseException | None = None
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether no mailbox, other than the one being run, is ready."""
        return not self._ready and not self._foreign

    def create_future(self) -> Future[Any]:
        """A future for the answer to an ask."""
        return Future()

    def deliver(self, box: Mailbox, item: Any) -> None:
        """Put a user message in the mailbox. From any thread."""
        if get_ident() != self._home:
            self._send(box, item, False)
            return
        if box.closed:
            return_to_sender(box, item)
            return
        lane = box.lane
        if lane is None:
            lane = box.lane = self._spare.pop() if self._spare else deque()
        lane.append(item)
        if not box.phase:
            box.phase = READY
            self._ready.append(box)
            if not self._armed:
                self._arm()

    def deliver_system(self, box: Mailbox, message: Any) -> None:
        """Put a system message in front of all user messages. From any thread."""
        if get_ident() != self._home:
            self._send(box, message, True)
            return
        if box.ended:
            bury(box, message, system=True)
            return
        urgent = box.urgent
        if urgent is None:
            urgent = box.urgent = self._spare.pop() if self._spare else deque()
        urgent.append(message)
        if box.phase == IDLE or box.phase == BUSY:
            box.phase = READY
            self._ready.append(box)
            if not self._armed:
                self._arm()

    def is_at_rest(self, box: Mailbox) -> bool:
        """Whether nothing of it runs or waits. False on other threads."""
        return box.phase == IDLE and get_ident() == self._home

    def may_seal(self, box: Mailbox) -> bool:
        """Seal the mailbox if nothing waits. Only on the home thread: WrongThreadError."""
        if get_ident() != self._home:
            raise WrongThreadError("passivate")
        self._absorb()
        if box.closed or box.lane or box.urgent or box.driver or box.children or box.deferred:
            return False
        box.passivated = True
        box.closed = True
        return True

    def seal(self, box: Mailbox) -> deque[Any] | None:
        """Let nothing more in, and take out what waits."""
        box.closed = True
        lane, box.lane = box.lane, None
        return lane

    def retire(self, box: Mailbox) -> deque[Any] | None:
        """Mark as ended, and take out the system messages that wait."""
        box.ended = box.closed = True
        urgent, box.urgent = box.urgent, None
        return urgent

    def rouse(self, box: Mailbox) -> None:
        """The suspended handler has ended: let waiting messages run."""
        if box.phase == BUSY:
            if box.lane or box.urgent:
                box.phase = READY
                self._ready.append(box)
                if not self._armed:
                    self._arm()
            else:
                box.phase = IDLE

    def interrupt(self, error: BaseException) -> None:
        """Raise the error out of the next run of this dispatcher."""
        self._interrupt = error
        if not self._armed:
            self._arm()

    @abstractmethod
    def now(self) -> float:
        """Monotonic seconds."""

    @abstractmethod
    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call once, later."""

    @abstractmethod
    def drive(self, box: Mailbox, awaitable: Awaitable[Any], hook: Hook) -> None:
        """Run a coroutine of the actor."""

    @abstractmethod
    def close(self) -> None:
        """Release what it owns."""

    @abstractmethod
    def _arm(self) -> None:
        """On the home thread: have the ready mailboxes run soon."""

    @abstractmethod
    def _wake(self) -> None:
        """From another thread: have what was sent looked at soon."""

    def _settle(self, box: Mailbox) -> None:
        """After a turn: is the mailbox ready again, busy, or idle?"""
        if box.urgent:
            box.phase = READY
            self._ready.append(box)
            return
        if box.urgent is not None:
            self._keep(box.urgent)
            box.urgent = None
        if box.driver is not None:
            box.phase = BUSY
        elif box.lane:
            box.phase = READY
            self._ready.append(box)
        else:
            box.phase = IDLE
            if box.lane is not None:
                self._keep(box.lane)
                box.lane = None

    def _keep(self, empty: deque[Any]) -> None:
        # A new deque costs more than a turn: empty ones go round.
        if len(self._spare) < _SPARES:
            self._spare.append(empty)

    def _send(self, box: Mailbox, item: Any, system: bool) -> None:
        self._foreign.append((box, item, system))
        if self._closed:
            self._refuse_all()
        elif not self._woken:
            self._woken = True
            self._wake()

    def _absorb(self) -> None:
        self._woken = False
        while self._foreign:
            try:
                box, item, system = self._foreign.popleft()
            except IndexError:
                return
            if system:
                self.deliver_system(box, item)
            else:
                self.deliver(box, item)

    def _refuse(self, box: Mailbox, item: Any, system: bool) -> None:
        if system:
            bury(box, item, system=True)
        else:
            return_to_sender(box, item)

    def _refuse_all(self) -> None:
        self._closed = True
        while self._foreign:
            try:
                self._refuse(*self._foreign.popleft())
            except IndexError:
                return
