"""Running a generator to its end in a thread that it may block: of the pool, or a worker's main thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from actbook.graphs import Block, ExecutionContext

from ._emission import Emission, begin, drain, drain_async

Interrupt = Callable[[], None]


def run_to_end(
    block: Block,
    data: dict[str, Any],
    context: ExecutionContext,
    emission: Emission,
    interruptible: Callable[[Interrupt | None], None],
) -> None:
    """Never raises. An async generator gets an event loop of its own.

    Then `interruptible` is told a function that cancels it from any thread, and None when it is over.
    """
    try:
        yields = begin(block, data, context, emission)
        if isinstance(yields, AsyncGenerator):
            _run_async(yields, emission, interruptible)
        elif yields is not None:
            drain(yields, emission)
    except BaseException as error:
        emission.fail(error)


def _run_async(
    yields: AsyncGenerator[Any, None],
    emission: Emission,
    interruptible: Callable[[Interrupt | None], None],
) -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        task = loop.create_task(drain_async(yields, emission))

        async def watched() -> None:
            interruptible(lambda: _cancel_from_outside(loop, task))
            await asyncio.wait([task])

        runner.run(watched())
    interruptible(None)


def _cancel_from_outside(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    try:
        loop.call_soon_threadsafe(task.cancel)
    except RuntimeError:  # its loop is closed: it has ended
        return
