"""What blocks store between runs, kept in the journal."""

from __future__ import annotations

from typing import Any

from actbook.actors import wall_clock
from actbook.events import Append, Draft, ValueStored, storage_stream
from actbook.journal import Journal


class JournalStorage:
    """Values per user and key; each write is an event, the last one counts. Implements the blocks' `KeyValueStore`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def get(self, user_id: str, key: str) -> Any:
        """The stored value; None when there is none, or it was forgotten."""
        stream = storage_stream(user_id, key)
        head = await self._journal.head(stream)
        if not head or await self._journal.withheld(stream, user_id, head - 1):
            return None
        for event in await self._journal.read_stream(stream, after=head - 1):
            if isinstance(event.payload, ValueStored):
                return event.payload.value
        return None

    async def set(self, user_id: str, key: str, value: Any) -> Any:
        """Stores a JSON value durably and returns it."""
        draft = Draft(ValueStored(user_id, key, value), wall_clock())
        await self._journal.append(Append(storage_stream(user_id, key), None, [draft], user_id))
        return value
