"""Small actors and a system whose dead letters can be read."""

from __future__ import annotations

import asyncio
from typing import Any

from actbook.actors._runtime import Actor, ActorRef, ActorSystem, DeadLetter, ManualDispatcher


def actor_of(ref: ActorRef[Any]) -> Any:
    """The actor itself, which nobody but a test may touch."""
    inbox: Any = ref.actor_inbox
    return inbox.actor


class Recorder(Actor):
    """Notes every message and hook in a list given to it."""

    def __init__(self, log: list[Any], tag: str = "") -> None:
        super().__init__()
        self.log = log
        self.tag = tag

    def note(self, what: Any) -> None:
        self.log.append((self.tag, what) if self.tag else what)

    def on_receive(self, message: Any) -> Any:
        self.note(message)
        return message

    def on_system(self, message: Any) -> None:
        self.note(message)

    def on_stop(self) -> Any:
        self.note("on_stop")

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.note(("on_failure", exception_value))


class Failing(Recorder):
    """Raises the exceptions it is sent."""

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, BaseException):
            raise message
        return super().on_receive(message)


class Sleeper(Recorder):
    """Sleeps as many seconds as it is told, in a coroutine handler."""

    async def on_receive(self, message: float) -> Any:
        self.note(("begin", message))
        try:
            await asyncio.sleep(message)
        except asyncio.CancelledError:
            self.note("cancelled")
            raise
        self.note(("end", message))
        return message


class Node(Recorder):
    """Calls what it is sent with itself: a handler made by the test."""

    def on_receive(self, message: Any) -> Any:
        return message(self)


class Manual:
    """A system on a ManualDispatcher, with its dead letters."""

    def __init__(self, seed: int = 0, **options: Any) -> None:
        self.letters: list[DeadLetter] = []
        self.dispatcher = ManualDispatcher(seed)
        self.system = ActorSystem(self.dispatcher, on_dead_letter=self.letters.append, **options)

    def end(self) -> list[ActorRef[Any]]:
        return self.system.shutdown().get()
