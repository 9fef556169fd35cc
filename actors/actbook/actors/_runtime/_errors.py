"""What the actor runtime refuses, and what a caller hears of an actor that is gone."""

from __future__ import annotations

import pykka

from actbook.graphs._errors import ActbookError

__all__ = [
    "ActorError",
    "ActorStoppedError",
    "AskTimeoutError",
    "BlockingAskError",
    "LivelockError",
    "NameTakenError",
    "NoSystemError",
    "SystemStoppedError",
    "UnsupportedAwaitError",
    "WrongThreadError",
]


class ActorError(ActbookError):
    """Base of the errors of the actor runtime."""


class ActorStoppedError(ActorError, pykka.ActorDeadError):
    """The actor is gone: the message was not, and will not be, handled. Look it up by name again."""

    def __init__(self, actor: object, reason: str = "not found") -> None:
        super().__init__(f"{actor} {reason}")
        self.actor = actor


class AskTimeoutError(ActorError, pykka.Timeout):
    """No answer within the time given; the message may still be handled later."""

    def __init__(self, timeout: float | None) -> None:
        super().__init__(
            "nothing is left to run that could answer" if timeout is None else f"{timeout} seconds"
        )
        self.timeout = timeout


class BlockingAskError(ActorError):
    """A blocking wait on a thread that runs actors: it would stop every actor on it, the awaited one
    included."""

    def __init__(self) -> None:
        super().__init__(
            "refused to block a thread that runs actors or an event loop: "
            "use `await ref.ask_async(message)`, `ref.ask(message, block=False)` or `ref.tell(message)`"
        )


class NameTakenError(ActorError):
    """A live actor has this name already. Use `system.find(name)`, or another name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"an actor named {name!r} is alive: use system.find({name!r}) or another name")
        self.name = name


class NoSystemError(ActorError):
    """The actor class was started without a system. Use `system.spawn(cls)`, or set `default_system` on the
    class."""

    def __init__(self, actor_class: type) -> None:
        name = actor_class.__name__
        super().__init__(f"{name} has no actor system: use system.spawn({name}) or set {name}.default_system")
        self.actor_class = actor_class


class SystemStoppedError(ActorError):
    """The actor system is shutting down and takes no new actors. Open another one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"actor system {name!r} is shut down: open another one")
        self.name = name


class WrongThreadError(ActorError):
    """The call is only atomic on the thread of the actor's dispatcher. Make it from a handler of that
    actor."""

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} must be called on the thread of the actor's dispatcher: call it inside a handler"
        )
        self.call = call


class UnsupportedAwaitError(ActorError):
    """A coroutine on a thread pool awaited something that needs an event loop. Spawn the actor on a
    LoopDispatcher."""

    def __init__(self, awaited: object) -> None:
        super().__init__(
            f"a coroutine handler on a pool may await asks and self.sleep() only, not {awaited!r}: "
            "spawn the actor on a LoopDispatcher"
        )
        self.awaited = awaited


class LivelockError(ActorError):
    """The actors keep each other busy for ever. Look for a message that causes itself, or allow more
    steps."""

    def __init__(self, steps: int) -> None:
        super().__init__(
            f"still busy after {steps} steps: look for a message that causes itself, or raise max_steps"
        )
        self.steps = steps
