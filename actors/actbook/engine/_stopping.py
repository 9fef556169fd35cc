"""Stopping an execution and everything below it, within one time limit."""

from __future__ import annotations

import asyncio
import logging

from actbook.actors import ExecutionLog
from actbook.engine._errors import StillStoppingError
from actbook.engine._host import Host
from actbook.events import CancelRequested, ExecutionStatus, GraphExecution

logger = logging.getLogger("actbook.engine")


async def stop_execution(
    host: Host, state: GraphExecution, request: CancelRequested, wait_timeout: float
) -> GraphExecution:
    """Records the request, then waits for the execution and, when it cascades, for its children, parent first.

    Raises `StillStoppingError` when the execution itself takes longer; children that do are left to it, with a warning in the
    log. The request stays in force. `wait_timeout` 0 returns at once with what is recorded then.
    """
    if not state.status.is_terminal or await host.is_reviving(state):
        await host.ask(state, request)
    if wait_timeout <= 0:
        return state
    ended = state
    waiting: set[str] = {state.id}
    try:
        async with asyncio.timeout(wait_timeout):
            ended = await host.settled(state.id, terminal=True) or state
            waiting.clear()
            if request.cascade:
                await _children_ended(host, ended, waiting)
    except TimeoutError:
        if state.id in waiting:
            raise StillStoppingError(state.id, wait_timeout) from None
        log = ExecutionLog(
            logger, "Stop", user_id=state.user_id, graph_exec_id=state.id, graph_id=state.graph_id
        )
        log.warning("Still stopping after %s seconds: %s", wait_timeout, ", ".join(sorted(waiting)))
    return ended


async def _children_ended(host: Host, state: GraphExecution, waiting: set[str]) -> None:
    """`waiting`: filled with those that have not ended yet."""
    if state.status is not ExecutionStatus.TERMINATED:
        return
    # Those that ended before are in no node execution that was terminated.
    children = [node.child_id for node in state.node_executions.values() if node.child_id]
    waiting.update(children)
    async with asyncio.TaskGroup() as group:
        for child_id in children:
            group.create_task(_ended(host, child_id, waiting))


async def _ended(host: Host, execution_id: str, waiting: set[str]) -> None:
    state = await host.settled(execution_id, terminal=True)
    waiting.discard(execution_id)
    if state is not None:
        await _children_ended(host, state, waiting)
