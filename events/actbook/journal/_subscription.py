"""Reading the log from a position into the future."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from actbook.events._envelope import Envelope

PAGE = 500


class Log(Protocol):
    """What a subscription needs from a journal."""

    @property
    def is_closed(self) -> bool: ...

    def on_commit(self, callback: Callable[[int], None]) -> Callable[[], None]: ...

    def last_position(self) -> Awaitable[int]: ...

    def read_log(
        self, after: int, limit: int, topics: Sequence[str], *, upto: int | None
    ) -> Awaitable[list[Envelope]]: ...


async def follow(log: Log, after: int, topics: Sequence[str], news: asyncio.Event) -> AsyncIterator[Envelope]:
    """Every event above `after`, once each and in position order; ends when the log is closed and `news` is
    set.

    A commit wakes it; then it reads the log from where it is. So it can miss nothing between history and
    present, it never polls, and it reads no faster than its consumer takes.
    """
    remove = log.on_commit(lambda _: news.set())
    try:
        while not log.is_closed:
            news.clear()
            last = await log.last_position()
            page = await log.read_log(after, PAGE, topics, upto=last)
            for envelope in page:
                yield envelope
            after = page[-1].position if len(page) == PAGE else max(after, last)
            if len(page) < PAGE:
                await news.wait()
    finally:
        remove()
