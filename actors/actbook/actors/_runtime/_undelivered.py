"""What becomes of a message that its actor will not handle: its next activation, or a dead letter and an
answer."""

from __future__ import annotations

from typing import Any

from actbook.actors._runtime._errors import ActorError, ActorStoppedError
from actbook.actors._runtime._mailbox import Ask, Mailbox, guard
from actbook.actors._runtime._messages import (
    Abandon,
    Begin,
    ChildFailed,
    ChildRestarted,
    ChildStopped,
    DeadLetter,
    Passivate,
    Resume,
    Stop,
)
from actbook.actors._runtime._pykka import StopRequest, mailbox_of

__all__ = ["answer_gone", "await_end", "bury", "redirect", "return_to_sender"]

_NOTICES = frozenset(
    (Stop, StopRequest, ChildStopped, ChildFailed, ChildRestarted, Begin, Passivate, Resume, Abandon)
)


def redirect(box: Mailbox, item: Any) -> bool:
    """Hand the item to the next activation of a passivated actor; whether there is one."""
    system = box.system
    if not box.passivated or box.name is None or system is None or _is_stop(item):
        return False
    while True:
        try:
            ref = system.resolve(box.name)
        except ActorError:
            return False
        target = mailbox_of(ref)
        if target is box:
            return False
        if not target.closed:
            target.dispatcher.deliver(target, item)
            return True
        if not target.passivated:  # one that was passivated since it was resolved is resolved again
            return False


def return_to_sender(box: Mailbox, item: Any) -> None:
    """Deal with a user message that arrived after the mailbox was sealed."""
    if type(item) is Ask and _is_stop(item):
        await_end(box, item.reply)
    elif not redirect(box, item):
        bury(box, item)


def await_end(box: Mailbox, reply: Any) -> None:
    """Answer when the actor and its children have ended; at once with ActorStoppedError if they have."""
    with guard:
        if not box.ended:
            if box.waiters is None:
                box.waiters = []
            box.waiters.append(reply)
            return
    reply.fail(ActorStoppedError(box.ref))


def bury(box: Mailbox, item: Any, *, system: bool = False) -> None:
    """Answer an ask with ActorStoppedError; report everything but the runtime's own messages as a dead
    letter."""
    message = item
    if type(item) is Ask:
        message = item.message
        answer_gone(box, item.reply)
    if box.system is not None and type(message) not in _NOTICES:
        box.system.dead_letter(DeadLetter(box.ref, message, system))


def answer_gone(box: Mailbox, reply: Any) -> None:
    """Answer an ask that its actor will not handle."""
    error = ActorStoppedError(box.ref, "stopped before handling the message")
    reply.fail(error)


def _is_stop(item: Any) -> bool:
    return type(item.message if type(item) is Ask else item) in (Stop, StopRequest)
