"""Forgetting a user."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from actbook.actors import wall_clock
from actbook.replay import Forgotten, UserBusyError, busy_executions, forget_user, scrub

if TYPE_CHECKING:
    from actbook.engine._host import Host
    from actbook.events import Schedule

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

        The log keeps hashes, so that checkpoints and proofs hold. Graphs and the account stay. `stop` stops the user's
        executions first, each for `wait_timeout` seconds at most, and removes schedules. Takes as long as copying the file.
        Raises `UserBusyError`, `ArchiveError`, `StillStoppingError` or `StoreError`; after the last, forget the user again.
        """
        host = self._open_host()
        await self.catch_up(_CATCH_UP)
        if stop:
            await self._stop_all(host, user_id, wait_timeout)
        schedules = await host.schedules.ids(user_id)
        if schedules:
            raise UserBusyError(user_id, [], schedules)
        store = host.journal.store
        forgotten = await asyncio.to_thread(forget_user, store, user_id, wall_clock())
        for status in await host.runner.status():
            await host.runner.rebuild(status.name)
        await asyncio.to_thread(scrub, store)
        return forgotten

    async def _stop_all(self, host: Host, user_id: str, wait_timeout: float) -> None:
        for schedule_id in await host.schedules.ids(user_id):
            await self.remove_schedule(user_id, schedule_id)
        for execution_id in await asyncio.to_thread(busy_executions, host.journal.store, user_id):
            await self.stop_graph_execution(user_id, execution_id, wait_timeout)
        await self.catch_up(_CATCH_UP)
