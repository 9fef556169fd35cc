"""What runs mailboxes: the one protocol of the loop, the pool and the manual dispatcher."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections import deque

    from actbook.actors._runtime._future import Future
    from actbook.actors._runtime._mailbox import Mailbox

__all__ = ["Dispatcher", "Driver", "Hook", "TimerHandle"]


class TimerHandle(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make the call; nothing if it was made."""


class Hook(Enum):
    """Which of the actor's hooks a coroutine came from."""

    START = "on_start"
    RECEIVE = "on_receive"
    STOP = "on_stop"


class Driver(Protocol):
    """Runs one coroutine of an actor to its end, then tells the mailbox."""

    hook: Hook
    expiry: TimerHandle | None
    """When the coroutine is abandoned, once it was cancelled."""

    def cancel(self) -> None:
        """Raise CancelledError where the coroutine is suspended."""

    def step(self) -> None:
        """Go on, where the dispatcher and not a loop does the stepping."""

    def abandon(self) -> None:
        """Forget the coroutine: whatever it does from now on reaches nobody."""


class Dispatcher(Protocol):
    """Runs mailboxes, each in turns of bounded length, never two turns of one mailbox at a time."""

    steps_coroutines: bool
    """Whether coroutine handlers run without an asyncio loop, so that an awaited runtime future yields
    itself."""

    confined: bool
    """Whether one thread runs all of its mailboxes."""

    @property
    def idle(self) -> bool:
        """Whether no mailbox (other than the one being run) is ready, so that a short blocking call delays
        nobody."""
        ...

    @property
    def has_time(self) -> bool:
        """Whether the turn that is run may do a little more by itself before others get theirs."""
        ...

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> TimerHandle:
        """Call once, on a thread of this dispatcher. From any thread; nothing polls."""
        ...

    def close(self) -> None:
        """Release threads and loops of its own. What is sent afterwards becomes dead letters."""
        ...

    def create_future(self) -> Future[Any]:
        """A future for the answer to an ask."""
        ...

    def deliver(self, box: Mailbox, item: Any) -> None:
        """Put a user message, or an Ask, in the mailbox. From any thread."""
        ...

    def deliver_system(self, box: Mailbox, message: Any) -> None:
        """Put a system message in front of all user messages. From any thread."""
        ...

    def is_at_rest(self, box: Mailbox) -> bool:
        """Whether nothing of the mailbox runs or waits, and no thread but the calling one can change that."""
        ...

    def may_seal(self, box: Mailbox) -> bool:
        """Seal the mailbox if nothing waits, runs suspended or lives below it; whether it was sealed."""
        ...

    def seal(self, box: Mailbox) -> deque[Any] | None:
        """Let nothing more in, and take out what waits."""
        ...

    def retire(self, box: Mailbox) -> deque[Any] | None:
        """Mark the mailbox as ended, and take out the system messages that wait."""
        ...

    def drive(self, box: Mailbox, awaitable: Awaitable[Any], hook: Hook) -> None:
        """Run a coroutine of the actor; the mailbox is busy meanwhile."""
        ...

    def rouse(self, box: Mailbox) -> None:
        """The suspended handler has ended: let waiting messages run."""
        ...

    def interrupt(self, error: BaseException) -> None:
        """Raise the error in whatever hosts this dispatcher, after the turn."""
        ...
