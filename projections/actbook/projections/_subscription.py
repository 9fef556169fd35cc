"""The events that somebody asked for, as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from actbook.events import Envelope
from actbook.journal import Journal


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; what is empty or None asks for nothing in particular, the rest must hold together.

    `root_id`: of an execution and everything it began, at any depth. `streams`: executions' ids are names of
    streams. `user_id`: on whose behalf they were recorded; None sees everybody's.
    """

    topics: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    root_id: str = ""
    user_id: str | None = None

    def accepts(self, event: Envelope) -> bool:
        return (
            (not self.topics or event.topic in self.topics)
            and (not self.streams or event.stream_id in self.streams)
            and (not self.root_id or event.correlation_id == self.root_id)
            and (self.user_id is None or event.user_id == self.user_id)
        )


async def subscribe(journal: Journal, wanted: EventFilter, after: int = 0) -> AsyncGenerator[Envelope, None]:
    """Events above `after` that `wanted` accepts: history, then live, once each, in order, without a gap.

    Reads only as fast as the consumer takes. Ends when the journal closes; `aclose` ends it earlier.
    """
    async with aclosing(journal.subscribe(after, wanted.topics)) as events:
        async for event in events:
            if wanted.accepts(event):
                yield event
