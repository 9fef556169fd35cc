"""A user's payload keys are destroyed: what they sealed can never be read again, here and in every copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from actbook.events import Envelope, UserForgotten, user_stream
from actbook.events._user_values import fields_with, may_hold_values
from actbook.graphs import ActbookError
from actbook.journal import PayloadKeyError, Row, Store
from actbook.journal._codec import decode
from actbook.journal._payload_keys import PayloadKeys
from actbook.journal._sealing import key_id_of
from actbook.replay._forget import UserBusyError, busy_executions, streams_of

_PAGE = 1000
_MOST_NAMED = 10


class PlainValuesError(ActbookError):
    """Values of the user stand in the store in plain text, so destroying keys would not make them unreadable.

    They were recorded before there were payload keys, or without. Forget the user by deletion.
    """

    def __init__(self, user_id: str, streams: Sequence[str]) -> None:
        named = ", ".join(streams[:_MOST_NAMED]) + (" and others" if len(streams) > _MOST_NAMED else "")
        super().__init__(
            f"Values of {user_id!r} were recorded without payload keys, in {named}."
            " Forget the user by deletion (without --keys)."
        )
        self.user_id = user_id
        self.streams = tuple(streams)


class KeysForgotten(NamedTuple):
    """Executions whose values are unreadable now, streams with theirs, and how many keys were destroyed."""

    executions: tuple[str, ...]
    streams: int
    keys: int


def sealed_streams(store: Store, user_id: str, schedules: Sequence[str] = ()) -> list[str]:
    """The user's streams, when nothing of his goes on and nothing in them is in plain text. The views have to be up to date.

    `schedules`: those that he still has. Blocks. Raises `UserBusyError` or `PlainValuesError`.
    """
    busy = busy_executions(store, user_id)
    if busy or schedules:
        raise UserBusyError(user_id, busy, schedules)
    streams = streams_of(store, user_id)
    plain = [stream for stream in streams if _holds_plain_values(store, stream)]
    if plain:
        raise PlainValuesError(user_id, plain)
    return streams


def destroy_keys(store: Store, user_id: str, actor: str = "", reason: str = "") -> UserForgotten | None:
    """Destroys the user's keys, whatever they sealed. What is still to be recorded of that: also what a crash left out.

    Blocks. Raises `PayloadKeyError`.
    """
    keys = keys_of(store)
    keys.retire(user_id)
    keys.destroy(user_id)
    told = {key for event in store.read_stream(user_stream(user_id)) for key in _told_by(event)}
    new = tuple(key for each in keys.destroyed(user_id) if (key := each.hex()) not in told)
    return UserForgotten(user_id, actor, reason, new) if new else None


def keys_of(store: Store) -> PayloadKeys:
    """Raises `PayloadKeyError` for a store that was opened without."""
    if store.keys is None:
        raise PayloadKeyError(
            "There are no payload keys to destroy: open the store with `payload_keys`, or set ACTBOOK_PAYLOAD_KEY"
            " for the command line. Without them a user is forgotten by deletion."
        )
    return store.keys


def _told_by(event: Envelope) -> tuple[str, ...]:
    return event.payload.keys if isinstance(event.payload, UserForgotten) else ()


def _holds_plain_values(store: Store, stream_id: str) -> bool:
    return any(
        key_id_of(row.state) is None and _has_values(decode(row, store.blob))
        for row in _rows(store, stream_id)
    )


def _has_values(event: Envelope) -> bool:
    found: list[None] = []
    if may_hold_values(event.payload):
        fields_with(event.payload, lambda _value: found.append(None))
    return bool(found)


def _rows(store: Store, stream_id: str) -> Iterator[Row]:
    after = 0
    while page := store.read_rows(stream_id, after, _PAGE):
        yield from page
        after = page[-1].version
