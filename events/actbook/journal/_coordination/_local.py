"""The coordinator of a journal that no other process can open."""

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime

from ._port import OwnerInfo


class LocalCoordinator:
    """Owner from start to close; nobody else is there to ring for."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._owner: OwnerInfo | None = None
        self._notice: asyncio.Handle | None = None

    @property
    def is_owner(self) -> bool:
        return self._owner is not None

    @property
    def leads(self) -> bool:
        return self.is_owner

    @property
    def owner(self) -> OwnerInfo | None:
        return self._owner

    async def start(
        self,
        on_bell: Callable[[], None],
        on_owner: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._owner = OwnerInfo(os.getpid(), self._worker_id, datetime.now(UTC))
        self._notice = asyncio.get_running_loop().call_soon(on_owner)

    def ring(self) -> None:
        """Nobody listens."""

    def rejoin(self, worker_id: str) -> None:
        """Its place can't be lost."""

    async def close(self) -> None:
        self._owner = None
        if self._notice is not None:
            self._notice.cancel()
