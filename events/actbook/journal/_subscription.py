"""Reading the log from a position into the future."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol

from actbook.events._envelope import Envelope
from actbook.journal._errors import JournalClosedError
from actbook.journal._listeners import Listeners

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


async def follow(
    log: Log, after: int, topics: Sequence[str], closing: Listeners[None]
) -> AsyncGenerator[Envelope, None]:
    """Every event above `after`, once each and in position order; ends when the log closes.

    A commit wakes it; then it reads the log from where it is. So it can miss nothing between history and
    present, it never polls, and it reads no faster than its consumer takes.
    """
    news = asyncio.Event()
    forget = (log.on_commit(lambda _: news.set()), closing.add(lambda _: news.set()))
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
    except JournalClosedError:
        return
    finally:
        for remove in forget:
            remove()
