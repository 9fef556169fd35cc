"""What a relay did, and what is wrong with it."""

from __future__ import annotations

import logging

from actbook.bridge._relay_ledger import RelayFencedError, SetAside

logger = logging.getLogger("actbook.bridge")


class Tally:
    """`failure` is what goes wrong just now, or empty; `left_aside` are positions of events that the bus refused."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.published = 0
        self.repeated = 0
        self.left_aside: set[int] = set()
        self.failure = ""

    def told(self, *, published: bool) -> None:
        """An event is on the bus: because it was published now, or it was there already."""
        self.failure = ""
        if published:
            self.published += 1
        else:
            self.repeated += 1

    def failed(self, error: BaseException) -> None:
        """Something does not work now; it is tried again. Said once in the log, not each time."""
        text = f"{type(error).__name__}: {error}"
        if text != self.failure:
            level = logging.INFO if isinstance(error, RelayFencedError) else logging.WARNING
            logger.log(level, "Relay %s: %s", self.name, text)
        self.failure = text

    def left_out(self, left: SetAside) -> None:
        """The bus refused an event."""
        self.left_aside.add(left.position)
        logger.error(
            "Relay %s: event %s (%s, version %d of %s) is set aside: %s",
            self.name,
            left.event_id.hex(),
            left.topic,
            left.version,
            left.stream_id,
            left.reason,
        )
