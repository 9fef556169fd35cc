"""What has to be read before an execution that is over can go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actbook.actors._loading import PAGE, load_state
from actbook.events import (
    ChildFinished,
    ExecutionStatus,
    GraphExecution,
    Past,
    Redo,
    ResumeRequested,
    RetryRequested,
    failed_of,
    fold,
    inbox_of,
)
from actbook.journal import Journal

NO_PAST = Past()


def asks_for_past(state: GraphExecution, message: Any) -> bool:
    """Whether deciding on an inbox message takes more than the live state: what failed earlier, or how the root is."""
    kind = type(message)
    if kind is RetryRequested:
        return state.status.is_terminal
    return kind is ResumeRequested and state.parent is not None


async def past_for(journal: Journal, state: GraphExecution, messages: Sequence[Any]) -> Past | None:
    """What these inbox messages are decided by, or None when the state is enough."""
    kinds = {type(each.payload) for each in messages if asks_for_past(state, each.payload)}
    if not kinds:
        return None
    failed = await read_failed(journal, state.id) if RetryRequested in kinds else ()
    return Past(failed, await is_root_terminated(journal, state))


async def is_root_terminated(journal: Journal, state: GraphExecution) -> bool:
    """Whether the execution belongs to a tree whose root was stopped."""
    if state.parent is None or state.root_id is None:
        return False
    root = await load_state(journal, state.root_id)
    return root is not None and root.status is ExecutionStatus.TERMINATED


async def read_failed(journal: Journal, execution_id: str) -> tuple[Redo, ...]:
    """What a retry runs again. Reads the whole history, page by page."""
    state = GraphExecution(retain=True)
    while True:
        events = await journal.read_stream(execution_id, after=state.version, limit=PAGE)
        if events:
            state = fold(events, state)
        if len(events) < PAGE:
            break
    children: list[ChildFinished] = []
    if any(node.child_id for node in state.node_executions.values()):
        told = await journal.read_stream(inbox_of(execution_id))
        children = [each.payload for each in told if isinstance(each.payload, ChildFinished)]
    return failed_of(state, children)
