"""The log as a relay reads it: nothing that can't be read holds up what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from actbook.bridge._relay_thread import in_thread
from actbook.events import Envelope, UnknownTopicError
from actbook.journal import Journal, Row, Store, UndecodableError, UpcastError
from actbook.journal._codec import decode

PAGE = 500


class Unreadable(NamedTuple):
    """An event that this version of actbook can't decode."""

    row: Row
    reason: str


async def outbox(
    journal: Journal, after: int
) -> AsyncGenerator[tuple[int, str, Envelope | Unreadable], None]:
    """Position, stream and event of everything above `after`: history first, then as it is committed, whoever commits it.

    Ends when the journal closes; never polls.
    """
    news = asyncio.Event()
    forget = journal.on_commit(lambda _: news.set())
    try:
        while not journal.is_closed:
            news.clear()
            last = await journal.last_position()
            while after < last:
                page = await in_thread(read_page, journal.store, after)
                if not page:
                    break
                for each in page:
                    yield each
                    after = each[0]
            await news.wait()
    finally:
        forget()


def read_page(store: Store, after: int) -> list[tuple[int, str, Envelope | Unreadable]]:
    """The next events. Blocks."""
    return [(row.position, row.stream_id, _event(store, row)) for row in store.log_rows(after, PAGE)]


def event_at(store: Store, position: int) -> Envelope | Unreadable | None:
    """The event at a position; None when there is none. Blocks."""
    rows = store.log_rows(position - 1, 1)
    return _event(store, rows[0]) if rows and rows[0].position == position else None


def _event(store: Store, row: Row) -> Envelope | Unreadable:
    try:
        return decode(row, store.blob, store.keys)
    except (UndecodableError, UnknownTopicError, UpcastError, KeyError) as error:
        return Unreadable(row, f"{type(error).__name__}: {error}")
