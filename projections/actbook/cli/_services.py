"""What runs until it is ended, `worker` and `relay`: its start, for which a database server may be late, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from actbook.cli._problems import MissingError
from actbook.cli._session import is_postgres

if TYPE_CHECKING:
    from actbook.cli._options import Options
    from actbook.engine import Engine

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_PASSING = ("starting up", "shutting down", "recovery", "connection slots", "too many")
"""How a server refuses that will not for long."""


def may_pass(error: Exception) -> bool:
    """Whether the server may be there soon: it is away, not set up yet, or too busy; not one that refuses this user."""
    from actbook.journal import MeetingError, StoreConnectionError

    if isinstance(error, MissingError):
        return True
    if not isinstance(error, (StoreConnectionError, MeetingError)):
        return False
    text = str(error)
    return "FATAL" not in text or any(each in text for each in _PASSING)


async def enter_when_there(
    stack: AsyncExitStack,
    opening: Callable[[], AbstractAsyncContextManager[Engine]],
    seconds: float,
    ended: asyncio.Event,
    options: Options,
) -> Engine | None:
    """Opens the engine, again and again for so many seconds; None when `ended` came first. Raises what opening raises."""
    loop = asyncio.get_running_loop()
    until, pause, told = loop.time() + seconds, _FIRST_PAUSE, False
    while not ended.is_set():
        try:
            return await stack.enter_async_context(opening())
        except Exception as error:
            late = loop.time() + pause > until
            if late or not is_postgres(options.store) or not may_pass(error):
                raise
            if not told:
                _tell(error, seconds, options)
                told = True
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return None


async def first_of(*waits: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them has; raises what it raises."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


def _tell(error: Exception, seconds: float, options: Options) -> None:
    from actbook.cli._printing import note

    text = " ".join(str(error).split())
    note(f"{text} It is tried again for {seconds:g} seconds.", options.output)
