"""A coordinator of this process with somebody listening."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from actbook.journal._coordination import FileCoordinator

_PATIENCE = 30.0  # seconds; only a failing test waits that long


class Ear:
    def __init__(self, path: Path | str, *, candidate: bool = True) -> None:
        self.coordinator = FileCoordinator(path, "worker", candidate)
        self.bells = 0
        self.ownerships = 0
        self._something = asyncio.Event()

    async def start(self) -> None:
        await self.coordinator.start(self._bell, self._owner)

    async def until_owner(self) -> None:
        while not self.ownerships:
            await self._wait()
        assert self.coordinator.is_owner

    async def until_bell(self) -> None:
        """Wait for a bell after those heard so far."""
        heard = self.bells
        while self.bells == heard:
            await self._wait()

    def _bell(self) -> None:
        self.bells += 1
        self._something.set()

    def _owner(self) -> None:
        self.ownerships += 1
        self._something.set()

    async def _wait(self) -> None:
        self._something.clear()
        await asyncio.wait_for(self._something.wait(), _PATIENCE)


@asynccontextmanager
async def listening(path: Path | str, *, candidate: bool = True) -> AsyncIterator[Ear]:
    ear = Ear(path, candidate=candidate)
    await ear.start()
    try:
        yield ear
    finally:
        await ear.coordinator.close()


async def quiet() -> None:
    """Let everything that is under way on this loop arrive."""
    for _ in range(5):
        await asyncio.sleep(0)


def open_descriptors() -> int:
    return sum(1 for _ in os.scandir("/dev/fd"))
