"""What folding is made of: one handler per event type, and the outputs that an event sets free."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from actbook.events._state import GraphExecution, NodeExecution
from actbook.events._topics import Event

Released: TypeAlias = list[tuple[NodeExecution, Iterable[tuple[str, Any]]]]
"""Outputs that an event set free to propagate: those of the oldest execution of a node, in order."""

NOTHING: Released = []

Handler: TypeAlias = Callable[[GraphExecution, Any, int], Released | None]


class Handlers(dict[type[Event], Handler]):
    """How the events of one kind of subject change the state."""

    def on(self, kind: type[Event]) -> Callable[[Handler], Handler]:
        """Decorator: the handler of an event type."""

        def register(handler: Handler) -> Handler:
            self[kind] = handler
            return handler

        return register
