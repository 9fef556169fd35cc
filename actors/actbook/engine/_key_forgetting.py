"""Forgetting a user by destroying his keys: the log stays as it is, and nobody can read his values in it any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actbook.actors import wall_clock
from actbook.events import Append, Draft, user_stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from actbook.engine._host import Host
    from actbook.journal import Journal, Store
    from actbook.replay import KeysForgotten


async def forget_keys_of(
    host: Host, user_id: str, actor: str, reason: str, catch_up: Callable[[], Awaitable[None]]
) -> KeysForgotten:
    """Destroys the user's keys unless something of his goes on. Raises what `Engine.forget_keys` does."""
    from actbook.replay import KeysForgotten, keys_of, sealed_streams

    store = host.journal.store
    keys = keys_of(store)
    # From here on nothing new is sealed with them, so that what is looked at is all there is.
    await asyncio.to_thread(keys.retire, user_id)
    try:
        await catch_up()
        schedules = await host.schedules.ids(user_id)
        streams = await asyncio.to_thread(sealed_streams, store, user_id, schedules)
    except BaseException:
        await asyncio.to_thread(keys.restore, user_id)
        raise
    count = await destroy_keys_of(host.journal, user_id, actor, reason)
    if not count:
        return KeysForgotten((), 0, 0)
    await asyncio.to_thread(_drop_snapshots, store, streams)
    return KeysForgotten(tuple(each for each in streams if ":" not in each), len(streams), count)


async def destroy_keys_of(journal: Journal, user_id: str, actor: str, reason: str) -> int:
    """Destroys the user's keys and records it, whatever they sealed; how many."""
    from actbook.replay import destroy_keys

    event = await asyncio.to_thread(destroy_keys, journal.store, user_id, actor, reason)
    if event is None:
        return 0
    await journal.append(Append(user_stream(user_id), None, [Draft(event, wall_clock())], user_id))
    return len(event.keys)


def _drop_snapshots(store: Store, streams: list[str]) -> None:
    for stream_id in streams:
        store.drop_snapshots(stream_id)
