"""A relay that dies where it would record what it published: `python -m tests.bridge.dying_relay STORE BUS COUNT`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from actbook.bridge import Ledger
from actbook.engine import Engine


async def main(store: str, bus: str, count: int) -> None:
    recorded = Ledger.advance
    calls = 0

    def advance(self: Ledger, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        recorded(self, *arguments)

    Ledger.advance = advance  # type: ignore[assignment,method-assign]
    async with Engine.open(store, candidate=False, bus=bus) as engine:
        assert engine.relay is not None
        await engine.relay.wait(await engine.journal.last_position())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
