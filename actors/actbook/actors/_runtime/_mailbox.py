"""What the runtime keeps per actor: its two lanes of messages and where it stands in its life."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any

from actbook.actors._runtime._pykka import open_envelope

if TYPE_CHECKING:
    from actbook.actors._runtime._actor import Actor
    from actbook.actors._runtime._dispatcher import Dispatcher, Driver
    from actbook.actors._runtime._future import Future
    from actbook.actors._runtime._supervised import Supervised
    from actbook.actors._runtime._system import ActorSystem

__all__ = ["BUSY", "IDLE", "READY", "RUNNING", "Ask", "Mailbox", "guard"]

IDLE = 0
READY = 1
RUNNING = 2
BUSY = 3

guard = threading.Lock()


class Ask:
    """A message that waits for an answer."""

    __slots__ = ("message", "reply")

    def __init__(self, message: Any, reply: Any) -> None:
        self.message = message
        self.reply = reply


class Mailbox:
    """One actor's messages and state. Its dispatcher decides which thread may touch it, and when."""

    __slots__ = (
        "abandoned",
        "actor",
        "children",
        "closed",
        "deferred",
        "dispatcher",
        "driver",
        "ended",
        "error",
        "event",
        "hooked",
        "lane",
        "name",
        "parent",
        "passivated",
        "phase",
        "ref",
        "reply",
        "supervised",
        "system",
        "text_urn",
        "urgent",
        "waiters",
    )

    actor: Any
    """The actor, until it has ended: this is the strong reference that keeps it."""
    ref: Any
    lane: deque[Any] | None
    urgent: deque[Any] | None
    driver: Driver | None
    """Runs the suspended handler, while there is one; user messages wait."""
    closed: bool
    """No new messages."""
    ended: bool
    """Nothing of the actor or its children runs."""

    def __init__(self, actor: Actor | None) -> None:
        self.actor = actor
        self.ref = None
        self.dispatcher: Dispatcher = UNSTARTED
        self.system: ActorSystem | None = None
        self.parent: Mailbox | None = None
        self.children: dict[Mailbox, None] | None = None
        self.name: str | None = None
        self.lane = None
        self.urgent = None
        self.phase = IDLE
        self.driver = None
        self.closed = self.ended = self.hooked = self.passivated = self.abandoned = False
        self.error: BaseException | None = None
        self.reply: Future[Any] | None = None
        self.waiters: list[Future[Any]] | None = None
        self.deferred: dict[Future[Any], None] | None = None
        self.supervised: Supervised | None = None
        self.event: threading.Event | None = None
        self.text_urn: str | None = None

    @property
    def urn(self) -> str:
        if self.text_urn is None:
            with guard:
                if self.text_urn is None:
                    self.text_urn = uuid.uuid4().urn
            if self.system is not None and not self.ended:
                self.system.enter_urn(self)
        return self.text_urn

    @property
    def stopped(self) -> threading.Event:
        if self.event is None:
            with guard:
                if self.event is None:
                    self.event = threading.Event()
        if self.closed:
            self.event.set()
        return self.event

    def put(self, envelope: Any, /) -> None:
        """Take what pykka's own code sends."""
        message, reply_to = open_envelope(envelope)
        if reply_to is None:
            self.dispatcher.deliver(self, message)
        else:
            reply = self.dispatcher.create_future()
            reply.add_done_callback(lambda done: _copy(done, reply_to))
            self.dispatcher.deliver(self, Ask(message, reply))

    def get(self) -> Any:
        """Take the next waiting message out, as pykka's inbox does. Raises IndexError when none waits."""
        return (self.lane or deque()).popleft()

    def empty(self) -> bool:
        """Whether no message waits; a moment's view when others are sending."""
        return not self.lane and not self.urgent


def _copy(done: Future[Any], reply_to: Any) -> None:
    try:
        value = done.get(timeout=0)
    except BaseException:
        reply_to.set_exception()
    else:
        reply_to.set(value)


class _Unstarted:
    """Keeps what is sent to an actor that has no dispatcher yet, and passes on what comes just as it gets one."""

    def create_future(self) -> Future[Any]:
        from actbook.actors._runtime._future import Future

        return Future()

    def deliver(self, box: Mailbox, item: Any) -> None:
        with guard:
            started: Any = box.dispatcher
            if started is self:
                if box.lane is None:
                    box.lane = deque()
                box.lane.append(item)
        if started is not self:
            started.deliver(box, item)

    def deliver_system(self, box: Mailbox, message: Any) -> None:
        with guard:
            started: Any = box.dispatcher
            if started is self:
                if box.urgent is None:
                    box.urgent = deque()
                box.urgent.append(message)
        if started is not self:
            started.deliver_system(box, message)


UNSTARTED: Any = _Unstarted()
