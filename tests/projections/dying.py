"""Follows a store and rebuilds its tables again and again until it is killed: `python -m tests.projections.dying URL`."""

from __future__ import annotations

import asyncio
import sys

from tests.projections.letters import Letters

from actbook.journal import Journal
from actbook.projections import BUILT_IN, Runner, _feed

_feed.BATCH = 25


async def main(url: str) -> None:
    journal = await Journal.open(url)
    runner = Runner(journal, (*BUILT_IN, Letters))
    await runner.start()
    print("ready", flush=True)
    while True:
        for name in ("node_executions", "letters", "executions"):
            await runner.rebuild(name)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
