"""Stopping an execution and everything below it, within one time limit."""

from __future__ import annotations

import asyncio
import logging

from actbook.actors import ExecutionLog
from actbook.engine._errors import StillStoppingError
from actbook.engine._host import Host
from actbook.engine._watch import is_over
from actbook.events import CancelRequested, ExecutionStatus, GraphExecution

logger = logging.getLogger("actbook.engine")


async def stop_execution(
    host: Host, state: GraphExecution, request: CancelRequested, wait_timeout: float
) -> GraphExecution:
    """Records the request, then waits for the execution and, when it cascades, for its children, parent first.

    Raises `StillStoppingError` when the execution itself takes longer; children that do are left to it, with a warning in the
    log. The request stays in force. `wait_timeout` 0 returns at once with what is recorded then.
    """
    if not state.status.is_terminal or await host.executions.is_reviving(state):
        await host.executions.ask(state, request)
    if wait_timeout <= 0:
        return state
    ended = state
    waiting: set[str] = {state.id}
    try:
        async with asyncio.timeout(wait_timeout):
            ended = await host.executions.settled(state.id, terminal=True) or state
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
    """All below `state`. `waiting`: filled with those that are not known to have ended."""
    generation = [state]
    while generation:
        children = [child_id for parent in generation for child_id in _stopped_with(parent)]
        waiting.update(children)
        generation = await _all_ended(host, children, waiting)


def _stopped_with(state: GraphExecution) -> list[str]:
    """Its children; those that ended before it was stopped are in no node execution that was terminated."""
    if state.status is not ExecutionStatus.TERMINATED:
        return []
    return [node.child_id for node in state.node_executions.values() if node.child_id]


async def _all_ended(host: Host, children: list[str], waiting: set[str]) -> list[GraphExecution]:
    """As they ended. Most do within milliseconds of each other: a task for each would cost more than its end."""
    told = {
        each: host.executions.waiters.add(each) for each in children if host.system.find(each) is not None
    }
    ended: list[GraphExecution] = []
    try:
        for child_id in children:
            state = await told[child_id] if child_id in told else None
            if state is None or not is_over(state, terminal=True):
                state = await host.executions.settled(child_id, terminal=True)
            waiting.discard(child_id)
            if state is not None:
                ended.append(state)
    finally:
        for child_id, future in told.items():
            host.executions.waiters.remove(child_id, future)
    return ended
