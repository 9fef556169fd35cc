"""Events about users: one stream per user who was forgotten."""

from __future__ import annotations

from actbook.events._topics import Event, topic


def user_stream(user_id: str) -> str:
    """Stream id of what is recorded of a user."""
    return f"user:{user_id}"


@topic("user.forgotten")
class UserForgotten(Event, frozen=True, array_like=True, gc=False):
    """The user's payload keys were destroyed, so nothing opens what they had sealed: it reads as `[forgotten]` from then on.

    `keys`: their ids, in hex.
    """

    user_id: str
    actor: str
    reason: str
    keys: tuple[str, ...]
