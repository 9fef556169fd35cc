"""Forgetting a user."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from actbook.actors import wall_clock
from actbook.engine._key_forgetting import destroy_keys_of, forget_keys_of
from actbook.engine._revival import OPERATOR

if TYPE_CHECKING:
    from actbook.engine._host import Host
    from actbook.events import Schedule
    from actbook.replay import Forgotten, KeysForgotten

_CATCH_UP = 60.0


class Forgetting:
    """Part of the engine."""

    if TYPE_CHECKING:

        def _open_host(self) -> Host: ...
        async def catch_up(self, timeout: float = 5.0) -> None: ...
        async def remove_schedule(self, user_id: str | None, schedule_id: str) -> Schedule: ...
        async def stop_graph_execution(
            self, user_id: str, graph_exec_id: str, wait_timeout: float = 15.0
        ) -> Any: ...

    async def forget(self, user_id: str, *, stop: bool = False, wait_timeout: float = 15.0) -> Forgotten:
        """Deletes everything of a user for good: executions, stored values, rows of the views, and their bytes in the file.

        The log keeps hashes, so that checkpoints and proofs hold. Graphs and the account stay. His payload keys are
        destroyed, too, if there are any. `stop` stops the user's
        executions first, each for `wait_timeout` seconds at most, and removes schedules. Takes as long as copying the file.
        Raises `UserBusyError`, `ArchiveError`, `StillStoppingError` or `StoreError`; after the last, forget the user again.
        """
        from actbook.replay import UserBusyError, forget_user, scrub

        host = self._open_host()
        await self.catch_up(_CATCH_UP)
        if stop:
            await self._stop_all(host, user_id, wait_timeout)
        schedules = await host.schedules.ids(user_id)
        if schedules:
            raise UserBusyError(user_id, [], schedules)
        store = host.journal.store
        forgotten = await asyncio.to_thread(forget_user, store, user_id, wall_clock())
        if store.keys is not None:
            await destroy_keys_of(host.journal, user_id, OPERATOR, "")
        for status in await host.runner.status():
            await host.runner.rebuild(status.name)
        await asyncio.to_thread(scrub, store)
        return forgotten

    async def forget_keys(
        self,
        user_id: str,
        *,
        actor: str = OPERATOR,
        reason: str = "",
        stop: bool = False,
        wait_timeout: float = 15.0,
    ) -> KeysForgotten:
        """Destroys the payload keys of a user: what they sealed reads as `[forgotten]` from then on, in every copy of the store.

        Nothing else is changed, so everything that is proved of the log holds; `user.forgotten` records who did it and why.
        What the user does later is sealed with a new key. `stop` as in `forget`. Raises `UserBusyError`, `PlainValuesError`,
        `PayloadKeyError` or `StillStoppingError`; then nothing was destroyed.
        """
        host = self._open_host()
        await self.catch_up(_CATCH_UP)
        if stop:
            await self._stop_all(host, user_id, wait_timeout)
        return await forget_keys_of(host, user_id, actor, reason, lambda: self.catch_up(_CATCH_UP))

    async def _stop_all(self, host: Host, user_id: str, wait_timeout: float) -> None:
        from actbook.replay import busy_executions

        for schedule_id in await host.schedules.ids(user_id):
            await self.remove_schedule(user_id, schedule_id)
        for execution_id in await asyncio.to_thread(busy_executions, host.journal.store, user_id):
            await self.stop_graph_execution(user_id, execution_id, wait_timeout)
        await self.catch_up(_CATCH_UP)
