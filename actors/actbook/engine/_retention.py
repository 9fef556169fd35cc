"""Lets executions that ended long ago leave the store from time to time, in the process that owns it."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import msgspec

from actbook.graphs import ActbookError
from actbook.journal import Store
from actbook.projections import Runner

logger = logging.getLogger("actbook.engine")

_NAME = "actbook-%Y%m%dT%H%M%SZ"


class RetentionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions leave the store, and where they go.

    - `older_than`: seconds since they ended; None = they stay for ever
    - `to`: a folder for the archives, one file each time
    - `discard`: delete them instead; then `to` has to be None
    - `graph_id`, `user_id`, `statuses`: only of those
    - `every`: seconds from one look to the next; the first one is as long after the start
    """

    older_than: float | None = None
    to: Path | None = None
    discard: bool = False
    graph_id: str | None = None
    user_id: str | None = None
    statuses: tuple[str, ...] = ()
    every: float = 86_400.0

    def __post_init__(self) -> None:
        if self.older_than is not None and self.discard == (self.to is not None):
            raise ValueError("A retention policy needs a folder (`to`) or `discard=True`, and not both.")


class Archivist:
    """Keeps a timer while this process owns the store, and a thread while executions leave."""

    def __init__(self, store: Store, runner: Runner, policy: RetentionPolicy) -> None:
        self._store = store
        self._runner = runner
        self._policy = policy
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; does nothing when executions stay for ever, or a second time."""
        if self._policy.older_than is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._go_on())

    async def close(self) -> None:
        """Ends after an archive that is under way. Before the store is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def apply(self) -> int:
        """One look: how many executions left. Raises `ArchiveError`, `JournalError` or `OSError`."""
        await self._runner.wait(await asyncio.to_thread(self._store.last_position), 60.0)
        leaving = asyncio.ensure_future(asyncio.to_thread(self._leave))
        try:
            return await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await asyncio.wait([leaving])
            raise

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._policy.every)
            try:
                await self.apply()
            except (ActbookError, OSError) as error:
                logger.error("Executions could not leave the store: %s. It is tried again later.", error)

    def _leave(self) -> int:
        from actbook.replay import Choice, archive_executions, discard_executions, ended_trees

        policy, now = self._policy, time.time_ns() // 1000
        before = now - int((policy.older_than or 0.0) * 1_000_000)
        chosen = ended_trees(self._store, Choice(before, policy.graph_id, policy.user_id, policy.statuses))
        if not chosen:
            return 0
        if policy.to is None:
            discard_executions(self._store, chosen, now)
        else:
            policy.to.mkdir(parents=True, exist_ok=True)
            archive_executions(self._store, chosen, _free_name(policy.to, now), now)
        return len(chosen)


def _free_name(folder: Path, at: int) -> Path:
    name = time.strftime(_NAME, time.gmtime(at // 1_000_000))
    return folder / f"{name}-{at % 1_000_000:06}.archive"
