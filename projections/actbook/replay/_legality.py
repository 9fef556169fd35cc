"""Whether a history obeys the status machine: an event that could not have followed is found by folding."""

from __future__ import annotations

from collections.abc import Sequence

from actbook.events import Envelope, GraphExecution, IllegalTransitionError, evolve
from actbook.journal import Fault


def verify_moves(events: Sequence[Envelope]) -> list[Fault]:
    """The first event that does not fit the state before it, if any; what follows it can't be judged."""
    state = GraphExecution()
    for event in events:
        try:
            evolve(state, event)
        except (IllegalTransitionError, KeyError, IndexError) as error:
            text = f"{event.topic} does not fit the state before it: {error}"
            return [Fault(event.stream_id, event.version, event.position, "edited", text)]
    return []
