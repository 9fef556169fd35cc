"""How everybody else reaches an actor."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar, overload

import pykka

from actbook.actors._runtime._errors import ActorStoppedError, AskTimeoutError, BlockingAskError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import Ask
from actbook.actors._runtime._messages import Stop
from actbook.actors._runtime._pykka import PykkaRef, StopRequest
from actbook.actors._runtime._thread import may_block
from actbook.actors._runtime._undelivered import redirect

__all__ = ["ActorRef"]

A = TypeVar("A", bound=pykka.Actor)


class ActorRef(PykkaRef[A], Generic[A]):
    """A reference that may be passed around. It stays valid, and harmless, after the actor's end.

    A ref to a named actor that was passivated reaches its next activation through the system's resolver.
    """

    __slots__ = ()

    @property
    def name(self) -> str | None:
        """The name it was spawned with."""
        return self._mailbox.name

    def is_alive(self) -> bool:
        """Whether the actor takes messages; a moment's view."""
        return not self._mailbox.closed

    def tell(self, message: Any) -> None:
        """Send without waiting. Never blocks. Raises ActorStoppedError when the actor is known to be gone."""
        box = self._mailbox
        if not box.closed:
            box.dispatcher.deliver(box, message)
        elif not redirect(box, message):
            raise ActorStoppedError(self)

    def tell_system(self, message: Any) -> None:
        """Send in front of all user messages; handled even while a handler is suspended. Never blocks, never
        raises."""
        box = self._mailbox
        box.dispatcher.deliver_system(box, message)

    @overload
    def ask(self, message: Any, *, block: Literal[False], timeout: float | None = None) -> Future[Any]: ...

    @overload
    def ask(self, message: Any, *, block: Literal[True] = True, timeout: float | None = None) -> Any: ...

    @overload
    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]: ...

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Send and get the answer, or with `block=False` a future of it. A stopped actor answers
        ActorStoppedError.

        Blocking is refused with BlockingAskError on a thread that runs actors or an event loop, before
        anything is sent. After `timeout` seconds of blocking: AskTimeoutError.
        """
        if block and not may_block():
            raise BlockingAskError
        box = self._mailbox
        reply = box.dispatcher.create_future()
        item = Ask(message, reply)
        if not box.closed:
            box.dispatcher.deliver(box, item)
        elif not redirect(box, item):
            reply.fail(ActorStoppedError(self))
        return reply.get(timeout=timeout) if block else reply

    async def ask_async(self, message: Any, *, timeout: float | None = None) -> Any:
        """Send and await the answer. After `timeout` seconds (of the dispatcher's clock): AskTimeoutError."""
        reply = self.ask(message, block=False)
        if timeout is None:
            return await reply
        expire = self._mailbox.dispatcher.call_later(timeout, lambda: reply.fail(AskTimeoutError(timeout)))
        try:
            return await reply
        finally:
            expire.cancel()

    @overload
    def stop(self, *, block: Literal[True] = True, timeout: float | None = None) -> bool: ...

    @overload
    def stop(self, *, block: Literal[False], timeout: float | None = None) -> Future[bool]: ...

    @overload
    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool | Future[bool]: ...

    def stop(self, *, block: bool = True, timeout: float | None = None) -> bool | Future[bool]:
        """End the actor after the messages already sent; False if it is gone. Done when its children have
        ended too."""
        if block and not may_block():
            raise BlockingAskError
        stopped = _as_stopped(self.ask(StopRequest(), block=False))
        return stopped.get(timeout=timeout) if block else stopped

    def terminate(self) -> Future[bool]:
        """End the actor now, before the messages that wait. Done, with whether it was alive, when its
        children have ended too. Never blocks."""
        reply = self._mailbox.dispatcher.create_future()
        self.tell_system(Ask(Stop(), reply))
        return _as_stopped(reply)


def _as_stopped(answer: Future[Any]) -> Future[bool]:
    def was_alive(timeout: float | None) -> bool:
        try:
            answer.get(timeout=timeout)
        except pykka.ActorDeadError:
            return False
        return True

    return answer.derive(was_alive)
