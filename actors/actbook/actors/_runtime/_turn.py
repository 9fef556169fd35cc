"""One turn of a mailbox: what is urgent first, then user messages, up to a bound."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard

import pykka

from actbook.actors._runtime._closing import crash, end_passivated, fail_ask, stop, turn_end
from actbook.actors._runtime._dispatcher import Driver, Hook
from actbook.actors._runtime._ending import abandon, advance, forget_child
from actbook.actors._runtime._mailbox import RUNNING, Ask, Mailbox
from actbook.actors._runtime._messages import (
    Abandon,
    Begin,
    ChildFailed,
    ChildStopped,
    Passivate,
    Resume,
    Stop,
)
from actbook.actors._runtime._pykka import PROXY_MESSAGES, StopRequest, mailbox_of
from actbook.actors._runtime._undelivered import await_end, bury

__all__ = ["complete", "run_turn"]


def run_turn(box: Mailbox) -> int:
    """Handle what waits, at most the actor's `messages_per_turn`; how many were handled."""
    box.phase = RUNNING
    actor: Any = box.actor
    limit = 64 if box.closed else actor.messages_per_turn
    done = 0
    while done < limit:
        if box.urgent:
            _handle_system(box, box.urgent.popleft())
            done += 1
            continue
        if not box.lane or box.closed or box.driver is not None:
            break
        item = box.lane.popleft()
        done += 1
        special = _SPECIAL.get(type(item))
        if special is not None:
            special(box, item)
            continue
        try:
            result = actor.on_receive(item)
        except BaseException as error:
            crash(box, error)
        else:
            if result is not None and is_awaitable(result):
                box.dispatcher.drive(box, result, Hook.RECEIVE)
    if done and not box.closed:
        turn_end(box)
    while box.passivated and box.urgent:
        _handle_system(box, box.urgent.popleft())
    return done


def is_awaitable(result: object) -> TypeGuard[Awaitable[Any]]:
    """Whether a handler's result is to be awaited: pykka's futures are values, as in pykka."""
    return hasattr(type(result), "__await__") and not isinstance(result, pykka.Future)


def complete(box: Mailbox, driver: Driver, value: Any, error: BaseException | None) -> None:
    """The coroutine of `driver` has ended, with a value or an error."""
    if box.driver is not driver:
        return
    box.driver = None
    if driver.expiry is not None:
        driver.expiry.cancel()
    if error is None:
        if driver.hook is Hook.RECEIVE:
            _answer(box, value)
    elif driver.hook is Hook.RECEIVE:
        _fail(box, error)
    else:
        crash(box, error)
    if box.closed:
        advance(box)
    elif box.phase != RUNNING:
        turn_end(box)
    box.dispatcher.rouse(box)


def _answer(box: Mailbox, value: Any) -> None:
    reply, box.reply = box.reply, None
    if reply is not None:
        reply.try_set(value)


def _fail(box: Mailbox, error: BaseException) -> None:
    reply, box.reply = box.reply, None
    if reply is None:
        crash(box, error)
    else:
        fail_ask(box, error, reply)


def _ask(box: Mailbox, ask: Ask) -> None:
    message = ask.message
    if type(message) is StopRequest:
        await_end(box, ask.reply)
        stop(box)
        return
    box.reply = ask.reply
    _invoke(box, message)


def _invoke(box: Mailbox, message: Any) -> None:
    proxied = PROXY_MESSAGES.get(type(message))
    try:
        result = box.actor.on_receive(message) if proxied is None else proxied(box.actor, message)
    except BaseException as error:
        _fail(box, error)
        return
    if result is not None and is_awaitable(result):
        box.dispatcher.drive(box, result, Hook.RECEIVE)
    else:
        _answer(box, result)


def _stop_requested(box: Mailbox, _message: Any) -> None:
    stop(box)


_SPECIAL: dict[type, Callable[[Mailbox, Any], None]] = {
    Ask: _ask,
    StopRequest: _stop_requested,
    **dict.fromkeys(PROXY_MESSAGES, _invoke),
}


def _handle_system(box: Mailbox, message: Any) -> None:
    handler = _SYSTEM.get(type(message))
    if handler is not None:
        handler(box, message)
    elif box.closed:
        bury(box, message, system=True)
    else:
        _on_system(box, message)


def _on_system(box: Mailbox, message: Any) -> None:
    try:
        result = box.actor.on_system(message)
        if result is not None and is_awaitable(result):
            getattr(result, "close", bool)()
            raise TypeError("on_system must not be a coroutine: it runs while a handler is suspended")
    except BaseException as error:
        crash(box, error)


def _begin(box: Mailbox, _message: Any) -> None:
    if box.closed:
        return
    try:
        result = box.actor.on_start()
    except BaseException as error:
        crash(box, error)
    else:
        if result is not None and is_awaitable(result):
            box.dispatcher.drive(box, result, Hook.START)


def _terminate(box: Mailbox, ask: Ask) -> None:
    """A system message that waits for an answer: only Stop does."""
    await_end(box, ask.reply)
    stop(box)


def _child_ended(box: Mailbox, notice: ChildStopped | ChildFailed) -> None:
    forget_child(box, mailbox_of(notice.ref))
    if box.actor is not None and box.error is None:
        _on_system(box, notice)
    if box.closed:
        advance(box)


def _resume(_box: Mailbox, message: Resume) -> None:
    message.driver.step()


def _abandon(box: Mailbox, message: Abandon) -> None:
    abandon(box, message.driver)


def _passivate(box: Mailbox, _message: Passivate) -> None:
    end_passivated(box)


_SYSTEM: dict[type, Callable[[Mailbox, Any], None]] = {
    Stop: _stop_requested,
    Ask: _terminate,
    Begin: _begin,
    ChildStopped: _child_ended,
    ChildFailed: _child_ended,
    Passivate: _passivate,
    Resume: _resume,
    Abandon: _abandon,
}
