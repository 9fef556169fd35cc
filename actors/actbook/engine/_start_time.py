"""When a delayed run begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actbook.graphs import ActbookError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StartTimeError(ActbookError, ValueError):
    """A time without a time zone is a different moment in every place. Give it one: `datetime.now(UTC) + …`."""

    def __init__(self, start_at: datetime) -> None:
        super().__init__(f"`start_at` {start_at.isoformat()} has no time zone. Give it one, for example UTC.")
        self.start_at = start_at


def start_time(start_at: datetime) -> int:
    """In microseconds since the Unix epoch, UTC; at least 1, as 0 means at once. Raises `StartTimeError`."""
    if start_at.tzinfo is None or start_at.utcoffset() is None:
        raise StartTimeError(start_at)
    return max(1, (start_at - _EPOCH) // timedelta(microseconds=1))
