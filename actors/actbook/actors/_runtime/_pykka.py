"""Every private name of pykka that the runtime depends on. Nothing else in the project knows one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import pykka
from pykka._envelope import Envelope
from pykka._introspection import get_attr_directly
from pykka.messages import (
    ProxyCall,
    ProxyGetAttr,
    ProxySetAttr,
    _ActorStop,  # pyright: ignore[reportPrivateUsage]
)

if TYPE_CHECKING:
    from actbook.actors._runtime._mailbox import Mailbox

__all__ = [
    "PROXY_MESSAGES",
    "PykkaActor",
    "PykkaFuture",
    "PykkaRef",
    "StopRequest",
    "logger",
    "open_envelope",
]

T = TypeVar("T")
A = TypeVar("A", bound=pykka.Actor)

logger = logging.getLogger("actbook.actors")
StopRequest = _ActorStop
UNSET = object()


def _call(actor: object, message: ProxyCall) -> Any:
    return get_attr_directly(actor, message.attr_path)(*message.args, **message.kwargs)


def _get(actor: object, message: ProxyGetAttr) -> Any:
    return get_attr_directly(actor, message.attr_path)


def _set(actor: object, message: ProxySetAttr) -> None:
    parent = get_attr_directly(actor, message.attr_path[:-1])
    setattr(parent, message.attr_path[-1], message.value)


PROXY_MESSAGES: dict[type, Callable[[object, Any], Any]] = {
    ProxyCall: _call,
    ProxyGetAttr: _get,
    ProxySetAttr: _set,
}


def open_envelope(envelope: Any) -> tuple[Any, Any]:
    """The message, and the future to answer or None, of what pykka's own code puts in an inbox."""
    if isinstance(envelope, Envelope):
        return envelope.message, envelope.reply_to
    return envelope, None


class PykkaFuture(pykka.Future[T], Generic[T]):
    """pykka's future; its state starts in class attributes, so that creating one sets little."""

    _get_hook: Callable[[float | None], T] | None = None
    _hook_value: Any = UNSET

    def _has_hook(self) -> bool:
        return self._get_hook is not None

    def _set_hook(self, hook: Callable[[float | None], T]) -> None:
        self._get_hook = hook

    def _hooked(self, timeout: float | None) -> Any:
        if self._hook_value is UNSET and self._get_hook is not None:
            self._hook_value = self._get_hook(timeout)
        return self._hook_value


class PykkaActor(pykka.Actor):
    """pykka's actor with its state in the mailbox; urn and stop event are made when asked for."""

    __slots__ = ("_mailbox",)
    _mailbox: Mailbox

    @staticmethod
    def _create_actor_inbox() -> Any:
        from actbook.actors._runtime._mailbox import Mailbox

        return Mailbox(None)

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        from actbook.actors._runtime._future import Future

        return Future()

    def _start_actor_loop(self) -> None:
        self.attach()

    def attach(self) -> None:
        """Give the actor to the system it is to live in."""

    def _stop(self) -> None:
        from actbook.actors._runtime._closing import stop

        stop(self._mailbox)

    # pykka declares these as attributes; checkers keep its declarations.
    if not TYPE_CHECKING:
        _actor_ref = property(lambda self: self._mailbox.ref)
        actor_urn = property(lambda self: self._mailbox.urn)
        actor_inbox = property(lambda self: self._mailbox)
        actor_stopped = property(lambda self: self._mailbox.stopped)


def mailbox_of(of: PykkaActor | pykka.ActorRef[Any]) -> Mailbox:
    """The mailbox of an actor of ours, or behind a ref to one."""
    return cast("Mailbox", of.actor_inbox)


class PykkaRef(pykka.ActorRef[A], Generic[A]):
    """pykka's ref over a mailbox, which is what holds the actor: strongly, until it has ended."""

    __slots__ = ("_mailbox", "actor_class")
    _mailbox: Mailbox

    def __init__(self, mailbox: Mailbox, actor_class: type[A]) -> None:
        self._mailbox = mailbox
        self.actor_class = actor_class

    if not TYPE_CHECKING:
        actor_urn = property(lambda self: self._mailbox.urn)
        actor_inbox = property(lambda self: self._mailbox)
        actor_stopped = property(lambda self: self._mailbox.stopped)

        def _actor_weakref(self):
            return self._mailbox.actor
