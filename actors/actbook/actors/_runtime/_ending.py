"""How an actor ends: sealed, children ended, on_stop called, parent and waiting callers told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import pykka

from actbook.actors._runtime._dispatcher import Driver, Hook
from actbook.actors._runtime._mailbox import Ask, Mailbox, guard
from actbook.actors._runtime._messages import Abandon, ChildFailed, ChildStopped, Stop
from actbook.actors._runtime._pykka import logger
from actbook.actors._runtime._undelivered import answer_gone, bury, return_to_sender

if TYPE_CHECKING:
    from actbook.actors._runtime._future import Future

__all__ = [
    "OWN_FAILURE",
    "abandon",
    "advance",
    "begin_ending",
    "finish",
    "forget_child",
    "give_up",
    "note_late",
    "seal",
]

# Not all an Exception, but all only about the code that raised them.
OWN_FAILURE = (Exception, asyncio.CancelledError, SystemExit, GeneratorExit)

_STOP = Stop()


def seal(box: Mailbox) -> None:
    """Take no more messages; what waits goes back to its senders."""
    waiting = box.dispatcher.seal(box)
    if box.parent is None:
        pykka.ActorRegistry.unregister(box.ref)
    if box.event is not None:
        box.event.set()
    if waiting:
        for item in waiting:
            return_to_sender(box, item)


def begin_ending(box: Mailbox) -> None:
    """Stop all children, in parallel, and the suspended handler; the rest follows when they have ended."""
    if box.children:
        stop_children(box)
    if box.driver is not None:
        box.driver.cancel()
        if box.driver is not None:
            _set_deadline(box, box.driver)
    advance(box)


def stop_children(box: Mailbox) -> None:
    """Send Stop to every child."""
    for child in list(box.children or ()):
        child.dispatcher.deliver_system(child, _STOP)


def advance(box: Mailbox) -> None:
    """Take the next step of ending, if nothing has to be waited for."""
    if box.ended or box.driver is not None or box.children:
        return
    if not box.hooked:
        box.hooked = True
        if box.actor.overrides_stop:
            _call_on_stop(box)
    if box.driver is None:
        finish(box)


def _call_on_stop(box: Mailbox) -> None:
    if box.passivated or isinstance(box.error, OWN_FAILURE):
        return
    try:
        result = box.actor.on_stop()
    except BaseException as error:
        note_late(box, error)
        return
    if result is not None and hasattr(type(result), "__await__") and not isinstance(result, pykka.Future):
        box.dispatcher.drive(box, result, Hook.STOP)
        if box.driver is not None:
            _set_deadline(box, box.driver)


def note_late(box: Mailbox, error: BaseException) -> None:
    """Record an error out of an actor that is ending anyway. CancelledError is what ending itself raises."""
    if isinstance(error, KeyboardInterrupt):
        box.dispatcher.interrupt(error)
    elif not isinstance(error, asyncio.CancelledError):
        logger.error("Unhandled exception in %s:", box.ref, exc_info=error)
        if box.error is None:
            box.error = error


def _set_deadline(box: Mailbox, driver: Driver) -> None:
    overdue = partial(box.dispatcher.deliver_system, box, Abandon(driver))
    driver.expiry = box.dispatcher.call_later(box.actor.stop_deadline, overdue)


def abandon(box: Mailbox, driver: Driver) -> None:
    """The suspended handler ignored its cancellation past the deadline: end without it."""
    if box.driver is not driver or box.ended:
        return
    logger.warning("%s ignored its cancellation for %s seconds: abandoned", box.ref, box.actor.stop_deadline)
    driver.abandon()
    box.driver = None
    box.abandoned = True
    advance(box)


def give_up(box: Mailbox) -> None:
    """Leave an actor behind that has not ended in time, but answer everybody who waits for it."""
    if not box.closed:
        seal(box)
    box.abandoned = True
    _answer_open(box)


def finish(box: Mailbox) -> None:
    """Let go of the actor, and tell everybody who waits for that."""
    urgent = box.dispatcher.retire(box)
    with guard:
        waiters, box.waiters = box.waiters, None
    box.actor = box.driver = box.children = None
    system = box.system
    if system is not None:
        system.forget(box)
    _notify_parent(box)
    if box.deferred or box.reply is not None:
        _answer_open(box)
    if waiters is not None:
        for waiter in waiters:
            waiter.try_set(None)
    if urgent:
        _clear(box, urgent)


def _notify_parent(box: Mailbox) -> None:
    notice: ChildFailed | ChildStopped
    if box.error is None:
        notice = ChildStopped(box.ref, box.passivated, box.abandoned)
    else:
        notice = ChildFailed(box.ref, box.error, _restart(box, box.error))
    parent = box.parent
    if parent is None or parent.ended:
        return
    if box.error is None and not parent.closed and _unheard(parent, box):
        forget_child(parent, box)
        return
    parent.dispatcher.deliver_system(parent, notice)


def _unheard(parent: Mailbox, child: Mailbox) -> bool:
    """Whether the parent does without ChildStopped, and this thread may touch its mailbox."""
    same = parent.dispatcher is child.dispatcher and child.dispatcher.confined
    return same and not parent.actor.watches_children


def _restart(box: Mailbox, error: BaseException) -> float | None:
    supervised, box.supervised = box.supervised, None
    if supervised is None or not isinstance(error, OWN_FAILURE):
        return None
    return supervised.crashed(box.ref, error)


def _answer_open(box: Mailbox) -> None:
    replies: list[Future[Any]] = list(box.deferred or ())
    if box.reply is not None and box.abandoned:
        replies.append(box.reply)
        box.reply = None
    for reply in replies:
        answer_gone(box, reply)


def _clear(box: Mailbox, urgent: Iterable[Any]) -> None:
    for message in urgent:
        if type(message) is Ask:
            message.reply.try_set(None)
        else:
            bury(box, message, system=True)


def forget_child(box: Mailbox, child: Mailbox) -> None:
    """The child has ended."""
    if box.children is not None:
        box.children.pop(child, None)
