"""Makes children that follow a store and rebuild its tables again and again until they are killed.

`python -m tests.projections.dying URL`: a child for each line on stdin, its process id on stdout once it is at work.
The children are forked from a process that has imported everything and has one thread, since starting takes
much longer than what there is to interrupt.
"""

from __future__ import annotations

import asyncio
import os
import sys

from tests.projections.letters import Letters

from actbook.journal import Journal
from actbook.projections import BUILT_IN, Runner, _feed

_feed.BATCH = 7
_feed.PAGE = 10


async def main(url: str) -> None:
    journal = await Journal.open(url)
    runner = Runner(journal, (*BUILT_IN, Letters))
    await runner.start()
    print(os.getpid(), flush=True)
    while True:
        for name in ("node_executions", "letters", "executions"):
            await runner.rebuild(name)


def breed(url: str) -> None:
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            asyncio.run(main(url))
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    breed(sys.argv[1])
