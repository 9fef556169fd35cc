"""Signs checkpoints from time to time, in the process that owns the store."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actbook.graphs import ActbookError
from actbook.journal import Store

if TYPE_CHECKING:
    from actbook.replay import SigningKey

logger = logging.getLogger("actbook.engine")


class CheckpointPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often what is recorded is signed.

    - `key`: what signs; None = nothing is signed
    - `every`: seconds from one checkpoint to the next, if something was recorded meanwhile
    - `to`: a file that each checkpoint is added to, best on another machine
    """

    key: SigningKey | None = None
    every: float = 3600.0
    to: Path | None = None


class Notary:
    """Keeps a timer while this process owns the store, and a thread while it signs."""

    def __init__(self, store: Store, policy: CheckpointPolicy) -> None:
        self._store = store
        self._policy = policy
        self._task: asyncio.Task[None] | None = None
        self._last = -1

    def start(self) -> None:
        """Begins; does nothing without a key, or a second time."""
        if self._policy.key is not None and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._sign_again_and_again(self._policy.key))

    async def close(self) -> None:
        """Ends after a signature that is under way. Before the store is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _sign_again_and_again(self, key: SigningKey) -> None:
        while True:
            await asyncio.sleep(self._policy.every)
            signing = asyncio.ensure_future(asyncio.to_thread(self._sign, key))
            try:
                await asyncio.shield(signing)
            except asyncio.CancelledError:
                await asyncio.wait([signing])
                raise

    def _sign(self, key: SigningKey) -> None:
        from actbook.replay import Checkpoints

        try:
            with Checkpoints(self._store) as checkpoints:
                signed = checkpoints.write(key)
            if self._policy.to is not None and signed.size != self._last:
                with self._policy.to.open("a", encoding="utf-8") as file:
                    file.write(signed.text + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            self._last = signed.size
        except (ActbookError, OSError) as error:
            logger.error("No checkpoint could be written: %s. It is tried again later.", error)
