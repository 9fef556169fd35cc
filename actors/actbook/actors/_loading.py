"""How the state of an execution comes back from its stream: the latest snapshot and the events after it."""

from __future__ import annotations

from actbook.events import GraphExecution, fold
from actbook.journal import Journal

PAGE = 10_000


async def load_state(journal: Journal, execution_id: str) -> GraphExecution | None:
    """The recorded state of an execution, or None when there is no such stream."""
    state = None
    snapshot = await journal.latest_snapshot(execution_id)
    if snapshot is not None:
        state = GraphExecution.decode(snapshot.state)
    while True:
        events = await journal.read_stream(execution_id, after=state.version if state else 0, limit=PAGE)
        if events:
            state = fold(events, state)
        if len(events) < PAGE:
            return state
