"""What an engine offers for executions that are over: go on, try again, or take another way from some point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from actbook.actors import is_root_terminated, read_failed, wall_clock
from actbook.engine._errors import ResumeRefusedError, RetryRefusedError
from actbook.engine._forgotten import check_remembered
from actbook.engine._forking import ForkRequest, fork_execution
from actbook.events import (
    Draft,
    ExecutionResumed,
    ExecutionRetried,
    ExecutionStatus,
    GraphExecution,
    Limits,
    Past,
    ResumeRequested,
    RetryRequested,
    evolve,
    refusal_of_resume,
    refusal_of_retry,
)

if TYPE_CHECKING:
    from actbook.engine._engine import Engine
    from actbook.engine._host import Host

OPERATOR = "operator"


class Revival:
    """Part of `Engine`. In all calls a `user_id` of None acts as the operator; another user's execution is not found."""

    _host: Host

    async def resume(self, user_id: str | None, graph_exec_id: str, *, reason: str = "") -> GraphExecution:
        """Goes on with a TERMINATED, INCOMPLETE or REVIEW execution; returns when the request is durable.

        What was interrupted runs as a new attempt, with the masks and the skip set of the execution. However many ask at
        the same time, it goes on once; of one that is QUEUED nothing is recorded, and the answer is the same. Raises
        `ExecutionNotFoundError`, or `ResumeRefusedError` in any other status.
        """
        state = await cast("Engine", self).get_graph_execution(graph_exec_id, user_id)
        await check_remembered(self._host.journal, state.id, state.user_id)
        host = self._host
        past = Past(root_terminated=await is_root_terminated(host.journal, state))
        if state.status is ExecutionStatus.QUEUED and not past.root_terminated:
            return state
        refusal = refusal_of_resume(state, past)
        if refusal:
            raise ResumeRefusedError(graph_exec_id, state.status, refusal)
        actor = user_id or OPERATOR
        await host.executions.revive(state, ResumeRequested(actor, reason, state.version))
        return evolve(state, Draft(ExecutionResumed(actor, reason), wall_clock()))

    async def retry(self, user_id: str | None, graph_exec_id: str, *, reason: str = "") -> GraphExecution:
        """Begins the next attempt of an execution that FAILED, was TERMINATED, or COMPLETED with failed nodes.

        What succeeded stays and is not run again; what failed runs as new node executions on the same data, what was
        stopped as a new attempt. Returns when the request is durable; however many ask at the same time, it is retried
        once. Raises `ExecutionNotFoundError`, or `RetryRefusedError` when there is nothing to retry.
        """
        state = await cast("Engine", self).get_graph_execution(graph_exec_id, user_id)
        await check_remembered(self._host.journal, state.id, state.user_id)
        host = self._host
        failed = await read_failed(host.journal, state.id) if state.status.is_terminal else ()
        past = Past(failed, await is_root_terminated(host.journal, state))
        refusal = refusal_of_retry(state, past)
        if refusal:
            raise RetryRefusedError(graph_exec_id, state.status, refusal)
        actor = user_id or OPERATOR
        await host.executions.revive(state, RetryRequested(actor, reason, state.version))
        return evolve(state, Draft(ExecutionRetried(state.attempt + 1, actor, reason), wall_clock()))

    async def fork(
        self,
        graph_exec_id: str,
        position: int | None = None,
        inputs: Mapping[str, Any] | None = None,
        *,
        user_id: str | None = None,
        data: Mapping[int, Mapping[str, Any]] | None = None,
        limits: Limits | None = None,
        reason: str = "",
    ) -> GraphExecution:
        """A new execution that shares the past of another one up to `position`, a version of its history, and goes on from there.

        The whole decision that the position belongs to is taken over, the end of the execution is not. `inputs` replace those
        of INPUT nodes, `data` the pins of queued node executions by number; what has told something already can't be edited.
        Without a `position` it is the last possible one. What is in flight there runs as a new attempt; the origin stays as it
        is. Raises `ExecutionNotFoundError`, `ForkRefusedError`, `GraphValidationError` or `ValueError`; then nothing was recorded.
        """
        state = await cast("Engine", self).get_graph_execution(graph_exec_id, user_id)
        await check_remembered(self._host.journal, state.id, state.user_id)
        request = ForkRequest(position, inputs or {}, data or {}, limits, user_id or OPERATOR, reason)
        return await fork_execution(self._host, state, request)
