"""Why an actor ends: it was asked to, it crashed, or it is put to sleep."""

from __future__ import annotations

from actbook.actors._runtime._ending import OWN_FAILURE, begin_ending, finish, note_late, seal
from actbook.actors._runtime._errors import ActorStoppedError
from actbook.actors._runtime._future import Future
from actbook.actors._runtime._mailbox import Mailbox
from actbook.actors._runtime._pykka import logger

__all__ = ["crash", "end_passivated", "fail_ask", "stop", "turn_end"]


def turn_end(box: Mailbox) -> None:
    """Call on_turn_end, if the class has one."""
    if box.actor.overrides_turn_end:
        try:
            box.actor.on_turn_end()
        except BaseException as error:
            crash(box, error)


def stop(box: Mailbox) -> None:
    """End the actor on request. A supervised actor is not built again."""
    if box.closed:
        return
    box.supervised = None
    turn_end(box)
    if not box.closed:
        seal(box)
        begin_ending(box)


def crash(box: Mailbox, error: BaseException) -> None:
    """End the actor because `error` came out of it, and nobody else because of that."""
    if box.closed:
        note_late(box, error)
        return
    box.error = error
    if isinstance(error, OWN_FAILURE):
        logger.error("Unhandled exception in %s:", box.ref, exc_info=error)
        seal(box)
        _call_on_failure(box, error)
    else:
        logger.debug("%r in %s. Stopping this actor.", error, box.ref)
        seal(box)
    begin_ending(box)
    if isinstance(error, KeyboardInterrupt):
        box.dispatcher.interrupt(error)


def fail_ask(box: Mailbox, error: BaseException, reply: Future[object]) -> None:
    """Give the caller the exception. The actor goes on after an Exception, unless its class says
    otherwise."""
    if not isinstance(error, Exception):
        gone = ActorStoppedError(box.ref, f"ended by {error!r} before it answered")
        gone.__cause__ = error
        crash(box, error)
        reply.fail(gone)
        return
    logger.info("Exception returned from %s to caller:", box.ref, exc_info=error)
    if not box.closed and box.actor.ask_failure_stops:
        crash(box, error)
    reply.fail(error)


def end_passivated(box: Mailbox) -> None:
    """End an actor that was sealed with nothing waiting; on_passivate stands in for on_stop."""
    turn_end(box)
    if box.error is None:
        try:
            box.actor.on_passivate()
        except BaseException as error:
            note_late(box, error)
    finish(box)


def _call_on_failure(box: Mailbox, error: BaseException) -> None:
    try:
        box.actor.on_failure(type(error), error, error.__traceback__)
    except BaseException as failure:
        logger.error("Unhandled exception in %s:", box.ref, exc_info=failure)
        if isinstance(failure, KeyboardInterrupt):
            box.dispatcher.interrupt(failure)
