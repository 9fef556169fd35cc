"""`evolve`: how each event changes the state of a graph execution. Replay, recovery, views and actors fold with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from actbook.events._evolve_billing import BILLING_HANDLERS
from actbook.events._evolve_execution import EXECUTION_HANDLERS
from actbook.events._evolve_nodes import NODE_HANDLERS
from actbook.events._evolve_revival import REVIVAL_HANDLERS
from actbook.events._folding import NOTHING, Handler, Released
from actbook.events._state import GraphExecution
from actbook.events._topics import Event

_HANDLERS: dict[type[Event], Handler] = {
    **EXECUTION_HANDLERS,
    **NODE_HANDLERS,
    **REVIVAL_HANDLERS,
    **BILLING_HANDLERS,
}


class Fact(Protocol):
    """What `evolve` needs of an event, recorded or not: its payload and its time in µs since the epoch, UTC."""

    @property
    def payload(self) -> Event: ...
    @property
    def at(self) -> int: ...


def evolve(state: GraphExecution, event: Fact) -> GraphExecution:
    """The state after `event`. Takes `state` over: it is changed and returned; keep an earlier one by `state.copy()`.

    Events of types that do not belong to an execution only move the version on.
    """
    apply(state, event.payload, event.at)
    return state


def fold(
    events: Iterable[Fact], state: GraphExecution | None = None, *, retain: bool = False
) -> GraphExecution:
    """The state after all `events`. `retain` keeps finished node executions with their outputs."""
    result = GraphExecution(retain=retain) if state is None else state
    for event in events:
        apply(result, event.payload, event.at)
    return result


def apply(state: GraphExecution, event: Event, at: int) -> Released:
    """Folds one event and tells which outputs it released for propagation."""
    state.version += 1
    handler = _HANDLERS.get(type(event))
    return NOTHING if handler is None else handler(state, event, at) or NOTHING
