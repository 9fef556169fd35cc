"""Stopping an execution and everything below it, within one time limit."""

from __future__ import annotations

import asyncio

from actbook.engine._errors import StillStoppingError
from actbook.engine._host import Host
from actbook.events import CancelRequested, ChildStarted, ExecutionStatus, GraphExecution


async def stop_execution(
    host: Host, state: GraphExecution, request: CancelRequested, wait_timeout: float
) -> GraphExecution:
    """Records the request, then waits for the execution and, when it cascades, for its children, parent first.

    Raises `StillStoppingError`; the request stays in force. `wait_timeout` 0 returns at once with what is recorded then.
    """
    if not state.status.is_terminal:
        await host.ask(state, request)
    if wait_timeout <= 0:
        return state
    try:
        async with asyncio.timeout(wait_timeout):
            return await _ended(host, state.id, request.cascade) or state
    except TimeoutError:
        raise StillStoppingError(state.id, wait_timeout) from None


async def _ended(host: Host, execution_id: str, cascade: bool) -> GraphExecution | None:
    state = await host.settled(execution_id, terminal=True)
    if cascade and state is not None and state.status is ExecutionStatus.TERMINATED:
        async with asyncio.TaskGroup() as group:
            for child_id in await _children(host, execution_id):
                group.create_task(_ended(host, child_id, cascade))
    return state


async def _children(host: Host, execution_id: str) -> list[str]:
    children: list[str] = []
    after = 0
    while True:
        events = await host.journal.read_stream(execution_id, after, 10_000)
        children.extend(e.payload.execution_id for e in events if isinstance(e.payload, ChildStarted))
        if len(events) < 10_000:
            return children
        after = events[-1].version
