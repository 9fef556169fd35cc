"""What blocks store between runs: one stream per user and key, the last value counts."""

from __future__ import annotations

from typing import Any

from actbook.events._topics import Event, topic


def storage_stream(user_id: str, key: str) -> str:
    """Stream id of a stored value."""
    return f"storage:{user_id}:{key}"


@topic("value.stored")
class ValueStored(Event, frozen=True, array_like=True, gc=False):
    """A block stored a value under a key of its user."""

    user_id: str
    key: str
    value: Any
