"""An actor that is built again after a crash."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from actbook.actors._runtime._errors import ActorError
from actbook.actors._runtime._messages import ChildFailed, ChildRestarted
from actbook.actors._runtime._pykka import logger, mailbox_of
from actbook.actors._runtime._supervision import Restart, RestartHistory, SupervisionPolicy

if TYPE_CHECKING:
    from actbook.actors._runtime._actor import Actor
    from actbook.actors._runtime._dispatcher import Dispatcher
    from actbook.actors._runtime._ref import ActorRef
    from actbook.actors._runtime._system import ActorSystem

__all__ = ["Supervised"]


class Supervised:
    """How to build the actor, and when it crashed before."""

    __slots__ = (
        "_dispatcher",
        "_factory",
        "_history",
        "_name",
        "_on_give_up",
        "_parent",
        "_policy",
        "_system",
    )

    def __init__(
        self,
        system: ActorSystem,
        factory: Callable[[], Actor],
        policy: SupervisionPolicy,
        name: str | None,
        parent: ActorRef[Any] | None,
        dispatcher: Dispatcher,
        on_give_up: Callable[[ActorRef[Any], BaseException], None] | None,
    ) -> None:
        self._system = system
        self._factory = factory
        self._policy = policy
        self._history = RestartHistory()
        self._name = name
        self._parent = parent
        self._dispatcher = dispatcher
        self._on_give_up = on_give_up

    def crashed(self, ref: ActorRef[Any], error: BaseException) -> float | None:
        """Decide, and see to it; in how many seconds it is built again, None if not."""
        decision = self._policy.decide(self._history, self._dispatcher.now(), error)
        if isinstance(decision, Restart):
            self._history = decision.history
            self._dispatcher.call_later(decision.delay, partial(self._revive, ref))
            return decision.delay
        if self._on_give_up is not None:
            try:
                self._on_give_up(ref, error)
            except Exception:
                logger.exception("on_give_up failed for %s", ref)
        return None

    def _revive(self, previous: ActorRef[Any]) -> None:
        if self._system.stopping or (self._parent is not None and not self._parent.is_alive()):
            return
        try:
            actor = self._factory()
        except Exception as error:
            logger.exception("could not build %s again", previous)
            self._tell_parent(ChildFailed(previous, error, self.crashed(previous, error)))
            return
        mailbox_of(actor).supervised = self
        try:
            ref = self._system.adopt(actor, name=self._name, parent=self._parent, dispatcher=self._dispatcher)
        except ActorError as error:
            # Somebody else took the name, or the end has come: there is nothing left to supervise.
            logger.info("%s was not built again: %s", previous, error)
            return
        self._tell_parent(ChildRestarted(ref, previous))

    def _tell_parent(self, notice: ChildFailed | ChildRestarted) -> None:
        if self._parent is not None:
            self._parent.tell_system(notice)
