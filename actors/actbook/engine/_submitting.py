"""What an engine offers to begin runs: the request is checked, recorded, and handed to whoever runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from actbook.actors import Submit, wall_clock
from actbook.engine._admitting import Admitting
from actbook.engine._masks import Masks
from actbook.engine._recordable import unrecordable_input
from actbook.engine._repeating import check_repetition
from actbook.engine._start_time import start_time
from actbook.engine.credentials import CredentialsInputs
from actbook.events import Append, Create, Decider, GraphExecution, Limits, Settings
from actbook.graphs import GraphSettings, Plan
from actbook.journal import ConflictError, StoreFencedError, UnencodableError


class Submitting(Admitting):
    """Part of `Engine`."""

    async def add_graph_execution(
        self,
        graph_id: str,
        user_id: str = "",
        inputs: Mapping[str, Any] | None = None,
        *,
        graph_version: int | None = None,
        graph_credentials_inputs: CredentialsInputs | None = None,
        nodes_input_masks: Masks | None = None,
        settings: Settings | GraphSettings | None = None,
        limits: Limits | None = None,
        simulate: bool = False,
        simulation_script: Mapping[str, Any] | None = None,
        preset_id: str | None = None,
        idempotency_key: str | None = None,
        start_at: datetime | None = None,
        graph_exec_id: str | None = None,
        priority: int = 0,
    ) -> GraphExecution:
        """Accepts a run; returns when it is durable. It runs here if this process owns the store, else in the owner.

        `graph_credentials_inputs` names credentials by their metadata, under the keys of `aggregate_credentials_inputs`.
        `simulate` puts visible stand-ins where a block is not installed; `simulation_script` gives their outputs by block or node.
        The same `idempotency_key` of the same user is the same execution. With `start_at` it stays QUEUED until then.
        Where executions wait for a place a higher `priority` goes first; sub-graphs have that of their parent.
        With `graph_exec_id` that execution is resumed as it was instead, see `resume`; nothing else is looked at.
        Raises `GraphNotFoundError`, `GraphValidationError`, `StartTimeError`, `IdempotencyKeyError`,
        `UnrecordableInputError`, `ValueError`, or `CredentialsStoreError` when the store of
        credentials fails; then nothing was recorded.
        """
        if graph_exec_id is not None:
            return await self.resume(user_id, graph_exec_id)
        plan, create = await self._request(
            graph_id,
            user_id,
            inputs,
            graph_version=graph_version,
            graph_credentials_inputs=graph_credentials_inputs,
            nodes_input_masks=nodes_input_masks,
            settings=settings,
            limits=limits,
            simulate=simulate,
            simulation_script=simulation_script,
            preset_id=preset_id,
            idempotency_key=idempotency_key,
        )
        if priority:
            urgent = msgspec.structs.replace(create.settings, priority=priority)
            create = msgspec.structs.replace(create, settings=urgent)
        if start_at is not None:
            create = msgspec.structs.replace(create, start_at=start_time(start_at))
        return await self._accept(plan, create, graph_version)

    async def _accept(self, plan: Plan, create: Create, graph_version: int | None = None) -> GraphExecution:
        host = self._open_host()
        if host.settings.payload_keys is not None:
            await host.journal.unlock(create.user_id)
        try:
            await self._submit(plan, create)
        except ConflictError:
            earlier = await self.get_graph_execution(create.execution_id)
            check_repetition(earlier, plan, create, graph_version)
            return earlier
        except UnencodableError as error:
            raise unrecordable_input(create, error) from error
        state = GraphExecution()
        Decider(plan, state).advance(create, wall_clock())
        return state

    async def _submit(self, plan: Plan, create: Create) -> None:
        """Returns when it is recorded. A worker that is taken for dead meanwhile submits it once more."""
        host = self._host
        while True:
            afresh = host.dismissal.afresh
            try:
                if not host.is_owner:
                    await self._record(plan, create)
                    return
                accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                host.promises.add(accepted)
                accepted.add_done_callback(host.promises.discard)
                host.supervisor.tell(Submit(plan, create, partial(_answer, accepted)))
                await accepted
                return
            except StoreFencedError:
                if not await host.dismissal.is_over(afresh):
                    raise

    async def _record(self, plan: Plan, create: Create) -> None:
        drafts = Decider(plan, GraphExecution()).advance(create, wall_clock())
        append = Append(
            create.execution_id,
            0,
            drafts,
            create.user_id,
            create.execution_id,
            lifecycle="open",
            priority=create.settings.priority,
        )
        await self._host.journal.append(append)

    if TYPE_CHECKING:

        async def get_graph_execution(
            self, graph_exec_id: str, user_id: str | None = None
        ) -> GraphExecution: ...

        async def resume(
            self, user_id: str | None, graph_exec_id: str, *, reason: str = ""
        ) -> GraphExecution: ...


def _answer(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
