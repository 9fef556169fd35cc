"""The relay without a bus: order, tracking, taking over, setting aside."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bridge.nats_kit import LONG, Memory, caught_up, drafts, fill, journal_at, relaying, until

from actbook.bridge import BusUnavailableError, Ledger, RefusedError, Relay, RelayFencedError, SetAside
from actbook.bridge._relay_lanes import Lanes
from actbook.events import Append, Envelope
from actbook.journal import Journal, Store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else "memory:"


def test_every_event_is_published_once_and_each_stream_in_order(place: str) -> None:
    async def main() -> None:
        bus = Memory()
        async with journal_at(place) as journal:
            await fill(journal, 7, 20)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
                await fill(journal, 7, 5)
                await caught_up(relay, journal)
        assert bus.versions() == {f"s{n}": list(range(1, 26)) for n in range(7)}
        assert bus.closed

    asyncio.run(main())


def test_the_next_relay_goes_on_where_the_last_one_stopped(place: str) -> None:
    async def main() -> None:
        first, second = Memory(), Memory()
        async with journal_at(place) as journal:
            await fill(journal, 3, 4)
            async with relaying(Relay(journal, first, name="r")) as relay:
                await caught_up(relay, journal)
            await fill(journal, 3, 1)
            async with relaying(Relay(journal, second, name="r")) as relay:
                await caught_up(relay, journal)
        assert len(first.events) == 12
        assert [event.version for event in second.events] == [5, 5, 5]

    asyncio.run(main())


def test_what_was_published_and_not_recorded_comes_again_under_the_same_id(tmp_path: Path) -> None:
    async def main() -> None:
        bus = Memory()
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 1, 3)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
            ledger = Ledger(journal.store)
            ledger.rewind("r", 1)
            ledger.close()
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await until(lambda: len(bus.events) == 5)
        ids = [event.event_id for event in bus.events]
        assert ids[3:] == ids[1:3]

    asyncio.run(main())


def test_a_bus_that_remembers_gets_nothing_twice(tmp_path: Path) -> None:
    class Remembering(Memory):
        async def last_version(self, stream_id: str) -> int:
            return self.versions().get(stream_id, [0])[-1]

    async def main() -> None:
        bus = Remembering()
        async with journal_at(tmp_path / "store.db") as journal:
            await fill(journal, 2, 3)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
            ledger = Ledger(journal.store)
            ledger.rewind("r", 0)
            ledger.close()
            await fill(journal, 2, 1)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
                assert (await relay.status()).repeated == 6
        assert bus.versions() == {"s0": [1, 2, 3, 4], "s1": [1, 2, 3, 4]}

    asyncio.run(main())


def test_an_unavailable_bus_delays_and_loses_nothing() -> None:
    async def main() -> None:
        bus, failures = Memory(), 5
        tried = asyncio.Event()

        def fail(event: Envelope) -> None:
            nonlocal failures
            if failures:
                failures -= 1
                tried.set()
                raise BusUnavailableError("it is down")

        bus.before = fail
        async with journal_at(None) as journal:
            await fill(journal, 1, 4)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await asyncio.wait_for(tried.wait(), LONG)
                status = await relay.status()
                assert (status.behind, "it is down" in status.failure) == (4, True)
                assert status.lag > 0
                await caught_up(relay, journal)
                status = await relay.status()
                assert (status.behind, status.lag, status.failure, status.published) == (0, 0.0, "", 4)
        assert bus.versions() == {"s0": [1, 2, 3, 4]}

    asyncio.run(main())


def test_a_refused_event_is_set_aside_and_stops_nobody(place: str) -> None:
    async def main() -> None:
        bus = Memory()

        def refuse(event: Envelope) -> None:
            if event.stream_id == "s1" and event.version == 2:
                raise RefusedError("too large")

        bus.before = refuse
        async with journal_at(place) as journal:
            await fill(journal, 2, 3)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
                assert (await relay.status()).set_aside == 1
            ledger = Ledger(journal.store)
            [left] = ledger.left_aside("r")
            ledger.close()
            assert (left.stream_id, left.version, left.topic, left.reason) == (
                "s1",
                2,
                "warning.recorded",
                "too large",
            )
        assert bus.versions() == {"s0": [1, 2, 3], "s1": [1, 3]}

    asyncio.run(main())


def test_an_event_that_nobody_can_publish_is_set_aside_after_some_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("actbook.bridge._relay_delivery.FIRST_PAUSE", 0.001)

    async def main() -> None:
        bus = Memory()

        def break_down(event: Envelope) -> None:
            if event.version == 2:
                raise ZeroDivisionError("a fault of the publisher")

        bus.before = break_down
        async with journal_at(None) as journal:
            await fill(journal, 1, 3)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
                ledger = Ledger(journal.store)
                [left] = ledger.left_aside("r")
                ledger.close()
        assert left.reason == "ZeroDivisionError: a fault of the publisher"
        assert bus.versions() == {"s0": [1, 3]}

    asyncio.run(main())


def test_an_event_that_cannot_be_read_is_set_aside_and_stops_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        bus, path = Memory(), tmp_path / "store.db"
        async with journal_at(path) as journal:
            await fill(journal, 1, 3)
        connection = sqlite3.connect(path)
        with connection:
            connection.execute("UPDATE events SET topic='of.tomorrow' WHERE version=2")
        connection.close()
        async with journal_at(path) as journal:
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
            ledger = Ledger(journal.store)
            [left] = ledger.left_aside("r")
            ledger.close()
        assert (left.version, left.topic) == (2, "of.tomorrow")
        assert bus.versions() == {"s0": [1, 3]}

    asyncio.run(main())


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_a_second_relay_of_the_name_stands_by_and_takes_over(place: str) -> None:
    async def main() -> None:
        first, second = Memory(), Memory()
        journal, other = await Journal.open(place), await Journal.open(place)
        relay, standby = Relay(journal, first, name="r"), Relay(other, second, name="r")
        try:
            await fill(journal, 1, 3)
            relay.start()
            await caught_up(relay, journal)
            standby.start()
            while (await standby.status()).state != "standing by":  # noqa: ASYNC110
                await asyncio.sleep(0)
            await fill(journal, 1, 3)
            await caught_up(relay, journal)
            assert not second.events
            await relay.close()
            await other.append(Append("s0", None, drafts(1), "u"))
            await caught_up(standby, other)
            assert [event.version for event in first.events] == [1, 2, 3, 4, 5, 6]
            assert [event.version for event in second.events] == [7]
        finally:
            await relay.close()
            await standby.close()
            await journal.close()
            await other.close()

    asyncio.run(main())


def test_who_was_taken_over_from_can_record_nothing_more(place: str) -> None:
    async def main() -> None:
        async with journal_at(place) as journal:
            await fill(journal, 1, 2)
            old, new = Ledger(journal.store), Ledger(journal.store)
            try:
                before = old.claim("r", "one", 1)
                after = new.claim("r", "two", 2)
                assert after.epoch == before.epoch + 1
                with pytest.raises(RelayFencedError):
                    old.advance("r", before.epoch, 2, 3)
                with pytest.raises(RelayFencedError):
                    old.set_aside("r", before.epoch, SetAside(1, b"", "s0", 1, "t", "", 0))
                new.advance("r", after.epoch, 1, 4)
                assert [track.position for track in old.tracks()] == [1]
                assert not old.left_aside("r")
            finally:
                old.close()
                new.close()

    asyncio.run(main())


def test_a_relay_that_was_fenced_claims_again_and_goes_on() -> None:
    async def main() -> None:
        bus = Memory()
        async with journal_at(None) as journal:
            await fill(journal, 1, 2)
            async with relaying(Relay(journal, bus, name="r")) as relay:
                await caught_up(relay, journal)
                ledger = Ledger(journal.store)
                ledger.claim("r", "another", 0)
                await fill(journal, 1, 2)
                await caught_up(relay, journal)
                assert ledger.tracks()[0].epoch == 3
                ledger.close()
        assert [event.version for event in bus.events][-2:] == [3, 4]

    asyncio.run(main())


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(1, 5), st.integers(1, 10), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_lanes_keep_each_stream_in_order_and_tell_the_position_below_which_all_is_done(
    streams: list[int], workers: int, window: int, seed: int
) -> None:
    random = Random(seed)
    done: list[int] = []
    told: list[tuple[int, set[int]]] = []

    async def work(position: int) -> None:
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
        done.append(position)

    async def main() -> None:
        finished = asyncio.Event()

        def progressed() -> None:
            told.append((lanes.reached, set(done)))
            if lanes.reached == len(streams):
                finished.set()

        lanes = Lanes(work, progressed, window)
        servers = [asyncio.ensure_future(lanes.serve()) for _ in range(workers)]
        for position, stream in enumerate(streams, 1):
            await lanes.room()
            assert lanes.outstanding < window
            lanes.add(position, str(stream), position)
        if streams:
            await asyncio.wait_for(finished.wait(), LONG)
        for server in servers:
            server.cancel()
        await asyncio.wait(servers)

    asyncio.run(main())
    for stream in set(streams):
        mine = [position for position in done if streams[position - 1] == stream]
        assert mine == sorted(mine)
    assert all(set(range(1, reached + 1)) <= done_then for reached, done_then in told)


def test_a_relay_that_is_closed_while_it_opens_its_tables_leaves_none_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, go_on = Event(), Event()
    closed: list[Ledger] = []

    class Slow(Ledger):
        def __init__(self, store: Store) -> None:
            opening.set()
            assert go_on.wait(LONG)
            super().__init__(store)

        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr("actbook.bridge._relay.Ledger", Slow)

    async def main() -> None:
        async with journal_at(tmp_path / "store.db") as journal, relaying(Relay(journal, Memory(), name="r")):
            assert await asyncio.to_thread(opening.wait, LONG)
            asyncio.get_running_loop().call_soon(go_on.set)
        assert len(closed) == 1

    asyncio.run(main())


def test_a_relay_ends_although_the_client_of_its_bus_forgets_that_it_was_cancelled(place: str) -> None:
    class Forgetful(Memory):
        """As `asyncio.wait_for` before Python 3.12 does when the answer comes in the same moment."""

        def __init__(self) -> None:
            super().__init__()
            self.entered = asyncio.Event()

        async def publish(self, event: Envelope) -> None:
            self.entered.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def main() -> None:
        bus = Forgetful()
        async with journal_at(place) as journal:
            await fill(journal, 80, 2)
            async with asyncio.timeout(LONG), relaying(Relay(journal, bus, name="r")):
                await bus.entered.wait()
        assert bus.closed

    asyncio.run(main())
