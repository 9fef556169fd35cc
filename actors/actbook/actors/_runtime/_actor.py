"""The base of all actors."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

import pykka

from actbook.actors._runtime._closing import stop
from actbook.actors._runtime._errors import NoSystemError
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._pykka import PykkaActor
from actbook.actors._runtime._ref import ActorRef

if TYPE_CHECKING:
    from actbook.actors._runtime._dispatcher import Dispatcher, TimerHandle
    from actbook.actors._runtime._future import Future
    from actbook.actors._runtime._system import ActorSystem

__all__ = ["Actor"]

A = TypeVar("A", bound="Actor")


class Actor(PykkaActor):
    """A pykka actor that lives in an ActorSystem, on one of its dispatchers.

    Handle messages in `on_receive`, which may be a coroutine function: user messages wait until it has ended,
    system messages go to `on_system` meanwhile. Only one hook runs at a time, apart from that.
    """

    __slots__ = ()

    messages_per_turn: ClassVar[int] = 64
    """After so many messages another mailbox gets its turn."""
    stop_deadline: ClassVar[float] = 5.0
    """Seconds that a suspended handler has to end after its CancelledError; then the actor ends without
    it."""
    ask_failure_stops: ClassVar[bool] = False
    """Whether an Exception that goes to the caller of an ask is a failure of the actor too: on_failure, then
    its end.

    pykka's way is that the actor goes on, and on_failure hears nothing.
    """
    watches_children: bool = True
    """Whether it hears ChildStopped. A parent of many short-lived children may do without, and may change its mind.

    ChildFailed comes always; on a dispatcher with several threads ChildStopped does too.
    """
    default_system: ClassVar[ActorSystem | None] = None
    """Where pykka's `start()` puts actors of this class."""

    overrides_turn_end: ClassVar[bool] = False
    overrides_start: ClassVar[bool] = False
    overrides_stop: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.overrides_turn_end = cls.on_turn_end is not Actor.on_turn_end
        cls.overrides_stop = cls.on_stop not in (Actor.on_stop, pykka.Actor.on_stop)
        cls.overrides_start = cls.on_start not in (Actor.on_start, pykka.Actor.on_start)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """As in pykka: a subclass calls it first, and may be given any arguments."""
        box = Mailbox(self)
        self._mailbox = box
        box.ref = ActorRef(box, type(self))

    @property
    def actor_ref(self) -> ActorRef[Self]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The reference others use."""
        return cast("ActorRef[Self]", self._mailbox.ref)

    @property
    def name(self) -> str | None:
        """The name it was spawned with."""
        return self._mailbox.name

    @property
    def system(self) -> ActorSystem:
        """The system it lives in. NoSystemError before it is spawned."""
        system = self._mailbox.system
        if system is None:
            raise NoSystemError(type(self))
        return system

    @property
    def dispatcher(self) -> Dispatcher:
        """What runs it."""
        return self._mailbox.dispatcher

    @property
    def parent(self) -> ActorRef[Any] | None:
        """Whose child it is; None for a root."""
        parent = self._mailbox.parent
        return None if parent is None else cast("ActorRef[Any]", parent.ref)

    @property
    def children(self) -> list[ActorRef[Any]]:
        """Its children that have not ended, oldest first."""
        return [child.ref for child in list(self._mailbox.children or ())]

    def spawn(
        self,
        actor_class: type[A],
        *args: Any,
        name: str | None = None,
        dispatcher: Dispatcher | None = None,
        **kwargs: Any,
    ) -> ActorRef[A]:
        """Start a child. See ActorSystem.spawn."""
        return self.system.spawn(
            actor_class, *args, name=name, parent=self.actor_ref, dispatcher=dispatcher, **kwargs
        )

    def passivate(self) -> bool:
        """End this actor if nothing waits for it. See ActorSystem.passivate; make it the last thing a handler
        does."""
        return self.system.passivate(self.actor_ref)

    def stop_here(self) -> None:
        """End this actor before this returns if it is at rest on the calling thread; otherwise as `stop` does."""
        box = self._mailbox
        if box.dispatcher.is_at_rest(box):
            stop(box)
        else:
            self.stop()

    def cancel_handler(self) -> bool:
        """Raise CancelledError in the suspended handler; whether there was one. For on_system."""
        driver = self._mailbox.driver
        if driver is None:
            return False
        driver.cancel()
        return True

    def take_reply(self) -> Future[Any] | None:
        """Take over answering the ask being handled: what the handler returns is ignored, set the future when
        the answer may be known. None in a tell. If the actor ends first the caller gets ActorStoppedError."""
        box = self._mailbox
        reply, box.reply = box.reply, None
        if reply is not None:
            if box.deferred is None:
                box.deferred = {}
            deferred = box.deferred
            deferred[reply] = None
            reply.add_done_callback(lambda done: deferred.pop(done, None))
        return reply

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Await the passing of time on this actor's dispatcher."""
        future = self.dispatcher.create_future()
        self.dispatcher.call_later(seconds, future.try_set)
        return future

    def call_later(self, seconds: float, message: Any) -> TimerHandle:
        """Tell this actor `message` after `seconds`, unless it is gone by then."""
        return self.dispatcher.call_later(seconds, partial(_tell_if_alive, self._mailbox, message))

    def on_start(self) -> Any:
        """Before the first message. May be a coroutine. A failure ends the actor."""

    def on_system(self, message: Any) -> None:
        """Handle a system message at once, even while a coroutine handler is suspended. Never a coroutine.

        Gets what `tell_system` sent and ChildStopped, ChildFailed, ChildRestarted. Ignores them unless
        overridden.
        """

    def on_turn_end(self) -> None:
        """After each turn in which something was handled, with what it handled as one batch; before on_stop
        too."""

    def on_stop(self) -> Any:
        """The actor was asked to end, and its children have ended. May be a coroutine."""

    def on_passivate(self) -> None:
        """The actor is put to sleep: called instead of on_stop."""

    def attach(self) -> None:
        """Called by pykka's `start()`."""
        if self.default_system is None:
            pykka.ActorRegistry.unregister(self.actor_ref)
            raise NoSystemError(type(self))
        self.default_system.adopt(self, registered=True)


def _tell_if_alive(box: Mailbox, message: Any) -> None:
    if not box.ended:
        box.dispatcher.deliver(box, message)
