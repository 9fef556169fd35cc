"""What is known about a store's streams before a batch is planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from actbook.journal._chain import GENESIS

Head = tuple[int, bytes]
"""Version and hash of a stream's last event."""

EMPTY: Head = (0, GENESIS)


class Where(NamedTuple):
    """Place of a recorded event."""

    stream_id: str
    version: int
    position: int


class Known(Protocol):
    """What a plan has to be told about the store."""

    def head(self, stream_id: str, expected: int | None) -> Head:
        """The head as far as known.

        May believe that a stream is new because `expected` is 0: uniqueness guards it.
        """
        ...

    def actual_head(self, stream_id: str) -> Head:
        """The head as the store has it now."""
        ...

    def heads(self, stream_ids: Sequence[str]) -> Mapping[str, Head]:
        """Heads that `head` would have to visit the store for one by one; none where that is no gain."""
        ...

    def recorded(self, event_ids: Sequence[bytes]) -> Mapping[bytes, Where]:
        """Those of the event ids that are in the store."""
        ...
