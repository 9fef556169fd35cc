"""What the tests of the relay and of NATS share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from actbook.bridge import Relay
from actbook.bridge.nats import BusConfig
from actbook.events import Append, Draft, Envelope, WarningRecorded
from actbook.journal import Journal

LONG = 60.0
"""Seconds: far more than anything takes here."""

_numbers = count(1)


def drafts(count_: int, text: str = "x") -> list[Draft]:
    return [Draft(WarningRecorded(f"{text}{index}"), time.time_ns() // 1000) for index in range(count_)]


async def fill(journal: Journal, streams: int, each: int, prefix: str = "s") -> None:
    """`each` events in every stream, one append after the other so that the streams alternate in the log."""
    for _ in range(each):
        for stream in range(streams):
            await journal.append(Append(f"{prefix}{stream}", None, drafts(1), "u"))


class Memory:
    """A bus in memory."""

    def __init__(self) -> None:
        self.events: list[Envelope] = []
        self.before: Callable[[Envelope], None] = lambda event: None
        self.closed = False

    async def publish(self, event: Envelope) -> None:
        await asyncio.sleep(0)
        self.before(event)
        self.events.append(event)

    async def close(self) -> None:
        self.closed = True

    def versions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for event in self.events:
            found.setdefault(event.stream_id, []).append(event.version)
        return found


@asynccontextmanager
async def journal_at(place: Path | str | None) -> AsyncIterator[Journal]:
    """`place` is a URL, the path of a file, or nothing for memory."""
    url = f"sqlite:///{place}" if isinstance(place, Path) else place
    journal = await Journal.open(url or "memory:")
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    relay.start()
    try:
        yield relay
    finally:
        await relay.close()


async def caught_up(relay: Relay, journal: Journal) -> None:
    await relay.wait(await journal.last_position(), LONG)


async def until(ready: Callable[[], bool]) -> None:
    """Lets the loop turn until it is so."""
    async with asyncio.timeout(LONG):
        while not ready():  # noqa: ASYNC110
            await asyncio.sleep(0)


def tenant() -> str:
    """A name that no other test has, on a server that others use too."""
    return f"t{next(_numbers)}-{time.time_ns():x}"


async def stored(config: BusConfig) -> list[tuple[str, str, int]]:
    """Everything in JetStream in its order: message id, stream id and version."""
    import nats

    from actbook.bridge._nats_message import event_in

    client = await nats.connect(list(config.servers))
    try:
        jetstream = client.jetstream()
        info = await jetstream.stream_info(config.stream_name)
        subscription = await jetstream.pull_subscribe(
            f"actbook.events.{config.tenant}.>", stream=config.stream_name
        )
        found: list[tuple[str, str, int]] = []
        while len(found) < info.state.messages:
            for message in await subscription.fetch(500, timeout=LONG):
                event = event_in(message.headers or {}, message.data)
                found.append(((message.headers or {})["Nats-Msg-Id"], event.stream_id, event.version))
                await message.ack()
        return found
    finally:
        await client.close()


def check_whole(found: list[tuple[str, str, int]], expected: int) -> None:
    """Every id once, and each stream in order without a gap."""
    assert len(found) == expected
    assert len({each[0] for each in found}) == expected
    heads: dict[str, int] = {}
    for _, stream_id, version in found:
        assert version == heads.get(stream_id, 0) + 1, (stream_id, version, heads.get(stream_id))
        heads[stream_id] = version
