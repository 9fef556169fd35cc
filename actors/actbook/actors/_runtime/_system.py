"""A tree of actors with its directory, its dead letters and its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import pykka

from actbook.actors._runtime._actor import Actor
from actbook.actors._runtime._dispatcher import Dispatcher
from actbook.actors._runtime._ending import give_up
from actbook.actors._runtime._errors import ActorStoppedError, NameTakenError, SystemStoppedError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._loop import LoopDispatcher
from actbook.actors._runtime._mailbox import Mailbox, guard
from actbook.actors._runtime._messages import Begin, DeadLetter, Passivate, Stop
from actbook.actors._runtime._pykka import logger, mailbox_of
from actbook.actors._runtime._ref import ActorRef
from actbook.actors._runtime._supervised import Supervised
from actbook.actors._runtime._supervision import SupervisionPolicy

__all__ = ["ActorSystem"]

A = TypeVar("A", bound=Actor)

_BEGIN = Begin()
_PASSIVATE = Passivate()
_STOP = Stop()


class ActorSystem:
    """Holds actors until they end. Independent of every other system in the process.

    Without a dispatcher it makes a LoopDispatcher on a thread of its own, and closes it in the end.
    `resolver` brings back the named actor that was passivated, by spawning it; it may be called on any
    thread, once at a time. `on_dead_letter` hears, on any thread, of every message that nobody will handle.
    """

    def __init__(
        self,
        dispatcher: Dispatcher | None = None,
        *,
        name: str = "actors",
        resolver: Callable[[str], ActorRef[Any] | None] | None = None,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        self.name = name
        self.dispatcher: Dispatcher = LoopDispatcher() if dispatcher is None else dispatcher
        self._owns_dispatcher = dispatcher is None
        self._resolver = resolver
        self._on_dead_letter = on_dead_letter
        self._roots: dict[Mailbox, None] = {}
        self._names: dict[str, Mailbox] = {}
        self._urns: dict[str, Mailbox] = {}
        self._activation = threading.RLock()
        self._ended: Future[list[ActorRef[Any]]] | None = None

    def spawn(
        self,
        actor_class: type[A],
        *args: Any,
        name: str | None = None,
        parent: ActorRef[Any] | None = None,
        dispatcher: Dispatcher | None = None,
        **kwargs: Any,
    ) -> ActorRef[A]:
        """Make an actor and start it, from any thread. Without a parent it is a root, and in pykka's
        ActorRegistry.

        Raises NameTakenError, SystemStoppedError, or ActorStoppedError when the parent is ending.
        """
        return self.adopt(actor_class(*args, **kwargs), name=name, parent=parent, dispatcher=dispatcher)

    def supervise(
        self,
        factory: Callable[[], A],
        policy: SupervisionPolicy,
        *,
        name: str | None = None,
        parent: ActorRef[Any] | None = None,
        dispatcher: Dispatcher | None = None,
        on_give_up: Callable[[ActorRef[Any], BaseException], None] | None = None,
    ) -> ActorRef[A]:
        """Start what `factory` builds, and after a crash what it builds then, under the same name and a new
        ref.

        The parent hears ChildFailed with `restart_in`, then ChildRestarted; when the policy gives up,
        ChildFailed with `restart_in=None`, and `on_give_up(ref, error)` is called.
        """
        actor = factory()
        box = mailbox_of(actor)
        box.supervised = Supervised(
            self, factory, policy, name, parent, dispatcher or self.dispatcher, on_give_up
        )
        return self.adopt(actor, name=name, parent=parent, dispatcher=dispatcher)

    def adopt(
        self,
        actor: A,
        *,
        name: str | None = None,
        parent: ActorRef[Any] | None = None,
        dispatcher: Dispatcher | None = None,
        registered: bool = False,
    ) -> ActorRef[A]:
        """Start an actor that was made but not started; `registered` says that pykka's ActorRegistry has it
        already."""
        if self._ended is not None:
            raise SystemStoppedError(self.name)
        box = mailbox_of(actor)
        box.system = self
        if name is not None:
            self._enter_name(box, name)
        if parent is None:
            self._roots[box] = None
            if not registered:
                pykka.ActorRegistry.register(actor.actor_ref)
        else:
            self._join(box, parent)
        self._begin(box, actor, self.dispatcher if dispatcher is None else dispatcher)
        if (parent is not None and mailbox_of(parent).closed) or self._ended is not None:
            box.dispatcher.deliver_system(box, _STOP)
        return actor.actor_ref

    @property
    def is_down(self) -> bool:
        """Whether `shutdown` was called: no actor starts any more."""
        return self._ended is not None

    def find(self, name: str) -> ActorRef[Any] | None:
        """The live actor with this name or urn. Never activates one."""
        box = self._names.get(name) or self._urns.get(name)
        return None if box is None or box.closed else box.ref

    def resolve(self, name: str) -> ActorRef[Any]:
        """The live actor with this name; else the one that the resolver activates. ActorStoppedError without
        either."""
        ref = self.find(name)
        if ref is not None:
            return ref
        with self._activation:
            ref = self.find(name)
            if ref is None and self._resolver is not None and self._ended is None:
                ref = self._resolver(name)
        if ref is None:
            raise ActorStoppedError(name)
        return ref

    def tell(self, name: str, message: Any) -> None:
        """Send to a name, activating its actor if need be. ActorStoppedError when there is none."""
        self.resolve(name).tell(message)

    def passivate(self, ref: ActorRef[Any]) -> bool:
        """End the actor if no message waits for it, no handler of it is suspended, no ask is open and no
        child lives.

        False if that is not so: then nothing has happened. From True on no message gets in: what is sent to
        its name, or to a ref of the named actor, goes to its next activation. On a loop, call it on the
        loop's thread: WrongThreadError elsewhere.
        """
        box = mailbox_of(ref)
        if not box.dispatcher.may_seal(box):
            return False
        if box.parent is None:
            pykka.ActorRegistry.unregister(ref)
        if box.event is not None:
            box.event.set()
        box.dispatcher.deliver_system(box, _PASSIVATE)
        return True

    def broadcast(self, message: Any, actor_class: type[pykka.Actor] = Actor) -> int:
        """Tell every live actor of the class, passing over those that end meanwhile; how many were told."""
        told = 0
        for box in self._living():
            if isinstance(box.actor, actor_class) and not box.closed:
                try:
                    box.ref.tell(message)
                except pykka.ActorDeadError:
                    continue
                told += 1
        return told

    @property
    def stopping(self) -> bool:
        """Whether shutdown was called."""
        return self._ended is not None

    def roots(self) -> list[ActorRef[Any]]:
        """The actors without a parent that have not ended, oldest first."""
        return [box.ref for box in list(self._roots)]

    @property
    def actor_count(self) -> int:
        """How many actors have not ended. Counts them: not for a hot path."""
        return sum(1 for _ in self._living())

    def shutdown(self, deadline: float = 10.0) -> Future[list[ActorRef[Any]]]:
        """Stop all actors, roots first, in parallel. The future, which can be awaited, gives the refs of
        those that had not ended after `deadline` seconds. Never blocks. Calling it again gives the same
        future."""
        with self._activation:
            if self._ended is not None:
                return self._ended
            ended: Future[list[ActorRef[Any]]] = self.dispatcher.create_future()
            self._ended = ended
        if self._roots:
            expire = self.dispatcher.call_later(deadline, partial(self._expire, ended))
            ended.add_done_callback(lambda _: expire.cancel())
        # The last callback: the roots may end meanwhile, and a closed dispatcher sets no timer.
        ended.add_done_callback(self._close)
        for box in list(self._roots):
            box.dispatcher.deliver_system(box, _STOP)
        if not self._roots:
            ended.try_set([])
        return ended

    def dead_letter(self, letter: DeadLetter) -> None:
        """Report a message that nobody will handle."""
        if self._on_dead_letter is not None:
            try:
                self._on_dead_letter(letter)
            except Exception:
                logger.exception("on_dead_letter failed for %r", letter)

    def enter_urn(self, box: Mailbox) -> None:
        """Called by a mailbox when its urn is first asked for."""
        self._urns[box.urn] = box
        if box.ended:
            self._urns.pop(box.urn, None)

    def forget(self, box: Mailbox) -> None:
        """Called by a mailbox that has ended."""
        if box.name is not None:
            with guard:
                if self._names.get(box.name) is box:
                    del self._names[box.name]
        if box.text_urn is not None:
            self._urns.pop(box.text_urn, None)
        if box.parent is None:
            self._roots.pop(box, None)
            if self._ended is not None and not self._roots:
                self._ended.try_set([])

    def _enter_name(self, box: Mailbox, name: str) -> None:
        with self._activation:
            holder = self._names.get(name)
            if holder is not None and not (holder.ended or holder.passivated):
                raise NameTakenError(name)
            box.name = name
            with guard:
                self._names[name] = box

    def _join(self, box: Mailbox, parent: ActorRef[Any]) -> None:
        above = mailbox_of(parent)
        if above.closed:
            if box.name is not None:
                del self._names[box.name]
            raise ActorStoppedError(parent, "is ending and takes no new children")
        box.parent = above
        with guard:
            if above.children is None:
                above.children = {}
            above.children[box] = None

    def _begin(self, box: Mailbox, actor: Actor, dispatcher: Dispatcher) -> None:
        with guard:
            lane, urgent, box.lane, box.urgent = box.lane, box.urgent, None, None
            box.dispatcher = dispatcher
        if actor.overrides_start:
            dispatcher.deliver_system(box, _BEGIN)
        for message in urgent or ():
            dispatcher.deliver_system(box, message)
        for item in lane or ():
            dispatcher.deliver(box, item)

    def _living(self) -> Iterator[Mailbox]:
        waiting = list(self._roots)
        while waiting:
            box = waiting.pop()
            if not box.ended:
                yield box
            waiting.extend(reversed(list(box.children or ())))

    def _expire(self, ended: Future[list[ActorRef[Any]]]) -> None:
        left = list(self._living())
        for box in left:
            give_up(box)
        ended.try_set([box.ref for box in left])

    def _close(self, _ended: object) -> None:
        if self._owns_dispatcher:
            self.dispatcher.close()
