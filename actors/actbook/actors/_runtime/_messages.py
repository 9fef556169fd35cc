"""The system messages of the runtime, and the letter about a message nobody took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from actbook.actors._runtime._dispatcher import Driver
    from actbook.actors._runtime._ref import ActorRef

__all__ = [
    "Abandon",
    "Begin",
    "ChildFailed",
    "ChildRestarted",
    "ChildStopped",
    "DeadLetter",
    "Passivate",
    "Resume",
    "Stop",
]


class Stop(msgspec.Struct, frozen=True):
    """End the actor now: what waits in its mailbox is not handled, a suspended handler is cancelled."""


class ChildStopped(msgspec.Struct, frozen=True):
    """To the parent: the child and all of its children have ended, on request."""

    ref: ActorRef[Any]
    passivated: bool = False
    abandoned: bool = False
    """True when a handler ignored its cancellation past the deadline and was left behind."""


class ChildFailed(msgspec.Struct, frozen=True):
    """To the parent: the child crashed and has ended, with all of its children."""

    ref: ActorRef[Any]
    error: BaseException
    restart_in: float | None = None
    """Seconds until a supervised child is built again; None: it stays down."""


class ChildRestarted(msgspec.Struct, frozen=True):
    """To the parent: a supervised child that crashed was built again, under a new ref."""

    ref: ActorRef[Any]
    previous: ActorRef[Any]


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that reached an actor after its end. If it was an ask, ActorStoppedError was the answer."""

    ref: ActorRef[Any]
    message: Any
    system: bool = False


class Begin(msgspec.Struct, frozen=True):
    """To a new actor, from the runtime: run on_start."""


class Passivate(msgspec.Struct, frozen=True):
    """To a sealed actor, from the runtime: run on_passivate and end."""


class Resume(msgspec.Struct, frozen=True):
    """To an actor on a pool, from the runtime: take the next step of its suspended handler."""

    driver: Driver


class Abandon(msgspec.Struct, frozen=True):
    """To an actor that is ending, from the runtime: its suspended handler had time enough."""

    driver: Driver
