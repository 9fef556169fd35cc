"""Whether a review was decided before, so that the same decision twice is one."""

from __future__ import annotations

from actbook.events import GraphExecution, NodeReviewDecided, NodeReviewRequested, ReviewDecided, inbox_of
from actbook.journal import Journal

Decision = NodeReviewDecided | ReviewDecided


async def earlier_decision(journal: Journal, state: GraphExecution, number: int) -> Decision | None:
    """The decision on the last review of a node execution: recorded, or asked for and not handled yet."""
    for event in await journal.read_stream(inbox_of(state.id), after=state.inbox_version):
        if isinstance(event.payload, ReviewDecided) and event.payload.node_exec == number:
            return event.payload
    if number in state.reviews:
        return None
    decided: Decision | None = None
    for event in await journal.read_stream(state.id):
        if (
            isinstance(event.payload, NodeReviewDecided | NodeReviewRequested)
            and event.payload.node_exec == number
        ):
            decided = event.payload if isinstance(event.payload, NodeReviewDecided) else None
    return decided


def same_decision(earlier: Decision, decision: ReviewDecided) -> bool:
    """Whether a decision says what an earlier one said."""
    same_data = not decision.edited or earlier.data == decision.data
    return (earlier.approved, earlier.message) == (decision.approved, decision.message) and same_data
